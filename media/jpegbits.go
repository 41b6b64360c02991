package media

import (
	"encoding/binary"
	"math/bits"
)

// A bitReader reads the bits of a JPEG scan, in which a byte 0xff is followed
// by 0x00. It stops at a marker, behind which it sees zeros without end:
// whoever reads must ask, now and then, whether it has overrun.
//
// Its fields are read and changed by the loops that decode, which keep them in
// variables of their own.
type bitReader struct {
	data []byte
	pos  int    // the next byte to be taken
	acc  uint64 // bits taken and not yet read, the next one highest; those after n are of no account
	n    int    // number of bits in acc, zeros behind the marker included
	pad  int    // number of such zeros ever taken
}

// enough is the number of bits that fill makes sure of: a code of 16 bits and
// a value of 16.
const enough = 32

// fill takes bytes until there are enough bits.
func (r *bitReader) fill() {
	r.acc, r.n = r.more(r.acc, r.n)
}

// more is fill for who keeps acc and n in variables.
func (r *bitReader) more(acc uint64, n int) (uint64, int) {
	if r.pos+8 <= len(r.data) {
		x := binary.BigEndian.Uint64(r.data[r.pos:])
		if !hasFF(x) {
			r.pos += (63 - n) >> 3
			return acc | x>>(n&63), n | 56
		}
	}
	r.acc, r.n = acc, n
	r.fillSlowly()
	return r.acc, r.n
}

// hasFF reports whether one of the 8 bytes of x is 0xff.
func hasFF(x uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	return (^x-ones)&x&highs != 0
}

func (r *bitReader) fillSlowly() {
	for r.n <= 56 {
		var v byte
		switch {
		case r.pos < len(r.data) && r.data[r.pos] != 0xff:
			v = r.data[r.pos]
			r.pos++
		case r.pos+1 < len(r.data) && r.data[r.pos+1] == 0:
			v = 0xff
			r.pos += 2
		default:
			r.pad += 8
		}
		r.acc |= uint64(v) << (56 - r.n)
		r.n += 8
	}
}

// restart forgets what is left of a byte, and begins anew at the next.
func (r *bitReader) restart() { r.acc, r.n, r.pad = 0, 0, 0 }

// overrun reports whether more bits were read than there were.
func (r *bitReader) overrun() bool { return r.n < r.pad }

// settled reports whether all whole bytes taken were read.
func (r *bitReader) settled() bool { return r.n >= r.pad && r.n-r.pad < 8 }

// bits reads n bits, 0 to 16.
func (r *bitReader) bits(n int) int {
	if r.n < enough {
		r.fill()
	}
	v := r.acc >> 1 >> (63 - n&63)
	r.acc <<= n & 63
	r.n -= n
	return int(v)
}

// lookBits is the length up to which codes are looked up.
const lookBits = 10

// A huffman is a Huffman table, in the forms in which it is read.
//
// An entry of values, indexed by the next bits, is a value [16, signed], a run
// or a whole symbol [8], and the bits to drop [8]. Where the value is not 0,
// code and value were both within the bits looked at, and run zeros come
// before it. Where it is 0 the entry is a symbol that is still to be followed
// by its value. Where the entry is 0 the code is longer.
//
// An entry of skips tells how to go over as many whole symbols as can be told
// from the bits: the coefficients passed [8], endOfBlock or 0 [1], the bits to
// drop [7], less than 64. It is 0 where the first code is longer.
type huffman struct {
	values  [1 << lookBits]uint32
	skips   [1 << lookBits]uint16
	most    [17]int32 // highest code of each length; -1 if none
	symbols [17]int32 // number of the symbol of code 0 of each length, may be negative
	list    [256]uint8
	set     bool
}

const endOfBlock = 0x80

// make reads a table: the number of codes of each length, and their symbols.
// It reports whether the codes fit in their lengths.
func (h *huffman) make(counts *[16]uint8, list []uint8) bool {
	*h = huffman{set: true}
	copy(h.list[:], list)
	var lengths [1 << lookBits]uint8
	code, at := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		n := int32(counts[length-1])
		h.most[length], h.symbols[length] = -1, at-code
		if code+n > 1<<length {
			return false
		}
		if n > 0 {
			h.most[length] = code + n - 1
		}
		if length <= lookBits {
			for k := range n {
				from := (code + k) << (lookBits - length)
				for i := range int32(1) << (lookBits - length) {
					lengths[from+i] = uint8(length)
					h.values[from+i] = valueEntry(uint32(from+i), length, list[at+k])
				}
			}
		}
		code, at = (code+n)<<1, at+n
	}
	for i := range h.skips {
		h.skips[i] = h.skipEntry(uint32(i), &lengths)
	}
	return true
}

func valueEntry(index uint32, length int, symbol uint8) uint32 {
	size := int(symbol & 15)
	total := length + size
	if size == 0 || total > lookBits {
		return uint32(symbol)<<8 | uint32(length)
	}
	v := extend(int(index>>(lookBits-total))&(1<<size-1), size)
	return uint32(uint16(int16(v)))<<16 | uint32(symbol>>4)<<8 | uint32(total)
}

func (h *huffman) skipEntry(index uint32, lengths *[1 << lookBits]uint8) uint16 {
	used, passed := 0, 0
	for used < lookBits {
		rest := index << used & (1<<lookBits - 1)
		length := int(lengths[rest])
		if length == 0 || used+length > lookBits {
			break
		}
		code := int32(rest >> (lookBits - length))
		symbol := h.list[h.symbols[length]+code]
		run, size := int(symbol>>4), int(symbol&15)
		switch {
		case symbol == 0:
			return uint16(passed)<<8 | endOfBlock | uint16(used+length)
		case size == 0 && run != 15:
			// Not of a sequential scan: left to be found by who reads it.
			return entry(passed, used)
		case passed+run+1 > 64:
			return entry(passed, used)
		}
		used += length + size
		passed += run + 1
	}
	return entry(passed, used)
}

func entry(passed, used int) uint16 { return uint16(passed)<<8 | uint16(used) }

// extend returns the value that size bits stand for.
func extend(v, size int) int {
	if size > 0 && v < 1<<(size-1) {
		return v - 1<<size + 1
	}
	return v
}

// long finds the symbol of a code of more than lookBits bits at the top of
// acc, and its length: 0 if there is none.
func (h *huffman) long(acc uint64) (symbol uint8, length int) {
	for length := lookBits + 1; length <= 16; length++ {
		code := int32(acc >> (64 - length))
		if code <= h.most[length] {
			return h.list[(h.symbols[length]+code)&255], length
		}
	}
	return 0, 0
}

// symbol reads one symbol of h. It is false if there is none.
func (r *bitReader) symbol(h *huffman) (uint8, bool) {
	if r.n < enough {
		r.fill()
	}
	e := h.values[r.acc>>(64-lookBits)]
	symbol, length := uint8(e>>8), int(e&255)
	switch {
	case e == 0:
		symbol, length = h.long(r.acc)
	case e>>16 != 0:
		// The entry has read the value as well: as many bits as it is long.
		v := int(int16(e >> 16))
		size := bits.Len(uint(max(v, -v)))
		symbol, length = symbol<<4|uint8(size), length-size
	}
	r.acc <<= length
	r.n -= length
	return symbol, length != 0
}
