package near

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"rempart/pdq"
)

const (
	bandCount = 16
	bandBits  = 16
)

// words is a value as pdq.Hash.Words gives it.
type words [4]uint64

// band returns the content of band b.
func (w *words) band(b int) uint16 { return uint16(w[b/4] >> (b % 4 * bandBits)) }

// within returns the number of bits in which w and q differ, or -1 if it is
// more than radius.
func (w *words) within(q *words, radius int) int {
	d := bits.OnesCount64(w[0]^q[0]) + bits.OnesCount64(w[1]^q[1])
	if d > radius {
		return -1
	}
	d += bits.OnesCount64(w[2]^q[2]) + bits.OnesCount64(w[3]^q[3])
	if d > radius {
		return -1
	}
	return d
}

// firstBand returns the first band in which w and q differ in at most flips
// bits.
func (w *words) firstBand(q *words, flips int) int {
	for b := range bandCount {
		if bits.OnesCount16(w.band(b)^q.band(b)) <= flips {
			return b
		}
	}
	return bandCount
}

func (w *words) hash() (h pdq.Hash) {
	for i, v := range w {
		binary.BigEndian.PutUint64(h[8*i:], v)
	}
	return h
}

// maxFlips is the number of bits beyond which a band has so many
// neighbours that reading every value is better at any size.
const maxFlips = 3

// masks holds, for each number of bits up to maxFlips, the masks that turn at
// most so many of the 16: 1, 17, 137 and 697 of them.
var masks = func() (m [maxFlips + 1][]uint16) {
	for v := range 1 << bandBits {
		for flips := bits.OnesCount16(uint16(v)); flips <= maxFlips; flips++ {
			m[flips] = append(m[flips], uint16(v))
		}
	}
	return m
}()

// flipsFor returns the number of bits in which some band must agree but for:
// of values that differ in radius bits, none can differ in more in every band.
func flipsFor(radius int) int { return radius / bandCount }

// bands holds, for each band and each of its contents, the slots of the values
// that have it, in no order.
type bands [bandCount][1 << bandBits][]uint32

func (t *bands) add(slot uint32, w words) {
	for b := range t {
		list := &t[b][w.band(b)]
		*list = append(*list, slot)
	}
}

// replace puts another slot in the place of one, or takes it out if to is nil.
func (t *bands) replace(slot uint32, w words, to *uint32) {
	for b := range t {
		list := &t[b][w.band(b)]
		i := slices.Index(*list, slot)
		if to != nil {
			(*list)[i] = *to
			continue
		}
		last := len(*list) - 1
		(*list)[i] = (*list)[last]
		*list = (*list)[:last]
	}
}

// Costs, in values read one after another: to look at a place in a table, and
// to fetch a value that it proposes. Measured; only speed hangs on them.
const (
	placeCost = 8
	fetchCost = 8
)

// worth reports whether the tables find what is within radius of q at less
// cost than reading all n values.
func (t *bands) worth(q words, radius, n int) bool {
	flips := flipsFor(radius)
	if flips > maxFlips {
		return false
	}
	cost := bandCount * len(masks[flips]) * placeCost
	if cost > n {
		return false
	}
	for b := range t {
		content := q.band(b)
		for _, flip := range masks[flips] {
			cost += len(t[b][content^flip]) * fetchCost
		}
		if cost > n {
			return false
		}
	}
	return true
}
