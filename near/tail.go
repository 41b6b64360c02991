package near

import "math/bits"

// A tail is the values that are in no segment yet, in the order they came. Rows
// are only appended, so that a merge may read those there were when it began.
type tail struct {
	rows []words
	ids  []ID
	at   map[ID]uint32 // of the live ones
	dead []uint64      // nil for none
}

func newTail() *tail { return &tail{at: make(map[ID]uint32)} }

func (t *tail) len() int { return len(t.ids) }

// add appends a value under an ID that the tail does not have.
func (t *tail) add(id ID, w words) {
	t.at[id] = uint32(len(t.ids))
	t.rows = append(t.rows, w)
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
	for from := 0; from < len(t.rows); from += scanBlock {
		rows := t.rows[from:min(from+scanBlock, len(t.rows))]
		for k := range queries {
			q := &queries[k]
			for i := range rows {
				w := &rows[i]
				d := bits.OnesCount64(w[0]^q.words[0]) + bits.OnesCount64(w[1]^q.words[1])
				if d > radius {
					continue
				}
				d += bits.OnesCount64(w[2]^q.words[2]) + bits.OnesCount64(w[3]^q.words[3])
				if d > radius {
					continue
				}
				row := from + i
				if t.dead != nil && t.dead[row/64]>>(row%64)&1 != 0 {
					continue
				}
				q.found = append(q.found, Match{t.ids[row], w.hash(), d})
			}
		}
	}
}
