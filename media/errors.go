package media

import (
	"context"
	"errors"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// The kinds of error, each for one sentence to a person. They come wrapped,
// with details for the operator.
var (
	ErrNotPicture    = errors.New("not a picture")
	ErrTruncated     = errors.New("the file is cut short")
	ErrDamaged       = errors.New("the file is damaged")
	ErrTooManyPixels = errors.New("too many pixels")
	ErrTooManyBytes  = errors.New("too many bytes")
	ErrUnsupported   = errors.New("a kind of picture that is not read")
)

// An explained error has a kind of ours and a cause of a decoder's.
type explained struct{ kind, cause error }

func (e *explained) Error() string   { return e.kind.Error() + ": " + e.cause.Error() }
func (e *explained) Unwrap() []error { return []error{e.kind, e.cause} }

// classify finds the kind of an error that a decoder returned. Decoders do
// not agree on how to say that data ended too soon (image/gif says it in
// words), so one that failed after it had asked for more than there was counts
// as well.
func (r *reader) classify(err error) error {
	var badJPEG jpeg.UnsupportedError
	var badPNG png.UnsupportedError
	var badTIFF tiff.UnsupportedError
	switch {
	case r.ctx != nil && r.ctx.Err() != nil: // decoders need not wrap it
		return r.ctx.Err()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, ErrDamaged): // a panic
		return err
	case errors.As(err, &badJPEG), errors.As(err, &badPNG),
		errors.As(err, &badTIFF), errors.Is(err, bmp.ErrUnsupported):
		return &explained{ErrUnsupported, err}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), r.ended:
		return &explained{ErrTruncated, err}
	default:
		return &explained{ErrDamaged, err}
	}
}
