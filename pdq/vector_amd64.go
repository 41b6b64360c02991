package pdq

import (
	"math"
	"slices"
)

// This file and its assembly need AVX2. They do what passes.go does, eight
// numbers at a time, where a window is whole; the bits are the same, as each
// instruction rounds each of its numbers like the plain one.

// vector tells whether it may be used.
var vector = hasAVX2()

// A turned strip holds columns of 8 values, one after another: value y of
// column x at 8·x + y. A sum along rows is then one addition for eight rows.

// turnFloats writes to dst, turned, 8 × tiles columns of src, whose 8 rows are
// stride bytes apart. It raises each of most to the highest it saw, as bits.
// tiles is at least 1, here and below.
//
//go:noescape
func turnFloats(dst, src *float32, stride uintptr, tiles int, most *[8]uint32)

// turnBytes is turnFloats for bytes.
//
//go:noescape
func turnBytes(dst *float32, src *byte, stride uintptr, tiles int)

// meanTiles lets 8 × tiles columns of a turned strip enter the sums, window
// bytes behind src, and as many leave, from src on. It writes the sums divided
// by count to 8 rows that are stride bytes apart.
//
//go:noescape
func meanTiles(dst *float32, stride uintptr, src *float32, window uintptr, tiles int, sums *[8]float32, count float32)

// columnTiles lets 8 rows enter the sums of 8 × tiles columns, and 8 leave, one
// by one, and writes the sums divided by count to a turned strip.
//
//go:noescape
func columnTiles(dst, sums *float32, in, old *[8]*float32, tiles int, count float32)

// advance lets n columns of a turned strip enter the sums, and n leave, as
// meanTiles does.
//
//go:noescape
func advance(src *float32, window uintptr, n int, sums *[8]float32)

// turnedFloats is floatRows for a strip of 8 rows. It reports whether they are
// in range, as inRange does.
func (f *filter) turnedFloats(dst, src []float32) bool {
	var most [8]uint32
	n := f.across.n
	src, t := src[:strip*n], f.turned[:strip*n]
	turnFloats(&t[0], &src[0], uintptr(n)*4, n/8, &most)
	for x := n &^ 7; x < n; x++ {
		for r := range strip {
			t[strip*x+r] = src[r*n+x]
			most[r] = max(most[r], math.Float32bits(src[r*n+x]))
		}
	}
	f.turnedMeans(dst)
	return slices.Max(most[:]) <= mostBits
}

// turnedBytes is byteRows for a strip of 8 rows.
func (f *filter) turnedBytes(dst []float32, src []byte, stride int) {
	n := f.across.n
	src, t := src[:(strip-1)*stride+n], f.turned[:strip*n]
	turnBytes(&t[0], &src[0], uintptr(stride), n/8)
	for x := n &^ 7; x < n; x++ {
		for r := range strip {
			t[strip*x+r] = float32(src[r*stride+x])
		}
	}
	f.turnedMeans(dst)
}

// turnedMeans writes to 8 rows of dst the moving means along rows of turned.
func (f *filter) turnedMeans(dst []float32) {
	m := f.across
	dst, t := dst[:strip*m.n], f.turned[:strip*m.n]
	var s [strip]float32
	put := func(o int) {
		count := m.count(o)
		for r, v := range s {
			dst[r*m.n+o] = v / count
		}
	}
	for e := range m.half - 1 {
		enter(&s, t, e)
	}
	o := 0
	for e := m.half - 1; e < m.w; e++ {
		enter(&s, t, e)
		put(o)
		o++
	}
	if tiles := (m.n - m.w) / 8; tiles > 0 {
		meanTiles(&dst[o], uintptr(m.n)*4, &t[0], uintptr(m.w)*4*strip, tiles, &s, float32(m.w))
		o += 8 * tiles
	}
	for ; o < m.n; o++ {
		if e := o + m.half - 1; e < m.n {
			enter(&s, t, e)
		}
		leave(&s, t, o+m.half-1-m.w)
		put(o)
	}
}

func enter(s *[strip]float32, t []float32, x int) {
	for r, v := range t[strip*x:][:strip] {
		s[r] += v
	}
}

func leave(s *[strip]float32, t []float32, x int) {
	for r, v := range t[strip*x:][:strip] {
		s[r] -= v
	}
}

// turnedColumns runs the second and third passes over the 8 rows from
// f.entered, where whole windows of rows have entered before.
func (f *filter) turnedColumns() {
	m := f.across
	var in, old [strip]*float32
	for r := range strip {
		e := f.entered + r
		in[r] = &f.ring[e%f.ringRows*m.n:][:m.n][0]
		old[r] = &f.ring[(e-f.down.w)%f.ringRows*m.n:][:m.n][0]
	}
	t, sums := f.turned[:strip*m.n], f.sums[:m.n]
	count := float32(f.down.w)
	columnTiles(&t[0], &sums[0], &in, &old, m.n/8, count)
	for x := m.n &^ 7; x < m.n; x++ {
		for r := range strip {
			e := f.entered + r
			sums[x] += f.ring[e%f.ringRows*m.n+x]
			sums[x] -= f.ring[(e-f.down.w)%f.ringRows*m.n+x]
			t[strip*x+r] = sums[x] / count
		}
	}
	f.entered += strip
	f.turnedSamples()
}

// turnedSamples runs the third and fourth passes over the 8 rows in turned.
func (f *filter) turnedSamples() {
	m, t := f.across, f.turned[:strip*f.across.n]
	var to [strip]*[side]float32
	for r := range to {
		to[r] = &f.rows[(f.made+r)%len(f.rows)]
	}
	var s [strip]float32
	e := 0
	for j := range side {
		x := sample(j, m.n)
		stop := x + m.half
		for ; e < min(stop, m.w); e++ {
			enter(&s, t, e)
		}
		if end := min(stop, m.n); e < end {
			advance(&t[strip*(e-m.w)], uintptr(m.w)*4*strip, end-e, &s)
			e = end
		}
		for ; e < stop; e++ {
			leave(&s, t, e-m.w)
		}
		count := m.count(x)
		for r, v := range s {
			to[r][j] = v / count
		}
	}
	for _, row := range to {
		f.lastPass(row)
	}
}

// hasAVX2 asks the processor, and whether the system saves the wide registers.
// The standard library keeps its own answer to itself, and this package needs
// nothing but the standard library. Intel, Software Developer's Manual, volume 1,
// section 14.3 (detection of AVX) and 14.7.1 (of AVX2).
func hasAVX2() bool {
	const osxsave, avx, avx2, saved = 1 << 27, 1 << 28, 1 << 5, 0b110
	top, _, _ := cpuid(0, 0)
	_, _, ecx := cpuid(1, 0)
	if top < 7 || ecx&osxsave == 0 || ecx&avx == 0 || xgetbv()&saved != saved {
		return false
	}
	_, ebx, _ := cpuid(7, 0)
	return ebx&avx2 != 0
}

// cpuid returns three of the registers that the instruction CPUID fills.
//
//go:noescape
func cpuid(leaf, sub uint32) (eax, ebx, ecx uint32)

// xgetbv returns the low half of extended control register 0.
//
//go:noescape
func xgetbv() uint32
