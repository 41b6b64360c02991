package near

import (
	"math/bits"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"rempart/pdq"
)

// TestWorst measures searches among values that are alike beside the plain scan
// of all, in one run: NEAR_WORST=200000. What is found is compared in any case.
func TestWorst(t *testing.T) {
	n, measured := 20_000, false
	if v, err := strconv.Atoi(os.Getenv("NEAR_WORST")); err == nil {
		n, measured = v, true
	}
	defer func(s, v bool) { scanVector.Store(s); vector.Store(v) }(scanVector.Load(), vector.Load())
	rnd := rand.New(rand.NewPCG(53, 54))
	one := fastRandom(rnd)
	few := func(bits int) pdq.Hash {
		h := one
		for range bits {
			h = flipBit(h, rnd.IntN(256))
		}
		return h
	}
	centres := make([]pdq.Hash, 200)
	for i := range centres {
		centres[i] = fastRandom(rnd)
	}
	centres[0] = one
	shapes := map[string]func(i int) pdq.Hash{
		"random": func(int) pdq.Hash { return fastRandom(rnd) },
		"a thousand copies": func(i int) pdq.Hash {
			if i%(n/1000) == 0 {
				return one
			}
			return fastRandom(rnd)
		},
		"a few bits apart": func(i int) pdq.Hash { return few(i % 9) },
		"just too far":     func(i int) pdq.Hash { return few(33 + i%30) },
		"some just too far": func(i int) pdq.Hash {
			if i%20 == 0 {
				return few(33 + i%30)
			}
			return fastRandom(rnd)
		},
		"half equal":       func(int) pdq.Hash { h := fastRandom(rnd); copy(h[:16], one[:16]); return h },
		"other half equal": func(int) pdq.Hash { h := fastRandom(rnd); copy(h[16:], one[16:]); return h },
		"a quarter equal":  func(int) pdq.Hash { h := fastRandom(rnd); copy(h[8:16], one[8:16]); return h },
		"every other bit equal": func(int) pdq.Hash {
			h := fastRandom(rnd)
			for k := range h {
				h[k] = h[k]&0x55 | one[k]&0xaa
			}
			return h
		},
		"heaps": func(i int) pdq.Hash {
			h := centres[i%len(centres)]
			for range rnd.IntN(9) {
				h = flipBit(h, rnd.IntN(256))
			}
			return h
		},
	}
	names := make([]string, 0, len(shapes))
	for name := range shapes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, may := range [][2]bool{{scanVector.Load(), vector.Load()}, {scanVector.Load(), false}, {false, false}} {
		scanVector.Store(may[0])
		vector.Store(may[1])
		for _, name := range names {
			x, all := New(), make(map[ID]pdq.Hash, n)
			ids, hs, rows := make([]ID, n), make([]pdq.Hash, n), make([][4]uint64, n)
			for i := range hs {
				ids[i], hs[i] = ID(i), shapes[name](i)
				all[ids[i]], rows[i] = hs[i], hs[i].Words()
			}
			if err := x.AddAll(ids, hs); err != nil {
				t.Fatal(err)
			}
			qs := make([]pdq.Hash, 16)
			for i := range qs {
				qs[i] = few(2 * i)
			}
			for _, q := range qs[:4] {
				check(t, x, all, q, 31)
			}
			batch := x.SearchBatch(qs, 31)
			for i, q := range qs {
				if !slices.Equal(batch[i], x.Search(q, 31)) {
					t.Fatalf("%s: a batch finds other matches for query %d: %d", name, i, len(batch[i]))
				}
			}
			if measured {
				var ours, plain, many []time.Duration
				for i := range 128 {
					start := time.Now()
					x.Search(qs[i%16], 31)
					ours = append(ours, time.Since(start))
					start = time.Now()
					plainScan(rows, qs[i%16])
					plain = append(plain, time.Since(start))
					if i%16 == 0 {
						start = time.Now()
						x.SearchBatch(qs, 31)
						many = append(many, time.Since(start)/16)
					}
				}
				sum := func(d []time.Duration) time.Duration {
					slices.Sort(d)
					return d[len(d)/2]
				}
				t.Logf("vectors %-13v %-22s search %9v of %9v: %.2f; in batches %9v, best %v of %v", may, name, sum(ours), sum(plain), float64(sum(ours))/float64(sum(plain)), sum(many), ours[0], plain[0])
			}
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// plainScan is the scan that a search is measured by.
func plainScan(rows [][4]uint64, h pdq.Hash) (found []Match) {
	q := h.Words()
	for i := range rows {
		w := &rows[i]
		d := bits.OnesCount64(w[0]^q[0]) + bits.OnesCount64(w[1]^q[1])
		if d > 31 {
			continue
		}
		if d += bits.OnesCount64(w[2]^q[2]) + bits.OnesCount64(w[3]^q[3]); d <= 31 {
			v := words(*w)
			found = append(found, Match{ID(i), v.hash(), d})
		}
	}
	return inOrder(found)
}
