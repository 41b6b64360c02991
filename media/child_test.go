//go:build linux

package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// needs skips the test where one of the programs is missing, and fails it in
// CI.
func needs(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is missing: run scripts/test-deps.sh", p)
			}
			t.Skipf("%s is missing: run scripts/test-deps.sh", p)
		}
	}
}

// shell runs a line of shell in confinement, on the input given.
func shell(t *testing.T, b bound, input, line string) (string, error) {
	t.Helper()
	in, err := seal(strings.NewReader(input), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	var out []byte
	err = confined(t.Context(), in, b, func(r io.Reader) error {
		var err error
		out, err = io.ReadAll(r)
		return err
	}, "sh", "-c", line)
	return string(out), err
}

var small = bound{wall: time.Minute, cpu: 1, memory: 512 << 20, output: 1 << 20}

func TestConfinedWorks(t *testing.T) {
	needs(t, "prlimit", "bwrap")
	for _, line := range []string{
		"cat",
		"cat /proc/self/fd/0",
		"tail -c 5 /proc/self/fd/0 >/dev/null; cat",
	} {
		if got, err := shell(t, small, "hello\n", line); got != "hello\n" || err != nil {
			t.Errorf("%s: %q, %v", line, got, err)
		}
	}
	long := strings.Repeat("0123456789abcdef", 1<<16)
	if got, err := shell(t, small, long, "cat"); got != long || err != nil {
		t.Errorf("a mebibyte: %d bytes back, %v", len(got), err)
	}
	got, err := shell(t, small, "", "env | cut -d= -f1 | sort | tr '\\n' ' '")
	if want := "HOME LANG MALLOC_ARENA_MAX PATH PWD "; got != want || err != nil {
		t.Errorf("environment %q, %v, want %q", got, err, want)
	}
	if w := confinement(); w.name != "bwrap" && os.Getenv("CI") != "" {
		t.Errorf("confined by %s, want bwrap", w.name)
	}
}

// TestConfinedStops: what a program that a hostile file took over may try.
func TestConfinedStops(t *testing.T) {
	needs(t, "prlimit", "bwrap", "perl")
	dir, err := os.MkdirTemp("/tmp", "rempart-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("a secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "reached")
			c.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(server.Addr().String())
	connect := `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new("127.0.0.1:` + port + `") or die; print <$s>'`
	if out, err := exec.Command("sh", "-c", connect).Output(); string(out) != "reached" {
		t.Fatalf("the test's own server is not reached without confinement: %q, %v", out, err)
	}

	for _, c := range []struct {
		name, line string
		is         error  // what the error wraps; nil is anything
		says       string // part of the error
	}{
		{"network", connect, ErrDamaged, "exit status"},
		{"writes a file", "echo x > " + filepath.Join(dir, "new"), ErrDamaged, "exit status"},
		{"writes in its own root", "echo x > /new", ErrDamaged, "exit status"},
		{"writes in /dev/shm", "echo x > /dev/shm/new", ErrDamaged, "exit status"},
		{"writes to its input", "echo x > /proc/self/fd/0", ErrDamaged, "exit status"},
		{"reads a file", "cat " + secret, ErrDamaged, "exit status"},
		{"reads accounts", "cat /etc/passwd", ErrDamaged, "exit status"},
		{"sees other processes", "test -d /proc/" + fmt.Sprint(os.Getpid()), ErrDamaged, "exit status"},
		{"becomes root", "test $(id -u) = 0", ErrDamaged, "exit status"},
		{"processor", "while :; do :; done", ErrTooCostly, "processor time"},
		{"memory", `perl -e '$x = "x" x 2_000_000_000; print length $x'`, ErrTooCostly, "memory"},
		{"output", "yes", ErrTooCostly, "wrote more"},
		{"complaints", "yes >&2", ErrTooCostly, ""},
		{"hangs", "sleep 60", ErrTooCostly, "after 1s"},
		{"hangs without output", "exec >&-; sleep 60", ErrTooCostly, "after 1s"},
		{"forks", "sleep 60 & sleep 60 & exit 0", nil, ""},
		{"hides", "setsid sleep 61 >/dev/null 2>&1 & exit 3", nil, ""},
		{"multiplies", "f() { f | f & f; }; f; sleep 1", nil, ""},
		{"kills its parent", "kill -9 $PPID; sleep 60", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := small
			if strings.Contains(c.line, "sleep") || strings.Contains(c.line, ">&2") {
				b.wall = time.Second
			}
			start := time.Now()
			out, err := shell(t, b, "", c.line)
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v, want an error of the kind %q", err, c.is)
			}
			if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%v, want an error with %q", err, c.says)
			}
			if took := time.Since(start); took > b.wall+5*time.Second {
				t.Errorf("it took %v", took)
			}
			if strings.Contains(out, "secret") || strings.Contains(out, "reached") || strings.Contains(out, "root:") {
				t.Errorf("it came through: %q", out)
			}
			t.Logf("%v: %v", time.Since(start).Round(time.Millisecond), err)
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); err == nil {
		t.Error("a file was written")
	}
	left, err := exec.Command("pgrep", "-f", "^sleep 6[01]$").Output()
	if err == nil {
		t.Errorf("processes live on: %q", left)
	}
}

// TestConfinedEnds: who is to blame when it ends early.
func TestConfinedEnds(t *testing.T) {
	needs(t, "prlimit", "bwrap")
	in, err := seal(bytes.NewReader(nil), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer in.close()
	ours := errors.New("enough")
	err = confined(t.Context(), in, small, func(io.Reader) error { return ours }, "sh", "-c", "sleep 60")
	if !errors.Is(err, ours) {
		t.Errorf("use fails: %v, want its error", err)
	}
	read := func(r io.Reader) error { _, err := io.ReadAll(r); return err }
	err = confined(t.Context(), in, small, read, "rempart-no-such-program")
	if !errors.Is(err, ErrMissing) || !errors.Is(err, ErrUnsupported) {
		t.Errorf("no such program: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := confined(ctx, in, small, read, "sleep", "60"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's deadline: %v", err)
	}
	if err := confined(t.Context(), in, small, func(io.Reader) error { return nil }, "sh", "-c", "echo long; sleep 0.1; echo er"); err != nil {
		t.Errorf("use reads nothing: %v", err)
	}
	if _, err := seal(strings.NewReader("four"), 3); !errors.Is(err, ErrTooManyBytes) {
		t.Errorf("four bytes of three: %v", err)
	}
	// What a program says of a file is not repeated.
	err = confined(t.Context(), in, small, read, "sh", "-c", "echo title of the video >&2; exit 7")
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "exit status 7") || strings.Contains(err.Error(), "title") {
		t.Errorf("a complaint: %v", err)
	}
}

// TestWays runs the ways that need no bubblewrap: less is kept apart, but no
// file is written and all limits hold.
func TestWays(t *testing.T) {
	needs(t, "prlimit", "perl")
	tried := 0
	for _, w := range waysHere() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		works := func(line string) (string, error) {
			cmd, err := w.command(ctx, small, "/bin/sh", []string{"-c", line})
			if err != nil {
				t.Fatal(err)
			}
			from, to, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer from.Close()
			cmd.Stdout = to
			err = run(cmd, func() {}, func() {})
			to.Close()
			out, _ := io.ReadAll(from)
			return string(out), err
		}
		if out, err := works("echo works"); err != nil {
			t.Logf("%s does not work here: %v", w.name, err)
			cancel()
			continue
		} else if out != "works\n" {
			t.Errorf("%s: %q", w.name, out)
		}
		tried++
		file := filepath.Join("/var/tmp", "rempart-test-ways")
		os.WriteFile(file, nil, 0o666)
		os.Chmod(file, 0o666)
		if _, err := works("echo x > " + file); err == nil {
			t.Errorf("%s: a file was written", w.name)
		}
		os.Remove(file)
		if out, err := works("cat /proc/net/dev | grep -vc lo:"); w.name != "limits" && (out != "2\n" || err != nil) {
			t.Errorf("%s: interfaces beside lo: %q, %v", w.name, out, err)
		}
		if _, err := works(`perl -e '$x = "x" x 2_000_000_000'`); err == nil {
			t.Errorf("%s: memory has no limit", w.name)
		}
		t.Logf("%+v works", w)
		cancel()
	}
	if tried == 0 {
		t.Error("no way works")
	}
}

func TestDoctor(t *testing.T) {
	needs(t, "prlimit", "bwrap", "ffmpeg", "vips")
	for _, f := range Doctor(t.Context()) {
		if !f.Found && (f.Program != "confinement" || os.Getenv("CI") != "") {
			t.Errorf("%+v", f)
		}
		if f.Found && f.Version == "" {
			t.Errorf("%s: no version", f.Program)
		}
		t.Logf("%+v", f)
	}
	t.Setenv("PATH", t.TempDir())
	for _, f := range Doctor(t.Context()) {
		if f.Program != "confinement" && (f.Found || f.Means == "") {
			t.Errorf("without any program: %+v", f)
		}
	}
}
