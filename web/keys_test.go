package web

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/store"
	"rempart/store/storetest"
)

// TestKeyTakenBack takes a key back here, where it counts at once, and in another
// process, where it counts a second later at most; and takes the database away,
// while which lookups go on with keys that were known, and with no others.
func TestKeyTakenBack(t *testing.T) {
	d := newDesk(t, true, true)
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "rempart.db")
	open := func() *store.DB {
		db, err := store.Open(ctx, path, store.Options{Key: make([]byte, 32), Keyring: storetest.Keyring, Name: "pole.exemple.test"})
		d.must(err)
		t.Cleanup(func() { db.Close() })
		return db
	}
	here, there := open(), open()
	d.srv.DB, d.flow.DB = here, here
	p := rempart.Peer{ID: "one", Name: "Un", Kind: rempart.PeerPlatform, CreatedAt: d.now}
	listed := entryOf("a", "AAAA-2345", picture(1))
	d.must(here.PutPeer(ctx, p, "key-of-one", nil))
	ask := func(key string) (int, string) {
		t.Helper()
		status, _, text := d.call("POST", "/api/v1/match", "application/json", strings.NewReader(`{"fingerprints":[{"type":"pdq","value":"`+listed.Fingerprint.Value+`"}]}`), "Authorization", "Bearer "+key)
		return status, text
	}
	want := func(when, key string, status int) {
		t.Helper()
		if got, text := ask(key); got != status {
			t.Errorf("%s: %d %s, want %d", when, got, text, status)
		}
	}
	want("a key", "key-of-one", 200)
	p.DisabledAt = time.Now().Add(-time.Hour)
	d.must(here.PutPeer(ctx, p, "", nil))
	want("taken back here", "key-of-one", 401)
	p.DisabledAt = time.Time{}
	d.must(here.PutPeer(ctx, p, "", nil))
	want("given again", "key-of-one", 200)
	p.DisabledAt = time.Now().Add(-time.Hour)
	d.must(there.PutPeer(ctx, p, "", nil))
	time.Sleep(keyFresh + 50*time.Millisecond)
	want("taken back elsewhere", "key-of-one", 401)
	p.DisabledAt = time.Time{}
	d.must(there.PutPeer(ctx, p, "", nil))
	want("given again elsewhere", "key-of-one", 200)

	d.own(rempart.EntryActive, listed) // in the database that the index reads
	time.Sleep(keyFresh + 50*time.Millisecond)
	if status, text := ask("key-of-one"); status != 200 || !strings.Contains(text, "AAAA-2345") {
		t.Errorf("before the database is away: %d %s", status, text)
	}
	d.must(here.Close())
	d.must(d.db.Close())
	time.Sleep(keyFresh + 50*time.Millisecond)
	if status, text := ask("key-of-one"); status != 200 || !strings.Contains(text, "AAAA-2345") {
		t.Errorf("the database is away: %d %s", status, text)
	}
	if status, _ := ask("key-of-nobody"); status == 200 {
		t.Error("the database is away, and a key of nobody opens")
	}
}
