//go:build !linux

package near

func makeBytes(n int) ([]byte, func() error) { return make([]byte, n), nil }

// readAhead does nothing where the system has no call for it.
func readAhead([]byte) {}
