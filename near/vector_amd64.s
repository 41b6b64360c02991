#include "textflag.h"

// The places of the rows among the sums that HALF leaves.
DATA order<>+0(SB)/8, $0
DATA order<>+8(SB)/8, $2
DATA order<>+16(SB)/8, $4
DATA order<>+24(SB)/8, $6
DATA order<>+32(SB)/8, $1
DATA order<>+40(SB)/8, $3
DATA order<>+48(SB)/8, $5
DATA order<>+56(SB)/8, $7
GLOBL order<>(SB), RODATA|NOPTR, $64

// HALF leaves in a how many bits of each of eight pairs of words at p differ
// from those in q, in the order 0, 4, 1, 5, 2, 6, 3, 7. It uses b.
#define HALF(p, q, a, b, t) \
	VPXORQ (p), q, a \
	VPXORQ 64(p), q, b \
	VPOPCNTQ a, a \
	VPOPCNTQ b, b \
	VPUNPCKLQDQ b, a, t \
	VPUNPCKHQDQ b, a, a \
	VPADDQ t, a, a

// func headsNear(masks *uint64, heads *[2]uint64, blocks int, q *words, radius uint64)
TEXT ·headsNear(SB), NOSPLIT, $0-40
	MOVQ masks+0(FP), DI
	MOVQ heads+8(FP), SI
	MOVQ blocks+16(FP), CX
	MOVQ q+24(FP), AX
	VBROADCASTI32X4 (AX), Z0
	VPBROADCASTQ radius+32(FP), Z1
	VMOVDQU64 order<>(SB), Z2
	SHLQ $3, CX // eights of rows
loop:
	HALF(SI, Z0, Z3, Z4, Z5)
	VPERMQ Z3, Z2, Z3
	VPCMPUQ $2, Z1, Z3, K1
	KMOVB K1, (DI)
	ADDQ $128, SI
	INCQ DI
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// func rowsNear(masks *uint64, heads, tails *[2]uint64, blocks int, q *words, radius uint64)
TEXT ·rowsNear(SB), NOSPLIT, $0-48
	MOVQ masks+0(FP), DI
	MOVQ heads+8(FP), SI
	MOVQ tails+16(FP), BX
	MOVQ blocks+24(FP), CX
	MOVQ q+32(FP), AX
	VBROADCASTI32X4 (AX), Z0
	VBROADCASTI32X4 16(AX), Z6
	VPBROADCASTQ radius+40(FP), Z1
	VMOVDQU64 order<>(SB), Z2
	SHLQ $3, CX
loop:
	HALF(SI, Z0, Z3, Z4, Z5)
	HALF(BX, Z6, Z7, Z4, Z5)
	VPADDQ Z7, Z3, Z3
	VPERMQ Z3, Z2, Z3
	VPCMPUQ $2, Z1, Z3, K1
	KMOVB K1, (DI)
	ADDQ $128, SI
	ADDQ $128, BX
	INCQ DI
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// func tagsNear(out *candidate, room int, runs *run, n int, lanes **byte) (found, done int)
TEXT ·tagsNear(SB), NOSPLIT, $0-56
	MOVQ out+0(FP), DI
	MOVQ room+8(FP), R12
	MOVQ runs+16(FP), SI
	MOVQ n+24(FP), CX
	MOVQ lanes+32(FP), BX
	MOVQ $-1, R13

	// Ask for the first lines of each run, and its last.
	MOVQ SI, R8
	MOVQ CX, R9
ask:
	MOVBLZX 12(R8), DX
	MOVL (R8), AX
	MOVL 4(R8), R10
	MOVQ (BX)(DX*8), DX
	LEAQ (DX)(AX*2), DX
	PREFETCHT0 (DX)
	PREFETCHT0 -2(DX)(R10*2)
	ADDQ $16, R8
	DECQ R9
	JNZ ask

	// R12 is where room for a line of candidates ends.
	LEAQ (R12)(R12*2), R12
	LEAQ -384(DI)(R12*4), R12
nextrun:
	MOVL (SI), R8    // start
	MOVL 4(SI), R9   // count
	MOVBLZX 12(SI), DX
	MOVQ (BX)(DX*8), R10
	LEAQ (R10)(R8*2), R10
	VPBROADCASTW 8(SI), Z0
	MOVBLZX 10(SI), AX
	VPBROADCASTW AX, Z1
	MOVL 12(SI), R11 // chunk and query
line:
	CMPQ DI, R12
	JHI full
	MOVL R13, AX
	CMPL R9, $32
	JCC whole
	BZHIL R9, AX, AX
whole:
	KMOVD AX, K1
	VMOVDQU16.Z (R10), K1, Z2
	VPXORQ Z0, Z2, Z2
	VPOPCNTW Z2, Z2
	VPCMPUW $2, Z1, Z2, K1, K2
	KMOVD K2, AX
	TESTL AX, AX
	JZ passed
hit:
	TZCNTL AX, DX
	ADDL R8, DX
	MOVL DX, (DI)
	MOVL R11, 8(DI)
	ADDQ $12, DI
	BLSRL AX, AX
	JNZ hit
passed:
	ADDQ $64, R10
	ADDL $32, R8
	SUBL $32, R9
	JHI line
	ADDQ $16, SI
	DECQ CX
	JNZ nextrun
	JMP end
full:
	MOVL R8, (SI) // the rest of this run
	MOVL R9, 4(SI)
end:
	MOVQ DI, AX
	SUBQ out+0(FP), AX
	XORQ DX, DX
	MOVQ $12, R8
	DIVQ R8
	MOVQ AX, found+40(FP)
	MOVQ n+24(FP), AX
	SUBQ CX, AX
	MOVQ AX, done+48(FP)
	VZEROUPPER
	RET

// func cpuid(leaf, sub uint32) (eax, ebx, ecx uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-20
	MOVL leaf+0(FP), AX
	MOVL sub+4(FP), CX
	CPUID
	MOVL AX, eax+8(FP)
	MOVL BX, ebx+12(FP)
	MOVL CX, ecx+16(FP)
	RET

// func xgetbv() uint32
TEXT ·xgetbv(SB), NOSPLIT, $0-4
	XORL CX, CX
	XGETBV
	MOVL AX, ret+0(FP)
	RET

DATA nibbles<>+0(SB)/8, $0x0302020102010100 // bits in 0 to 7
DATA nibbles<>+8(SB)/8, $0x0403030203020201 // and in 8 to 15
GLOBL nibbles<>(SB), RODATA|NOPTR, $16

DATA fours<>+0(SB)/8, $0x0f0f0f0f0f0f0f0f
GLOBL fours<>(SB), RODATA|NOPTR, $8

// BYTES leaves in a how many bits of each byte at p differ from those in q: Y14
// has the bits of each nibble, Y15 where the lower one is.
#define BYTES(p, q, a, b) \
	VPXOR p, q, a \
	VPSRLW $4, a, b \
	VPAND Y15, a, a \
	VPAND Y15, b, b \
	VPSHUFB a, Y14, a \
	VPSHUFB b, Y14, b \
	VPADDB b, a, a

// FAR leaves in r, a bit each, which of the four pairs of words whose bytes were
// counted in a and b have more bits than Y13 says.
#define FAR(a, b, t, r) \
	VPSADBW Y12, a, a \
	VPSADBW Y12, b, b \
	VPUNPCKLQDQ b, a, t \
	VPUNPCKHQDQ b, a, a \
	VPADDQ t, a, a \
	VPERMQ $0xD8, a, a \
	VPCMPGTQ Y13, a, a \
	VMOVMSKPD a, r

// NEAREST writes a bit for each of eight values to DI, and goes on.
#define NEAREST \
	SHLL $4, DX \
	ORL DX, AX \
	NOTL AX \
	MOVB AX, (DI) \
	INCQ DI

// func headsNear2(masks *uint64, heads *[2]uint64, blocks int, q *words, radius uint64)
TEXT ·headsNear2(SB), NOSPLIT, $0-40
	MOVQ masks+0(FP), DI
	MOVQ heads+8(FP), SI
	MOVQ blocks+16(FP), CX
	MOVQ q+24(FP), AX
	VBROADCASTI128 (AX), Y0
	VPBROADCASTQ radius+32(FP), Y13
	VBROADCASTI128 nibbles<>(SB), Y14
	VPBROADCASTQ fours<>(SB), Y15
	VPXOR Y12, Y12, Y12
	SHLQ $3, CX
loop:
	BYTES((SI), Y0, Y1, Y5)
	BYTES(32(SI), Y0, Y2, Y6)
	BYTES(64(SI), Y0, Y3, Y7)
	BYTES(96(SI), Y0, Y4, Y8)
	FAR(Y1, Y2, Y5, AX)
	FAR(Y3, Y4, Y7, DX)
	NEAREST
	ADDQ $128, SI
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// func rowsNear2(masks *uint64, heads, tails *[2]uint64, blocks int, q *words, radius uint64)
TEXT ·rowsNear2(SB), NOSPLIT, $0-48
	MOVQ masks+0(FP), DI
	MOVQ heads+8(FP), SI
	MOVQ tails+16(FP), BX
	MOVQ blocks+24(FP), CX
	MOVQ q+32(FP), AX
	VBROADCASTI128 (AX), Y0
	VBROADCASTI128 16(AX), Y11
	VPBROADCASTQ radius+40(FP), Y13
	VBROADCASTI128 nibbles<>(SB), Y14
	VPBROADCASTQ fours<>(SB), Y15
	VPXOR Y12, Y12, Y12
	SHLQ $3, CX
loop:
	BYTES((SI), Y0, Y1, Y5)
	BYTES(32(SI), Y0, Y2, Y6)
	BYTES(64(SI), Y0, Y3, Y7)
	BYTES(96(SI), Y0, Y4, Y8)
	BYTES((BX), Y11, Y9, Y5)
	VPADDB Y9, Y1, Y1
	BYTES(32(BX), Y11, Y9, Y5)
	VPADDB Y9, Y2, Y2
	BYTES(64(BX), Y11, Y9, Y5)
	VPADDB Y9, Y3, Y3
	BYTES(96(BX), Y11, Y9, Y5)
	VPADDB Y9, Y4, Y4
	FAR(Y1, Y2, Y5, AX)
	FAR(Y3, Y4, Y7, DX)
	NEAREST
	ADDQ $128, SI
	ADDQ $128, BX
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET
