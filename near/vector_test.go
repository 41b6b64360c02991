package near

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPlain does what is done with vector instructions without them.
func TestPlain(t *testing.T) {
	defer func(s, v bool) { scanVector.Store(s); vector.Store(v) }(scanVector.Load(), vector.Load())
	vector.Store(false)
	for _, may := range []bool{scanVector.Load(), false} {
		scanVector.Store(may)
		t.Run("Needles", TestNeedles)
		t.Run("Boundaries", TestBoundaries)
		t.Run("CutsAtBoundaries", TestCutsAtBoundaries)
		t.Run("Alike", TestAlike)
	}
}

// FuzzVector compares the ways with vector instructions and without, and both
// with what they promise.
func FuzzVector(f *testing.F) {
	if !scanVector.Load() {
		f.Skip("this processor has no vector ways")
	}
	wide := vector.Load()
	f.Add(uint64(1), uint16(1), uint8(31))
	f.Add(uint64(2), uint16(64), uint8(0))
	f.Add(uint64(3), uint16(300), uint8(70))
	f.Add(uint64(4), uint16(1024), uint8(255))
	f.Fuzz(func(t *testing.T, seed uint64, size uint16, radius uint8) {
		n, rnd := int(size)%(scanBlock+1), rand.New(rand.NewPCG(seed, 2))
		q := query{words: random(rnd).Words()}
		all := newTail()
		for i := range n {
			all.add(ID(i), turn(rnd, q.words.hash(), rnd.IntN(257)).Words())
		}
		for way := range 8 {
			var got, want masks
			q.dense, q.second = way&1, way&2 != 0
			vector.Store(wide && way&4 != 0)
			block{all.heads, all.tails}.near(&got, &q, int(radius))
			for i := range n {
				if w := (block{all.heads, all.tails}).row(i); w.hash().Distance(q.words.hash()) <= int(radius) {
					want[i/64] |= 1 << (i % 64)
				}
			}
			if got != want {
				t.Fatalf("%d of %d are near, want %d", got.count(), n, want.count())
			}
		}
		if vector.Store(wide); n == 0 {
			return
		}
		s := build([]*source{tailSource(all, nil)}, cuts["32×8"])
		sc := new(scratch)
		var runs []run
		for range 1 + rnd.IntN(40) {
			r := run{start: uint32(rnd.IntN(n)), tag: uint16(rnd.Uint32()), bound: uint8(rnd.IntN(17)), chunk: uint8(rnd.IntN(32)), query: uint16(rnd.IntN(64))}
			r.count = 1 + uint32(rnd.IntN(n-int(r.start)))
			runs = append(runs, r)
		}
		want := s.plainTags(nil, runs)
		sc.k = copy(sc.runs[:], runs)
		s.match(sc)
		if !slices.Equal(sc.found, want) {
			t.Fatalf("%d tags are near, want %d", len(sc.found), len(want))
		}
		k := 0
		for _, r := range runs {
			for at := r.start; at < r.start+r.count; at++ {
				if bits.OnesCount16(binary.LittleEndian.Uint16(s.chunks[r.chunk].tags[2*at:])^r.tag) <= int(r.bound) {
					if k == len(want) || want[k].at != at || want[k].chunk != r.chunk || want[k].query != r.query {
						t.Fatal("not the tags that are near")
					}
					k++
				}
			}
		}
		if k != len(want) {
			t.Fatalf("%d tags are near, want %d", len(want), k)
		}
	})
}

// TestOrder: matches come out in order however they came in.
func TestOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(49, 50))
	for _, n := range []int{0, 1, 63, 64, 65, 5000} {
		found := make([]Match, n)
		for i := range found {
			found[i] = Match{ID: ID(i), Distance: rnd.IntN(257)}
		}
		for range 2 {
			want := slices.Clone(found)
			slices.SortFunc(want, func(a, b Match) int { return cmp.Or(a.Distance-b.Distance, cmp.Compare(a.ID, b.ID)) })
			if got := inOrder(slices.Clone(found)); !slices.Equal(got, want) {
				t.Fatalf("%d matches are not in order", n)
			}
			rnd.Shuffle(n, func(i, k int) { found[i], found[k] = found[k], found[i] })
		}
	}
}
