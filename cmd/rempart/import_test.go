package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
)

// TestImportKilled kills an import, as kill -9 does, wherever it happens to be,
// and begins it again until it ends: then the list and the index on disk hold
// each value once.
func TestImportKilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	i, err := openInstance(t.Context(), instanceConfig{site: "A", data: dir, hub: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := i.db.Close(); err != nil {
		t.Fatal(err)
	}
	const n = 120_000
	file := filepath.Join(t.TempDir(), "values.csv")
	all := writeValues(t, file, n)
	program, err := exec.LookPath("rempart")
	if err != nil {
		t.Fatal(err)
	}
	killed, after := 0, 400*time.Millisecond
	for ended := false; !ended; after += after/2 + time.Duration(rand.IntN(300))*time.Millisecond {
		cmd := exec.Command(program, "import", "-data", dir, "-list", "ncii-adult", "-source", "a", file)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(after, func() { cmd.Process.Kill() })
		ended = cmd.Wait() == nil
		if timer.Stop(); !ended {
			killed++
		}
		if after > 5*time.Minute {
			t.Fatal("the import does not end")
		}
	}
	if killed < 2 {
		t.Errorf("killed %d times: nothing is shown", killed)
	}
	out, err := exec.Command(program, "import", "-data", dir, "-list", "ncii-adult", "-source", "a", "-dry-run", "-json", file).Output()
	var got flow.Imported
	if err != nil || json.Unmarshal(out, &got) != nil || got.Same != n || got.Added != 0 || got.Missing != 0 {
		t.Fatalf("after %d kills: %s, %v", killed, out, err)
	}
	i, err = openInstance(t.Context(), instanceConfig{site: "A", data: dir, hub: true, index: indexFolder(dir)})
	if err != nil {
		t.Fatal(err)
	}
	if k, err := i.flow.Listed(t.Context()); err != nil || k != n {
		t.Errorf("the index has %d entries, %v, want %d", k, err, n)
	}
	for _, k := range []int{0, 1, n / 2, n - 1} {
		r, _, err := i.flow.Match(t.Context(), []flow.Query{{Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: all[k]}}}, flow.Upload{Peer: "x"})
		if err != nil || len(r[0].Matches) != 1 || r[0].Matches[0].Value != all[k] {
			t.Errorf("value %d: %+v, %v", k, r, err)
		}
	}
	if err := i.flow.Close(); err != nil {
		t.Error(err)
	}
	if err := i.db.Close(); err != nil {
		t.Error(err)
	}
}

// writeValues writes n values that pictures could have to a file, and returns
// them.
func writeValues(t *testing.T, name string, n int) []string {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	r := rand.NewChaCha8([32]byte{1})
	var all []string
	for len(all) < n {
		var b [32]byte
		r.Read(b[:])
		v := hex.EncodeToString(b[:])
		if (rempart.Fingerprint{Type: rempart.PDQ, Value: v, Quality: 90}).Listable() {
			all = append(all, v)
			fmt.Fprintf(w, "%s,90\n", v)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return all
}
