package provenance

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"iter"
)

// jpeg walks the segments up to the first scan: FF, marker [1], length [2], body.
//
// APP11 holds JUMBF in pieces: "JP", box instance [2], piece number [4], and the
// box's own header repeated in each (ISO 19566-5; the reading of c2pa-rs).
func (f *found) jpeg(b []byte) {
	var store, instance []byte
	for b = b[2:]; len(b) >= 4; {
		marker := b[1]
		switch {
		case b[0] != 0xff || marker == 0xff:
			b = b[1:]
			continue
		case marker == 0, marker == 1, 0xd0 <= marker && marker <= 0xd8:
			b = b[2:]
			continue
		}
		n := 2 + int(binary.BigEndian.Uint16(b[2:]))
		if marker == 0xda || marker == 0xd9 || n > len(b) {
			break
		}
		body := b[4:max(4, n)]
		switch {
		case marker == 0xe1 && has(body, 0, "Exif\x00\x00"):
			f.exif(body[6:], "APP1")
		case marker == 0xe1 && has(body, 0, "http://ns.adobe.com/xap/1.0/\x00"):
			f.xmp(body[29:], "APP1")
		case marker == 0xed && has(body, 0, "Photoshop 3.0\x00"):
			f.photoshop(body[14:], "APP13")
		case marker != 0xeb || !has(body, 0, "JP") || len(body) <= 16 || len(store) > maxJUMBF:
		case store == nil && has(body, 24, "c2pa"):
			instance = body[2:4]
			store = append(store, body[8:]...)
		case store != nil && bytes.Equal(body[2:4], instance):
			store = append(store, body[16:]...)
		}
		b = b[max(4, n):]
	}
	f.jumbf(store, "APP11")
}

// png walks the chunks: length [4], type [4], body, CRC [4].
func (f *found) png(b []byte) {
	texts := 0
	for b = b[8:]; len(b) >= 12; {
		n := int64(binary.BigEndian.Uint32(b))
		if n > int64(len(b)-12) {
			return
		}
		body, kind := b[8:8+n], string(b[4:8])
		switch kind {
		case "IEND":
			return
		case "caBX":
			f.jumbf(body, kind)
		case "eXIf":
			f.exif(body, kind)
		case "tEXt", "zTXt", "iTXt":
			if texts++; texts <= maxChunks {
				f.pngText(body, kind)
			}
		}
		b = b[12+n:]
	}
}

// pngText reads a text chunk. tEXt: keyword, 0, text. zTXt: keyword, 0, method
// [1], compressed text. iTXt: keyword, 0, compressed [1], method [1], language,
// 0, keyword in it, 0, text.
func (f *found) pngText(b []byte, kind string) {
	keyword, b, ok := bytes.Cut(b, []byte{0})
	if !ok || len(keyword) > 79 {
		return
	}
	packed := kind == "zTXt"
	switch kind {
	case "zTXt":
		b = b[min(1, len(b)):]
	case "iTXt":
		if len(b) < 2 {
			return
		}
		packed = b[0] == 1
		_, b, _ = bytes.Cut(b[2:], []byte{0})
		if _, b, ok = bytes.Cut(b, []byte{0}); !ok {
			return
		}
	}
	key := lower(string(keyword))
	if _, wanted := texts[key]; !wanted {
		return
	}
	if packed {
		b = f.inflate(b)
	}
	f.text(key, string(upTo(b, maxText)), kind)
}

// inflate returns what b holds, or nothing if that is more than maxText, or
// damaged, or not all of b.
func (f *found) inflate(b []byte) []byte {
	if f.inflated++; f.inflated > maxInflated {
		return nil
	}
	in := bytes.NewReader(b)
	z, err := zlib.NewReader(in)
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(z, maxText+1))
	if err != nil || len(out) > maxText || in.Len() > 0 {
		return nil
	}
	return out
}

// webp walks the chunks of a RIFF: type [4], length [4], body, padded to an even
// length; little-endian.
func (f *found) webp(b []byte) {
	for b = b[12:]; len(b) >= 8; {
		n := int64(binary.LittleEndian.Uint32(b[4:]))
		if n > int64(len(b)-8) {
			return
		}
		body := b[8 : 8+n]
		switch string(b[:4]) {
		case "C2PA":
			f.jumbf(body, "C2PA")
		case "XMP ":
			f.xmp(body, "XMP")
		case "EXIF":
			f.exif(bytes.TrimPrefix(body, []byte("Exif\x00\x00")), "EXIF")
		}
		b = b[min(8+n+n%2, int64(len(b))):]
	}
}

// gif walks the blocks for application extensions: a name of 11 bytes, then
// blocks of up to 255. XMP stands there raw, ending in bytes that lead any
// reader of blocks to the end.
func (f *found) gif(b []byte) {
	table := func(flags byte) int {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	if len(b) < 13 {
		return
	}
	at := 13 + table(b[10])
	for at+12 < len(b) {
		name := ""
		switch b[at] {
		case 0x2c:
			at += 11 + table(b[at+9])
		case 0x21:
			if b[at+1] == 0xff && b[at+2] == 11 && at+14 <= len(b) {
				name = string(b[at+3 : at+14])
				at += 12
			}
			at += 2
		default:
			return
		}
		start, end := at, at
		for end < len(b) && b[end] != 0 {
			end += 1 + int(b[end])
		}
		if end >= len(b) {
			return
		}
		switch {
		case name == "XMP DataXMP":
			f.xmp(b[start:end], "extension")
		case len(name) == 11 && name[:8] == "C2PA_GIF":
			f.jumbf(bytes.Join(collect(subBlocks(b[start:end])), nil), "extension")
		}
		at = end + 1
	}
}

// subBlocks yields the blocks of an extension: length [1], body.
func subBlocks(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(b) > 0 && len(b) > int(b[0]) {
			n := 1 + int(b[0])
			if !yield(b[1:n]) {
				return
			}
			b = b[n:]
		}
	}
}

func collect(parts iter.Seq[[]byte]) [][]byte {
	var out [][]byte
	n := 0
	for p := range parts {
		if n += len(p); n > maxJUMBF {
			break
		}
		out = append(out, p)
	}
	return out
}
