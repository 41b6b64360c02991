package rempart_test

import (
	"slices"
	"testing"
	"time"

	"rempart"
)

// testPolicy has short rules without a calendar's surprises.
func testPolicy() *rempart.ClockPolicy {
	p := &rempart.ClockPolicy{Version: 1, Zone: "Europe/Paris"}
	for _, id := range rempart.ClockRules {
		s, w, e := rempart.Span{N: 48, Unit: rempart.Hours}, rempart.Span{N: 12, Unit: rempart.Hours}, rempart.Span{N: 24, Unit: rempart.Hours}
		r := rempart.ClockRule{ID: id, Within: s, WarnBefore: w, EscalateAfter: e, Basis: rempart.BasisPolicy}
		if id == "complaint" {
			r = rempart.ClockRule{ID: id, Within: rempart.Span{N: 6, Unit: rempart.Months}, WarnBefore: rempart.Span{N: 30, Unit: rempart.Days}, Basis: rempart.BasisLaw}
		}
		p.Rules = append(p.Rules, r)
	}
	return p
}

// A wound is a case whose clocks follow each change, as the store lets them.
type wound struct {
	*rempart.Case
	t      *testing.T
	policy *rempart.ClockPolicy
	cal    rempart.Calendar
	events []rempart.Event
}

func newWound(t *testing.T, at time.Time) *wound {
	t.Helper()
	r, err := rempart.Report{ID: rempart.NewID(at), CaseID: rempart.NewID(at), Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult,
		Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic, Addresses: []string{"https://galerie.exemple.test/1", "https://galerie.exemple.test/2"}}.Normal(at)
	if err != nil {
		t.Fatal(err)
	}
	w := &wound{Case: rempart.OpenCase(r), t: t, policy: testPolicy(), cal: testCalendar(zone(t, "Europe/Paris"))}
	w.do(at, func() error {
		q := rempart.Qualification{ID: "q", State: rempart.QualificationProposed, Article: "226-8-1", Code: "Code pénal"}
		return w.Propose(rempart.Proposal{Quals: []rempart.Qualification{q}, Pack: "pack", Category: "3f", Priority: rempart.PriorityHigh}, r.At)
	})
	return w
}

func (w *wound) do(at time.Time, f func() error) {
	w.t.Helper()
	if err := f(); err != nil {
		w.t.Fatal(err)
	}
	w.Wind(w.policy, w.cal, rempart.ActorSystem, at)
	w.events = append(w.events, w.TakeConsequences().Events...)
}

func (w *wound) tick(at time.Time) {
	w.do(at, func() error { w.Tick(w.cal, at); return nil })
}

// only returns the one clock that waits for something, live or not.
func (w *wound) only(a rempart.Await) rempart.Clock {
	w.t.Helper()
	var found []rempart.Clock
	for _, k := range w.Clocks {
		if k.Await == a {
			found = append(found, k)
		}
	}
	if len(found) != 1 {
		w.t.Fatalf("%d clocks wait for %s, want 1", len(found), a)
	}
	return found[0]
}

func (w *wound) count(kind string) int {
	n := 0
	for _, e := range w.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

func (w *wound) state(a rempart.Await, want rempart.ClockState, task rempart.TaskKind) {
	w.t.Helper()
	if k := w.only(a); k.State != want || k.Task != task {
		w.t.Errorf("the clock for %s is %s with task %q, want %s with %q", a, k.State, k.Task, want, task)
	}
}

// sent brings the case to where the platform has a notice with both addresses.
func (w *wound) sent(at time.Time) string {
	w.t.Helper()
	id := ""
	w.do(at, func() error { return w.ConfirmQualification("q", "Saule", at) })
	w.do(at, func() (err error) {
		s := rempart.Service{ID: "galerie", Name: "Galerie", Lang: "fr"}
		id, err = w.PrepareNotice(s, []string{w.Items[0].ID, w.Items[1].ID}, "Un texte assez long pour dire pourquoi ce contenu est illicite.",
			rempart.Notifier{Name: "Association Exemple", Email: "a@association.exemple.test"}, "Saule", at)
		return err
	})
	w.do(at, func() error { return w.EditNotice(id, w.Notice(id).Explanation, true, "Saule", at) })
	w.do(at, func() error { return w.SendNotice(id, "Saule", at) })
	w.do(at, func() error { return w.NoticeAccepted(id, "G-1", rempart.Attempt{At: at}, at) })
	return id
}

var monday = time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC)

// TestSilentPlatform is the way of a notice that nobody answers: each time the
// delay has passed a human is asked for the next step, and the late answer ends
// it all.
func TestSilentPlatform(t *testing.T) {
	w := newWound(t, monday)
	id := w.sent(monday)
	w.state(rempart.AwaitLook, rempart.ClockMet, "")
	w.state(rempart.AwaitSending, rempart.ClockMet, "")
	w.state(rempart.AwaitAcknowledgement, rempart.ClockRunning, "")
	at := monday
	for _, task := range []rempart.TaskKind{rempart.TaskRemind, rempart.TaskInsist, rempart.TaskEscalate, rempart.TaskEscalate} {
		w.tick(at.Add(36*time.Hour - time.Second))
		w.state(rempart.AwaitAcknowledgement, rempart.ClockRunning, "")
		w.tick(at.Add(36 * time.Hour))
		w.state(rempart.AwaitAcknowledgement, rempart.ClockWarned, "")
		w.tick(at.Add(35 * time.Hour)) // the machine's time goes back
		w.tick(at.Add(37 * time.Hour))
		w.tick(at.Add(48 * time.Hour))
		w.state(rempart.AwaitAcknowledgement, rempart.ClockMissed, task)
		w.tick(at.Add(72 * time.Hour))
		w.state(rempart.AwaitAcknowledgement, rempart.ClockEscalated, task)
		at = at.Add(80 * time.Hour)
		w.do(at, func() error { return w.DoTask(w.only(rempart.AwaitAcknowledgement).ID, w.cal, "Saule", at) })
	}
	for kind, want := range map[string]int{"clock.warned": 4, "clock.missed": 4, "clock.escalated": 4, "task.opened": 4, "task.done": 4} {
		if got := w.count(kind); got != want {
			t.Errorf("%d events %s, want %d", got, kind, want)
		}
	}
	w.tick(at.Add(50 * time.Hour))
	w.do(at, func() error { return w.NoticeAcknowledged(id, "G-1", "galerie", at.Add(51*time.Hour)) })
	w.state(rempart.AwaitAcknowledgement, rempart.ClockMet, "")
	w.state(rempart.AwaitDecision, rempart.ClockRunning, "")
	if w.count("task.closed") != 1 {
		t.Error("the task outlives the answer")
	}
	// An analyst who stops waiting ends the clock with it.
	for _, i := range w.Items {
		w.do(at, func() error { return w.DropItem(i.ID, "sans suite", "Saule", at) })
	}
	w.state(rempart.AwaitDecision, rempart.ClockCancelled, "")
}

// TestComplaintWindow: refused items open six calendar months, which nobody
// pauses and which outlive the case's closing; once past, nothing waits.
func TestComplaintWindow(t *testing.T) {
	w := newWound(t, monday)
	id := w.sent(monday)
	decided := time.Date(2027, 8, 31, 10, 0, 0, 0, time.UTC)
	d := rempart.Decision{Measure: rempart.MeasureRefused, Ground: "law", Reference: "art. 226-8-1", Facts: "Faits de l’essai.", Explanation: "Une explication assez longue.", Redress: []string{"complaint"}, At: decided}
	w.do(decided, func() error {
		return w.NoticeDecided(id, "G-1", "galerie", map[string]rempart.Decision{w.Items[0].ID: d, w.Items[1].ID: d}, decided)
	})
	k := w.only(rempart.AwaitComplaint)
	paris := zone(t, "Europe/Paris")
	if got := k.DueAt.In(paris).Format("2006-01-02 15:04"); got != "2028-03-01 00:00" || k.Basis != rempart.BasisLaw {
		t.Errorf("the window ends at %s on the basis of %s", got, k.Basis)
	}
	if err := w.PauseClock(k.ID, "vacances", decided.Add(48*time.Hour), "Saule", decided); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("pausing the law: %v", err)
	}
	w.do(decided, func() error { return w.Close("terminé", "Saule", decided) })
	w.state(rempart.AwaitComplaint, rempart.ClockRunning, "")
	w.tick(k.DueAt.AddDate(0, 0, -30))
	w.state(rempart.AwaitComplaint, rempart.ClockWarned, rempart.TaskComplain)
	w.tick(k.DueAt.Add(-time.Second))
	w.state(rempart.AwaitComplaint, rempart.ClockWarned, rempart.TaskComplain)
	w.tick(k.DueAt)
	w.state(rempart.AwaitComplaint, rempart.ClockMissed, "")
	over := w.only(rempart.AwaitComplaint)
	if over.Live() || !over.Next().IsZero() {
		t.Error("a window that is past still waits")
	}
}

// TestPause: what is left stands still during a pause, which ends by itself.
func TestPause(t *testing.T) {
	w := newWound(t, monday)
	w.sent(monday)
	k := w.only(rempart.AwaitAcknowledgement)
	at := monday.Add(10 * time.Hour)
	until := at.Add(100 * time.Hour)
	for _, c := range []struct {
		reason string
		until  time.Time
		field  string
	}{{" ", until, "reason"}, {"x", at, "until"}, {"x", at.AddDate(1, 0, 0), "until"}} {
		err := w.PauseClock(k.ID, c.reason, c.until, "Saule", at)
		if e, ok := err.(*rempart.Error); !ok || e.Field != c.field {
			t.Errorf("paused for %q until %s: %v, want a fault of %s", c.reason, c.until, err, c.field)
		}
	}
	w.do(at, func() error { return w.PauseClock(k.ID, "la plateforme est en maintenance", until, "Saule", at) })
	k = w.only(rempart.AwaitAcknowledgement)
	if left := k.Remaining(w.cal, at.Add(70*time.Hour)); left != 38*time.Hour {
		t.Errorf("%s are left in the pause, want 38h", left)
	}
	w.tick(until.Add(-time.Minute))
	w.state(rempart.AwaitAcknowledgement, rempart.ClockPaused, "")
	w.tick(until.Add(3 * time.Hour)) // nobody looked for three hours: they count
	w.state(rempart.AwaitAcknowledgement, rempart.ClockRunning, "")
	k = w.only(rempart.AwaitAcknowledgement)
	if want := monday.Add(148 * time.Hour); !k.DueAt.Equal(want) {
		t.Errorf("due at %s, want %s", k.DueAt, want)
	}
	// A pause during which the machine's time goes back was none.
	again := until.Add(4 * time.Hour)
	w.do(again, func() error { return w.PauseClock(k.ID, "encore", again.Add(time.Hour), "Saule", again) })
	w.do(again, func() error { return w.ResumeClock(k.ID, w.cal, "Saule", again.Add(-time.Hour)) })
	if now := w.only(rempart.AwaitAcknowledgement); !now.DueAt.Equal(k.DueAt) {
		t.Errorf("due at %s, want %s still", now.DueAt, k.DueAt)
	}
}

// TestCorrectedFacts: the clock that runs gets the terms of its new rule from
// its start; what was started once is not started again.
func TestCorrectedFacts(t *testing.T) {
	w := newWound(t, monday)
	w.policy.Rule("acknowledgement-minor").Within.N = 24
	w.sent(monday)
	facts := w.Facts
	facts.AgeClass = rempart.Age15To17
	w.do(monday.Add(time.Hour), func() error {
		return w.CorrectFacts(w.Facts, facts, func(rempart.Facts) rempart.Proposal {
			return rempart.Proposal{Quals: w.Quals, Pack: "pack", Category: "9c", Priority: 1}
		}, "Saule", monday.Add(time.Hour))
	})
	k := w.only(rempart.AwaitAcknowledgement)
	if k.Rule != "acknowledgement-minor" || !k.DueAt.Equal(monday.Add(24*time.Hour)) {
		t.Errorf("rule %s, due at %s", k.Rule, k.DueAt)
	}
	if w.count("clock.changed") != 1 {
		t.Error("no event tells of the new terms")
	}
	n := len(w.Clocks)
	w.do(monday.Add(2*time.Hour), func() error { return nil })
	if len(w.Clocks) != n {
		t.Error("a clock was started twice")
	}
}

// TestOwnClock: a date that somebody set has its task that day, can be stopped
// for a reason, and ends with the case.
func TestOwnClock(t *testing.T) {
	w := newWound(t, monday)
	due := monday.Add(72 * time.Hour)
	if err := w.AddClock(" ", due, "Saule", monday); rempart.KindOf(err) != rempart.Invalid {
		t.Errorf("a date without words: %v", err)
	}
	if err := w.AddClock("rappeler", monday, "Saule", monday); rempart.KindOf(err) != rempart.Invalid {
		t.Errorf("a date that is past: %v", err)
	}
	w.do(monday, func() error { return w.AddClock("  rappeler\nla famille ", due, "Saule", monday) })
	k := w.only(rempart.AwaitOwn)
	if k.Label != "rappeler la famille" {
		t.Errorf("label %q", k.Label)
	}
	for _, e := range w.events {
		for _, v := range e.Data {
			if v == k.Label {
				t.Error("the ledger holds what somebody wrote")
			}
		}
	}
	w.tick(due)
	w.state(rempart.AwaitOwn, rempart.ClockMissed, rempart.TaskOwn)
	w.do(due, func() error { return w.DoTask(k.ID, w.cal, "Saule", due) })
	w.state(rempart.AwaitOwn, rempart.ClockMet, "")
	if err := w.StopClock(k.ID, "non", "Saule", due); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("stopping what is over: %v", err)
	}
	look := slices.IndexFunc(w.Clocks, func(k rempart.Clock) bool { return k.Await == rempart.AwaitLook })
	if err := w.StopClock(w.Clocks[look].ID, "non", "Saule", due); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("stopping a clock that ends with what it waits for: %v", err)
	}
}

func TestClockPolicyCheck(t *testing.T) {
	if err := testPolicy().Check(); err != nil {
		t.Error(err)
	}
	p := testPolicy()
	p.Rule("draft").Within = rempart.Span{}
	p.Rule("failed").WarnBefore.N = 48
	p.Rules = append(p.Rules, rempart.ClockRule{ID: "autre"})
	problems, ok := p.Check().(rempart.Problems)
	if !ok || len(problems) != 3 || problems[0].Field != "draft" || problems[1].Field != "failed" || problems[2].Field != "rules" {
		t.Errorf("problems %v", problems)
	}
}
