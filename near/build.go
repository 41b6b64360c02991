package near

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"rempart/pdq"
)

// A source is rows in rising order of IDs, from a segment or from memory.
type source struct {
	ids    []uint64
	rows   []words    // of a tail, and of a load that had to be put in order
	hashes []pdq.Hash // of a load
	seg    *segment   // none of the two
	dead   []uint64   // as they were when the source was taken, nil for none
	next   int
}

// tailSource returns the rows of t but for the dead in order, in memory of its own.
func tailSource(t *tail, dead []uint64) *source {
	ids := t.ids
	order := make([]uint32, 0, len(ids))
	rising := true
	for i := range ids {
		if dead == nil || dead[i/64]>>(i%64)&1 == 0 {
			rising = rising && (len(order) == 0 || ids[order[len(order)-1]] < ids[i])
			order = append(order, uint32(i))
		}
	}
	if !rising {
		slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(ids[a], ids[b]) })
	}
	s := &source{ids: make([]uint64, len(order)), rows: make([]words, len(order))}
	for i, row := range order {
		s.ids[i], s.rows[i] = uint64(ids[row]), block{t.heads, t.tails}.row(int(row))
	}
	return s
}

// skip goes to the next row that is alive, and reports whether there is one.
func (s *source) skip() bool {
	for s.next < len(s.ids) && s.dead != nil && s.dead[s.next/64]>>(s.next%64)&1 != 0 {
		s.next++
	}
	return s.next < len(s.ids)
}

func (s *source) live() int {
	return len(s.ids) - countBits(s.dead)
}

func countBits(set []uint64) (n int) {
	for _, w := range set {
		n += bits.OnesCount64(w)
	}
	return n
}

// build makes one segment of the live rows of the sources, cut into widths.
// Together they must be fewer than 2^24, and no ID may be alive
// twice. The segment must be made ready.
func build(sources []*source, widths []uint8) *segment {
	n := 0
	for _, s := range sources {
		n += s.live()
	}
	if n > maxRows {
		panic("near: a segment of more than 2^24 values") // the merger counts first
	}
	var parts [][]byte
	layout(n, widths, func(at, length int) { parts = append(parts, []byte{}) })
	data, free := makeBytes(layout(n, widths, func(int, int) {}))
	k := 0
	layout(n, widths, func(at, length int) {
		parts[k] = data[at : at+length+8]
		k++
	})
	merge(sources, parts[0], parts[1], parts[2])
	room, giveBack := makeBytes(8 * n)
	b := builder{n: n, heads: parts[0], tails: parts[1], room: numbers[uint64](room)}
	for c, cut := range cutInto(widths, 2) {
		b.table(cut, parts[3+3*c], parts[4+3*c], parts[5+3*c])
	}
	s := cutSegment(data, n, slices.Clone(widths), 2)
	s.free = free
	if giveBack != nil {
		_ = giveBack() // unmapping what was mapped does not fail
	}
	s.seal()
	return s
}

// merge writes the live rows of the sources in rising order of IDs.
func merge(sources []*source, heads, tails, ids []byte) {
	var at []*source
	for _, s := range sources {
		if s.skip() {
			at = append(at, s)
		}
	}
	for i := 0; len(at) > 0; i++ {
		k := 0
		for j := 1; j < len(at); j++ {
			if at[j].ids[at[j].next] < at[k].ids[at[k].next] {
				k = j
			}
		}
		s := at[k]
		var w words
		switch {
		case s.seg != nil:
			w = s.seg.row(s.next)
		case s.hashes != nil:
			w = s.hashes[s.next].Words()
		default:
			w = s.rows[s.next]
		}
		binary.LittleEndian.PutUint64(heads[16*i:], w[0])
		binary.LittleEndian.PutUint64(heads[16*i+8:], w[1])
		binary.LittleEndian.PutUint64(tails[16*i:], w[2])
		binary.LittleEndian.PutUint64(tails[16*i+8:], w[3])
		binary.LittleEndian.PutUint64(ids[8*i:], s.ids[s.next])
		s.next++
		if !s.skip() {
			at = slices.Delete(at, k, k+1)
		}
	}
}

// A builder makes the tables of the rows in heads and tails.
type builder struct {
	n            int
	heads, tails []byte
	room         []uint64
}

func (b *builder) row(i int) words {
	h, t := b.heads[16*i:16*i+16], b.tails[16*i:16*i+16]
	return words{
		binary.LittleEndian.Uint64(h), binary.LittleEndian.Uint64(h[8:]),
		binary.LittleEndian.Uint64(t), binary.LittleEndian.Uint64(t[8:]),
	}
}

// table sorts the rows by their content of c: first by its upper half into
// room, then each part by its lower half into place, so that neither scatters
// over more than the cache holds. A row travels as one word: lower half, tag,
// row.
func (b *builder) table(c chunk, starts, tags, slots []byte) {
	low := c.width / 2
	ends := make([]uint32, 1<<(c.width-low))
	for i := range b.n {
		w := b.row(i)
		ends[c.content(&w)>>low]++
	}
	sum := uint32(0)
	for i, count := range ends {
		ends[i] = sum
		sum += count
	}
	for i := range b.n {
		w := b.row(i)
		content := c.content(&w)
		at := ends[content>>low]
		ends[content>>low]++
		tag := c.tag.content(&w)
		b.room[at] = uint64(content&(1<<low-1))<<48 | uint64(tag)<<32 | uint64(i)
	}
	places := make([]uint32, 1<<low)
	begin := uint32(0)
	for high, end := range ends {
		clear(places)
		part := b.room[begin:end]
		for _, r := range part {
			places[r>>48]++
		}
		sum := begin
		for i, count := range places {
			binary.LittleEndian.PutUint32(starts[4*(high<<low+i):], sum)
			places[i] = sum
			sum += count
		}
		for _, r := range part {
			at := places[r>>48]
			places[r>>48]++
			binary.LittleEndian.PutUint16(tags[2*at:], uint16(r>>32))
			slot := slots[3*at : 3*at+3]
			slot[0], slot[1], slot[2] = byte(r), byte(r>>8), byte(r>>16)
		}
		begin = end
	}
	binary.LittleEndian.PutUint32(starts[4<<c.width:], uint32(b.n))
}
