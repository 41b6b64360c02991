package flow_test

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rempart"
)

// asked returns a hub whose reminder a far platform refused for good, so that
// somebody is asked to send it.
func asked(t *testing.T, f *far) (s *side, c *rempart.Case, notice, rung string) {
	t.Helper()
	s, c, notice = silent(t, f)
	f.will(fault{answer: status(403, "not like this")})
	s.step()
	s.step()
	s.check()
	r := s.rungsOf(c.Ref, notice)
	if len(r) != 1 || r[0].State != rempart.RungAsked {
		t.Fatalf("rungs %+v", r)
	}
	return s, c, notice, r[0].ID
}

const stepSays = "Nous vous rappelons notre notification du 2 mars, restée sans réponse."

func (s *side) sendRung(c *rempart.Case, rung string) {
	s.t.Helper()
	s.change(c, func(c *rempart.Case) error {
		return c.SendRungIn(rung, stepSays, time.Minute, analyst, s.clock.now())
	})
}

// TestUndoRung: a step leaves only when its time has passed; called back it is a
// human's as it was, with its text, and can be sent again, once; the person is
// told nothing before the receipt; what has left cannot be called back.
func TestUndoRung(t *testing.T) {
	f := newFar(t)
	s, c, id, rung := asked(t, f)
	before := s.caseOf(c.Ref)
	told := func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.told) > 1 }
	person := func(want bool, when string) {
		t.Helper()
		v, err := s.FollowCase(t.Context(), s.caseOf(c.Ref))
		if err != nil {
			t.Fatal(err)
		}
		said := false
		for _, i := range v.Items {
			said = said || i.Step != ""
		}
		if said != want {
			t.Errorf("%s: the person is told of a step: %v", when, said)
		}
	}
	s.sendRung(c, rung)
	s.clock.advance(time.Minute - time.Millisecond)
	s.settle()
	if told() {
		t.Fatal("it left before its time")
	}
	person(false, "in its window")
	recall := func(c *rempart.Case) error { return c.RecallRung(rung, analyst, s.clock.now()) }
	s.change(c, recall)
	got := s.caseOf(c.Ref)
	_, r := got.RungOf(rung)
	task := func(c *rempart.Case) (rempart.TaskKind, time.Time) {
		_, r := c.RungOf(rung)
		for _, k := range c.Clocks {
			if k.ID == r.Clock {
				return k.Task, k.TaskAt
			}
		}
		t.Fatal("no clock")
		return "", time.Time{}
	}
	kind, at := task(got)
	wantKind, wantAt := task(before)
	if r.State != rempart.RungAsked || r.Text != stepSays || kind != wantKind || !at.Equal(wantAt) || kind == "" {
		t.Errorf("called back: %s, task %q since %s (before %q since %s)", r.State, kind, at, wantKind, wantAt)
	}
	person(false, "called back")
	s.sendRung(c, rung) // so that the first job comes due in the window of the second
	s.clock.advance(30 * time.Second)
	s.settle()
	if told() {
		t.Fatal("the job that was called back sent the step before its time")
	}
	s.clock.advance(31 * time.Second)
	s.settle()
	s.check()
	_, r = s.caseOf(c.Ref).RungOf(rung)
	if r.State != rempart.RungSent || f.reminders(id) != 1 || !strings.Contains(f.sentText(t, id), "restée sans réponse") {
		t.Errorf("sent again: %s, %d reminders", r.State, f.reminders(id))
	}
	person(true, "with the receipt")
	if err := s.DB.UpdateCase(t.Context(), c.ID, "", recall); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("what has left was called back: %v", err)
	}
	if n := s.count(c.ID, "rung.recalled"); n != 1 {
		t.Errorf("%d records of the recall", n)
	}
}

// TestUndoRungTooLate: once delivery has begun it cannot be called back, even by
// a machine whose time has gone back; and an answer that comes in the window
// calls the step off.
func TestUndoRungTooLate(t *testing.T) {
	f := newFar(t)
	s, c, id, rung := asked(t, f)
	var killed atomic.Bool
	s.Fault = func(point string) {
		if point == "rung.send.leaves" && killed.CompareAndSwap(false, true) {
			runtime.Goexit()
		}
	}
	s.sendRung(c, rung)
	s.clock.advance(time.Minute)
	s.step()
	s.clock.advance(-30 * time.Second)
	if err := s.DB.UpdateCase(t.Context(), c.ID, "", func(c *rempart.Case) error { return c.RecallRung(rung, analyst, s.clock.now()) }); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("called back while it may be on its way: %v", err)
	}
	for range 5 {
		s.clock.advance(2 * time.Minute)
		s.settle()
	}
	s.check()
	if _, r := s.caseOf(c.Ref).RungOf(rung); r.State != rempart.RungSent || f.reminders(id) != 1 || !killed.Load() {
		t.Errorf("after the kill: %s", r.State)
	}

	f = newFar(t)
	s, c, id, rung = asked(t, f)
	s.sendRung(c, rung)
	s.change(c, func(c *rempart.Case) error {
		return c.NoticeDecided(id, "N-1", "forum", map[string]rempart.Decision{c.Items[0].ID: decisionOf(rempart.MeasureRemoved)}, s.clock.now())
	})
	f.decided(id)
	s.clock.advance(time.Minute)
	s.settle()
	if _, r := s.caseOf(c.Ref).RungOf(rung); r.State != rempart.RungCancelled || f.reminders(id) != 0 {
		t.Errorf("answered in the window: %s, %d reminders", r.State, f.reminders(id))
	}
	if err := s.DB.UpdateCase(t.Context(), c.ID, "", func(c *rempart.Case) error { return c.RecallRung(rung, analyst, s.clock.now()) }); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("called back after the answer: %v", err)
	}
}
