package flow

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"

	"rempart"
)

// A record is one fingerprint as an import sorts it.
type record struct {
	kind    byte // place in recordKinds
	quality byte
	value   [32]byte // 16 bytes of an md5
}

var recordKinds = []rempart.FingerprintType{rempart.MD5, rempart.PDQ, rempart.SHA256}

const recordLen = 34

func (r *record) compare(o *record) int {
	return cmp.Or(cmp.Compare(r.kind, o.kind), bytes.Compare(r.value[:], o.value[:]))
}

// text is the value in hexadecimal digits.
func (r *record) text() string {
	n := 32
	if recordKinds[r.kind] == rempart.MD5 {
		n = 16
	}
	return hex.EncodeToString(r.value[:n])
}

// A sorter puts any number of records in order in a bounded memory: what does not
// fit is written, a run at a time, to a file that is gone when the process is.
type sorter struct {
	dir  string
	most int // records in memory
	room []record
	file *os.File
	w    *bufio.Writer
	runs []int64 // where each ends
}

// sortMost is how many records an import holds in memory: 18 MB of them. Tests make
// it smaller.
var sortMost = 1 << 19

func (s *sorter) add(r record) error {
	if s.room == nil {
		s.room = make([]record, 0, min(s.most, 4096))
	}
	s.room = append(s.room, r)
	if len(s.room) < s.most {
		return nil
	}
	return s.spill()
}

func (s *sorter) spill() error {
	if s.file == nil {
		f, err := os.CreateTemp(s.dir, "import")
		if err != nil {
			return err
		}
		s.file, s.w = f, bufio.NewWriterSize(f, 1<<20)
		os.Remove(f.Name()) // where that is not allowed, close does it
	}
	s.sort()
	var b [recordLen]byte
	end := int64(0)
	if len(s.runs) > 0 {
		end = s.runs[len(s.runs)-1]
	}
	for i := range s.room {
		r := &s.room[i]
		b[0], b[1] = r.kind, r.quality
		copy(b[2:], r.value[:])
		if _, err := s.w.Write(b[:]); err != nil {
			return err
		}
	}
	s.runs = append(s.runs, end+int64(len(s.room))*recordLen)
	s.room = s.room[:0]
	return s.w.Flush()
}

func (s *sorter) sort() {
	slices.SortFunc(s.room, func(a, b record) int { return a.compare(&b) })
}

func (s *sorter) close() error {
	if s.file == nil {
		return nil
	}
	os.Remove(s.file.Name()) // mostly gone already
	return s.file.Close()
}

// A run is one sorted part of the records, at its next one.
type sortedRun struct {
	next record
	in   *bufio.Reader
}

func (r *sortedRun) advance() error {
	var b [recordLen]byte
	if _, err := io.ReadFull(r.in, b[:]); err != nil {
		return err
	}
	r.next.kind, r.next.quality = b[0], b[1]
	copy(r.next.value[:], b[2:])
	return nil
}

// all calls f for each record in order, once for those that are the same, with
// the best quality of them, and returns how many were the same as another.
func (s *sorter) all(f func(record) error) (twice int, err error) {
	var last record
	have := false
	give := func(r record) error {
		if have && last.compare(&r) == 0 {
			last.quality = max(last.quality, r.quality)
			twice++
			return nil
		}
		if have {
			if err := f(last); err != nil {
				return err
			}
		}
		last, have = r, true
		return nil
	}
	if s.file == nil {
		s.sort()
		for _, r := range s.room {
			if err := give(r); err != nil {
				return 0, err
			}
		}
	} else {
		if err := s.spill(); err != nil {
			return 0, fmt.Errorf("sorting: %w", err)
		}
		if err := s.merge(give); err != nil {
			return 0, err
		}
	}
	if have {
		err = f(last)
	}
	return twice, err
}

func (s *sorter) merge(give func(record) error) error {
	var runs []*sortedRun
	start := int64(0)
	for _, end := range s.runs {
		r := &sortedRun{in: bufio.NewReaderSize(io.NewSectionReader(s.file, start, end-start), 1<<16)}
		start = end
		if err := r.advance(); err == nil {
			runs = append(runs, r)
		} else if err != io.EOF {
			return fmt.Errorf("sorting: %w", err)
		}
	}
	for len(runs) > 0 {
		k := 0
		for i := 1; i < len(runs); i++ {
			if runs[i].next.compare(&runs[k].next) < 0 {
				k = i
			}
		}
		if err := give(runs[k].next); err != nil {
			return err
		}
		if err := runs[k].advance(); err == io.EOF {
			runs = slices.Delete(runs, k, k+1)
		} else if err != nil {
			return fmt.Errorf("sorting: %w", err)
		}
	}
	return nil
}
