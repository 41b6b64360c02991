package flow_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"rempart/flow"
	"rempart/near"
)

// TestTidied: what an import or a reading of the change table brought value by
// value ends as one segment, as each is searched apart.
func TestTidied(t *testing.T) {
	s := newSide(t, newClock(), time.Second)
	segments := func(dir string) int {
		x, err := near.Open(filepath.Join(dir, "1", "values"), near.Options{})
		if err != nil {
			t.Fatal(err)
		}
		n := x.Stats().Segments
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		return n
	}
	all, dir := valuesOf(7, 45_000), t.TempDir()
	for _, upTo := range []int{30_000, len(all)} {
		s.imported(csvOf(all[:upTo]), flow.ImportOptions{Source: "source:a"})
		if did, err := s.UpdateIndex(t.Context(), dir, func(int) {}); err != nil || !did {
			t.Fatalf("%v, %v", did, err)
		}
		if n := segments(dir); n != 1 {
			t.Errorf("%d segments after an import of %d", n, upTo)
		}
	}
	dir = t.TempDir()
	for try := 0; ; try++ {
		s.onDisk(dir)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if err := s.Follow(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		s.closeIndex()
		n := segments(dir)
		if n == 1 {
			break
		}
		if try == 30 {
			t.Fatalf("%d segments, however long the changes are followed", n)
		}
	}
	s.onDisk(dir)
	if len(s.finds(all[0])) != 1 || len(s.finds(all[len(all)-1])) != 1 {
		t.Error("not all are found")
	}
	s.closeIndex()
}
