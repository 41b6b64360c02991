package near

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// A manifest says what an index on disk is made of. It is written whole, so
// that at any crash there is the old one or the new. Version 1, numbers
// little-endian:
//
//	"near index 1\n", 0, 0, 0
//	number [8] of the first log to read; those with a higher one follow
//	number of segments [4], 0 [4]
//	for each: its number [8], n [4], its CRC32C [4], how many rows are dead [4], 0 [4],
//	          and if there are any, one bit a row [⌈n/64⌉ × 8], the lowest first
//	CRC32C of all before it [4], "near trailer1\n"
type manifest struct {
	firstLog uint64
	segments []listed
}

// listed is a segment as a manifest names it.
type listed struct {
	number uint64
	n      uint32
	sum    uint32
	dead   []uint64
}

const manifestMagic = "near index 1\n\x00\x00\x00"

func (m *manifest) encode() []byte {
	le := binary.LittleEndian
	b := le.AppendUint64([]byte(manifestMagic), m.firstLog)
	b = le.AppendUint64(b, uint64(len(m.segments)))
	for _, s := range m.segments {
		deaths := countBits(s.dead)
		b = le.AppendUint64(b, s.number)
		b = le.AppendUint32(b, s.n)
		b = le.AppendUint32(b, s.sum)
		b = le.AppendUint64(b, uint64(deaths))
		if deaths > 0 {
			for _, w := range s.dead {
				b = le.AppendUint64(b, w)
			}
		}
	}
	b = le.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return append(b, segmentTrailer...)
}

func decodeManifest(b []byte) (*manifest, error) {
	le := binary.LittleEndian
	damaged := func(what string) (*manifest, error) {
		return nil, fmt.Errorf("near: manifest: %w: %s", errDamaged, what)
	}
	end := len(b) - len(segmentTrailer) - 4
	if end < len(manifestMagic)+16 || string(b[:len(manifestMagic)]) != manifestMagic || string(b[end+4:]) != segmentTrailer {
		return damaged("it does not begin and end as one of this version")
	}
	if le.Uint32(b[end:]) != crc32.Checksum(b[:end], castagnoli) {
		return damaged("its checksum is wrong")
	}
	b = b[len(manifestMagic):end]
	m := &manifest{firstLog: le.Uint64(b)}
	count := le.Uint64(b[8:])
	b = b[16:]
	for range count {
		if len(b) < 24 {
			return damaged("it is cut")
		}
		s := listed{number: le.Uint64(b), n: le.Uint32(b[8:]), sum: le.Uint32(b[12:])}
		deaths := le.Uint64(b[16:])
		b = b[24:]
		if s.n > maxRows {
			return damaged("a segment is too long")
		}
		if deaths > 0 {
			s.dead = make([]uint64, (s.n+63)/64)
			if len(b) < 8*len(s.dead) {
				return damaged("it is cut")
			}
			for i := range s.dead {
				s.dead[i] = le.Uint64(b[8*i:])
			}
			b = b[8*len(s.dead):]
			if uint64(countBits(s.dead)) != deaths || s.n%64 != 0 && s.dead[len(s.dead)-1]>>(s.n%64) != 0 {
				return damaged("the dead are miscounted")
			}
		}
		m.segments = append(m.segments, s)
	}
	if len(b) != 0 {
		return damaged("something follows")
	}
	return m, nil
}
