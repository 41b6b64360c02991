#include "textflag.h"

// TRANSPOSE turns rows Y0 to Y7 into columns, of which the first to the last
// come out in Y6, Y2, Y3, Y5, Y7, Y8, Y1, Y0.
#define TRANSPOSE \
	VUNPCKLPS Y1, Y0, Y8 \
	VUNPCKHPS Y1, Y0, Y0 \
	VUNPCKLPS Y3, Y2, Y1 \
	VUNPCKHPS Y3, Y2, Y2 \
	VUNPCKLPS Y5, Y4, Y3 \
	VUNPCKHPS Y5, Y4, Y4 \
	VUNPCKLPS Y7, Y6, Y5 \
	VUNPCKHPS Y7, Y6, Y6 \
	VSHUFPS $0x44, Y1, Y8, Y7 \
	VSHUFPS $0xEE, Y1, Y8, Y8 \
	VSHUFPS $0x44, Y2, Y0, Y1 \
	VSHUFPS $0xEE, Y2, Y0, Y0 \
	VSHUFPS $0x44, Y5, Y3, Y2 \
	VSHUFPS $0xEE, Y5, Y3, Y3 \
	VSHUFPS $0x44, Y6, Y4, Y5 \
	VSHUFPS $0xEE, Y6, Y4, Y4 \
	VPERM2F128 $0x20, Y2, Y7, Y6 \
	VPERM2F128 $0x31, Y2, Y7, Y7 \
	VPERM2F128 $0x20, Y3, Y8, Y2 \
	VPERM2F128 $0x31, Y3, Y8, Y8 \
	VPERM2F128 $0x20, Y5, Y1, Y3 \
	VPERM2F128 $0x31, Y5, Y1, Y1 \
	VPERM2F128 $0x20, Y4, Y0, Y5 \
	VPERM2F128 $0x31, Y4, Y0, Y0

// STORETILE writes the columns of TRANSPOSE one after another to DI.
#define STORETILE \
	VMOVUPS Y6, (DI) \
	VMOVUPS Y2, 32(DI) \
	VMOVUPS Y3, 64(DI) \
	VMOVUPS Y5, 96(DI) \
	VMOVUPS Y7, 128(DI) \
	VMOVUPS Y8, 160(DI) \
	VMOVUPS Y1, 192(DI) \
	VMOVUPS Y0, 224(DI) \
	ADDQ $256, DI

// func turnFloats(dst, src *float32, stride uintptr, tiles int, most *[8]uint32)
TEXT ·turnFloats(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), AX
	MOVQ tiles+24(FP), CX
	MOVQ most+32(FP), R8
	VMOVDQU (R8), Y10
	LEAQ (AX)(AX*2), BX // 3 rows
	LEAQ (SI)(AX*4), DX // row 4
loop:
	VMOVUPS (SI), Y0
	VMOVUPS (SI)(AX*1), Y1
	VMOVUPS (SI)(AX*2), Y2
	VMOVUPS (SI)(BX*1), Y3
	VMOVUPS (DX), Y4
	VMOVUPS (DX)(AX*1), Y5
	VMOVUPS (DX)(AX*2), Y6
	VMOVUPS (DX)(BX*1), Y7
	VPMAXUD Y0, Y1, Y9
	VPMAXUD Y2, Y3, Y11
	VPMAXUD Y4, Y5, Y12
	VPMAXUD Y6, Y7, Y13
	VPMAXUD Y9, Y11, Y9
	VPMAXUD Y12, Y13, Y12
	VPMAXUD Y9, Y10, Y10
	VPMAXUD Y12, Y10, Y10
	TRANSPOSE
	STORETILE
	ADDQ $32, SI
	ADDQ $32, DX
	DECQ CX
	JNZ loop
	VMOVDQU Y10, (R8)
	VZEROUPPER
	RET

// func turnBytes(dst *float32, src *byte, stride uintptr, tiles int)
TEXT ·turnBytes(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), AX
	MOVQ tiles+24(FP), CX
	LEAQ (AX)(AX*2), BX
	LEAQ (SI)(AX*4), DX
loop:
	VPMOVZXBD (SI), Y0
	VPMOVZXBD (SI)(AX*1), Y1
	VPMOVZXBD (SI)(AX*2), Y2
	VPMOVZXBD (SI)(BX*1), Y3
	VPMOVZXBD (DX), Y4
	VPMOVZXBD (DX)(AX*1), Y5
	VPMOVZXBD (DX)(AX*2), Y6
	VPMOVZXBD (DX)(BX*1), Y7
	VCVTDQ2PS Y0, Y0
	VCVTDQ2PS Y1, Y1
	VCVTDQ2PS Y2, Y2
	VCVTDQ2PS Y3, Y3
	VCVTDQ2PS Y4, Y4
	VCVTDQ2PS Y5, Y5
	VCVTDQ2PS Y6, Y6
	VCVTDQ2PS Y7, Y7
	TRANSPOSE
	STORETILE
	ADDQ $8, SI
	ADDQ $8, DX
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

#define MEAN(k, out) \
	VADDPS k*32(SI)(BX*1), Y9, Y9 \
	VSUBPS k*32(SI), Y9, Y9 \
	VDIVPS Y10, Y9, out

// func meanTiles(dst *float32, stride uintptr, src *float32, window uintptr, tiles int, sums *[8]float32, count float32)
TEXT ·meanTiles(SB), NOSPLIT, $0-52
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), AX
	MOVQ src+16(FP), SI
	MOVQ window+24(FP), BX
	MOVQ tiles+32(FP), CX
	MOVQ sums+40(FP), R8
	VBROADCASTSS count+48(FP), Y10
	VMOVUPS (R8), Y9
	LEAQ (AX)(AX*2), R9
	LEAQ (DI)(AX*4), DX
loop:
	MEAN(0, Y0)
	MEAN(1, Y1)
	MEAN(2, Y2)
	MEAN(3, Y3)
	MEAN(4, Y4)
	MEAN(5, Y5)
	MEAN(6, Y6)
	MEAN(7, Y7)
	TRANSPOSE
	VMOVUPS Y6, (DI)
	VMOVUPS Y2, (DI)(AX*1)
	VMOVUPS Y3, (DI)(AX*2)
	VMOVUPS Y5, (DI)(R9*1)
	VMOVUPS Y7, (DX)
	VMOVUPS Y8, (DX)(AX*1)
	VMOVUPS Y1, (DX)(AX*2)
	VMOVUPS Y0, (DX)(R9*1)
	ADDQ $256, SI
	ADDQ $32, DI
	ADDQ $32, DX
	DECQ CX
	JNZ loop
	VMOVUPS Y9, (R8)
	VZEROUPPER
	RET

#define COLUMN(k, out) \
	MOVQ k*8(AX), R8 \
	MOVQ k*8(BX), R9 \
	VADDPS (R8)(DX*1), Y9, Y9 \
	VSUBPS (R9)(DX*1), Y9, Y9 \
	VDIVPS Y10, Y9, out

// func columnTiles(dst, sums *float32, in, old *[8]*float32, tiles int, count float32)
TEXT ·columnTiles(SB), NOSPLIT, $0-44
	MOVQ dst+0(FP), DI
	MOVQ sums+8(FP), SI
	MOVQ in+16(FP), AX
	MOVQ old+24(FP), BX
	MOVQ tiles+32(FP), CX
	VBROADCASTSS count+40(FP), Y10
	XORQ DX, DX
loop:
	VMOVUPS (SI)(DX*1), Y9
	COLUMN(0, Y0)
	COLUMN(1, Y1)
	COLUMN(2, Y2)
	COLUMN(3, Y3)
	COLUMN(4, Y4)
	COLUMN(5, Y5)
	COLUMN(6, Y6)
	COLUMN(7, Y7)
	VMOVUPS Y9, (SI)(DX*1)
	TRANSPOSE
	STORETILE
	ADDQ $32, DX
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// func advance(src *float32, window uintptr, n int, sums *[8]float32)
TEXT ·advance(SB), NOSPLIT, $0-32
	MOVQ src+0(FP), SI
	MOVQ window+8(FP), BX
	MOVQ n+16(FP), CX
	MOVQ sums+24(FP), R8
	VMOVUPS (R8), Y9
loop:
	VADDPS (SI)(BX*1), Y9, Y9
	VSUBPS (SI), Y9, Y9
	ADDQ $32, SI
	DECQ CX
	JNZ loop
	VMOVUPS Y9, (R8)
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
