package near

import (
	"encoding/binary"
	"math/bits"
	"sync"
)

// A query is one search under way in a group.
type query struct {
	words
	read     int               // tags read in the segment being searched
	fetched  int               // rows read of it
	scan     bool              // the tables promise too little: read every value of it
	contents [maxChunks]uint32 // of each chunk of it
	found    []Match
}

// A run is the tags under one content of a chunk, to be compared with one.
type run struct {
	start, count uint32
	tag          uint16
	bound        uint8
	chunk        uint8
	query        uint16
}

// A candidate is a tag near enough: a place in the tags of a chunk.
type candidate struct {
	at    uint32
	slot  uint32
	chunk uint8
	query uint16
}

const (
	group     = 64  // queries searched together
	fullRuns  = 512 // runs that are worth a round through the stages
	scanTags  = 8   // one in so many values read as tags, or
	scanRows  = 64  // as rows, and reading every value is better
	touchTags = 32  // tags on a line of the cache
)

// scratch is the room of a search.
type scratch struct {
	queries [group]query
	runs    [fullRuns + maxProbes + 1]run
	k       int // runs in use
	found   []candidate
	sink    uint32
}

var rooms = sync.Pool{New: func() any { return new(scratch) }}

// probe appends to the queries what the segment has alive within radius of
// each, in stages over many places, so that the processor waits for
// many lines of memory at once: where the tags of each place begin; the first
// tag; the tags; the rows.
func (s *segment) probe(sc *scratch, queries []query, radius int) {
	p := s.planned(radius)
	for i := range queries {
		q := &queries[i]
		q.read, q.fetched, q.scan = 0, 0, p == nil
		if p == nil {
			continue
		}
		for c := range s.chunks {
			q.contents[c] = s.chunks[c].content(&q.words)
		}
	}
	if p == nil {
		s.scan(queries, radius)
		return
	}
	var before [group]int
	for i := range queries {
		before[i] = len(queries[i].found)
	}
	// Chunk by chunk, so that in a group each table is read while it is in
	// the cache.
	for c := range s.chunks {
		if p.turns[c] < 0 {
			continue
		}
		for i := range queries {
			if !queries[i].scan {
				s.places(sc, &queries[i], i, c, p)
			}
			if sc.k >= fullRuns {
				s.compare(sc, queries, radius, p)
			}
		}
	}
	s.compare(sc, queries, radius, p)
	again := false
	for i := range queries {
		if queries[i].scan {
			queries[i].found = queries[i].found[:before[i]]
			again = true
		}
	}
	if again {
		s.scan(queries, radius)
	}
}

func (s *segment) planned(radius int) *plan {
	if radius >= len(s.plans) {
		return nil
	}
	return s.plans[radius]
}

// places notes the runs of q in chunk c.
func (s *segment) places(sc *scratch, q *query, index, c int, p *plan) {
	next := c + 1
	if next == len(s.chunks) {
		next = 0
	}
	ch := &s.chunks[c]
	content, starts := q.contents[c], ch.starts
	r := run{tag: uint16(q.contents[next]), chunk: uint8(c), query: uint16(index)}
	k, read := sc.k, 0
	for t := range int(p.turns[c]) + 1 {
		r.bound = min(p.bounds[c]-uint8(t), tagBits)
		for _, flip := range flips()[ch.width][t] {
			at := content ^ flip
			start := starts[at]
			r.start, r.count = start, starts[at+1]-start
			read += int(r.count)
			sc.runs[k] = r
			if r.count != 0 {
				k++
			}
		}
	}
	q.read += read
	if q.read > s.maxRead {
		q.scan = true
		return
	}
	sc.k = k
}

const (
	laneOnes = 0x0001_0001_0001_0001
	laneTops = 0x0080_0080_0080_0080
)

// compare reads the tags of the runs noted, and the rows of those near enough.
func (s *segment) compare(sc *scratch, queries []query, radius int, p *plan) {
	runs := sc.runs[:sc.k]
	sc.k = 0
	sink := uint32(0)
	for i := range runs {
		r := &runs[i]
		tags := s.chunks[r.chunk].tags
		for at, end := 2*int(r.start), 2*int(r.start+r.count); at < end; at += 2 * touchTags {
			sink ^= uint32(tags[at])
		}
	}
	sc.sink = sink
	found := sc.found[:0]
	for i := range runs {
		r := &runs[i]
		tags := s.chunks[r.chunk].tags[2*int(r.start):]
		tag := uint64(r.tag) * laneOnes
		limit := uint64(r.bound)*laneOnes | laneTops
		left := int(r.count)
		for at := r.start; left > 0; at, left = at+4, left-4 {
			// The bits that differ in each of four tags.
			x := binary.LittleEndian.Uint64(tags) ^ tag
			x -= x >> 1 & 0x5555_5555_5555_5555
			x = x&0x3333_3333_3333_3333 + x>>2&0x3333_3333_3333_3333
			x = (x + x>>4) & 0x0f0f_0f0f_0f0f_0f0f
			x = (x + x>>8) & 0x00ff_00ff_00ff_00ff
			near := (limit - x) & laneTops
			if near != 0 {
				if left < 4 {
					near &= 1<<(16*left) - 1
				}
				for ; near != 0; near &= near - 1 {
					found = append(found, candidate{at: at + uint32(bits.TrailingZeros64(near)/16), chunk: r.chunk, query: r.query})
				}
			}
			tags = tags[8:]
		}
	}
	for i := range found {
		f := &found[i]
		q := &queries[f.query]
		q.fetched++
		q.scan = q.scan || q.fetched > s.maxFetched
		f.slot = binary.LittleEndian.Uint32(s.chunks[f.chunk].slots[3*int(f.at):]) & (1<<24 - 1)
	}
	for i := range found {
		f := &found[i]
		q := &queries[f.query]
		if q.scan {
			continue
		}
		if uint(f.slot) >= uint(len(s.heads)) {
			continue // not in a file that its writer made
		}
		h := &s.heads[f.slot]
		if bits.OnesCount64(h[0]^q.words[0])+bits.OnesCount64(h[1]^q.words[1]) > radius {
			continue
		}
		d := s.distance(int(f.slot), &q.words)
		if d <= radius && s.alive(int(f.slot)) && s.first(int(f.slot), &q.words, p) == int(f.chunk) {
			w := s.row(int(f.slot))
			q.found = append(q.found, Match{ID(s.ids[f.slot]), w.hash(), d})
		}
	}
	sc.found = found
}

// first returns the first chunk that proposes row i for q: a near row is
// proposed by several, and taken from one.
func (s *segment) first(i int, q *words, p *plan) int {
	w := s.row(i)
	for k := range w {
		w[k] ^= q[k]
	}
	for c := range s.chunks {
		t := bits.OnesCount32(s.chunks[c].content(&w))
		if t > int(p.turns[c]) {
			continue
		}
		next := c + 1
		if next == len(s.chunks) {
			next = 0
		}
		if t+bits.OnesCount16(uint16(s.chunks[next].content(&w))) <= int(p.bounds[c]) {
			return c
		}
	}
	return len(s.chunks)
}
