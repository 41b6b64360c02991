package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"rempart/near"
	"rempart/pdq"
)

// each returns the median time of one call of f(i), in microseconds: of single
// calls, so that a call that was interrupted does not count.
func each(n int, f func(i int)) float64 {
	d := make([]time.Duration, n)
	for i := range d {
		start := time.Now()
		f(i)
		d[i] = time.Since(start)
	}
	slices.Sort(d)
	return float64(d[n/2].Nanoseconds()) / 1000
}

func randomHash(rng *rand.Rand) (h pdq.Hash) {
	for i := 0; i < len(h); i += 8 {
		for k, v := 0, rng.Uint64(); k < 8; k, v = k+1, v>>8 {
			h[i+k] = byte(v)
		}
	}
	return h
}

// benchNear measures an index of n random values, in memory and then on disk,
// beside the reading of every value.
func benchNear(n int) (figures []figure, err error) {
	rng := rand.New(rand.NewPCG(1, 2))
	all := make([]pdq.Hash, n)
	for i := range all {
		all[i] = randomHash(rng)
	}
	queries := make([]pdq.Hash, 512)
	for i := range queries {
		queries[i] = randomHash(rng)
	}
	say := func(what string, ours, naive float64, unit string) {
		f := figure{Name: fmt.Sprintf("%s, %d values", what, n), Ours: ours, Naive: naive, Unit: unit}
		if naive > 0 {
			f.Ratio = naive / ours
		}
		figures = append(figures, f)
	}
	found := 0
	naive := each(9, func(i int) {
		for _, h := range all {
			if h.Distance(queries[i]) <= pdq.MatchDistance {
				found++
			}
		}
	})

	x := near.New()
	start := time.Now()
	if err := fill(x, all); err != nil {
		return nil, err
	}
	say("build in memory", time.Since(start).Seconds(), 0, "s")
	say("size", float64(x.Stats().Bytes)/float64(n), 32, "bytes a value")
	lookups := func(where string, x *near.Index) {
		single := each(4096, func(i int) { found += len(x.Search(queries[i%len(queries)], pdq.MatchDistance)) })
		say("lookup at distance 31 "+where, single, naive, "µs")
		const batch = 64
		many := each(512, func(i int) {
			x.SearchBatch(queries[i*batch%len(queries):][:batch], pdq.MatchDistance)
		}) / batch
		say("the same in batches of 64 "+where, many, naive, "µs")
	}
	lookups("in memory", x)
	x = nil

	dir, err := os.MkdirTemp("", "rempart-bench")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	disk, err := near.Open(dir, near.Options{})
	if err != nil {
		return nil, err
	}
	start = time.Now()
	if err := fill(disk, all); err != nil {
		return nil, errors.Join(err, disk.Close())
	}
	say("build on disk, synced", time.Since(start).Seconds(), 0, "s")
	if err := disk.Close(); err != nil {
		return nil, err
	}
	for _, o := range []struct {
		how     string
		options near.Options
	}{{"mapped", near.Options{}}, {"read", near.Options{Read: true}}} {
		start = time.Now()
		x, err := near.Open(dir, o.options)
		if err != nil {
			return nil, err
		}
		found += len(x.Search(queries[0], pdq.MatchDistance))
		say("open and first lookup, "+o.how, time.Since(start).Seconds(), 0, "s")
		lookups(o.how, x)
		if err := x.Close(); err != nil {
			return nil, err
		}
	}
	if found != 0 {
		return nil, fmt.Errorf("bench: %d random values are within %d bits of others", found, pdq.MatchDistance)
	}
	return figures, nil
}

func fill(x *near.Index, all []pdq.Hash) error {
	ids := make([]near.ID, len(all))
	for i := range ids {
		ids[i] = near.ID(i)
	}
	return errors.Join(x.AddAll(ids, all), x.Sync())
}

// benchMachine measures what no index can beat: how fast memory is read in
// order, and at random places, one after another and many at once.
func benchMachine() []figure {
	const words = 64 << 20 // 512 MB
	mem := make([]uint64, words)
	// A walk through all lines: a full-period generator modulo a power of two.
	const lines = words / 8
	next := func(i uint64) uint64 { return (i*6364136223846793005 + 1442695040888963407) % lines }
	for i := range uint64(lines) {
		mem[8*i] = next(i)
	}
	var sum uint64
	stream := median(5, func() {
		for i := 0; i < words; i += 8 {
			w := mem[i : i+8 : i+8]
			sum += w[0] + w[1] + w[2] + w[3] + w[4] + w[5] + w[6] + w[7]
		}
	})
	const steps = 1 << 18
	at := uint64(1)
	chained := median(5, func() {
		for range steps {
			at = mem[8*at]
		}
	})
	free := median(5, func() {
		i := at
		for range steps {
			i = next(i)
			sum += mem[8*i]
		}
	})
	sink = sum + at
	return []figure{
		{Name: "memory read in order", Ours: words * 8 / stream / 1e6, Unit: "GB/s"},
		{Name: "memory at random, one after another", Ours: chained * 1e6 / steps, Unit: "ns"},
		{Name: "memory at random, many at once", Ours: free * 1e6 / steps, Unit: "ns"},
	}
}

// sink keeps what was measured from being left out by the compiler.
var sink uint64
