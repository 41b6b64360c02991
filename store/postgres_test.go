package store_test

import (
	"slices"
	"testing"
	"time"

	"rempart"
	"rempart/internal/pgtest"
	"rempart/store"
	"rempart/store/storetest"
)

func TestPostgres(t *testing.T) {
	pgtest.DSN(t) // so that a missing PostgreSQL is told once
	storetest.Test(t, func(t *testing.T, o store.Options) *store.DB {
		return open(t, pgtest.Fresh(t), o)
	})
}

// TestLateCommit lets a transaction that began first commit last, with a change
// and a record that have lower numbers than those a reader has already seen.
func TestLateCommit(t *testing.T) {
	db := open(t, pgtest.Fresh(t), options)
	ctx := t.Context()
	late, err := store.Raw(db).BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Rollback()
	for _, q := range []string{
		`INSERT INTO entries (peer_id, id, list, type, value, quality, state, case_id, case_ref, item_id, since, xid, seq)
			VALUES ('', 'late', 'ncii-adult', 'md5', '00', 0, 'active', '', '', '', 0, pg_current_xact_id()::text::bigint, nextval('entry_changes'))`,
		"INSERT INTO records (kind, subject, actor, at, data, xid) VALUES ('late', 's', 'a', 1, '{}', pg_current_xact_id()::text::bigint)",
	} {
		if _, err := late.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	early := rempart.Consequences{
		Events:  []rempart.Event{{Kind: "early", Subject: "s", Actor: "a", At: time.Now()}},
		Entries: []rempart.EntryChange{{Entry: rempart.Entry{ID: "early", List: "ncii-adult", Fingerprint: rempart.Fingerprint{Type: rempart.MD5, Value: "01"}, State: rempart.EntryActive}}},
	}
	if err := db.Commit(ctx, "", early); err != nil {
		t.Fatal(err)
	}
	// A record is sealed as soon as it is there; the late one will follow.
	if n, err := db.Seal(ctx); n != 1 || err != nil {
		t.Errorf("sealed %d records while one is late, %v; want 1", n, err)
	}
	page, cursor, err := db.Changes(ctx, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(page) != 0 {
		t.Errorf("a reader was shown %v, past a transaction that still runs", page)
	}
	if err := late.Commit(); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for range 1000 { // other databases of the cluster may hold changes back for a while
		page, cursor, err = db.Changes(ctx, cursor, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page {
			ids = append(ids, c.Entry.ID)
		}
		if len(ids) >= 2 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if !slices.Equal(ids, []string{"late", "early"}) {
		t.Errorf("the reader saw %v, want late, early", ids)
	}
	for range 2 {
		if _, err := db.Seal(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if rep := verify(t, db); !rep.Whole || rep.Sealed != 2 || rep.Records != 2 {
		t.Errorf("the ledger after a late record: %+v", rep)
	}
}

// TestRestoredElsewhere makes a database look as if it was restored into another
// cluster, whose transactions count from a lower number.
func TestRestoredElsewhere(t *testing.T) {
	dsn := pgtest.Fresh(t)
	db := open(t, dsn, options)
	ctx := t.Context()
	if _, _, _, err := db.Submit(ctx, submission(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Seal(ctx); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := db.Submit(ctx, submission(t)); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"entries", "records"} {
		run(t, db, "UPDATE "+table+" SET xid = xid + 1000000000000")
	}
	run(t, db, "UPDATE meta SET value = '1000000000000' WHERE name = 'ledger_mark'")
	old := "1-1000000000900-1" // a cursor given before
	again := open(t, dsn, options)
	page, cursor, err := again.Changes(ctx, old, 10)
	if err != nil || len(page) != 2 {
		t.Errorf("a reader with an older cursor sees %d changes, %v; want both again", len(page), err)
	}
	if n, err := again.Seal(ctx); n != 2 || err != nil {
		t.Errorf("sealed %d, %v; want the two that were waiting", n, err)
	}
	if rep := verify(t, again); !rep.Whole || rep.Sealed != 4 {
		t.Errorf("%+v", rep)
	}
	third := open(t, dsn, options)
	if page, same, err := third.Changes(ctx, cursor, 10); err != nil || len(page) != 0 || same != cursor {
		t.Errorf("opening once more began another epoch: %v, %q, %v", page, same, err)
	}
}
