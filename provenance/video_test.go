package provenance

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestReadVideo: from parts of a video come the marks of all of it.
func TestReadVideo(t *testing.T) {
	videos := 0
	for _, pattern := range []string{"*.mp4", "*.mov", "*.webm"} {
		names, err := filepath.Glob(filepath.Join("testdata", "*", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := ReadVideo(bytes.NewReader(b), int64(len(b)))
			if diff := cmp.Diff(Read(b), got); diff != "" || len(got) == 0 {
				t.Errorf("%s: %d marks (-whole +parts):\n%s", name, len(got), diff)
			}
			videos++
		}
	}
	if videos < 8 {
		t.Errorf("%d videos", videos)
	}
	for name, file := range bombs(t) {
		start := time.Now()
		harmless(t, ReadVideo(bytes.NewReader(file), int64(len(file))))
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// A sparse file has a few parts, and zeros between them; it counts what is read.
type sparse struct {
	parts map[int64][]byte
	size  int64
	read  int
}

func (s *sparse) ReadAt(p []byte, at int64) (int, error) {
	n := min(int64(len(p)), s.size-at)
	for i := range p[:n] {
		p[i] = 0
	}
	for from, b := range s.parts {
		if from < at+n && at < from+int64(len(b)) {
			copy(p[max(0, from-at):n], b[max(0, at-from):])
		}
	}
	s.read += int(n)
	if n < int64(len(p)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// TestReadVideoLarge: of 6 GB hardly anything is read, and marks after the film
// are found.
func TestReadVideoLarge(t *testing.T) {
	const film = 6 << 30
	wide := func(length uint64) []byte { return binary.BigEndian.AppendUint64(nil, length) }
	packet := box("uuid", []byte(uuidXMP), xmpOf(` a:DigitalSourceType="`+trained+`"`))
	ftyp := box("ftyp", []byte("isom"))
	mp4 := &sparse{parts: map[int64][]byte{
		0:                       slices.Concat(ftyp, be(1), []byte("mdat"), wide(film)),
		int64(len(ftyp)) + film: packet,
	}, size: int64(len(ftyp)) + film + int64(len(packet))}
	tags := ebml(idTags, ebml(idTag, ebml(idSimpleTag, ebml(idTagName, []byte("AIGC")), ebml(idTagString, []byte("1")))))
	head := slices.Concat(ebml(0x1a45dfa3), []byte("\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff\x1f\x43\xb6\x75\x01"), wide(film)[1:])
	webm := &sparse{parts: map[int64][]byte{0: head, int64(len(head)) + film: tags}, size: int64(len(head)) + film + int64(len(tags))}
	for _, c := range []struct {
		name string
		file *sparse
		want Mark
	}{
		{"mp4", mp4, Mark{Kind: "iptc", Part: "uuid", Key: "DigitalSourceType", Source: "trainedAlgorithmicMedia"}},
		{"webm", webm, Mark{Kind: "aigc", Part: "tags", Key: "AIGC"}},
	} {
		if diff := cmp.Diff([]Mark{c.want}, ReadVideo(c.file, c.file.size)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if c.file.read > 1000 {
			t.Errorf("%s: %d bytes of %d were read", c.name, c.file.read, c.file.size)
		}
	}
	cut := *mp4
	cut.size = film
	if got := ReadVideo(&cut, cut.size); len(got) != 0 {
		t.Errorf("without its end: %v", got)
	}
	harmless(t, ReadVideo(&sparse{size: film}, film))
	huge := &sparse{parts: map[int64][]byte{0: slices.Concat(ftyp, be(1), []byte("moov"), wide(film), be(1), []byte("udta"), wide(film-100))}, size: film + 100}
	if ReadVideo(huge, huge.size); huge.read > 1000 {
		t.Errorf("of texts of 6 GB, %d bytes were read", huge.read)
	}
}
