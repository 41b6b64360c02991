package near

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

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

// A builder makes a segment. It has the rows in their place; the tables are yet
// to be made.
type builder struct {
	n            int
	widths       []uint8
	data         []byte
	free         func() error
	parts        [][]byte // with the zeroes that follow
	ends         []int    // of the parts, in data
	heads, tails [][2]uint64
}

// build makes one segment of the live rows of the sources, cut into widths, in
// memory. Together they must be fewer than 2^24, and no ID may be alive twice.
// The segment must be made ready.
func build(sources []*source, widths []uint8) *segment {
	s, err := newBuilder(sources, widths).finish(1, func([]byte) error { return nil })
	if err != nil {
		panic(err) // nobody gave one
	}
	return s
}

// newBuilder puts the live rows of the sources in order.
func newBuilder(sources []*source, widths []uint8) *builder {
	b := &builder{widths: slices.Clone(widths)}
	for _, s := range sources {
		b.n += s.live()
	}
	if b.n > maxRows {
		panic("near: a segment of more than 2^24 values") // the merger counts first
	}
	b.data, b.free = makeBytes(layout(b.n, widths, func(int, int) {}))
	layout(b.n, widths, func(at, length int) {
		b.parts = append(b.parts, b.data[at:at+length+8])
		b.ends = append(b.ends, at+length+8)
	})
	merge(sources, b.parts[0], b.parts[1], b.parts[2])
	b.heads, b.tails = pairs(b.parts[0][:16*b.n]), pairs(b.parts[1][:16*b.n])
	return b
}

// finish makes the tables, so many at a time, and gives the bytes of the segment
// to put one after another as they are done. An error of put ends it.
func (b *builder) finish(workers int, put func([]byte) error) (*segment, error) {
	cuts := cutInto(b.widths, 2)
	done := make([]chan struct{}, len(cuts))
	for c := range done {
		done[c] = make(chan struct{})
	}
	var next atomic.Int32
	var working sync.WaitGroup
	for range min(workers, len(cuts)) {
		working.Go(func() {
			room, giveBack := makeBytes(8 * b.n)
			for {
				c := int(next.Add(1)) - 1
				if c >= len(cuts) {
					break
				}
				b.table(cuts[c], numbers[uint64](room), b.parts[3+3*c], b.parts[4+3*c], b.parts[5+3*c])
				close(done[c])
			}
			if giveBack != nil {
				_ = giveBack() // unmapping what was mapped does not fail
			}
		})
	}
	s := cutSegment(b.data, b.n, b.widths, 2)
	s.free, b.free = b.free, nil
	s.begin()
	from, sum := 0, uint32(0)
	give := func(to int) error {
		sum = crc32.Update(sum, castagnoli, b.data[from:to])
		err := put(b.data[from:to])
		from = to
		return err
	}
	err := give(b.ends[2]) // the rows
	for c := range cuts {
		<-done[c]
		if err == nil {
			err = give(b.ends[5+3*c])
		}
	}
	working.Wait()
	if err == nil {
		s.end(crc32.Update(sum, castagnoli, b.data[from:len(b.data)-trailerLen+8]))
		err = put(b.data[from:])
	}
	if err != nil {
		return nil, errors.Join(err, s.release())
	}
	return s, nil
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

// table sorts the rows by their content of c: first by its upper half into
// room, then each part by its lower half into place, so that neither scatters
// over more than the cache holds. A row travels as one word: lower half, tag,
// row.
func (b *builder) table(c chunk, room []uint64, starts, tags, slots []byte) {
	low := c.width / 2
	mask := uint64(1)<<c.width - 1
	// The 64 bits from c on, of which it and its tag have up to 40.
	first, second := b.half(c.word), b.half(c.word+1)
	one, two, shift := c.word&1, (c.word+1)&1, c.shift&63
	ends := make([]uint32, 1<<(c.width-low))
	for i := range first {
		v := first[i][one]>>shift | second[i][two]<<(64-shift)
		ends[v&mask>>low]++
	}
	sum := uint32(0)
	for i, count := range ends {
		ends[i] = sum
		sum += count
	}
	lowMask := uint64(1)<<low - 1
	for i := range first {
		v := first[i][one]>>shift | second[i][two]<<(64-shift)
		end := &ends[v&mask>>low]
		room[*end] = v&lowMask<<48 | v>>c.width&(1<<tagBits-1)<<32 | uint64(i)
		*end++
	}
	places := make([]uint32, 1<<low)
	begin := uint32(0)
	for high, end := range ends {
		clear(places)
		part := room[begin:end]
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
			binary.LittleEndian.PutUint16(slot, uint16(r))
			slot[2] = byte(r >> 16)
		}
		begin = end
	}
	binary.LittleEndian.PutUint32(starts[4<<c.width:], uint32(b.n))
}

// half returns the halves of the rows that have the word of a number; after the
// last comes the first.
func (b *builder) half(word uint8) [][2]uint64 {
	if word&2 == 0 {
		return b.heads
	}
	return b.tails
}
