// Package media turns hostile bytes into pixels and fingerprints.
//
// [Decode] is the one door: JPEG, PNG, GIF and WebP, the first frame only. It
// counts bytes and pixels before it decodes any, bounds the memory of all
// decoding that goes on at once, turns a decoder's panic into an error, and
// turns the picture upright, as its EXIF orientation asks and as browsers show
// it. [Fingerprint] goes one step further and gives the values by which the
// picture is known, and no pixel.
//
// Of what a file says about itself (EXIF, GPS, comments, text) only the
// orientation is ever read. Nothing is written, kept or logged.
//
// Colours are taken as the file stores them: colour profiles are ignored.
package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"io"

	"golang.org/x/sync/semaphore"
)

// Limits bound what a file may cost. A limit that is zero is that of
// [Default].
type Limits struct {
	Bytes  int64 // length of the file
	Pixels int64 // width × height, as its header declares them
}

// Default is 64 MiB and 100 megapixels.
var Default = Limits{Bytes: 64 << 20, Pixels: 100e6}

// A Picture is a decoded file.
type Picture struct {
	Image         image.Image // upright: Orientation has been applied
	Format        string      // "jpeg", "png", "gif" or "webp"
	Width, Height int         // pixels, upright
	Orientation   int         // EXIF orientation the file asked for, 1 to 8; 1 if none
	Animated      bool        // whether there are more frames than the one decoded
	SHA256        [32]byte    // of all the bytes, as they came

	// Provenance is for marks that the file carries of how it was made. None
	// is read yet: it is empty.
	Provenance []string
}

// Budget is the memory, in bytes, that all decoding and hashing at one moment
// may take, by estimate. Further pictures wait. One that needs more than all
// of it waits until it is alone.
const Budget = 1 << 30

var budget = semaphore.NewWeighted(Budget)

// Estimates of memory in bytes a pixel. Decoding: the worst is a progressive
// JPEG (3 planes of int32 coefficients, and the picture), or 16-bit PNG turned
// upright. Hashing: brightness and two planes as large, in float32.
const (
	decodeCost = 16
	hashCost   = 12
)

// Decode reads one picture from r, to its end.
//
// The error wraps ErrTooManyBytes, ErrTooManyPixels, ErrNotPicture,
// ErrUnsupported, ErrTruncated or ErrDamaged, or else comes from ctx or r. No
// pixel has been allocated when it is one of the first four. ctx is looked at
// each time r and the decoder read: a Read of r that blocks is not
// interrupted.
func Decode(ctx context.Context, r io.Reader, lim Limits) (*Picture, error) {
	var picture *Picture
	err := with(ctx, r, lim, decodeCost, func(p *Picture) { picture = p })
	return picture, err
}

// with decodes and calls use, within the budget.
func with(ctx context.Context, r io.Reader, lim Limits, cost int64, use func(*Picture)) error {
	if lim.Bytes == 0 {
		lim.Bytes = Default.Bytes
	}
	if lim.Pixels == 0 {
		lim.Pixels = Default.Pixels
	}
	data, err := readAll(ctx, r, lim.Bytes)
	if err != nil {
		return err
	}
	h, err := guard(func() (header, error) { return probe(data) })
	if err != nil {
		return fmt.Errorf("media: %w", err)
	}
	pixels := int64(h.width) * int64(h.height)
	if pixels > lim.Pixels {
		return fmt.Errorf("media: %w: %d x %d pixels, the limit is %d", ErrTooManyPixels, h.width, h.height, lim.Pixels)
	}
	need := min(pixels, Budget/cost) * cost
	if err := budget.Acquire(ctx, need); err != nil {
		return fmt.Errorf("media: waiting for memory: %w", err)
	}
	defer budget.Release(need)
	in := &reader{ctx: ctx, in: bytes.NewReader(h.data)}
	m, err := guard(func() (image.Image, error) { return h.decode(in) })
	if err != nil {
		return fmt.Errorf("media: decoding %s: %w", h.format, in.classify(err))
	}
	m = upright(m, h.orientation)
	b := m.Bounds()
	use(&Picture{
		Image:       m,
		Format:      h.format,
		Width:       b.Dx(),
		Height:      b.Dy(),
		Orientation: h.orientation,
		Animated:    h.animated,
		SHA256:      sha256.Sum256(data),
	})
	return nil
}

func readAll(ctx context.Context, r io.Reader, limit int64) ([]byte, error) {
	in := &reader{ctx: ctx, in: r}
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, fmt.Errorf("media: reading: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("media: %w: the limit is %d", ErrTooManyBytes, limit)
	}
	return data, nil
}

// guard calls f and turns its panic into an error that wraps ErrDamaged.
func guard[T any](f func() (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: the decoder panicked: %v", ErrDamaged, p)
		}
	}()
	return f()
}

// A reader reads until ctx is done, and remembers whether it was read to the
// end.
type reader struct {
	ctx   context.Context
	in    io.Reader
	ended bool
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.in.Read(p)
	r.ended = r.ended || err == io.EOF
	return n, err
}
