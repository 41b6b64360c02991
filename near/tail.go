package near

import "math/bits"

// A tail is the values that are in no segment yet, in the order they came. Rows
// are only appended, so that a merge may read those there were when it began.
type tail struct {
	heads, tails [][2]uint64 // halves of the values, as in a segment
	ids          []ID
	at           map[ID]uint32 // of the live ones
	dead         []uint64      // nil for none
}

func newTail() *tail { return &tail{at: make(map[ID]uint32)} }

func (t *tail) len() int { return len(t.ids) }

// add appends a value under an ID that the tail does not have.
func (t *tail) add(id ID, w words) {
	t.at[id] = uint32(len(t.ids))
	t.heads = append(t.heads, [2]uint64{w[0], w[1]})
	t.tails = append(t.tails, [2]uint64{w[2], w[3]})
	t.ids = append(t.ids, id)
	if len(t.dead) > 0 && len(t.ids) > 64*len(t.dead) {
		t.dead = append(t.dead, 0)
	}
}

func (t *tail) remove(id ID) bool {
	row, ok := t.at[id]
	if !ok {
		return false
	}
	delete(t.at, id)
	if t.dead == nil {
		t.dead = make([]uint64, (len(t.ids)+63)/64)
	}
	t.dead[row/64] |= 1 << (row % 64)
	return true
}

// scan appends to the queries what the tail has alive within radius.
func (t *tail) scan(queries []query, radius int) {
	var m masks
	for i := range queries {
		queries[i].dense, queries[i].second = 0, false
	}
	for from := 0; from < len(t.ids); from += scanBlock {
		to := min(from+scanBlock, len(t.ids))
		b := block{t.heads[from:to], t.tails[from:to]}
		for k := range queries {
			q := &queries[k]
			b.near(&m, q, radius)
			for j, w := range m {
				for ; w != 0; w &= w - 1 {
					i := 64*j + bits.TrailingZeros64(w)
					if row := from + i; t.dead == nil || t.dead[row/64]>>(row%64)&1 == 0 {
						q.add(t.ids[row], b.row(i), b.distance(i, &q.words))
					}
				}
			}
		}
	}
}
