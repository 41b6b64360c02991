package near

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rempart/pdq"
)

// banded returns an index that has tables from the first value on.
func banded() *Index {
	x := New()
	x.minimum = 1
	return x
}

// both are the two ways an index may be built inside.
var both = map[string]func() *Index{"scan": New, "banded": banded}

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

// check compares Search, and the tables whatever Search would choose, with
// reading all.
func check(t *testing.T, x *Index, all map[ID]pdq.Hash, q pdq.Hash, radius int) {
	t.Helper()
	want := readAll(all, q, radius)
	if diff := cmp.Diff(want, x.Search(q, radius)); diff != "" {
		t.Fatalf("Search(%v, %d): %s", q, radius, diff)
	}
	if x.bands == nil || radius < 0 || flipsFor(radius) > maxFlips {
		return
	}
	got := x.probe(q.Words(), radius)
	slices.SortFunc(got, func(a, b Match) int {
		if a.Distance != b.Distance {
			return a.Distance - b.Distance
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("probe(%v, %d): %s", q, radius, diff)
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

// TestSpread is the case for which bands are made: 31 bits spread so that each
// band differs in two but the last, in one; and the 32nd, in that one.
func TestSpread(t *testing.T) {
	var q pdq.Hash
	x := banded()
	at31 := q
	for b := range bandCount {
		at31[2*b] |= 0x80
		if b > 0 {
			at31[2*b+1] |= 0x01
		}
	}
	at32 := at31
	at32[1] |= 0x01
	x.Add(31, at31)
	x.Add(32, at32)
	want := []Match{{31, at31, 31}}
	if diff := cmp.Diff(want, x.probe(q.Words(), pdq.MatchDistance)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, x.Search(q, pdq.MatchDistance)); diff != "" {
		t.Error(diff)
	}
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

// TestGrowsIntoTables crosses the number of values from which tables are made.
func TestGrowsIntoTables(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	x, all := New(), make(map[ID]pdq.Hash)
	for i := range minBanded + 500 {
		h := random(rnd)
		if i%97 == 0 && i > 0 {
			h = turn(rnd, all[ID(i-1)], i%32)
		}
		x.Add(ID(i), h)
		all[ID(i)] = h
	}
	if x.bands == nil {
		t.Fatal("no tables")
	}
	used := 0
	for i := range 60 {
		q := turn(rnd, all[ID(97*i+96)], i)
		if x.bands.worth(q.Words(), 31, x.Len()) {
			used++
		}
		check(t, x, all, q, 31)
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
}

// TestAlike: where all are copies, or share every band, a search reads each
// value once and no more.
func TestAlike(t *testing.T) {
	rnd := rand.New(rand.NewPCG(13, 14))
	h := random(rnd)
	x := New()
	for i := range 20_000 {
		x.Add(ID(i), h)
	}
	if x.bands == nil || x.bands.worth(h.Words(), 31, x.Len()) {
		t.Error("the tables are used where all is alike")
	}
	if got := x.Search(h, 31); len(got) != 20_000 || got[19_999].ID != 19_999 {
		t.Errorf("%d found", len(got))
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
	f.Add(uint64(1), uint8(31), []byte("add some, remove some"))
	f.Add(uint64(2), uint8(0), []byte{0, 0, 0, 255, 255, 255})
	f.Add(uint64(3), uint8(255), []byte{})
	f.Add(uint64(4), uint8(63), []byte("\x80\x81\x82\x83\x40\x41\x42\x43\x00\x01\x02\x03"))
	scan, tables := New(), banded()
	f.Fuzz(func(t *testing.T, seed uint64, radius uint8, changes []byte) {
		// Two indexes are kept for all, as 25 MB of tables are slow to make:
		// each execution ends by taking out what it put in.
		rnd := rand.New(rand.NewPCG(seed, 1))
		q := random(rnd)
		all := make(map[ID]pdq.Hash)
		for _, c := range changes {
			id := ID(c % 64)
			h := turn(rnd, q, rnd.IntN(80))
			if c >= 192 {
				if got, want := scan.Remove(id), all[id] != (pdq.Hash{}); got != want {
					t.Fatalf("Remove(%d) = %v", id, got)
				}
				tables.Remove(id)
				delete(all, id)
				continue
			}
			if c >= 128 {
				h = q
			}
			scan.Add(id, h)
			tables.Add(id, h)
			all[id] = h
		}
		for _, x := range []*Index{scan, tables} {
			if x.Len() != len(all) {
				t.Fatalf("%d values, want %d", x.Len(), len(all))
			}
			check(t, x, all, q, int(radius))
			check(t, x, all, turn(rnd, q, 20), int(radius)%64)
		}
		for id := range all {
			scan.Remove(id)
			tables.Remove(id)
		}
		if scan.Len() != 0 || tables.Len() != 0 || tables.bands != nil && tables.probe(q.Words(), 31) != nil {
			t.Fatal("something is left")
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		rnd := rand.New(rand.NewPCG(19, 20))
		x := New()
		for i := range n {
			x.Add(ID(i), random(rnd))
		}
		queries := make([]pdq.Hash, 1024)
		for i := range queries {
			queries[i] = random(rnd)
		}
		b.Run(fmt.Sprintf("%d", n), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				x.Search(queries[i%len(queries)], pdq.MatchDistance)
			}
		})
		b.Run(fmt.Sprintf("%d/linear", n), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				x.scan(queries[i%len(queries)].Words(), pdq.MatchDistance)
			}
		})
	}
}

// BenchmarkSearchAlike is the worst case: one value, copied, so that all match.
func BenchmarkSearchAlike(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		rnd := rand.New(rand.NewPCG(21, 22))
		h := random(rnd)
		x := New()
		for i := range n {
			x.Add(ID(i), h)
		}
		b.Run(fmt.Sprintf("%d", n), func(b *testing.B) {
			for b.Loop() {
				x.Search(h, pdq.MatchDistance)
			}
		})
		b.Run(fmt.Sprintf("%d/linear", n), func(b *testing.B) {
			for b.Loop() {
				x.scan(h.Words(), pdq.MatchDistance)
			}
		})
	}
}

func BenchmarkAddRemove(b *testing.B) {
	rnd := rand.New(rand.NewPCG(23, 24))
	x := New()
	for i := range 100_000 {
		x.Add(ID(i), random(rnd))
	}
	for i := 0; b.Loop(); i++ {
		x.Add(ID(200_000+i%1000), random(rnd))
		x.Remove(ID(200_000 + i%1000))
	}
}
