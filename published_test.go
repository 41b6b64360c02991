package rempart

import (
	"testing"
	"time"
)

// TestPublished: what a platform tells of a copy that it let through is taken up
// once; what is dropped, worked on, withdrawn or was removed since changes nothing.
func TestPublished(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 42, 7, 0, time.UTC)
	const there = "https://forum.exemple.test/1"
	fresh := func(state ItemState) *Case {
		return &Case{ID: NewID(at), State: CaseClosed, ClosedFor: "fini", ClosedAt: at, OpenedAt: at, Items: []Item{
			{ID: "one", Kind: ItemAddress, State: state, Since: at, Address: there},
			{ID: "medium", Kind: ItemMedium, State: ItemProtected, Since: at}}}
	}
	for state, taken := range map[ItemState]bool{ItemRemoved: true, ItemDropped: false, ItemReported: false, ItemNotified: false, ItemRefused: false, ItemFollowed: false} {
		c := fresh(state)
		if err := c.Published("medium", "Forum.exemple.test/1", "forum", 4, at.Add(time.Hour), at.Add(time.Hour)); err != nil {
			t.Fatalf("%s: %v", state, err)
		}
		todo := c.TakeConsequences()
		kinds := map[string]int{}
		for _, e := range todo.Events {
			kinds[e.Kind]++
			if e.Actor != "platform:forum" && e.Actor != ActorSystem {
				t.Errorf("%s: event %s by %s", state, e.Kind, e.Actor)
			}
		}
		if !taken {
			if c.State != CaseClosed || c.Items[0].State != state || len(todo.Events)+len(todo.Jobs)+len(c.Clocks) != 0 {
				t.Errorf("%s: case %s, item %s, %+v", state, c.State, c.Items[0].State, todo)
			}
			continue
		}
		if c.State != CaseActive || c.Items[0].State != ItemReported || c.Items[0].ToldBy != "forum" || kinds["match.published"] != 1 || kinds["item.reappeared"] != 1 || kinds["case.reopened"] != 1 {
			t.Errorf("case %s, item %+v, events %v", c.State, c.Items[0], kinds)
		}
		if len(todo.Jobs) != 1 || todo.Jobs[0].Kind != JobAgain || todo.Jobs[0].Payload != "one" {
			t.Errorf("jobs %+v", todo.Jobs)
		}
		if len(c.Clocks) != 1 || c.Clocks[0].Await != AwaitBack || c.Clocks[0].Task != TaskBack {
			t.Errorf("clocks %+v", c.Clocks)
		}
		if err := c.Published("medium", there, "forum", 4, at.Add(2*time.Hour), at.Add(2*time.Hour)); err != nil || len(c.Clocks) != 1 || len(c.TakeConsequences().Events) != 0 {
			t.Errorf("told again: %v, %d clocks", err, len(c.Clocks))
		}
		if c.Items[1].Stops != 0 || c.Items[1].State != ItemProtected {
			t.Errorf("the medium: %+v", c.Items[1])
		}
	}
	// Seen before it was removed, heard after.
	c := fresh(ItemRemoved)
	if err := c.Published("medium", there, "forum", 4, at.Add(-time.Minute), at.Add(time.Hour)); err != nil || c.State != CaseClosed {
		t.Errorf("late: %v, case %s", err, c.State)
	}
	// Withdrawn.
	c = fresh(ItemRemoved)
	c.Withdrawn = at
	if err := c.Published("medium", "https://forum.exemple.test/2", "forum", 4, at, at); err != nil || c.State != CaseClosed || len(c.Items) != 2 {
		t.Errorf("withdrawn: %v, case %s", err, c.State)
	}
	// Nothing of ours, and nowhere.
	for _, x := range []struct {
		item, address string
		distance      int
		want          Kind
	}{{"one", there, 4, NotFound}, {"none", there, 4, NotFound}, {"medium", there, 32, NotFound}, {"medium", there, -1, NotFound}, {"medium", "", 4, Invalid}, {"medium", "data:text/plain,x", 4, Invalid}} {
		c := fresh(ItemRemoved)
		if err := c.Published(x.item, x.address, "forum", x.distance, at, at); KindOf(err) != x.want || c.State != CaseClosed {
			t.Errorf("%+v: %v", x, err)
		}
	}
	// The person's addresses keep their room.
	c = fresh(ItemRemoved)
	for k := range MaxTold + 1 {
		err := c.Published("medium", "https://forum.exemple.test/copy/"+itoa(k), "forum", 4, at, at)
		if (err != nil) != (k == MaxTold) {
			t.Fatalf("copy %d: %v", k, err)
		}
	}
}
