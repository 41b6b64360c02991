package near

import (
	"math"
	"math/bits"
	"sync"
)

// widthsFor returns how n values are cut: the widths of the chunks, 256 bits
// together, or none where every value is better read. Chosen by measurement
// at distance 31; any other cut finds the same.
func widthsFor(n int) []uint8 {
	switch {
	case n < 1<<11:
		return nil
	case n < 40_000:
		return cut(32, 8, 0, 0)
	case n < 4_000_000:
		return cut(16, 16, 0, 0)
	}
	return cut(2, 22, 13, 16)
}

// cut returns m chunks of w bits and then k of v bits, the first of which are
// a bit wider where there are bits left.
func cut(m, w, k, v int) []uint8 {
	out := make([]uint8, 0, m+k)
	for range m {
		out = append(out, uint8(w))
	}
	for range k {
		out = append(out, uint8(v))
	}
	left := valueBits - m*w - k*v
	for i := range left {
		out[(m+i)%(m+k)]++
	}
	return out
}

const (
	valueBits = 256
	maxChunks = 64 // of a segment
	maxWidth  = 24 // bits of a chunk
	tagBits   = 16 // bits kept of the following chunk

	maxPlanned = 95   // radius beyond which every value is read
	maxProbes  = 2400 // places looked at in one chunk for one query
)

// A plan says how a segment is searched at one radius: in each chunk, in how
// many bits the content of the places looked at differs from the query's.
type plan struct {
	// turns is t of the package comment, -1 for a chunk that is left out.
	turns [maxChunks]int8
	// bounds is the number of bits in which the chunk and its tag may differ
	// together.
	bounds [maxChunks]uint8
	// reads is how many tags a query reads where values are as random ones.
	reads float64
}

// costs in nanoseconds, measured: to look at a place, to read a tag, to read a
// value in a scan. Only speed hangs on them.
func costs() (probe, tag, value float64) {
	switch {
	case vector.Load():
		return 10, 0.1, 0.25
	case scanVector.Load():
		return 12, 0.6, 0.5
	}
	return 12, 0.6, 1.5
}

// plansFor returns, by radius, the cheapest plan for n values cut into widths,
// or nil where it would cost more than most, which is what reading all costs.
// The radius + 1 units of the package comment are given out one by one, each
// where it adds the least: so each plan is the one before and one unit.
func plansFor(chunks []chunk, n int, most float64) (plans [maxPlanned + 1]*plan) {
	if len(chunks) == 0 {
		return plans
	}
	var p plan
	probeCost, tagCost, _ := costs()
	var prices [maxChunks]float64 // of one more unit
	price := func(c int) {
		prices[c] = math.Inf(1)
		if w, t := int(chunks[c].width), int(p.turns[c])+1; t < len(flips()[w]) {
			places := float64(len(flips()[w][t]))
			prices[c] = places * (probeCost + tagCost*float64(n)/float64(uint64(1)<<w))
		}
	}
	for c := range p.turns {
		p.turns[c] = -1
	}
	for c := range chunks {
		price(c)
	}
	var total float64
	for radius := range plans {
		best := 0
		for c := range chunks {
			if prices[c] < prices[best] {
				best = c
			}
		}
		if total += prices[best]; total > most {
			break
		}
		p.turns[best]++
		w := chunks[best].width
		p.reads += float64(len(flips()[w][p.turns[best]])) * float64(n) / float64(uint64(1)<<w)
		price(best)
		made := p
		for c := range chunks {
			// Each chunk that the tag has bits of adds t + 1.
			bound := int(p.turns[c])
			for k, left := c, int(chunks[c].tag.width); left > 0; {
				k = (k + 1) % len(chunks)
				bound += int(p.turns[k]) + 1
				left -= int(chunks[k].width)
			}
			made.bounds[c] = uint8(max(bound, 0))
		}
		plans[radius] = &made
	}
	return plans
}

func choose(n, k int) int {
	r := 1
	for i := range k {
		r = r * (n - i) / (i + 1)
	}
	return r
}

// flips returns, by width and number of bits, the masks that turn exactly so
// many of so many bits, while there are no more than maxProbes with those that
// turn fewer.
var flips = sync.OnceValue(func() *[maxWidth + 1][][]uint32 {
	all := new([maxWidth + 1][][]uint32)
	for width := 1; width <= maxWidth; width++ {
		sets := [][]uint32{{0}}
		total := 1
		for k := 1; k <= width; k++ {
			if total += choose(width, k); total > maxProbes {
				break
			}
			var set []uint32
			for _, m := range sets[k-1] {
				for b := bits.Len32(m); b < width; b++ {
					set = append(set, m|1<<b)
				}
			}
			sets = append(sets, set)
		}
		all[width] = sets
	}
	return all
})
