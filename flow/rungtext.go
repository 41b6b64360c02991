package flow

import (
	"fmt"
	"strings"
	"time"

	"rempart"
)

// paris is where the days of what we write are counted.
var paris = func() *time.Location {
	l, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return time.UTC
	}
	return l
}()

// RungText returns what a step says, filled from the case and the operator's
// text for it, in the language of its notice: a proposal, which a member of the
// staff reads and edits before it is sent; a reminder goes out as it stands. What
// was sent stays as it was. It holds nothing that the person wrote.
func RungText(t rempart.Templates, c *rempart.Case, n *rempart.Notice, r *rempart.Rung) string {
	if r.Text != "" {
		return r.Text
	}
	if r.Done() { // sent before texts could be changed, when what was sent by itself was not kept
		t = rempart.Templates{}
	}
	explanation := n.Explanation
	if r.Kind == rempart.RungSecond {
		explanation = Explain(c, n.Lang)
	}
	return stepText(t, stepTextOf(n, r.Kind), c, n, n.Lang, explanation)
}

// stepTextOf is the text that a step begins with, as its notice stands.
func stepTextOf(n *rempart.Notice, kind rempart.RungKind) rempart.StepTextID {
	switch {
	case kind == rempart.RungReminder && n.State == rempart.NoticeAcknowledged:
		return rempart.StepReminderRead
	case kind == rempart.RungReminder:
		return rempart.StepReminder
	case kind == rempart.RungSecond && n.State == rempart.NoticeDecided:
		return rempart.StepAgain
	case kind == rempart.RungSecond:
		return rempart.StepSecond
	case kind == rempart.RungComplaint:
		return rempart.StepComplaint
	case kind == rempart.RungBody:
		return rempart.StepBody
	}
	return rempart.StepCoordinator
}

// secondText is the explanation of a notice that insists on another one.
func secondText(t rempart.Templates, c *rempart.Case, first *rempart.Notice, lang string) string {
	return stepText(t, stepTextOf(first, rempart.RungSecond), c, first, lang, Explain(c, lang))
}

// stepText fills a text of a step.
func stepText(t rempart.Templates, id rempart.StepTextID, c *rempart.Case, n *rempart.Notice, lang, explanation string) string {
	body, _ := t.Step(id)
	return rempart.FillStep(body.In(lang), stepValues(c, n, lang, explanation))
}

// stepValues are what stands for each of [rempart.StepTextID.Fields].
func stepValues(c *rempart.Case, n *rempart.Notice, lang, explanation string) map[string]string {
	t := teller{lang: lang}
	part := func(write func(*teller)) string {
		x := teller{lang: lang}
		write(&x)
		return strings.TrimSpace(x.b.String())
	}
	number := n.Number
	if number == "" {
		number = part(func(t *teller) { t.say("(aucun numéro reçu)", "(no number received)") })
	}
	return map[string]string{
		"notice": t.notice(n), "service": n.ServiceName, "reference": n.CaseRef, "number": number, "sent": t.day(sentAt(n)),
		"explanation": strings.TrimSpace(explanation),
		"decisions":   part(func(t *teller) { t.decisions(c, n) }),
		"steps":       part(func(t *teller) { t.taken(n) }),
	}
}

// A teller writes a text in one of two languages.
type teller struct {
	lang string
	b    strings.Builder
}

func (t *teller) say(fr, en string) {
	if t.lang == "en" {
		t.b.WriteString(en)
	} else {
		t.b.WriteString(strings.ReplaceAll(strings.ReplaceAll(fr, " :", "\u00a0:"), " ;", "\u202f;"))
	}
}

func (t *teller) day(at time.Time) string {
	at = at.In(paris)
	if t.lang == "en" {
		return at.Format("2 January 2006")
	}
	months := [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}
	day := fmt.Sprint(at.Day())
	if day == "1" {
		day = "1er"
	}
	return fmt.Sprintf("%s %s %d", day, months[at.Month()-1], at.Year())
}

// sentAt is when a notice was sent.
func sentAt(n *rempart.Notice) time.Time {
	at := n.Since
	for _, a := range n.Attempts {
		if a.Status >= 200 && a.Status < 300 {
			at = a.At
		}
	}
	return at
}

// notice names a notice by its day and the platform's number.
func (t *teller) notice(n *rempart.Notice) string {
	at := sentAt(n)
	if t.lang == "en" {
		s := "a notice under article 16 on " + t.day(at)
		if n.Number != "" {
			s += ", which you registered under number " + n.Number
		}
		return s + " (our reference: " + n.CaseRef + ")"
	}
	s := "une notification au titre de l’article 16 le " + t.day(at)
	if n.Number != "" {
		s += ", enregistrée sous le numéro " + n.Number
	}
	return s + " (notre référence\u00a0: " + n.CaseRef + ")"
}

// decisions says what was decided on each item, with the reasons as given. In a
// minor's case no address is repeated: the number of the notice leads to it.
func (t *teller) decisions(c *rempart.Case, n *rempart.Notice) {
	for k, ni := range n.Items {
		i := c.Item(ni.ID)
		if i == nil || i.NoticeID != n.ID || i.Decision == nil || i.Decision.Measure == rempart.MeasureRemoved {
			continue
		}
		where := i.Address
		if n.Minor {
			where = ""
		}
		t.say(fmt.Sprintf("\n\nContenu %d", k+1), fmt.Sprintf("\n\nItem %d", k+1))
		if where != "" {
			t.b.WriteString(" (" + where + ")")
		}
		if i.Decision.Measure == rempart.MeasureRefused {
			t.say(" : refus de retirer", ": refused")
		} else {
			t.say(" : visibilité réduite", ": visibility limited")
		}
		t.say(", le "+t.day(i.Since)+".", ", on "+t.day(i.Since)+".")
		if x := strings.TrimSpace(i.Decision.Explanation); x != "" {
			t.say(" Motif donné : « "+x+" »", " Reason given: “"+x+"”")
		}
	}
}

// taken lists the steps that were taken, each with its day.
func (t *teller) taken(n *rempart.Notice) {
	first := true
	for k := range n.Rungs {
		r := &n.Rungs[k]
		if !r.Done() {
			continue
		}
		if first {
			t.say("\n\nNos démarches depuis :", "\n\nWhat we have done since:")
			first = false
		}
		words := map[rempart.RungKind][2]string{
			rempart.RungReminder: {"rappel", "reminder"}, rempart.RungSecond: {"seconde notification", "second notice"},
			rempart.RungComplaint: {"réclamation", "complaint"}, rempart.RungBody: {"saisine d’un organe de règlement extrajudiciaire", "submission to an out-of-court body"},
			rempart.RungCoordinator: {"saisine du coordinateur", "submission to the coordinator"},
		}[r.Kind]
		at := r.Since
		if r.State == rempart.RungAnswered && len(r.Attempts) > 0 {
			at = r.Attempts[len(r.Attempts)-1].At
		}
		t.say("\n– "+words[0]+", le "+t.day(at), "\n– "+words[1]+", on "+t.day(at))
	}
}

// lastStep returns the last step after a notice that says something about an
// item in a state: what pressed for an answer says nothing once there is one.
func lastStep(n *rempart.Notice, s rempart.ItemState) (kind rempart.RungKind, at time.Time, answered bool) {
	for k := range n.Rungs {
		r := &n.Rungs[k]
		before := r.Kind == rempart.RungReminder || r.Kind == rempart.RungSecond
		switch s {
		case rempart.ItemNotified, rempart.ItemAcknowledged:
		case rempart.ItemRefused, rempart.ItemRestricted:
			if before {
				continue
			}
		case rempart.ItemRemoved:
			if r.State != rempart.RungAnswered {
				continue
			}
		default:
			continue
		}
		if r.Done() && !r.Since.Before(at) {
			kind, at, answered = r.Kind, r.Since, r.State == rempart.RungAnswered
		}
	}
	return kind, at, answered
}
