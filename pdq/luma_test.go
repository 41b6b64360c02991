package pdq_test

import (
	"image"
	"image/color"
	"image/color/palette"
	"math/rand/v2"
	"slices"
	"testing"

	"rempart/pdq"
)

// opaque hides the type of a picture, so that Luma reads it one pixel after
// another, through color.Color.
type opaque struct{ image.Image }

// TestFastPaths checks that each way of reading pixels gives what the slow one
// gives, transparency, odd offsets and sub-pictures included.
func TestFastPaths(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	fill := func(planes ...[]uint8) {
		for _, p := range planes {
			for i := range p {
				p[i] = uint8(rnd.Uint32())
			}
		}
	}
	r := image.Rect(-3, 5, 30, 41)
	var pictures []image.Image
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		r := r.Add(image.Pt(3, 0)) // YCbCr does not like negative offsets
		m := image.NewYCbCr(r, ratio)
		fill(m.Y, m.Cb, m.Cr)
		a := image.NewNYCbCrA(r, ratio)
		fill(a.Y, a.Cb, a.Cr, a.A)
		pictures = append(pictures, m, a)
	}
	rgba, nrgba := image.NewRGBA(r), image.NewNRGBA(r)
	gray, gray16 := image.NewGray(r), image.NewGray16(r)
	cmyk, paletted := image.NewCMYK(r), image.NewPaletted(r, append(color.Palette{
		color.Transparent, color.NRGBA{200, 100, 50, 128}, color.Gray16{0x80ff},
	}, palette.Plan9[:250]...))
	rgba64, nrgba64 := image.NewRGBA64(r), image.NewNRGBA64(r)
	alpha := image.NewAlpha(r)
	fill(nrgba.Pix, gray.Pix, gray16.Pix, cmyk.Pix, paletted.Pix, nrgba64.Pix, alpha.Pix)
	for i := range paletted.Pix {
		paletted.Pix[i] %= uint8(len(paletted.Palette))
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			rgba.Set(x, y, nrgba.At(x, y))
			rgba64.Set(x, y, nrgba64.At(x, y))
		}
	}
	pictures = append(pictures, rgba, nrgba, gray, gray16, cmyk, paletted, rgba64, nrgba64, alpha)
	type sub interface {
		SubImage(image.Rectangle) image.Image
	}
	for _, m := range slices.Clone(pictures) {
		pictures = append(pictures, m.(sub).SubImage(image.Rect(3, 7, 21, 22)))
	}
	for _, m := range pictures {
		got, w, h := pdq.Luma(m)
		want, _, _ := pdq.Luma(opaque{m})
		if w != m.Bounds().Dx() || h != m.Bounds().Dy() || len(got) != w*h {
			t.Errorf("%T: %d values for %d x %d", m, len(got), w, h)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%T %v: the fast path differs", m, m.Bounds())
		}
		if r := pdq.FromImage(m); r != pdq.FromImage(opaque{m}) {
			t.Errorf("%T: the hash differs", m)
		}
	}
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		what    string
		color   color.Color
		r, g, b float32
	}{
		{"red", color.RGBA{255, 0, 0, 255}, 255, 0, 0},
		{"green", color.NRGBA{0, 255, 0, 255}, 0, 255, 0},
		{"blue", color.RGBA64{0, 0, 0xffff, 0xffff}, 0, 0, 255},
		{"grey", color.Gray{77}, 77, 77, 77},
		{"16-bit grey is cut, not rounded", color.Gray16{0x7fff}, 127, 127, 127},
		{"16 bits are cut, not rounded", color.NRGBA64{0x01ff, 0x02ff, 0xffff, 0x1234}, 1, 2, 255},
		{"a colour counts where it does not show", color.NRGBA{10, 20, 30, 0}, 10, 20, 30},
		{"and in 16 bits", color.NRGBA64{0x80ff, 0x81ff, 0x82ff, 0}, 128, 129, 130},
		{"multiplied by nothing it is black", color.RGBA{}, 0, 0, 0},
		{"transparency is ignored", color.NRGBA{10, 20, 30, 1}, 10, 20, 30},
		{"a multiplied colour is divided", color.RGBA{64, 32, 16, 128}, 127, 63, 31},
		{"brighter than its alpha", color.RGBA{255, 255, 255, 1}, 255, 255, 255},
	} {
		want := float32(0.299*c.r) + float32(0.587*c.g) + float32(0.114*c.b)
		m := image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{c.color})
		if got, _, _ := pdq.Luma(m); got[0] != want {
			t.Errorf("%s: %v, want %v", c.what, got[0], want)
		}
	}
}

func TestNoPixels(t *testing.T) {
	for _, m := range []image.Image{
		image.NewRGBA(image.Rectangle{}), &image.YCbCr{}, &image.Paletted{}, image.NewGray(image.Rect(0, 0, 0, 9)),
	} {
		if luma, w, h := pdq.Luma(m); len(luma) != 0 || w*h != 0 {
			t.Errorf("%T: %d values, %d x %d", m, len(luma), w, h)
		}
		if r := pdq.FromImage(m); r != (pdq.Result{}) {
			t.Errorf("%T: %v", m, r)
		}
	}
}
