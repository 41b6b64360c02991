// Package media turns hostile bytes into pixels and fingerprints.
//
// [Decode] is the one door for pictures: JPEG, PNG, GIF, WebP, TIFF and BMP,
// and by way of a program of the system, confined, AVIF, HEIC and JPEG XL; the
// first frame only, and [Fingerprint] knows animated GIF, WebP and PNG by a
// sample of their frames. [Video] is that for videos, by way of ffmpeg; [Doctor]
// says which of these programs are missing. Decode counts bytes and pixels before it
// decodes any, bounds the memory of all decoding that goes on at once, turns a
// decoder's panic into an error, and turns the picture upright, as its EXIF
// orientation asks and as browsers show it. [Fingerprint] goes one step further
// and gives the values by which the picture is known, and no pixel.
//
// Of what a file says about itself (EXIF, GPS, comments, text) only the
// orientation and the marks of package provenance are ever read, and of those no
// text comes out. Nothing is written, kept or logged.
//
// Three rules hold for every format:
//
//   - Colours are taken as the file stores them: colour profiles are ignored.
//   - Transparency is ignored: a pixel has the colour that stands in the file,
//     as in Meta's Python implementation. Where none stands, as in the part of
//     a canvas that no frame covers, it is black.
//   - A file that is cut short or damaged gives no fingerprint, though a part
//     of it may be shown: it is an error, never a picture of which something is
//     missing. A GIF that lacks its last byte alone, or ends where one of its
//     frames does, is whole. Bytes after the end of a picture are ignored.
//
// # JPEG
//
// Of a JPEG, Fingerprint needs the brightness alone, and reads it without the
// colours, with a decoder of this package. That decoder takes whole and
// ordinary files only; all others, and all that Decode reads, go to image/jpeg,
// which decides what is an error. What it gives is the Y that image/jpeg gives,
// bit for bit. Its inverse transform is adapted from the Go standard library:
// LICENSE-go is for that file and its assembly.
package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"io"
	"io/fs"

	"rempart/provenance"
)

// Limits bound what a file may cost. A limit that is zero is that of
// [Default].
type Limits struct {
	Bytes  int64 // length of the file
	Pixels int64 // width × height, as its header declares them

	// Of an animation, for Fingerprint. Beyond them frames are not looked at,
	// which Fingerprints.FramesRead says.
	Frames      int   // that are hashed
	FramePixels int64 // of all the frames that are decoded; of all that are hashed as well
}

// Default is 64 MiB and 100 megapixels; of an animation 100 frames, and 200
// megapixels in all of them, which take some three seconds.
var Default = Limits{Bytes: 64 << 20, Pixels: 100e6, Frames: 100, FramePixels: 200e6}

func (l Limits) filled() Limits {
	if l.Bytes == 0 {
		l.Bytes = Default.Bytes
	}
	if l.Pixels == 0 {
		l.Pixels = Default.Pixels
	}
	if l.Frames == 0 {
		l.Frames = Default.Frames
	}
	if l.FramePixels == 0 {
		l.FramePixels = Default.FramePixels
	}
	return l
}

// A Picture is a decoded file.
type Picture struct {
	Image         image.Image // upright: Orientation has been applied
	Format        string      // "jpeg", "png", "gif", "webp", "tiff", "bmp", "avif", "heic" or "jxl"
	Width, Height int         // pixels, upright
	Orientation   int         // EXIF orientation the file asked for, 1 to 8; 1 if none
	Animated      bool        // whether there are more frames than the one decoded
	SHA256        [32]byte    // of all the bytes, as they came

	// Provenance is what the file says of how it was made: nobody vouches for
	// it. Never nil.
	Provenance []provenance.Mark
}

// Decode reads one picture from r, to its end.
//
// The error wraps ErrTooManyBytes, ErrTooManyPixels, ErrNotPicture,
// ErrUnsupported, ErrTruncated, ErrDamaged or ErrTooCostly, or else comes from
// ctx or r. ErrMissing comes with ErrUnsupported, ErrTooMuchMemory with
// ErrTooManyPixels. No pixel has been allocated when it is one of the first
// four. ctx is looked at each time r and the decoder read: a Read of r that blocks is not
// interrupted.
func Decode(ctx context.Context, r io.Reader, lim Limits) (*Picture, error) {
	f, err := open(ctx, r, lim)
	if err != nil {
		return nil, err
	}
	release, err := reserve(ctx, f.decodeCost())
	if err != nil {
		return nil, err
	}
	defer release()
	return f.picture(ctx)
}

// A file is one of which the header is known to be within the limits.
type file struct {
	header
	bytes  []byte // all of it
	pixels int64
}

func open(ctx context.Context, r io.Reader, lim Limits) (*file, error) {
	lim = lim.filled()
	data, err := readAll(ctx, r, lim.Bytes)
	if err != nil {
		return nil, err
	}
	h, err := guard(func() (header, error) { return probe(data) })
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	pixels := int64(h.width) * int64(h.height)
	if pixels > lim.Pixels {
		return nil, fmt.Errorf("media: %w: %d x %d pixels, the limit is %d", ErrTooManyPixels, h.width, h.height, lim.Pixels)
	}
	return &file{h, data, pixels}, nil
}

// picture decodes f.
func (f *file) picture(ctx context.Context) (*Picture, error) {
	m, err := f.pixelsOf(ctx)
	if err != nil {
		return nil, fmt.Errorf("media: decoding %s: %w", f.format, err)
	}
	m = upright(m, f.orientation)
	b := m.Bounds()
	return &Picture{
		Image:       m,
		Format:      f.format,
		Width:       b.Dx(),
		Height:      b.Dy(),
		Orientation: f.orientation,
		Animated:    f.animated,
		SHA256:      sha256.Sum256(f.bytes),
		Provenance:  f.provenance(),
	}, nil
}

// provenance returns no mark where reading them goes wrong: the picture counts.
func (f *file) provenance() []provenance.Mark {
	marks, err := guard(func() ([]provenance.Mark, error) { return provenance.Read(f.bytes), nil })
	if err != nil {
		return []provenance.Mark{}
	}
	return marks
}

func (f *file) pixelsOf(ctx context.Context) (image.Image, error) {
	if f.loader != "" {
		return system(ctx, f.data, f.loader, f.pixels)
	}
	in := &reader{ctx: ctx, in: bytes.NewReader(f.data)}
	m, err := guard(func() (image.Image, error) { return f.decode(in) })
	if err != nil {
		return nil, in.classify(err)
	}
	return m, nil
}

func readAll(ctx context.Context, r io.Reader, limit int64) ([]byte, error) {
	// Room for all of it at once, where r knows how much that is.
	var expected int64
	switch r := r.(type) {
	case interface{ Len() int }:
		expected = int64(r.Len())
	case interface{ Stat() (fs.FileInfo, error) }:
		if info, err := r.Stat(); err == nil {
			expected = info.Size()
		}
	}
	in := &reader{ctx: ctx, in: r}
	var data bytes.Buffer
	data.Grow(int(max(0, min(expected, limit))) + bytes.MinRead)
	if _, err := data.ReadFrom(io.LimitReader(in, limit+1)); err != nil {
		return nil, fmt.Errorf("media: reading: %w", err)
	}
	if int64(data.Len()) > limit {
		return nil, fmt.Errorf("media: %w: the limit is %d", ErrTooManyBytes, limit)
	}
	return data.Bytes(), nil
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
