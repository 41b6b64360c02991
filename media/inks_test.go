//go:build linux

package media

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"rempart/pdq"
)

// TestInks: a TIFF of four inks is the picture that its inks make without a
// colour profile, whatever its compression and layout, and without any program.
func TestInks(t *testing.T) {
	needs(t, "vips")
	dir := t.TempDir()
	m, err := jpeg.Decode(bytes.NewReader(bridge(t)))
	if err != nil {
		t.Fatal(err)
	}
	b := m.Bounds()
	want := image.NewCMYK(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			want.Set(x, y, color.CMYKModel.Convert(m.At(x, y)))
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "raw"), want.Pix, 0o600); err != nil {
		t.Fatal(err)
	}
	makes(t, dir, "a.v", "vips", "rawload", "raw", "a.v", strconv.Itoa(b.Dx()), strconv.Itoa(b.Dy()), "4")
	makes(t, dir, "inks.v", "vips", "copy", "a.v", "inks.v", "--interpretation", "cmyk")
	files := map[string][]byte{}
	for name, options := range map[string]string{
		"plain": "", "LZW": "[compression=lzw,predictor=horizontal]", "Deflate": "[compression=deflate]", "tiles": "[tile,tile-width=128,tile-height=128]",
	} {
		files[name] = makes(t, dir, name+".tif", "vips", "copy", "inks.v", name+".tif"+options)
	}
	t.Setenv("PATH", t.TempDir())
	original := pdq.FromImage(m).Hash
	for name, file := range files {
		if got := tiffTags(file)[262]; got != 5 {
			t.Fatalf("%s: photometric interpretation %d: not of inks", name, got)
		}
		p, err := Decode(t.Context(), bytes.NewReader(file), Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, ok := p.Image.(*image.CMYK)
		if !ok || !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s: %T, or other inks", name, p.Image)
		}
		fp, err := Fingerprint(t.Context(), bytes.NewReader(file), Limits{})
		if err != nil || fp.PDQ.Distance(original) > 2 {
			t.Errorf("%s: %d bits from the picture it was made of, %v", name, fp.PDQ.Distance(original), err)
		}
		if _, err := Fingerprint(t.Context(), bytes.NewReader(file[:len(file)*2/3]), Limits{}); err == nil {
			t.Errorf("%s, cut short: no error", name)
		}
	}
}
