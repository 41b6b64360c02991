package near

import (
	"math/bits"
	"slices"
)

const (
	// scanBlock is the values read by all queries in turn while they are in
	// the first cache.
	scanBlock = 1024
	// denseBlock is how many of a block may be near in one half before the other
	// half is tried, and then the next denseTurns blocks are read whole at once.
	denseBlock = scanBlock / 16
	denseTurns = 15
)

// masks says which of a block are near.
type masks [scanBlock / 64]uint64

func (m *masks) count() (n int) {
	for _, w := range m {
		n += bits.OnesCount64(w)
	}
	return n
}

// A block is rows that lie together.
type block struct {
	heads, tails [][2]uint64
}

// near sets in m which rows differ from q in at most radius bits. Where few are
// near in one half the other half of the rest is not read.
func (b block) near(m *masks, q *query, radius int) {
	for range 2 {
		if q.dense > 0 {
			break
		}
		if q.second {
			nearHeads(m, b.tails, &words{q.words[2], q.words[3]}, radius)
		} else {
			nearHeads(m, b.heads, &q.words, radius)
		}
		if m.count() <= denseBlock {
			for k, w := range m {
				for ; w != 0; w &= w - 1 {
					if i := 64*k + bits.TrailingZeros64(w); b.distance(i, &q.words) > radius {
						m[k] &^= 1 << (i % 64)
					}
				}
			}
			return
		}
		if q.second {
			q.dense = denseTurns + 1
		}
		q.second = !q.second
	}
	q.dense--
	nearRows(m, b.heads, b.tails, &q.words, radius)
}

func (b block) distance(i int, q *words) int {
	h, t := &b.heads[i], &b.tails[i]
	return bits.OnesCount64(h[0]^q[0]) + bits.OnesCount64(h[1]^q[1]) +
		bits.OnesCount64(t[0]^q[2]) + bits.OnesCount64(t[1]^q[3])
}

func (b block) row(i int) words {
	return words{b.heads[i][0], b.heads[i][1], b.tails[i][0], b.tails[i][1]}
}

// nearHeads sets in m which heads differ from the first half of q in at most
// radius bits.
func nearHeads(m *masks, heads [][2]uint64, q *words, radius int) {
	whole := len(heads) / 64
	switch {
	case whole > 0 && vector.Load():
		headsNear(&m[0], &heads[0], whole, q, uint64(radius))
	case whole > 0 && scanVector.Load():
		headsNear2(&m[0], &heads[0], whole, q, uint64(radius))
	default:
		whole = 0
	}
	plainHeads(m[whole:], heads[64*whole:], q, radius)
}

// nearRows is nearHeads for whole values.
func nearRows(m *masks, heads, tails [][2]uint64, q *words, radius int) {
	whole := len(heads) / 64
	switch {
	case whole > 0 && vector.Load():
		rowsNear(&m[0], &heads[0], &tails[0], whole, q, uint64(radius))
	case whole > 0 && scanVector.Load():
		rowsNear2(&m[0], &heads[0], &tails[0], whole, q, uint64(radius))
	default:
		whole = 0
	}
	plainRows(m[whole:], heads[64*whole:], tails[64*whole:], q, radius)
}

func plainHeads(m []uint64, heads [][2]uint64, q *words, radius int) {
	clear(m)
	q0, q1 := q[0], q[1]
	for i := range heads {
		// Nearly every value ends here, at half of its bits.
		if bits.OnesCount64(heads[i][0]^q0)+bits.OnesCount64(heads[i][1]^q1) <= radius {
			m[i/64] |= 1 << (i % 64)
		}
	}
}

func plainRows(m []uint64, heads, tails [][2]uint64, q *words, radius int) {
	clear(m)
	q0, q1, q2, q3 := q[0], q[1], q[2], q[3]
	tails = tails[:len(heads)]
	for i := range heads {
		h, t := &heads[i], &tails[i]
		if bits.OnesCount64(h[0]^q0)+bits.OnesCount64(h[1]^q1)+bits.OnesCount64(t[0]^q2)+bits.OnesCount64(t[1]^q3) <= radius {
			m[i/64] |= 1 << (i % 64)
		}
	}
}

// scan appends to the queries that ask for it what the segment has alive
// within radius, reading every value.
func (s *segment) scan(queries []query, radius int) {
	var m masks
	for i := range queries {
		queries[i].dense, queries[i].second = 0, false
	}
	for from := 0; from < s.n; from += scanBlock {
		to := min(from+scanBlock, s.n)
		b := block{s.heads[from:to], s.tails[from:to]}
		for k := range queries {
			q := &queries[k]
			if q.way != byScan {
				continue
			}
			b.near(&m, q, radius)
			for j, w := range m {
				for ; w != 0; w &= w - 1 {
					if i := 64*j + bits.TrailingZeros64(w); s.alive(from + i) {
						q.hits = append(q.hits, hit{uint32(from + i), uint16(b.distance(i, &q.words))})
					}
				}
			}
		}
	}
	for i := range queries {
		if q := &queries[i]; q.way == byScan {
			s.lay(q)
		}
	}
}

// A hit is a row that a scan found.
type hit struct {
	row      uint32
	distance uint16
}

const keptHits = 1 << 20 // of a query, in the room of a search that is over

// lay appends to q what its scan hit, by distance, and by ID where that is the
// same. The matches may be most of the segment: room is made for them once, and
// each is written to its place.
func (s *segment) lay(q *query) {
	hits, from := q.hits, len(q.found)
	q.hits = hits[:0]
	if cap(hits) > keptHits {
		q.hits = nil
	}
	if len(hits) == 0 {
		return
	}
	var at [valueBits + 2]int
	for _, h := range hits {
		at[h.distance+1]++
	}
	for d := range valueBits + 1 {
		at[d+1] += at[d]
	}
	q.found = slices.Grow(q.found, len(hits))[:from+len(hits)]
	found := q.found[from:]
	for _, h := range hits {
		w := s.row(int(h.row))
		found[at[h.distance]] = Match{ID(s.ids[h.row]), w.hash(), int(h.distance)}
		at[h.distance]++
	}
}
