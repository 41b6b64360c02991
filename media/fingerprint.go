package media

import (
	"context"
	"encoding/hex"
	"io"

	"rempart/pdq"
)

// Fingerprints are the values by which a picture is known, and what is said
// about it to people. Nothing of what it shows is in them, and nothing of its
// metadata but Orientation.
type Fingerprints struct {
	SHA256      string      `json:"sha256"`   // of the bytes of the file, 64 lower-case digits
	PDQ         pdq.Hash    `json:"pdq"`      // of the picture upright
	Quality     int         `json:"quality"`  // 0 to 100; below pdq.MinQuality PDQ means nothing
	Dihedral    [8]pdq.Hash `json:"dihedral"` // of the picture upright, indexed by pdq.Dihedral
	Width       int         `json:"width"`    // pixels, upright
	Height      int         `json:"height"`
	Orientation int         `json:"orientation"` // 1 to 8, as Picture's
	Format      string      `json:"format"`      // as Picture's
	Animated    bool        `json:"animated"`
	Provenance  []string    `json:"provenance"` // as Picture's: empty, never nil
}

// Fingerprint reads one picture from r, to its end, and returns its
// fingerprints. Its pixels are gone when it returns. Errors are those of
// [Decode].
func Fingerprint(ctx context.Context, r io.Reader, lim Limits) (Fingerprints, error) {
	var out Fingerprints
	err := with(ctx, r, lim, decodeCost+hashCost, func(p *Picture) {
		hashes, quality := pdq.DihedralFromImage(p.Image)
		result := pdq.Result{Hash: hashes[pdq.Original], Quality: quality}
		if p.Width == 64 && p.Height == 64 {
			result = pdq.FromImage(p.Image) // the one size at which they differ
		}
		out = Fingerprints{
			SHA256:      hex.EncodeToString(p.SHA256[:]),
			PDQ:         result.Hash,
			Quality:     result.Quality,
			Dihedral:    hashes,
			Width:       p.Width,
			Height:      p.Height,
			Orientation: p.Orientation,
			Format:      p.Format,
			Animated:    p.Animated,
			Provenance:  append([]string{}, p.Provenance...),
		}
	})
	return out, err
}
