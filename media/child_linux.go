package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"rempart/provenance"
)

// nobody is the user that programs run as when we are root: limits on the
// number of processes do not hold for root.
const nobody = 65534

func waysHere() []way {
	root := os.Geteuid() == 0
	var ways []way
	if path, err := exec.LookPath("bwrap"); err == nil {
		if root {
			ways = append(ways, way{name: "bwrap", bwrap: path, other: true})
		}
		ways = append(ways, way{name: "bwrap", bwrap: path})
	}
	return append(ways,
		way{name: "namespaces", apart: true, other: root},
		way{name: "limits", other: root},
		way{name: "limits"})
}

// command returns the command that runs a program in this way: prlimit, within
// the way's walls, and in its place the program.
func (w way) command(ctx context.Context, b bound, path string, args []string) (*exec.Cmd, error) {
	if w.name == "none" {
		return nil, fmt.Errorf("%w: programs cannot be confined on this machine", ErrUnsupported)
	}
	prlimit, err := exec.LookPath("prlimit")
	if err != nil {
		return nil, fmt.Errorf("%w: %w: prlimit", ErrUnsupported, ErrMissing)
	}
	var line []string
	if w.bwrap != "" {
		line = append([]string{w.bwrap}, walls()...)
	}
	line = append(line, prlimit,
		fmt.Sprintf("--cpu=%d:%d", b.cpu, b.cpu+1), // SIGXCPU, then SIGKILL
		"--as="+strconv.FormatInt(b.memory, 10),
		"--fsize=0", "--core=0", "--memlock=0",
		"--nofile="+strconv.Itoa(openFiles),
		"--nproc="+strconv.Itoa(processes),
		"--", path)
	line = append(line, args...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/", "MALLOC_ARENA_MAX=2"}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if w.other {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	if w.apart {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS
		if !w.other {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Geteuid(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getegid(), Size: 1}}
		}
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd, nil
}

// walls returns bubblewrap's arguments: everything unshared, and of the
// machine's files only those that programs are made of.
func walls() []string {
	args := []string{"--unshare-all", "--die-with-parent", "--cap-drop", "ALL"}
	for _, dir := range []string{"/usr", "/bin", "/lib", "/lib32", "/lib64", "/opt", "/nix", "/gnu"} {
		info, err := os.Lstat(dir)
		if err != nil {
			continue
		}
		if info.Mode()&os.ModeSymlink == 0 {
			args = append(args, "--ro-bind", dir, dir)
		} else if to, err := os.Readlink(dir); err == nil {
			args = append(args, "--symlink", to, dir)
		}
	}
	return append(args,
		"--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache",
		"--ro-bind-try", "/etc/alternatives", "/etc/alternatives",
		"--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--")
}

// run runs a command to its end. It calls started once it runs, or else failed.
// The thread stays: the kernel kills the child when the thread that started it
// ends, not the process.
func run(cmd *exec.Cmd, started, failed func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		failed()
		return err
	}
	started()
	err := cmd.Wait()
	// What it may have left behind in its group, where it had no walls.
	if kill := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); kill != nil && !errors.Is(kill, syscall.ESRCH) && err == nil {
		err = kill
	}
	return err
}

// widen asks for a pipe of 1 MiB, the most that the kernel gives to anyone;
// it does without.
func widen(pipe *os.File) {
	if c, err := pipe.SyscallConn(); err == nil {
		c.Control(func(fd uintptr) { unix.FcntlInt(fd, unix.F_SETPIPE_SZ, 1<<20) })
	}
}

// A sealed is a file in memory, without a name, that nobody can change. It is
// on no disk, unless the machine swaps.
type sealed struct {
	f    *os.File
	size int64
}

// seal reads r, to its end, into one. The error wraps ErrTooManyBytes above
// limit, or is r's.
func seal(r io.Reader, limit int64) (*sealed, error) {
	fd, err := unix.MemfdCreate("rempart", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("media: a file in memory: %w", err)
	}
	s := &sealed{f: os.NewFile(uintptr(fd), "memory")}
	if s.size, err = io.CopyBuffer(onlyWriter{s.f}, io.LimitReader(r, limit+1), make([]byte, 256<<10)); err != nil {
		s.close()
		return nil, fmt.Errorf("media: reading: %w", err)
	}
	if s.size > limit {
		s.close()
		return nil, fmt.Errorf("media: %w: the limit is %d", ErrTooManyBytes, limit)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE); err != nil {
		s.close()
		return nil, fmt.Errorf("media: sealing a file in memory: %w", err)
	}
	return s, nil
}

// onlyWriter hides the file's ReadFrom, whose short cuts need a file on disk.
type onlyWriter struct{ io.Writer }

// file returns the file itself, at its beginning.
func (s *sealed) file() *os.File {
	if _, err := s.f.Seek(0, io.SeekStart); err != nil {
		return nil
	}
	return s.f
}

// marks returns what the file, a video, says of how it was made; none where
// reading that goes wrong, as the video counts.
func (s *sealed) marks() []provenance.Mark {
	marks, err := guard(func() ([]provenance.Mark, error) { return provenance.ReadVideo(s.f, s.size), nil })
	if err != nil {
		return []provenance.Mark{}
	}
	return marks
}

func (s *sealed) close() { s.f.Close() }
