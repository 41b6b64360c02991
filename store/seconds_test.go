package store_test

import (
	"testing"
	"time"

	"rempart"
	"rempart/store"
	"rempart/store/storetest"
)

// TestErasedPlace erases the newest changes, which a follower has read: what
// comes next has later places all the same.
func TestErasedPlace(t *testing.T) {
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	db := open(t, t.TempDir()+"/rempart.db", store.Options{Key: storetest.Key, Keyring: storetest.Keyring, Now: func() time.Time { return now }})
	ctx := t.Context()
	entry := func(id string, s rempart.EntryState) rempart.EntryChange {
		return rempart.EntryChange{Entry: rempart.Entry{ID: id, List: "ncii-adult", Fingerprint: rempart.Fingerprint{Type: rempart.MD5, Value: "0123abcd0123abcd0123abcd0123abcd"}, State: s, CaseID: id, CaseRef: "7F3K-9QXM", ItemID: "i", Since: now}}
	}
	if err := db.Commit(ctx, "", rempart.Consequences{Entries: []rempart.EntryChange{entry("first", rempart.EntryActive)}}); err != nil {
		t.Fatal(err)
	}
	s := submission(t)
	s.CodeHash, s.Key, s.Body = "code", "key", "body"
	_, c, _, err := db.Submit(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	_, cursor, err := db.Changes(ctx, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.EraseCase(ctx, c.ID, rempart.Erasure{Why: rempart.EraseWithdrawn, By: "Saule", At: now}); err != nil {
		t.Fatal(err)
	}
	if err := db.Commit(ctx, "", rempart.Consequences{Entries: []rempart.EntryChange{entry("next", rempart.EntryActive)}}); err != nil {
		t.Fatal(err)
	}
	if all, _, err := db.Changes(ctx, cursor, 0); err != nil || len(all) != 1 || all[0].Entry.ID != "next" {
		t.Errorf("the follower is given %v, %v; want the entry that came next", all, err)
	}
}
