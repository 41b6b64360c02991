package media

import (
	"context"
	"encoding/hex"
	"io"

	"rempart/pdq"
	"rempart/vpdq"
)

// VideoFingerprints are the values by which a video is known. Nothing of what
// it shows is in them.
type VideoFingerprints struct {
	SHA256   string         `json:"sha256"`   // of the bytes of the file, 64 lower-case digits
	Codec    string         `json:"codec"`    // as VideoInfo's
	Width    int            `json:"width"`    // pixels, as stored
	Height   int            `json:"height"`   //
	Rate     float64        `json:"rate"`     // frames a second
	Duration float64        `json:"duration"` // seconds; 0 if the file does not say
	Features []vpdq.Feature `json:"-"`        // of each frame that was asked for, whatever its quality; at least one
}

// FingerprintVideo reads a video from r, to its end, and returns the
// fingerprints of its frames. One frame is held at a time. Errors are those of
// [Video].
//
// They are those of the reference (vpdq/cpp) but for a few bits: versions of
// ffmpeg differ, and frames are hashed by their brightness as the video stores
// it, not by way of colours. That is 0 to 6 bits on sharp frames.
func FingerprintVideo(ctx context.Context, r io.Reader, opt VideoOptions) (VideoFingerprints, error) {
	var features []vpdq.Feature
	info, err := video(ctx, r, opt.filled(), true, func(f Frame) error {
		hash, err := pdq.FromY(f.y, f.Width, f.Width, f.Height)
		if err != nil {
			return err
		}
		features = append(features, vpdq.Feature{
			PDQ:       hash.Hash,
			Quality:   hash.Quality,
			Frame:     f.Number,
			Timestamp: f.Timestamp,
		})
		return nil
	})
	if err != nil {
		return VideoFingerprints{}, err
	}
	return VideoFingerprints{
		SHA256:   hex.EncodeToString(info.SHA256[:]),
		Codec:    info.Codec,
		Width:    info.Width,
		Height:   info.Height,
		Rate:     info.Rate,
		Duration: info.Duration,
		Features: features,
	}, nil
}
