package e2e

import (
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A proc is one instance as a process of its own, which is started again, without
// its fault, when it is killed.
type proc struct {
	t    testing.TB
	bin  string
	data string
	url  string
	args []string // of rempart serve
	log  safeText

	mu     sync.Mutex
	cmd    *exec.Cmd
	killed int           // times that it died by SIGKILL
	told   bool          // to end
	end    chan struct{} // closed when it ended for good
	last   error         // how
}

// procEnv is the environment of a child: ours, without what configures rempart.
func procEnv(more ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "REMPART_") {
			env = append(env, v)
		}
	}
	return append(env, more...)
}

// procAddr returns an address that is free.
func procAddr(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// startProc starts rempart serve with a data folder of its own. At the point
// killAt it is killed as kill -9 does; "" is never.
func startProc(t testing.TB, bin, killAt string, args ...string) *proc {
	t.Helper()
	return startProcOn(t, bin, filepath.Join(t.TempDir(), "data"), killAt, args...)
}

// startProcOn is startProc on a data folder that may be there already.
func startProcOn(t testing.TB, bin, data, killAt string, args ...string) *proc {
	t.Helper()
	addr := procAddr(t)
	p := &proc{t: t, bin: bin, data: data, url: "http://" + addr, end: make(chan struct{})}
	p.args = append([]string{"serve", "-data", p.data, "-addr", addr, "-undo", "1s"}, args...)
	if err := p.start(killAt); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("%s printed:\n%s", strings.Join(args, " "), &p.log)
		}
	})
	p.ready()
	return p
}

// start starts the process, and a goroutine that waits for its end.
func (p *proc) start(killAt string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.told {
		close(p.end)
		return nil
	}
	p.cmd = exec.Command(p.bin, p.args...)
	p.cmd.Env = procEnv("REMPART_KILL_AT="+killAt, "REMPART_LEASE=5s")
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		close(p.end)
		return err
	}
	go p.wait(p.cmd)
	return nil
}

// wait waits for a process: killed, it is started again; otherwise it was its end.
func (p *proc) wait(cmd *exec.Cmd) {
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL {
			p.mu.Lock()
			p.killed++
			p.mu.Unlock()
			if err := p.start(""); err != nil {
				p.t.Errorf("starting again: %v", err)
			}
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = err
	if !p.told {
		p.t.Errorf("rempart ended by itself: %v\n%s", err, &p.log)
	}
	close(p.end)
}

// stop ends the process as an operator does, and waits.
func (p *proc) stop() {
	p.t.Helper()
	p.mu.Lock()
	first := !p.told
	p.told = true
	cmd := p.cmd
	p.mu.Unlock()
	if !first {
		return
	}
	cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.end:
		if p.last != nil {
			p.t.Errorf("rempart ended with %v\n%s", p.last, &p.log)
		}
	case <-time.After(30 * time.Second):
		p.t.Errorf("rempart did not end within 30 s of being told to\n%s", &p.log)
		cmd.Process.Signal(syscall.SIGQUIT)
		<-p.end
	}
}

// deaths returns how often the process was killed.
func (p *proc) deaths() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed
}

// ready waits until the process answers.
func (p *proc) ready() {
	p.t.Helper()
	p.until("ready", func() bool {
		r, err := plain.Get(p.url + "/readyz")
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

// until waits for something, at most for a minute.
func (p *proc) until(what string, done func() bool) {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("not %s after a minute\n%s", what, &p.log)
		}
	}
}

// dies waits until the process was killed, at the point it was started with, and
// answers again. A point that is not reached fails the test.
func (p *proc) dies() {
	p.t.Helper()
	p.until("killed: its point was not reached", func() bool { return p.deaths() > 0 })
	p.ready()
}

// run runs another command of rempart on the process's data folder and returns
// what it printed.
func (p *proc) run(args ...string) string {
	p.t.Helper()
	cmd := exec.Command(p.bin, append(args, "-data", p.data)...)
	cmd.Env = procEnv()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("rempart %s: %v\n%s%s", strings.Join(args, " "), err, out, &stderr)
	}
	return strings.TrimSpace(string(out))
}
