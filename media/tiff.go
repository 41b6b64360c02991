package media

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"slices"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// A TIFF begins with "II" or "MM" for the byte order, 42 [2], and the offset of
// its first directory [4]; a BigTIFF with 43, 8 [2], 0 [2] and the offset [8]. A
// directory is a count [2] and entries of 12 bytes, tag [2], type [2], number of
// values [4], value [4]; in a BigTIFF [8] and 20 bytes, tag [2], type [2], number
// [8], value [8].

// probeTIFF takes the first picture of the file. What golang.org/x/image does
// not read, such as JPEG within or BigTIFF, is for libvips; but for CMYK of 8 bits,
// as libvips would follow a colour profile, and profiles are ignored: see inks.
func probeTIFF(data []byte) (h header, err error) {
	const (
		tagWidth, tagHeight   = 256, 257
		tagCompression        = 259
		jpegWithin, oldWithin = 7, 6
	)
	tags := tiffTags(data)
	h.orientation = 1
	if o := tags[tagOrientation]; 1 <= o && o <= 8 {
		h.orientation = int(o)
	}
	if renamed, ok := inks(data, tags); ok {
		if c, err := config(renamed, tiff.DecodeConfig); err == nil && c.ColorModel == color.NRGBAModel {
			h.width, h.height = c.Width, c.Height
			h.cost = costOf(color.CMYKModel, 3*bytesOf(color.CMYKModel))
			h.decode = decodeInks
			return h, nil
		}
	}
	c, err := config(data, tiff.DecodeConfig)
	within := tags[tagCompression] == jpegWithin || tags[tagCompression] == oldWithin
	if big := data[2] == 43 || data[3] == 43; big || within || errors.Is(err, ErrUnsupported) {
		w, ht := tags[tagWidth], tags[tagHeight]
		if w == 0 || ht == 0 || w > 1<<30 || ht > 1<<30 {
			return header{}, fmt.Errorf("%w: no size of a picture in it", ErrDamaged)
		}
		h.width, h.height, h.loader = int(w), int(ht), "tiffload"
		return h, nil
	}
	if err != nil {
		return header{}, err
	}
	h.width, h.height = c.Width, c.Height
	h.cost = costOf(c.ColorModel, 3*bytesOf(c.ColorModel)) // a strip may be all of it, and is read into a buffer that grows
	h.decode = func(r io.Reader) (image.Image, error) { return tiff.Decode(r) }
	return h, nil
}

// inks returns a TIFF of four inks under another name: as one of red, green, blue
// and alpha, which golang.org/x/image reads byte for byte. The directory is written
// once more, at the end, with a tag that says so.
func inks(data []byte, tags map[uint16]uint32) ([]byte, bool) {
	const (
		tagCompression, tagPhotometric, tagSamples, tagInkSet, tagExtra = 259, 262, 277, 332, 338

		separated, rgb, cmyk, alpha              = 5, 2, 1, 2
		none, lzw, deflate, oldDeflate, packBits = 1, 5, 8, 32946, 32773
		entry                                    = 12
	)
	ink, said := tags[tagInkSet]
	if tags[tagPhotometric] != separated || tags[tagSamples] != 4 || said && ink != cmyk {
		return nil, false
	}
	switch tags[tagCompression] {
	case 0, none, lzw, deflate, oldDeflate, packBits:
	default:
		return nil, false
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	if len(data) > math.MaxUint32-1<<20 || order.Uint16(data[2:]) != 42 {
		return nil, false
	}
	dir := data[order.Uint32(data[4:]):] // tiffTags has read it
	n := int(order.Uint16(dir))
	if len(dir) < 2+entry*n {
		return nil, false
	}
	var entries [][]byte
	for e := range slices.Chunk(dir[2:2+entry*n], entry) {
		switch order.Uint16(e) {
		case tagPhotometric:
			e = slices.Clone(e)
			order.PutUint16(e[8:], rgb)
		case tagExtra:
			continue
		}
		entries = append(entries, e)
	}
	extra := make([]byte, entry)
	order.PutUint16(extra, tagExtra)
	order.PutUint16(extra[2:], 3) // a short
	order.PutUint32(extra[4:], 1)
	order.PutUint16(extra[8:], alpha)
	entries = append(entries, extra)
	slices.SortStableFunc(entries, func(a, b []byte) int { return cmp.Compare(order.Uint16(a), order.Uint16(b)) })
	out := append(slices.Clone(data), make([]byte, len(data)%2+2)...)
	at := len(out) - 2
	order.PutUint16(out[at:], uint16(len(entries)))
	out = append(append(out, slices.Concat(entries...)...), 0, 0, 0, 0)
	order.PutUint32(out[4:], uint32(at))
	return out, true
}

// decodeInks decodes a TIFF that inks takes.
func decodeInks(r io.Reader) (image.Image, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	data, _ = inks(data, tiffTags(data))
	m, err := tiff.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	of, ok := m.(*image.NRGBA)
	if !ok {
		return nil, fmt.Errorf("%w: a picture of another kind comes out", ErrDamaged)
	}
	return &image.CMYK{Pix: of.Pix, Stride: of.Stride, Rect: of.Rect}, nil
}

// tiffTags returns the entries of the first directory that are one number.
func tiffTags(data []byte) map[uint16]uint32 {
	const typeShort, typeLong = 3, 4
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	tags := map[uint16]uint32{}
	at, entry, head := uint64(0), 12, 2
	switch {
	case len(data) >= 8 && order.Uint16(data[2:]) == 42:
		at = uint64(order.Uint32(data[4:]))
	case len(data) >= 16 && order.Uint16(data[2:]) == 43:
		at, entry, head = order.Uint64(data[8:]), 20, 8
	}
	if at < 8 || at > uint64(len(data)-head) {
		return tags
	}
	dir := data[at:]
	n := uint64(order.Uint16(dir))
	if head == 8 {
		n = order.Uint64(dir)
	}
	for dir = dir[head:]; n > 0 && len(dir) >= entry; n, dir = n-1, dir[entry:] {
		value := dir[entry-(entry-4)/2:]
		switch order.Uint16(dir[2:]) {
		case typeShort:
			tags[order.Uint16(dir)] = uint32(order.Uint16(value))
		case typeLong:
			tags[order.Uint16(dir)] = order.Uint32(value)
		}
	}
	return tags
}

func probeBMP(data []byte) (h header, err error) {
	c, err := config(data, bmp.DecodeConfig)
	if err != nil {
		return header{}, err
	}
	h.width, h.height = c.Width, c.Height
	h.cost = costOf(c.ColorModel, 0)
	h.orientation = 1
	h.decode = func(r io.Reader) (image.Image, error) { return bmp.Decode(r) }
	return h, nil
}
