package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// root is the folder of the module.
const root = "../.."

// built is where the binary is built, once, when the first test needs it.
var built struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	status := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(status)
}

// rempart returns the path of rempart: REMPART_BINARY, or else built from this tree.
func rempart(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("REMPART_BINARY"); path != "" {
		return path
	}
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "rempart-e2e-"); built.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-o", filepath.Join(built.dir, "rempart"), "./cmd/rempart")
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("building rempart: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "rempart")
}

// notShort skips the tests that need a browser and the built binary.
func notShort(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("drives the built binary")
	}
}

// A demo is a running rempart demo -json.
type demo struct {
	Hub          string `json:"hub"`
	AnalystLogin string `json:"analyst_login"`
	AdminLogin   string `json:"admin_login"`
	LeadLogin    string `json:"lead_login"`
	Platforms    []struct {
		Name   string `json:"name"`
		URL    string `json:"url"`
		Login  string `json:"login"`
		APIKey string `json:"api_key"`
	} `json:"platforms"`

	Notices []struct {
		Way, Case, Code string
	} `json:"notices"`

	dir  string    // all that the child can write: its data, and its temporary files
	log  *safeText // what it printed, after the first line
	stop func()    // ends it as an operator does, and waits
}

const (
	galerie = 0 // the platform that removes what it is notified of
	miroir  = 1 // the one that refuses, or is silent
)

// startDemo starts a demo of its own for a test.
func startDemo(t testing.TB) *demo {
	t.Helper()
	d := &demo{dir: t.TempDir(), log: new(safeText)}
	tmp := filepath.Join(d.dir, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(rempart(t), "demo", "-json", "-addr", "127.0.0.1:0", "-data", filepath.Join(d.dir, "data"))
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	cmd.Stderr = d.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := make(chan string, 1)
	ended := make(chan error, 1)
	go func() {
		r := bufio.NewReader(out)
		line, _ := r.ReadString('\n')
		first <- line
		r.WriteTo(d.log)
		ended <- cmd.Wait()
	}()
	d.stop = sync.OnceFunc(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the demo ended: %v\n%s", err, d.log)
			}
		case <-time.After(20 * time.Second):
			cmd.Process.Kill()
			<-ended
			t.Errorf("the demo did not end within 20 s of being told to\n%s", d.log)
		}
	})
	t.Cleanup(d.stop)
	select {
	case line := <-first:
		if err := json.Unmarshal([]byte(line), d); err != nil || len(d.Platforms) != 2 {
			t.Fatalf("the demo's first line is %q: %v\n%s", line, err, d.log)
		}
	case <-time.After(time.Minute):
		t.Fatalf("no line from the demo after a minute\n%s", d.log)
	}
	return d
}

// A safeText is a text that a process writes while a test reads it.
type safeText struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (s *safeText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
