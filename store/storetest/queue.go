package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/store"
)

func queue(e *env) {
	if rows, next, err := e.db.Queue(e.ctx, store.QueueFilter{}); err != nil || len(rows) != 0 || next != "" {
		e.Errorf("an empty queue: %v, %q, %v", rows, next, err)
	}
	// Many with one priority and one age: the order must still be one order.
	var want []string
	type place struct {
		p  rempart.Priority
		at int64
		id string
	}
	var places []place
	for i := range 23 {
		c := e.submitted()
		p := rempart.Priority(1 + i%3)
		e.update(c.ID, func(c *rempart.Case) error { return e.propose(c, p) })
		places = append(places, place{p, c.OpenedAt.UnixMicro(), c.ID})
		if i%5 == 0 {
			e.advance(time.Hour)
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.p != b.p {
			return int(a.p - b.p)
		}
		if a.at != b.at {
			return int((a.at - b.at) / 1e6)
		}
		return cmpString(a.id, b.id)
	})
	for _, p := range places {
		want = append(want, p.id)
	}
	var got []string
	for _, r := range e.rows() {
		got = append(got, r.ID)
	}
	if d := cmp.Diff(want, got); d != "" {
		e.Errorf("queue by priority, then age (-want +got):\n%s", d)
	}
	e.check()

	// Between two pages a case that was shown closes and one comes in before:
	// nothing that stayed is skipped or shown twice.
	first, next, err := e.db.Queue(e.ctx, store.QueueFilter{Limit: 5})
	e.ok(err)
	e.update(first[0].ID, func(c *rempart.Case) error { return c.DropItem(c.Items[0].ID, "a reason", "analyst-1", e.now()) })
	late := e.submitted()
	e.update(late.ID, func(c *rempart.Case) error { return e.propose(c, rempart.PriorityUrgent) })
	rest := []string{}
	for next != "" {
		var rows []store.CaseRow
		rows, next, err = e.db.Queue(e.ctx, store.QueueFilter{Limit: 5, After: next})
		e.ok(err)
		for _, r := range rows {
			if r.ID != late.ID {
				rest = append(rest, r.ID)
			}
		}
	}
	if d := cmp.Diff(want[5:], rest); d != "" {
		e.Errorf("pages after the first (-want +got):\n%s", d)
	}

	// By state: the case changed above is active, all others are open.
	active, _, err := e.db.Queue(e.ctx, store.QueueFilter{States: []rempart.CaseState{rempart.CaseActive}})
	e.ok(err)
	if len(active) != 1 || active[0].ID != first[0].ID {
		e.Errorf("active cases: %v", active)
	}
	both, _, err := e.db.Queue(e.ctx, store.QueueFilter{States: []rempart.CaseState{rempart.CaseActive, rempart.CaseOpen, rempart.CaseOpen}, Limit: 200})
	e.ok(err)
	if len(both) != 24 || !slices.IsSortedFunc(both, func(a, b store.CaseRow) int { return int(a.Priority - b.Priority) }) {
		e.Errorf("open and active cases: %d, sorted by priority", len(both))
	}
	counts, err := e.db.CaseCounts(e.ctx)
	e.ok(err)
	if counts[rempart.CaseActive] != 1 || counts[rempart.CaseOpen] != 23 || len(counts) != 2 {
		e.Errorf("counts %v", counts)
	}
	for _, bad := range []string{"?", "YQ", "MS4yLjM.", next + "x"} {
		_, _, err := e.db.Queue(e.ctx, store.QueueFilter{After: bad})
		e.kind(err, rempart.Invalid)
	}
}

func cmpString(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// notice returns a notice that lacks nothing.
func (e *env) notice(items int) rempart.Notice {
	n := rempart.Notice{ID: rempart.NewID(e.now()), Lang: "fr", Explanation: "Une explication de plus de quarante caractères, pour un test.",
		Grounds: []rempart.Ground{{Article: "226-8-1"}}, GoodFaith: true, Notifier: rempart.Notifier{Name: "Association Exemple", Email: "contact@exemple.test"}}
	for i := range items {
		n.Items = append(n.Items, rempart.NoticeItem{ID: fmt.Sprint("item-", i), Address: fmt.Sprint("https://forum.exemple.test/", i)})
	}
	return n
}

func intakes(e *env) {
	peer := rempart.Peer{ID: "hub", Name: "Association Exemple"}
	receive := func(key string, minor bool, from rempart.Peer) *rempart.Intake {
		e.Helper()
		n := e.notice(2)
		n.Minor = minor
		i, err := rempart.Receive(n, key, from, e.now())
		e.ok(err)
		return i
	}
	first := receive("key-1", false, peer)
	saved, created, err := e.db.CreateIntake(e.ctx, first)
	e.ok(err)
	if !created || saved.ID != first.ID || saved.Version != 1 {
		e.Errorf("a first notice: created=%v, %s, version %d", created, saved.ID, saved.Version)
	}
	// Eight times the same notice, at once, is that notice.
	same := make([]*rempart.Intake, 8)
	again := e.notice(2)
	for i := range same {
		var err error
		same[i], err = rempart.Receive(again, "key-2", peer, e.now())
		e.ok(err)
	}
	ids, made := map[string]bool{}, 0
	for _, a := range together(8, func(i int) string {
		saved, created, err := e.db.CreateIntake(e.ctx, same[i])
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(saved.ID, " ", created)
	}) {
		var id string
		var created bool
		if _, err := fmt.Sscan(a, &id, &created); err != nil {
			e.Fatal(a)
		}
		ids[id] = true
		if created {
			made++
		}
		if j, err := e.db.Jobs(e.ctx, id); err != nil || len(j) != 1 {
			e.Errorf("a notice received once has the jobs %v (%v)", j, err)
		}
	}
	if len(ids) != 1 || made != 1 {
		e.Errorf("one notice sent eight times at once made %d intakes, %d say they made it; want 1 and 1", len(ids), made)
	}
	// Another notice under a key that was used is refused, not taken for the first.
	for _, change := range []func(*rempart.Notice){
		func(n *rempart.Notice) { n.Items[1].Address = "https://forum.exemple.test/other" },
		func(n *rempart.Notice) { n.Minor = true },
		func(n *rempart.Notice) { n.Explanation += " Et davantage." },
	} {
		other := again
		other.Items = append([]rempart.NoticeItem(nil), again.Items...)
		change(&other)
		i, err := rempart.Receive(other, "key-2", peer, e.now())
		e.ok(err)
		saved, _, err := e.db.CreateIntake(e.ctx, i)
		e.kind(err, rempart.Conflict)
		if saved != nil {
			e.Errorf("another notice under a used key was answered with %s", saved.ID)
		}
	}
	// Another peer's key is another key; no key is never the same.
	for _, i := range []*rempart.Intake{receive("key-1", true, rempart.Peer{ID: "other"}), receive("", false, peer), receive("", false, peer)} {
		if _, created, err := e.db.CreateIntake(e.ctx, i); err != nil || !created {
			e.Errorf("a notice of its own: created=%v, %v", created, err)
		}
		e.advance(time.Minute)
	}

	d := rempart.Decision{Measure: rempart.MeasureRefused, Ground: "law", Facts: "une page de test", Explanation: "une explication assez longue", Redress: []string{"court"}}
	decide := func(item string) error {
		return e.db.UpdateIntake(e.ctx, first.ID, func(i *rempart.Intake) error { return i.Decide(item, d, "moderator-1", e.now()) })
	}
	e.ok(decide("item-0"))
	e.ok(decide("item-1"))
	e.kind(decide("item-1"), rempart.Conflict)
	if err := e.db.UpdateIntake(e.ctx, first.ID, func(i *rempart.Intake) error { i.From = "somebody"; return nil }); err == nil {
		e.Error("a change of an intake without an event was saved")
	}
	got, err := e.db.IntakeByNumber(e.ctx, first.Number)
	e.ok(err)
	if got.ID != first.ID || got.State != rempart.IntakeDecided || got.Version != 3 || len(got.Decisions) != 2 {
		e.Errorf("after two decisions: %s, version %d, %d decisions", got.State, got.Version, len(got.Decisions))
	}
	events, err := e.db.Events(e.ctx, first.ID)
	e.ok(err)
	jobs, err := e.db.Jobs(e.ctx, first.ID)
	e.ok(err)
	if len(events) != 4 || len(jobs) != 2 {
		e.Errorf("%d events and %d jobs of a decided intake, want 4 (received, two items, decided) and 2 (acknowledge, decide)", len(events), len(jobs))
	}
	_, err = e.db.Intake(e.ctx, "nobody")
	e.kind(err, rempart.NotFound)

	var order []string
	for after := ""; ; {
		page, next, err := e.db.Intakes(e.ctx, rempart.IntakeReceived, after, 2)
		e.ok(err)
		for _, i := range page {
			order = append(order, fmt.Sprint(i.Priority))
		}
		if after = next; next == "" {
			break
		}
	}
	if d := cmp.Diff([]string{"1", "3", "3", "3"}, order); d != "" {
		e.Errorf("priorities of the intakes that wait (-want +got):\n%s", d)
	}
	if every, _, err := e.db.Intakes(e.ctx, "", "", 0); err != nil || len(every) != 5 {
		e.Errorf("%d intakes in all (%v), want 5", len(every), err)
	}
}
