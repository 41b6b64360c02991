package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// A TIFF begins with "II" or "MM" for the byte order, 42 [2], and the offset of
// its first directory [4]; a BigTIFF with 43, 8 [2], 0 [2] and the offset [8]. A
// directory is a count [2] and entries of 12 bytes, tag [2], type [2], number of
// values [4], value [4]; in a BigTIFF [8] and 20 bytes, tag [2], type [2], number
// [8], value [8].

// probeTIFF takes the first picture of the file. What golang.org/x/image does
// not read, such as JPEG within, CMYK or BigTIFF, is for libvips.
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
