package pdq

import (
	"fmt"
	"math"
)

// A picture is where brightness is read from: one of luma, pix and read is
// set.
type picture struct {
	width, height int

	luma   []float32 // row by row
	pix    []byte    // whole numbers; rows begin stride apart
	stride int
	read   reader

	bad bool // whether a value of luma was seen that is out of range
}

// A reader writes to dst the brightness of n rows from row y.
type reader func(dst []float32, y, n int)

// ofLuma returns the picture of a plane. Its values are checked as they are
// read: see err.
func ofLuma(luma []float32, width, height int) (*picture, error) {
	if !isPlane(len(luma), width, height) {
		return nil, fmt.Errorf("pdq: %d values for %d x %d pixels: %w", len(luma), width, height, ErrLuma)
	}
	return &picture{width: width, height: height, luma: luma}, nil
}

// ofBytes returns the picture of a plane of bytes.
func ofBytes(pix []byte, stride, width, height int) (*picture, error) {
	if width < 0 || height < 0 || width > 0 && height > 0 &&
		(stride < width || len(pix) < width || (len(pix)-width)/stride < height-1) {
		return nil, fmt.Errorf("pdq: %d bytes, %d a row, for %d x %d pixels: %w", len(pix), stride, width, height, ErrLuma)
	}
	return &picture{width: width, height: height, pix: pix, stride: stride}, nil
}

// block brings p to a block. A 64 × 64 picture is taken as it is where exact
// is set.
func (p *picture) block(a *block, exact bool) {
	if p.width == side && p.height == side && exact {
		p.rows(a[:], 0, side)
		return
	}
	shrink(a, p.width, p.height, p.firstPass)
}

// rows writes to dst the brightness of n rows from y.
func (p *picture) rows(dst []float32, y, n int) {
	switch {
	case p.luma != nil:
		dst = dst[:copy(dst, p.luma[y*p.width:(y+n)*p.width])]
		p.bad = p.bad || !inRange(dst)
	case p.pix != nil:
		for i := range n {
			for x, v := range p.pix[(y+i)*p.stride:][:p.width] {
				dst[i*p.width+x] = float32(v)
			}
		}
	default:
		p.read(dst, y, n)
	}
}

// firstPass writes to dst the moving means, along rows, of n rows from y.
func (p *picture) firstPass(f *filter, dst []float32, y, n int) {
	whole := f.vector && n == strip
	var src []float32
	switch {
	case p.luma != nil:
		src = p.luma[y*p.width : (y+n)*p.width]
	case p.pix != nil && whole:
		f.turnedBytes(dst, p.pix[y*p.stride:], p.stride)
		return
	case p.pix != nil:
		byteRows(dst, p.pix[y*p.stride:], p.stride, n, f.across, f.quotients())
		return
	default:
		f.luma = grow(f.luma, n*p.width)
		src = f.luma
		p.read(src, y, n)
	}
	if whole {
		p.bad = !f.turnedFloats(dst, src) || p.bad
		return
	}
	p.bad = p.bad || !inRange(src)
	floatRows(dst, src, f.across)
}

// err returns the error of a plane whose values are out of range. seen tells
// that they were read, and p.bad what was found.
func (p *picture) err(seen bool) error {
	if seen && !p.bad {
		return nil
	}
	for i, v := range p.luma {
		// 256, as the weighted sum of three 255 may round above 255; written
		// so that NaN fails.
		if !(v >= 0 && v <= 256) {
			return fmt.Errorf("pdq: value %v at %d, out of 0 to 255: %w", v, i, ErrLuma)
		}
	}
	return nil
}

// mostBits is 256 in bits. Those of negative values and of NaN are more.
const mostBits = 0x43800000

// inRange reports whether all values are from 0 to 256. It may say no of a
// negative zero.
func inRange(values []float32) bool {
	// Four at a time, as each comparison waits for the one before.
	var a, b, c, d uint32
	for ; len(values) >= 4; values = values[4:] {
		a = max(a, math.Float32bits(values[0]))
		b = max(b, math.Float32bits(values[1]))
		c = max(c, math.Float32bits(values[2]))
		d = max(d, math.Float32bits(values[3]))
	}
	for _, v := range values {
		a = max(a, math.Float32bits(v))
	}
	return max(a, b, c, d) <= mostBits
}
