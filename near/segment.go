package near

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sort"

	"rempart/pdq"
)

// A segment is an immutable set of values with the tables to search it. In
// memory and on disk it is the same bytes. Version 2:
//
//	offset
//	     0  "near segment 2\n", 0           magic and version
//	    16  n [4]                           number of values, below 2^24
//	    20  m [1], 0 [3]                    number of chunks, 0 to 64
//	    24  widths, 1 byte each [64]        bits of each chunk, 1 to 24, in order
//	    88  0 [40]
//	   128  heads     n × 16                the first 128 bits of each value
//	        tails     n × 16                the other 128 bits
//	        ids       n × 8                 in rising order; row i of all three is one value
//	        for each chunk, if m > 0:
//	        starts    (2^width + 1) × 4     where in tags and slots a content begins; the last is n
//	        tags      n × 2                 for each value with the content, in the order
//	        slots     n × 3                 of rows: the 16 bits that follow the chunk; its row
//	   end  total length [8], CRC32C of all before it [4], "near trailer1\n" [14]
//
// Numbers are little-endian, as in every processor this runs on, so that the
// search reads them where they lie. A value is four of them of 64 bits (two in
// heads, two in tails), as [pdq.Hash.Words] gives them; chunk 0 begins at
// the lowest bit of the first, and each chunk continues where the one before
// ended. Each part begins at a multiple of 64, a line of the cache, and is
// followed by at least 8 zero bytes, so that a read of a word never leaves it.
//
// Why it is cut so: a search at distance 31 in ten million values reads about
// 50,000 tags, and of them one in a hundred lets it read a slot and 16 bytes of
// a head. Tags lie alone so that 32 of them are one line; heads without the
// tails so that a scan reads half as much. Rows are in the order of IDs so that
// an ID is found without another table.
//
//	values        chunks                   bytes a value
//	1,000         none: every one is read  40
//	10,000        32 of 8                  204
//	100,000       16 of 16                 162
//	1,000,000     16 of 16                 124
//	10,000,000    2 of 22, 13 of 16 or 17  119
//
// History: 1 is the first, still read: its tags have no more than the next chunk
// has, with zeroes above where that is narrower than 16 bits. In 2 the bits go
// on into the chunk after it, and after the last bit comes the first.
type segment struct {
	data   []byte
	n      int
	heads  [][2]uint64
	tails  [][2]uint64
	ids    []uint64
	widths []uint8
	chunks []chunk
	lanes  [maxChunks]*byte // where the tags of each chunk begin

	// Not part of the bytes, set by ready: how to search at each radius, and
	// the tags and rows a query may read before it reads every value instead.
	plans                            [maxPlanned + 1]*plan
	maxAlike, fewFetched, maxFetched int

	// number names the file, 0 for none; free gives up data, nil where Go
	// collects it.
	number uint64
	free   func() error

	// dead marks rows that were removed, nil for none; deaths is how many.
	// Guarded by the index's mu.
	dead   []uint64
	deaths int
}

type chunk struct {
	field
	tag         field // what its tags are
	starts      []uint32
	tags, slots []byte
}

// A field is bits of a value that lie together.
type field struct{ word, shift, width uint8 }

func fieldAt(position, width int) field {
	return field{uint8(position % valueBits / 64), uint8(position % 64), uint8(width)}
}

// cutInto returns the chunks of the widths, without their tables.
func cutInto(widths []uint8, version int) []chunk {
	chunks := make([]chunk, len(widths))
	position := 0
	for c, w := range widths {
		chunks[c].field = fieldAt(position, int(w))
		position += int(w)
		width := tagBits
		if version == 1 {
			width = min(width, int(widths[(c+1)%len(widths)]))
		}
		chunks[c].tag = fieldAt(position, width)
	}
	return chunks
}

const (
	segmentMagic   = "near segment 2\n\x00"
	segmentMagic1  = "near segment 1\n\x00"
	segmentTrailer = "near trailer1\n"
	headLen        = 128
	trailerLen     = 8 + 4 + len(segmentTrailer)
	maxRows        = 1<<24 - 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// words is a value as pdq.Hash.Words gives it.
type words [4]uint64

func (w *words) hash() (h pdq.Hash) {
	for i, v := range w {
		binary.BigEndian.PutUint64(h[8*i:], v)
	}
	return h
}

// content returns what w has in f.
func (f field) content(w *words) uint32 {
	v := w[f.word&3] >> (f.shift & 63)
	if f.shift+f.width > 64 {
		v |= w[(f.word+1)&3] << (64 - f.shift)
	}
	return uint32(v) & (1<<f.width - 1)
}

func (s *segment) row(i int) words { return block{s.heads, s.tails}.row(i) }

// find returns the row of id.
func (s *segment) find(id ID) (int, bool) {
	if s.n == 0 || uint64(id) < s.ids[0] || uint64(id) > s.ids[s.n-1] {
		return 0, false
	}
	i := sort.Search(s.n, func(i int) bool { return s.ids[i] >= uint64(id) })
	return i, s.ids[i] == uint64(id)
}

// release gives up the bytes of s: nobody may read them, now or later.
func (s *segment) release() error {
	if s.free == nil {
		return nil
	}
	free := s.free
	s.free = nil
	return free()
}

func (s *segment) alive(row int) bool {
	return s.dead == nil || s.dead[row/64]>>(row%64)&1 == 0
}

// kill marks row dead. It reports whether it was alive.
func (s *segment) kill(row int) bool {
	if !s.alive(row) {
		return false
	}
	if s.dead == nil {
		s.dead = make([]uint64, (s.n+63)/64)
	}
	s.dead[row/64] |= 1 << (row % 64)
	s.deaths++
	return true
}

// layout returns the length of a segment of n values, after it has called part
// for each part of it in order with its place and length.
func layout(n int, widths []uint8, part func(at, length int)) int {
	at := headLen
	put := func(length int) {
		part(at, length)
		at = (at + length + 8 + 63) &^ 63
	}
	put(n * 16)
	put(n * 16)
	put(n * 8)
	for _, w := range widths {
		put((1<<w + 1) * 4)
		put(n * 2)
		put(n * 3)
	}
	return at + trailerLen
}

// cutSegment takes the parts of data, which must be as long as layout says.
func cutSegment(data []byte, n int, widths []uint8, version int) *segment {
	s := &segment{data: data, n: n, widths: widths, chunks: cutInto(widths, version)}
	k := 0
	layout(n, widths, func(at, length int) {
		part := data[at : at+length : at+length+8]
		c := (k - 3) / 3
		switch {
		case k == 0:
			s.heads = pairs(part)
		case k == 1:
			s.tails = pairs(part)
		case k == 2:
			s.ids = numbers[uint64](part)
		case k%3 == 0:
			s.chunks[c].starts = numbers[uint32](part)
		case k%3 == 1:
			s.chunks[c].tags = part[:length+8]
			s.lanes[c] = &s.chunks[c].tags[0]
		default:
			s.chunks[c].slots = part[:length+8]
		}
		k++
	})
	return s
}

// ready prepares s to be searched.
func (s *segment) ready() {
	_, _, value := costs()
	s.plans = plansFor(s.chunks, s.n, value*float64(s.n))
	s.maxAlike, s.fewFetched, s.maxFetched = s.n/scanTags, fewRows, s.n/scanRows
	if vector.Load() || scanVector.Load() {
		s.maxAlike /= 2 // a scan costs less
	}
}

var errDamaged = errors.New("damaged")

// openSegment reads a segment. It checks every byte, and every number by which
// a search finds its way, so that no later call can leave data. It keeps data.
// The segment must be made ready.
func openSegment(data []byte) (*segment, error) {
	damaged := func(format string, a ...any) (*segment, error) {
		return nil, fmt.Errorf("near: segment: %w: "+format, append([]any{errDamaged}, a...)...)
	}
	if len(data) < headLen+trailerLen {
		return damaged("%d bytes are too few", len(data))
	}
	version := 2
	switch magic := string(data[:len(segmentMagic)]); {
	case magic == segmentMagic:
	case magic == segmentMagic1:
		version = 1
	default:
		if bytes.HasPrefix(data, []byte("near segment ")) {
			return damaged("a version this program does not know: %q", data[:len(segmentMagic)])
		}
		return damaged("it does not begin as one")
	}
	end := data[len(data)-trailerLen:]
	if string(end[12:]) != segmentTrailer {
		return damaged("it does not end as one")
	}
	if got := binary.LittleEndian.Uint64(end); got != uint64(len(data)) {
		return damaged("%d bytes, and it says %d", len(data), got)
	}
	n := int(binary.LittleEndian.Uint32(data[16:]))
	m := int(data[20])
	if n > maxRows || m > maxChunks {
		return damaged("%d values in %d chunks", n, m)
	}
	widths := bytes.Clone(data[24 : 24+m])
	total := 0
	for _, w := range widths {
		if w < 1 || w > maxWidth {
			return damaged("a chunk of %d bits", w)
		}
		total += int(w)
	}
	if m > 0 && total != valueBits {
		return damaged("chunks of %d bits together", total)
	}
	if want := layout(n, widths, func(int, int) {}); want != len(data) {
		return damaged("%d bytes, and %d values take %d", len(data), n, want)
	}
	sum := crc32.Checksum(data[:len(data)-trailerLen+8], castagnoli)
	if got := binary.LittleEndian.Uint32(end[8:]); got != sum {
		return damaged("its checksum is %08x, and it says %08x", sum, got)
	}
	s := cutSegment(data, n, widths, version)
	for i := 1; i < n; i++ {
		if s.ids[i] <= s.ids[i-1] {
			return damaged("its IDs do not rise")
		}
	}
	for c := range s.chunks {
		starts := s.chunks[c].starts
		before := uint32(0)
		for _, at := range starts {
			if at < before {
				return damaged("chunk %d goes back", c)
			}
			before = at
		}
		if starts[0] != 0 || before != uint32(n) {
			return damaged("chunk %d covers %d to %d of %d", c, starts[0], before, n)
		}
	}
	return s, nil
}

// begin writes what is before the parts.
func (s *segment) begin() {
	copy(s.data, segmentMagic)
	binary.LittleEndian.PutUint32(s.data[16:], uint32(s.n))
	s.data[20] = uint8(len(s.widths))
	copy(s.data[24:], s.widths)
	s.end(0)
}

// end writes what is after them, with the checksum of all that is before it.
func (s *segment) end(sum uint32) {
	end := s.data[len(s.data)-trailerLen:]
	binary.LittleEndian.PutUint64(end, uint64(len(s.data)))
	binary.LittleEndian.PutUint32(end[8:], sum)
	copy(end[12:], segmentTrailer)
}
