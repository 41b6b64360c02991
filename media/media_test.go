package media_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"rempart/media"
	"rempart/pdq"
	"rempart/provenance"
)

func TestFormats(t *testing.T) {
	m := scene(120, 90)
	paletted := image.NewPaletted(m.Rect, palette.Plan9)
	draw.Draw(paletted, m.Rect, m, image.Point{}, draw.Src)
	bits := chunk("VP8L", vp8l(120, 90, rings))
	for _, c := range []struct {
		name, format string
		data         []byte
		animated     bool
		sameAs       image.Image // nil: any
	}{
		{"JPEG", "jpeg", encodeJPEG(t, m), false, nil},
		{"PNG", "png", encodePNG(t, m), false, m},
		{"GIF", "gif", encodeGIF(t, paletted), false, paletted},
		{"animated GIF", "gif", encodeGIF(t, paletted, paletted, paletted), true, paletted},
		{"animated PNG", "png", withChunk(encodePNG(t, m), "acTL", []byte{0, 0, 0, 2, 0, 0, 0, 0}), true, m},
		{"PNG with one frame", "png", withChunk(encodePNG(t, m), "acTL", []byte{0, 0, 0, 1, 0, 0, 0, 0}), false, m},
		{"WebP", "webp", riff(bits), false, drawn(120, 90)},
		{"WebP with VP8X", "webp", riff(vp8x(0, 120, 90), chunk("ICCP", []byte("odd")), bits), false, drawn(120, 90)},
		{"animated WebP", "webp", riff(vp8x(2, 120, 90), chunk("ANIM", make([]byte, 6)),
			anmf(0, 0, 120, 90, bits), anmf(0, 0, 120, 90, bits)), true, drawn(120, 90)},
	} {
		p, err := media.Decode(t.Context(), bytes.NewReader(c.data), media.Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if p.Format != c.format || p.Animated != c.animated || p.Width != 120 || p.Height != 90 || p.Orientation != 1 {
			t.Errorf("%s: %s, animated %v, %d x %d, orientation %d", c.name, p.Format, p.Animated, p.Width, p.Height, p.Orientation)
		}
		if p.SHA256 != sha256.Sum256(c.data) {
			t.Errorf("%s: SHA-256 %x", c.name, p.SHA256)
		}
		if c.sameAs != nil {
			same(t, c.name, p.Image, c.sameAs)
		}
	}
}

// drawn is rings as a picture.
func drawn(w, h int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{0, 0, 0, 255}
			if rings(x, y) {
				c = color.NRGBA{255, 255, 255, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

func same(t *testing.T, name string, got, want image.Image) {
	t.Helper()
	if got.Bounds() != want.Bounds() {
		t.Errorf("%s: bounds %v, want %v", name, got.Bounds(), want.Bounds())
		return
	}
	b := got.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, a := got.At(x, y).RGBA()
			r2, g2, b2, a2 := want.At(x, y).RGBA()
			if r>>8 != r2>>8 || g>>8 != g2>>8 || bl>>8 != b2>>8 || a>>8 != a2>>8 {
				t.Errorf("%s: at %d, %d: %v, want %v", name, x, y, got.At(x, y), want.At(x, y))
				return
			}
		}
	}
}

// TestFrameInItsPlace: a first frame smaller than its screen is shown in its
// place, as browsers do.
func TestFrameInItsPlace(t *testing.T) {
	small := image.NewPaletted(image.Rect(10, 20, 30, 40), color.Palette{color.White, color.Black})
	bits := chunk("VP8L", vp8l(20, 20, func(int, int) bool { return true }))
	for name, data := range map[string][]byte{
		"gif":  encodeGIF(t, small),
		"webp": riff(vp8x(2, 40, 40), anmf(10, 20, 20, 20, bits)),
	} {
		p, err := media.Decode(t.Context(), bytes.NewReader(data), media.Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := image.NewNRGBA(image.Rect(0, 0, 40, 40))
		draw.Draw(want, image.Rect(10, 20, 30, 40), image.White, image.Point{}, draw.Src)
		same(t, name, p.Image, want)
	}
}

func TestErrors(t *testing.T) {
	m := scene(300, 200)
	jpg, pic := encodeJPEG(t, m), encodePNG(t, m)
	paletted := image.NewPaletted(m.Rect, palette.Plan9)
	draw.Draw(paletted, m.Rect, m, image.Point{}, draw.Src)
	anim := encodeGIF(t, paletted)
	bits := vp8l(120, 90, rings)
	huge := append([]byte{0x2f}, 0xff, 0xff, 0xff, 0x0f)
	broken := bytes.Clone(pic)
	broken[len(broken)/2] ^= 0xff
	scans := append(bytes.Clone(jpg[:len(jpg)-2]), bytes.Repeat([]byte{0xff, 0xda, 0, 2}, 500)...)
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, media.ErrNotPicture},
		{"text", []byte("Bonjour, ceci n'est pas une image."), media.ErrNotPicture},
		{"HTML", []byte("<!doctype html><title>exemple.test</title>"), media.ErrNotPicture},
		{"zeros", make([]byte, 1000), media.ErrNotPicture},
		{"half a magic", []byte("\x89PN"), media.ErrNotPicture},
		{"HEIC of 16 bytes", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), media.ErrTruncated},
		{"AVIF without a picture", []byte("\x00\x00\x00\x10ftypavif\x00\x00\x00\x00"), media.ErrDamaged},
		{"AVIF of a thousand million pixels", ispe("avif", 50_000, 20_000), media.ErrTooManyPixels},
		{"HEIC larger than any", ispe("heic", 1<<31, 1<<31), media.ErrTooManyPixels},
		{"HEIC of no pixel", ispe("heic", 0, 7), media.ErrDamaged},
		{"JPEG XL of 3 bytes", []byte("\xff\x0a\xff"), media.ErrTruncated},
		{"JPEG XL of 2^30 x 2^30", []byte("\xff\x0a\xfe\xff\xff\xff\xcf\xff"), media.ErrTooManyPixels},
		{"JPEG XL without its stream", []byte("\x00\x00\x00\x0cJXL \r\n\x87\n\x00\x00\x00\x08free"), media.ErrDamaged},
		{"TIFF of 8 bytes", []byte("II*\x00\x08\x00\x00\x00"), media.ErrTruncated},
		{"BMP of 14 bytes", []byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00"), media.ErrTruncated},
		{"MP4", []byte("\x00\x00\x00\x18ftypisom\x00\x00\x00\x00"), media.ErrUnsupported},
		{"JPEG of 3 bytes", jpg[:3], media.ErrTruncated},
		{"JPEG, half", jpg[:len(jpg)/2], media.ErrTruncated},
		{"JPEG without its end", jpg[:len(jpg)-40], media.ErrTruncated},
		{"PNG of 8 bytes", pic[:8], media.ErrTruncated},
		{"PNG, half", pic[:len(pic)/2], media.ErrTruncated},
		{"GIF of 6 bytes", anim[:6], media.ErrTruncated},
		{"GIF, half", anim[:len(anim)/2], media.ErrTruncated},
		{"WebP of 12 bytes", riff()[:12], media.ErrTruncated},
		{"WebP, half", riff(chunk("VP8L", bits))[:len(bits)/2], media.ErrTruncated},
		{"a frame that is not where it says", riff(vp8x(2, 40, 40), anmf(30, 30, 20, 20, chunk("VP8L", vp8l(20, 20, rings)))), media.ErrDamaged},
		{"a bit turned", broken, media.ErrDamaged},
		{"JPEG of 501 scans", scans, media.ErrDamaged},
		{"50,000 x 50,000 PNG", pngHeader(50_000, 50_000), media.ErrTooManyPixels},
		{"the largest PNG", pngHeader(1<<31-1, 1<<31-1), media.ErrTooManyPixels},
		{"GIF of 65,535 x 65,535", []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00;"), media.ErrTooManyPixels},
		{"WebP of 16,384 x 16,384", riff(chunk("VP8L", huge)), media.ErrTooManyPixels},
		{"WebP with a large canvas", riff(vp8x(2, 1<<24, 1<<24), anmf(0, 0, 20, 20, chunk("VP8L", vp8l(20, 20, rings)))), media.ErrTooManyPixels},
		{"a small canvas on a large WebP", riff(vp8x(0, 1, 1), chunk("VP8L", huge)), media.ErrDamaged},
	} {
		p, err := media.Decode(t.Context(), bytes.NewReader(c.data), media.Limits{})
		if !errors.Is(err, c.want) || p != nil {
			t.Errorf("%s: %v, %v, want %v", c.name, p, err, c.want)
		}
		if fp, err := media.Fingerprint(t.Context(), bytes.NewReader(c.data), media.Limits{}); !errors.Is(err, c.want) || fp.SHA256 != "" {
			t.Errorf("%s: fingerprint: %v, %v, want %v", c.name, fp, err, c.want)
		}
	}
}

// TestBombsAreCheap: refusing costs next to nothing.
func TestBombsAreCheap(t *testing.T) {
	// A GIF of 200 frames of 5000 x 5000, one block of data each: to decode
	// them all would take 5 GB.
	bomb := []byte("GIF89a\x88\x13\x88\x13\x80\x00\x00\x00\x00\x00\xff\xff\xff")
	for range 200 {
		bomb = append(bomb, ",\x00\x00\x00\x00\x88\x13\x88\x13\x00\x02\x02\x4c\x01\x00"...)
	}
	bomb = append(bomb, ';')
	for _, c := range []struct {
		name string
		data []byte
		lim  media.Limits
		want error
	}{
		{"50,000 x 50,000 PNG", pngHeader(50_000, 50_000), media.Limits{}, media.ErrTooManyPixels},
		{"GIF of 200 frames", bomb, media.Limits{Pixels: 10e6}, media.ErrTooManyPixels},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := media.Decode(t.Context(), bytes.NewReader(c.data), c.lim)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		took := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %d bytes allocated: %v", c.name, took, err)
		if took > 1<<20 {
			t.Errorf("%s: %d bytes allocated", c.name, took)
		}
	}
	// Within the limits, the first frame alone is decoded: here it is cut
	// short, and 25 MB are all it costs.
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := media.Decode(t.Context(), bytes.NewReader(bomb), media.Limits{})
	runtime.ReadMemStats(&after)
	if err == nil {
		t.Error("a frame without pixels was decoded")
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 60e6 {
		t.Errorf("%d bytes allocated for one frame of 25 megapixels", took)
	}
}

func TestLimits(t *testing.T) {
	data := encodePNG(t, scene(100, 50))
	n := int64(len(data))
	for _, c := range []struct {
		lim  media.Limits
		want error
	}{
		{media.Limits{Bytes: n}, nil},
		{media.Limits{Bytes: n - 1}, media.ErrTooManyBytes},
		{media.Limits{Pixels: 5000}, nil},
		{media.Limits{Pixels: 4999}, media.ErrTooManyPixels},
	} {
		if _, err := media.Decode(t.Context(), bytes.NewReader(data), c.lim); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.lim, err, c.want)
		}
	}
	_, err := media.Decode(t.Context(), bytes.NewReader(data), media.Limits{Pixels: 4999})
	if err == nil || !strings.Contains(err.Error(), "100 x 50 pixels, the limit is 4999") {
		t.Errorf("no details: %v", err)
	}
	// What is too long is not read to its end.
	endless := io.MultiReader(bytes.NewReader(data), neverEnds{})
	if _, err := media.Decode(t.Context(), endless, media.Limits{Bytes: 1 << 20}); !errors.Is(err, media.ErrTooManyBytes) {
		t.Errorf("endless: %v", err)
	}
}

type neverEnds struct{}

func (neverEnds) Read(p []byte) (int, error) { return len(p), nil }

func TestReaderErrors(t *testing.T) {
	sad := errors.New("the line went dead")
	_, err := media.Decode(t.Context(), iotest.ErrReader(sad), media.Limits{})
	if !errors.Is(err, sad) {
		t.Errorf("error %v", err)
	}
	for _, kind := range []error{media.ErrNotPicture, media.ErrTruncated, media.ErrDamaged} {
		if errors.Is(err, kind) {
			t.Errorf("%v is taken for %v", err, kind)
		}
	}
	// Bytes that come one by one.
	data := encodeJPEG(t, scene(80, 60))
	if _, err := media.Decode(t.Context(), iotest.OneByteReader(bytes.NewReader(data)), media.Limits{}); err != nil {
		t.Error(err)
	}
}

// cancels cancels at the end of what it reads.
type cancels struct {
	io.Reader
	cancel context.CancelFunc
}

func (c cancels) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF {
		c.cancel()
	}
	return n, err
}

func TestCancel(t *testing.T) {
	data := encodeJPEG(t, scene(80, 60))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := media.Decode(ctx, cancels{bytes.NewReader(data), cancel}, media.Limits{})
	if !errors.Is(err, context.Canceled) || errors.Is(err, media.ErrTruncated) {
		t.Errorf("cancelled before decoding: %v", err)
	}
	if _, err := media.Decode(ctx, neverEnds{}, media.Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before reading: %v", err)
	}
}

// TestOrientations: a picture stored in any of the eight ways, and marked so,
// has the fingerprints of the upright one.
func TestOrientations(t *testing.T) {
	m := scene(320, 200)
	want := pdq.FromImage(m)
	if want.Quality < 80 {
		t.Fatalf("quality %d", want.Quality)
	}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for o := 1; o <= 8; o++ {
			stored := lay(m, o)
			e := exif(order, o)
			webpBits := chunk("VP8L", vp8lOf(stored))
			b := stored.Rect
			for name, data := range map[string][]byte{
				"JPEG":                    withAPP1(encodeJPEG(t, stored), e),
				"PNG":                     withChunk(encodePNG(t, stored), "eXIf", e),
				"WebP":                    riff(vp8x(8, b.Dx(), b.Dy()), webpBits, chunk("EXIF", e)),
				"WebP with JPEG's prefix": riff(vp8x(8, b.Dx(), b.Dy()), webpBits, chunk("EXIF", append([]byte("Exif\x00\x00"), e...))),
			} {
				want, most := want, 4
				switch {
				case name == "PNG":
					most = 0
				case strings.HasPrefix(name, "WebP"):
					want, most = pdq.FromImage(blackAndWhite(m)), 0
				}
				got, err := media.Fingerprint(t.Context(), bytes.NewReader(data), media.Limits{})
				if err != nil {
					t.Fatalf("%s, orientation %d: %v", name, o, err)
				}
				if got.Orientation != o || got.Width != 320 || got.Height != 200 {
					t.Errorf("%s, orientation %d: read as %d, %d x %d", name, o, got.Orientation, got.Width, got.Height)
				}
				d := got.PDQ.Distance(want.Hash)
				if order == binary.AppendByteOrder(binary.LittleEndian) && name == "JPEG" {
					t.Logf("%s, orientation %d: distance %d", name, o, d)
				}
				if d > most {
					t.Errorf("%s, orientation %d: distance %d", name, o, d)
				}
				if got.Dihedral[pdq.Original] != got.PDQ {
					t.Errorf("%s, orientation %d: the dihedral hashes are not of the upright picture", name, o)
				}
			}
		}
	}
}

// lay returns how m is stored in a file that asks for an orientation: it
// follows the words of the EXIF standard, "the 0th row is at the visual top",
// and so on.
func lay(m *image.NRGBA, orientation int) *image.NRGBA {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewNRGBA(size)
	for y := range h {
		for x := range w {
			left, right, top, bottom := x, w-1-x, y, h-1-y
			var column, row int // in the file
			switch orientation {
			case 1: // row 0 top, column 0 left
				row, column = top, left
			case 2: // row 0 top, column 0 right
				row, column = top, right
			case 3: // row 0 bottom, column 0 right
				row, column = bottom, right
			case 4: // row 0 bottom, column 0 left
				row, column = bottom, left
			case 5: // row 0 left, column 0 top
				row, column = left, top
			case 6: // row 0 right, column 0 top
				row, column = right, top
			case 7: // row 0 right, column 0 bottom
				row, column = right, bottom
			case 8: // row 0 left, column 0 bottom
				row, column = left, bottom
			}
			out.SetNRGBA(column, row, m.NRGBAAt(x, y))
		}
	}
	return out
}

func bright(c color.NRGBA) bool { return int(c.R)+int(c.G)+int(c.B) > 400 }

func vp8lOf(m *image.NRGBA) []byte {
	return vp8l(m.Rect.Dx(), m.Rect.Dy(), func(x, y int) bool { return bright(m.NRGBAAt(x, y)) })
}

func blackAndWhite(m *image.NRGBA) image.Image {
	out := image.NewGray(m.Rect)
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			if bright(m.NRGBAAt(x, y)) {
				out.SetGray(x, y, color.Gray{255})
			}
		}
	}
	return out
}

// TestMetadataStaysBehind plants a text and a position in a file and looks for
// them in all that comes out.
func TestMetadataStaysBehind(t *testing.T) {
	data := withAPP1(encodeJPEG(t, scene(120, 90)), exif(binary.BigEndian, 6))
	if !bytes.Contains(data, []byte(marker)) {
		t.Fatal("nothing was planted")
	}
	p, err := media.Decode(t.Context(), bytes.NewReader(data), media.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Orientation != 6 {
		t.Fatalf("the block was not read: orientation %d", p.Orientation)
	}
	fp, err := media.Fingerprint(t.Context(), bytes.NewReader(data), media.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if pix := p.Image.(*image.RGBA).Pix; bytes.Contains(pix, []byte(marker)) {
		t.Error("the marker is among the pixels")
	}
	p.Image = nil
	text, err := json.Marshal(fp)
	if err != nil {
		t.Fatal(err)
	}
	_, damage := media.Decode(t.Context(), bytes.NewReader(data[:len(data)/2]), media.Limits{})
	if damage == nil {
		t.Fatal("half a file was decoded")
	}
	for _, s := range []string{string(text), fmt.Sprintf("%#v", fp), fmt.Sprintf("%#v", p), damage.Error()} {
		if strings.Contains(s, "PLANTED") || strings.Contains(s, "48.8566") {
			t.Errorf("metadata came out: %s", s)
		}
	}
}

func TestFingerprint(t *testing.T) {
	m := scene(64, 64)
	data := encodePNG(t, m)
	hashes, _ := pdq.DihedralFromImage(m)
	r, sum := pdq.FromImage(m), sha256.Sum256(data)
	want := media.Fingerprints{
		SHA256: hex.EncodeToString(sum[:]), PDQ: r.Hash, Quality: r.Quality, Dihedral: hashes,
		Width: 64, Height: 64, Orientation: 1, Format: "png", Provenance: []provenance.Mark{},
	}
	got, err := media.Fingerprint(t.Context(), bytes.NewReader(data), media.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
