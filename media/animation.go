package media

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
	"time"

	"rempart/pdq"
)

// An animation (GIF, WebP, PNG) is treated as a short video: its frames are put
// together on its canvas as browsers do, and a sample of them is hashed. What
// that costs is known before any pixel is decoded: see [Limits].
//
// Of AVIF, HEIC and JPEG XL sequences the first frame alone is read.

// A FramePrint is the fingerprint of one frame of an animation, as it is shown:
// on the whole canvas, over what earlier frames left there.
type FramePrint struct {
	Frame     int         `json:"frame"`     // in the order they are shown, from 0
	Timestamp float64     `json:"timestamp"` // seconds at which it appears when the animation plays once
	PDQ       pdq.Hash    `json:"pdq"`       // of the frame upright
	Quality   int         `json:"quality"`   // as Fingerprints'
	Dihedral  [8]pdq.Hash `json:"-"`         // as Fingerprints'
}

// maxFrames is the number of frames of which the places are noted. Further ones
// are counted only: a file of 64 MiB has room for five million.
const maxFrames = 10_000

// What is left on the canvas when a frame's time is over.
const (
	leaveFrame   = iota // the frame
	clearPlace          // nothing, where the frame was
	leaveEarlier        // what was there before the frame
)

// A frame is one picture of an animation, not yet decoded.
type frame struct {
	place   image.Rectangle // on the canvas, within it
	delay   time.Duration   // how long it is shown
	dispose int
	replace bool // its transparent pixels too are put on the canvas
	file    func() []byte
	decode  func(io.Reader) (image.Image, error)
}

// shown returns how long browsers show a frame that asks for d: a frame that
// asks for 10 ms or less is shown for 100.
func shown(d time.Duration) time.Duration {
	if d <= 10*time.Millisecond {
		return 100 * time.Millisecond
	}
	return d
}

// reach returns how many frames may be decoded, and how many of these hashed,
// within lim. Either is at least 1.
func (f *file) reach(lim Limits) (read, hashed int) {
	left := lim.FramePixels
	for _, fr := range f.frames {
		if left -= int64(fr.place.Dx()) * int64(fr.place.Dy()); left < 0 && read > 0 {
			break
		}
		read++
	}
	most := max(lim.FramePixels/f.pixels, 1)
	return read, int(min(int64(min(read, lim.Frames)), most))
}

// animationCost is what putting frames together takes, in bytes a pixel: the
// canvas, what was on it before, the canvas turned upright, and a frame by the
// most wasteful decoder.
const animationCost = 4 + 4 + 4 + 16

// prints hashes a sample of the frames of an animation: as many as lim allows,
// evenly spread over those that may be decoded, the first among them. It returns
// how many were decoded.
func (f *file) prints(ctx context.Context, lim Limits) (out []FramePrint, read int, err error) {
	read, hashed := f.reach(lim)
	err = f.play(ctx, read, func(i int, at time.Duration, canvas *image.NRGBA) {
		if i == 0 || i*hashed/read != (i-1)*hashed/read {
			hashes, quality := pdq.DihedralFromImage(upright(canvas, f.orientation))
			out = append(out, FramePrint{Frame: i, Timestamp: at.Seconds(), PDQ: hashes[pdq.Original], Quality: quality, Dihedral: hashes})
		}
	})
	return out, read, err
}

// play puts the first frames of an animation together, one after the other, and
// shows each of them: its number, when it appears, and the canvas, which changes
// afterwards.
func (f *file) play(ctx context.Context, frames int, show func(i int, at time.Duration, canvas *image.NRGBA)) error {
	canvas := image.NewNRGBA(image.Rect(0, 0, f.width, f.height))
	before := image.NewNRGBA(image.Rectangle{})
	var at time.Duration
	for i := range frames {
		fr := &f.frames[i]
		in := &reader{ctx: ctx, in: bytes.NewReader(fr.file())}
		m, err := guard(func() (image.Image, error) { return fr.decode(in) })
		if err != nil {
			return fmt.Errorf("media: decoding %s: frame %d of %d: %w", f.format, i+1, f.frameCount, in.classify(err))
		}
		if m.Bounds().Size() != fr.place.Size() {
			return fmt.Errorf("media: decoding %s: frame %d of %d: %w: %v pixels come out, not %v", f.format, i+1, f.frameCount, ErrDamaged, m.Bounds().Size(), fr.place.Size())
		}
		if fr.dispose == leaveEarlier {
			if before.Rect.Empty() {
				before = image.NewNRGBA(canvas.Rect)
			}
			copyPlace(before, canvas, fr.place)
		}
		lay(canvas, fr.place, m, fr.replace)
		show(i, at, canvas)
		switch fr.dispose {
		case clearPlace:
			for y := fr.place.Min.Y; y < fr.place.Max.Y; y++ {
				clear(rowOf(canvas, fr.place, y))
			}
		case leaveEarlier:
			copyPlace(canvas, before, fr.place)
		}
		at += shown(fr.delay)
	}
	return nil
}

// rowOf returns the bytes of row y of m within r.
func rowOf(m *image.NRGBA, r image.Rectangle, y int) []byte {
	return m.Pix[m.PixOffset(r.Min.X, y):][:4*r.Dx()]
}

// copyPlace copies the pixels within r, which lies within both.
func copyPlace(to, from *image.NRGBA, r image.Rectangle) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		copy(rowOf(to, r, y), rowOf(from, r, y))
	}
}
