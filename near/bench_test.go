package near

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rempart/pdq"
)

// fastRandom is random, fast enough for ten million.
func fastRandom(rnd *rand.Rand) (h pdq.Hash) {
	for i := 0; i < 32; i += 8 {
		v := rnd.Uint64()
		for k := range 8 {
			h[i+k] = byte(v >> (8 * k))
		}
	}
	return h
}

func rowsOf(n int) *source {
	rnd := rand.New(rand.NewPCG(1, 2))
	s := &source{}
	for i := range n {
		s.ids = append(s.ids, uint64(i)*3+1)
		s.rows = append(s.rows, fastRandom(rnd).Words())
	}
	return s
}

// TestCuts measures cuts of a number of values: NEAR_CUTS=1000000.
func TestCuts(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("NEAR_CUTS"))
	if err != nil {
		t.Skip("NEAR_CUTS is no number of values")
	}
	vector.Store(vector.Load() && os.Getenv("NEAR_PLAIN") == "")
	rows := rowsOf(n)
	cuts := map[string][]uint8{"usual": widthsFor(n)}
	for m := 0; m <= 6; m += 2 { // chunks of two turns
		k := 16 - 3*m/2
		wide := 20
		if m > 0 {
			for ; wide <= 24 && m*wide+k*14 <= 256; wide += 2 {
				v := (256 - m*wide) / k
				if v >= 14 && v <= 18 {
					cuts[fmt.Sprintf("%02d×%d+%d×%d", m, wide, k, v)] = cut(m, wide, k, v)
				}
			}
		} else {
			cuts["16×16"] = cut(16, 16, 0, 0)
		}
	}
	for _, c := range [][4]int{{32, 8, 0, 0}, {4, 14, 24, 8}, {6, 14, 20, 8}, {8, 14, 16, 9}, {10, 15, 12, 8}, {12, 15, 8, 9}, {14, 16, 4, 8}} {
		cuts[fmt.Sprintf("%d×%d+%d×%d", c[0], c[1], c[2], c[3])] = cut(c[0], c[1], c[2], c[3])
	}
	if only := os.Getenv("NEAR_ONLY"); only != "" {
		for k := range cuts {
			if !strings.Contains(only, k) {
				delete(cuts, k)
			}
		}
	}
	rnd := rand.New(rand.NewPCG(5, 2))
	qs := make([]pdq.Hash, 512)
	for i := range qs {
		qs[i] = fastRandom(rnd)
	}
	names := []string{}
	for k := range cuts {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, name := range names {
		rows.next = 0
		start := time.Now()
		s := build([]*source{rows}, cuts[name])
		s.ready()
		built := time.Since(start)
		x := New()
		x.segments = []*segment{s}
		p := s.plans[31]
		var one, many []time.Duration
		for r := range 12000 {
			q := r % 512
			start := time.Now()
			x.Search(qs[q], 31)
			one = append(one, time.Since(start))
			if r%8 == 0 {
				start := time.Now()
				x.SearchBatch(qs[q/64*64:q/64*64+64], 31)
				many = append(many, time.Since(start)/64)
			}
		}
		slices.Sort(one)
		slices.Sort(many)
		single := fmt.Sprint(one[0], one[len(one)/10], one[len(one)/2])
		batch := fmt.Sprint(many[0], many[len(many)/10], many[len(many)/2])
		reads := 0
		sc := new(scratch)
		sc.queries[0] = query{words: qs[0].Words()}
		if p != nil {
			s.probe(sc, sc.queries[:1], 31)
			reads = sc.queries[0].read
		}
		t.Logf("%-14s build %6d ms, %3d bytes, single %s batch %s tags %d rows %d plan %v", name, built.Milliseconds(), len(s.data)/n, single, batch, reads, sc.queries[0].fetched, p != nil)
		if s.free != nil {
			s.free()
		}
		runtime.GC()
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
