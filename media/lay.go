package media

import (
	"image"
	"image/color"
)

// lay puts m on the canvas at place, which has its size. Unless replace, what is
// transparent in m lets the canvas show through.
func lay(canvas *image.NRGBA, place image.Rectangle, m image.Image, replace bool) {
	line := make([]byte, 4*place.Dx())
	fill := liner(m)
	b := m.Bounds()
	for y := range place.Dy() {
		fill(line, b.Min.Y+y)
		to := rowOf(canvas, place, place.Min.Y+y)
		if replace {
			copy(to, line)
		} else {
			over(to, line)
		}
	}
}

// over puts pixels of 4 bytes, not multiplied by their alpha, over others.
func over(to, from []byte) {
	for i := 0; i+4 <= len(to); i += 4 {
		d, s := to[i:i+4:i+4], from[i:i+4:i+4]
		switch alpha := uint32(s[3]); {
		case alpha == 255 || d[3] == 0 && alpha > 0:
			copy(d, s)
		case alpha > 0:
			below := uint32(d[3]) * (255 - alpha) / 255
			sum := alpha + below
			for k := range 3 {
				d[k] = byte((uint32(s[k])*alpha + uint32(d[k])*below + sum/2) / sum)
			}
			d[3] = byte(sum)
		}
	}
}

// liner returns a function that writes row y of m, in 4 bytes a pixel, not
// multiplied by alpha. Of 16 bits the higher 8 are taken.
func liner(m image.Image) func(line []byte, y int) {
	b := m.Bounds()
	each := func(line []byte, of func(x int) (r, g, b, a uint8)) {
		for i := 0; i < len(line); i += 4 {
			p := line[i : i+4 : i+4]
			p[0], p[1], p[2], p[3] = of(b.Min.X + i/4)
		}
	}
	switch m := m.(type) {
	case *image.NRGBA:
		return func(line []byte, y int) { copy(line, m.Pix[m.PixOffset(b.Min.X, y):]) }
	case *image.Paletted:
		var table [256]color.NRGBA // beyond the palette: transparent
		for i, c := range m.Palette {
			table[i&255] = color.NRGBAModel.Convert(c).(color.NRGBA)
		}
		return func(line []byte, y int) {
			each(line, func(x int) (uint8, uint8, uint8, uint8) {
				c := &table[m.Pix[m.PixOffset(x, y)]]
				return c.R, c.G, c.B, c.A
			})
		}
	case *image.Gray:
		return func(line []byte, y int) {
			each(line, func(x int) (uint8, uint8, uint8, uint8) {
				v := m.Pix[m.PixOffset(x, y)]
				return v, v, v, 255
			})
		}
	case *image.YCbCr:
		return func(line []byte, y int) {
			each(line, func(x int) (uint8, uint8, uint8, uint8) {
				at := m.COffset(x, y)
				r, g, b := color.YCbCrToRGB(m.Y[m.YOffset(x, y)], m.Cb[at], m.Cr[at])
				return r, g, b, 255
			})
		}
	case *image.NYCbCrA:
		return func(line []byte, y int) {
			each(line, func(x int) (uint8, uint8, uint8, uint8) {
				at := m.COffset(x, y)
				r, g, b := color.YCbCrToRGB(m.Y[m.YOffset(x, y)], m.Cb[at], m.Cr[at])
				return r, g, b, m.A[m.AOffset(x, y)]
			})
		}
	case *image.NRGBA64:
		return func(line []byte, y int) {
			each(line, func(x int) (uint8, uint8, uint8, uint8) {
				p := m.Pix[m.PixOffset(x, y):]
				return p[0], p[2], p[4], p[6]
			})
		}
	}
	return func(line []byte, y int) {
		each(line, func(x int) (uint8, uint8, uint8, uint8) {
			c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
			return c.R, c.G, c.B, c.A
		})
	}
}
