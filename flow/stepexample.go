package flow

import (
	"time"

	"rempart"
)

// StepExample fills the text of a step from a notice that is made up, so that
// whoever writes it sees what a platform would read: two addresses, one of them
// refused, a reminder sent. In a minor's case the notice has no name and repeats
// no address.
func StepExample(id rempart.StepTextID, body rempart.Text, lang string, minor bool, at time.Time) string {
	sent := at.AddDate(0, 0, -12)
	n := rempart.Notice{
		ID: "exemple", CaseRef: "RMP-0000-0000", ServiceName: "Forum Exemple", Lang: lang, State: rempart.NoticeSent, Since: sent, Number: "F-0001", Minor: minor,
		Items: []rempart.NoticeItem{{ID: "1"}, {ID: "2"}},
		Rungs: []rempart.Rung{{Kind: rempart.RungReminder, State: rempart.RungSent, Since: sent.AddDate(0, 0, 2)}},
	}
	c := &rempart.Case{Items: []rempart.Item{
		{ID: "1", NoticeID: n.ID, Address: "https://forum.exemple.test/page/1", Since: sent.AddDate(0, 0, 3)},
		{ID: "2", NoticeID: n.ID, Address: "https://forum.exemple.test/page/2", Since: sent.AddDate(0, 0, 3)},
	}}
	if minor {
		c.Facts.AgeClass = rempart.Age15To17
	}
	switch id {
	case rempart.StepReminder, rempart.StepSecond:
	case rempart.StepReminderRead:
		n.State = rempart.NoticeAcknowledged
	default:
		n.State = rempart.NoticeDecided
		said := rempart.Text{FR: "Cette page ne nous paraît pas contraire à nos conditions.", EN: "We do not find this page against our terms."}
		c.Items[0].Decision = &rempart.Decision{Measure: rempart.MeasureRefused, Explanation: said.In(lang)}
	}
	return stepText(rempart.Templates{Steps: []rempart.StepText{{ID: id, Body: body}}}, id, c, &n, lang, Explain(c, lang))
}
