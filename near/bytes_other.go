//go:build !linux

package near

func makeBytes(n int) []byte { return make([]byte, n) }
