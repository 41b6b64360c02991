package pgtest

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain runs the tests; in a child of TestNothingIsLeft it plays a test
// process that holds a cluster.
func TestMain(m *testing.M) {
	if mode := os.Getenv("PGTEST_CHILD"); mode != "" {
		child(mode)
		return
	}
	Main(m)
}

// child starts a cluster, prints its folder, and ends as mode says when its
// standard input is closed.
func child(mode string) {
	c, err := start()
	if err != nil {
		fmt.Println(err)
		return
	}
	running = c
	fmt.Println(c.dir)
	bufio.NewReader(os.Stdin).ReadString('\n')
	switch mode {
	case "stop":
		if err := Stop(); err != nil {
			fmt.Println(err)
		}
	case "panic":
		panic("a test that panics")
	}
}

func TestFresh(t *testing.T) {
	var first string
	t.Run("one", func(t *testing.T) {
		first = Fresh(t)
		db := open(t, first)
		if _, err := db.Exec("CREATE TABLE seen (n bigint)"); err != nil {
			t.Fatal(err)
		}
		other := open(t, Fresh(t))
		var n int
		if err := other.QueryRow("SELECT count(*) FROM pg_tables WHERE tablename = 'seen'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != 0 {
			t.Error("a fresh database has another test's table")
		}
	})
	if err := open(t, first).Ping(); err == nil || !strings.Contains(err.Error(), "3D000") {
		t.Errorf("after its test the database answers %v, want 3D000 (does not exist)", err)
	}
	var n int
	if err := open(t, DSN(t)).QueryRow("SELECT count(*) FROM pg_database WHERE datname LIKE 't\\_%'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if os.Getenv(Env) == "" && n != 0 {
		t.Errorf("%d databases of tests are left", n)
	}
}

// TestNothingIsLeft ends a test process in each of the ways it may end and
// checks that its server and its folder are gone.
func TestNothingIsLeft(t *testing.T) {
	if _, err := find(os.Getenv("PATH"), "/usr/lib/postgresql"); err != nil {
		refuse(t, err)
	}
	for _, mode := range []string{"stop", "panic", "killed"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "PGTEST_CHILD="+mode, Env+"=")
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, _ := bufio.NewReader(out).ReadString('\n')
			dir := strings.TrimSpace(line)
			pid := postmaster(t, dir)
			if mode == "killed" {
				cmd.Process.Signal(syscall.SIGKILL)
			}
			in.Close()
			cmd.Wait()
			if _, err := os.Stat(dir); mode == "stop" && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("Stop returned before %s was gone", dir)
			}
			// In the other modes nobody waited for the keeper; in all of
			// them the dead server is reaped by init, in its own time.
			for range 200 {
				if gone(pid, dir) {
					break
				}
				time.Sleep(50 * time.Millisecond)
			}
			if !gone(pid, dir) {
				t.Errorf("process %d or folder %s is still there", pid, dir)
			}
		})
	}
}

// TestFailedStart checks that a cluster that cannot start says why and leaves
// no folder.
func TestFailedStart(t *testing.T) {
	bin := t.TempDir()
	if err := os.Chmod(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	fake(t, bin, "initdb", "#!/bin/sh\necho the disk is full\nexit 1\n")
	fake(t, bin, "pg_ctl", "#!/bin/sh\nexit 1\n")
	t.Setenv("PATH", bin)
	before := folders(t)
	c, err := start()
	if err == nil {
		c.stop()
		t.Fatal("a cluster without a database started")
	}
	// Run as another user, the script may be out of reach; then the shell says so.
	if !strings.Contains(err.Error(), "the disk is full") && !strings.Contains(err.Error(), "initdb") {
		t.Errorf("the error does not say why: %v", err)
	}
	if after := folders(t); after > before {
		t.Errorf("%d folders before, %d after", before, after)
	}
}

func TestFind(t *testing.T) {
	debian, path := t.TempDir(), t.TempDir()
	if _, err := find(path, filepath.Join(debian, "absent")); !errors.Is(err, errMissing) {
		t.Errorf("without PostgreSQL: %v, want errMissing", err)
	}
	for _, v := range []string{"9", "15", "17", "common"} {
		bin := filepath.Join(debian, v, "bin")
		if err := os.MkdirAll(bin, 0o755); err != nil {
			t.Fatal(err)
		}
		fake(t, bin, "initdb", "")
		if v != "17" { // a client without a server
			fake(t, bin, "pg_ctl", "")
		}
	}
	got, err := find(path, debian)
	if want := filepath.Join(debian, "15", "bin"); got != want || err != nil {
		t.Errorf("find = %s, %v, want %s", got, err, want)
	}
	fake(t, path, "initdb", "")
	fake(t, path, "pg_ctl", "")
	if got, err := find("/nowhere:"+path, debian); got != path || err != nil {
		t.Errorf("find = %s, %v, want PATH's %s", got, err, path)
	}
}

// TestRefuse checks that a missing PostgreSQL is a skip for a developer and a
// failure in CI, and that a broken one is a failure for both.
func TestRefuse(t *testing.T) {
	for _, c := range []struct {
		err  error
		ci   string
		want string
	}{
		{errMissing, "", "skip"},
		{errMissing, "1", "fatal"},
		{errors.New("broken"), "", "fatal"},
		{errors.New("broken"), "1", "fatal"},
	} {
		t.Setenv("CI", c.ci)
		r := &recorder{TB: t}
		func() {
			defer func() { recover() }()
			refuse(r, c.err)
		}()
		if r.got != c.want {
			t.Errorf("refuse(%v) with CI=%q: %q, want %q", c.err, c.ci, r.got, c.want)
		}
	}
}

// recorder notes the first way a test was ended.
type recorder struct {
	testing.TB
	got string
}

func (r *recorder) Helper()              {}
func (r *recorder) Skipf(string, ...any) { r.got = "skip"; panic(r) }
func (r *recorder) Fatal(...any)         { r.got = "fatal"; panic(r) }

func TestWithDatabase(t *testing.T) {
	got, err := withDatabase("postgres://u:p@h:5433/postgres?sslmode=disable", "x")
	if want := "postgres://u:p@h:5433/x?sslmode=disable"; got != want || err != nil {
		t.Errorf("withDatabase = %s, %v, want %s", got, err, want)
	}
	if _, err := withDatabase("host=h password=secret", "x"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("withDatabase of a keyword string: %v, want an error without the password", err)
	}
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func fake(t *testing.T, dir, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o755); err != nil {
		t.Fatal(err)
	}
}

// postmaster returns the process of the server in dir.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatalf("the child said %q: %v", dir, err)
	}
	var pid int
	if _, err := fmt.Sscan(string(b), &pid); err != nil || pid < 2 {
		t.Fatalf("postmaster.pid holds %q", b)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the server %d does not run: %v", pid, err)
	}
	return pid
}

func gone(pid int, dir string) bool {
	_, err := os.Stat(dir)
	return errors.Is(err, os.ErrNotExist) && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

func folders(t *testing.T) int {
	t.Helper()
	names, err := filepath.Glob("/tmp/rempart-pg-*")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}
