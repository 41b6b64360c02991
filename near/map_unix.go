//go:build unix

package near

import (
	"fmt"
	"os"
	"syscall"
)

// mapFile maps a file into memory. No other process may shorten it while it is
// mapped: that ends this one.
func mapFile(name string) ([]byte, func() error, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.Size() == 0 || info.Size() != int64(int(info.Size())) {
		return nil, nil, fmt.Errorf("%d bytes cannot be mapped", info.Size())
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	readAhead(b)
	return b, func() error { return os.NewSyscallError("munmap", syscall.Munmap(b)) }, nil
}

// lockFile takes the file for this process until it is closed.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close() // what matters is why it cannot be had
		return nil, fmt.Errorf("%w: %w", ErrLocked, os.NewSyscallError("flock", err))
	}
	return f, nil
}
