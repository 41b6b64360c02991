package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"rempart"
	"rempart/internal/pgtest"
	"rempart/store"
)

// TestPostgresDiskFull has PostgreSQL refuse with its own error of a full disk
// (disk_full, 53100), at a statement in the middle of a transaction and at its
// COMMIT: what cannot be saved is said as such and leaves nothing, what was
// acknowledged is there, lookups go on, and writes too as soon as there is room.
func TestPostgresDiskFull(t *testing.T) {
	db := open(t, pgtest.Fresh(t), options)
	ctx := context.Background()
	raw := func(q string) {
		t.Helper()
		if _, err := store.Raw(db).ExecContext(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	raw(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$`)
	saved := map[string]bool{}
	n := 0
	save := func() error {
		n++
		cursor := fmt.Sprintf("c%05d", n)
		var page []rempart.Entry
		for k := range 3 {
			id := fmt.Sprintf("e%05d.%d", n, k)
			f := rempart.Fingerprint{Type: rempart.SHA256, Value: fmt.Sprintf("%064x", n*10+k), Quality: 100}
			page = append(page, rempart.Entry{ID: id, List: "ncii-adult", Fingerprint: f, State: rempart.EntryActive})
		}
		err := db.ApplyFeed(ctx, "hub", page, cursor)
		for _, e := range page {
			saved[e.ID] = err == nil
		}
		return err
	}
	check := func(when string) {
		t.Helper()
		changes, _, err := db.Changes(ctx, "", 0)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		got := map[string]bool{}
		for _, c := range changes {
			got[c.Entry.ID] = true
		}
		for id, ok := range saved {
			if ok != got[id] {
				t.Errorf("%s: %s was acknowledged: %v; it is there: %v", when, id, ok, got[id])
			}
		}
	}
	for name, trigger := range map[string]string{
		"at a statement": "CREATE TRIGGER full_disk BEFORE INSERT ON entries FOR EACH ROW WHEN (NEW.id LIKE '%.1') EXECUTE FUNCTION full_disk()",
		"at the cursor":  "CREATE TRIGGER full_disk BEFORE UPDATE ON feed_cursors FOR EACH ROW EXECUTE FUNCTION full_disk()",
		"at COMMIT":      "CREATE CONSTRAINT TRIGGER full_disk AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION full_disk()",
	} {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				if err := save(); err != nil {
					t.Fatal(err)
				}
			}
			cursor, err := db.FeedCursor(ctx, "hub")
			if err != nil {
				t.Fatal(err)
			}
			raw(trigger)
			for range 5 {
				var e *rempart.Error
				ok := errors.As(save(), &e)
				if !ok || e.Kind != rempart.Unavailable || e.Code != "store.full" {
					t.Errorf("refused with %+v, want store.full", e)
				}
			}
			if now, err := db.FeedCursor(ctx, "hub"); err != nil || now != cursor {
				t.Errorf("the cursor is %q, %v; want %q", now, err, cursor)
			}
			check("while the disk is full")
			raw("DROP TRIGGER full_disk ON " + map[bool]string{true: "feed_cursors", false: "entries"}[name == "at the cursor"])
			if err := save(); err != nil {
				t.Fatalf("with room again: %v", err)
			}
			check("with room again")
		})
	}
}
