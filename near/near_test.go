package near

import (
	"bufio"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rempart/pdq"
)

// force makes a segment search its tables whatever they cost.
func force(s *segment) {
	s.plans = plansFor(s.chunks, 1<<24, 1<<25)
	s.maxAlike, s.fewFetched, s.maxFetched = math.MaxInt, math.MaxInt32, math.MaxInt
}

// small is an index that makes segments of few values, in chunks of few bits,
// and searches their tables.
func small() *Index {
	return newIndex(tuning{
		fullTail: 16, maxTail: 40, maxRows: maxRows, ready: force,
		widths: func(n int) []uint8 { return cut(32, 8, 0, 0) },
	})
}

// both are the two ways an index may be built inside.
var both = map[string]func() *Index{"tail": New, "segments": small}

// cuts are all the ways values are cut, and some that they are not.
var cuts = map[string][]uint8{
	"none":                     nil,
	"20 thousand":              widthsFor(20_000),
	"100 thousand":             widthsFor(100_000),
	"10 million":               widthsFor(10_000_000),
	"20 thousand of version 1": cut(8, 14, 16, 9),
	"64×4":                     cut(64, 4, 0, 0),
	"32×8":                     cut(32, 8, 0, 0),
	"widest":                   cut(2, 24, 13, 16),
	"uneven":                   {1, 24, 2, 23, 3, 22, 4, 21, 5, 20, 6, 19, 7, 18, 8, 17, 9, 16, 10, 15, 6},
}

// segmentOf returns an index of one segment.
func segmentOf(all map[ID]pdq.Hash, widths []uint8) *Index {
	x := New()
	t := newTail()
	for id, h := range all {
		t.add(id, h.Words())
	}
	s := build([]*source{tailSource(t, nil)}, widths)
	force(s)
	x.segments, x.live = []*segment{s}, len(all)
	return x
}

func random(rnd *rand.Rand) (h pdq.Hash) {
	for i := range h {
		h[i] = byte(rnd.Uint32())
	}
	return h
}

// turn returns h with n different bits turned.
func turn(rnd *rand.Rand, h pdq.Hash, n int) pdq.Hash {
	for _, k := range rnd.Perm(256)[:n] {
		h[k/8] ^= 1 << (k % 8)
	}
	return h
}

// readAll is what Search must return: it reads every value, and is written
// from the promise alone.
func readAll(all map[ID]pdq.Hash, q pdq.Hash, radius int) []Match {
	var found []Match
	for id, h := range all {
		if d := h.Distance(q); d <= radius {
			found = append(found, Match{id, h, d})
		}
	}
	slices.SortFunc(found, func(a, b Match) int {
		if a.Distance != b.Distance {
			return a.Distance - b.Distance
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return found
}

// check compares Search and SearchBatch with reading all.
func check(t *testing.T, x *Index, all map[ID]pdq.Hash, q pdq.Hash, radius int) {
	t.Helper()
	want := readAll(all, q, radius)
	found := append(x.SearchBatch([]pdq.Hash{q, q}, radius), x.Search(q, radius))
	for i, got := range found {
		if !slices.Equal(want, got) || (want == nil) != (got == nil) {
			t.Fatalf("%d of %d, Search(%v, %d): %s", i, len(found), q, radius, cmp.Diff(want, got))
		}
	}
}

func fixture(t *testing.T, name string) []pdq.Hash {
	t.Helper()
	dir := os.Getenv("REMPART_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "fixtures")
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no fixtures: set REMPART_FIXTURES: %v", err)
		}
		t.Skipf("no fixtures: set REMPART_FIXTURES to their folder: %v", err)
	}
	defer f.Close()
	var all []pdq.Hash
	for lines := bufio.NewScanner(f); lines.Scan(); {
		h, err := pdq.Parse(lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, h)
	}
	if len(all) == 0 {
		t.Fatalf("%s is empty", name)
	}
	return all
}

// TestNeedles counts pairs as the fixtures' README does.
func TestNeedles(t *testing.T) {
	needles, haystack := fixture(t, "needles.txt"), fixture(t, "haystack.txt")
	for name, build := range both {
		x, all := build(), make(map[ID]pdq.Hash)
		seen := make(map[pdq.Hash]bool)
		for i, h := range haystack {
			if !seen[h] {
				seen[h] = true
				x.Add(ID(i), h)
				all[ID(i)] = h
			}
		}
		for radius, want := range map[int]int{0: 50, 8: 150, 16: 152, 24: 250, 31: 250, 47: 287, 63: 352} {
			pairs := 0
			for _, q := range needles {
				pairs += len(x.Search(q, radius))
				check(t, x, all, q, radius)
			}
			if pairs != want {
				t.Errorf("%s: %d pairs within %d bits, want %d", name, pairs, radius, want)
			}
		}
	}
}

// TestBoundaries puts values at each distance from one and searches at each
// radius.
func TestBoundaries(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	q := random(rnd)
	for name, build := range both {
		x, all := build(), make(map[ID]pdq.Hash)
		for d := 0; d <= 256; d++ {
			h := turn(rnd, q, d)
			if got := h.Distance(q); got != d {
				t.Fatalf("distance %d, want %d", got, d)
			}
			x.Add(ID(d), h)
			all[ID(d)] = h
		}
		for radius := 0; radius <= 256; radius++ {
			if got := x.Search(q, radius); len(got) != radius+1 || got[radius].Distance != radius {
				t.Fatalf("%s: radius %d: %d matches", name, radius, len(got))
			}
			check(t, x, all, q, radius)
		}
		if got := x.Search(q, 1000); len(got) != 257 {
			t.Errorf("%s: radius 1000: %d matches", name, len(got))
		}
		if got := x.Search(q, -1); got != nil {
			t.Errorf("%s: radius -1: %v", name, got)
		}
	}
}

// TestCutsAtBoundaries does the same for each cut, and at each radius for
// which it has a plan puts the bits where they are hardest to find: in each
// chunk one more than is looked for, but for one chunk.
func TestCutsAtBoundaries(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 6))
	for name, widths := range cuts {
		q := random(rnd)
		all := make(map[ID]pdq.Hash)
		for d := 0; d <= 256; d++ {
			all[ID(d)] = turn(rnd, q, d)
		}
		planned := 0
		hardest := make(map[ID]int)
		for _, radius := range []int{0, 1, 7, 15, 16, 23, 30, 31, 32, 40} {
			p := plansFor(cutInto(widths, 2), 1<<24, 1<<25)[radius]
			if p == nil {
				continue
			}
			planned++
			for spared := range widths {
				h, at, total := q, 0, 0
				for c, w := range widths {
					n := min(int(p.turns[c])+1, int(w))
					if c == spared {
						n = int(p.turns[c])
					}
					for _, k := range rnd.Perm(int(w))[:max(n, 0)] {
						h = flipBit(h, at+k)
						total++
					}
					at += int(w)
				}
				if p.turns[spared] < 0 {
					continue
				}
				if total != radius {
					t.Fatalf("%s: %d bits at radius %d", name, total, radius)
				}
				id := ID(1000*radius + spared + 1000)
				all[id], hardest[id] = h, radius
			}
		}
		if planned < 5 && name != "none" {
			t.Errorf("%s: %d radii have a plan", name, planned)
		}
		x := segmentOf(all, widths)
		for radius := 0; radius < 96; radius += 1 + radius/8 {
			check(t, x, all, q, radius)
		}
		for id, radius := range hardest {
			if !slices.ContainsFunc(x.Search(q, radius), func(m Match) bool { return m.ID == id }) {
				t.Errorf("%s: %d is not found", name, id)
			}
		}
	}
}

// flipBit turns the bit that segments count as the k-th.
func flipBit(h pdq.Hash, k int) pdq.Hash {
	w := words(h.Words())
	w[k/64] ^= 1 << (k % 64)
	return w.hash()
}

// TestFew: one value, two, or copies of one in a number that is a power of two
// are found. HMA's index loses them (facebook/ThreatExchange issue 1318).
func TestFew(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	h := random(rnd)
	for name, build := range both {
		x := build()
		if got := x.Search(h, 256); got != nil || x.Len() != 0 {
			t.Errorf("%s: empty: %v", name, got)
		}
		for n := 1; n <= 9; n++ {
			x.Add(ID(n), h)
			if got := x.Search(turn(rnd, h, 31), 31); len(got) != n || x.Len() != n {
				t.Errorf("%s: %d copies: %d found", name, n, len(got))
			}
		}
	}
}

func TestReplaceAndRemove(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	a, b := random(rnd), random(rnd)
	for name, build := range both {
		x := build()
		x.Add(1, a)
		x.Add(2, a)
		x.Add(1, b)
		if diff := cmp.Diff([]Match{{2, a, 0}}, x.Search(a, 31)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff([]Match{{1, b, 0}}, x.Search(b, 31)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if x.Remove(3) || !x.Remove(2) || x.Remove(2) || x.Len() != 1 {
			t.Errorf("%s: Remove is wrong, %d left", name, x.Len())
		}
		if got := x.Search(a, 31); got != nil {
			t.Errorf("%s: removed, and found: %v", name, got)
		}
	}
}

// TestGrows crosses the sizes at which segments are made and merged.
func TestGrows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	x, all := New(), make(map[ID]pdq.Hash)
	for i := range 30_000 {
		h := random(rnd)
		if i%97 == 0 && i > 0 {
			h = turn(rnd, all[ID(i-1)], i%32)
		}
		x.Add(ID(i), h)
		all[ID(i)] = h
		if i%1000 == 0 {
			check(t, x, all, turn(rnd, h, 20), 31)
		}
	}
	x.Compact()
	if len(x.segments) != 1 || x.segments[0].plans[31] == nil || x.tail.len() != 0 {
		t.Fatalf("%d segments after Compact", len(x.segments))
	}
	used := 0
	sc := new(scratch)
	for i := range 60 {
		q := turn(rnd, all[ID(97*i+96)], i)
		check(t, x, all, q, 31)
		sc.queries[0] = query{words: q.Words()}
		x.segments[0].probe(sc, sc.queries[:1], 31)
		if sc.queries[0].way == byTables {
			used++
		}
	}
	if used != 60 {
		t.Errorf("the tables were used for %d searches of 60", used)
	}
	for id := range all {
		if id%2 == 0 {
			x.Remove(id)
			delete(all, id)
		}
	}
	for i := range 60 {
		check(t, x, all, turn(rnd, all[ID(2*i+1)], i), 31)
	}
	x.Compact()
	if x.Len() != 15_000 || x.segments[0].n != 15_000 {
		t.Errorf("%d values, %d rows", x.Len(), x.segments[0].n)
	}
	for i := range 60 {
		check(t, x, all, turn(rnd, all[ID(2*i+1)], i), 31)
	}
}

// TestAlike: where all are copies, or alike in a chunk, or a few bits apart,
// what is found is right, and no more is read than bounds allow.
func TestAlike(t *testing.T) {
	rnd := rand.New(rand.NewPCG(13, 14))
	one := random(rnd)
	for name, make1 := range map[string]func(i int) pdq.Hash{
		"copies":    func(int) pdq.Hash { return one },
		"few bits":  func(i int) pdq.Hash { return turn(rnd, one, i%9) },
		"one chunk": func(int) pdq.Hash { h := random(rnd); copy(h[6:10], one[6:10]); return h },
		"half":      func(int) pdq.Hash { h := random(rnd); copy(h[:16], one[:16]); return h },
		"thousand": func(i int) pdq.Hash {
			if i < 1000 {
				return one
			}
			return random(rnd)
		},
		"two clusters": func(i int) pdq.Hash { h := turn(rnd, one, i%5); h[0] ^= byte(-(i & 1)); return h },
	} {
		x, all := New(), make(map[ID]pdq.Hash)
		for i := range 20_000 {
			h := make1(i)
			x.Add(ID(i), h)
			all[ID(i)] = h
		}
		x.Compact()
		s := x.segments[0]
		for _, radius := range []int{0, 16, 31} {
			for _, bits := range []int{1, 16, 31} {
				q := turn(rnd, one, bits)
				want, got := readAll(all, q, radius), x.Search(q, radius)
				if !slices.Equal(want, got) || (want == nil) != (got == nil) {
					t.Fatalf("%s: %d found, want %d", name, len(got), len(want))
				}
				sc := new(scratch)
				sc.queries[0] = query{words: q.Words()}
				s.probe(sc, sc.queries[:1], radius)
				if f := sc.queries[0].fetched; f > s.n/scanRows+fullRuns*scanRows && sc.queries[0].way != byScan {
					t.Errorf("%s: %d rows fetched of %d", name, f, s.n)
				}
			}
		}
	}
}

// TestTogether changes and searches at once. What is never touched is always
// found; nothing is found that is not there.
func TestTogether(t *testing.T) {
	rnd := rand.New(rand.NewPCG(15, 16))
	const fixed, moving = 500, 100
	for name, build := range both {
		x, all := build(), make(map[ID]pdq.Hash)
		for i := range ID(fixed) {
			all[i] = random(rnd)
			x.Add(i, all[i])
		}
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for w := range 2 {
			rnd := rand.New(rand.NewPCG(17, uint64(w)))
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					id := ID(fixed + 1000*w + rnd.IntN(moving))
					near := turn(rnd, all[ID(rnd.IntN(fixed))], 5)
					x.Add(id, near)
					if got := x.Search(near, 0); !slices.Contains(got, Match{id, near, 0}) {
						t.Errorf("%s: %d was added and is not found", name, id)
					}
					if rnd.IntN(3) == 0 {
						x.Remove(id)
						if got := x.Search(near, 0); slices.Contains(got, Match{id, near, 0}) {
							t.Errorf("%s: %d was removed and is found", name, id)
						}
					}
				}
			})
		}
		var readers sync.WaitGroup
		for r := range 4 {
			rnd := rand.New(rand.NewPCG(18, uint64(r)))
			readers.Go(func() {
				for range 300 {
					id := ID(rnd.IntN(fixed))
					q := turn(rnd, all[id], rnd.IntN(32))
					seen := false
					for _, m := range x.Search(q, 31) {
						seen = seen || m.ID == id
						if m.Distance != m.Hash.Distance(q) || m.Distance > 31 {
							t.Errorf("%s: a wrong match: %v", name, m)
						}
					}
					if !seen {
						t.Errorf("%s: %d is not found", name, id)
					}
				}
			})
		}
		readers.Wait()
		close(stop)
		wg.Wait()
	}
}

// FuzzSearch checks that the index finds exactly what reading every value
// finds, after any changes.
func FuzzSearch(f *testing.F) {
	f.Add(uint64(1), uint8(31), uint8(0), []byte("add some, remove some"))
	f.Add(uint64(2), uint8(0), uint8(1), []byte{0, 0, 0, 255, 255, 255})
	f.Add(uint64(3), uint8(255), uint8(2), []byte{})
	f.Add(uint64(4), uint8(63), uint8(3), []byte("\x80\x81\x82\x83\x40\x41\x42\x43\x00\x01\x02\x03"))
	may := vector.Load()
	f.Fuzz(func(t *testing.T, seed uint64, radius, way uint8, changes []byte) {
		vector.Store(may && seed%2 == 0)
		rnd := rand.New(rand.NewPCG(seed, 1))
		q := random(rnd)
		all := make(map[ID]pdq.Hash)
		x := small()
		x.tuning.widths = func(int) []uint8 {
			return [][]uint8{cuts["none"], cuts["64×4"], cuts["32×8"], cuts["20 thousand"]}[way%4]
		}
		x.tuning.fullTail = 1 + int(way>>2)
		for i, c := range changes {
			id := ID(c % 64)
			// Bits that differ lie anywhere, or close together.
			h := turn(rnd, q, rnd.IntN(80))
			if rnd.IntN(3) == 0 {
				h = q
				for range rnd.IntN(60) {
					h = flipBit(h, (int(seed%256)+rnd.IntN(1+int(seed>>8%120)))%256)
				}
			}
			if c >= 192 {
				_, want := all[id]
				if got := x.Remove(id); got != want {
					t.Fatalf("Remove(%d) = %v", id, got)
				}
				delete(all, id)
				continue
			}
			if c >= 128 {
				h = q
			}
			x.Add(id, h)
			all[id] = h
			if i%29 == 28 {
				x.Tidy()
			}
			if i%50 == 49 {
				check(t, x, all, q, int(radius))
			}
		}
		for range 2 {
			if x.Len() != len(all) {
				t.Fatalf("%d values, want %d", x.Len(), len(all))
			}
			check(t, x, all, q, int(radius))
			check(t, x, all, q, int(radius)%64)
			check(t, x, all, turn(rnd, q, 20), int(radius)%64)
			x.Compact()
		}
		x = segmentOf(all, x.tuning.widths(0))
		for i := range 3 {
			check(t, x, all, turn(rnd, q, 10*i), int(radius)%64)
		}
	})
}
