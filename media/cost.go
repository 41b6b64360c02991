package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"

	"golang.org/x/sync/semaphore"
)

// ErrTooMuchMemory is wrapped, with ErrTooManyPixels, when a picture is within
// the limit of pixels but each of them takes so much memory that all of them
// would take more than [Budget].
var ErrTooMuchMemory = errors.New("decoding would take more memory than a picture may")

// Budget is the memory, in bytes, that all decoding and hashing at one moment
// may take, by estimate. Further pictures wait. One that needs more than all
// of it is refused.
const Budget = 1 << 30

// Cheap is the memory, in bytes, up to which a picture goes by a lane of its
// own, of CheapBudget beside Budget, so that it never waits for large ones.
const (
	Cheap       = 32 << 20
	CheapBudget = 128 << 20
)

var (
	budget      = semaphore.NewWeighted(Budget)
	cheapBudget = semaphore.NewWeighted(CheapBudget)
)

// reserve waits for a part of the budget, which release gives back. It refuses
// more than there is.
func reserve(ctx context.Context, need int64) (release func(), err error) {
	lane := budget
	switch {
	case need > Budget:
		return nil, fmt.Errorf("media: %w: %w: %d bytes, the limit is %d", ErrTooManyPixels, ErrTooMuchMemory, need, Budget)
	case need <= Cheap:
		lane = cheapBudget
	}
	if err := lane.Acquire(ctx, need); err != nil {
		return nil, fmt.Errorf("media: waiting for memory: %w", err)
	}
	return func() { lane.Release(need) }, nil
}

// A cost is what decoding allocates, in bytes a pixel, as though nothing of it
// were collected before the end.
type cost struct {
	pixel int64 // of the picture that the decoder gives
	extra int64 // beside it, while decoding
	row   int64 // beside it, a pixel of one row
	turn  int64 // when it is turned upright
}

// costOf returns the cost of a decoder that gives pictures of a colour model
// and takes extra beside.
func costOf(m color.Model, extra int64) cost {
	n := bytesOf(m)
	c := cost{pixel: n, extra: extra, turn: n}
	if m == color.YCbCrModel || m == color.NYCbCrAModel {
		c.turn = 8 // first made red, green and blue
	}
	return c
}

// bytesOf returns the bytes of a pixel of the pictures of a colour model, in
// YCbCr without subsampling.
func bytesOf(m color.Model) int64 {
	switch m {
	case color.GrayModel:
		return 1
	case color.Gray16Model:
		return 2
	case color.YCbCrModel:
		return 3
	case color.RGBAModel, color.NRGBAModel, color.CMYKModel, color.NYCbCrAModel:
		return 4
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	}
	if _, ok := m.(color.Palette); ok {
		return 1
	}
	return 8
}

// jpegCost is that of image/jpeg. A progressive file has its frequencies, of 4
// bytes, for each sample until all is read. CMYK is put together from planes.
func jpegCost(data []byte, c image.Config) cost {
	samples := bytesOf(c.ColorModel)
	var extra int64
	if c.ColorModel == color.CMYKModel || c.ColorModel == color.RGBAModel {
		extra = samples
	}
	if bytes.Contains(data, []byte{0xff, 0xc2}) { // its frame's marker, or a few bytes that look like it
		extra += 4 * samples
	}
	return costOf(c.ColorModel, extra)
}

// pngCost is that of image/png. A transparent colour makes grey ones NRGBA,
// which the header does not say. Two rows are held beside the picture, and of
// an interlaced file all its passes.
func pngCost(data []byte, c image.Config) cost {
	out := costOf(c.ColorModel, 0)
	switch c.ColorModel {
	case color.GrayModel:
		out = costOf(color.NRGBAModel, 0)
	case color.Gray16Model:
		out = costOf(color.NRGBA64Model, 0)
	}
	out.row = 2 * out.pixel
	const interlace = len(pngMagic) + 8 + 12 // length [4], IHDR, width [4], height [4], depth, colours, compression, filter
	if len(data) > interlace && data[interlace] != 0 {
		out.extra = out.pixel
	}
	return out
}

// loaderCost is that of a program beside us and of the PNG it gives: both hold
// the picture, with up to 16 bits a channel.
var loaderCost = cost{pixel: 8, extra: 12, turn: 0}

// decodeCost is an estimate of the memory that decoding f takes, in bytes.
func (f *file) decodeCost() int64 {
	c := f.cost
	if f.loader != "" {
		c = loaderCost
	}
	each := c.pixel + c.extra
	if f.orientation != 1 {
		each += c.turn
	}
	return f.pixels*each + int64(f.width)*c.row
}
