package near

import (
	"encoding/binary"
	"math/bits"
	"sync"
)

// A query is one search under way in a group.
type query struct {
	words
	way      way
	dense    int               // blocks to be read whole, in a scan
	second   bool              // the second half is read first
	read     int               // tags read in the segment being searched
	fetched  int               // rows fetched of it
	before   int               // what was found in others
	contents [maxChunks]uint32 // of each chunk of it
	tags     [maxChunks]uint16 // what follows each chunk
	hits     []hit             // of a scan of it
	found    []Match
}

// A way is how a query goes through a segment.
type way uint8

const (
	byTables way = iota // with the others of its group
	byItself            // with a note of which rows it has seen, as many are near
	byScan              // reading every value, as the tables promise too little
)

// add appends a match.
func (q *query) add(id ID, w words, distance int) {
	if len(q.found) == cap(q.found) {
		q.found = append(make([]Match, 0, max(4, 2*len(q.found))), q.found...)
	}
	q.found = append(q.found, Match{id, w.hash(), distance})
}

// A run is the tags under one content of a chunk, to be compared with one. The
// assembly knows how it lies in memory, and so for a candidate.
type run struct {
	start, count uint32
	tag          uint16
	bound        uint8
	_            uint8
	chunk        uint8
	_            uint8
	query        uint16
}

// A candidate is a tag near enough: a place in the tags of a chunk, and the row
// it is of.
type candidate struct {
	at    uint32
	slot  uint32
	chunk uint8
	_     uint8
	query uint16
}

const (
	group    = 64  // queries searched together
	fullRuns = 512 // runs that are worth a round through the stages
	scanTags = 12  // one in so many values read as tags beyond those of random ones, or
	scanRows = 128 // fetched as rows, and reading every value is better
	fewRows  = 512 // fetched by a query that goes with others
)

// scratch is the room of a search.
type scratch struct {
	queries [group]query
	runs    [fullRuns + maxProbes + 1]run
	k       int // runs in use
	found   []candidate
	seen    []uint64 // rows seen by a query by itself
	sink    uint32
}

var rooms = sync.Pool{New: func() any { return new(scratch) }}

// probe appends to the queries what the segment has alive within radius of
// each.
func (s *segment) probe(sc *scratch, queries []query, radius int) {
	p := s.planned(radius)
	for i := range queries {
		q := &queries[i]
		q.way, q.before = byTables, len(q.found)
		if p == nil {
			q.way = byScan
		}
	}
	if p != nil {
		s.lookUp(sc, queries, radius, p, byTables)
	}
	scans := 0
	for i := range queries {
		q := &queries[i]
		if q.way == byTables {
			continue
		}
		q.found = q.found[:q.before]
		if q.way == byItself {
			s.lookUp(sc, queries[i:i+1], radius, p, byItself)
		}
		if q.way == byScan {
			q.found = q.found[:q.before]
			scans++
		}
	}
	if scans > 0 {
		s.scan(queries, radius)
	}
}

func (s *segment) planned(radius int) *plan {
	if radius >= len(s.plans) {
		return nil
	}
	return s.plans[radius]
}

// lookUp runs queries through the tables in stages over many places, so that
// the processor waits for many lines of memory at once: where the tags of each
// place begin; the first tag; the tags; the rows. They go by the way given; one
// for which that costs too much is given another way, and is not done.
func (s *segment) lookUp(sc *scratch, queries []query, radius int, p *plan, by way) {
	for i := range queries {
		q := &queries[i]
		q.read, q.fetched = 0, 0
		for c := range s.chunks {
			q.contents[c] = s.chunks[c].content(&q.words)
			q.tags[c] = uint16(s.chunks[c].tag.content(&q.words))
		}
		if by == byItself {
			if len(sc.seen) < (s.n+63)/64 {
				sc.seen = make([]uint64, (s.n+63)/64)
			}
			clear(sc.seen[:(s.n+63)/64])
		}
	}
	// Chunk by chunk, so that in a group each table is read while it is in
	// the cache.
	for c := range s.chunks {
		if p.turns[c] < 0 {
			continue
		}
		for i := range queries {
			if queries[i].way == by {
				s.places(sc, &queries[i], i, c, p)
			}
			if sc.k >= fullRuns {
				s.compare(sc, queries, radius, p, by)
			}
		}
	}
	s.compare(sc, queries, radius, p, by)
}

// places notes the runs of q in chunk c.
func (s *segment) places(sc *scratch, q *query, index, c int, p *plan) {
	ch := &s.chunks[c]
	content, starts := q.contents[c], ch.starts
	r := run{tag: q.tags[c], chunk: uint8(c), query: uint16(index)}
	k, read := sc.k, 0
	for t := range int(p.turns[c]) + 1 {
		r.bound = min(p.bounds[c]-uint8(t), tagBits)
		for _, flip := range flips()[ch.width][t] {
			at := content ^ flip
			start := starts[at]
			r.start, r.count = start, starts[at+1]-start
			read += int(r.count)
			sc.runs[k] = r
			k += int(-uint64(r.count) >> 63) // empty ones are not kept
		}
	}
	q.read += read
	// Far more tags than among random values: many are alike here, and most of
	// these may be near.
	switch alike := q.read - int(4*p.reads); {
	case alike > s.maxAlike:
		q.way = byScan
	case q.way == byTables && alike > 4*s.fewFetched:
		q.way = byItself
	default:
		sc.k = k
	}
}

// compare reads the tags of the runs noted, and the rows of those near enough.
func (s *segment) compare(sc *scratch, queries []query, radius int, p *plan, by way) {
	if sc.k == 0 {
		return
	}
	s.match(sc)
	sc.k = 0
	// Which rows they are, and which are worth fetching.
	k := 0
	for i := range sc.found {
		f := sc.found[i]
		q := &queries[f.query]
		if q.way != by {
			continue
		}
		f.slot = binary.LittleEndian.Uint32(s.chunks[f.chunk].slots[3*int(f.at):]) & (1<<24 - 1)
		if uint(f.slot) >= uint(s.n) {
			continue // not in a file that its writer made
		}
		if by == byItself {
			seen, bit := &sc.seen[f.slot/64], uint64(1)<<(f.slot%64)
			if *seen&bit != 0 {
				continue
			}
			*seen |= bit
		}
		if q.fetched++; q.way == byTables && q.fetched > s.fewFetched {
			q.way = byItself
			continue
		}
		sc.found[k] = f
		k++
	}
	if q := &queries[0]; by == byItself && q.fetched > s.maxFetched {
		q.way = byScan
	}
	for i := range sc.found[:k] {
		f := &sc.found[i]
		q := &queries[f.query]
		if q.way != by {
			continue
		}
		h := &s.heads[f.slot]
		if bits.OnesCount64(h[0]^q.words[0])+bits.OnesCount64(h[1]^q.words[1]) > radius {
			continue
		}
		row := int(f.slot)
		d := block{s.heads, s.tails}.distance(row, &q.words)
		if d <= radius && s.alive(row) && (by == byItself || s.first(row, &q.words, p) == int(f.chunk)) {
			q.add(ID(s.ids[row]), s.row(row), d)
		}
	}
}

// match puts the candidates of the runs noted into sc.found.
func (s *segment) match(sc *scratch) {
	runs := sc.runs[:sc.k]
	found := sc.found[:0]
	if !vector.Load() {
		sc.sink = s.touch(runs)
		sc.found = s.plainTags(found, runs)
		return
	}
	for len(runs) > 0 {
		if cap(found)-len(found) < 2*touchTags {
			found = append(make([]candidate, 0, 1024+2*cap(found)), found...)
		}
		k, done := tagsNear(&found[:len(found)+1][len(found)], cap(found)-len(found), &runs[0], len(runs), &s.lanes[0])
		found, runs = found[:len(found)+k], runs[done:]
	}
	sc.found = found
}

const (
	touchTags = 32 // tags on a line of the cache
	laneOnes  = 0x0001_0001_0001_0001
	laneTops  = 0x0080_0080_0080_0080
)

// touch reads a tag of each line of the runs, so that the processor asks for
// many at once.
func (s *segment) touch(runs []run) (sink uint32) {
	for i := range runs {
		r := &runs[i]
		tags := s.chunks[r.chunk].tags
		for at, end := 2*int(r.start), 2*int(r.start+r.count); at < end; at += 2 * touchTags {
			sink ^= uint32(tags[at])
		}
	}
	return sink
}

// plainTags appends to found a candidate for each tag of the runs that is near
// enough.
func (s *segment) plainTags(found []candidate, runs []run) []candidate {
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
	return found
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
		if t+bits.OnesCount32(s.chunks[c].tag.content(&w)) <= int(p.bounds[c]) {
			return c
		}
	}
	return len(s.chunks)
}
