package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPrintFigures(t *testing.T) {
	var out bytes.Buffer
	alone := figure{Name: "alone", Ours: 2, Unit: "ms"}
	beside := figure{Name: "beside", Ours: 2, Best: 1.5, Unit: "ms"}.goal(8).naive("slowly", 24).beside(peer{name: "theirs", value: 7})
	if err := printFigures(&out, []figure{alone, beside, beside.beside(known("Peer", 1))}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"WHAT OURS BEST UNIT GOAL NAIVE NAIVE/OURS PEER PEER/OURS WHICH",
		"alone 2.00 – ms – – – – – –",
		"beside 2.00 1.50 ms 8.00 24.0 12.0 7.00 3.50 theirs",
		"beside 2.00 1.50 ms 8.00 24.0 12.0 1.00* 0.5 Peer",
		"* not measured here: " + publishedWhere,
		"",
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestCount(t *testing.T) {
	for text, want := range map[string]count{"100k": 100_000, "10M": 10_000_000, "123": 123} {
		var n count
		if err := n.UnmarshalText([]byte(text)); err != nil || n != want || n.String() != text {
			t.Errorf("%s: %v, %v", text, n, err)
		}
	}
	for _, text := range []string{"", "k", "0", "-1k", "10G", "9999999M", "1.5M"} {
		var n count
		if err := n.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %v", text, n)
		}
	}
}

// rows runs a bench and returns its lines by their names, each checked for the
// fields that programs rely on.
func rows(t *testing.T, args ...string) map[string]figure {
	t.Helper()
	before, worst := benchWords, worstValues
	benchWords, worstValues = 1<<18, 20_000
	defer func() { benchWords, worstValues = before, worst }()
	var out, stderr bytes.Buffer
	if code := run(t.Context(), append([]string{"bench"}, args...), nil, &out, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	if !strings.Contains(stderr.String(), "measuring") {
		t.Errorf("nothing on stderr: %q", stderr.String())
	}
	got := make(map[string]figure)
	for line := range strings.Lines(out.String()) {
		var fields map[string]any
		var f figure
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for _, key := range []string{"name", "ours", "peer", "unit", "ratio"} {
			if _, ok := fields[key]; !ok {
				t.Errorf("no %s: %s", key, line)
			}
		}
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		if f.Ours <= 0 || (f.Peer == nil) != (f.Ratio == nil) || (f.Peer == nil) != (f.PeerSource == "") {
			t.Errorf("%s", line)
		}
		if f.Unit == "/s" && f.Peer != nil {
			f.Ours, *f.Peer = *f.Peer, f.Ours // more is better
		}
		if f.Peer != nil && (*f.Ratio < *f.Peer/f.Ours*0.999 || *f.Ratio > *f.Peer/f.Ours*1.001) {
			t.Errorf("ratio: %s", line)
		}
		got[f.Name] = f
	}
	return got
}

// TestBenchServe measures three small nodes, which answer rightly or the bench
// ends with an error.
func TestBenchServe(t *testing.T) {
	program, err := exec.LookPath("rempart")
	if err != nil {
		t.Fatal(err)
	}
	benchProgram = func() (string, error) { return program, nil }
	defer func() { benchProgram = os.Executable }()
	got := rows(t, "serve", "-json", "-runs", "1", "-n", "20k", "-seconds", "0.3", "-commits", "3", "-conns", "2")
	for _, name := range []string{"served, 20k values, one a request: lookups", "served, 20k values, 100 a request: p99", "from the commit to a match, one node", "from the commit to a match on the last of 3 nodes"} {
		if _, ok := got[name]; !ok {
			t.Errorf("no %q among %v", name, got)
		}
	}
}

// TestLoaderChecks checks that a wrong answer ends a measurement.
func TestLoaderChecks(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`{"results":[{"matches":[]}]}`))
	}))
	defer srv.Close()
	l := &loader{addr: srv.Listener.Addr().String(), conns: 1, bodies: [][]byte{[]byte("{}")}, hits: []int{1}, checked: 1}
	if _, err := l.run(50 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "a wrong answer") {
		t.Errorf("error %v", err)
	}
	l.hits[0] = 0
	if got, err := l.run(50 * time.Millisecond); err != nil || got.requests == 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestBenchNear(t *testing.T) {
	got := rows(t, "near", "-json", "-runs", "1", "-n", "20k", "-python", "none-of-that-name")
	for _, name := range []string{"build in memory, 20k values", "one lookup at 31, in memory, 20k values", "open from disk and first lookup, 20k values"} {
		if _, ok := got[name]; !ok {
			t.Errorf("no %q", name)
		}
	}
	if f := got["one lookup at 31, in memory, 20k values"]; f.Naive == nil || f.Peer != nil {
		t.Errorf("%+v", f)
	}
}

// TestBenchPython gives bench a Python that answers what the peers would.
func TestBenchPython(t *testing.T) {
	dir := t.TempDir()
	python, picture := filepath.Join(dir, "python"), filepath.Join(dir, "small.jpg")
	const script = "#!/bin/sh\ncase \"$2\" in *pdqhash*) echo '{\"ms\": 45.5}';; *MultiHash*) test $(wc -c < \"$3\") -eq $((32*(20000+512))) && echo '{\"build\": 2, \"us\": 99, \"bytes\": 290}';; *faiss*) echo true;; esac\n"
	if err := os.WriteFile(python, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, grainy(400, 300), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(picture, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got := rows(t, "fingerprint", "-json", "-runs", "1", "-python", python, "-file", picture)
	if f := got["small.jpg file to PDQ"]; f.PeerSource != "measured" || *f.Peer != 45.5 || f.Naive == nil {
		t.Errorf("%+v", f)
	}
	if f := got["PDQ from 1920 × 1080 luma in memory"]; f.Peer == nil || !strings.HasPrefix(f.PeerSource, "published") {
		t.Errorf("%+v", f)
	}
	got = rows(t, "near", "-json", "-runs", "1", "-n", "20k", "-python", python)
	if f := got["one lookup at 31, in memory, 20k values"]; f.PeerSource != "measured" || *f.Peer != 99 {
		t.Errorf("%+v", f)
	}
}

// TestProcessorTime: what a program uses that another started, and did not
// wait for, is counted.
func TestProcessorTime(t *testing.T) {
	before, err := processorTime()
	if err != nil {
		t.Skip(err)
	}
	// The inner shell works for half a second; the outer leaves at once.
	const work = `i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done`
	if err := exec.CommandContext(context.Background(), "sh", "-c", "(sh -c '"+work+"') & exit 0").Run(); err != nil {
		t.Fatal(err)
	}
	after, err := processorTime()
	if err != nil || after-before < 50*time.Millisecond {
		t.Errorf("%v, %v", after-before, err)
	}
}
