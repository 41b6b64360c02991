package near

import "math/bits"

// scanBlock is the values read by all queries in turn while their heads are in
// the first cache.
const scanBlock = 1024

// scan appends to the queries that ask for it what the segment has alive
// within radius, reading every value.
func (s *segment) scan(queries []query, radius int) {
	for from := 0; from < s.n; from += scanBlock {
		heads := s.heads[from:min(from+scanBlock, s.n)]
		for k := range queries {
			q := &queries[k]
			if !q.scan {
				continue
			}
			q0, q1 := q.words[0], q.words[1]
			for i := range heads {
				// Nearly every value ends here, at half of its bits.
				if bits.OnesCount64(heads[i][0]^q0)+bits.OnesCount64(heads[i][1]^q1) > radius {
					continue
				}
				if d := s.distance(from+i, &q.words); d <= radius && s.alive(from+i) {
					w := s.row(from + i)
					q.found = append(q.found, Match{ID(s.ids[from+i]), w.hash(), d})
				}
			}
		}
	}
}
