//go:build linux

package media

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"rempart/pdq"
)

// makes runs a program that makes a file of dir, and returns the file.
func makes(t *testing.T, dir, name, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("making %s: %s %q: %v: %s", name, program, args, err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// bridge returns a photograph as a JPEG of 534 x 335, small enough for slow
// encoders, and without EXIF.
func bridge(t *testing.T) []byte {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(shared(t, "bridge-mods/aaa-orig.jpg")))
	if err != nil {
		t.Fatal(err)
	}
	b := m.Bounds()
	small := image.NewRGBA(image.Rect(0, 0, (b.Dx()+2)/3, (b.Dy()+2)/3))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			small.Set(x, y, m.At(3*x, 3*y))
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestEveryFormat takes one picture through every format that is read: all give
// one fingerprint.
func TestEveryFormat(t *testing.T) {
	needs(t, "prlimit", "vips", "heif-enc", "cjxl", "ffmpeg")
	dir := t.TempDir()
	original := bridge(t)
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), original, 0o600); err != nil {
		t.Fatal(err)
	}
	makes(t, dir, "a.png", "vips", "copy", "a.jpg", "a.png")
	want, err := Fingerprint(t.Context(), bytes.NewReader(original), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if want.Quality < 80 {
		t.Fatalf("quality %d: the picture proves nothing", want.Quality)
	}
	for _, c := range []struct {
		name, format string
		bits         int // greatest distance
		line         []string
	}{
		{"a.png", "png", 2, []string{"true"}},
		{"vips.avif", "avif", 10, []string{"vips", "copy", "a.png", "vips.avif[Q=80]"}},
		{"best.avif", "avif", 4, []string{"heif-enc", "-A", "-L", "-o", "best.avif", "a.png"}},
		{"vips.heic", "heic", 10, []string{"vips", "copy", "a.png", "vips.heic[Q=80]"}},
		{"best.heic", "heic", 4, []string{"heif-enc", "-L", "-o", "best.heic", "a.png"}},
		{"deep.heic", "heic", 10, []string{"heif-enc", "-b", "10", "-q", "95", "-o", "deep.heic", "a.png"}},
		{"lossy.jxl", "jxl", 10, []string{"cjxl", "-d", "1", "a.png", "lossy.jxl"}},
		{"exact.jxl", "jxl", 2, []string{"cjxl", "-d", "0", "a.png", "exact.jxl"}},
		{"jpeg.jxl", "jxl", 4, []string{"cjxl", "a.jpg", "jpeg.jxl"}}, // in boxes, the JPEG inside
		{"a.tif", "tiff", 2, []string{"vips", "copy", "a.png", "a.tif"}},
		{"lzw.tif", "tiff", 2, []string{"vips", "copy", "a.png", "lzw.tif[compression=lzw,tile,tile-width=256,tile-height=256]"}},
		{"deep.tif", "tiff", 2, []string{"ffmpeg", "-v", "error", "-i", "a.png", "-pix_fmt", "rgb48le", "deep.tif"}},
		{"a.bmp", "bmp", 2, []string{"ffmpeg", "-v", "error", "-i", "a.png", "a.bmp"}},
		{"a.webp", "webp", 10, []string{"vips", "copy", "a.png", "a.webp[Q=90]"}},
		{"a.gif", "gif", 10, []string{"vips", "copy", "a.png", "a.gif"}},
	} {
		got, err := Fingerprint(t.Context(), bytes.NewReader(makes(t, dir, c.name, c.line[0], c.line[1:]...)), Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got.Format != c.format || got.Width != want.Width || got.Height != want.Height || got.Animated {
			t.Errorf("%s: %s of %d x %d, animated %v, want %s of %d x %d", c.name, got.Format, got.Width, got.Height, got.Animated, c.format, want.Width, want.Height)
		}
		d := got.PDQ.Distance(want.PDQ)
		if d > c.bits {
			t.Errorf("%s: %d bits, want %d at most", c.name, d, c.bits)
		}
		t.Logf("%s: %d bits", c.name, d)
	}
}

// TestTurnedOnce: whoever turns the picture, it is turned once.
func TestTurnedOnce(t *testing.T) {
	needs(t, "prlimit", "vips", "heif-enc", "cjxl", "avifenc")
	dir := t.TempDir()
	original := bridge(t)
	m, err := jpeg.Decode(bytes.NewReader(original))
	if err != nil {
		t.Fatal(err)
	}
	// APP1 with an EXIF block of one entry: orientation 6, turn clockwise.
	exif := "\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	turned := append(append(bytes.Clone(original[:2]), exif...), original[2:]...)
	if err := os.WriteFile(filepath.Join(dir, "six.jpg"), turned, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), original, 0o600); err != nil {
		t.Fatal(err)
	}
	asIs := pdq.FromImage(m).Hash
	clockwise := pdq.FromImage(upright(m, 6)).Hash
	for _, c := range []struct {
		name string
		want pdq.Hash
		line []string
	}{
		{"six.jpg", clockwise, []string{"true"}},
		{"six.jxl", clockwise, []string{"cjxl", "six.jpg", "six.jxl"}},        // has both, for one turn
		{"six.heic", asIs, []string{"heif-enc", "-o", "six.heic", "six.jpg"}}, // EXIF alone: not for HEIF
		{"irot.avif", clockwise, []string{"avifenc", "-s", "8", "--irot", "3", "a.jpg", "irot.avif"}},
		{"imir.avif", pdq.FromImage(upright(m, 4)).Hash, []string{"avifenc", "-s", "8", "--imir", "0", "a.jpg", "imir.avif"}},
		{"both.avif", clockwise, []string{"avifenc", "-s", "8", "--irot", "3", "six.jpg", "both.avif"}},
		{"six.tif", clockwise, []string{"vips", "copy", "six.jpg", "six.tif"}},
	} {
		got, err := Fingerprint(t.Context(), bytes.NewReader(makes(t, dir, c.name, c.line[0], c.line[1:]...)), Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if d := got.PDQ.Distance(c.want); d > 10 {
			t.Errorf("%s: %d bits, want 10 at most (as it lies: %d)", c.name, d, got.PDQ.Distance(asIs))
		}
		b := image.Pt(got.Width, got.Height)
		if (c.want == clockwise) != (b.Y > b.X) {
			t.Errorf("%s: %d x %d", c.name, b.X, b.Y)
		}
	}
}

// TestSystemRefuses: what the system's decoder is not given, or gives up.
func TestSystemRefuses(t *testing.T) {
	needs(t, "prlimit", "vips", "heif-enc", "cjxl", "ffmpeg")
	dir := t.TempDir()
	makes(t, dir, "a.png", "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x480", "-frames:v", "1", "a.png")
	heic := makes(t, dir, "a.heic", "heif-enc", "-o", "a.heic", "a.png")
	jxl := makes(t, dir, "a.jxl", "cjxl", "a.png", "a.jxl")
	damaged := bytes.Clone(heic)
	for i := len(damaged) / 2; i < len(damaged); i++ {
		damaged[i] = byte(i * i)
	}
	liar := bytes.Replace(heic, []byte("ispe\x00\x00\x00\x00\x00\x00\x02\x80\x00\x00\x01\xe0"), []byte("ispe\x00\x00\x00\x00\x00\x00\x00\x08\x00\x00\x00\x08"), -1)
	if bytes.Equal(liar, heic) {
		t.Fatal("no size to change")
	}
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"HEIC, half", heic[:len(heic)/2], ErrTruncated},
		{"HEIC, its header alone", heic[:200], ErrTruncated},
		{"HEIC with a smaller size written on it", liar, ErrDamaged},
		{"JPEG XL, half", jxl[:len(jxl)/2], ErrDamaged},
	} {
		if p, err := Decode(t.Context(), bytes.NewReader(c.data), Limits{}); !errors.Is(err, c.want) || p != nil {
			t.Errorf("%s: %v, %v, want %v", c.name, p, err, c.want)
		}
	}
	if p, err := Decode(t.Context(), bytes.NewReader(damaged), Limits{}); err != nil && !errors.Is(err, ErrDamaged) {
		t.Errorf("damaged: %v, %v", p, err) // a decoder may make something of it
	}
	if _, err := Decode(t.Context(), bytes.NewReader(heic), Limits{Pixels: 1000}); !errors.Is(err, ErrTooManyPixels) {
		t.Errorf("too large: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Decode(t.Context(), bytes.NewReader(heic), Limits{}); !errors.Is(err, ErrMissing) || !errors.Is(err, ErrUnsupported) {
		t.Errorf("without libvips: %v", err)
	}
}

// FuzzSystemHeader checks that no header of a file that is for the system's
// decoder ends the process, and that what passes has a size.
func FuzzSystemHeader(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x10ftypavif\x00\x00\x00\x00\x00\x00\x00\x38meta\x00\x00\x00\x00" +
		"\x00\x00\x00\x2ciprp\x00\x00\x00\x24ipco\x00\x00\x00\x1cispe\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x00\x00\x10ftypheic\x00\x00\x00\x00\x00\x00\x00\x01meta\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\xff\x0a\x41\x00\x00\x00"))
	f.Add([]byte(jxlBox + "\x00\x00\x00\x00jxlp\x00\x00\x00\x00\xff\x0a\x41\x00\x00\x00"))
	seed(f, "system/*")
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := probe(data)
		if err != nil || h.loader == "" {
			return
		}
		if h.width <= 0 || h.height <= 0 || h.orientation < 1 || h.orientation > 8 || h.orientation != 1 && h.loader != "tiffload" || h.decode != nil {
			t.Errorf("%+v", h)
		}
	})
}
