package media

import (
	"context"
	"encoding/hex"
	"io"

	"rempart/pdq"
	"rempart/provenance"
	"rempart/vpdq"
)

// VideoFingerprints are the values by which a video is known. Nothing of what
// it shows is in them.
type VideoFingerprints struct {
	SHA256     string            `json:"sha256"`     // of the bytes of the file, 64 lower-case digits
	Codec      string            `json:"codec"`      // as VideoInfo's
	Width      int               `json:"width"`      // pixels, as stored
	Height     int               `json:"height"`     //
	Rate       float64           `json:"rate"`       // frames a second
	Duration   float64           `json:"duration"`   // seconds; 0 if the file does not say
	Provenance []provenance.Mark `json:"provenance"` // as VideoInfo's

	Features []vpdq.Feature `json:"-"` // of each frame that was asked for, whatever its quality; at least one
	Dihedral [][8]pdq.Hash  `json:"-"` // of the same frames, each indexed by pdq.Dihedral
	Inner    []*Inner       `json:"-"` // of the same frames, without their borders; nil of those that have none
}

// FingerprintVideo reads a video from r, to its end, and returns the
// fingerprints of its frames. One frame is held at a time. Errors are those of
// [Video].
//
// They are those of the reference (vpdq/cpp) but for a few bits: versions of
// ffmpeg differ, and frames are hashed by their brightness as the video stores
// it, not by way of colours. That is 0 to 6 bits on sharp frames.
func FingerprintVideo(ctx context.Context, r io.Reader, opt VideoOptions) (VideoFingerprints, error) {
	var out VideoFingerprints
	came, every := 0, 1
	info, err := video(ctx, r, opt.filled(), true, func(f Frame) error {
		if came++; (came-1)%every != 0 {
			return nil
		}
		if opt.Most > 0 && len(out.Features) >= opt.Most {
			out.halve()
			if every *= 2; (came-1)%every != 0 {
				return nil
			}
		}
		forms, quality, err := pdq.DihedralFromY(f.y, f.Width, f.Width, f.Height)
		if err != nil {
			return err
		}
		hash := forms[pdq.Original]
		if f.Width == 64 && f.Height == 64 { // the one size at which they differ
			r, err := pdq.FromY(f.y, f.Width, f.Width, f.Height)
			if err != nil {
				return err
			}
			hash, quality = r.Hash, r.Quality
		}
		out.Features = append(out.Features, vpdq.Feature{
			PDQ:       hash,
			Quality:   quality,
			Frame:     f.Number,
			Timestamp: f.Timestamp,
		})
		out.Dihedral = append(out.Dihedral, forms)
		inner, err := innerOfY(f.y, f.Width, f.Width, f.Height)
		out.Inner = append(out.Inner, inner)
		return err
	})
	if err != nil {
		return VideoFingerprints{}, err
	}
	out.SHA256, out.Codec = hex.EncodeToString(info.SHA256[:]), info.Codec
	out.Width, out.Height, out.Rate, out.Duration = info.Width, info.Height, info.Rate, info.Duration
	out.Provenance = info.Provenance
	return out, nil
}

// Unbordered returns the frames that have a uniform border, without it, in one of
// their dihedral forms.
func (v *VideoFingerprints) Unbordered(form pdq.Dihedral) []vpdq.Feature {
	var out []vpdq.Feature
	for k, f := range v.Features {
		if inner := v.Inner[k]; inner != nil {
			f.PDQ, f.Quality = inner.Dihedral[form], inner.Quality
			out = append(out, f)
		}
	}
	return out
}

// halve drops every second frame.
func (v *VideoFingerprints) halve() {
	kept := 0
	for k := 0; k < len(v.Features); k += 2 {
		v.Features[kept], v.Dihedral[kept], v.Inner[kept] = v.Features[k], v.Dihedral[k], v.Inner[k]
		kept++
	}
	v.Features, v.Dihedral, v.Inner = v.Features[:kept], v.Dihedral[:kept], v.Inner[:kept]
}
