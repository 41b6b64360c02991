package web_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"rempart/media"
	"rempart/pdq"
)

// tool ends the test if a program is missing that makes its files; fatal in CI.
func tool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s makes this test's files: %v", name, err)
		}
		t.Skipf("%s makes this test's files: %v", name, err)
	}
}

// server returns the fingerprints that the server gives the file at path.
func server(t *testing.T, path string) media.Fingerprints {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := media.Fingerprint(context.Background(), f, media.Default)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return p
}

// TestOrientations turns one photo in each of the eight ways that EXIF knows: the
// browser and the server see the same picture, to the bit.
func TestOrientations(t *testing.T) {
	ctx := openDriver(t)
	dir := t.TempDir()
	photo := jpegOf(t, scene(640, 427))
	for o := byte(1); o <= 8; o++ {
		path := save(t, dir, fmt.Sprintf("turned%d.jpg", o), orient(photo, o))
		want, got := server(t, path), fingerprint(t, ctx, path)
		if want.Orientation != int(o) {
			t.Fatalf("the server reads orientation %d, want %d", want.Orientation, o)
		}
		if !got.OK || got.Width != want.Width || got.Height != want.Height {
			t.Errorf("orientation %d: ok %v, %d x %d, want %d x %d", o, got.OK, got.Width, got.Height, want.Width, want.Height)
			continue
		}
		if d := distance(t, got.PDQ, want.PDQ.String()); d != 0 {
			t.Errorf("orientation %d: %d bits from the server's", o, d)
		}
	}
}

// TestFormats gives the browser the formats that people have, from one picture:
// what it reads is within 10 bits of the picture, and of the server where the
// server reads that format; what it does not read is known by its bytes.
func TestFormats(t *testing.T) {
	tool(t, "vips")
	ctx := openDriver(t)
	dir := t.TempDir()
	picture := scene(640, 427)
	want := pdq.FromImage(picture).Hash.String()
	from := save(t, dir, "from.png", pngOf(t, picture))
	for _, tt := range []struct {
		name, options, kind string
		reads, server       bool // who reads it: Chromium, and the server, to compare
	}{
		{"picture.png", "", "png", true, true},
		{"picture.jpg", "[Q=85]", "jpeg", true, true},
		{"picture.gif", "", "gif", true, true},
		{"picture.webp", "[Q=85]", "webp", true, true},
		{"lossless.webp", "[lossless]", "webp", true, true},
		{"picture.avif", "[Q=70]", "avif", true, true},
		{"picture.heic", "[Q=70]", "", false, false},
		{"picture.jxl", "", "", false, false},
		{"picture.tif", "", "", false, false},
	} {
		path := filepath.Join(dir, tt.name)
		if out, err := exec.Command("vips", "copy", from, path+tt.options).CombinedOutput(); err != nil {
			if os.Getenv("CI") != "" {
				t.Errorf("%s: not made: run scripts/test-deps.sh: %v: %s", tt.name, err, bytes.TrimSpace(out))
			} else {
				t.Logf("%s: not made, vips lacks it: %s", tt.name, bytes.TrimSpace(out))
			}
			continue
		}
		got := fingerprint(t, ctx, path)
		if len(got.SHA256) != 64 {
			t.Errorf("%s: no SHA-256", tt.name)
		}
		if !tt.reads {
			if got.OK || got.Code != "unsupported" {
				t.Errorf("%s: ok %v, %q, want unsupported", tt.name, got.OK, got.Code)
			}
			continue
		}
		if !got.OK || got.Kind != tt.kind || got.Width != 640 || got.Height != 427 {
			t.Errorf("%s: ok %v (%s), %s of %d x %d", tt.name, got.OK, got.Code, got.Kind, got.Width, got.Height)
			continue
		}
		far := -1
		if tt.server {
			far = distance(t, got.PDQ, server(t, path).PDQ.String())
		}
		d := distance(t, got.PDQ, want)
		t.Logf("%s: %d bits from the picture, %d from the server's (-1: not read there)", tt.name, d, far)
		if d > 10 || far > 10 {
			t.Errorf("%s: more than 10 bits", tt.name)
		}
	}
}

// TestSameAsPlain compares the module with PDQ written down plainly, over many
// sizes, bit for bit.
func TestSameAsPlain(t *testing.T) {
	ctx := openDriver(t)
	n, err := chromedp.Run(ctx, chromedp.Evaluate[int](`drive.different(150)`))
	if err != nil {
		t.Fatal(err)
	}
	if n > 0 {
		t.Errorf("%d of 150 sizes give another hash than the plain port", n)
	}
}

// TestTwelveMegapixels logs how long a phone's photo takes here, beside the plain
// port on the same machine at the same minute.
func TestTwelveMegapixels(t *testing.T) {
	if testing.Short() {
		t.Skip("large picture")
	}
	ctx := openDriver(t)
	dir := t.TempDir()
	for _, size := range []image.Point{{768, 512}, {4000, 3000}} {
		path := save(t, dir, fmt.Sprintf("photo%d.jpg", size.X), jpegOf(t, scene(size.X, size.Y)))
		best := fingerprint(t, ctx, path)
		for range 4 {
			if r := fingerprint(t, ctx, path); r.MS < best.MS {
				best = r
			}
		}
		d := distance(t, best.PDQ, server(t, path).PDQ.String())
		t.Logf("%d x %d JPEG, all of it: %d ms, the best of five; %d bits from the server's", size.X, size.Y, best.MS, d)
		if !best.OK || d != 0 {
			t.Errorf("%d x %d: ok %v (%s), distance %d", size.X, size.Y, best.OK, best.Code, d)
		}
	}
	for range 3 {
		r, err := chromedp.Run(ctx, chromedp.Evaluate[struct {
			Ours, Plain float64
			Same        bool
		}](`drive.race()`))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("PDQ of 12 megapixels in memory: %.0f ms, plain port %.0f ms, %.1f times as long", r.Ours, r.Plain, r.Plain/r.Ours)
		if !r.Same {
			t.Error("they differ")
		}
	}
}
