package media_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"rempart/media"
)

// FuzzFingerprint checks that any bytes give either an error of a known kind
// or a whole answer, within the limits, and that they give it twice.
func FuzzFingerprint(f *testing.F) {
	m := scene(40, 30)
	frame := image.NewPaletted(m.Rect, color.Palette{color.Black, color.White, color.Transparent})
	bits := chunk("VP8L", vp8l(40, 30, rings))
	for _, seed := range [][]byte{
		nil,
		encodeJPEG(f, m),
		withAPP1(encodeJPEG(f, m), exif(binary.LittleEndian, 6)),
		encodePNG(f, m),
		withChunk(encodePNG(f, m), "eXIf", exif(binary.BigEndian, 5)),
		encodeGIF(f, frame, frame),
		riff(bits),
		riff(vp8x(10, 40, 30), anmf(0, 0, 40, 30, bits), anmf(0, 0, 40, 30, bits), chunk("EXIF", exif(binary.BigEndian, 8))),
		riff(vp8x(16, 40, 30), chunk("ALPH", make([]byte, 1+40*30)), chunk("VP8 ", []byte("\x10\x02\x00\x9d\x01\x2a\x28\x00\x1e\x00"))),
		pngHeader(50_000, 50_000),
		encoded(f, func(w io.Writer) error { return tiff.Encode(w, m, nil) }),
		encoded(f, func(w io.Writer) error {
			return tiff.Encode(w, m, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
		}),
		encoded(f, func(w io.Writer) error { return bmp.Encode(w, m) }),
	} {
		f.Add(seed)
	}
	fixtures(f)
	f.Setenv("PATH", "") // the decoders that are ours; of the others see FuzzSystemHeader
	kinds := []error{
		media.ErrNotPicture, media.ErrUnsupported, media.ErrTruncated, media.ErrDamaged,
		media.ErrTooManyPixels, media.ErrTooManyBytes, media.ErrTooCostly,
	}
	lim := media.Limits{Bytes: 1 << 20, Pixels: 1 << 14}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := media.Fingerprint(t.Context(), bytes.NewReader(data), lim)
		if err != nil {
			known := 0
			for _, kind := range kinds {
				if errors.Is(err, kind) {
					known++
				}
			}
			if known != 1 {
				t.Errorf("%d kinds of error: %v", known, err)
			}
			return
		}
		sum := sha256.Sum256(data)
		if got.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("SHA-256 %s", got.SHA256)
		}
		if n := int64(got.Width) * int64(got.Height); n < 1 || n > lim.Pixels {
			t.Errorf("%d x %d pixels", got.Width, got.Height)
		}
		if got.Orientation < 1 || got.Orientation > 8 || got.Quality < 0 || got.Quality > 100 {
			t.Errorf("orientation %d, quality %d", got.Orientation, got.Quality)
		}
		again, err := media.Decode(t.Context(), bytes.NewReader(data), lim)
		if err != nil || again.Width != got.Width || again.Height != got.Height {
			t.Errorf("the second time: %v", err)
		}
	})
}

func encoded(t testing.TB, encode func(io.Writer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := encode(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// fixtures adds the shared pictures that are small, and the files of testdata.
func fixtures(f *testing.F) {
	f.Helper()
	dir := os.Getenv("REMPART_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "fixtures")
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*", "*.jp*g"))
	if len(names) == 0 && os.Getenv("CI") != "" {
		f.Fatal("no fixtures: set REMPART_FIXTURES")
	}
	ours, _ := filepath.Glob(filepath.Join("testdata", "*", "*"))
	if len(ours) == 0 {
		f.Fatal("no files in testdata")
	}
	for _, name := range append(names, ours...) {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) < 50_000 {
			f.Add(data)
		}
	}
}
