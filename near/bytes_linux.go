package near

import "syscall"

const hugePage = 2 << 20

// makeBytes returns n zero bytes, of huge pages where the system gives them:
// a search touches a thousand places far apart, and the translation of their
// addresses costs as much as the reads.
func makeBytes(n int) []byte {
	b := make([]byte, n)
	if n >= 2*hugePage {
		// Only advice: without it the same bytes are slower. What Go
		// allocates in this size begins at a page.
		_ = syscall.Madvise(b, 14) // MADV_HUGEPAGE
	}
	return b
}
