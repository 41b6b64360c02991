//go:build linux

package media

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"rempart/pdq"
)

// withProperty gives the picture of a HEIC, as libheif writes it, one more
// property, such as irot: it stands at the end of ipco, is named in ipma, and what
// is behind it moves.
func withProperty(t *testing.T, heic []byte, property []byte) []byte {
	t.Helper()
	find := func(b []byte, kind string) int {
		at := bytes.Index(b, []byte(kind)) - 4
		if at < 0 || bytes.Count(b, []byte(kind)) != 1 {
			t.Fatalf("not one %s in the file", kind)
		}
		return at
	}
	size := func(b []byte, kind string) []byte { return b[find(b, kind):][:4] }
	grow := func(b []byte, n int, kinds ...string) {
		for _, kind := range kinds {
			s := size(b, kind)
			binary.BigEndian.PutUint32(s, binary.BigEndian.Uint32(s)+uint32(n))
		}
	}
	out := bytes.Clone(heic)
	// ipma: version and flags [4], number of items [4], and of each its identifier
	// [2], number of properties [1] and their numbers, the highest bit for those
	// that a reader must know.
	ipco := find(out, "ipco")
	count := 0
	for range boxes(out[ipco+8 : ipco+int(binary.BigEndian.Uint32(out[ipco:]))]) {
		count++
	}
	pitm := binary.BigEndian.Uint16(out[find(out, "pitm")+12:])
	ipma := find(out, "ipma")
	at := ipma + 16
	for binary.BigEndian.Uint16(out[at:]) != pitm {
		at += 3 + int(out[at+2])
	}
	out[at+2]++
	end := at + 2 + int(out[at+2])
	out = append(out[:end:end], append([]byte{0x80 | byte(count+1)}, out[end:]...)...)
	end = ipco + int(binary.BigEndian.Uint32(out[ipco:]))
	out = append(out[:end:end], append(bytes.Clone(property), out[end:]...)...)
	moved := len(property) + 1
	grow(out, len(property), "ipco")
	grow(out, 1, "ipma")
	grow(out, moved, "iprp", "meta")
	// iloc, version 1: offsets of 4 bytes with a base of 4, for each item.
	iloc := out[find(out, "iloc")+8:]
	if iloc[0] != 1 || iloc[4] != 0x44 || iloc[5] != 0x40 {
		t.Fatalf("iloc of another kind: % x", iloc[:8])
	}
	items := binary.BigEndian.Uint16(iloc[6:])
	for item := iloc[8:]; items > 0; items-- {
		if binary.BigEndian.Uint16(item[2:]) == 0 { // in the file
			binary.BigEndian.PutUint32(item[6:], binary.BigEndian.Uint32(item[6:])+uint32(moved))
		}
		item = item[12+8*binary.BigEndian.Uint16(item[10:]):]
	}
	return out
}

// TestTurnedHEIC: a HEIC says in irot by how many quarters it must be turned
// against the clock, and in imir how it is mirrored, 0 top to bottom and 1 left to
// right (ISO 23008-12:2022; libavif says the same), in the order in which they are
// named; phones write the first.
func TestTurnedHEIC(t *testing.T) {
	needs(t, "prlimit", "vips", "heif-enc")
	dir := t.TempDir()
	original := bridge(t)
	m, err := jpeg.Decode(bytes.NewReader(original))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), original, 0o600); err != nil {
		t.Fatal(err)
	}
	heic := makes(t, dir, "a.heic", "heif-enc", "-q", "90", "-o", "a.heic", "a.jpg")
	irot := func(quarters byte) []byte { return append([]byte("\x00\x00\x00\x09irot"), quarters) }
	imir := func(axis byte) []byte { return append([]byte("\x00\x00\x00\x09imir"), axis) }
	for _, c := range []struct {
		name       string
		properties [][]byte
		exif       int // the orientation that means the same
	}{
		{"as it lies", nil, 1},
		{"irot 0", [][]byte{irot(0)}, 1},
		{"irot 1", [][]byte{irot(1)}, 8},
		{"irot 2", [][]byte{irot(2)}, 3},
		{"irot 3", [][]byte{irot(3)}, 6},
		{"imir 0", [][]byte{imir(0)}, 4},
		{"imir 1", [][]byte{imir(1)}, 2},
		{"irot 3, then imir 0", [][]byte{irot(3), imir(0)}, 7},
		{"imir 0, then irot 3", [][]byte{imir(0), irot(3)}, 5},
		{"irot 1, then imir 0", [][]byte{irot(1), imir(0)}, 5},
	} {
		file := heic
		for _, p := range c.properties {
			file = withProperty(t, file, p)
		}
		got, err := Fingerprint(t.Context(), bytes.NewReader(file), Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := upright(m, c.exif)
		if d := got.PDQ.Distance(pdq.FromImage(want).Hash); d > 10 {
			for e := 1; e <= 8; e++ {
				t.Logf("orientation %d: %d", e, got.PDQ.Distance(pdq.FromImage(upright(m, e)).Hash))
			}
			t.Errorf("%s: %d bits from the picture by orientation %d, want 10 at most", c.name, d, c.exif)
		}
		if size := image.Pt(got.Width, got.Height); size != want.Bounds().Size() || got.Orientation != 1 {
			t.Errorf("%s: %v, orientation %d, want %v and 1", c.name, size, got.Orientation, want.Bounds().Size())
		}
	}
}
