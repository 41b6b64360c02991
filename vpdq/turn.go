package vpdq

import (
	"rempart/pdq"
)

// Turn returns the features of a video as they would be if every frame were
// turned or mirrored, so that a mirrored copy is found without the pixels.
//
// It works on the bits alone and takes the median of the transform for 0,
// which it nearly is in a photograph: 0 to 18 bits from pdq.DihedralFromImage
// on the fixtures' pictures, but 62 on a drawn pattern. Where pixels are at
// hand, use that.
func Turn(features []Feature, d pdq.Dihedral) []Feature {
	out := make([]Feature, len(features))
	for n, f := range features {
		out[n] = f
		out[n].PDQ = turn(f.PDQ, d)
	}
	return out
}

// turn moves and inverts bits as package pdq moves and negates frequencies:
// bit 16i+j is that of the frequency i+1 down, j+1 across.
func turn(h pdq.Hash, d pdq.Dihedral) pdq.Hash {
	var out pdq.Hash
	for i := range 16 {
		for j := range 16 {
			from, negated := 16*i+j, false
			switch d {
			case pdq.Rot90:
				from, negated = 16*j+i, i%2 == 0
			case pdq.Rot180:
				negated = (i+j)%2 == 1
			case pdq.Rot270:
				from, negated = 16*j+i, j%2 == 0
			case pdq.FlipX:
				negated = i%2 == 0
			case pdq.FlipY:
				negated = j%2 == 0
			case pdq.FlipPlus1:
				from = 16*j + i
			case pdq.FlipMinus1:
				from, negated = 16*j+i, (i+j)%2 == 1
			}
			bit := h[31-from/8] >> (from % 8) & 1
			if negated {
				bit ^= 1
			}
			out[31-(16*i+j)/8] |= bit << ((16*i + j) % 8)
		}
	}
	return out
}
