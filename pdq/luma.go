package pdq

import (
	"image"
	"image/color"
)

// Luma returns the brightness of img, row by row from its top left corner,
// with its width and height in pixels.
//
// Brightness is 0.299 R + 0.587 G + 0.114 B of the 8-bit colours, in float32.
// The 8-bit colour of any pixel is what image/color makes of it, cut to its
// high byte: YCbCr and CMYK by the standard library's formulas, 16 bits a
// channel (grey included) without rounding, grey as three equal colours.
//
// Transparency is ignored, as in pytx and HMA, whose hashes these must match:
// a pixel counts with the colour that the file gives it, even where nothing of
// it shows. A colour kept multiplied by its alpha is divided by it, and is
// black where alpha is 0.
//
// That is the one rule a browser's 2D canvas cannot follow to the bit: what it
// gives back is divided from 8 bits, and black where alpha is 0. Opaque
// pictures do not differ. On white noise with random alpha (fixture
// pytx/LA.png) the canvas is 14 bits away, still a match; laying the picture
// over white or black, the other rules one could take, is 60 and 68 away from
// pytx. A picture with much transparency and hidden colours may be missed.
func Luma(img image.Image) (luma []float32, width, height int) {
	p := ofImage(img)
	luma = make([]float32, p.width*p.height)
	if len(luma) > 0 {
		p.read(luma, 0, p.height)
	}
	return luma, p.width, p.height
}

// ofImage returns the picture of img.
func ofImage(img image.Image) *picture {
	r := img.Bounds()
	p := &picture{width: max(0, r.Dx()), height: max(0, r.Dy())}
	if p.width == 0 || p.height == 0 {
		return p
	}
	switch m := img.(type) {
	case *image.YCbCr:
		p.read = fromAny(img, r)
		if r.Min.X >= 0 && r.Min.Y >= 0 { // below 0 colours lie oddly
			p.read = fromYCbCr(m)
		}
	case *image.RGBA:
		p.read = from4(m.Pix, m.Stride, r, true, fromRGBA)
	case *image.NRGBA:
		p.read = fromOpaque(m.Pix, m.Stride, r)
	case *image.CMYK:
		p.read = from4(m.Pix, m.Stride, r, false, fromCMYK)
	case *image.Gray:
		var table [256]float32
		for i := range table {
			table[i] = lumaOf(uint8(i), uint8(i), uint8(i))
		}
		p.read = fromTable(m.Pix, m.Stride, r, &table)
	case *image.Paletted:
		// An index beyond the palette is drawn black. image.Paletted would
		// panic; no decoder of the standard library makes one.
		table := [256]float32{}
		for i, c := range m.Palette[:min(len(m.Palette), 256)] {
			table[i] = fromColor(c)
		}
		p.read = fromTable(m.Pix, m.Stride, r, &table)
	case *image.Gray16:
		p.read = from64(m, r)
	case *image.RGBA64:
		p.read = from64(m, r)
	default:
		p.read = fromAny(img, r)
	}
	return p
}

// reds, greens and blues are the parts of brightness. Each product is rounded,
// so that no processor fuses it with the sum.
var reds, greens, blues = parts(0.299), parts(0.587), parts(0.114)

func parts(weight float32) (t [256]float32) {
	for i := range t {
		t[i] = weight * float32(i)
	}
	return t
}

func lumaOf(r, g, b uint8) float32 { return reds[r] + greens[g] + blues[b] }

// fromColor is the rule for any one pixel. The colours that are not multiplied
// by their alpha are read as they are, as RGBA would lose part of them.
func fromColor(c color.Color) float32 {
	switch c := c.(type) {
	case color.NRGBA:
		return lumaOf(c.R, c.G, c.B)
	case color.NRGBA64:
		return lumaOf(uint8(c.R>>8), uint8(c.G>>8), uint8(c.B>>8))
	case color.NYCbCrA:
		return lumaOf(color.YCbCrToRGB(c.Y, c.Cb, c.Cr))
	}
	return fromMultiplied(c.RGBA())
}

// fromMultiplied returns the brightness of a colour as color.Color's RGBA
// returns it: 16 bits a channel, multiplied by a.
func fromMultiplied(r, g, b, a uint32) float32 {
	switch a {
	case 0:
		return 0
	case 0xffff:
		return lumaOf(uint8(r>>8), uint8(g>>8), uint8(b>>8))
	}
	return lumaOf(divide(r, a), divide(g, a), divide(b, a))
}

// divide returns the high byte of c/a, at most 255 even where a colour breaks
// its promise to be at most its alpha.
func divide(c, a uint32) uint8 { return uint8(min(c, a) * 0xffff / a >> 8) }

func fromRGBA(p *[4]uint8) float32 {
	return fromMultiplied(color.RGBA{p[0], p[1], p[2], p[3]}.RGBA())
}

func fromCMYK(p *[4]uint8) float32 {
	return lumaOf(color.CMYKToRGB(p[0], p[1], p[2], p[3]))
}

// fromAny reads one pixel after another.
func fromAny(m image.Image, r image.Rectangle) reader {
	width := r.Dx()
	return func(dst []float32, y, n int) {
		for i := range dst[:n*width] {
			dst[i] = fromColor(m.At(r.Min.X+i%width, r.Min.Y+y+i/width))
		}
	}
}

// fromOpaque reads rows of 4 bytes a pixel, of which the last does not count.
func fromOpaque(pix []uint8, stride int, r image.Rectangle) reader {
	width := r.Dx()
	return func(dst []float32, y, n int) {
		for ; n > 0; n-- {
			row := pix[y*stride:][:4*width]
			for i := range dst[:width] {
				p := (*[4]uint8)(row[4*i:])
				dst[i] = lumaOf(p[0], p[1], p[2])
			}
			dst, y = dst[width:], y+1
		}
	}
}

// from4 reads rows of 4 bytes a pixel. Where opaque is set, the last of them is
// alpha, and most often 255.
func from4(pix []uint8, stride int, r image.Rectangle, opaque bool, of func(*[4]uint8) float32) reader {
	width := r.Dx()
	return func(dst []float32, y, n int) {
		for ; n > 0; n-- {
			row := pix[y*stride:][:4*width]
			for i := range dst[:width] {
				if p := (*[4]uint8)(row[4*i:]); p[3] == 0xff && opaque {
					dst[i] = lumaOf(p[0], p[1], p[2])
				} else {
					dst[i] = of(p)
				}
			}
			dst, y = dst[width:], y+1
		}
	}
}

// from64 reads 16 bits a channel.
func from64(m image.RGBA64Image, r image.Rectangle) reader {
	width := r.Dx()
	return func(dst []float32, y, n int) {
		for i := range dst[:n*width] {
			c := m.RGBA64At(r.Min.X+i%width, r.Min.Y+y+i/width)
			dst[i] = fromMultiplied(uint32(c.R), uint32(c.G), uint32(c.B), uint32(c.A))
		}
	}
}

// fromTable reads rows of 1 byte a pixel.
func fromTable(pix []uint8, stride int, r image.Rectangle, table *[256]float32) reader {
	width := r.Dx()
	return func(dst []float32, y, n int) {
		for ; n > 0; n-- {
			for i, v := range pix[y*stride:][:width] {
				dst[i] = table[v]
			}
			dst, y = dst[width:], y+1
		}
	}
}

func fromYCbCr(m *image.YCbCr) reader {
	width, minX, every := m.Rect.Dx(), m.Rect.Min.X, 1
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420:
		every = 2
	case image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410:
		every = 4
	}
	return func(dst []float32, y, n int) {
		for ; n > 0; n-- {
			row := m.Y[m.YOffset(minX, m.Rect.Min.Y+y):][:width]
			at := m.COffset(minX, m.Rect.Min.Y+y)
			cb, cr := m.Cb[at:], m.Cr[at:]
			out := dst[:len(row)]
			c, left := 0, every-minX%every
			for i, v := range row {
				if left == 0 {
					c, left = c+1, every
				}
				left--
				out[i] = lumaOf(color.YCbCrToRGB(v, cb[c], cr[c]))
			}
			dst, y = dst[width:], y+1
		}
	}
}
