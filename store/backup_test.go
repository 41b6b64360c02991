package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rempart"
	"rempart/store"
	"rempart/store/storetest"
)

// TestBackup makes a backup, then erases a case: the data of the backup and the
// keys as they are now open the other case and not that one.
func TestBackup(t *testing.T) {
	dsn := filepath.Join(t.TempDir(), "rempart.db")
	db := open(t, dsn, options)
	ctx := t.Context()
	kept, gone := closed(t, db, time.Now()), closed(t, db, time.Now())
	path := filepath.Join(t.TempDir(), "backup.db")
	if err := db.Backup(ctx, path); err != nil {
		t.Fatal(err)
	}
	if err := db.Backup(ctx, path); err == nil {
		t.Error("a backup was written over another one")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(kept.Ref)) {
		t.Fatal("the backup does not hold what is kept in clear: the search is worth nothing")
	}
	for owner, w := range keysOf(t, db) {
		if bytes.Contains(b, w) {
			t.Errorf("the backup holds the key of %s", owner)
		}
	}
	for _, text := range []string{kept.Words, "Camille", "forum.exemple.test", "all is done"} {
		if bytes.Contains(b, []byte(text)) {
			t.Errorf("the backup holds %q in clear", text)
		}
	}

	if err := db.EraseCase(ctx, gone.ID, rempart.Erasure{Why: rempart.EraseOrdered, By: "a", At: time.Now(), Reason: "an order of a court"}); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if n, err := db.ExportKeys(ctx, &file); err != nil || n != 2 { // of the case and of its identity
		t.Fatalf("%d keys, %v", n, err)
	}
	keys, err := store.ReadKeys(&file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := store.PutKeys(ctx, path, keys, storetest.Ring)
	if err != nil || r.Cases != 2 || r.Without != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	back := open(t, path, options)
	if c, err := back.Case(ctx, kept.ID); err != nil || c.Words != kept.Words {
		t.Errorf("the case that was kept: %v", err)
	}
	if i, err := back.OpenIdentity(ctx, kept.ID, "to call her back", "Saule"); err != nil || i.Name != "Camille Exemple" {
		t.Errorf("its identity: %v", err)
	}
	if c, err := back.Case(ctx, gone.ID); err == nil {
		t.Errorf("the case that was erased opens: %s", c.Words)
	}
	if _, err := back.OpenIdentity(ctx, gone.ID, "to call her back", "Saule"); err == nil {
		t.Error("the identity of the case that was erased opens")
	}
	if n, _, err := back.EraseKeyless(ctx, rempart.Erasure{Why: rempart.EraseRestored, By: "a", At: time.Now()}); err != nil || n != 1 {
		t.Errorf("erased again: %d, %v", n, err)
	}
	if rep := verify(t, back); !rep.Whole {
		t.Errorf("%+v", rep)
	}
	if _, err := store.ReadKeys(bytes.NewReader([]byte("{\"owner\":\"a\"}\n"))); err == nil {
		t.Error("a key without a key was read")
	}
	if _, err := store.Alone(ctx, dsn); err == nil {
		t.Error("a database that is open is said to be nobody's")
	}
}

// TestPutKeys takes the keys away and puts them back.
func TestPutKeys(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, dsn string) {
		ctx := t.Context()
		c := closed(t, db, time.Now())
		var file bytes.Buffer
		if _, err := db.ExportKeys(ctx, &file); err != nil {
			t.Fatal(err)
		}
		run(t, db, "DELETE FROM sealed_keys")
		if _, err := db.Case(ctx, c.ID); err == nil {
			t.Fatal("opened without its key")
		}
		keys, err := store.ReadKeys(&file)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, store.SealedKey{Owner: "nobody", Box: "case", Wrapped: []byte{1}})
		if r, err := store.PutKeys(ctx, dsn, keys, storetest.Ring); err != nil || r.Cases != 1 || r.Without != 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		if got, err := db.Case(ctx, c.ID); err != nil || got.Words != c.Words {
			t.Errorf("with its key again: %v", err)
		}
		if n, err := db.KeyCounts(ctx); err != nil || n[storetest.Ring.Primary()] != 2 {
			t.Errorf("keys %v, %v: one of nobody's was put there", n, err)
		}
	})
}
