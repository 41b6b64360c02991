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

// RungText returns what a step says, filled from the case, in the language of
// its notice: a proposal, which a member of the staff reads and edits before it
// is sent; a reminder goes out as it stands. It holds nothing that the person
// wrote.
func RungText(c *rempart.Case, n *rempart.Notice, r *rempart.Rung) string { return rungText(c, n, r) }

func rungText(c *rempart.Case, n *rempart.Notice, r *rempart.Rung) string {
	if r.Text != "" {
		return r.Text
	}
	t := teller{lang: n.Lang}
	first := t.notice(n)
	switch r.Kind {
	case rempart.RungReminder:
		t.say("Nous vous avons adressé "+first+".", "We sent you "+first+".")
		if n.State == rempart.NoticeAcknowledged {
			t.say(" Vous en avez confirmé la réception ; nous n’avons pas reçu votre décision, que l’article 16(5) du règlement (UE) 2022/2065 demande sans retard injustifié.",
				" You confirmed that you received it; your decision, which article 16(5) of Regulation (EU) 2022/2065 asks for without undue delay, has not reached us.")
		} else {
			t.say(" Nous n’avons pas reçu l’accusé de réception que l’article 16(4) du règlement (UE) 2022/2065 demande sans retard injustifié.",
				" The confirmation of receipt that article 16(4) of Regulation (EU) 2022/2065 asks for without undue delay has not reached us.")
		}
		t.say(" Nous vous prions de nous répondre.", " Please answer us.")
	case rempart.RungSecond:
		t.b.WriteString(cited(n, n.Lang))
	case rempart.RungComplaint:
		t.say("Nous déposons une réclamation, au titre de l’article 20 du règlement (UE) 2022/2065, contre votre décision sur "+first+".",
			"We lodge a complaint, under article 20 of Regulation (EU) 2022/2065, against your decision on "+first+".")
		t.decisions(c, n)
		t.say("\n\nNous demandons que cette décision soit revue et que ces contenus soient retirés, pour les raisons que donnait la notification :\n\n",
			"\n\nWe ask that this decision be looked at again and the content removed, for the reasons that the notice gave:\n\n")
		t.b.WriteString(n.Explanation)
	case rempart.RungBody:
		t.say("Nous soumettons à un organe de règlement extrajudiciaire des litiges, au titre de l’article 21 du règlement (UE) 2022/2065, la décision de "+n.ServiceName+" sur "+first+".",
			"We submit to an out-of-court dispute settlement body, under article 21 of Regulation (EU) 2022/2065, the decision of "+n.ServiceName+" on "+first+".")
		t.decisions(c, n)
		t.taken(n)
		t.explained(n)
	default:
		t.say("Nous portons à la connaissance du coordinateur pour les services numériques la manière dont "+n.ServiceName+" a traité "+first+".",
			"We bring to the attention of the Digital Services Coordinator how "+n.ServiceName+" handled "+first+".")
		t.decisions(c, n)
		t.taken(n)
		t.explained(n)
	}
	return t.b.String()
}

// cited says which notice a second one insists on.
func cited(n *rempart.Notice, lang string) string {
	t := teller{lang: lang}
	t.say("Cette notification fait suite à "+t.notice(n)+", qui concernait les mêmes contenus", "This notice follows "+t.notice(n)+", about the same content")
	if n.State == rempart.NoticeDecided {
		t.say(".", ".")
	} else {
		t.say(" et à laquelle aucune décision n’a répondu.", ", which no decision has answered.")
	}
	return t.b.String()
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

// notice names a notice by its day and the platform's number.
func (t *teller) notice(n *rempart.Notice) string {
	at := n.Since
	for _, a := range n.Attempts {
		if a.Status >= 200 && a.Status < 300 {
			at = a.At
		}
	}
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

func (t *teller) explained(n *rempart.Notice) {
	t.say("\n\nLa notification donnait ces raisons :\n\n", "\n\nThe notice gave these reasons:\n\n")
	t.b.WriteString(n.Explanation)
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
