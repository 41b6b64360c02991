package media

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/draw"
	"io"
	"iter"

	"golang.org/x/image/webp"
)

// A WebP file is a RIFF: "RIFF", length [4], "WEBP", then chunks of type [4],
// length [4], body, padding to an even length; all little-endian. VP8X
// announces the canvas. An animation is a list of ANMF, each a place on the
// canvas, then chunks of its own.
//
// golang.org/x/image/webp reads still ones only, so the first frame is made a
// still file of its own: the same way for all, animated or not.

// A webpFrame is one picture of a WebP and its place on the canvas.
type webpFrame struct {
	alpha    []byte // body of ALPH, nil if none
	bits     []byte // body of VP8 or VP8L, nil as long as none was found
	lossless bool   // VP8L
	at       image.Point
}

func probeWebP(data []byte) (header, error) {
	var canvas image.Point
	var exif []byte
	var still, frame webpFrame
	frames := 0
	for id, body := range chunks(data[12:]) {
		switch id {
		case "VP8X":
			if len(body) < 10 {
				return header{}, fmt.Errorf("%w: a VP8X of %d bytes", ErrDamaged, len(body))
			}
			canvas = image.Pt(uint24(body[4:])+1, uint24(body[7:])+1)
		case "ANMF":
			if frames++; frames > 1 {
				continue
			}
			// x/2 [3], y/2 [3], width [3], height [3], time [3], flags [1]
			const start = 16
			if len(body) < start {
				return header{}, fmt.Errorf("%w: an ANMF of %d bytes", ErrDamaged, len(body))
			}
			frame.at = image.Pt(2*uint24(body), 2*uint24(body[3:]))
			for id, body := range chunks(body[start:]) {
				frame.add(id, body)
			}
		case "EXIF":
			if exif == nil {
				exif = body
			}
		default:
			still.add(id, body)
		}
	}
	if frames == 0 {
		frame = still
	}
	if frame.bits == nil {
		return header{}, fmt.Errorf("%w: no whole picture in it", ErrTruncated)
	}
	size, err := frame.size()
	if err != nil {
		return header{}, err
	}
	if canvas == (image.Point{}) {
		canvas = size
	}
	place := image.Rectangle{Min: frame.at, Max: frame.at.Add(size)}
	if size.X == 0 || size.Y == 0 || !place.In(image.Rectangle{Max: canvas}) {
		return header{}, fmt.Errorf("%w: a frame at %v on a canvas of %v", ErrDamaged, place, canvas)
	}
	decode := func(r io.Reader) (image.Image, error) {
		m, err := webp.Decode(r)
		if err != nil || size == canvas {
			return m, err
		}
		whole := image.NewNRGBA(image.Rectangle{Max: canvas})
		draw.Draw(whole, place, m, image.Point{}, draw.Src)
		return whole, nil
	}
	return header{
		data: frame.file(size), width: canvas.X, height: canvas.Y,
		orientation: orientation(exif), animated: frames > 1, decode: decode, cost: frame.cost(size == canvas),
	}, nil
}

// add takes the chunk if it is a part of the frame.
func (f *webpFrame) add(id string, body []byte) {
	switch {
	case f.bits != nil:
	case id == "ALPH":
		f.alpha = body
	case id == "VP8 ":
		f.bits = body
	case id == "VP8L":
		f.bits, f.lossless, f.alpha = body, true, nil
	}
}

// size reads the width and height that the bits themselves declare: they, not
// the container, decide what the decoder allocates.
func (f *webpFrame) size() (image.Point, error) {
	b := f.bits
	switch {
	case f.lossless && len(b) >= 5 && b[0] == 0x2f: // width-1, height-1: 14 bits each
		v := int(binary.LittleEndian.Uint32(b[1:]))
		return image.Pt(v&0x3fff+1, v>>14&0x3fff+1), nil
	case !f.lossless && len(b) >= 10 && string(b[3:6]) == "\x9d\x01\x2a": // 14 bits each, and 2 of scale
		return image.Pt(
			int(binary.LittleEndian.Uint16(b[6:]))&0x3fff,
			int(binary.LittleEndian.Uint16(b[8:]))&0x3fff,
		), nil
	}
	return image.Point{}, fmt.Errorf("%w: no size in its first bytes", ErrDamaged)
}

// cost is that of golang.org/x/image/webp: of lossless pictures, and of alpha,
// the pixels before and after the last transform. A frame smaller than the
// canvas is copied to it.
func (f *webpFrame) cost(whole bool) cost {
	c := cost{pixel: 4, extra: 4, turn: 4}
	if !f.lossless {
		c = cost{pixel: 3, turn: 8}
		if f.alpha != nil {
			c = cost{pixel: 4, extra: 8, turn: 8}
		}
	}
	if !whole {
		c.extra, c.turn = c.extra+4, 4
	}
	return c
}

// file returns the frame as a still WebP.
func (f *webpFrame) file(size image.Point) []byte {
	out := []byte("RIFF\x00\x00\x00\x00WEBP")
	chunk := func(id string, body []byte) {
		out = append(out, id...)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(body)))
		out = append(out, body...)
		if len(body)%2 == 1 {
			out = append(out, 0)
		}
	}
	if f.alpha != nil {
		const alphaFlag = 1 << 4
		w, h := size.X-1, size.Y-1
		chunk("VP8X", []byte{
			alphaFlag, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16),
		})
		chunk("ALPH", f.alpha)
	}
	if f.lossless {
		chunk("VP8L", f.bits)
	} else {
		chunk("VP8 ", f.bits)
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// chunks yields the chunks of a RIFF, up to one that is cut short.
func chunks(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(id string, body []byte) bool) {
		for len(data) >= 8 {
			n := int64(binary.LittleEndian.Uint32(data[4:]))
			if n > int64(len(data)-8) || !yield(string(data[:4]), data[8:8+n]) {
				return
			}
			data = skip(data, int(8+n+n%2))
		}
	}
}
