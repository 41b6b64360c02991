package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// everySoOften is how long a table is read before a line says how far.
const everySoOften = 2 * time.Second

// tableFile is a labelled table that is being read. It stops with its context, and
// says on standard error how far it is.
type tableFile struct {
	io.ReadCloser
	name       string // without its folder; - of standard input
	ctx        context.Context
	err        io.Writer
	size, read int64 // size is 0 if not known
	start      time.Time
	mu         sync.Mutex // guards read and said
	said       time.Time
}

// tableOnDisk is a table whose any place can be read, as Parquet must be.
type tableOnDisk struct {
	*tableFile
	at io.ReaderAt
}

// ReadAt reads at a place, unless the context has ended.
func (t tableOnDisk) ReadAt(p []byte, off int64) (int, error) {
	if err := t.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := t.at.ReadAt(p, off)
	t.say(n)
	return n, err
}

// Size returns its bytes.
func (t tableOnDisk) Size() int64 { return t.size }

// table is what the rows are read from.
func (t *tableFile) table() io.Reader {
	if f, ok := t.ReadCloser.(*os.File); ok && t.size > 0 {
		return tableOnDisk{t, f}
	}
	return t
}

// openTable opens a table, or standard input for -. Standard error of s can then
// be written by several at once.
func openTable(ctx context.Context, s *streams, name string) (*tableFile, error) {
	s.err = &oneAtATime{w: s.err}
	now := time.Now()
	t := &tableFile{ReadCloser: io.NopCloser(s.in), name: "-", ctx: ctx, err: s.err, start: now, said: now}
	if name == "-" {
		return t, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, hinted{err, "give the name of a CSV or Parquet file, or - to read standard input"}
	}
	if i, err := f.Stat(); err == nil && i.Mode().IsRegular() {
		t.size = i.Size()
	}
	t.ReadCloser, t.name = f, filepath.Base(name)
	return t, nil
}

// Read reads on, unless the context has ended.
func (t *tableFile) Read(p []byte) (int, error) {
	n, err := stopping{t.ctx, t.ReadCloser}.Read(p)
	t.say(n)
	return n, err
}

// say counts the bytes read, and says now and then how many they are.
func (t *tableFile) say(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read += int64(n)
	if now := time.Now(); now.Sub(t.said) >= everySoOften {
		t.said = now
		part := ""
		if t.size > 0 {
			part = fmt.Sprintf(" of %d MB (%d %%)", t.size/1e6, t.read*100/t.size)
		}
		progress(streams{err: t.err}, "%s: read %d MB%s", now.Sub(t.start).Round(time.Second), t.read/1e6, part)
	}
}

// oneAtATime is a writer for several goroutines, each of whose writes is a line.
type oneAtATime struct {
	mu sync.Mutex
	w  io.Writer
}

// Write writes p whole.
func (o *oneAtATime) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(p)
}

// stopping is a reader that ends when its context does.
type stopping struct {
	ctx context.Context
	io.Reader
}

// Read reads on, unless the context has ended.
func (s stopping) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.Reader.Read(p)
}
