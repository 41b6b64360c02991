package media

import (
	"image"

	"rempart/pdq"
)

// An Inner is what a picture is known by without the uniform borders around it,
// as pdq.Inside finds them: a copy that was padded is found by it.
type Inner struct {
	PDQ      pdq.Hash    `json:"pdq"`
	Quality  int         `json:"quality"` // pdq.MinQuality or more
	Dihedral [8]pdq.Hash `json:"dihedral"`
	Width    int         `json:"width"` // pixels that are left
	Height   int         `json:"height"`
}

// innerOfY returns what is within the borders of a plane; nil if it has none, or
// if that is too flat to be told from others.
func innerOfY(pix []byte, stride, width, height int) (*Inner, error) {
	r, err := pdq.InsideY(pix, stride, width, height)
	if err != nil || r == image.Rect(0, 0, width, height) {
		return nil, err
	}
	hashes, quality, err := pdq.DihedralFromY(pix[r.Min.Y*stride+r.Min.X:], stride, r.Dx(), r.Dy())
	if err != nil || quality < pdq.MinQuality {
		return nil, err
	}
	return &Inner{PDQ: hashes[pdq.Original], Quality: quality, Dihedral: hashes, Width: r.Dx(), Height: r.Dy()}, nil
}

// innerOf is innerOfY for an image.
func innerOf(img image.Image) *Inner {
	r := pdq.Inside(img)
	parted, ok := img.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if !ok || r == img.Bounds() {
		return nil
	}
	hashes, quality := pdq.DihedralFromImage(parted.SubImage(r))
	if quality < pdq.MinQuality {
		return nil
	}
	return &Inner{PDQ: hashes[pdq.Original], Quality: quality, Dihedral: hashes, Width: r.Dx(), Height: r.Dy()}
}
