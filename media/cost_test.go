package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"runtime"
	"testing"
	"time"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// chunkOf returns a chunk of a PNG.
func chunkOf(id string, body []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = append(append(out, id...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// headOf returns the chunks of a PNG up to its pixels.
func headOf(w, h int, depth, colours, interlace byte, orientation byte) []byte {
	body := binary.BigEndian.AppendUint32(nil, uint32(w))
	body = binary.BigEndian.AppendUint32(body, uint32(h))
	out := append([]byte(pngMagic), chunkOf("IHDR", append(body, depth, colours, 0, 0, interlace))...)
	exif := []byte{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0}
	return append(out, chunkOf("eXIf", exif)...)
}

// TestTooMuchMemory gives files that say they are within the limit of pixels and
// would take more than the budget: they are refused before a pixel is decoded.
// Those that would not are read on, to their early end.
func TestTooMuchMemory(t *testing.T) {
	for _, c := range []struct {
		name string
		file []byte
		want error
	}{
		{"16 bits, turned", headOf(10_000, 10_000, 16, 2, 0, 6), ErrTooMuchMemory},
		{"16 bits grey, transparent or not, turned", headOf(10_000, 10_000, 16, 0, 0, 6), ErrTooMuchMemory},
		{"16 bits, interlaced", headOf(10_000, 10_000, 16, 6, 1, 1), ErrTooMuchMemory},
		{"one row", headOf(100_000_000, 1, 16, 6, 0, 1), ErrTooMuchMemory},
		{"8 bits, turned", headOf(10_000, 10_000, 8, 2, 0, 6), ErrTruncated},
		{"16 bits, 48 megapixels, turned", headOf(8064, 6048, 16, 2, 0, 6), ErrTruncated},
	} {
		_, err := Fingerprint(t.Context(), bytes.NewReader(c.file), Limits{})
		if !errors.Is(err, c.want) || errors.Is(err, ErrTooManyPixels) != (c.want == ErrTooMuchMemory) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestCheapLane takes all of the budget, and a small picture comes through
// nevertheless.
func TestCheapLane(t *testing.T) {
	release, err := reserve(t.Context(), Budget)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	m := image.NewRGBA(image.Rect(0, 0, 1200, 900))
	for i := range m.Pix {
		m.Pix[i] = byte(i * i >> 12)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := Fingerprint(ctx, bytes.NewReader(b.Bytes()), Limits{}); err != nil {
		t.Errorf("a small picture while large ones take all there is: %v", err)
	}
}

// TestHonestCost holds what a decoder allocates against what is asked for, for
// each format and depth; the picture is large enough for tables not to count.
func TestHonestCost(t *testing.T) {
	const w, h = 1600, 1200
	r := image.Rect(0, 0, w, h)
	wide := image.NewNRGBA64(r)
	for i := range wide.Pix {
		wide.Pix[i] = byte(i>>3) ^ byte(i>>14)
	}
	rgb := image.NewRGBA(r)
	copy(rgb.Pix, wide.Pix)
	few := image.NewPaletted(r, color.Palette{color.Black, color.White})
	grey := image.NewGray(r)
	copy(grey.Pix, wide.Pix)
	write := func(to func(*bytes.Buffer) error) []byte {
		var b bytes.Buffer
		if err := to(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for name, data := range map[string][]byte{
		"png 16":   write(func(b *bytes.Buffer) error { return png.Encode(b, wide) }),
		"png 8":    write(func(b *bytes.Buffer) error { return png.Encode(b, rgb) }),
		"png grey": write(func(b *bytes.Buffer) error { return png.Encode(b, grey) }),
		"png few":  write(func(b *bytes.Buffer) error { return png.Encode(b, few) }),
		"jpeg":     write(func(b *bytes.Buffer) error { return jpeg.Encode(b, rgb, nil) }),
		"gif":      write(func(b *bytes.Buffer) error { return gif.Encode(b, few, nil) }),
		"bmp":      write(func(b *bytes.Buffer) error { return bmp.Encode(b, rgb) }),
		"tiff 8":   write(func(b *bytes.Buffer) error { return tiff.Encode(b, rgb, nil) }),
		"tiff 16":  write(func(b *bytes.Buffer) error { return tiff.Encode(b, wide, nil) }),
	} {
		for _, orientation := range []int{1, 6} {
			f, err := open(t.Context(), bytes.NewReader(data), Default)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			f.orientation = orientation
			said := f.decodeCost()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := f.picture(t.Context()); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			took := int64(after.TotalAlloc - before.TotalAlloc)
			t.Logf("%s, orientation %d: allocates %d bytes a pixel, says %d", name, orientation, took/(w*h), said/(w*h))
			if took > said+said/10+1<<20 {
				t.Errorf("%s, orientation %d: allocates %d bytes, says %d", name, orientation, took, said)
			}
		}
	}
}
