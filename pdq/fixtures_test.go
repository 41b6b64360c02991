package pdq_test

import (
	"bufio"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rempart/pdq"
)

// fixtures returns the folder of the shared pictures. Without it the test is
// skipped on a person's machine and fails in CI.
func fixtures(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("REMPART_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "fixtures")
	}
	if _, err := os.Stat(filepath.Join(dir, "MANIFEST.tsv")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no fixtures: set REMPART_FIXTURES: %v", err)
		}
		t.Skipf("no fixtures: set REMPART_FIXTURES to their folder: %v", err)
	}
	return dir
}

func decode(t testing.TB, name string) image.Image {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

// TestFixtures compares with the hashes that the reference gives from pixels
// decoded by libjpeg-turbo and libpng. PNG decodes to the same pixels
// everywhere; JPEG does not, so 10 bits are allowed where quality is 80 or
// more, and 22 below, as measured on a smooth sky.
func TestFixtures(t *testing.T) {
	dir := fixtures(t)
	f, err := os.Open(filepath.Join(dir, "MANIFEST.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Scan()
	if want := "file\tbytes\tsha256\tlicence\tpdq\tquality"; lines.Text() != want {
		t.Fatalf("columns of the manifest: %q, want %q", lines.Text(), want)
	}
	pictures := 0
	for lines.Scan() {
		col := strings.Split(lines.Text(), "\t")
		if len(col) < 6 || col[4] == "" {
			continue // a video or a list of values
		}
		pictures++
		want, err := pdq.Parse(col[4])
		if err != nil {
			t.Fatal(err)
		}
		quality, err := strconv.Atoi(col[5])
		if err != nil {
			t.Fatal(err)
		}
		got := pdq.FromImage(decode(t, filepath.Join(dir, filepath.FromSlash(col[0]))))
		bits, points := 10, 2
		switch {
		case strings.HasSuffix(col[0], ".png"):
			bits, points = 0, 0
		case quality < 80:
			bits = 22
		}
		d := got.Hash.Distance(want)
		t.Logf("%s: distance %d, quality %d (reference %d)", col[0], d, got.Quality, quality)
		if d > bits {
			t.Errorf("%s: hash %v, distance %d, at most %d allowed", col[0], got.Hash, d, bits)
		}
		if diff := got.Quality - quality; max(diff, -diff) > points {
			t.Errorf("%s: quality %d, want %d within %d", col[0], got.Quality, quality, points)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if pictures == 0 {
		t.Fatal("no pictures in the manifest")
	}
}

// TestReallyTurned checks that the dihedral hashes of a photograph are near
// the hashes of the files in which it was really turned or mirrored.
func TestReallyTurned(t *testing.T) {
	dir := fixtures(t)
	hashes, quality := pdq.DihedralFromImage(decode(t, filepath.Join(dir, "bridge-mods", "aaa-orig.jpg")))
	if quality < 80 {
		t.Fatalf("quality %d", quality)
	}
	for name, want := range map[string]pdq.Dihedral{
		"bridge-mods/aaa-orig.jpg":     pdq.Original,
		"dih/bridge-2-rotate-90.jpg":   pdq.Rot90,
		"dih/bridge-3-rotate-180.jpg":  pdq.Rot180,
		"dih/bridge-5-flipx.jpg":       pdq.FlipX,
		"misc-images/modes/P.png":      pdq.Original,
		"bridge-mods/shrink-a-lot.jpg": pdq.Original,
	} {
		got := pdq.FromImage(decode(t, filepath.Join(dir, filepath.FromSlash(name)))).Hash
		for d, h := range hashes {
			distance := got.Distance(h)
			if pdq.Dihedral(d) == want {
				t.Logf("%s: %v at distance %d", name, want, distance)
			}
			if (distance <= pdq.MatchDistance) != (pdq.Dihedral(d) == want) {
				t.Errorf("%s: %v at distance %d, want %v only", name, pdq.Dihedral(d), distance, want)
			}
		}
	}
}
