package media

import (
	"fmt"
	"image"
	"image/color/palette"
	"math/rand/v2"
	"testing"

	"rempart/pdq"
)

// TestUprightTypes turns every type that a decoder may return, whole and cut
// out, and checks each pixel's brightness: that it is the one of the pixel it
// came from, to the bit.
func TestUprightTypes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	fill := func(planes ...[]uint8) {
		for _, p := range planes {
			for i := range p {
				p[i] = uint8(rnd.Uint32())
			}
		}
	}
	r := image.Rect(0, 0, 23, 14)
	pal := image.NewPaletted(r, palette.Plan9)
	nrgba, rgba, cmyk := image.NewNRGBA(r), image.NewRGBA(r), image.NewCMYK(r)
	gray, gray16 := image.NewGray(r), image.NewGray16(r)
	nrgba64, rgba64 := image.NewNRGBA64(r), image.NewRGBA64(r)
	fill(pal.Pix, nrgba.Pix, rgba.Pix, cmyk.Pix, gray.Pix, gray16.Pix, nrgba64.Pix, rgba64.Pix)
	pictures := []image.Image{pal, nrgba, rgba, cmyk, gray, gray16, nrgba64, rgba64}
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		m, a := image.NewYCbCr(r, ratio), image.NewNYCbCrA(r, ratio)
		fill(m.Y, m.Cb, m.Cr, a.Y, a.Cb, a.Cr, a.A)
		pictures = append(pictures, m, a)
	}
	for _, m := range pictures {
		for _, m := range []image.Image{m, m.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(image.Rect(3, 5, 20, 12))} {
			src, w, h := pdq.Luma(m)
			for o := 1; o <= 8; o++ {
				got, gw, gh := pdq.Luma(upright(m, o))
				name := fmt.Sprintf("%T %v, orientation %d", m, m.Bounds(), o)
				if o < 5 && (gw != w || gh != h) || o >= 5 && (gw != h || gh != w) {
					t.Fatalf("%s: %d x %d", name, gw, gh)
				}
				for y := range gh {
					for x := range gw {
						sx, sy := from(o, x, y, w, h)
						if got[y*gw+x] != src[sy*w+sx] {
							t.Fatalf("%s: at %d, %d: %v, want %v", name, x, y, got[y*gw+x], src[sy*w+sx])
						}
					}
				}
			}
		}
	}
}

// from returns where in the file the pixel shown at x, y is. The file has
// w × h pixels.
func from(o, x, y, w, h int) (int, int) {
	switch o {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}

func TestPanicIsAnError(t *testing.T) {
	_, err := guard(func() (int, error) {
		var none []int
		return none[3], nil
	})
	if err == nil {
		t.Fatal("no error")
	}
	if got := (&reader{}).classify(err); got != err {
		t.Errorf("classified as %v", got)
	}
}

// TestBudgetIsGivenBack: after successes and failures the whole of it is free.
func TestBudgetIsGivenBack(t *testing.T) {
	if !budget.TryAcquire(Budget) {
		t.Fatal("some of the budget is missing")
	}
	budget.Release(Budget)
}
