package media_test

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/webp"

	"rempart/media"
	"rempart/pdq"
)

// TestRealWebP reads the WebP files that golang.org/x/image is tested with:
// lossy, lossless, with alpha. Each frame goes through a file made anew, so
// its pixels must be those of the file as it was, alone or in an animation; of a
// lossy one with their brightness from 0 to 255, as libwebp gives it.
func TestRealWebP(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/image").Output()
	dir := filepath.Join(strings.TrimSpace(string(out)), "testdata")
	if _, missing := os.Stat(dir); err != nil || missing != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no test data of golang.org/x/image: %v, %v", err, missing)
		}
		t.Skipf("no test data of golang.org/x/image: %v, %v", err, missing)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.webp"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no WebP files: %v", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := webp.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		got, err := media.Decode(t.Context(), bytes.NewReader(data), media.Limits{})
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		if lossy(want) {
			theirs := viaVips(t, name)
			d := pdq.FromImage(got.Image).Hash.Distance(pdq.FromImage(theirs).Hash)
			if d > 2 || math.Abs(meanLuma(got.Image)-meanLuma(theirs)) > 1 {
				t.Errorf("%s: %d bits from libwebp, brightness %v, %v", filepath.Base(name), d, meanLuma(got.Image), meanLuma(theirs))
			}
			want = got.Image
		}
		same(t, filepath.Base(name), got.Image, want)

		chunks := data[12:]
		if string(chunks[:4]) == "VP8X" {
			chunks = chunks[18:]
		}
		w, h := want.Bounds().Dx(), want.Bounds().Dy()
		moving := riff(vp8x(2, w, h), chunk("ANIM", make([]byte, 6)), anmf(0, 0, w, h, chunks), anmf(0, 0, w, h, chunks))
		got, err = media.Decode(t.Context(), bytes.NewReader(moving), media.Limits{})
		if err != nil || !got.Animated {
			t.Errorf("%s, animated: %v", filepath.Base(name), err)
			continue
		}
		same(t, filepath.Base(name)+", animated", got.Image, want)
	}
}

func lossy(m image.Image) bool {
	switch m.(type) {
	case *image.YCbCr, *image.NYCbCrA:
		return true
	}
	return false
}

// viaVips returns a picture as libvips, and so libwebp, decodes it.
func viaVips(t *testing.T, name string) image.Image {
	t.Helper()
	if _, err := exec.LookPath("vips"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("vips is missing: run scripts/test-deps.sh: %v", err)
		}
		t.Skipf("vips is missing: run scripts/test-deps.sh: %v", err)
	}
	to := filepath.Join(t.TempDir(), "a.png")
	if out, err := exec.Command("vips", "copy", name, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func meanLuma(m image.Image) float64 {
	luma, w, h := pdq.Luma(m)
	sum := 0.0
	for _, v := range luma {
		sum += float64(v)
	}
	return sum / float64(w*h)
}
