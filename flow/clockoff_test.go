package flow_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
)

// TestClocksApart follows a hub whose clock, or the node's own, is an hour off and
// is put right, or goes wrong, between any two changes. Whatever they say, the node
// finds what the hub lists, no more and no less.
func TestClocksApart(t *testing.T) {
	all := valuesOf(61, 4)
	for _, whose := range []string{"hub", "node"} {
		for _, off := range []time.Duration{-time.Hour, time.Hour} {
			for _, wrong := range []int{1, 2, 4, 8, 16, 10, 27} { // bits: at which of five changes it is off
				t.Run(fmt.Sprintf("%s %v %05b", whose, off, wrong), func(t *testing.T) {
					t.Parallel()
					hub, node := newSide(t, newClock(), time.Second), newSide(t, newClock(), time.Second)
					hub.knows("reader", rempart.PeerPlatform, "", keyAtHub, keyAtPlatform)
					at, step := start, 0
					next := func() {
						at = at.Add(time.Minute)
						here := at
						if wrong>>step&1 == 1 {
							here = at.Add(off)
						}
						step++
						hub.clock.set(at)
						node.clock.set(at)
						map[string]*side{"hub": hub, "node": node}[whose].clock.set(here)
					}
					finds := func(when string, want ...int) {
						t.Helper()
						node.catchUp()
						var got []int
						for k, h := range all {
							if len(node.finds(h)) > 0 {
								got = append(got, k)
							}
						}
						if !slices.Equal(got, want) {
							t.Errorf("%s it finds %v, want %v", when, got, want)
						}
						if f, err := node.Freshness(t.Context()); err != nil || f.Age > time.Minute {
							t.Errorf("%s it says that it is %v behind, %v", when, f.Age, err)
						}
					}
					next()
					hub.imported(csvOf(all[:3]), flow.ImportOptions{})
					node.knows("hub", rempart.PeerFlagger, hub.serve(true, false), keyAtPlatform, keyAtHub)
					finds("after an import", 0, 1, 2)
					next()
					m := hub.matches(pdqQuery(all[1]), flow.Upload{})
					if len(m) != 1 {
						t.Fatalf("the hub finds %+v", m)
					}
					hub.opine(forum, flow.Remark{Num: m[0].Num, Opinion: rempart.Opinion{Value: rempart.OpinionNotSame}})
					finds("after a dispute", 0, 2)
					next()
					hub.decide(hub.listTasks()[0], rempart.TaskKeep)
					finds("after it was decided", 0, 1, 2)
					next()
					hub.imported(csvOf(all[3:]), flow.ImportOptions{})
					finds("after another import", 0, 1, 2, 3)
					next()
					if m = hub.matches(pdqQuery(all[2]), flow.Upload{}); len(m) != 1 {
						t.Fatalf("the hub finds %+v", m)
					}
					e := rempart.Entry{ID: m[0].EntryID, List: m[0].List, Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: m[0].Value, Quality: 90}, State: rempart.EntryWithdrawn, Since: hub.clock.now()}
					if err := hub.DB.Commit(t.Context(), "", rempart.Consequences{Entries: []rempart.EntryChange{{Entry: e}}}); err != nil {
						t.Fatal(err)
					}
					finds("after a withdrawal", 0, 1, 3)
				})
			}
		}
	}
}
