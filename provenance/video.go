package provenance

import (
	"encoding/binary"
	"io"
	"strings"
)

// ReadVideo is [Read] for a video (MP4, MOV, WebM, Matroska) of that many bytes,
// which may be more than fits in memory: of its boxes and elements only those
// that can hold a mark are read, maxJUMBF bytes at most, and of the others the
// heads, maxBoxes at most. What in cannot give is passed over.
func ReadVideo(in io.ReaderAt, size int64) []Mark {
	g := &gathered{in: in}
	f := &found{marks: []Mark{}}
	if head := g.at(0, size, 12); has(head, 0, "\x1a\x45\xdf\xa3") {
		g.elements(size)
		f.segment(g.out)
	} else if isVideo(head) {
		g.boxes(size)
		f.bmff(g.out)
	}
	return f.marks
}

// isVideo tells an MP4 or MOV, which need not say its brand.
func isVideo(b []byte) bool {
	for _, kind := range []string{"ftyp", "moov", "mdat", "wide", "skip", "free"} {
		if has(b, 4, kind) {
			return true
		}
	}
	return false
}

// gathered are the parts of a file that can hold a mark, one after another.
type gathered struct {
	in    io.ReaderAt
	out   []byte
	heads int
}

// at returns up to n bytes from an offset.
func (g *gathered) at(from, size int64, n int) []byte {
	b := make([]byte, max(0, min(int64(n), size-from)))
	read, _ := g.in.ReadAt(b, from)
	return b[:read]
}

// take adds n bytes from an offset, if there is room for them.
func (g *gathered) take(from, n int64) {
	if n <= maxJUMBF-int64(len(g.out)) {
		g.out = append(g.out, g.at(from, from+n, int(n))...)
	}
}

// each calls do for the boxes between two offsets.
func (g *gathered) each(from, to int64, do func(kind string, from, body, length int64)) {
	for ; from < to && g.heads < maxBoxes; g.heads++ {
		b := g.at(from, to, 16)
		if len(b) < 8 {
			return
		}
		head, length := int64(8), int64(binary.BigEndian.Uint32(b))
		switch {
		case length == 0:
			length = to - from
		case length == 1 && len(b) == 16:
			head, length = 16, int64(binary.BigEndian.Uint64(b[8:]))
		}
		if length < head || length > to-from {
			return
		}
		do(string(b[4:8]), from, from+head, length)
		from += length
	}
}

// boxes gathers the boxes of C2PA and XMP, and of moov, which may be large, those
// of texts.
func (g *gathered) boxes(size int64) {
	g.each(0, size, func(kind string, from, body, length int64) {
		switch kind {
		case "uuid":
			g.take(from, length)
		case "moov":
			start := len(g.out)
			g.out = append(g.out, "\x00\x00\x00\x00moov"...)
			g.each(body, from+length, func(kind string, from, body, length int64) {
				if kind == "udta" || kind == "meta" {
					g.take(from, length)
				}
			})
			binary.BigEndian.PutUint32(g.out[start:], uint32(len(g.out)-start))
		}
	})
}

// elements gathers what a Matroska segment says of itself.
func (g *gathered) elements(size int64) {
	inside := false
	for from, n := int64(0), 0; from < size && n < maxBoxes; n++ {
		id, head, length := element(g.at(from, size, 12))
		switch {
		case head == 0:
			return
		case id == idSegment && !inside:
			inside = true
			from += int64(head)
			continue
		case length > uint64(size-from)-uint64(head): // or not known: nobody knows where the next one is
			return
		case inside && (id == idInfo || id == idTags):
			g.take(from, int64(head)+int64(length))
		}
		from += int64(head) + int64(length)
	}
}

// Matroska's elements.
const (
	idSegment    = 0x18538067
	idInfo       = 0x1549a966
	idWritingApp = 0x5741
	idTags       = 0x1254c367
	idTag        = 0x7373
	idSimpleTag  = 0x67c8
	idTagName    = 0x45a3
	idTagString  = 0x4487
)

// element reads the head of one (RFC 8794): an identifier of 1 to 4 bytes and a
// length of 1 to 8, each with as many zero bits at its beginning as it has more
// bytes than one, and then a one, which the identifier keeps. A length of ones
// alone is not known: it is returned as the greatest number. Without a whole
// head, head is 0.
func element(b []byte) (id uint64, head int, length uint64) {
	number := func(b []byte, most int) (v uint64, n int) {
		if len(b) == 0 {
			return 0, 0
		}
		for n = 1; n <= most && b[0]&(0x80>>(n-1)) == 0; n++ {
		}
		if n > most || n > len(b) {
			return 0, 0
		}
		for _, c := range b[:n] {
			v = v<<8 | uint64(c)
		}
		return v, n
	}
	id, n := number(b, 4)
	if n == 0 {
		return 0, 0, 0
	}
	length, m := number(b[n:], 8)
	if m == 0 {
		return 0, 0, 0
	}
	ones := uint64(1)<<(7*m) - 1
	if length &= ones; length == ones {
		length = 1<<64 - 1
	}
	return id, n + m, length
}

// elements calls do for the elements in b, the last one as far as it goes.
func (f *found) elements(b []byte, do func(id uint64, body []byte)) {
	for len(b) > 0 {
		id, head, length := element(b)
		if f.boxes++; f.boxes > maxBoxes || head == 0 {
			return
		}
		b = b[head:]
		n := min(length, uint64(len(b)))
		do(id, b[:n])
		b = b[n:]
	}
}

// matroska reads a WebM or Matroska file.
func (f *found) matroska(b []byte) {
	f.elements(b, func(id uint64, body []byte) {
		if id == idSegment {
			f.segment(body)
		}
	})
}

// segment reads the program that wrote the file, and its tags, as texts under
// PNG's keywords. A tag of a tag is not read.
func (f *found) segment(b []byte) {
	f.elements(b, func(id uint64, body []byte) {
		if id == idInfo {
			f.elements(body, func(id uint64, body []byte) {
				if id == idWritingApp {
					f.tagged("software", body, "tags")
				}
			})
		}
		if id != idTags {
			return
		}
		f.elements(body, func(id uint64, body []byte) {
			if id != idTag {
				return
			}
			f.elements(body, func(id uint64, body []byte) {
				if id != idSimpleTag {
					return
				}
				var name, text []byte
				f.elements(body, func(id uint64, body []byte) {
					switch id {
					case idTagName:
						name = body
					case idTagString:
						text = body
					}
				})
				f.tagged(string(upTo(name, maxWord)), text, "tags")
			})
		})
	})
}

// tagged reads a text that a video holds under a name.
func (f *found) tagged(name string, text []byte, part string) {
	key := strings.TrimPrefix(lower(name), "com.apple.quicktime.")
	if key != "xml:com.adobe.xmp" {
		f.text(key, string(upTo(text, maxText)), part)
	}
}

// itunes are the names of texts that stand in an ilst without a key.
var itunes = map[string]string{
	"\xa9too": "software", "\xa9swr": "software", "\xa9cmt": "comment", "\xa9des": "description", "desc": "description",
}

// movie reads what a moov holds: XMP and texts in udta, and texts in meta.
func (f *found) movie(b []byte) {
	f.within(b, "meta", f.list)
	f.within(b, "udta", func(udta []byte) {
		for len(udta) > 0 {
			kind, body, rest, ok := f.box(udta)
			if !ok {
				return
			}
			switch {
			case kind == "XMP_":
				f.xmp(body, "udta")
			case kind == "meta":
				f.list(body)
			case itunes[kind] != "" && len(body) >= 4: // QuickTime's: length [2], language [2], text
				n := int(binary.BigEndian.Uint16(body))
				f.tagged(itunes[kind], upTo(body[4:], n), "udta")
			}
			udta = rest
		}
	})
}

// list reads the texts of a meta box. MP4's begins with a version [4], QuickTime's
// does not. In keys, version [4] and count [4], are the names: length [4],
// namespace [4], name. In ilst are the values: boxes named as in itunes, or by
// the number of a key from 1, which hold a box data: type [4], language [4], text.
func (f *found) list(b []byte) {
	if !has(b, 4, "hdlr") {
		b = b[min(4, len(b)):]
	}
	var keys []string
	f.within(b, "keys", func(body []byte) {
		for body = body[min(8, len(body)):]; len(body) >= 8 && len(keys) < maxChunks; {
			n := binary.BigEndian.Uint32(body)
			if n < 8 || uint64(n) > uint64(len(body)) {
				return
			}
			keys = append(keys, string(upTo(body[8:n], maxWord)))
			body = body[n:]
		}
	})
	f.within(b, "ilst", func(ilst []byte) {
		for len(ilst) > 0 {
			kind, body, rest, ok := f.box(ilst)
			if !ok {
				return
			}
			name := itunes[kind]
			if i := uint64(binary.BigEndian.Uint32([]byte(kind))); 1 <= i && i <= uint64(len(keys)) {
				name = keys[i-1]
			}
			f.within(body, "data", func(text []byte) {
				f.tagged(name, text[min(8, len(text)):], "ilst")
			})
			ilst = rest
		}
	})
}
