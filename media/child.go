package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// ErrMissing is wrapped, with ErrUnsupported, when the system's program that
// reads such a file is not installed: see [Doctor].
var ErrMissing = errors.New("a program that is needed is not installed")

// ErrTooCostly is wrapped when a program was stopped because it took more
// time, memory or output than it may.
var ErrTooCostly = errors.New("the file takes too much work")

// A bound is what one run of a system program may take.
type bound struct {
	wall   time.Duration // from its start to its end
	cpu    int           // seconds of processor time, of each process
	memory int64         // bytes of address space, of each process
	output int64         // bytes it may write to stdout
}

// What every run may take beside its bound.
const (
	openFiles = 64
	processes = 64 // threads count as well
	complaint = 4 << 10
)

// confined runs a system program, found by name in PATH, that reads in as its
// standard input, and gives its standard output to use while it runs. The
// program:
//
//   - has no network, and sees no files but the system's own (see [way]);
//   - reads in from a sealed file that exists in memory only, in which it can
//     seek, as /proc/self/fd/0;
//   - cannot write a file, and takes no more than b allows;
//   - is dead, with all that it started, when confined returns.
//
// What it writes to stderr is read for one thing, whether memory ran out, and
// then forgotten, as it may say what the file holds.
//
// The error wraps ErrMissing, ErrTooCostly or ErrDamaged (it ended badly: the
// error has its exit status), or comes from ctx, or is use's. If use returned
// an error before the end of output the program is stopped.
func confined(ctx context.Context, in *sealed, b bound, use func(io.Reader) error, program string, args ...string) error {
	path, err := exec.LookPath(program)
	if err != nil {
		return fmt.Errorf("%w: %w: %s", ErrUnsupported, ErrMissing, program)
	}
	inner, cancel := context.WithTimeoutCause(ctx, b.wall, fmt.Errorf("%w: %s was stopped after %v", ErrTooCostly, program, b.wall))
	defer cancel()
	cmd, err := confinement().command(inner, b, path, args)
	if err != nil {
		return err
	}
	from, to, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("media: running %s: %w", program, err)
	}
	defer from.Close()
	defer to.Close()
	widen(from)
	cmd.Stdin, cmd.Stdout = in.file(), to
	said := &tail{}
	cmd.Stderr = said
	out := &meter{in: from, left: b.output}
	// The end of the program is the end of its output, unless a child of its
	// own, where there are no walls, holds the pipe.
	defer context.AfterFunc(inner, func() { from.SetReadDeadline(time.Now()) })()
	used := make(chan error, 1)
	ran := run(cmd, func() {
		to.Close()
		go func() {
			err := use(out)
			if err == nil {
				_, err = io.Copy(io.Discard, out)
			}
			if err != nil {
				cancel()
			}
			used <- err
		}()
	}, func() { used <- nil })
	useErr := <-used
	cause := context.Cause(inner)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("media: running %s: %w", program, ctx.Err())
	case out.over:
		return fmt.Errorf("%w: %s wrote more than %d bytes", ErrTooCostly, program, b.output)
	case errors.Is(cause, ErrTooCostly):
		return cause
	case useErr != nil && !errors.Is(useErr, io.EOF) && !errors.Is(useErr, io.ErrUnexpectedEOF):
		return useErr
	case ran != nil && !errors.Is(ran, context.Canceled):
		return said.explain(program, ran)
	}
	return useErr
}

// A meter reads until there is nothing left of what may be read.
type meter struct {
	in   io.Reader
	left int64
	over bool
}

func (m *meter) Read(p []byte) (int, error) {
	if m.over {
		return 0, ErrTooCostly
	}
	n, err := m.in.Read(p)
	if m.left -= int64(n); m.left < 0 {
		m.over = true
		return 0, ErrTooCostly
	}
	return n, err
}

// A tail keeps the end of what was written to it.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p[max(0, len(p)-complaint):]...)
	t.text = t.text[max(0, len(t.text)-complaint):]
	return len(p), nil
}

// explain turns the bad end of a program into an error without any of its
// words.
func (t *tail) explain(program string, ran error) error {
	status := ran.Error()
	switch {
	case strings.Contains(status, "152") || strings.Contains(status, "CPU time limit"): // 128 + SIGXCPU
		return fmt.Errorf("%w: %s was stopped at its limit of processor time", ErrTooCostly, program)
	case t.memory():
		return fmt.Errorf("%w: %s ran out of the memory it may take", ErrTooCostly, program)
	}
	var exit *exec.ExitError
	if !errors.As(ran, &exit) {
		return fmt.Errorf("running %s: %w", program, ran)
	}
	return fmt.Errorf("%w: %s could not read it (%s)", ErrDamaged, program, status)
}

func (t *tail) memory() bool {
	said := strings.ToLower(string(t.text))
	for _, words := range []string{"cannot allocate memory", "out of memory", "memory exhausted", "memoryerror", "bad_alloc"} {
		if strings.Contains(said, words) {
			return true
		}
	}
	return false
}

// A way is how programs are kept apart from the rest of the machine.
type way struct {
	name  string // "bwrap", "namespaces" or "limits"
	bwrap string // path of bubblewrap, if it is used
	apart bool   // whether the kernel is asked for namespaces without bwrap
	other bool   // whether the program runs as the user nobody (when we are root)
}

// confinement is the best way that works on this machine:
//
//  1. bubblewrap: no network; nothing to be seen but the system's programs
//     and libraries, read-only; its own processes;
//  2. namespaces: no network, its own processes; files are seen as the user
//     sees them, and none can be filled;
//  3. limits alone: those of time, memory, processes and files.
//
// It is found once, by running the program true.
var confinement = sync.OnceValue(func() way {
	ways := waysHere()
	for _, w := range ways {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		cmd, err := w.command(ctx, bound{wall: time.Second, cpu: 1, memory: 1 << 30}, trueProgram(), nil)
		if err == nil {
			err = run(cmd, func() {}, func() {})
		}
		cancel()
		if err == nil {
			return w
		}
	}
	return way{name: "none"}
})

func trueProgram() string {
	path, err := exec.LookPath("true")
	if err != nil {
		return filepath.Join("/", "bin", "true")
	}
	return path
}
