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
	c, err := config(data, tiff.DecodeConfig)
	if err != nil {
		return header{}, err
	}
	h.width, h.height = c.Width, c.Height
	h.cost = costOf(c.ColorModel, 3*bytesOf(c.ColorModel)) // a strip may be all of it, and is read into a buffer that grows
	h.orientation = orientation(data)
	h.decode = func(r io.Reader) (image.Image, error) { return tiff.Decode(r) }
	return h, nil
}

func probeBMP(data []byte) (h header, err error) {
	c, err := config(data, bmp.DecodeConfig)
	if err != nil {
		return header{}, err
	}
	h.width, h.height = c.Width, c.Height
	h.cost = costOf(c.ColorModel, 0)
	h.orientation = 1
	h.decode = func(r io.Reader) (image.Image, error) { return bmp.Decode(r) }
	return h, nil
}
