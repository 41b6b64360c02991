package near

import (
	"math/rand/v2"
	"testing"
	"time"

	"rempart/pdq"
)

// TestLoadBesideFull loads into an index whose segments are too full to be
// merged with what comes: what is replaced dies in them, also on disk.
func TestLoadBesideFull(t *testing.T) {
	rnd := rand.New(rand.NewPCG(41, 42))
	tune := smallTuning
	tune.maxRows = 1000
	dir := t.TempDir()
	x, err := open(dir, Options{}, tune)
	if err != nil {
		t.Fatal(err)
	}
	all, q := make(map[ID]pdq.Hash), random(rnd)
	for round := range 4 {
		var ids []ID
		var hs []pdq.Hash
		for range 700 + 900*(round%2) { // 1600 come in two parts
			ids = append(ids, ID(rnd.IntN(2500)))
			hs = append(hs, turn(rnd, q, 20+rnd.IntN(100)))
			all[ids[len(ids)-1]] = hs[len(hs)-1]
		}
		if err := x.AddAll(ids, hs); err != nil {
			t.Fatal(err)
		}
		check(t, x, all, q, 60)
		if !same(x, all) {
			t.Fatalf("round %d: %d values, want %d", round, x.Len(), len(all))
		}
		closed(t, x)
		if x, err = open(dir, Options{}, tune); err != nil {
			t.Fatal(err)
		}
		if !same(x, all) {
			t.Fatalf("round %d, opened again: %d values, want %d", round, x.Len(), len(all))
		}
	}
	if len(x.segments) < 2 {
		t.Errorf("%d segment: nothing was tested", len(x.segments))
	}
	closed(t, x)
}

// TestLoadTogether loads while somebody else changes the same IDs. Each of
// these is then as the other left it or, where he came first, as loaded, the
// others are as loaded; and the index opened again is the same.
func TestLoadTogether(t *testing.T) {
	rnd := rand.New(rand.NewPCG(43, 44))
	tune := smallTuning
	tune.fullTail, tune.maxTail = 1<<19, 1<<20
	raced := 0
	for round := range 10 {
		dir := t.TempDir()
		x, err := open(dir, Options{}, tune)
		if err != nil {
			t.Fatal(err)
		}
		var ids []ID
		var hs []pdq.Hash
		loaded, other := make(map[ID]pdq.Hash), make(map[ID]pdq.Hash)
		for i := range ID(3000) {
			if i%3 == 0 {
				x.Add(i, random(rnd)) // to be replaced
			}
			ids, hs = append(ids, i), append(hs, random(rnd))
			loaded[i] = hs[i]
		}
		failed := make(chan error, 1)
		go func() { failed <- x.AddAll(ids, hs) }()
		touched := make(map[ID]bool)
		for i := 0; len(failed) == 0; i++ {
			if i%10 == 0 {
				time.Sleep(50 * time.Microsecond)
			}
			id := ID(rnd.IntN(3000))
			touched[id] = true
			if rnd.IntN(2) == 0 {
				x.Remove(id)
				delete(other, id)
			} else {
				other[id] = random(rnd)
				x.Add(id, other[id])
			}
		}
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
		all := make(map[ID]pdq.Hash)
		for _, m := range x.Search(pdq.Hash{}, 256) {
			if _, twice := all[m.ID]; twice {
				t.Fatalf("%d is found twice", m.ID)
			}
			all[m.ID] = m.Hash
		}
		for id := range ID(3000) {
			got, here := all[id]
			theirs, left := other[id]
			switch {
			case here && got == loaded[id]:
			case touched[id] && here == left && got == theirs:
				raced++
			default:
				t.Fatalf("round %d: %d is as nobody left it", round, id)
			}
		}
		closed(t, x)
		x = reopen(t, dir, Options{})
		if !same(x, all) {
			t.Fatalf("round %d: opened again it has %d values, want %d", round, x.Len(), len(all))
		}
		closed(t, x)
	}
	if raced == 0 {
		t.Error("nobody came between: nothing was tested")
	}
}
