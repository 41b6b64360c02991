package rempart_test

import (
	"testing"
	"time"

	"rempart"
)

// testLadder is a ladder with every kind, and two reminders.
func testLadder() []rempart.LadderStep {
	h := func(n int) rempart.Span { return rempart.Span{N: n, Unit: rempart.Hours} }
	return []rempart.LadderStep{
		{ID: "reminder-1", Kind: rempart.RungReminder}, {ID: "reminder-2", Kind: rempart.RungReminder, After: h(24)},
		{ID: "second", Kind: rempart.RungSecond, After: h(30)}, {ID: "complaint", Kind: rempart.RungComplaint, After: h(10)},
		{ID: "body", Kind: rempart.RungBody, After: h(20)}, {ID: "coordinator", Kind: rempart.RungCoordinator, After: h(40)},
	}
}

func laddered(t *testing.T) *wound {
	w := newWound(t, monday)
	w.policy.Ladder = testLadder()
	return w
}

// rung returns the rung of a kind that was opened last.
func (w *wound) rung(kind rempart.RungKind) rempart.Rung {
	w.t.Helper()
	var found *rempart.Rung
	for k := range w.Notices {
		for j := range w.Notices[k].Rungs {
			if r := &w.Notices[k].Rungs[j]; r.Kind == kind {
				found = r
			}
		}
	}
	if found == nil {
		w.t.Fatalf("no %s", kind)
	}
	return *found
}

func (w *wound) rungIs(kind rempart.RungKind, want rempart.RungState) rempart.Rung {
	w.t.Helper()
	r := w.rung(kind)
	if r.State != want {
		w.t.Errorf("the %s is %s, want %s", kind, r.State, want)
	}
	return r
}

func (w *wound) rungs() int {
	n := 0
	for k := range w.Notices {
		n += len(w.Notices[k].Rungs)
	}
	return n
}

func (w *wound) delivered(r rempart.Rung, at time.Time) {
	w.t.Helper()
	w.do(at, func() error { return w.RungDelivered(r.ID, "G-1", rempart.Attempt{At: at, Status: 200}, w.cal, at) })
}

func (w *wound) proved(r rempart.Rung, at time.Time) {
	w.t.Helper()
	p := rempart.Proof{Day: at.Format(time.DateOnly), Channel: "form", Reference: "dossier 12"}
	w.do(at, func() error { return w.RecordRung(r.ID, "Le texte qui a été envoyé.", p, w.cal, "Saule", at) })
}

// TestLadderOfSilence climbs the ladder of a notice that nobody answers, to its
// end: what a step must wait for, it waits for; nothing is done twice; and
// without proof of one step the next does not come.
func TestLadderOfSilence(t *testing.T) {
	w := laddered(t)
	first := w.sent(monday)
	due := monday.Add(48 * time.Hour)
	w.tick(due.Add(-time.Second))
	if w.rungs() != 0 {
		t.Fatal("a step was taken before the platform was late")
	}
	w.tick(due)
	w.tick(due)
	r := w.rungIs(rempart.RungReminder, rempart.RungQueued)
	if k := w.only(rempart.AwaitAcknowledgement); k.Task != "" || w.count("task.opened") != 0 {
		t.Errorf("a human is asked (%q) for what goes out by itself", k.Task)
	}
	w.tick(due.Add(240 * time.Hour))
	if w.rungs() != 1 {
		t.Fatalf("%d rungs: the next came without proof of the first", w.rungs())
	}
	at := due.Add(time.Hour)
	w.delivered(r, at)
	w.delivered(r, at) // the receipt is read twice after a crash
	n := 0
	for _, e := range w.events {
		if e.Kind == "rung.moved" && e.Data["state"] == "sent" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d times sent, want 1", n)
	}
	w.tick(at.Add(24*time.Hour - time.Second))
	if w.rungs() != 1 {
		t.Error("the second reminder came before its time")
	}
	at = at.Add(24 * time.Hour)
	w.tick(at)
	if second := w.rungIs(rempart.RungReminder, rempart.RungQueued); second.ID == r.ID {
		t.Fatal("no second reminder")
	}
	w.delivered(w.rung(rempart.RungReminder), at)

	// The second notice: a human reads and sends it; the items go on waiting for the first.
	at = at.Add(30 * time.Hour)
	w.tick(at)
	r = w.rungIs(rempart.RungSecond, rempart.RungAsked)
	w.state(rempart.AwaitAcknowledgement, rempart.ClockMissed, rempart.TaskInsist)
	w.do(at, func() error {
		return w.PrepareSecond(r.ID, rempart.Service{ID: "galerie", Name: "Galerie", Lang: "fr"}, "Cette notification fait suite à une autre, sans réponse.",
			rempart.Notifier{Name: "Association Exemple", Email: "a@association.exemple.test"}, rempart.ActorSystem, at)
	})
	id := w.rung(rempart.RungSecond).Draft
	w.do(at, func() error { return w.EditNotice(id, w.Notice(id).Explanation, true, "Saule", at) })
	w.do(at, func() error { return w.SendNotice(id, "Saule", at) })
	if i := w.Items[0]; i.State != rempart.ItemNotified || i.NoticeID != first {
		t.Errorf("the item is %s and waits for %s: it was taken off the first notice", i.State, i.NoticeID)
	}
	w.rungIs(rempart.RungSecond, rempart.RungAsked) // queued is not sent
	w.do(at, func() error { return w.NoticeAccepted(id, "G-2", rempart.Attempt{At: at, Status: 202}, at) })
	if got := w.rungIs(rempart.RungSecond, rempart.RungSent); got.Number != "G-2" {
		t.Errorf("number %q", got.Number)
	}
	k := w.only(rempart.AwaitAcknowledgement)
	if k.NoticeID != first || k.Task != "" || !k.DueAt.Equal(at.Add(40*time.Hour)) {
		t.Errorf("after the second notice: clock of %s, task %q, due %s, want %s", k.NoticeID, k.Task, k.DueAt, at.Add(40*time.Hour))
	}

	// Above the platform: with proof only.
	at = at.Add(40 * time.Hour)
	w.tick(at)
	r = w.rungIs(rempart.RungCoordinator, rempart.RungAsked)
	err := w.RecordRung(r.ID, "x", rempart.Proof{Day: "2099-01-01", Channel: "pigeon"}, w.cal, "Saule", at)
	if n := len(problemsOf(err)); n != 3 {
		t.Errorf("a proof without day, channel and reference: %v", err)
	}
	w.proved(r, at)
	at = at.Add(40 * time.Hour)
	w.tick(at)
	w.state(rempart.AwaitAcknowledgement, rempart.ClockMissed, rempart.TaskExhausted)
	if w.rungs() != 4 {
		t.Errorf("%d rungs, want 4: no complaint or body without a decision", w.rungs())
	}
}

func problemsOf(err error) rempart.Problems {
	p, _ := err.(rempart.Problems)
	return p
}

// TestAnswerEndsLadder: whatever was on its way is called off by the platform's
// answer, and the second notice with it.
func TestAnswerEndsLadder(t *testing.T) {
	w := laddered(t)
	id := w.sent(monday)
	at := monday.Add(48 * time.Hour)
	w.tick(at)
	w.do(at, func() error {
		return w.NoticeDecided(id, "G-1", "galerie", decisions(w.Case, id, rempart.MeasureRemoved), at)
	})
	w.rungIs(rempart.RungReminder, rempart.RungCancelled)
	if w.RungAttemptFailed(w.rung(rempart.RungReminder).ID, rempart.Attempt{At: at}, at) != nil {
		t.Error("a try that failed after its object went is no error")
	}
	w.tick(at.AddDate(1, 0, 0))
	if w.rungs() != 1 {
		t.Errorf("%d rungs after the removal", w.rungs())
	}
}

func decisions(c *rempart.Case, notice string, m rempart.Measure) map[string]rempart.Decision {
	out := map[string]rempart.Decision{}
	for _, i := range c.Notice(notice).Items {
		out[i.ID] = rempart.Decision{Measure: m, Ground: "law", Reference: "Code pénal, art. 226-8-1", Facts: "Faits de l’essai.",
			Explanation: "Une explication assez longue pour être lue.", Redress: []string{"complaint"}}
	}
	return out
}

// TestSecondAnsweredFirst: the platform answers the second notice, then the
// first; each item is moved once.
func TestSecondAnsweredFirst(t *testing.T) {
	w := laddered(t)
	w.policy.Ladder[0].Off, w.policy.Ladder[1].Off = true, true
	first := w.sent(monday)
	at := monday.Add(48 * time.Hour)
	w.tick(at)
	r := w.rungIs(rempart.RungSecond, rempart.RungAsked)
	w.do(at, func() error {
		return w.PrepareSecond(r.ID, rempart.Service{ID: "galerie", Name: "Galerie", Lang: "fr"}, "Cette notification fait suite à une autre, sans réponse.",
			rempart.Notifier{Name: "Association Exemple", Email: "a@association.exemple.test"}, rempart.ActorSystem, at)
	})
	second := w.rung(rempart.RungSecond).Draft
	w.do(at, func() error { return w.EditNotice(second, w.Notice(second).Explanation, true, "Saule", at) })
	w.do(at, func() error { return w.SendNotice(second, "Saule", at) })
	w.do(at, func() error {
		return w.NoticeDecided(second, "G-2", "galerie", decisions(w.Case, second, rempart.MeasureRefused), at)
	})
	if w.Items[0].State != rempart.ItemRefused {
		t.Fatalf("the item is %s", w.Items[0].State)
	}
	w.do(at, func() error {
		return w.NoticeDecided(first, "G-1", "galerie", decisions(w.Case, first, rempart.MeasureRemoved), at)
	})
	if w.Items[0].State != rempart.ItemRefused {
		t.Errorf("an older notice's answer moved the item to %s", w.Items[0].State)
	}
	w.state(rempart.AwaitRedress, rempart.ClockRunning, "")
}

// TestComplaintReversed is refused, complaint, reversed: and no step follows.
func TestComplaintReversed(t *testing.T) {
	w := laddered(t)
	id := w.sent(monday)
	at := monday.Add(time.Hour)
	w.do(at, func() error {
		return w.NoticeDecided(id, "G-1", "galerie", decisions(w.Case, id, rempart.MeasureRefused), at)
	})
	at = at.Add(10 * time.Hour)
	w.tick(at)
	w.state(rempart.AwaitRedress, rempart.ClockMissed, rempart.TaskComplain)
	r := w.rungIs(rempart.RungComplaint, rempart.RungAsked)
	if err := w.ComplaintAnswered(id, "", decisions(w.Case, id, rempart.MeasureRemoved), "Saule", at); err == nil {
		t.Fatal("an answer to a complaint that was never sent was recorded")
	}
	w.proved(r, at)
	w.state(rempart.AwaitComplaint, rempart.ClockMet, "")
	w.do(at, func() error {
		return w.ComplaintAnswered(id, "", decisions(w.Case, id, rempart.MeasureRemoved), "Saule", at)
	})
	w.do(at, func() error {
		return w.ComplaintAnswered(id, "", decisions(w.Case, id, rempart.MeasureRefused), "Saule", at)
	}) // once is all
	i := w.Items[0]
	if i.State != rempart.ItemRemoved || i.Decision.Measure != rempart.MeasureRemoved || len(i.Past) != 1 || i.Past[0].Measure != rempart.MeasureRefused {
		t.Errorf("after the reversal: %s, %+v, past %+v", i.State, i.Decision, i.Past)
	}
	w.state(rempart.AwaitRedress, rempart.ClockMet, "")
	w.tick(at.AddDate(1, 0, 0))
	if w.rungs() != 1 {
		t.Errorf("%d rungs after the reversal", w.rungs())
	}
}

// TestComplaintUpheld goes on above the platform; and a micro or small platform,
// which handles no complaints, is reported to the coordinator at once.
func TestComplaintUpheld(t *testing.T) {
	w := laddered(t)
	id := w.sent(monday)
	at := monday.Add(time.Hour)
	w.do(at, func() error {
		return w.NoticeDecided(id, "G-1", "galerie", decisions(w.Case, id, rempart.MeasureRefused), at)
	})
	at = at.Add(10 * time.Hour)
	w.tick(at)
	w.proved(w.rung(rempart.RungComplaint), at)
	w.do(at, func() error {
		return w.ComplaintAnswered(id, "", decisions(w.Case, id, rempart.MeasureRefused), "Saule", at)
	})
	at = at.Add(20 * time.Hour)
	w.tick(at)
	w.state(rempart.AwaitRedress, rempart.ClockMissed, rempart.TaskBody)
	r := w.rungIs(rempart.RungBody, rempart.RungAsked)
	if err := w.SkipRung(r.ID, " ", w.cal, "Saule", at); err == nil {
		t.Error("a step was skipped without a reason")
	}
	w.do(at, func() error { return w.SkipRung(r.ID, "aucun organe ne traite cette langue", w.cal, "Saule", at) })
	w.tick(at.Add(40 * time.Hour))
	w.rungIs(rempart.RungCoordinator, rempart.RungAsked)

	small := laddered(t)
	id = small.sent(monday)
	small.Notice(id).Exempt = true
	at = monday.Add(time.Hour)
	small.do(at, func() error {
		return small.NoticeDecided(id, "G-1", "galerie", decisions(small.Case, id, rempart.MeasureRefused), at)
	})
	small.tick(at.Add(40 * time.Hour))
	small.rungIs(rempart.RungCoordinator, rempart.RungAsked)
}

// TestComplaintTooLate: the window of six months closes on a complaint that
// nobody made; the ladder goes on to what has no window.
func TestComplaintTooLate(t *testing.T) {
	w := laddered(t)
	id := w.sent(monday)
	at := monday.Add(time.Hour)
	w.do(at, func() error {
		return w.NoticeDecided(id, "G-1", "galerie", decisions(w.Case, id, rempart.MeasureRefused), at)
	})
	w.tick(at.Add(10 * time.Hour))
	w.rungIs(rempart.RungComplaint, rempart.RungAsked)
	w.tick(at.AddDate(0, 6, 2))
	w.rungIs(rempart.RungComplaint, rempart.RungCancelled)
	w.tick(at.AddDate(0, 6, 10))
	w.rungIs(rempart.RungBody, rempart.RungAsked)
}

// TestCorrectDecision corrects a decision as a new version, with a reason; the
// window for a complaint opens with a refusal that came to light.
func TestCorrectDecision(t *testing.T) {
	w := laddered(t)
	id := w.sent(monday)
	at := monday.Add(time.Hour)
	w.do(at, func() error {
		return w.NoticeDecided(id, "G-1", "galerie", decisions(w.Case, id, rempart.MeasureRemoved), at)
	})
	item, d := w.Items[0].ID, decisions(w.Case, id, rempart.MeasureRefused)[w.Items[0].ID]
	at = at.Add(time.Hour)
	if err := w.CorrectDecision(item, d, "", "Saule", at); err == nil {
		t.Error("corrected without a reason")
	}
	w.do(at, func() error {
		return w.CorrectDecision(item, d, "l’hébergeur s’est trompé d’adresse", "Saule", at)
	})
	i := w.Item(item)
	if i.State != rempart.ItemRefused || len(i.Past) != 1 || i.Past[0].By != "Saule" || i.Past[0].Reason == "" || w.count("item.redecided") != 1 {
		t.Errorf("after the correction: %s, past %+v, %d events", i.State, i.Past, w.count("item.redecided"))
	}
	if k := w.only(rempart.AwaitComplaint); k.State != rempart.ClockRunning || !k.Since.Equal(at) {
		t.Errorf("the window for a complaint is %s since %s", k.State, k.Since)
	}
}
