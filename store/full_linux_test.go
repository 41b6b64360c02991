package store_test

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"rempart"
	"rempart/store"
)

// TestDiskFull lets no file grow for a while, as on a full disk: what cannot be
// saved is refused with a clear error and leaves nothing, what was acknowledged is
// there, lookups go on, and writes too as soon as there is room.
func TestDiskFull(t *testing.T) {
	signal.Ignore(syscall.SIGXFSZ) // a write past the limit is an error then
	defer signal.Reset(syscall.SIGXFSZ)
	path := filepath.Join(t.TempDir(), "rempart.db")
	db := open(t, path, options)
	saved := map[string]bool{}
	n := 0
	save := func() error {
		n++
		id := fmt.Sprintf("e%05d", n)
		f := rempart.Fingerprint{Type: rempart.SHA256, Value: fmt.Sprintf("%064x", n), Quality: 100}
		err := db.ApplyFeed(t.Context(), "hub", []rempart.Entry{{ID: id, List: "ncii-adult", Fingerprint: f, State: rempart.EntryActive}}, id)
		saved[id] = err == nil
		return err
	}
	for range 50 {
		if err := save(); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 3 {
		wal, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		var was syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(wal.Size()) + 30_000*uint64(round), Max: was.Max}); err != nil {
			t.Fatal(err)
		}
		refused := 0
		for range 2000 {
			if err := save(); err != nil {
				if refused++; rempart.KindOf(err) != rempart.Unavailable {
					t.Errorf("refused with %v", err)
				}
			}
			if refused == 20 {
				break
			}
		}
		changes, _, readErr := db.Changes(t.Context(), "", 0)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
			t.Fatal(err)
		}
		if refused != 20 {
			t.Fatalf("%d writes were refused, want 20: no disk was full", refused)
		}
		check := func(when string, changes []store.Change, err error) {
			t.Helper()
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
		check("while the disk is full", changes, readErr)
		for range 20 {
			if err := save(); err != nil {
				t.Fatalf("with room again: %v", err)
			}
		}
		changes, _, err = db.Changes(t.Context(), "", 0)
		check("with room again", changes, err)
	}
}
