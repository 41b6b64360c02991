//go:build !amd64

package media

var vector = false

func inverse(dst []byte, stride int, b *block, q *quantizer) { inversePlain(dst, stride, b, q) }
