package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestWriteReplaces(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a")
	for _, text := range []string{"first", "2", ""} {
		if err := WriteFile(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, name); got != text {
			t.Errorf("%q, want %q", got, text)
		}
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if n := names(t, dir); n != 1 {
		t.Errorf("%d files, want 1", n)
	}
}

// TestFailureChangesNothing: a writer that fails half way leaves the old file
// and no other.
func TestFailureChangesNothing(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a")
	if err := WriteFile(name, []byte("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("full")
	err := Write(name, func(w io.Writer) error {
		if _, err := w.Write([]byte("ne")); err != nil {
			return err
		}
		return full
	})
	if !errors.Is(err, full) {
		t.Errorf("%v, want %v", err, full)
	}
	if got := read(t, name); got != "old" || names(t, dir) != 1 {
		t.Errorf("%q in %d files", got, names(t, dir))
	}
	if err := WriteFile(filepath.Join(dir, "none", "a"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestSweepAndRemove(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b" + Unfinished, "c"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(dir); err != nil || names(t, dir) != 2 {
		t.Errorf("%d files left, %v", names(t, dir), err)
	}
	if err := Remove(filepath.Join(dir, "a")); err != nil || names(t, dir) != 1 {
		t.Errorf("%d files left, %v", names(t, dir), err)
	}
	if err := Remove(filepath.Join(dir, "a")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("removed twice: %v", err)
	}
}
