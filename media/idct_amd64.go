package media

import "golang.org/x/sys/cpu"

var vector = cpu.X86.HasAVX2

// inverse is inversePlain, with the vector instructions of the processor where
// it has them.
func inverse(dst []byte, stride int, b *block, q *quantizer) {
	if !vector {
		inversePlain(dst, stride, b, q)
		return
	}
	dst = dst[:7*stride+8]
	inverseAVX2(&dst[0], stride, b, q)
}

// inverseAVX2 is inversePlain: the same sums of 32 bits, for eight rows and
// then for eight columns at once.
//
//go:noescape
func inverseAVX2(dst *byte, stride int, b *block, q *quantizer)
