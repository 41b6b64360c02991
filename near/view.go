package near

import (
	"encoding/binary"
	"unsafe"
)

// littleEndian is whether this machine stores numbers as segments do.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// numbers returns the numbers in b: the same memory where that is as the
// machine has them, a copy elsewhere, which may not be written through.
func numbers[T uint32 | uint64](b []byte) []T {
	size := int(unsafe.Sizeof(T(0)))
	n := len(b) / size
	if n == 0 {
		return nil
	}
	if littleEndian && uintptr(unsafe.Pointer(&b[0]))%uintptr(size) == 0 {
		return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
	}
	out := make([]T, n)
	for i := range out {
		if size == 4 {
			out[i] = T(binary.LittleEndian.Uint32(b[4*i:]))
		} else {
			out[i] = T(binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
	return out
}

// pairs is numbers for two words at a time.
func pairs(b []byte) [][2]uint64 {
	v := numbers[uint64](b)
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*[2]uint64)(unsafe.Pointer(&v[0])), len(v)/2)
}
