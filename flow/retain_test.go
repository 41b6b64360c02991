package flow_test

import (
	"testing"
	"time"

	"rempart"
)

// TestRetain lets time pass: cases are erased when it is time for their class,
// those under a hold or opened again stay, and what was listed goes on matching.
func TestRetain(t *testing.T) {
	s := newSide(t, newClock(), patience)
	s.Retention = rempart.Retention{rempart.KeptAdult: 30 * 24 * time.Hour, rempart.KeptUnfounded: 10 * 24 * time.Hour}
	cases := map[string]*rempart.Case{}
	for k, name := range []string{"adult", "held", "reopened"} {
		c := s.submit(reportOf("", medium(hash(byte(k+1)))))
		s.confirm(c)
		cases[name] = c
	}
	cases["unfounded"] = s.submit(reportOf("https://forum.exemple.test/p/2"))
	s.change(cases["unfounded"], func(c *rempart.Case) error { return c.DropItem(c.Items[0].ID, "nothing there", analyst, s.clock.now()) })
	cases["open"] = s.submit(reportOf("https://forum.exemple.test/p/3"))
	for name, c := range cases {
		if name != "open" {
			s.change(c, func(c *rempart.Case) error { return c.Close("all is done", analyst, s.clock.now()) })
		}
	}
	s.change(cases["held"], func(c *rempart.Case) error { return c.PlaceHold("proceedings", analyst, s.clock.now()) })
	s.change(cases["reopened"], func(c *rempart.Case) error { return c.Reopen(analyst, s.clock.now()) })
	listed, err := s.Listed(t.Context())
	if err != nil || listed == 0 {
		t.Fatal(listed, err)
	}

	retain := func(want int, gone ...string) {
		t.Helper()
		if n, err := s.Retain(t.Context()); err != nil || n != want {
			t.Errorf("erased %d, %v, want %d", n, err, want)
		}
		for name, c := range cases {
			_, err := s.DB.Case(t.Context(), c.ID)
			is := rempart.KindOf(err) == rempart.NotFound
			should := false
			for _, g := range gone {
				should = should || g == name
			}
			if is != should {
				t.Errorf("the case %s: %v; erased should be %v", name, err, should)
			}
		}
	}
	s.clock.advance(10*24*time.Hour - time.Minute)
	retain(0)
	s.clock.advance(time.Minute)
	retain(1, "unfounded")
	s.clock.advance(20 * 24 * time.Hour)
	retain(1, "unfounded", "adult")
	s.clock.advance(1000 * 24 * time.Hour)
	retain(0, "unfounded", "adult")
	s.change(cases["held"], func(c *rempart.Case) error { return c.LiftHold("they have ended", analyst, s.clock.now()) })
	retain(1, "unfounded", "adult", "held")
	if n, err := s.Listed(t.Context()); err != nil || n != listed {
		t.Errorf("%d entries listed, %v, want %d as before", n, err, listed)
	}
	if rep, err := s.DB.VerifyLedger(t.Context(), nil); err != nil || !rep.Whole || rep.Erased == 0 {
		t.Errorf("the ledger: %+v, %v", rep, err)
	}
}

// TestWithdraw lets the person withdraw her report: all of it is gone at once,
// its notices that wait are not sent, and nothing of it matches any more; under
// a hold the case stays, and only matches no more.
func TestWithdraw(t *testing.T) {
	for _, held := range []bool{false, true} {
		f := newFar(t)
		s := newSide(t, newClock(), patience)
		s.knows("forum", rempart.PeerPlatform, f.URL, keyAtHub, keyAtPlatform)
		s.serves("forum", "forum.exemple.test", "forum")
		sub, err := s.Submit(t.Context(), reportOf("https://forum.exemple.test/p/1", medium(hash(1))), "")
		if err != nil {
			t.Fatal(err)
		}
		s.step()
		c := s.caseOf(sub.Ref)
		s.confirm(c)
		if held {
			s.change(c, func(c *rempart.Case) error { return c.PlaceHold("proceedings", analyst, s.clock.now()) })
		} else {
			s.notify(c, "forum")
		}
		if n, err := s.Listed(t.Context()); err != nil || n == 0 {
			t.Fatal(n, err)
		}
		if _, err := s.Withdraw(t.Context(), "0000-0000-0000-0000"); rempart.KindOf(err) == rempart.Internal {
			t.Errorf("a code that opens nothing: %v", err)
		}
		kept, err := s.Withdraw(t.Context(), sub.Code.String())
		if err != nil || kept != held {
			t.Fatalf("withdrawn: kept %v, %v, want %v", kept, err, held)
		}
		time.Sleep(20 * time.Millisecond) // the index is 10 ms old at most
		s.clock.advance(time.Hour)
		s.step()
		if n, err := s.Listed(t.Context()); err != nil || n != 0 {
			t.Errorf("held %v: %d entries are still listed, %v", held, n, err)
		}
		if f.wasTold() {
			t.Error("a notice was sent after the report was withdrawn")
		}
		_, err = s.FollowUp(t.Context(), sub.Code.String())
		if held && err != nil || !held && rempart.KindOf(err) != rempart.NotFound {
			t.Errorf("her code, held %v: %v", held, err)
		}
		if held {
			if c := s.caseOf(sub.Ref); c.Withdrawn.IsZero() || s.count(c.ID, "case.withdrawn") != 1 {
				t.Errorf("the case does not say that it was withdrawn: %v", c.Withdrawn)
			}
		}
	}
}
