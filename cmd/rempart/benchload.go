package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A loader asks a server over HTTP/1.1 as fast as it answers, over a few
// connections that stay open, and spends little itself, as it shares the
// processors with what it measures.
type loader struct {
	addr, key string
	conns     int
	bodies    [][]byte // asked one after another
	hits      []int    // of each body: how many of its queries must find something
	checked   int      // one answer in so many is read as JSON and compared with hits
}

// A loaded is what one run gave.
type loaded struct {
	requests int
	took     time.Duration
	p50, p99 time.Duration
}

// run asks for some time.
func (l *loader) run(d time.Duration) (loaded, error) {
	requests := make([][]byte, len(l.bodies))
	for i, b := range l.bodies {
		requests[i] = fmt.Appendf(nil, "POST /api/v1/match HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", l.addr, l.key, len(b), b)
	}
	var all sync.WaitGroup
	took := make([][]time.Duration, l.conns)
	errs := make([]error, l.conns)
	start := time.Now()
	for c := range l.conns {
		all.Go(func() { took[c], errs[c] = l.connection(requests, c, start.Add(d)) })
	}
	all.Wait()
	out := loaded{took: time.Since(start)}
	every := slices.Concat(took...)
	if err := errors.Join(errs...); err != nil || len(every) == 0 {
		return out, fmt.Errorf("bench: %d requests: %w", len(every), err)
	}
	slices.Sort(every)
	out.requests, out.p50, out.p99 = len(every), every[len(every)/2], every[len(every)*99/100]
	return out, nil
}

func (l *loader) connection(requests [][]byte, first int, end time.Time) (took []time.Duration, err error) {
	conn, err := net.Dial("tcp", l.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 64<<10)
	var body []byte
	for n := first * 7919; ; n++ {
		start := time.Now()
		if start.After(end) {
			return took, nil
		}
		k := n % len(requests)
		if _, err := conn.Write(requests[k]); err != nil {
			return took, err
		}
		if body, err = answer(in, body[:0]); err != nil {
			return took, err
		}
		took = append(took, time.Since(start))
		if n%l.checked == 0 {
			if err := l.check(k, body); err != nil {
				return took, err
			}
		}
	}
}

// answer reads one answer with a Content-Length, and returns its body in room.
func answer(in *bufio.Reader, room []byte) ([]byte, error) {
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		line = bytes.TrimSpace(line)
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
			return nil, fmt.Errorf("answered %s", line)
		}
		if len(line) == 0 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(": ")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return nil, err
			}
		}
	}
	if length < 0 {
		return nil, errors.New("an answer without Content-Length")
	}
	room = slices.Grow(room, length)[:length]
	_, err := io.ReadFull(in, room)
	return room, err
}

// check compares an answer with what its queries must find.
func (l *loader) check(k int, body []byte) error {
	var ans struct {
		Results []struct {
			Matches []json.RawMessage `json:"matches"`
		} `json:"results"`
	}
	if err := json.Unmarshal(body, &ans); err != nil {
		return fmt.Errorf("an answer that is not JSON: %w", err)
	}
	found := 0
	for _, r := range ans.Results {
		if len(r.Matches) > 0 {
			found++
		}
	}
	if found != l.hits[k] {
		return fmt.Errorf("a wrong answer: %d of the queries found something, and %d are listed", found, l.hits[k])
	}
	return nil
}
