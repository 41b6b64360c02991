package media

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"rempart/pdq"
	"rempart/provenance"
)

// Fingerprints are the values by which a picture is known, and what is said
// about it to people. Nothing of what it shows is in them, and nothing of its
// metadata but Orientation and the words of Provenance.
type Fingerprints struct {
	SHA256      string            `json:"sha256"`   // of the bytes of the file, 64 lower-case digits
	PDQ         pdq.Hash          `json:"pdq"`      // of the picture upright
	Quality     int               `json:"quality"`  // 0 to 100; below pdq.MinQuality PDQ means nothing
	Dihedral    [8]pdq.Hash       `json:"dihedral"` // of the picture upright, indexed by pdq.Dihedral
	Width       int               `json:"width"`    // pixels, upright
	Height      int               `json:"height"`
	Orientation int               `json:"orientation"` // 1 to 8, as Picture's
	Format      string            `json:"format"`      // as Picture's
	Animated    bool              `json:"animated"`
	Provenance  []provenance.Mark `json:"provenance"` // as Picture's: empty, never nil

	// Unbordered is nil where there is no uniform border, or nothing much in it. Of
	// an animation it is that of the picture.
	Unbordered *Inner `json:"unbordered,omitempty"`

	// Of an animated GIF, WebP or PNG, of which PDQ, Quality and Dihedral are
	// those of the picture that is shown where nothing moves: the first frame,
	// but of a PNG that says otherwise. All are empty for other pictures.
	Frames      []FramePrint `json:"frame_pdq,omitempty"`    // in their order; at least the first
	FramesRead  int          `json:"frames_read,omitempty"`  // of which Frames is a sample: the first ones
	FramesTotal int          `json:"frames_total,omitempty"` // that the file has
}

// Fingerprint reads one picture from r, to its end, and returns its
// fingerprints. Its pixels are gone when it returns. Errors are those of
// [Decode].
//
// Of a JPEG of 65,536 pixels or more, PDQ is that of its brightness as the file
// stores it, Y, which is also what the colours would give but for rounding and
// for colours that the file exaggerates.
func Fingerprint(ctx context.Context, r io.Reader, lim Limits) (Fingerprints, error) {
	f, err := open(ctx, r, lim)
	if err != nil {
		return Fingerprints{}, err
	}
	if f.format == "jpeg" && f.pixels >= lumaPixels {
		out, err := f.fromLuma(ctx)
		if !errors.Is(err, errOrdinary) {
			return out, err
		}
	}
	need := f.decodeCost()
	if len(f.frames) > 0 {
		need = max(need, f.pixels*animationCost)
	}
	release, err := reserve(ctx, need+f.hashCost())
	if err != nil {
		return Fingerprints{}, err
	}
	defer release()
	p, err := f.picture(ctx)
	if err != nil {
		return Fingerprints{}, err
	}
	hashes, quality := pdq.DihedralFromImage(p.Image)
	result := pdq.Result{Hash: hashes[pdq.Original], Quality: quality}
	if p.Width == 64 && p.Height == 64 {
		result = pdq.FromImage(p.Image) // the one size at which they differ
	}
	out := f.fingerprints(p.Width, p.Height, result, hashes)
	out.Unbordered = innerOf(p.Image)
	if len(f.frames) > 0 {
		p.Image = nil
		out.FramesTotal = f.frameCount
		out.Frames, out.FramesRead, err = f.prints(ctx, lim.filled())
	}
	if err != nil {
		return Fingerprints{}, err
	}
	return out, nil
}

// lumaPixels is the number of pixels from which a JPEG is known by its Y. In a
// picture of a few blocks rounding shows: 27 bits of an icon of 8 × 8, 19 of one
// of 16 × 16; in larger photographs 0 to 2.
const lumaPixels = 1 << 16

// lumaCost is an estimate of the memory that reading a JPEG's brightness alone
// takes, in bytes a pixel. The worst is a progressive one: int16 frequencies,
// which of them are not 0, the plane, and the plane turned upright. Hashing comes
// on top: pdq.Memory.
const lumaCost = 5

// fromLuma returns the fingerprints of a JPEG. It returns errOrdinary if it
// cannot.
func (f *file) fromLuma(ctx context.Context) (Fingerprints, error) {
	release, err := reserve(ctx, f.pixels*lumaCost+f.hashCost())
	if err != nil {
		return Fingerprints{}, err
	}
	defer release()
	out, err := guard(func() (out Fingerprints, err error) {
		err = withLuma(ctx, f.data, f.width, f.height, func(d *jpegLuma) error {
			p := d.upright(f.orientation)
			hashes, quality, err := pdq.DihedralFromY(p.pix, p.stride, p.width, p.height)
			if err != nil {
				return err
			}
			result := pdq.Result{Hash: hashes[pdq.Original], Quality: quality}
			if p.width == 64 && p.height == 64 {
				if result, err = pdq.FromY(p.pix, p.stride, p.width, p.height); err != nil {
					return err
				}
			}
			out = f.fingerprints(p.width, p.height, result, hashes)
			out.Unbordered, err = innerOfY(p.pix, p.stride, p.width, p.height)
			return err
		})
		return out, err
	})
	if errors.Is(err, ErrDamaged) {
		return Fingerprints{}, errOrdinary // a panic
	}
	if err != nil && !errors.Is(err, errOrdinary) {
		return Fingerprints{}, fmt.Errorf("media: decoding %s: %w", f.format, err)
	}
	return out, err
}

func (f *file) hashCost() int64 {
	return max(pdq.Memory(f.width, f.height), pdq.Memory(f.height, f.width))
}

func (f *file) fingerprints(width, height int, r pdq.Result, dihedral [8]pdq.Hash) Fingerprints {
	sum := sha256.Sum256(f.bytes)
	return Fingerprints{
		SHA256:      hex.EncodeToString(sum[:]),
		PDQ:         r.Hash,
		Quality:     r.Quality,
		Dihedral:    dihedral,
		Width:       width,
		Height:      height,
		Orientation: f.orientation,
		Format:      f.format,
		Animated:    f.animated,
		Provenance:  f.provenance(),
	}
}
