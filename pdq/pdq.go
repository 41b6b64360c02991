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
	if err := check(luma, width, height); err != nil {
		return Result{}, err
	}
	return fromLuma(luma, width, height), nil
}

// FromImage returns the hash of img, of any size and type. For what is
// transparent see [Luma].
func FromImage(img image.Image) Result {
	luma, width, height := Luma(img)
	return fromLuma(luma, width, height)
}

// FromRGB returns the hash of a picture given by its colours, row by row,
// 3 bytes a pixel: red, green, blue. It returns an error that wraps [ErrLuma]
// if there are not 3 × width × height bytes.
func FromRGB(rgb []byte, width, height int) (Result, error) {
	if len(rgb)%3 != 0 || !isPlane(len(rgb)/3, width, height) {
		return Result{}, fmt.Errorf("pdq: %d bytes for %d x %d pixels of 3: %w", len(rgb), width, height, ErrLuma)
	}
	luma := make([]float32, 0, len(rgb)/3)
	for ; len(rgb) > 0; rgb = rgb[3:] {
		luma = append(luma, lumaOf(rgb[0], rgb[1], rgb[2]))
	}
	return fromLuma(luma, width, height), nil
}

func fromLuma(luma []float32, width, height int) Result {
	if width < minSide || height < minSide {
		return Result{}
	}
	// The reference takes a 64 × 64 picture as it is. DihedralFromLuma does
	// not: its first hash may differ from this one, at that size only.
	if width == 64 && height == 64 {
		a := (*block)(luma)
		return Result{hashOf(dct(a)), quality(a)}
	}
	a := shrink(luma, width, height)
	return Result{hashOf(dct(a)), quality(a)}
}

func check(luma []float32, width, height int) error {
	if !isPlane(len(luma), width, height) {
		return fmt.Errorf("pdq: %d values for %d x %d pixels: %w", len(luma), width, height, ErrLuma)
	}
	for i, v := range luma {
		// 256, as the weighted sum of three 255 may round above 255; written
		// so that NaN fails.
		if !(v >= 0 && v <= 256) {
			return fmt.Errorf("pdq: value %v at %d, out of 0 to 255: %w", v, i, ErrLuma)
		}
	}
	return nil
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
