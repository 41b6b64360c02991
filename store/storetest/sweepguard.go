package storetest

import (
	"fmt"
	"time"

	"rempart"
	"rempart/store"
)

// decides holds that one list waits for somebody, with these counts, and decides
// it as the console does, whose job it runs.
func (e *env) decides(of string, lacking, had int, withdraw bool) {
	e.Helper()
	held, err := e.db.HeldSweeps(e.ctx)
	e.ok(err)
	if len(held) != 1 || held[0].Of != of || held[0].Lacking != lacking || held[0].Had != had || held[0].Since.IsZero() {
		e.Fatalf("what waits is %+v, want %s lacking %d of %d", held, of, lacking, had)
	}
	e.kind(e.db.DecideSweep(e.ctx, of, lacking+1, withdraw, "ana"), rempart.Conflict)
	e.ok(e.db.DecideSweep(e.ctx, of, lacking, withdraw, "ana"))
	e.kind(e.db.DecideSweep(e.ctx, of, lacking, withdraw, "bea"), rempart.Conflict)
	want := 0
	if withdraw {
		want = lacking
	}
	n, err := e.db.CarrySweep(e.ctx, of)
	if e.ok(err); n != want {
		e.Errorf("%d were withdrawn, want %d", n, want)
	}
}

// lacks holds that a source that answers empty when it is read again whole
// withdraws nothing before somebody says so, that its own withdrawals count
// meanwhile, and that it waits no longer when it gives again what it lacked.
func lacks(e *env) {
	src := rempart.Source{Name: "lacks", Kind: rempart.SourceFeed, URL: "https://partner.exemple.test", Every: time.Minute}
	e.ok(e.db.PutSource(e.ctx, src, nil, false))
	claim := func() store.SourceClaim {
		e.Helper()
		c, ok, err := e.db.ClaimSource(e.ctx, "lacks", time.Hour)
		if e.ok(err); !ok {
			e.Fatal("not claimed")
		}
		return c
	}
	c := claim()
	var all []rempart.SourceRecord
	for k := range 300 {
		all = append(all, rempart.SourceRecord{ID: fmt.Sprintf("l%03d", k), List: "ncii-adult", Fingerprint: e.pdq()})
	}
	read := func(afresh bool, some ...rempart.SourceRecord) int {
		e.Helper()
		_, err := e.db.ApplySource(e.ctx, c, some, "p", afresh, rempart.SourceStatus{}, time.Hour)
		e.ok(err)
		n, err := e.db.SweepSource(e.ctx, c, time.Hour)
		e.ok(err)
		return n
	}
	stands := func(want, waits int) {
		e.Helper()
		n, err := e.db.CountSource(e.ctx, src.ID())
		e.ok(err)
		open, err := e.db.OpenListTasks(e.ctx)
		e.ok(err)
		if n != want || open != waits {
			e.Errorf("%d match and %d wait, want %d and %d", n, open, want, waits)
		}
	}
	withdrawn := func(n, want int) {
		e.Helper()
		if n != want {
			e.Errorf("a reading withdrew %d by itself, want %d", n, want)
		}
	}
	withdrawn(read(false, all...), 0)
	stands(300, 0)

	// Half of it, and a hundred of little, may be lacking.
	withdrawn(read(true, all[:150]...), 150)
	withdrawn(read(true, all[:50]...), 100)
	stands(50, 0)
	withdrawn(read(false, all...), 0)
	stands(300, 0)

	// Empty: all match, and somebody is asked. What is withdrawn one by one is.
	withdrawn(read(true), 0)
	stands(300, 1)
	gone := all[299]
	gone.Gone = true
	withdrawn(read(false, gone), 0)
	stands(299, 1)
	// While it is read once more nothing can be decided; values it calls otherwise
	// are no reason to withdraw the old ones.
	other := make([]rempart.SourceRecord, 299)
	for k := range other {
		other[k] = all[k]
		other[k].ID = fmt.Sprintf("m%03d", k)
	}
	_, err := e.db.ApplySource(e.ctx, c, other[:10], "p", true, rempart.SourceStatus{}, time.Hour)
	e.ok(err)
	e.kind(e.db.DecideSweep(e.ctx, src.ID(), 300, true, "ana"), rempart.Conflict)
	withdrawn(read(false, other[10:]...), 0)
	stands(598, 1)
	e.decides(src.ID(), 299, 299, false)
	stands(598, 0)
	withdrawn(read(false), 0) // refused: it is over

	// It gives them again: it waits no longer, and the few that lack are withdrawn.
	withdrawn(read(true), 0)
	stands(598, 1)
	withdrawn(read(false, other...), 0) // counted once a minute
	e.advance(2 * time.Minute)
	withdrawn(read(false, all[:250]...), 49)
	stands(549, 0)

	// Confirmed.
	withdrawn(read(true, all[:9]...), 0)
	e.decides(src.ID(), 540, 549, true)
	stands(9, 0)
	withdrawn(read(false), 0)

	// The operator's share.
	e.ok(e.db.EndSource(e.ctx, c, rempart.SourceStatus{}, e.now()))
	src.MayLack = 1
	e.ok(e.db.PutSource(e.ctx, src, nil, false))
	c = claim()
	withdrawn(read(false, other...), 0)
	stands(308, 0)
	withdrawn(read(true), 308)
	stands(0, 0)
	e.ok(e.db.RemoveSource(e.ctx, "lacks"))
}
