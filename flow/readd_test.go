package flow_test

import (
	"strings"
	"testing"
	"time"

	"rempart"
)

// TestAddressAdded: the person of a closed case saw the content at a new address
// and again at the first. Both are taken up, a notice is drafted for each and
// none leaves; what no service of the register serves waits without one.
func TestAddressAdded(t *testing.T) {
	f := newFar(t)
	s, c, id := silent(t, f)
	s.change(c, func(c *rempart.Case) error {
		return c.NoticeDecided(id, "N-1", "forum", map[string]rempart.Decision{c.Items[0].ID: decisionOf(rempart.MeasureRemoved)}, s.clock.now())
	})
	s.change(c, func(c *rempart.Case) error { return c.Close("retiré", analyst, s.clock.now()) })
	s.settle()
	told := len(f.told)
	s.clock.advance(24 * time.Hour)
	add := func(address string) {
		t.Helper()
		s.change(c, func(c *rempart.Case) error {
			_, err := c.AddAddress(address, rempart.ActorReporter, s.clock.now())
			return err
		})
	}
	add("forum.exemple.test/p/9")
	add("https://forum.exemple.test/p/1")
	add("https://inconnu.exemple.test/x")
	s.settle()
	got := s.caseOf(c.Ref)
	if got.State != rempart.CaseActive || len(got.Items) != len(c.Items)+2 || got.Items[0].State != rempart.ItemReported {
		t.Fatalf("case %s, %d items, the first %s", got.State, len(got.Items), got.Items[0].State)
	}
	if len(got.Notices) != 3 {
		t.Fatalf("%d notices", len(got.Notices))
	}
	for _, n := range got.Notices[1:] {
		again := n.Items[0].ID == c.Items[0].ID
		if n.State != rempart.NoticeDraft || (n.Cites == id) != again || strings.Contains(n.Explanation, "N-1") != again {
			t.Errorf("notice %s on %s cites %q\n%s", n.State, n.Items[0].Address, n.Cites, n.Explanation)
		}
	}
	if len(f.told) != told {
		t.Error("the platform was told without an analyst")
	}
}
