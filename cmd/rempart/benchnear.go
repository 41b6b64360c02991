package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"rempart/near"
	"rempart/pdq"
)

// benchNearCmd measures the index, one core searching.
type benchNearCmd struct {
	benchFlags
	N []count `short:"n" name:"n" help:"Values in the index; ten million take 4 GB of memory and 1.2 GB of the temporary folder." default:"100k,1M,10M"`

	// MachineSaid is whether the limits of the machine were printed before.
	MachineSaid bool `kong:"-"`
}

// Goals, in microseconds a lookup, single.
var lookupGoals = map[count]float64{100_000: 10, 1_000_000: 70, 10_000_000: 200}

const (
	queries = 512
	batch   = 64
	// perValue is the memory that measuring takes at most, in bytes a value:
	// the values and their IDs, an index in memory and one on its way to a
	// file, which the system may keep as well.
	perValue = 440
)

// Run measures and prints, one size after another.
func (c *benchNearCmd) Run(ctx context.Context, s streams) error {
	if err := c.begin(s, "search"); err != nil {
		return err
	}
	if len(c.N) == 0 {
		return errors.New("bench: -n names no number of values")
	}
	if most, left := int64(slices.Max(c.N))*perValue, memoryLeft(); left > 0 && most > left {
		return hinted{fmt.Errorf("bench: %v values take %d MB of memory, and %d MB are free", slices.Max(c.N), most>>20, left>>20), "rempart bench near -n 100k,1M"}
	}
	if !c.MachineSaid {
		if err := c.say(s, benchMachine(c.Runs)); err != nil {
			return err
		}
	}
	for _, n := range c.N {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := newNearBench(ctx, c, s, n)
		if err != nil {
			return err
		}
		if err := c.say(s, b.figures); err != nil {
			return err
		}
		runtime.GC()
	}
	figures, err := worstCases(c.Runs)
	if err != nil {
		return err
	}
	return c.say(s, figures)
}

// A nearBench measures an index of n random values.
type nearBench struct {
	c       *benchNearCmd
	n       count
	ids     []near.ID
	all     []pdq.Hash
	queries []pdq.Hash
	scan    float64 // µs of reading all
	faiss   struct{ Build, US, Bytes float64 }
	figures []figure
}

func newNearBench(ctx context.Context, c *benchNearCmd, s streams, n count) (*nearBench, error) {
	b := &nearBench{c: c, n: n, ids: make([]near.ID, n), all: make([]pdq.Hash, n), queries: make([]pdq.Hash, queries)}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range b.all {
		b.ids[i], b.all[i] = near.ID(i), randomHash(rng)
	}
	for i := range b.queries {
		b.queries[i] = randomHash(rng)
	}
	dir, err := os.MkdirTemp("", "rempart-bench")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer os.RemoveAll(dir) // a temporary folder
	progress(s, "%v values: reading all", n)
	rows := wordsOf(b.all)
	b.scan = spreadOf(timed(max(9, c.Runs), func(i int) { readAll(rows, b.queries[i%queries], pdq.MatchDistance) }), time.Microsecond).median
	b.peer(ctx, s, dir)
	progress(s, "%v values: in memory", n)
	if err := b.memory(); err != nil {
		return nil, err
	}
	runtime.GC()
	progress(s, "%v values: on disk", n)
	return b, b.disk(filepath.Join(dir, "index"))
}

// peer measures FAISS on the same values, where it is.
func (b *nearBench) peer(ctx context.Context, s streams, dir string) {
	name := filepath.Join(dir, "values")
	f, err := os.Create(name)
	if err != nil {
		return // the published figure stands
	}
	defer os.Remove(name)
	var probe bool
	if !askPython(ctx, b.c.Python, "import faiss, numpy; print('true')", &probe) {
		f.Close()
		return
	}
	progress(s, "%v values: FAISS", b.n)
	err = errors.Join(binary.Write(f, binary.LittleEndian, b.queries), binary.Write(f, binary.LittleEndian, b.all), f.Close())
	if err != nil || !askPython(ctx, b.c.Python, pythonFAISS, &b.faiss, name, fmt.Sprint(queries)) {
		progress(s, "FAISS did not do it; its published figure is printed")
	}
}

func (b *nearBench) measured(value float64, published peer) peer {
	if value > 0 {
		return peer{name: "FAISS MultiHash", value: value}
	}
	return published
}

func (b *nearBench) add(f figure) { b.figures = append(b.figures, f) }

func (b *nearBench) name(what string) string { return fmt.Sprintf("%s, %v values", what, b.n) }

// builds is how often building is measured: it takes seconds.
func (b *nearBench) builds() int {
	if b.n > 1_000_000 {
		return min(b.c.Runs, 3)
	}
	return b.c.Runs
}

// memory measures an index in memory.
func (b *nearBench) memory() error {
	var x *near.Index
	var failed error
	built := timed(b.builds(), func(int) {
		x = near.New()
		failed = errors.Join(failed, x.AddAll(b.ids, b.all))
	})
	if failed != nil {
		return fmt.Errorf("bench: %w", failed)
	}
	build, size := known("", 0), known("", 0)
	f := spreadOf(built, time.Second).figure(b.name("build in memory"), "s")
	if b.n == 10_000_000 {
		build, size = faissBuild, faissSize
		f = f.goal(8)
	}
	b.add(f.beside(b.measured(b.faiss.Build, build)))
	f = figure{Name: b.name("size"), Ours: float64(x.Stats().Bytes) / float64(b.n), Unit: "bytes a value"}.naive("the values alone", 32)
	if b.n == 10_000_000 {
		f = f.goal(120)
	}
	b.add(f.beside(b.measured(b.faiss.Bytes, size)))
	return b.lookups("in memory", x)
}

// lookups measures searches that find nothing, as most of a platform's do.
func (b *nearBench) lookups(where string, x *near.Index) error {
	defer oneCore()()
	found := 0
	single := spreadOf(timed(4096, func(i int) { found += len(x.Search(b.queries[i%queries], pdq.MatchDistance)) }), time.Microsecond)
	batches := spreadOf(timed(512, func(i int) {
		for _, m := range x.SearchBatch(b.queries[i*batch%queries:][:batch], pdq.MatchDistance) {
			found += len(m)
		}
	}), batch*time.Microsecond)
	if found != 0 {
		return fmt.Errorf("bench: %d random values are within %d bits of others", found, pdq.MatchDistance)
	}
	peer := b.measured(b.faiss.US, faissLookup[b.n])
	one := single.figure(b.name("one lookup at 31, "+where), "µs").naive("reading all", b.scan).beside(peer)
	many := batches.figure(b.name(fmt.Sprintf("a lookup at 31 in batches of %d, %s", batch, where)), "µs").naive("reading all", b.scan).beside(peer)
	if goal, ok := lookupGoals[b.n]; ok {
		one, many = one.goal(goal), many.goal(goal/2)
	}
	b.add(one)
	b.add(many)
	return nil
}

// disk measures an index in a folder: what is written is synced.
func (b *nearBench) disk(dir string) error {
	var built, merged, opened []time.Duration
	for range b.builds() {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		x, err := near.Open(dir, near.Options{})
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		start := time.Now()
		err = errors.Join(x.AddAll(b.ids, b.all), x.Sync())
		built = append(built, time.Since(start))
		x.Add(near.ID(len(b.all)), b.queries[0])
		start = time.Now()
		err = errors.Join(err, x.Compact())
		merged = append(merged, time.Since(start))
		x.Remove(near.ID(len(b.all)))
		if err := errors.Join(err, x.Close()); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		runtime.GC()
	}
	opens := func(o near.Options) error {
		start := time.Now()
		x, err := near.Open(dir, o)
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		x.Search(b.queries[1], pdq.MatchDistance)
		opened = append(opened, time.Since(start))
		return x.Close()
	}
	for range b.c.Runs {
		if err := opens(near.Options{}); err != nil {
			return err
		}
	}
	build, merge := spreadOf(built, time.Second).figure(b.name("build on disk, synced"), "s"), spreadOf(merged, time.Second).figure(b.name("merge of all on disk, synced"), "s")
	open := spreadOf(opened, time.Second).figure(b.name("open from disk and first lookup"), "s")
	var peer peer
	if b.n == 10_000_000 {
		build, merge, open, peer = build.goal(8), merge.goal(8), open.goal(1), faissBuild
	}
	peer = b.measured(b.faiss.Build, peer)
	b.add(build.beside(peer))
	b.add(merge.beside(peer))
	peer.name += ", built again"
	b.add(open.beside(peer))
	x, err := near.Open(dir, near.Options{})
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return errors.Join(b.lookups("mapped from disk", x), x.Close())
}

// worstCases measures values so alike that tables do not help: a search must
// cost no more than reading all of them.
func worstCases(runs int) ([]figure, error) {
	defer oneCore()()
	n := worstValues
	rng := rand.New(rand.NewPCG(3, 4))
	one := randomHash(rng)
	few := func(bits int) pdq.Hash {
		h := one
		for range bits {
			k := rng.IntN(256)
			h[k/8] ^= 1 << (k % 8)
		}
		return h
	}
	var figures []figure
	for _, w := range []struct {
		name string
		of   func(i int) pdq.Hash
	}{
		{"a thousand copies among others", func(i int) pdq.Hash {
			if i%(n/1000) == 0 {
				return one
			}
			return randomHash(rng)
		}},
		{"all a few bits apart", func(i int) pdq.Hash { return few(i % 9) }},
		{"half of the bits equal in all", func(i int) pdq.Hash {
			h := randomHash(rng)
			copy(h[:16], one[:16])
			return h
		}},
	} {
		ids, all := make([]near.ID, n), make([]pdq.Hash, n)
		for i := range all {
			ids[i], all[i] = near.ID(i), w.of(i)
		}
		x := near.New()
		if err := x.AddAll(ids, all); err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		q := make([]pdq.Hash, 16)
		for i := range q {
			q[i] = few(i)
		}
		var found, want int
		rows := wordsOf(all)
		var searched, scanned []time.Duration
		for i := range 8 * max(runs, 2) { // in turn, so that what else the machine does weighs on both
			searched = append(searched, timed(1, func(int) { found = len(x.Search(q[i%len(q)], pdq.MatchDistance)) })...)
			scanned = append(scanned, timed(1, func(int) { want = len(readAll(rows, q[i%len(q)], pdq.MatchDistance)) })...)
			if found != want {
				return nil, fmt.Errorf("bench: %s: %d found, reading all finds %d", w.name, found, want)
			}
		}
		ours, scan := spreadOf(searched, time.Microsecond), spreadOf(scanned, time.Microsecond)
		figures = append(figures, ours.figure(fmt.Sprintf("worst case, %v values, %s", count(n), w.name), "µs").naive("reading all", scan.median))
	}
	return figures, nil
}

// wordsOf returns values as a scan reads them best.
func wordsOf(all []pdq.Hash) [][4]uint64 {
	rows := make([][4]uint64, len(all))
	for i, h := range all {
		rows[i] = h.Words()
	}
	return rows
}

// readAll is the naive way, done well: every value is read, and its bits are
// counted until they are too many. What is found is returned in order, as the
// index does.
func readAll(rows [][4]uint64, h pdq.Hash, radius int) []near.Match {
	var found []near.Match
	q := h.Words()
	for i := range rows {
		w := &rows[i]
		d := bits.OnesCount64(w[0]^q[0]) + bits.OnesCount64(w[1]^q[1])
		if d > radius {
			continue
		}
		if d += bits.OnesCount64(w[2]^q[2]) + bits.OnesCount64(w[3]^q[3]); d <= radius {
			var h pdq.Hash
			for k, v := range w {
				binary.BigEndian.PutUint64(h[8*k:], v)
			}
			found = append(found, near.Match{ID: near.ID(i), Hash: h, Distance: d})
		}
	}
	// They come in the order of their IDs: laying them out by distance is the
	// least that sorting them can cost.
	var at [258]int
	for i := range found {
		at[found[i].Distance+1]++
	}
	for d := range 257 {
		at[d+1] += at[d]
	}
	sorted := make([]near.Match, len(found))
	for i := range found {
		sorted[at[found[i].Distance]] = found[i]
		at[found[i].Distance]++
	}
	return sorted
}

// oneCore lets Go use one processor until what it returns is called.
func oneCore() func() {
	before := runtime.GOMAXPROCS(1)
	return func() { runtime.GOMAXPROCS(before) }
}

func randomHash(rng *rand.Rand) (h pdq.Hash) {
	for i := 0; i < len(h); i += 8 {
		binary.LittleEndian.PutUint64(h[i:], rng.Uint64())
	}
	return h
}
