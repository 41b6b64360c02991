// Copyright 2025 The Go Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE-go file.
//
// Adapted from image/jpeg/dct.go of the Go standard library.

package media

// A block holds the 64 frequencies of 8 × 8 pixels, column by column: that of
// row v and column u at 8·u + v.
type block [64]int16

// natural returns where in a block the frequency is that comes kth in a file.
var natural = [64]uint8{
	0, 8, 1, 2, 9, 16, 24, 17,
	10, 3, 4, 11, 18, 25, 32, 40,
	33, 26, 19, 12, 5, 6, 13, 20,
	27, 34, 41, 48, 56, 49, 42, 35,
	28, 21, 14, 7, 15, 22, 29, 36,
	43, 50, 57, 58, 51, 44, 37, 30,
	23, 31, 38, 45, 52, 59, 60, 53,
	46, 39, 47, 54, 61, 62, 55, 63,
}

// A quantizer holds the factors of the frequencies of a block, in its order.
type quantizer [64]int32

// The constants of the transform, as fractions of 2⁶⁰.
const (
	cos1         = 1130768441178740757 // cos π/16
	sin1         = 224923827593068887  // sin π/16
	cos3         = 958619196450722178  // cos 3π/16
	sin3         = 640528868967736374  // sin 3π/16
	sqrt2inv     = 815238614083298888  // 1/√2
	sqrt2invCos6 = 311978311033955632  // 1/√2 cos 6π/16
	sqrt2invSin6 = 753182269664427492  // 1/√2 sin 6π/16
)

// fixed rounds a constant to a number of bits.
func fixed(x uint64, bits int) int32 { return int32((x + 1<<(59-bits)) >> (60 - bits)) }

// rotate returns x0 and x1 turned by an angle and scaled.
func rotate(x0, x1, kcos, ksin int32) (y0, y1 int32) {
	sum := kcos * (x0 + x1)
	return sum + (ksin-kcos)*x1, sum - (kcos+ksin)*x0
}

// flat writes the 8 × 8 pixels of a block that has nothing but its mean.
func flat(dst []byte, stride int, mean int32) {
	// What the whole transform makes of it, bit for bit.
	v := byte(min(max((mean<<17+1<<19)>>20+128, 0), 255))
	for range 7 {
		for x := range dst[:8] {
			dst[x] = v
		}
		dst = dst[stride:]
	}
	for x := range dst[:8] {
		dst[x] = v
	}
}

// inversePlain writes the 8 × 8 pixels of which b holds the frequencies,
// divided by those of q, and clears b. They are those of image/jpeg, bit for
// bit: it is the algorithm of Loeffler, Ligtenberg and Moschytz, with the same
// rounding. Package image/jpeg says where each number has its point.
func inversePlain(dst []byte, stride int, b *block, q *quantizer) {
	var t [64]int32
	for y := range 8 {
		x0, x7 := int32(b[y])*q[y], int32(b[8+y])*q[8+y]
		x2, x5 := int32(b[16+y])*q[16+y], int32(b[24+y])*q[24+y]
		x1, x6 := int32(b[32+y])*q[32+y], int32(b[40+y])*q[40+y]
		x3, x4 := int32(b[48+y])*q[48+y], int32(b[56+y])*q[56+y]
		x0 <<= 17
		row := t[8*y : 8*y+8 : 8*y+8]
		if x1|x2|x3|x4|x5|x6|x7 == 0 {
			for i := range row {
				row[i] = x0
			}
			continue
		}
		x1 <<= 17
		x0, x1 = x0+x1, x0-x1
		x2, x3 = rotate(x2, x3, fixed(sqrt2invCos6, 18), -fixed(sqrt2invSin6, 18))
		x1, x2 = x1+x2, x1-x2
		x0, x3 = x0+x3, x0-x3
		x4 <<= 7
		x7 <<= 7
		x7, x4 = x7+x4, x7-x4
		x6 *= fixed(sqrt2inv, 8)
		x5 *= fixed(sqrt2inv, 8)
		x7, x5 = x7+x5, x7-x5
		x4, x6 = x4+x6, x4-x6
		x4, x7 = rotate(x4>>2, x7>>2, fixed(cos3, 12), -fixed(sin3, 12))
		x5, x6 = rotate(x5>>2, x6>>2, fixed(cos1, 12), -fixed(sin1, 12))
		row[0], row[7] = x0+x7, x0-x7
		row[1], row[6] = x1+x6, x1-x6
		row[2], row[5] = x2+x5, x2-x5
		row[3], row[4] = x3+x4, x3-x4
	}
	for x := range 8 {
		x0, x7, x2, x5 := t[x]+1<<19, t[8+x], t[16+x], t[24+x]
		x1, x6, x3, x4 := t[32+x], t[40+x], t[48+x], t[56+x]
		x0, x1 = (x0+x1)>>2, (x0-x1)>>2
		x2, x3 = rotate(x2>>13, x3>>13, fixed(sqrt2invCos6, 12), -fixed(sqrt2invSin6, 12))
		x1, x2 = x1+x2, x1-x2
		x0, x3 = x0+x3, x0-x3
		x7, x4 = x7+x4, x7-x4
		x5 = x5 >> 13 * fixed(sqrt2inv, 14)
		x6 = x6 >> 13 * fixed(sqrt2inv, 14)
		x7, x5 = x7+x5, x7-x5
		x4, x6 = x4+x6, x4-x6
		x4, x7 = rotate(x4>>14, x7>>14, fixed(cos3, 12), -fixed(sin3, 12))
		x5, x6 = rotate(x5>>14, x6>>14, fixed(cos1, 12), -fixed(sin1, 12))
		for y, v := range [8]int32{x0 + x7, x1 + x6, x2 + x5, x3 + x4, x3 - x4, x2 - x5, x1 - x6, x0 - x7} {
			dst[y*stride+x] = byte(min(max(v>>18+128, 0), 255))
		}
	}
	*b = block{}
}
