package flow_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/flow"
	"rempart/pdq"
)

// valuesOf returns n values that pictures could have, always the same for a seed.
func valuesOf(seed uint64, n int) []pdq.Hash {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]pdq.Hash, 0, n)
	for len(out) < n {
		var h pdq.Hash
		for i := range h {
			h[i] = byte(r.Uint32())
		}
		if (rempart.Fingerprint{Type: rempart.PDQ, Value: h.String(), Quality: 90}).Listable() {
			out = append(out, h)
		}
	}
	return out
}

func csvOf(all []pdq.Hash) *bytes.Buffer {
	var b bytes.Buffer
	for _, h := range all {
		fmt.Fprintf(&b, "%s,87\n", h)
	}
	return &b
}

func (s *side) imported(in *bytes.Buffer, o flow.ImportOptions) flow.Imported {
	s.t.Helper()
	if o.List == "" {
		o.List = "ncii-adult"
	}
	o.By, o.Usual.Type, o.Temp = "admin:test", rempart.PDQ, s.t.TempDir()
	n, err := s.Import(s.t.Context(), in, o)
	if err != nil {
		s.t.Fatal(err)
	}
	if left, err := os.ReadDir(o.Temp); err != nil || len(left) > 0 {
		s.t.Errorf("left behind: %v, %v", left, err)
	}
	return n
}

// finds tells whether a value is found as it is, by whom.
func (s *side) finds(h pdq.Hash) (from []string) {
	s.t.Helper()
	for _, m := range s.matches(flow.Query{Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: h.String()}}, flow.Upload{Peer: "x"}) {
		if m.Distance != 0 || m.Value != h.String() {
			s.t.Errorf("found %+v", m)
		}
		from = append(from, m.PeerID)
	}
	return from
}

// TestImport takes files in, again and changed, and looks their values up; with
// everything in memory and in a file, with the index in memory and on disk.
func TestImport(t *testing.T) {
	for _, onDisk := range []bool{false, true} {
		for _, most := range []int{1 << 19, 700} {
			t.Run(fmt.Sprintf("disk %v, %d in memory", onDisk, most), func(t *testing.T) {
				s := newSide(t, newClock(), time.Second)
				flow.SortMost(t, most)
				if onDisk {
					s.onDisk(t.TempDir())
				}
				all := valuesOf(1, 3000)
				file := csvOf(all[:2000])
				file.WriteString("flat,12\n" + all[2001].String() + ",49\n" + all[2002].String() + "\n" + all[7].String() + ",60\n" + strings.Repeat("0", 64) + ",99\n")
				var lines []int
				dry := s.imported(bytes.NewBuffer(file.Bytes()), flow.ImportOptions{Source: "source:a", DryRun: true})
				n := s.imported(file, flow.ImportOptions{Source: "source:a", Refused: func(e *exchange.LineError) { lines = append(lines, e.Line) }})
				want := flow.Imported{Phase: "done", Lines: 2005, Valid: 2001, Refused: 1, Flat: 2, Unknown: 1, Twice: 1, Added: 2000}
				if n != want || dry != want || len(lines) != 1 || lines[0] != 2001 {
					t.Errorf("%+v, dry %+v, refused %v", n, dry, lines)
				}
				if got := s.finds(all[1999]); len(got) != 1 || got[0] != "source:a" {
					t.Errorf("found by %v", got)
				}
				if s.finds(all[2001]) != nil || s.finds(all[2002]) != nil {
					t.Error("what is flat, or of no known quality, is listed")
				}
				// The same file again, of the same source and of another.
				if n := s.imported(csvOf(all[:2000]), flow.ImportOptions{Source: "source:a"}); n.Same != 2000 || n.Added != 0 {
					t.Errorf("again: %+v", n)
				}
				if n := s.imported(csvOf(all[:10]), flow.ImportOptions{Source: "source:b"}); n.Added != 10 || n.Missing != 0 {
					t.Errorf("of another source: %+v", n)
				}
				// A file that is the whole: what it has no more is withdrawn, of that source.
				n = s.imported(csvOf(all[5:2500]), flow.ImportOptions{Source: "source:a", Whole: true})
				if n.Added != 500 || n.Same != 1995 || n.Missing != 5 || n.Withdrawn != 5 {
					t.Errorf("the whole: %+v", n)
				}
				if got := s.finds(all[3]); len(got) != 1 || got[0] != "source:b" {
					t.Errorf("withdrawn by one of two sources, found by %v", got)
				}
				n = s.imported(csvOf(nil), flow.ImportOptions{Source: "source:b", Whole: true})
				if n.Withdrawn != 10 || s.finds(all[3]) != nil {
					t.Errorf("withdrawn by both: %+v", n)
				}
				if onDisk {
					s.closeIndex()
				}
			})
		}
	}
}

// onDisk has the index of a side kept in a folder.
func (s *side) onDisk(dir string) {
	s.t.Helper()
	if err := s.OpenIndex(s.t.Context(), dir); err != nil {
		s.t.Fatal(err)
	}
}

func (s *side) closeIndex() {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// TestIndexOnDisk opens an index again: what was there matches without being read
// from the database again, what changed meanwhile is as it is now, and a copy of
// another database counts for nothing.
func TestIndexOnDisk(t *testing.T) {
	print := sample(t, "chair-19-sd-bar")
	s, dir := newSide(t, newClock(), time.Second), t.TempDir()
	s.onDisk(dir)
	all := valuesOf(2, 300)
	s.imported(csvOf(all[:200]), flow.ImportOptions{Source: "source:a"})
	file := strings.Repeat("ab", 32)
	s.imported(bytes.NewBufferString("sha256,"+file+"\n"), flow.ImportOptions{Source: "source:a"})
	c := s.listed(print)
	sha := flow.Query{Fingerprint: rempart.Fingerprint{Type: rempart.SHA256, Value: file}}
	film := flow.Query{Fingerprint: print}
	check := func(when string, n int) {
		t.Helper()
		if got := s.finds(all[10]); len(got) != 1 {
			t.Errorf("%s: a picture is found by %v", when, got)
		}
		if got := s.matches(sha, flow.Upload{Peer: "x"}); len(got) != 1 || got[0].Value != file {
			t.Errorf("%s: a file is found by %+v", when, got)
		}
		if got := s.matches(film, flow.Upload{Peer: "x"}); len(got) != 1 || got[0].CaseRef != c.Ref {
			t.Errorf("%s: a video is found by %+v", when, got)
		}
		if got, err := s.Listed(t.Context()); err != nil || got != n {
			t.Errorf("%s: %d entries, %v, want %d", when, got, err, n)
		}
	}
	check("before it is saved", 202)
	s.closeIndex()
	s.onDisk(dir)
	if n := s.ReadSinceOpen(); n != 0 {
		t.Errorf("%d changes were read before anything was asked", n)
	}
	check("opened again", 202)
	if n := s.ReadSinceOpen(); n != 0 {
		t.Errorf("%d changes were read again, and nothing had changed", n)
	}
	s.closeIndex()
	// Changed while it is closed.
	s.imported(csvOf(all[5:250]), flow.ImportOptions{Source: "source:a", Whole: true})
	s.onDisk(dir)
	if s.finds(all[2]) != nil || len(s.finds(all[240])) != 1 {
		t.Error("what changed while the index was closed is not seen")
	}
	if got := s.matches(sha, flow.Upload{Peer: "x"}); got != nil {
		t.Errorf("withdrawn while the index was closed: %+v", got)
	}
	// Another process finds the place taken, and has its own.
	o := sideAt(t, newClock(), time.Second, s.path)
	o.onDisk(dir)
	if len(o.finds(all[240])) != 1 {
		t.Error("a second process has no index")
	}
	o.closeIndex()
	s.closeIndex()
	for _, place := range []string{"1", "2"} {
		if _, err := os.Stat(filepath.Join(dir, place, "entries.db")); err != nil {
			t.Error(err)
		}
	}
	other := newSide(t, newClock(), time.Second)
	other.onDisk(dir)
	if n, err := other.Listed(t.Context()); err != nil || n != 0 || other.finds(all[240]) != nil {
		t.Errorf("the index of another database is used: %d entries, %v", n, err)
	}
	other.closeIndex()
	// Damaged: made again.
	s.onDisk(dir)
	s.closeIndex()
	if err := os.WriteFile(filepath.Join(dir, "1", "values", "manifest"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.onDisk(dir)
	if len(s.finds(all[240])) != 1 {
		t.Error("a damaged index is not made again")
	}
	s.closeIndex()
}
