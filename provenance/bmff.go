package provenance

import (
	"bytes"
	"encoding/binary"
	"math"
)

const (
	uuidC2PA = "\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81"
	uuidXMP  = "\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac"
)

// bmff walks the boxes of a file, and those inside it that can hold a mark.
//
// A C2PA uuid box holds, after its uuid, version and flags [4], a purpose ended
// by 0, and if that is "manifest" an offset [8] and the manifest store.
func (f *found) bmff(file []byte) {
	for b := file; len(b) > 0; {
		kind, body, rest, ok := f.box(b)
		if !ok {
			return
		}
		switch {
		case kind == "uuid" && has(body, 0, uuidC2PA) && has(body, 20, "manifest\x00") && len(body) >= 37:
			f.jumbf(body[37:], "uuid")
		case kind == "uuid" && has(body, 0, uuidXMP):
			f.xmp(body[16:], "uuid")
		case kind == "jumb": // JPEG XL
			f.jumbf(b[:len(b)-len(rest)], "jumb")
		case kind == "xml ":
			f.xmp(body, "xml")
		case kind == "Exif" && len(body) >= 4:
			f.exif(after(body), "Exif")
		case kind == "meta" && len(body) >= 4:
			f.meta(file, body[4:])
		case kind == "moov":
			f.movie(body)
		}
		b = rest
	}
}

// within calls do for each box of a kind among those in b.
func (f *found) within(b []byte, kind string, do func(body []byte)) {
	for len(b) > 0 {
		name, body, rest, ok := f.box(b)
		if !ok {
			return
		}
		if name == kind {
			do(body)
		}
		b = rest
	}
}

// after skips to the TIFF in an Exif box or item, which begins with how far away
// that is [4].
func after(b []byte) []byte {
	n := int64(binary.BigEndian.Uint32(b))
	return b[min(4+n, int64(len(b))):]
}

// meta reads the items of a HEIF: their kinds from iinf, their places from iloc.
// Only the first piece of an item counts, and only items that stand in the file.
func (f *found) meta(file, b []byte) {
	kinds := map[uint32]string{}
	f.within(b, "iinf", func(body []byte) {
		skip := 6
		if len(body) > 0 && body[0] > 0 {
			skip = 8
		}
		f.within(body[min(skip, len(body)):], "infe", func(body []byte) {
			if len(kinds) >= maxChunks || len(body) < 14 || body[0] < 2 || body[0] > 3 {
				return
			}
			// version [1], flags [3], item [2 or 4], protection [2], type [4], name, 0, content type, 0
			id, rest := uint32(binary.BigEndian.Uint16(body[4:])), body[8:]
			if body[0] == 3 {
				id, rest = binary.BigEndian.Uint32(body[4:]), body[10:]
			}
			_, content, _ := bytes.Cut(rest[4:], []byte{0})
			switch {
			case has(rest, 0, "Exif"):
				kinds[id] = "Exif"
			case has(rest, 0, "mime") && has(content, 0, "application/rdf+xml"):
				kinds[id] = "xmp"
			}
		})
	})
	if len(kinds) == 0 {
		return
	}
	f.within(b, "iloc", func(body []byte) {
		for id, at := range places(body) {
			kind := kinds[id]
			if kind == "" || at.from > uint64(len(file)) || at.n > uint64(len(file))-at.from {
				continue
			}
			item := file[at.from : at.from+at.n]
			if kind == "xmp" {
				f.xmp(item, "item")
			} else if len(item) >= 4 {
				f.exif(after(item), "item")
			}
		}
	})
}

type place struct{ from, n uint64 }

// places yields the items of an iloc and where they are: version [1], flags [3],
// sizes of four numbers (half a byte each), count, and for each item its number,
// how its offsets count (versions 1 and 2), a reference [2], a base, and its
// pieces.
func places(b []byte) func(yield func(uint32, place) bool) {
	return func(yield func(uint32, place) bool) {
		r := reader{b: b}
		version := r.number(4) >> 24
		sizes := int(r.number(2))
		wide := 2
		if version == 2 {
			wide = 4
		}
		count := r.number(wide)
		index := 0
		if version > 0 {
			index = sizes & 15
		}
		for i := uint64(0); i < count && i < maxChunks; i++ {
			id := uint32(r.number(wide))
			method := uint64(0)
			if version > 0 {
				method = r.number(2) & 15
			}
			r.number(2)
			base := r.number(sizes >> 4 & 15)
			var at place
			pieces := r.number(2)
			if pieces > 0 {
				r.number(index)
				from := r.number(sizes >> 12)
				at = place{base + from, r.number(sizes >> 8 & 15)}
				if at.from < base {
					at.from = math.MaxUint64
				}
				r.skip((int(pieces) - 1) * (index + sizes>>12 + sizes>>8&15))
			}
			if r.ended {
				return
			}
			if method == 0 && !yield(id, at) {
				return
			}
		}
	}
}

// A reader reads numbers of 0 to 8 bytes; ended, once one goes beyond the end.
type reader struct {
	b     []byte
	ended bool
}

func (r *reader) skip(n int) {
	if n > len(r.b) {
		r.ended, r.b = true, nil
		return
	}
	r.b = r.b[n:]
}

func (r *reader) number(size int) uint64 {
	if size > 8 || size > len(r.b) {
		r.ended, r.b = true, nil
		return 0
	}
	var wide [8]byte
	copy(wide[8-size:], r.b)
	r.b = r.b[size:]
	return binary.BigEndian.Uint64(wide[:])
}
