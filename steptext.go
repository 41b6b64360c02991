package rempart

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A StepTextID names a text that a step after a notice begins with.
type StepTextID string

// The texts of steps, in the order of a ladder.
const (
	StepReminder     StepTextID = "reminder"              // nothing came after the notice
	StepReminderRead StepTextID = "reminder_acknowledged" // receipt was confirmed, and no decision followed
	StepSecond       StepTextID = "second_notice"         // the explanation of a notice that insists
	StepAgain        StepTextID = "second_notice_decided" // the same, where a decision had answered the first
	StepComplaint    StepTextID = "complaint"
	StepBody         StepTextID = "out_of_court"
	StepCoordinator  StepTextID = "coordinator"
)

// StepTextIDs lists every text.
var StepTextIDs = []StepTextID{StepReminder, StepReminderRead, StepSecond, StepAgain, StepComplaint, StepBody, StepCoordinator}

// Fields are the names that the text may have between braces, each filled from
// the case and its notice in the notice's language. None of them is a name or an
// e-mail address of anybody, nor what the person wrote; in a minor's case
// {decisions} repeats no address.
func (id StepTextID) Fields() []string {
	out := []string{"notice", "service", "reference", "number", "sent"}
	switch id {
	case StepSecond:
		out = append(out, "explanation")
	case StepAgain, StepComplaint:
		out = append(out, "explanation", "decisions")
	case StepBody, StepCoordinator:
		out = append(out, "explanation", "decisions", "steps")
	}
	return out
}

// needs are the names without which what is sent does not say what it is about:
// which notice, and for a notice of its own why (DSA article 16(2)(a)).
func (id StepTextID) needs() []string {
	if id == StepSecond || id == StepAgain {
		return []string{"notice", "explanation"}
	}
	return []string{"notice"}
}

// A StepText is the text of a step as an operator wrote it, in both languages.
type StepText struct {
	ID   StepTextID `json:"id"`
	Body Text       `json:"body"`
	By   Actor      `json:"by"`
	At   time.Time  `json:"at"`
}

// Step returns the text of a step, the program's own if nobody has changed it,
// and then changed is nil.
func (t Templates) Step(id StepTextID) (body Text, changed *StepText) {
	if k := slices.IndexFunc(t.Steps, func(s StepText) bool { return s.ID == id }); k >= 0 {
		return t.Steps[k].Body, &t.Steps[k]
	}
	return DefaultStepText(id), nil
}

// WithStep returns the templates with the text of a step changed. What is wrong
// with it is an error for each field. from is who notifies, whose name and
// address stand in no text: the notice has them where they may be, and leaves
// them out in a minor's case (DSA article 16(2)(c)).
func (t Templates) WithStep(n StepText, from Notifier) (Templates, error) {
	if !slices.Contains(StepTextIDs, n.ID) {
		return t, notFound("step")
	}
	var out Problems
	for _, f := range []struct {
		name string
		text *string
	}{{"body_fr", &n.Body.FR}, {"body_en", &n.Body.EN}} {
		*f.text = strings.TrimSpace(*f.text)
		if r := utf8.RuneCountInString(*f.text); r < MinRungText || r > maxTemplateBody {
			out.add(f.name, "steptext.length", "Write from "+itoa(MinRungText)+" to "+itoa(maxTemplateBody)+" characters here.", MinRungText, maxTemplateBody)
			continue
		}
		if CarriesFile(*f.text) {
			out = append(out, carried(f.name))
		}
		has := fields(*f.text)
		for _, field := range has {
			if !slices.Contains(n.ID.Fields(), field) {
				out.add(f.name, "template.field", "Nothing fills {"+field+"} here.", field)
			}
		}
		for _, field := range n.ID.needs() {
			if !slices.Contains(has, field) {
				out.add(f.name, "steptext.needs", "Without {"+field+"} this text does not say what it is about.", field)
			}
		}
		if braces(*f.text) {
			out.add(f.name, "steptext.brace", "A brace here opens no name, or closes none: write {notice}, and no other brace.")
		}
		if from.In(*f.text) {
			out.add(f.name, "steptext.who", "Leave names and e-mail addresses out of this text: what is sent has those of who notifies where they may stand, and leaves them out in a minor’s case.")
		}
	}
	if err := out.err(); err != nil {
		return t, err
	}
	t = t.WithoutStep(n.ID)
	t.Steps, t.What = append(t.Steps, n), "step:"+string(n.ID)
	return t, nil
}

// WithoutStep returns the templates with the program's own text of a step.
func (t Templates) WithoutStep(id StepTextID) Templates {
	t.Steps = slices.DeleteFunc(slices.Clone(t.Steps), func(s StepText) bool { return s.ID == id })
	t.What = "default:" + string(id)
	return t
}

// In tells whether a text holds an e-mail address, or the notifier's name.
func (n Notifier) In(text string) bool {
	name := strings.TrimSpace(n.Name)
	return strings.Contains(text, "@") || name != "" && strings.Contains(strings.ToLower(text), strings.ToLower(name))
}

// braces tells whether a text has a brace that is not of a name between braces.
func braces(text string) bool {
	for _, f := range fields(text) {
		text = strings.ReplaceAll(text, "{"+f+"}", "")
	}
	return strings.ContainsAny(text, "{}")
}

// FillStep returns the text of a step with each name that values has replaced. One
// that has nothing to say, such as the decisions where there was none, goes with the
// empty line before it.
func FillStep(text string, values map[string]string) string {
	var pairs []string
	for _, f := range fields(text) {
		v, known := values[f]
		if !known {
			continue
		}
		name := "{" + f + "}"
		if v == "" {
			pairs = append(pairs, "\n\n"+name, "")
		}
		pairs = append(pairs, name, v)
	}
	return strings.TrimSpace(strings.NewReplacer(pairs...).Replace(strings.ReplaceAll(text, "\r\n", "\n")))
}

// DefaultStepText is the text that an instance begins with.
func DefaultStepText(id StepTextID) Text {
	switch id {
	case StepReminder:
		return Text{"Nous vous avons adressé {notice}. Nous n’avons pas reçu l’accusé de réception que l’article 16(4) du règlement (UE) 2022/2065 demande sans retard injustifié. Nous vous prions de nous répondre.",
			"We sent you {notice}. The confirmation of receipt that article 16(4) of Regulation (EU) 2022/2065 asks for without undue delay has not reached us. Please answer us."}
	case StepReminderRead:
		return Text{"Nous vous avons adressé {notice}. Vous en avez confirmé la réception\u202f; nous n’avons pas reçu votre décision, que l’article 16(5) du règlement (UE) 2022/2065 demande sans retard injustifié. Nous vous prions de nous répondre.",
			"We sent you {notice}. You confirmed that you received it; your decision, which article 16(5) of Regulation (EU) 2022/2065 asks for without undue delay, has not reached us. Please answer us."}
	case StepSecond:
		return Text{"Cette notification fait suite à {notice}, qui concernait les mêmes contenus et à laquelle aucune décision n’a répondu.\n\n{explanation}",
			"This notice follows {notice}, about the same content, which no decision has answered.\n\n{explanation}"}
	case StepAgain:
		return Text{"Cette notification fait suite à {notice}, qui concernait les mêmes contenus.\n\n{explanation}",
			"This notice follows {notice}, about the same content.\n\n{explanation}"}
	case StepComplaint:
		return Text{"Nous déposons une réclamation, au titre de l’article 20 du règlement (UE) 2022/2065, contre votre décision sur {notice}.\n\n{decisions}\n\nNous demandons que cette décision soit revue et que ces contenus soient retirés, pour les raisons que donnait la notification\u00a0:\n\n{explanation}",
			"We lodge a complaint, under article 20 of Regulation (EU) 2022/2065, against your decision on {notice}.\n\n{decisions}\n\nWe ask that this decision be looked at again and the content removed, for the reasons that the notice gave:\n\n{explanation}"}
	case StepBody:
		return Text{"Nous soumettons à un organe de règlement extrajudiciaire des litiges, au titre de l’article 21 du règlement (UE) 2022/2065, la décision de {service} sur {notice}.\n\n{decisions}\n\n{steps}\n\nLa notification donnait ces raisons\u00a0:\n\n{explanation}",
			"We submit to an out-of-court dispute settlement body, under article 21 of Regulation (EU) 2022/2065, the decision of {service} on {notice}.\n\n{decisions}\n\n{steps}\n\nThe notice gave these reasons:\n\n{explanation}"}
	case StepCoordinator:
		return Text{"Nous portons à la connaissance du coordinateur pour les services numériques la manière dont {service} a traité {notice}.\n\n{decisions}\n\n{steps}\n\nLa notification donnait ces raisons\u00a0:\n\n{explanation}",
			"We bring to the attention of the Digital Services Coordinator how {service} handled {notice}.\n\n{decisions}\n\n{steps}\n\nThe notice gave these reasons:\n\n{explanation}"}
	}
	return Text{}
}
