package pdq_test

import (
	"image"
	"testing"

	"rempart/pdq"
)

var sizes = []struct {
	name string
	w, h int
}{{"512", 512, 512}, {"HD", 1920, 1080}, {"12MP", 4000, 3000}}

func BenchmarkFromImage(b *testing.B) {
	for _, s := range sizes {
		n := draw(s.w, s.h, 0)
		y := image.NewYCbCr(n.Rect, image.YCbCrSubsampleRatio420)
		for i := range y.Y {
			y.Y[i] = n.Pix[4*i]
		}
		b.Run(s.name+"/NRGBA", func(b *testing.B) {
			for b.Loop() {
				pdq.FromImage(n)
			}
		})
		b.Run(s.name+"/YCbCr", func(b *testing.B) {
			for b.Loop() {
				pdq.FromImage(y)
			}
		})
	}
}

func BenchmarkDihedralFromLuma(b *testing.B) {
	luma, w, h := pdq.Luma(draw(512, 512, 0))
	for b.Loop() {
		if _, _, err := pdq.DihedralFromLuma(luma, w, h); err != nil {
			b.Fatal(err)
		}
	}
}
