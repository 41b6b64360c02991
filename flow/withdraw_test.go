package flow_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/flow"
	"rempart/store"
)

// TestWithdrawalConfirmed takes a report back: its code then shows the platforms
// that had its fingerprints, each confirmed once it has applied the withdrawal,
// and no other; the copy matches nowhere any more.
func TestWithdrawalConfirmed(t *testing.T) {
	hub, platform := pair(t)
	late := hub.another("late")
	hub.knows("lookups", rempart.PeerPlatform, "", "rk_lookups", "rk_none")
	p, err := hub.DB.Peer(t.Context(), "lookups")
	if err != nil {
		t.Fatal(err)
	}
	p.LookupOnly = true
	if err := hub.DB.PutPeer(t.Context(), p, "", nil); err != nil {
		t.Fatal(err)
	}
	s, err := hub.Submit(t.Context(), reportOf("", medium(hash(1))), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := hub.caseOf(s.Ref)
	if _, err := hub.Withdrawal(t.Context(), s.Code.String()); rempart.KindOf(err) != rempart.NotFound {
		t.Errorf("a report that was not taken back: %v", err)
	}
	hub.confirm(c)
	platform.catchUp()
	late.catchUp()
	if m := platform.matches(pdqQuery(hash(1)), flow.Upload{}); len(m) != 1 {
		t.Fatalf("before: %+v", m)
	}
	if held, err := hub.Withdraw(t.Context(), s.Code.String()); held || err != nil {
		t.Fatal(held, err)
	}
	want := func(when string, platforms ...store.Confirmation) {
		t.Helper()
		got, err := hub.Withdrawal(t.Context(), s.Code.String())
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if d := cmp.Diff(platforms, got.Platforms); d != "" {
			t.Errorf("%s: (-want +got)\n%s", when, d)
		}
	}
	want("at once", store.Confirmation{Peer: "forum"}, store.Confirmation{Peer: "late"})
	platform.catchUp()
	if m := platform.matches(pdqQuery(hash(1)), flow.Upload{}); len(m) != 0 {
		t.Errorf("the copy still matches: %+v", m)
	}
	want("one has read it", store.Confirmation{Peer: "forum", Confirmed: true}, store.Confirmation{Peer: "late"})
	late.catchUp()
	want("both have", store.Confirmation{Peer: "forum", Confirmed: true}, store.Confirmation{Peer: "late", Confirmed: true})
	// Who comes later never had them.
	hub.confirm(hub.submit(reportOf("", medium(hash(2)))))
	never := hub.another("never")
	never.catchUp()
	want("a third has come", store.Confirmation{Peer: "forum", Confirmed: true}, store.Confirmation{Peer: "late", Confirmed: true})
	hub.clock.advance(91 * 24 * time.Hour)
	if _, err := hub.Withdrawal(t.Context(), s.Code.String()); rempart.KindOf(err) != rempart.NotFound {
		t.Errorf("three months later: %v", err)
	}
	// What was never shared leaves nothing behind.
	s, err = hub.Submit(t.Context(), reportOf("", medium(hash(3))), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Withdraw(t.Context(), s.Code.String()); err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Withdrawal(t.Context(), s.Code.String()); rempart.KindOf(err) != rempart.NotFound {
		t.Errorf("never shared: %v", err)
	}
}

// another returns one more platform that follows a hub.
func (s *side) another(name string) *side {
	s.t.Helper()
	s.knows(name, rempart.PeerPlatform, "", "rk_of-"+name, keyAtPlatform)
	p := newSide(s.t, newClock(), 5*time.Second)
	p.knows("hub", rempart.PeerFlagger, s.serve(true, false), keyAtPlatform, "rk_of-"+name)
	return p
}
