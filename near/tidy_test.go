package near

import (
	"math/rand/v2"
	"testing"

	"rempart/pdq"
)

// calmed returns when no merge is under way.
func calmed(x *Index) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for x.merging {
		x.calm.Wait()
	}
}

// TestTidy makes one segment of what came one by one, while it is changed and
// searched, and again after it was closed at once.
func TestTidy(t *testing.T) {
	rnd := rand.New(rand.NewPCG(61, 62))
	dir := t.TempDir()
	x, all := reopen(t, dir, Options{}), make(map[ID]pdq.Hash)
	q := random(rnd)
	if x.Tidy() {
		t.Error("an empty index is not untidy")
	}
	add := func(from, to int) {
		for i := from; i < to; i++ {
			all[ID(i)] = turn(rnd, q, rnd.IntN(90))
			x.Add(ID(i), all[ID(i)])
		}
	}
	next := 0
	scatter := func() { // until there are two segments, of which neither is nearly all
		for from := next; ; from = next {
			next = from + 100
			add(from, next)
			if calmed(x); x.scattered() {
				return
			}
			if next > from+20_000 {
				t.Fatal("there is one segment only")
			}
		}
	}
	scatter()
	if !x.Tidy() {
		t.Fatal("several segments are not tidied")
	}
	for i := range 300 { // while it works, or after
		x.Remove(ID(i))
		delete(all, ID(i))
		all[ID(300+i)] = turn(rnd, q, i%40)
		x.Add(ID(300+i), all[ID(300+i)])
		if i%60 == 0 {
			check(t, x, all, q, 31)
		}
	}
	check(t, x, all, q, 40)
	calmed(x)
	if n := x.Stats().Segments; n == 1 && x.Tidy() {
		t.Error("one segment is tidied again")
	}
	calmed(x)
	scatter()
	if !x.Tidy() {
		t.Fatal("not tidied the second time")
	}
	closed(t, x) // waits for it
	x = reopen(t, dir, Options{})
	if s := x.Stats(); s.Segments != 1 || s.Values != len(all) {
		t.Errorf("after it was closed: %+v, want %d", s, len(all))
	}
	check(t, x, all, q, 40)
	closed(t, x)
}

// TestTidyEnds: what cannot be one segment, as it has too many values, is not made
// anew without end.
func TestTidyEnds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(63, 64))
	x, all := newIndex(tuning{fullTail: 16, maxTail: 40, maxRows: 400, ready: force, widths: func(int) []uint8 { return cut(32, 8, 0, 0) }}), make(map[ID]pdq.Hash)
	q := random(rnd)
	for i := range 3000 {
		all[ID(i)] = turn(rnd, q, rnd.IntN(90))
		x.Add(ID(i), all[ID(i)])
	}
	calmed(x)
	times := 0
	for x.Tidy() {
		if times++; times > 20 {
			t.Fatalf("tidied %d times, and there are still %d segments", times, len(x.segments))
		}
		calmed(x)
	}
	check(t, x, all, q, 40)
	calmed(x)
	if x.Len() != len(all) || len(x.segments) < 8 {
		t.Errorf("%d values in %d segments", x.Len(), len(x.segments))
	}
}
