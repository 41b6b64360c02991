package near

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rempart/pdq"
)

// valueOf is the value of an ID in TestKilledMerging.
func valueOf(id ID) pdq.Hash { return fastRandom(rand.New(rand.NewPCG(uint64(id), 45))) }

const added = 20_000 // values, in each round of TestKilledMerging

// TestMergingChild is run by TestKilledMerging in another process.
func TestMergingChild(t *testing.T) {
	dir := os.Getenv("NEAR_MERGING")
	if dir == "" {
		t.Skip("it is a part of TestKilledMerging")
	}
	n, err := strconv.Atoi(os.Getenv("NEAR_VALUES"))
	if err != nil {
		t.Fatal(err)
	}
	x, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	switch os.Getenv("NEAR_STEP") {
	case "load":
		ids, hs := make([]ID, n), make([]pdq.Hash, n)
		for i := range ids {
			ids[i], hs[i] = ID(i), valueOf(ID(i))
		}
		if err := errors.Join(x.AddAll(ids, hs), x.Close()); err != nil {
			t.Fatal(err)
		}
	case "merge":
		for i := range added {
			x.Add(ID(n+i), valueOf(ID(n+i)))
		}
		if err := x.Sync(); err != nil {
			t.Fatal(err)
		}
		fmt.Println("lasts")
		err := x.Compact()
		fmt.Println("merged", err)
	case "look":
		if got := x.Search(turn(rand.New(rand.NewPCG(1, 1)), valueOf(5), 31), 31); !slices.ContainsFunc(got, func(m Match) bool { return m.ID == 5 }) {
			t.Fatalf("value 5 is not found: %v", got)
		}
		fmt.Println("found")
		whole(t, x, n)
		fmt.Println("whole")
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// whole checks that x has the values of the IDs below n, each once, and no
// other.
func whole(t *testing.T, x *Index, n int) {
	x.Compact()
	seen := make([]bool, n)
	count := 0
	for _, s := range x.segments {
		for row, id := range s.ids {
			if !s.alive(row) {
				continue
			}
			w := s.row(row)
			if id >= uint64(n) || seen[id] || w.hash() != valueOf(ID(id)) {
				t.Fatalf("row %d of a segment of %d: ID %d is there twice, or changed, or should not be", row, s.n, id)
			}
			seen[id] = true
			count++
		}
	}
	if count != n || x.Len() != n || x.tail.len() != 0 {
		t.Fatalf("%d values are there, want %d", count, n)
	}
	for i := range 1000 {
		id := ID(i * (n / 1000))
		if !slices.ContainsFunc(x.Search(valueOf(id), 31), func(m Match) bool { return m.ID == id && m.Distance == 0 }) {
			t.Fatalf("value %d is there and not found", id)
		}
	}
}

// TestKilledMerging kills -9 a process while it merges all of its values, once
// while it makes the segment and once while it writes it, and starts another:
// that finds a value without reading them all again, and has every one. There are
// ten million values in CI, a million elsewhere; the processes are built
// without the race detector, as what is served is.
func TestKilledMerging(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	n := 1_000_000
	if os.Getenv("CI") != "" {
		n = 10_000_000
	}
	program := filepath.Join(t.TempDir(), "child")
	if out, err := exec.Command("go", "test", "-c", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("building the child: %v\n%s", err, out)
	}
	dir := t.TempDir()
	start := func(step string, n int) (*exec.Cmd, *bufio.Scanner) {
		cmd := exec.Command(program, "-test.run=^TestMergingChild$")
		cmd.Env = append(os.Environ(), "NEAR_MERGING="+dir, "NEAR_STEP="+step, fmt.Sprint("NEAR_VALUES=", n))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, bufio.NewScanner(out)
	}
	ended := func(step string, cmd *exec.Cmd, out *bufio.Scanner) {
		t.Helper()
		var said []string
		for out.Scan() {
			said = append(said, out.Text())
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%s: %v: %s", step, err, strings.Join(said, "\n"))
		}
	}
	began := time.Now()
	cmd, out := start("load", n)
	ended("load", cmd, out)
	loaded := time.Since(began)
	unfinished := func() bool {
		found, err := filepath.Glob(filepath.Join(dir, "segment-*.unfinished"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found) > 0
	}
	// kill kills a merge as soon as it writes its segment, or before, and tells
	// whether it was so.
	kill := func(writing bool, after time.Duration) bool {
		cmd, out := start("merge", n)
		if !out.Scan() || out.Text() != "lasts" {
			t.Fatalf("the child says %q", out.Text())
		}
		n += added
		time.Sleep(after)
		for writing && !unfinished() {
			time.Sleep(time.Millisecond)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(readerOf(out))
		err := cmd.Wait()
		status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if !ok || status.Signal() != syscall.SIGKILL {
			t.Fatalf("it was not killed: %v, %q", err, rest)
		}
		return len(rest) == 0 && unfinished() == writing
	}
	for _, writing := range []bool{false, true} {
		// On a loaded machine we may come too late: again, then, and sooner.
		after := time.Duration(n/400) * time.Microsecond
		for try := 1; !kill(writing, after); try++ {
			if try == 20 {
				t.Fatalf("in %d tries no merge was killed while writing: %v", try, writing)
			}
			after /= 2
		}
		// Nothing but what came since the last merge that ended is in a log, to be
		// read anew; a change takes 45 bytes there.
		logs, err := filepath.Glob(filepath.Join(dir, "log-*"))
		if err != nil || len(logs) == 0 {
			t.Fatalf("%d logs, %v", len(logs), err)
		}
		var unread int64
		for _, name := range logs {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			unread += info.Size()
		}
		if unread > 45*int64(n)/2 {
			t.Errorf("%d bytes of logs for %d values: they would all be read anew", unread, n)
		}
		began := time.Now()
		cmd, out := start("look", n)
		if !out.Scan() || out.Text() != "found" {
			ended("look", cmd, out)
			t.Fatalf("the child says %q", out.Text())
		}
		took := time.Since(began)
		t.Logf("%d values, killed while writing: %v; found one %v after the start; loading them took %v", n, writing, took, loaded)
		ended("look", cmd, out)
	}
}

// readerOf reads the lines that s still has.
func readerOf(s *bufio.Scanner) io.Reader {
	var lines strings.Builder
	for s.Scan() {
		fmt.Fprintln(&lines, s.Text())
	}
	return strings.NewReader(lines.String())
}
