package media

import (
	"image"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// probeTIFF takes the first picture of the file. Its orientation stands in the
// same kind of directory as EXIF's.
func probeTIFF(data []byte) (h header, err error) {
	h.width, h.height, err = config(data, tiff.DecodeConfig)
	h.orientation = orientation(data)
	h.decode = func(r io.Reader) (image.Image, error) { return tiff.Decode(r) }
	return h, err
}

func probeBMP(data []byte) (h header, err error) {
	h.width, h.height, err = config(data, bmp.DecodeConfig)
	h.orientation = 1
	h.decode = func(r io.Reader) (image.Image, error) { return bmp.Decode(r) }
	return h, err
}
