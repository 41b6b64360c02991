package near

// This file and its assembly need AVX-512 with VPOPCNTDQ and BITALG, which count
// the bits of 8 or 32 numbers at once. They do what the plain functions do, with the same
// result.

// vector tells whether they may be used.
var vector = hasAVX512()

// headsNear sets bit i of masks where heads[i] differs from the first half of q
// in at most radius bits, for 64 × blocks heads, 1 block at least.
//
//go:noescape
func headsNear(masks *uint64, heads *[2]uint64, blocks int, q *words, radius uint64)

// rowsNear is headsNear for whole values.
//
//go:noescape
func rowsNear(masks *uint64, heads, tails *[2]uint64, blocks int, q *words, radius uint64)

// tagsNear writes a candidate to out for each tag of the n runs, 1 at least,
// that is near enough; lanes has where the tags of each chunk begin. It stops
// where there may not be room for 32 more, and takes what it has read off the
// run it stopped in. It returns how many it found, and how many runs are done.
//
//go:noescape
func tagsNear(out *candidate, room int, runs *run, n int, lanes **byte) (found, done int)

// hasAVX512 asks the processor, and whether the system saves the wide registers.
// The standard library keeps its own answer to itself, and this package needs
// nothing but the standard library. Intel, Software Developer's Manual, volume 1,
// section 15.2 to 15.4 (detection of AVX-512); bits of leaf 7 in volume 2A, CPUID.
func hasAVX512() bool {
	const osxsave, saved = 1 << 27, 0b1110_0110
	const bmi2, f, bw, bmi1 = 1 << 8, 1 << 16, 1 << 30, 1 << 3 // of EBX
	const bitalg, vpopcntdq = 1 << 12, 1 << 14                 // of ECX
	top, _, _ := cpuid(0, 0)
	_, _, ecx := cpuid(1, 0)
	if top < 7 || ecx&osxsave == 0 || xgetbv()&saved != saved {
		return false
	}
	_, ebx, ecx := cpuid(7, 0)
	const inB, inC = bmi1 | bmi2 | f | bw | 1<<17, bitalg | vpopcntdq // 17: DQ
	return ebx&inB == inB && ecx&inC == inC
}

// cpuid returns three of the registers that the instruction CPUID fills.
//
//go:noescape
func cpuid(leaf, sub uint32) (eax, ebx, ecx uint32)

// xgetbv returns the low half of extended control register 0.
//
//go:noescape
func xgetbv() uint32
