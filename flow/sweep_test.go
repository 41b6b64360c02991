package flow_test

import (
	"slices"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/pdq"
)

// TestHubRestored follows a hub, and reads it as a source; then the hub's database
// is an older one, without some entries and with another, which knows the cursor
// of nobody: it is of another epoch, or later than its last change. What is not
// there any more stops matching, and all the rest goes on.
func TestHubRestored(t *testing.T) {
	all := valuesOf(51, 30)
	hub := func(values []pdq.Hash) string {
		h := newSide(t, newClock(), 5*time.Second)
		h.knows("reader", rempart.PeerPlatform, "", keyAtHub, keyAtPlatform)
		if len(values) > 0 {
			h.imported(csvOf(values), flow.ImportOptions{})
		}
		return h.serve(true, false)
	}
	before, restored, empty := hub(all[:25]), hub(append(slices.Clone(all[:5]), all[29])), hub(nil)
	for name, cursor := range map[string]string{"of a later change": "", "of another epoch": "7-0-3", "of no epoch": "nonsense"} {
		t.Run(name, func(t *testing.T) {
			node := newSide(t, newClock(), 5*time.Second)
			node.knows("hub", rempart.PeerFlagger, before, keyAtPlatform, keyAtHub)
			has := func() (out []int) {
				for k, h := range all {
					if len(node.finds(h)) > 0 {
						out = append(out, k)
					}
				}
				return out
			}
			source := newSide(t, newClock(), 5*time.Second)
			source.reads(rempart.SourceFeed, before, rempart.Credentials{Key: keyAtHub})
			node.catchUp()
			source.read()
			if n, m := len(has()), len(source.found(all)); n != 25 || m != 25 {
				t.Fatalf("before, the node finds %d and the other %d, want 25", n, m)
			}
			moved := func(to string) {
				node.knows("hub", rempart.PeerFlagger, to, keyAtPlatform, keyAtHub)
				source.reads(rempart.SourceFeed, to, rempart.Credentials{Key: keyAtHub})
				if cursor == "" {
					return
				}
				if err := node.DB.ApplyFeed(t.Context(), "hub", nil, cursor); err != nil {
					t.Fatal(err)
				}
				c, ok, err := source.DB.ClaimSource(t.Context(), "partner", time.Minute)
				if err != nil || !ok {
					t.Fatalf("%v %v", ok, err)
				}
				if _, err := source.DB.ApplySource(t.Context(), c, nil, cursor, false, c.Status, time.Minute); err != nil {
					t.Fatal(err)
				}
				if err := source.DB.EndSource(t.Context(), c, c.Status, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			moved(restored)
			node.catchUp()
			if n := source.read(); n.Removed != 25 || n.Added != 6 { // identifiers there are others, of the same values too
				t.Errorf("reading again says %+v", n)
			}
			want := []int{0, 1, 2, 3, 4, 29}
			if n, m := has(), source.found(all); !slices.Equal(n, want) || !slices.Equal(m, want) {
				t.Errorf("of the restored hub the node finds %v and the other %v, want %v", n, m, want)
			}
			node.catchUp() // goes on as ever
			if n := source.read(); n.Added+n.Removed != 0 {
				t.Errorf("reading on says %+v", n)
			}
			moved(empty)
			node.catchUp()
			source.read()
			if n, m := has(), source.found(all); len(n) != 0 || len(m) != 0 {
				t.Errorf("of an empty hub the node finds %v and the other %v", n, m)
			}
		})
	}
}
