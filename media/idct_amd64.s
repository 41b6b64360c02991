// Copyright 2025 The Go Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE-go file.
//
// The transform is that of idct.go.

#include "textflag.h"

// Eight times each constant: of a rotation by an angle k, c is cos k, d is
// sin k - cos k and s is cos k + sin k, for k negative.
DATA six18c<>+0(SB)/8, $0x0001151800011518
DATA six18c<>+8(SB)/8, $0x0001151800011518
DATA six18c<>+16(SB)/8, $0x0001151800011518
DATA six18c<>+24(SB)/8, $0x0001151800011518
GLOBL six18c<>(SB), RODATA|NOPTR, $32
DATA six18d<>+0(SB)/8, $0xfffc4df2fffc4df2
DATA six18d<>+8(SB)/8, $0xfffc4df2fffc4df2
DATA six18d<>+16(SB)/8, $0xfffc4df2fffc4df2
DATA six18d<>+24(SB)/8, $0xfffc4df2fffc4df2
GLOBL six18d<>(SB), RODATA|NOPTR, $32
DATA six18s<>+0(SB)/8, $0xfffe7822fffe7822
DATA six18s<>+8(SB)/8, $0xfffe7822fffe7822
DATA six18s<>+16(SB)/8, $0xfffe7822fffe7822
DATA six18s<>+24(SB)/8, $0xfffe7822fffe7822
GLOBL six18s<>(SB), RODATA|NOPTR, $32
DATA six12c<>+0(SB)/8, $0x0000045400000454
DATA six12c<>+8(SB)/8, $0x0000045400000454
DATA six12c<>+16(SB)/8, $0x0000045400000454
DATA six12c<>+24(SB)/8, $0x0000045400000454
GLOBL six12c<>(SB), RODATA|NOPTR, $32
DATA six12d<>+0(SB)/8, $0xfffff138fffff138
DATA six12d<>+8(SB)/8, $0xfffff138fffff138
DATA six12d<>+16(SB)/8, $0xfffff138fffff138
DATA six12d<>+24(SB)/8, $0xfffff138fffff138
GLOBL six12d<>(SB), RODATA|NOPTR, $32
DATA six12s<>+0(SB)/8, $0xfffff9e0fffff9e0
DATA six12s<>+8(SB)/8, $0xfffff9e0fffff9e0
DATA six12s<>+16(SB)/8, $0xfffff9e0fffff9e0
DATA six12s<>+24(SB)/8, $0xfffff9e0fffff9e0
GLOBL six12s<>(SB), RODATA|NOPTR, $32
DATA three12c<>+0(SB)/8, $0x00000d4e00000d4e
DATA three12c<>+8(SB)/8, $0x00000d4e00000d4e
DATA three12c<>+16(SB)/8, $0x00000d4e00000d4e
DATA three12c<>+24(SB)/8, $0x00000d4e00000d4e
GLOBL three12c<>(SB), RODATA|NOPTR, $32
DATA three12d<>+0(SB)/8, $0xffffe9ceffffe9ce
DATA three12d<>+8(SB)/8, $0xffffe9ceffffe9ce
DATA three12d<>+16(SB)/8, $0xffffe9ceffffe9ce
DATA three12d<>+24(SB)/8, $0xffffe9ceffffe9ce
GLOBL three12d<>(SB), RODATA|NOPTR, $32
DATA three12s<>+0(SB)/8, $0x0000046a0000046a
DATA three12s<>+8(SB)/8, $0x0000046a0000046a
DATA three12s<>+16(SB)/8, $0x0000046a0000046a
DATA three12s<>+24(SB)/8, $0x0000046a0000046a
GLOBL three12s<>(SB), RODATA|NOPTR, $32
DATA one12c<>+0(SB)/8, $0x00000fb100000fb1
DATA one12c<>+8(SB)/8, $0x00000fb100000fb1
DATA one12c<>+16(SB)/8, $0x00000fb100000fb1
DATA one12c<>+24(SB)/8, $0x00000fb100000fb1
GLOBL one12c<>(SB), RODATA|NOPTR, $32
DATA one12d<>+0(SB)/8, $0xffffed30ffffed30
DATA one12d<>+8(SB)/8, $0xffffed30ffffed30
DATA one12d<>+16(SB)/8, $0xffffed30ffffed30
DATA one12d<>+24(SB)/8, $0xffffed30ffffed30
GLOBL one12d<>(SB), RODATA|NOPTR, $32
DATA one12s<>+0(SB)/8, $0x00000c9200000c92
DATA one12s<>+8(SB)/8, $0x00000c9200000c92
DATA one12s<>+16(SB)/8, $0x00000c9200000c92
DATA one12s<>+24(SB)/8, $0x00000c9200000c92
GLOBL one12s<>(SB), RODATA|NOPTR, $32
DATA root8<>+0(SB)/8, $0x000000b5000000b5
DATA root8<>+8(SB)/8, $0x000000b5000000b5
DATA root8<>+16(SB)/8, $0x000000b5000000b5
DATA root8<>+24(SB)/8, $0x000000b5000000b5
GLOBL root8<>(SB), RODATA|NOPTR, $32
DATA root14<>+0(SB)/8, $0x00002d4100002d41
DATA root14<>+8(SB)/8, $0x00002d4100002d41
DATA root14<>+16(SB)/8, $0x00002d4100002d41
DATA root14<>+24(SB)/8, $0x00002d4100002d41
GLOBL root14<>(SB), RODATA|NOPTR, $32
DATA half<>+0(SB)/8, $0x0008000000080000
DATA half<>+8(SB)/8, $0x0008000000080000
DATA half<>+16(SB)/8, $0x0008000000080000
DATA half<>+24(SB)/8, $0x0008000000080000
GLOBL half<>(SB), RODATA|NOPTR, $32
DATA shift<>+0(SB)/8, $0x0080008000800080
DATA shift<>+8(SB)/8, $0x0080008000800080
DATA shift<>+16(SB)/8, $0x0080008000800080
DATA shift<>+24(SB)/8, $0x0080008000800080
GLOBL shift<>(SB), RODATA|NOPTR, $32
DATA order<>+0(SB)/8, $0x0000000400000000
DATA order<>+8(SB)/8, $0x0000000500000001
DATA order<>+16(SB)/8, $0x0000000600000002
DATA order<>+24(SB)/8, $0x0000000700000003
GLOBL order<>(SB), RODATA|NOPTR, $32

// SUMS sets a, b to a + b, a - b.
#define SUMS(a, b, t) \
	VPADDD b, a, t \
	VPSUBD b, a, b \
	VMOVDQA t, a

// ROTATE is rotate.
#define ROTATE(a, b, t, u, c, d, s) \
	VPADDD b, a, t \
	VPMULLD c<>(SB), t, t \
	VPMULLD d<>(SB), b, u \
	VPMULLD s<>(SB), a, b \
	VPADDD u, t, a \
	VPSUBD b, t, b

#define LOAD(k, x) \
	VPMOVSXWD k*16(SI), x \
	VPMULLD k*32(DX), x, x

#define STORE2(x) \
	VMOVQ x, (DI) \
	VMOVHPS x, (DI)(AX*1) \
	LEAQ (DI)(AX*2), DI

// func inverseAVX2(dst *byte, stride int, b *block, q *quantizer)
TEXT ·inverseAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), AX
	MOVQ b+16(FP), SI
	MOVQ q+24(FP), DX
	LOAD(0, Y0)
	LOAD(1, Y7)
	LOAD(2, Y2)
	LOAD(3, Y5)
	LOAD(4, Y1)
	LOAD(5, Y6)
	LOAD(6, Y3)
	LOAD(7, Y4)
	VPXOR Y15, Y15, Y15
	VMOVDQU Y15, (SI)
	VMOVDQU Y15, 32(SI)
	VMOVDQU Y15, 64(SI)
	VMOVDQU Y15, 96(SI)

	// Rows.
	VPSLLD $17, Y0, Y0
	VPSLLD $17, Y1, Y1
	SUMS(Y0, Y1, Y15)
	ROTATE(Y2, Y3, Y15, Y14, six18c, six18d, six18s)
	SUMS(Y1, Y2, Y15)
	SUMS(Y0, Y3, Y15)
	VPSLLD $7, Y4, Y4
	VPSLLD $7, Y7, Y7
	SUMS(Y7, Y4, Y15)
	VPMULLD root8<>(SB), Y6, Y6
	VPMULLD root8<>(SB), Y5, Y5
	SUMS(Y7, Y5, Y15)
	SUMS(Y4, Y6, Y15)
	VPSRAD $2, Y4, Y4
	VPSRAD $2, Y5, Y5
	VPSRAD $2, Y6, Y6
	VPSRAD $2, Y7, Y7
	ROTATE(Y4, Y7, Y15, Y14, three12c, three12d, three12s)
	ROTATE(Y5, Y6, Y15, Y14, one12c, one12d, one12s)
	SUMS(Y0, Y7, Y15)
	SUMS(Y1, Y6, Y15)
	SUMS(Y2, Y5, Y15)
	SUMS(Y3, Y4, Y15)

	// Columns become rows: rows 0 to 7 in Y6, Y2, Y3, Y5, Y7, Y8, Y1, Y0.
	VPUNPCKLDQ Y1, Y0, Y8
	VPUNPCKHDQ Y1, Y0, Y0
	VPUNPCKLDQ Y3, Y2, Y1
	VPUNPCKHDQ Y3, Y2, Y2
	VPUNPCKLDQ Y5, Y4, Y3
	VPUNPCKHDQ Y5, Y4, Y4
	VPUNPCKLDQ Y7, Y6, Y5
	VPUNPCKHDQ Y7, Y6, Y6
	VPUNPCKLQDQ Y1, Y8, Y7
	VPUNPCKHQDQ Y1, Y8, Y8
	VPUNPCKLQDQ Y2, Y0, Y1
	VPUNPCKHQDQ Y2, Y0, Y0
	VPUNPCKLQDQ Y5, Y3, Y2
	VPUNPCKHQDQ Y5, Y3, Y3
	VPUNPCKLQDQ Y6, Y4, Y5
	VPUNPCKHQDQ Y6, Y4, Y4
	VPERM2I128 $0x20, Y2, Y7, Y6
	VPERM2I128 $0x31, Y2, Y7, Y7
	VPERM2I128 $0x20, Y3, Y8, Y2
	VPERM2I128 $0x31, Y3, Y8, Y8
	VPERM2I128 $0x20, Y5, Y1, Y3
	VPERM2I128 $0x31, Y5, Y1, Y1
	VPERM2I128 $0x20, Y4, Y0, Y5
	VPERM2I128 $0x31, Y4, Y0, Y0

	// Columns. x0 to x7 are Y6, Y7, Y3, Y1, Y0, Y5, Y8, Y2.
	VPADDD half<>(SB), Y6, Y6
	SUMS(Y6, Y7, Y15)
	VPSRAD $2, Y6, Y6
	VPSRAD $2, Y7, Y7
	VPSRAD $13, Y3, Y3
	VPSRAD $13, Y1, Y1
	ROTATE(Y3, Y1, Y15, Y14, six12c, six12d, six12s)
	SUMS(Y7, Y3, Y15)
	SUMS(Y6, Y1, Y15)
	SUMS(Y2, Y0, Y15)
	VPSRAD $13, Y5, Y5
	VPSRAD $13, Y8, Y8
	VPMULLD root14<>(SB), Y5, Y5
	VPMULLD root14<>(SB), Y8, Y8
	SUMS(Y2, Y5, Y15)
	SUMS(Y0, Y8, Y15)
	VPSRAD $14, Y0, Y0
	VPSRAD $14, Y2, Y2
	VPSRAD $14, Y5, Y5
	VPSRAD $14, Y8, Y8
	ROTATE(Y0, Y2, Y15, Y14, three12c, three12d, three12s)
	ROTATE(Y5, Y8, Y15, Y14, one12c, one12d, one12s)
	SUMS(Y6, Y2, Y15)
	SUMS(Y7, Y8, Y15)
	SUMS(Y3, Y5, Y15)
	SUMS(Y1, Y0, Y15)
	VPSRAD $18, Y6, Y6
	VPSRAD $18, Y7, Y7
	VPSRAD $18, Y3, Y3
	VPSRAD $18, Y1, Y1
	VPSRAD $18, Y0, Y0
	VPSRAD $18, Y5, Y5
	VPSRAD $18, Y8, Y8
	VPSRAD $18, Y2, Y2

	// Bytes, by two rows of 32 bits to one of 16 and so on; each step takes
	// the halves of its rows in turn, which the order puts right.
	VPACKSSDW Y7, Y6, Y6
	VPACKSSDW Y1, Y3, Y3
	VPACKSSDW Y5, Y0, Y0
	VPACKSSDW Y2, Y8, Y8
	VMOVDQU shift<>(SB), Y14
	VPADDW Y14, Y6, Y6
	VPADDW Y14, Y3, Y3
	VPADDW Y14, Y0, Y0
	VPADDW Y14, Y8, Y8
	VPACKUSWB Y3, Y6, Y6
	VPACKUSWB Y8, Y0, Y0
	VMOVDQU order<>(SB), Y14
	VPERMD Y6, Y14, Y6
	VPERMD Y0, Y14, Y0
	VEXTRACTI128 $1, Y6, X7
	VEXTRACTI128 $1, Y0, X1
	STORE2(X6)
	STORE2(X7)
	STORE2(X0)
	STORE2(X1)
	VZEROUPPER
	RET
