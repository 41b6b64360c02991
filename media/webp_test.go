package media_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/webp"

	"rempart/media"
)

// TestRealWebP reads the WebP files that golang.org/x/image is tested with:
// lossy, lossless, with alpha. Each frame goes through a file made anew, so
// its pixels must be those of the file as it was, alone or in an animation.
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
