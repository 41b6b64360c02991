package flow_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/flow"
	"rempart/store"
)

// TestCarriedWithdrawalConfirmed takes reports back whose fingerprints another
// case had listed for them: the case that carried a merged one, and the part that
// was split off. Her code shows the platforms that had them, each confirmed once
// it has applied the withdrawal; what the other person reported too stays.
func TestCarriedWithdrawalConfirmed(t *testing.T) {
	hub, platform := pair(t)
	late := hub.another("late")
	shows := func(when, code string, platforms ...store.Confirmation) {
		t.Helper()
		got, err := hub.Withdrawal(t.Context(), code)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if d := cmp.Diff(platforms, got.Platforms); d != "" {
			t.Errorf("%s: (-want +got)\n%s", when, d)
		}
	}
	withdraw := func(code string) {
		t.Helper()
		if held, err := hub.Withdraw(t.Context(), code); held || err != nil {
			t.Fatal(held, err)
		}
	}
	for n, begin := range map[byte]func() (code string, own, shared int){
		// Her own picture, and one that both have, in the case that carries.
		1: func() (string, int, int) {
			_, codeA := hub.reported(reportOf("https://forum.exemple.test/both", medium(hash(1)), medium(hash(11))))
			b, _ := hub.reported(reportOf("https://forum.exemple.test/both", medium(hash(11))))
			a, err := hub.FollowUp(t.Context(), codeA)
			if err != nil {
				t.Fatal(err)
			}
			if err := hub.Merge(t.Context(), hub.caseOf(a.Ref).ID, b.ID, "the same page", analyst); err != nil {
				t.Fatal(err)
			}
			hub.confirm(hub.caseOf(b.Ref))
			return codeA, 1, 11
		},
		// A picture that was split off, none in the case she reported.
		2: func() (string, int, int) {
			c, code := hub.reported(reportOf("https://forum.exemple.test/one", medium(hash(2))))
			ref, err := hub.Split(t.Context(), c.ID, []string{c.Items[1].ID}, "another author", analyst)
			if err != nil {
				t.Fatal(err)
			}
			hub.step()
			hub.confirm(hub.caseOf(ref))
			return code, 2, 0
		},
	} {
		code, own, shared := begin()
		platform.catchUp()
		late.catchUp()
		if m := platform.matches(pdqQuery(hash(byte(own))), flow.Upload{}); len(m) != 1 {
			t.Fatalf("%d: before: %+v", n, m)
		}
		withdraw(code)
		shows("at once", code, store.Confirmation{Peer: "forum"}, store.Confirmation{Peer: "late"})
		platform.catchUp()
		shows("one has read it", code, store.Confirmation{Peer: "forum", Confirmed: true}, store.Confirmation{Peer: "late"})
		late.catchUp()
		shows("both have", code, store.Confirmation{Peer: "forum", Confirmed: true}, store.Confirmation{Peer: "late", Confirmed: true})
		if m := platform.matches(pdqQuery(hash(byte(own))), flow.Upload{}); len(m) != 0 {
			t.Errorf("%d: the copy still matches: %+v", n, m)
		}
		if shared > 0 {
			if m := platform.matches(pdqQuery(hash(byte(shared))), flow.Upload{}); len(m) != 1 {
				t.Errorf("%d: what the other person reported too: %+v", n, m)
			}
		}
	}
	// Merged, and never listed: nothing is left to confirm.
	_, code := hub.reported(reportOf("", medium(hash(3))))
	f, err := hub.FollowUp(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := hub.reported(reportOf("https://forum.exemple.test/b"))
	if err := hub.Merge(t.Context(), hub.caseOf(f.Ref).ID, b.ID, "the same page", analyst); err != nil {
		t.Fatal(err)
	}
	withdraw(code)
	if _, err := hub.Withdrawal(t.Context(), code); rempart.KindOf(err) != rempart.NotFound {
		t.Errorf("never shared: %v", err)
	}
}
