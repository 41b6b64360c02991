package media_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rempart/media"
	"rempart/pdq"
)

// TestFixtures takes the shared pictures from their files to their
// fingerprints, as a person's or a platform's file goes.
func TestFixtures(t *testing.T) {
	dir := os.Getenv("REMPART_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "fixtures")
	}
	manifest, err := os.Open(filepath.Join(dir, "MANIFEST.tsv"))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no fixtures: set REMPART_FIXTURES: %v", err)
		}
		t.Skipf("no fixtures: set REMPART_FIXTURES to their folder: %v", err)
	}
	defer manifest.Close()
	pictures := 0
	for lines := bufio.NewScanner(manifest); lines.Scan(); {
		col := strings.Split(lines.Text(), "\t")
		want, err := pdq.Parse(col[min(4, len(col)-1)])
		if err != nil {
			continue // the titles, a video or a list of values
		}
		pictures++
		f, err := os.Open(filepath.Join(dir, filepath.FromSlash(col[0])))
		if err != nil {
			t.Fatal(err)
		}
		got, err := media.Fingerprint(t.Context(), f, media.Limits{})
		f.Close()
		if err != nil {
			t.Errorf("%s: %v", col[0], err)
			continue
		}
		if got.SHA256 != col[2] {
			t.Errorf("%s: SHA-256 %s", col[0], got.SHA256)
		}
		d := got.PDQ.Distance(want)
		t.Logf("%s: distance %d, quality %d, orientation %d", col[0], d, got.Quality, got.Orientation)
		if d > 10 {
			t.Errorf("%s: distance %d", col[0], d)
		}
	}
	if pictures == 0 {
		t.Fatal("no pictures in the manifest")
	}
}
