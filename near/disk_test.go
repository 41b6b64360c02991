package near

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rempart/pdq"
)

// smallTuning is that of small.
var smallTuning = small().tuning

func reopen(t *testing.T, dir string, opts Options) *Index {
	t.Helper()
	x, err := open(dir, opts, smallTuning)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func closed(t *testing.T, x *Index) {
	t.Helper()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDisk changes an index at random, closing and opening it now and then.
func TestDisk(t *testing.T) {
	rnd := rand.New(rand.NewPCG(31, 32))
	dir := t.TempDir()
	x, all := reopen(t, dir, Options{}), make(map[ID]pdq.Hash)
	q := random(rnd)
	for i := range 3000 {
		id := ID(rnd.IntN(400))
		if rnd.IntN(3) == 0 {
			_, want := all[id]
			if got := x.Remove(id); got != want {
				t.Fatalf("Remove(%d) = %v", id, got)
			}
			delete(all, id)
		} else {
			all[id] = turn(rnd, q, rnd.IntN(60))
			x.Add(id, all[id])
		}
		switch {
		case i%100 == 99:
			check(t, x, all, q, 31)
		case i%271 == 270:
			closed(t, x)
			x = reopen(t, dir, Options{Read: i%2 == 0})
			check(t, x, all, q, 40)
		case i%37 == 36:
			x.Tidy()
		case i%700 == 699:
			if err := x.Compact(); err != nil {
				t.Fatal(err)
			}
			if s := x.Stats(); s.Segments > 1 || s.Tail != 0 || s.Values != len(all) || s.Lost != 0 {
				t.Fatalf("after Compact: %+v", s)
			}
			check(t, x, all, q, 31)
		}
	}
	closed(t, x)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 20 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
}

// TestAddAll adds to what is there, and in place of it.
func TestAddAll(t *testing.T) {
	rnd := rand.New(rand.NewPCG(38, 39))
	dir := t.TempDir()
	x, all := reopen(t, dir, Options{}), make(map[ID]pdq.Hash)
	q := random(rnd)
	for range 3 {
		var ids []ID
		var hs []pdq.Hash
		for range 20_000 {
			ids = append(ids, ID(rnd.IntN(50_000)))
			hs = append(hs, turn(rnd, q, 20+rnd.IntN(100)))
			all[ids[len(ids)-1]] = hs[len(hs)-1]
		}
		x.Add(60_000, q)
		all[60_000] = q
		if err := x.AddAll(ids, hs); err != nil {
			t.Fatal(err)
		}
		if s := x.Stats(); s.Segments != 1 || s.Tail != 0 || s.Values != len(all) {
			t.Errorf("%+v, want %d", s, len(all))
		}
		check(t, x, all, q, 31)
		closed(t, x)
		x = reopen(t, dir, Options{})
		check(t, x, all, q, 31)
	}
	closed(t, x)
}

func TestOneProcess(t *testing.T) {
	dir := t.TempDir()
	x := reopen(t, dir, Options{})
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("opened twice: %v", err)
	}
	closed(t, x)
	closed(t, reopen(t, dir, Options{}))
}

// tiny is a segment of three values in 64 chunks of 4 bits.
func tiny() *segment {
	var ones pdq.Hash
	for i := range ones {
		ones[i] = 0xff
	}
	var count pdq.Hash
	for i := range count {
		count[i] = byte(i)
	}
	t := newTail()
	t.add(7, ones.Words())
	t.add(1, count.Words())
	t.add(1<<40, words{})
	return build([]*source{tailSource(t, nil)}, cuts["64×4"])
}

// TestGolden compares the writer with files it must always give: what was
// written once is read for ever.
func TestGolden(t *testing.T) {
	m := &manifest{firstLog: 3, segments: []listed{{1, 70, 0x01020304, []uint64{1 << 63, 1}}, {2, 5, 0xa0b0c0d0, nil}}}
	dir := t.TempDir()
	j, err := createJournal(filepath.Join(dir, "log"), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.note(opAdd, 258, pdq.Hash{0: 1, 31: 255}), j.note(opRemove, 3, pdq.Hash{}), j.sync(dir), j.close()); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(j.name)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][]byte{"segment2": tiny().data, "manifest1": m.encode(), "log1": log} {
		file := filepath.Join("testdata", "golden", name)
		want, err := os.ReadFile(file)
		if os.IsNotExist(err) && os.Getenv("NEAR_GOLDEN") != "" {
			err = os.WriteFile(file, got, 0o644)
			want = got
		}
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes are not the %d of testdata", name, len(got), len(want))
		}
	}
}

// TestGoldenByHand reads the golden segments as their specification says, without
// the package's own reader.
func TestGoldenByHand(t *testing.T) {
	// What follows chunk 0 in rows 2, 0 and 1: the next four bits, or sixteen.
	goldenByHand(t, 1, []byte{0, 0, 0, 0, 15, 0})
	goldenByHand(t, 2, []byte{0, 0, 0x60, 0x50, 0xff, 0xff})
}

func goldenByHand(t *testing.T, version int, tags []byte) {
	b, err := os.ReadFile(filepath.Join("testdata", "golden", fmt.Sprint("segment", version)))
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	if string(b[:16]) != fmt.Sprintf("near segment %d\n\x00", version) || le.Uint32(b[16:]) != 3 || b[20] != 64 || b[24] != 4 || b[87] != 4 {
		t.Fatalf("head: %x", b[:128])
	}
	// Heads at 128, 48 bytes and room for 8 more: tails at 192; IDs at 256.
	if le.Uint64(b[128:]) != 0x0001020304050607 || le.Uint64(b[136:]) != 0x08090a0b0c0d0e0f || le.Uint64(b[144:]) != 1<<64-1 || le.Uint64(b[160:]) != 0 {
		t.Errorf("heads: %x", b[128:176])
	}
	if le.Uint64(b[192:]) != 0x1011121314151617 || le.Uint64(b[256:]) != 1 || le.Uint64(b[264:]) != 7 || le.Uint64(b[272:]) != 1<<40 {
		t.Errorf("tails and IDs: %x", b[192:280])
	}
	// Chunk 0, bits 0 to 3 of the first word: 7 in row 0, 15 in row 1, 0 in
	// row 2. Its 17 starts are at 320, its tags at 448, its slots at 512.
	var starts []uint32
	for i := range 17 {
		starts = append(starts, le.Uint32(b[320+4*i:]))
	}
	if want := []uint32{0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3}; !slices.Equal(starts, want) {
		t.Errorf("starts: %v", starts)
	}
	if got := b[448:454]; !bytes.Equal(got, tags) {
		t.Errorf("tags: %x", got)
	}
	if got := b[512:521]; !bytes.Equal(got, []byte{2, 0, 0, 0, 0, 0, 1, 0, 0}) {
		t.Errorf("slots: %x", got)
	}
	end := len(b) - 26
	if le.Uint64(b[end:]) != uint64(len(b)) || le.Uint32(b[end+8:]) != crc32.Checksum(b[:end+8], crc32.MakeTable(crc32.Castagnoli)) || string(b[end+12:]) != "near trailer1\n" {
		t.Errorf("trailer: %x", b[end:])
	}
}

// TestVersion1 searches what an older program wrote: tags end with the chunk
// that follows.
func TestVersion1(t *testing.T) {
	rnd := rand.New(rand.NewPCG(47, 48))
	q := random(rnd)
	all := make(map[ID]pdq.Hash)
	for i := range ID(600) {
		all[i] = turn(rnd, q, int(i)%200)
	}
	for name, widths := range cuts {
		if widths == nil {
			continue
		}
		x := segmentOf(all, widths)
		data := bytes.Clone(x.segments[0].data)
		old := cutSegment(data, len(all), widths, 1)
		changed := false
		for _, c := range old.chunks {
			for at := range len(all) {
				slot := int(c.slots[3*at]) | int(c.slots[3*at+1])<<8 | int(c.slots[3*at+2])<<16
				w := old.row(slot)
				tag := uint16(c.tag.content(&w))
				changed = changed || tag != binary.LittleEndian.Uint16(c.tags[2*at:])
				binary.LittleEndian.PutUint16(c.tags[2*at:], tag)
			}
		}
		if narrow := slices.Min(widths) < tagBits; narrow != changed {
			t.Errorf("%s: tags differ from those of version 2: %v", name, changed)
		}
		copy(data, segmentMagic1)
		old.end(crc32.Checksum(data[:len(data)-trailerLen+8], castagnoli))
		s, err := openSegment(data)
		if err != nil {
			t.Fatal(err)
		}
		force(s)
		x.segments[0] = s
		for radius := 0; radius < 96; radius += 1 + radius/8 {
			check(t, x, all, q, radius)
		}
	}
}

// TestDamage cuts each file anywhere and turns each of its bytes.
func TestDamage(t *testing.T) {
	for name, read := range map[string]func([]byte) error{
		"segment1":  func(b []byte) error { _, err := openSegment(b); return err },
		"segment2":  func(b []byte) error { _, err := openSegment(b); return err },
		"manifest1": func(b []byte) error { _, err := decodeManifest(b); return err },
	} {
		good, err := os.ReadFile(filepath.Join("testdata", "golden", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := read(good); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range good {
			if err := read(good[:i:i]); !errors.Is(err, errDamaged) {
				t.Fatalf("%s cut at %d: %v", name, i, err)
			}
			bad := bytes.Clone(good)
			bad[i] ^= 1 << (i % 8)
			if err := read(bad); !errors.Is(err, errDamaged) {
				t.Fatalf("%s with byte %d changed: %v", name, i, err)
			}
		}
	}
}

// TestCutLog: of a log cut anywhere, or with rubbish anywhere, what is before
// is read.
func TestCutLog(t *testing.T) {
	dir := t.TempDir()
	j, err := createJournal(filepath.Join(dir, "log"), 1)
	if err != nil {
		t.Fatal(err)
	}
	ends := []int{len(journalMagic)}
	for i := range 6 {
		op, length := byte(opAdd), 45
		if i%3 == 2 {
			op, length = opRemove, 13
		}
		if err := j.note(op, ID(i), pdq.Hash{byte(i)}); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, ends[i]+length)
	}
	if err := errors.Join(j.sync(dir), j.close()); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(j.name)
	if err != nil || len(good) != ends[6] {
		t.Fatalf("%d bytes, %v", len(good), err)
	}
	for i := len(journalMagic); i < len(good); i++ {
		whole := 0
		for whole < 6 && ends[whole+1] <= i {
			whole++
		}
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		for _, b := range [][]byte{good[:i], bad} {
			got := 0
			left, err := replay(b, func(_ byte, id ID, h pdq.Hash) {
				if int(id) != got {
					t.Errorf("change %d is %d", got, id)
				}
				got++
			})
			if err != nil || got != whole || left != len(b)-ends[whole] {
				t.Fatalf("at %d: %d changes, want %d; %d left; %v", i, got, whole, left, err)
			}
		}
	}
}

// TestDamagedFolder: an index with a file damaged or missing does not open.
func TestDamagedFolder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(33, 34))
	for _, kind := range []string{"segment", "manifest", "no segment", "no manifest", "no log"} {
		dir := t.TempDir()
		x := reopen(t, dir, Options{})
		for i := range 100 {
			x.Add(ID(i), random(rnd))
		}
		if err := x.Compact(); err != nil {
			t.Fatal(err)
		}
		closed(t, x)
		pattern, missing := strings.CutPrefix(kind, "no ")
		names, err := filepath.Glob(filepath.Join(dir, pattern+"*"))
		if err != nil || len(names) != 1 {
			t.Fatalf("%s: %v, %v", kind, names, err)
		}
		data, err := os.ReadFile(names[0])
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 4
		if missing {
			err = os.Remove(names[0])
		} else {
			err = os.WriteFile(names[0], data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if x, err := Open(dir, Options{}); err == nil {
			t.Errorf("%s: opened with %d values", kind, x.Len())
		}
	}
}

// steps is what the child does: values come, replace others and go.
func step(x *Index, all map[ID]pdq.Hash, i int) {
	rnd := rand.New(rand.NewPCG(uint64(i), 35))
	id := ID(i % 997)
	h := random(rnd)
	if i%4 == 3 {
		id = ID(rnd.IntN(997))
		if x != nil {
			x.Remove(id)
		}
		delete(all, id)
		return
	}
	if x != nil {
		x.Add(id, h)
	}
	all[id] = h
}

// TestChild is run by TestKilled in another process. It says which steps last.
func TestChild(t *testing.T) {
	dir := os.Getenv("NEAR_CHILD")
	if dir == "" {
		t.Skip("it is a part of TestKilled")
	}
	from, err := strconv.Atoi(os.Getenv("NEAR_FROM"))
	if err != nil {
		t.Fatal(err)
	}
	x := reopen(t, dir, Options{})
	all := make(map[ID]pdq.Hash)
	for i := from; ; i++ {
		step(x, all, i)
		if i%7 == 0 {
			if err := x.Sync(); err != nil {
				t.Fatal(err)
			}
			fmt.Printf("lasts %d\n", i+1)
		}
	}
}

// TestKilled kills a process that changes an index and merges all the time, and
// opens the index again: it is what it was after some step, and not before the
// last that a Sync had acknowledged.
func TestKilled(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 4
	}
	rnd := rand.New(rand.NewPCG(36, 37))
	dir := t.TempDir()
	all, at, merged := make(map[ID]pdq.Hash), 0, 0
	for round := range rounds {
		cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
		cmd.Env = append(os.Environ(), "NEAR_CHILD="+dir, fmt.Sprint("NEAR_FROM=", at))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		acknowledged := at
		lines := bufio.NewScanner(out)
		var killAt time.Time
		for lines.Scan() {
			if n, ok := strings.CutPrefix(lines.Text(), "lasts "); ok {
				if acknowledged, err = strconv.Atoi(n); err != nil {
					t.Fatal(err)
				}
			}
			if killAt.IsZero() {
				killAt = time.Now()
				time.AfterFunc(time.Duration(rnd.IntN(120_000))*time.Microsecond, func() { cmd.Process.Kill() })
			}
		}
		if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("the child ended by itself: %v", cmd.ProcessState)
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "segment-") {
				merged++
			}
		}
		x := reopen(t, dir, Options{})
		// A step may have been written and not acknowledged.
		for ; at < acknowledged; at++ {
			step(nil, all, at)
		}
		for try := 0; !same(x, all); try++ {
			if try > 2000 {
				t.Fatalf("round %d: %d values are not those of step %d nor of 2000 after", round, x.Len(), acknowledged)
			}
			step(nil, all, at)
			at++
		}
		closed(t, x)
	}
	if merged == 0 || at < 100*rounds/4 {
		t.Errorf("%d segments seen, %d steps: nothing was tested", merged, at)
	}
	t.Logf("%d rounds, %d steps, %d segments seen", rounds, at, merged)
}

// same reports whether x has exactly all.
func same(x *Index, all map[ID]pdq.Hash) bool {
	found := x.Search(pdq.Hash{}, 256)
	if len(found) != len(all) || x.Len() != len(all) {
		return false
	}
	for _, m := range found {
		if all[m.ID] != m.Hash {
			return false
		}
	}
	return true
}

// FuzzOpen gives the readers good files with bytes changed, the checksum and
// length made right so that they get as far as they can, and searches what is
// taken for a segment.
func FuzzOpen(f *testing.F) {
	seeds := [][]byte{
		tiny().data,
		build(nil, nil).data,
		build([]*source{{ids: []uint64{5, 6}, rows: []words{{1, 2, 3, 4}, {}}}}, nil).data,
		(&manifest{firstLog: 3, segments: []listed{{1, 70, 2, []uint64{1 << 63, 1}}, {2, 5, 3, nil}}}).encode(),
	}
	f.Add(uint8(0), uint16(0), []byte{})
	f.Add(uint8(0), uint16(1), []byte{0, 20, 0, 1, 64, 200})
	f.Add(uint8(1), uint16(70), []byte{0, 16, 1})
	f.Add(uint8(2), uint16(0), []byte{1, 0, 1})
	f.Add(uint8(3), uint16(0), []byte{0, 30, 9})
	// edits are a place [2], big-endian, and the byte to put there.
	f.Fuzz(func(t *testing.T, seed uint8, cut uint16, edits []byte) {
		data := bytes.Clone(seeds[int(seed)%len(seeds)])
		for ; len(edits) >= 3; edits = edits[3:] {
			data[int(binary.BigEndian.Uint16(edits))%len(data)] = edits[2]
		}
		data = data[:len(data)-int(cut)%len(data)]
		if end := len(data) - len(segmentTrailer) - 4; end >= 0 {
			b := bytes.Clone(data)
			binary.LittleEndian.PutUint32(b[end:], crc32.Checksum(b[:end], castagnoli))
			copy(b[end+4:], segmentTrailer)
			if m, err := decodeManifest(b); err == nil && len(m.encode()) != len(b) {
				t.Error("a manifest is not what it was read from")
			}
		}
		if _, err := replay(append([]byte(journalMagic), data...), func(byte, ID, pdq.Hash) {}); err != nil {
			t.Error(err)
		}
		if end := len(data) - trailerLen; end >= 0 {
			binary.LittleEndian.PutUint64(data[end:], uint64(len(data)))
			binary.LittleEndian.PutUint32(data[end+8:], crc32.Checksum(data[:end+8], castagnoli))
			copy(data[end+12:], segmentTrailer)
		}
		s, err := openSegment(data)
		if err != nil {
			return
		}
		force(s)
		x := New()
		x.segments = []*segment{s}
		for _, radius := range []int{0, 31, 60} {
			for _, q := range []pdq.Hash{{}, {0: 255, 31: 255}} {
				for _, m := range x.Search(q, radius) {
					if m.Distance != m.Hash.Distance(q) || m.Distance > radius {
						t.Errorf("a wrong match: %v", m)
					}
				}
			}
		}
		x.Remove(5)
	})
}
