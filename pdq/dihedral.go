package pdq

import (
	"image"
	"strconv"
)

// A Dihedral is one of the eight ways to lay a square: turned, mirrored, or
// both.
type Dihedral int

// The eight ways, in the order in which the reference prints their hashes.
// Turns are counter-clockwise; FlipX exchanges top and bottom, FlipY left and
// right, FlipPlus1 rows and columns, FlipMinus1 is FlipPlus1 turned by 180
// degrees.
const (
	Original Dihedral = iota
	Rot90
	Rot180
	Rot270
	FlipX
	FlipY
	FlipPlus1
	FlipMinus1
)

var dihedralNames = [8]string{
	"original", "rot90", "rot180", "rot270", "flipX", "flipY", "flipPlus1", "flipMinus1",
}

// String returns the reference's name of d, such as "rot90".
func (d Dihedral) String() string {
	if d < 0 || int(d) >= len(dihedralNames) {
		return "Dihedral(" + strconv.Itoa(int(d)) + ")"
	}
	return dihedralNames[d]
}

// DihedralFromImage returns the hashes img would have if it were turned or
// mirrored, indexed by [Dihedral], and its quality, which they share. See
// [DihedralFromLuma] for how near they are to the truth.
func DihedralFromImage(img image.Image) (hashes [8]Hash, quality int) {
	hashes, quality, _ = ofImage(img).dihedral()
	return hashes, quality
}

// DihedralFromLuma is [DihedralFromImage] for a picture given by its
// brightness, as [FromLuma] takes it.
//
// All eight come from one transform, by moving its values and changing their
// signs. They are those of the really turned picture but for a few bits on
// photographs (0 to 8 measured), and for many on white noise. As in the
// reference a 64 × 64 picture is filtered like any other here, so that
// hashes[Original] may differ from FromLuma at that size.
func DihedralFromLuma(luma []float32, width, height int) (hashes [8]Hash, quality int, err error) {
	p, err := ofLuma(luma, width, height)
	if err != nil {
		return hashes, 0, err
	}
	all, q, read := p.dihedral()
	if err := p.err(read); err != nil {
		return hashes, 0, err
	}
	return all, q, nil
}

// DihedralFromY is [DihedralFromImage] for a picture given by its brightness,
// as [FromY] takes it.
func DihedralFromY(pix []byte, stride, width, height int) (hashes [8]Hash, quality int, err error) {
	p, err := ofBytes(pix, stride, width, height)
	if err != nil {
		return hashes, 0, err
	}
	hashes, quality, _ = p.dihedral()
	return hashes, quality, nil
}

// dihedral returns the hashes and quality of p, and whether it had to be read.
func (p *picture) dihedral() (hashes [8]Hash, q int, read bool) {
	if p.width < minSide || p.height < minSide {
		return hashes, 0, false
	}
	var a block
	p.block(&a, false)
	b := dct(&a)
	for d := range hashes {
		hashes[d] = hashOf(b.lay(Dihedral(d)))
	}
	return hashes, quality(&a), true
}

// lay returns the spectrum of the picture laid as d says.
func (b *spectrum) lay(d Dihedral) *spectrum {
	t := new(spectrum)
	for i := range freqs {
		for j := range freqs {
			v, turned := b[i*freqs+j], b[j*freqs+i]
			var negate bool
			switch d {
			case Rot90:
				v, negate = turned, i%2 == 0
			case Rot180:
				negate = (i+j)%2 == 1
			case Rot270:
				v, negate = turned, j%2 == 0
			case FlipX:
				negate = i%2 == 0
			case FlipY:
				negate = j%2 == 0
			case FlipPlus1:
				v = turned
			case FlipMinus1:
				v, negate = turned, (i+j)%2 == 1
			}
			if negate {
				v = -v
			}
			t[i*freqs+j] = v
		}
	}
	return t
}
