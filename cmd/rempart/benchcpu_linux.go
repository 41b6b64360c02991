package main

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// processorTime returns what this process and all that it started have used of
// the processors, once these have ended.
//
// Bubblewrap ends without waiting for the program it runs, whose time would then
// be nobody's: this process asks for such orphans, and waits for them here. So
// nothing else of it may be waiting for a child.
func processorTime() (time.Duration, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("processor time: %w", err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.ECHILD) {
			break
		}
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return 0, fmt.Errorf("processor time: %w", err)
		}
		if time.Now().After(deadline) {
			return 0, errors.New("processor time: a program that was started goes on")
		}
		if pid == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			return 0, fmt.Errorf("processor time: %w", err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum, nil
}
