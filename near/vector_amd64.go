package near

import "sync/atomic"

// This file and its assembly do what the plain functions do, with the same
// result: with AVX-512, VPOPCNTDQ and BITALG, which count the bits of 8 or 32
// numbers at once, or, for scans alone, with AVX2, which looks them up.

// vector tells whether AVX-512 may be used, and scanVector AVX2.
// Atomic, as tests change them while the merges of earlier ones end.
var scanVector, vector atomic.Bool

func init() {
	avx2, avx512 := hasVector()
	scanVector.Store(avx2)
	vector.Store(avx512)
}

// headsNear sets bit i of masks where heads[i] differs from the first half of q
// in at most radius bits, for 64 × blocks heads, 1 block at least.
//
//go:noescape
func headsNear(masks *uint64, heads *[2]uint64, blocks int, q *words, radius uint64)

// rowsNear is headsNear for whole values.
//
//go:noescape
func rowsNear(masks *uint64, heads, tails *[2]uint64, blocks int, q *words, radius uint64)

// headsNear2 is headsNear with AVX2.
//
//go:noescape
func headsNear2(masks *uint64, heads *[2]uint64, blocks int, q *words, radius uint64)

// rowsNear2 is rowsNear with AVX2.
//
//go:noescape
func rowsNear2(masks *uint64, heads, tails *[2]uint64, blocks int, q *words, radius uint64)

// tagsNear writes a candidate to out for each tag of the n runs, 1 at least,
// that is near enough; lanes has where the tags of each chunk begin. It stops
// where there may not be room for 32 more, and takes what it has read off the
// run it stopped in. It returns how many it found, and how many runs are done.
//
//go:noescape
func tagsNear(out *candidate, room int, runs *run, n int, lanes **byte) (found, done int)

// hasVector asks the processor, and whether the system saves the wide registers.
// The standard library keeps its own answer to itself, and this package needs
// nothing but the standard library. Intel, Software Developer's Manual, volume 1,
// sections 14.3 and 14.7.1 (detection of AVX and AVX2), 15.2 to 15.4 (of AVX-512);
// the bits of leaf 7 in volume 2A, CPUID.
func hasVector() (avx2, avx512 bool) {
	const osxsave, avx = 1 << 27, 1 << 28                                                // of ECX of leaf 1
	const bmi1, two, bmi2, f, dq, bw = 1 << 3, 1 << 5, 1 << 8, 1 << 16, 1 << 17, 1 << 30 // of EBX of leaf 7
	const bitalg, vpopcntdq = 1 << 12, 1 << 14                                           // of its ECX
	top, _, _ := cpuid(0, 0)
	_, _, ecx := cpuid(1, 0)
	if top < 7 || ecx&(osxsave|avx) != osxsave|avx {
		return false, false
	}
	saved := xgetbv()
	_, ebx, ecx := cpuid(7, 0)
	const ymm, zmm = 0b110, 0b1110_0110
	const inB, inC = bmi1 | bmi2 | f | bw | dq, bitalg | vpopcntdq
	return saved&ymm == ymm && ebx&two != 0,
		saved&zmm == zmm && ebx&inB == inB && ecx&inC == inC
}

// cpuid returns three of the registers that the instruction CPUID fills.
//
//go:noescape
func cpuid(leaf, sub uint32) (eax, ebx, ecx uint32)

// xgetbv returns the low half of extended control register 0.
//
//go:noescape
func xgetbv() uint32
