package media

import (
	"image"
	"image/color"
	"image/draw"
)

// upright returns m turned as an EXIF orientation asks. Pixels keep their
// colour to the bit: their 8-bit red, green and blue where m is YCbCr, which
// is not kept as such because its colour planes are too coarse to be turned.
func upright(m image.Image, orientation int) image.Image {
	if orientation == 1 {
		return m
	}
	src := m.Bounds()
	r := image.Rect(0, 0, src.Dx(), src.Dy())
	if orientation >= 5 {
		r = image.Rect(0, 0, src.Dy(), src.Dx())
	}
	turn := func(dst, pix []uint8, stride, bytes int) {
		turnPixels(dst, pix, stride, bytes, src.Dx(), src.Dy(), orientation)
	}
	switch m := m.(type) {
	case *image.NRGBA:
		out := image.NewNRGBA(r)
		turn(out.Pix, m.Pix, m.Stride, 4)
		return out
	case *image.RGBA:
		out := image.NewRGBA(r)
		turn(out.Pix, m.Pix, m.Stride, 4)
		return out
	case *image.CMYK:
		out := image.NewCMYK(r)
		turn(out.Pix, m.Pix, m.Stride, 4)
		return out
	case *image.Gray:
		out := image.NewGray(r)
		turn(out.Pix, m.Pix, m.Stride, 1)
		return out
	case *image.Paletted:
		out := image.NewPaletted(r, m.Palette)
		turn(out.Pix, m.Pix, m.Stride, 1)
		return out
	case *image.Gray16:
		out := image.NewGray16(r)
		turn(out.Pix, m.Pix, m.Stride, 2)
		return out
	case *image.NRGBA64:
		out := image.NewNRGBA64(r)
		turn(out.Pix, m.Pix, m.Stride, 8)
		return out
	case *image.RGBA64:
		out := image.NewRGBA64(r)
		turn(out.Pix, m.Pix, m.Stride, 8)
		return out
	case *image.NYCbCrA:
		flat := image.NewNRGBA(src)
		for y := src.Min.Y; y < src.Max.Y; y++ {
			for x := src.Min.X; x < src.Max.X; x++ {
				c := m.NYCbCrAAt(x, y)
				red, green, blue := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
				flat.SetNRGBA(x, y, color.NRGBA{R: red, G: green, B: blue, A: c.A})
			}
		}
		return upright(flat, orientation)
	default:
		// YCbCr, for which package draw has a fast path.
		flat := image.NewRGBA(src)
		draw.Draw(flat, src, m, src.Min, draw.Src)
		return upright(flat, orientation)
	}
}

// turnPixels writes to dst, row by row without gaps, the pixels of a picture
// of width × height, each of some bytes.
func turnPixels(dst, pix []uint8, stride, bytes, width, height, orientation int) {
	corner, right, down := steps(stride, bytes, width, height, orientation)
	if orientation >= 5 {
		width, height = height, width
	}
	for y := range height {
		at := corner + y*down
		for range width {
			copy(dst[:bytes], pix[at:at+bytes])
			dst = dst[bytes:]
			at += right
		}
	}
}

// turnBytes is turnPixels for pixels of one byte. It goes by squares, so that
// what is far apart in memory is read while it is near the processor.
func turnBytes(dst, pix []uint8, stride, width, height, orientation int) {
	const square = 64
	corner, right, down := steps(stride, 1, width, height, orientation)
	if orientation >= 5 {
		width, height = height, width
	}
	for y0 := 0; y0 < height; y0 += square {
		for x0 := 0; x0 < width; x0 += square {
			for y := y0; y < min(y0+square, height); y++ {
				at := corner + y*down + x0*right
				row := dst[y*width+x0:][:min(square, width-x0)]
				for x := range row {
					row[x] = pix[at]
					at += right
				}
			}
		}
	}
}

// steps returns where the pixel at the top left corner is found, and how far
// the next ones are, to the right and down.
func steps(stride, bytes, width, height, orientation int) (corner, right, down int) {
	right, down = bytes, stride
	lastX, lastY := (width-1)*bytes, (height-1)*stride
	switch orientation {
	case 2: // mirrored left to right
		corner, right = lastX, -bytes
	case 3: // upside down
		corner, right, down = lastX+lastY, -bytes, -stride
	case 4: // mirrored top to bottom
		corner, down = lastY, -stride
	case 5: // rows and columns exchanged
		right, down = stride, bytes
	case 6: // to be turned a quarter clockwise
		corner, right, down = lastY, -stride, bytes
	case 7: // rows and columns exchanged, upside down
		corner, right, down = lastX+lastY, -stride, -bytes
	case 8: // to be turned a quarter counter-clockwise
		corner, right, down = lastX, stride, -bytes
	}
	return corner, right, down
}
