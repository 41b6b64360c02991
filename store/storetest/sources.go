package storetest

import (
	"time"

	"rempart"
)

// sources holds that a source is read by one process at a time, that what it
// shares counts with its place or not at all, and what it takes back and gives
// again.
func sources(e *env) {
	src := rempart.Source{Name: "partner", Kind: rempart.SourceFeed, URL: "https://partner.exemple.test", Every: time.Minute}
	e.ok(e.db.PutSource(e.ctx, src, &rempart.Credentials{Key: "rk_of-the-partner"}, false))
	if c, err := e.db.SourceCredentials(e.ctx, "partner"); err != nil || c.Key != "rk_of-the-partner" {
		e.Errorf("credentials: %v", err)
	}
	src.Every = time.Hour
	e.ok(e.db.PutSource(e.ctx, src, nil, false))
	if c, err := e.db.SourceCredentials(e.ctx, "partner"); err != nil || c.Key != "rk_of-the-partner" {
		e.Errorf("changed without them, credentials are gone: %v", err)
	}
	claim := func(name string) bool {
		_, ok, err := e.db.ClaimSource(e.ctx, name, time.Minute)
		e.ok(err)
		return ok
	}
	if claim("") {
		e.Error("claimed, and was not started")
	}
	e.ok(e.db.RunSource(e.ctx, "partner", true))
	_, err := e.db.Source(e.ctx, "another")
	e.kind(err, rempart.NotFound)
	e.kind(e.db.RunSource(e.ctx, "another", true), rempart.NotFound)
	got := 0
	for _, ok := range together(8, func(int) bool { return claim("") }) {
		if ok {
			got++
		}
	}
	if got != 1 {
		e.Errorf("claimed by %d at once", got)
	}
	e.advance(2 * time.Minute)
	c, ok, err := e.db.ClaimSource(e.ctx, "", time.Minute)
	if e.ok(err); !ok {
		e.Fatal("not claimed after the lease of another ended")
	}
	fp := e.pdq()
	record := rempart.SourceRecord{ID: "1", List: "ncii-adult", Fingerprint: fp}
	apply := func(gone bool) rempart.SourceStatus {
		record.Gone = gone
		s, err := e.db.ApplySource(e.ctx, c, []rempart.SourceRecord{record, {ID: "never there", Gone: true}}, "place", false, rempart.SourceStatus{}, time.Minute)
		e.ok(err)
		return s
	}
	for k, step := range []struct {
		gone                 bool
		added, removed, same int
		active               int
	}{{false, 1, 0, 1, 1}, {false, 0, 0, 2, 1}, {true, 0, 1, 1, 0}, {true, 0, 0, 2, 0}, {false, 1, 0, 1, 1}} {
		s := apply(step.gone)
		n, err := e.db.CountSource(e.ctx, src.ID())
		e.ok(err)
		if s.Added != step.added || s.Removed != step.removed || s.Same != step.same || n != step.active {
			e.Errorf("step %d: %+v, %d active", k, s, n)
		}
	}
	_, before := e.follow("")
	apply(true)
	if changes, _ := e.follow(before); len(changes) != 1 || changes[0].Entry.State != rempart.EntryWithdrawn {
		e.Errorf("a withdrawal is told as %+v", changes)
	}
	e.advance(2 * time.Minute) // longer than the lease
	_, err = e.db.ApplySource(e.ctx, c, []rempart.SourceRecord{{ID: "2", List: "ncii-adult", Fingerprint: fp}}, "late", false, rempart.SourceStatus{}, time.Minute)
	e.kind(err, rempart.Conflict)
	if n, err := e.db.CountSource(e.ctx, src.ID()); err != nil || n != 0 {
		e.Errorf("what came too late was saved: %d, %v", n, err)
	}
	if r, err := e.db.Source(e.ctx, "partner"); err != nil || r.Checkpoint != "place" {
		e.Errorf("at %q, %v", r.Checkpoint, err)
	}
	c, ok, err = e.db.ClaimSource(e.ctx, "partner", time.Minute)
	if e.ok(err); !ok {
		e.Fatal("not claimed by name")
	}
	apply(false)
	e.ok(e.db.PutSource(e.ctx, src, nil, true)) // afresh: who reads it must not save the old place
	e.kind(e.db.HoldSource(e.ctx, c, time.Minute), rempart.Conflict)
	for n := 1; n > 0; {
		n, err = e.db.EmptySource(e.ctx, src.ID(), 1)
		e.ok(err)
	}
	if n, err := e.db.CountSource(e.ctx, src.ID()); err != nil || n != 0 {
		e.Errorf("emptied, and holds %d, %v", n, err)
	}
	e.ok(e.db.RemoveSource(e.ctx, "partner"))
	e.kind(e.db.RemoveSource(e.ctx, "partner"), rempart.NotFound)
}
