package near

import (
	"sync"
	"sync/atomic"
	"syscall"
)

const hugePage = 2 << 20

// makeBytes returns n zero bytes, and what gives them back, after which nobody
// may read them; nil where Go collects them. Many bytes come fresh from the
// system, of huge pages where it gives them: a search touches a thousand places
// far apart, and the translation of their addresses costs as much as the reads.
// What Go has used before would come back in small pages, and with twice the
// memory until it is collected.
func makeBytes(n int) ([]byte, func() error) {
	if n < 2*hugePage {
		return make([]byte, n), nil
	}
	length := (n + 2*hugePage - 1) &^ (hugePage - 1)
	b, err := syscall.Mmap(-1, 0, length, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return make([]byte, n), nil // and if there is no memory, Go says so
	}
	// Only advice: without it the same bytes are slower.
	_ = syscall.Madvise(b, 14) // MADV_HUGEPAGE
	return b[:n:n], func() error { return syscall.Munmap(b) }
}

// How a mapped file is read before it is asked for: so many bytes a call, by so
// many threads, which wait for the disk together.
const (
	populated  = 4 << 20
	populators = 8
)

// readAhead has a mapped file's bytes in memory before they are asked for: a few
// calls instead of a fault for every few pages. For a small segment the faults
// cost as much as its first thousands of searches. A large one is read whole
// anyway when its checksum is tried, and then page after page: a disk gives
// several times as much to those who ask together.
func readAhead(b []byte) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(populators, (len(b)+populated-1)/populated) {
		all.Go(func() {
			for {
				from := int(next.Add(populated)) - populated
				if from >= len(b) || syscall.Madvise(b[from:min(from+populated, len(b))], 22) != nil { // MADV_POPULATE_READ; kernels before 5.14 do not know it
					return
				}
			}
		})
	}
	all.Wait()
}
