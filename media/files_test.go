package media_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"
)

// scene draws hills, a sun and fence posts: a picture with no symmetry, of
// good quality.
func scene(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{uint8(90 + 80*y/h), uint8(140 + 60*y/h), 230, 255}
			if hill := h/2 + (x*x/w-x/2)/3; y > hill {
				c = color.NRGBA{40, uint8(90 + 100*x/w), 50, 255}
			}
			if dx, dy := x-w/5, y-h/4; dx*dx+dy*dy < h*h/90 {
				c = color.NRGBA{255, 240, 120, 255}
			}
			if x*23/w%4 == 1 && y > h*2/3+x/9 {
				c = color.NRGBA{70, 40, 20, 255}
			}
			if x > w*3/4 && y*17/h%3 == 0 {
				c = color.NRGBA{200, 30, 60, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

func encodeJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodePNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodeGIF(t testing.TB, frames ...*image.Paletted) []byte {
	t.Helper()
	g := &gif.GIF{Config: image.Config{Width: frames[0].Rect.Max.X, Height: frames[0].Rect.Max.Y}}
	for _, f := range frames {
		g.Image = append(g.Image, f)
		g.Delay = append(g.Delay, 10)
	}
	g.Config.Width, g.Config.Height = max(g.Config.Width, 40), max(g.Config.Height, 40)
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Planted in metadata, to be found nowhere.
const marker = "PLANTED-MARKER-48.8566-2.3522"

// exif returns a TIFF block with an orientation, a marker and a GPS position.
func exif(order binary.AppendByteOrder, orientation int) []byte {
	b := []byte("II")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM")
	}
	entry := func(tag, kind uint16, count, value uint32) {
		b = order.AppendUint16(b, tag)
		b = order.AppendUint16(b, kind)
		b = order.AppendUint32(b, count)
		if kind == 3 {
			b = order.AppendUint16(b, uint16(value))
			b = order.AppendUint16(b, 0)
			return
		}
		b = order.AppendUint32(b, value)
	}
	const first, gps = 8, 8 + 2 + 3*12 + 4
	const text = gps + 2 + 12 + 4
	b = order.AppendUint16(b, 42)
	b = order.AppendUint32(b, first)
	b = order.AppendUint16(b, 3)
	entry(0x010e, 2, uint32(len(marker)), text) // description
	entry(0x0112, 3, 1, uint32(orientation))
	entry(0x8825, 4, 1, gps)
	b = order.AppendUint32(b, 0)
	b = order.AppendUint16(b, 1)
	entry(0x001d, 2, uint32(len(marker)), text) // GPS date, used for its text
	b = order.AppendUint32(b, 0)
	return append(b, marker...)
}

// withAPP1 puts an EXIF segment at the start of a JPEG.
func withAPP1(file, exif []byte) []byte {
	out := []byte{0xff, 0xd8, 0xff, 0xe1}
	out = binary.BigEndian.AppendUint16(out, uint16(2+6+len(exif)))
	out = append(out, "Exif\x00\x00"...)
	out = append(out, exif...)
	return append(out, file[2:]...)
}

// withChunk puts a chunk after the header of a PNG.
func withChunk(file []byte, id string, body []byte) []byte {
	const ihdr = 8 + 25
	out := append([]byte(nil), file[:ihdr]...)
	out = append(out, pngChunk(id, body)...)
	return append(out, file[ihdr:]...)
}

func pngChunk(id string, body []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = append(out, id...)
	out = append(out, body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// pngHeader returns the start of an 8-bit RGB PNG of any size, and no pixel.
func pngHeader(w, h uint32) []byte {
	body := binary.BigEndian.AppendUint32(nil, w)
	body = binary.BigEndian.AppendUint32(body, h)
	return append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", append(body, 8, 2, 0, 0, 0))...)
}

// vp8l returns the bits of a lossless WebP in which a pixel is white where of
// says so, and black elsewhere.
func vp8l(w, h int, of func(x, y int) bool) []byte {
	out := []byte{0x2f}
	var acc uint64
	var n uint
	put := func(v uint64, bits uint) {
		acc |= v << n
		for n += bits; n >= 8; n -= 8 {
			out = append(out, byte(acc))
			acc >>= 8
		}
	}
	put(uint64(w-1), 14)
	put(uint64(h-1), 14)
	put(0, 1+3)   // alpha is not used, version 0
	put(0, 1+1+1) // no transform, no colour cache, one set of codes
	// A simple code: 1, symbols-1 [1], first is 8 bits [1], first [8], second [8].
	two := func() { put(1|1<<1|1<<2|0<<3|255<<11, 19) }
	one := func(v uint64) { put(1|0<<1|1<<2|v<<3, 11) }
	two()    // green: 0 or 255, of one bit each
	two()    // red
	two()    // blue
	one(255) // alpha
	one(0)   // distance
	for y := range h {
		for x := range w {
			v := uint64(0)
			if of(x, y) {
				v = 7
			}
			put(v, 3)
		}
	}
	put(0, 8)
	return out
}

func riff(chunks ...[]byte) []byte {
	out := []byte("RIFF\x00\x00\x00\x00WEBP")
	for _, c := range chunks {
		out = append(out, c...)
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

func chunk(id string, body []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(body)))
	out = append(out, body...)
	return append(out, make([]byte, len(body)%2)...)
}

func uint24(v int) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16)} }

func vp8x(flags byte, w, h int) []byte {
	return chunk("VP8X", bytes.Join([][]byte{{flags, 0, 0, 0}, uint24(w - 1), uint24(h - 1)}, nil))
}

func anmf(x, y, w, h int, chunks ...[]byte) []byte {
	body := bytes.Join([][]byte{
		uint24(x / 2), uint24(y / 2), uint24(w - 1), uint24(h - 1), uint24(100), {0}, bytes.Join(chunks, nil),
	}, nil)
	return chunk("ANMF", body)
}

// rings is a drawing in black and white.
func rings(x, y int) bool { return (x*x+y*y/2+x*y/3)/700%2 == 0 || x/9%5 == 0 }

// ispe returns a HEIF file of one size and no pixel.
func ispe(brand string, width, height uint32) []byte {
	box := func(kind string, body ...byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), append([]byte(kind), body...)...)
	}
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(make([]byte, 4), width), height)
	meta := box("meta", append(make([]byte, 4), box("iprp", box("ipco", box("ispe", size...)...)...)...)...)
	return append(box("ftyp", []byte(brand+"\x00\x00\x00\x00")...), meta...)
}
