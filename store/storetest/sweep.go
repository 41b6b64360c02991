package storetest

import (
	"fmt"
	"slices"
	"time"

	"rempart"
	"rempart/store"
)

// sweeps holds that a list which is read again whole stops matching only by what
// was not given when it was read to its end; that nothing of it is lost when that
// is left off in the middle; and that of two processes one goes on.
func sweeps(e *env) {
	entry := func(k int) rempart.Entry {
		return rempart.Entry{ID: fmt.Sprintf("s%04d", k), List: "ncii-adult", Fingerprint: e.pdq(), State: rempart.EntryActive, Since: e.now()}
	}
	var all []rempart.Entry
	for k := range 2500 { // more than one transaction withdraws
		all = append(all, entry(k))
	}
	active := func(peer string) (out []string) {
		changes, _ := e.follow("")
		for _, c := range changes {
			if c.Peer == peer && c.Entry.State == rempart.EntryActive {
				out = append(out, c.Entry.ID)
			}
		}
		slices.Sort(out)
		return out
	}
	page := func(from, to string, afresh, whole bool, some ...rempart.Entry) error {
		return e.db.ApplyFeedPage(e.ctx, "swept", store.FeedPage{From: from, Cursor: to, Afresh: afresh, Whole: whole, Entries: some})
	}
	e.ok(page("", "1", false, true, all...))
	e.ok(e.db.ApplyFeed(e.ctx, "kept", []rempart.Entry{entry(0)}, "x"))
	e.ok(page("1", "2", true, false, all[:2]...))
	if n := len(active("swept")); n != 2500 {
		e.Errorf("while the list is read again %d match, want 2500", n)
	}
	// Another process begins it once more; who was behind it is refused.
	e.ok(page("2", "3", true, false, all[:3]...))
	e.kind(page("2", "4", false, true, all[7]), rempart.Conflict)
	if n := len(active("swept")); n != 2500 {
		e.Errorf("who was behind ended the sweep: %d match, want 2500", n)
	}
	e.ok(page("3", "5", false, false, all[3]))
	late := entry(9000)
	e.ok(page("5", "6", false, true, late))
	e.decides("swept", 2496, 2500, true) // so much is withdrawn when somebody says so
	if got := active("swept"); !slices.Equal(got, []string{"s0000", "s0001", "s0002", "s0003", "s9000"}) {
		e.Errorf("read again to its end, %d match", len(got))
	}
	if n := len(active("kept")); n != 1 {
		e.Error("another list was swept")
	}
	// Over: a page that is whole withdraws nothing more; what is given again as it
	// was matches again.
	e.ok(page("6", "7", false, true, all[9]))
	if got := active("swept"); len(got) != 6 || !slices.Contains(got, "s0009") {
		e.Errorf("after the sweep %v match", got)
	}
	// A hub that holds nothing any more.
	e.ok(page("7", "", true, true))
	if got := active("swept"); len(got) != 0 {
		e.Errorf("of an empty list %v match", got)
	}

	src := rempart.Source{Name: "sweep", Kind: rempart.SourceFeed, URL: "https://partner.exemple.test", Every: time.Minute}
	e.ok(e.db.PutSource(e.ctx, src, nil, false))
	c, ok, err := e.db.ClaimSource(e.ctx, "sweep", time.Minute)
	if e.ok(err); !ok {
		e.Fatal("not claimed")
	}
	var records []rempart.SourceRecord
	for _, x := range all[:5] {
		records = append(records, rempart.SourceRecord{ID: x.ID, List: x.List, Fingerprint: x.Fingerprint})
	}
	apply := func(afresh bool, some ...rempart.SourceRecord) {
		_, err := e.db.ApplySource(e.ctx, c, some, "p", afresh, rempart.SourceStatus{}, time.Minute)
		e.ok(err)
	}
	sweep := func(want int) {
		n, err := e.db.SweepSource(e.ctx, c, time.Minute)
		e.ok(err)
		if n != want {
			e.Errorf("a sweep of the source withdrew %d, want %d", n, want)
		}
	}
	apply(false, records...)
	sweep(0)
	apply(true, records[0])
	gone := records[1]
	gone.Gone = true
	apply(false, gone, records[2])
	if got := active(src.ID()); len(got) != 4 {
		e.Errorf("while the source is read again %v match", got)
	}
	e.advance(2 * time.Minute) // killed, and read on by another when the lease ended
	_, err = e.db.SweepSource(e.ctx, c, time.Minute)
	e.kind(err, rempart.Conflict)
	if c, ok, err = e.db.ClaimSource(e.ctx, "sweep", time.Minute); err != nil || !ok {
		e.Fatalf("not claimed again: %v", err)
	}
	apply(false, records[3])
	sweep(1)
	if got := active(src.ID()); !slices.Equal(got, []string{"s0000", "s0002", "s0003"}) {
		e.Errorf("of the source %v match", got)
	}
	sweep(0)
	e.ok(e.db.RemoveSource(e.ctx, "sweep"))
}
