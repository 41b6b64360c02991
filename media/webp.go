package media

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/draw"
	"io"
	"iter"
	"time"

	"golang.org/x/image/webp"
)

// A WebP file is a RIFF: "RIFF", length [4], "WEBP", then chunks of type [4],
// length [4], body, padding to an even length; all little-endian. VP8X
// announces the canvas. An animation is a list of ANMF, each a place on the
// canvas, then chunks of its own.
//
// golang.org/x/image/webp reads still ones only, so each frame is made a still
// file of its own: the same way for all, animated or not.

// A webpFrame is one picture of a WebP and its place on the canvas.
type webpFrame struct {
	alpha    []byte // body of ALPH, nil if none
	bits     []byte // body of VP8 or VP8L, nil as long as none was found
	lossless bool   // VP8L
	at       image.Point
	delay    time.Duration
	flags    byte // of ANMF: 1 clear the place afterwards, 2 replace what is there
}

func probeWebP(data []byte) (header, error) {
	const animation = 1 << 1 // flag of VP8X
	var canvas image.Point
	var exif []byte
	var flags byte
	var still webpFrame
	var moving []webpFrame
	count, end := 0, 12
	for id, body := range chunks(data[12:]) {
		end += 8 + len(body) + len(body)%2
		switch id {
		case "VP8X":
			if len(body) < 10 {
				return header{}, fmt.Errorf("%w: a VP8X of %d bytes", ErrDamaged, len(body))
			}
			flags, canvas = body[0], image.Pt(uint24(body[4:])+1, uint24(body[7:])+1)
		case "ANMF":
			if count++; count > maxFrames {
				continue
			}
			frame, err := webpMoving(body)
			if err != nil {
				return header{}, fmt.Errorf("frame %d: %w", count, err)
			}
			moving = append(moving, frame)
		case "EXIF":
			if exif == nil {
				exif = body
			}
		default:
			still.add(id, body)
		}
	}
	// Without the flag browsers show the still picture, if there is one.
	if count == 0 || flags&animation == 0 && still.bits != nil {
		moving, count = []webpFrame{still}, 1
	} else if string(data[min(end, len(data)):min(end+4, len(data))]) == "ANMF" {
		return header{}, fmt.Errorf("%w: within frame %d", ErrTruncated, count+1)
	} else if said := int64(binary.LittleEndian.Uint32(data[4:])); said > int64(len(data)) {
		return header{}, fmt.Errorf("%w: %d bytes, it says %d", ErrTruncated, len(data), said)
	}
	out := header{orientation: orientation(exif), frameCount: count}
	for i := range moving {
		f := &moving[i]
		switch {
		case f.bits == nil && len(moving) > 1:
			return header{}, fmt.Errorf("%w: nothing in frame %d", ErrDamaged, i+1)
		case f.bits == nil:
			return header{}, fmt.Errorf("%w: no whole picture in it", ErrTruncated)
		}
		size, err := f.size()
		if err != nil {
			return header{}, err
		}
		if canvas == (image.Point{}) {
			canvas = size
		}
		place := image.Rectangle{Min: f.at, Max: f.at.Add(size)}
		if size.X == 0 || size.Y == 0 || !place.In(image.Rectangle{Max: canvas}) {
			return header{}, fmt.Errorf("%w: a frame at %v on a canvas of %v", ErrDamaged, place, canvas)
		}
		out.frames = append(out.frames, frame{
			place: place, delay: f.delay, replace: f.flags&2 != 0, dispose: int(f.flags&1) * clearPlace,
			file: func() []byte { return f.file(size) }, decode: decodeWebP,
		})
	}
	first := out.frames[0]
	whole := first.place.Size() == canvas
	out.data, out.width, out.height, out.cost = first.file(), canvas.X, canvas.Y, moving[0].cost(whole)
	out.decode = func(r io.Reader) (image.Image, error) {
		m, err := decodeWebP(r)
		if err != nil || whole {
			return m, err
		}
		ground := image.NewNRGBA(image.Rectangle{Max: canvas})
		draw.Draw(ground, first.place, m, image.Point{}, draw.Src)
		return ground, nil
	}
	return out, nil
}

// decodeWebP decodes a still file. The brightness of a lossy one goes from 16 to
// 235 and its colours from 16 to 240, which golang.org/x/image/webp gives as they
// are, in a type for which they go from 0 to 255.
func decodeWebP(r io.Reader) (image.Image, error) {
	m, err := webp.Decode(r)
	switch m := m.(type) {
	case *image.YCbCr:
		widen601(m)
	case *image.NYCbCrA:
		widen601(&m.YCbCr)
	}
	return m, err
}

func widen601(m *image.YCbCr) {
	for i, y := range m.Y {
		m.Y[i] = widened[y]
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = widenedColour[m.Cb[i]], widenedColour[m.Cr[i]]
	}
}

// widenedColour gives to each colour of 16 to 240 its own of 0 to 255.
var widenedColour = func() (table [256]byte) {
	for c := range table {
		table[c] = byte(min(max(((c-128)*255+128*224+112)/224, 0), 255))
	}
	return table
}()

// webpMoving reads the body of an ANMF.
func webpMoving(body []byte) (f webpFrame, err error) {
	// x/2 [3], y/2 [3], width [3], height [3], milliseconds [3], flags [1]
	const start = 16
	if len(body) < start {
		return f, fmt.Errorf("%w: an ANMF of %d bytes", ErrDamaged, len(body))
	}
	f.at = image.Pt(2*uint24(body), 2*uint24(body[3:]))
	f.delay, f.flags = time.Duration(uint24(body[12:]))*time.Millisecond, body[15]
	for id, body := range chunks(body[start:]) {
		f.add(id, body)
	}
	return f, nil
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
