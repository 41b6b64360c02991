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
	all, dir := valuesOf(7, 33_000), t.TempDir()
	update := func(upTo int) {
		s.imported(csvOf(all[:upTo]), flow.ImportOptions{Source: "source:a"})
		if did, err := s.UpdateIndex(t.Context(), dir, func(int) {}); err != nil || !did {
			t.Fatalf("%v, %v", did, err)
		}
		if n := segments(dir); n != 1 {
			t.Errorf("%d segments after an import of %d", n, upTo)
		}
	}
	update(22_000)
	s.imported(csvOf(all[:27_000]), flow.ImportOptions{Source: "source:a"})
	for try := 0; ; try++ {
		s.onDisk(dir)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if err := s.Follow(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		s.closeIndex()
		read, n := s.Entries(), segments(dir)
		if read == 27_000 && n == 1 {
			break
		}
		if try == 60 {
			t.Fatalf("%d in %d segments, however long the changes are followed", read, n)
		}
	}
	update(len(all))
	s.onDisk(dir)
	if len(s.finds(all[0])) != 1 || len(s.finds(all[len(all)-1])) != 1 {
		t.Error("not all are found")
	}
	s.closeIndex()
}

// TestSlowToRead: a database that gives a page of changes too late is asked for a
// smaller one, again and again until it can be read.
func TestSlowToRead(t *testing.T) {
	s := newSide(t, newClock(), time.Second)
	all := valuesOf(8, 3000)
	s.imported(csvOf(all), flow.ImportOptions{Source: "source:a"})
	defer flow.ReadLimit(flow.ReadLimit(time.Nanosecond))
	last := s.Page()
	for range 5 {
		if n, err := s.Listed(t.Context()); err == nil {
			t.Fatalf("%d are listed, of a database that does not answer", n)
		}
		now := s.Page()
		if now > last || now == last && now != 100 {
			t.Errorf("after %d changes, %d are asked for", last, now)
		}
		last = now
	}
	if last != 100 {
		t.Errorf("at last %d are asked for", last)
	}
	flow.ReadLimit(time.Minute)
	if n, err := s.Listed(t.Context()); err != nil || n != len(all) {
		t.Errorf("%d of %d are read, %v", n, len(all), err)
	}
	if now := s.Page(); now <= 1000 {
		t.Errorf("when it answers again, %d are asked for", now)
	}
}
