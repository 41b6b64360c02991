// Package pdq computes PDQ, Meta's perceptual fingerprint of a picture: 256
// bits that change little when the picture is resized, recompressed or lightly
// edited, and the quality that says whether those bits mean anything.
//
// Start with [FromImage], or [FromLuma] if the brightness plane is at hand.
// [Hash.Distance] counts differing bits: unrelated pictures are about 128
// apart, copies within [MatchDistance].
//
// # What it promises
//
// From the same pixels the bits are those of the C++ reference
// (facebook/ThreatExchange, pdq/cpp) at full resolution, that is without the
// 512 × 512 nearest-neighbour shrink its command line makes first. Every sum
// is made in float32 and in the reference's order, and every product is
// rounded before it is added, so that processors with fused multiply-add give
// the same bits as the others. Two decoders rarely give quite the same pixels
// for one JPEG file: expect a distance of 10 or less between them.
//
// # What it does not do
//
// It neither decodes files nor turns pictures the way their EXIF orientation
// asks: see package media. It does not say whether two pictures show the same
// thing; it says whether one was made from the other. It is not a secret: an
// approximate picture can be rebuilt from a hash.
package pdq

import (
	"errors"
	"fmt"
	"image"
)

const (
	// MatchDistance is the greatest distance, in bits, at which two hashes
	// are taken for the same picture (pytx PDQ_CONFIDENT_MATCH_THRESHOLD).
	MatchDistance = 31

	// MinQuality is the least quality, of 100, at which a hash may be listed,
	// shared or looked up. Below it pictures that have nothing in common
	// share their hash: all flat grey ones have the same.
	MinQuality = 50
)

// A Result is the hash of a picture and its quality, 0 (flat) to 100.
type Result struct {
	Hash    Hash
	Quality int
}

// ErrLuma is what FromLuma and DihedralFromLuma return, wrapped, for a plane
// that is not one.
var ErrLuma = errors.New("not a luma plane")

// minSide is the number of rows and of columns below which the reference
// gives up and answers a zero hash of quality 0.
const minSide = 5

// FromLuma returns the hash of a picture given by its brightness, row by row,
// width × height values of 0 to 255, which it does not change. See [Luma] for
// the weights of the colours.
//
// A picture of fewer than 5 rows or columns has the zero hash and quality 0.
// It returns an error that wraps [ErrLuma] if the number of values is not
// width × height or if one of them is out of range.
func FromLuma(luma []float32, width, height int) (Result, error) {
	p, err := ofLuma(luma, width, height)
	if err != nil {
		return Result{}, err
	}
	r, seen := p.result()
	if err := p.err(seen); err != nil {
		return Result{}, err
	}
	return r, nil
}

// FromY returns the hash of a picture given by its brightness in whole
// numbers, such as the luma plane of a JPEG file: rows of width bytes, of
// which each begins stride bytes after the one before. It is what [FromLuma]
// returns for the same numbers, sooner.
//
// It returns an error that wraps [ErrLuma] if pix is too short.
func FromY(pix []byte, stride, width, height int) (Result, error) {
	p, err := ofBytes(pix, stride, width, height)
	if err != nil {
		return Result{}, err
	}
	r, _ := p.result()
	return r, nil
}

// FromImage returns the hash of img, of any size and type. For what is
// transparent see [Luma].
func FromImage(img image.Image) Result {
	r, _ := ofImage(img).result()
	return r
}

// FromRGB returns the hash of a picture given by its colours, row by row,
// 3 bytes a pixel: red, green, blue. It returns an error that wraps [ErrLuma]
// if there are not 3 × width × height bytes.
func FromRGB(rgb []byte, width, height int) (Result, error) {
	if len(rgb)%3 != 0 || !isPlane(len(rgb)/3, width, height) {
		return Result{}, fmt.Errorf("pdq: %d bytes for %d x %d pixels of 3: %w", len(rgb), width, height, ErrLuma)
	}
	p := &picture{width: width, height: height, read: func(dst []float32, y, n int) {
		row := rgb[3*y*width:][:3*n*width]
		for i := range dst {
			dst[i] = lumaOf(row[3*i], row[3*i+1], row[3*i+2])
		}
	}}
	r, _ := p.result()
	return r, nil
}

// result returns the hash and quality of p, and whether it had to be read.
func (p *picture) result() (r Result, read bool) {
	if p.width < minSide || p.height < minSide {
		return Result{}, false
	}
	var a block
	// The reference takes a 64 × 64 picture as it is. DihedralFromLuma does
	// not: its first hash may differ from this one, at that size only.
	p.block(&a, true)
	return Result{hashOf(dct(&a)), quality(&a)}, true
}

// isPlane reports whether n = width × height, without overflow.
func isPlane(n, width, height int) bool {
	if width < 0 || height < 0 {
		return false
	}
	if width == 0 || height == 0 {
		return n == 0
	}
	return n%width == 0 && n/width == height
}
