package stats

import (
	"encoding/binary"
	"hash/maphash"
	"math"
)

// items are the items of a table, found by their identifiers. They stay where
// they are as their number grows: 64 bytes an item, and 11 to 22 in the index.
//
// An identifier of up to 15 bytes is held as it is. A longer one is held as 120
// bits of two hashes under keys that are drawn for this table: nobody can make
// two of them the same, and that any two of ten million are by chance is one to
// 10^22.
type items struct {
	seeds [2]maphash.Seed
	slots []uint64 // 32 bits of the hash, and the number of an item plus one; 0 is free
	parts [][]item
	n     uint32
}

// part is how many items are allocated at once.
const part = 1 << 14

// item is one item: its first rating of each label, where the further ones are,
// and what identifies it.
type item struct {
	key     [2]uint64
	url     uint64 // hash of its url_hash, 0 if none was given; or torn
	line    uint32 // where it was first seen
	surface uint32 // 0 if none was given; or several
	first   [2]rating
	more    [2]uint32
}

// What stands for the address and the surface of an item that has more than one.
const (
	torn    = math.MaxUint64
	several = math.MaxUint32
)

func newItems() items {
	return items{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, slots: make([]uint64, 1<<10)}
}

func (t *items) hash(s string) uint64 { return maphash.String(t.seeds[0], s) }

// at returns the item of a number from 0.
func (t *items) at(n uint32) *item { return &t.parts[n/part][n%part] }

// of returns the item of an identifier, and whether it is new.
func (t *items) of(id string) (it *item, fresh bool) {
	h := t.hash(id)
	key := t.key(id, h)
	mask, tag := uint32(len(t.slots)-1), uint32(h>>32)
	p := tag & mask
	for t.slots[p] != 0 {
		if uint32(t.slots[p]>>32) == tag {
			if it := t.at(uint32(t.slots[p]) - 1); it.key == key {
				return it, false
			}
		}
		p = (p + 1) & mask
	}
	if t.n%part == 0 {
		t.parts = append(t.parts, make([]item, part))
	}
	t.n++
	t.slots[p] = uint64(tag)<<32 | uint64(t.n)
	it = t.at(t.n - 1)
	it.key = key
	if int(t.n) > len(t.slots)/4*3 {
		t.grow()
	}
	return it, true
}

// grow doubles the index; the slots hold all that it takes.
func (t *items) grow() {
	old := t.slots
	t.slots = make([]uint64, 2*len(old))
	mask := uint32(len(t.slots) - 1)
	for _, s := range old {
		if s == 0 {
			continue
		}
		p := uint32(s>>32) & mask
		for t.slots[p] != 0 {
			p = (p + 1) & mask
		}
		t.slots[p] = s
	}
}

// key identifies an identifier; its last byte is the length of a short one, 0xff
// of another.
func (t *items) key(id string, h uint64) [2]uint64 {
	if len(id) > 15 {
		return [2]uint64{h, maphash.String(t.seeds[1], id)<<8 | 0xff}
	}
	var b [16]byte
	copy(b[:], id)
	b[15] = byte(len(id))
	return [2]uint64{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}
