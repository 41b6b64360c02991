//go:build ignore

// Changed-copy writes a quarter-size copy of a picture as JPEG of quality 60:
// go run scripts/changed-copy.go IN OUT. The walkthrough uses it to make what
// somebody would upload again.
package main

import (
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: go run scripts/changed-copy.go IN OUT")
	}
	in, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	defer in.Close()
	m, _, err := image.Decode(in)
	if err != nil {
		log.Fatal(err)
	}
	const k = 4 // each pixel is the mean of 4 by 4
	b := m.Bounds()
	small := image.NewRGBA(image.Rect(0, 0, b.Dx()/k, b.Dy()/k))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			var sum [3]uint32
			for j := range k {
				for i := range k {
					r, g, bl, _ := m.At(b.Min.X+x*k+i, b.Min.Y+y*k+j).RGBA()
					sum[0], sum[1], sum[2] = sum[0]+r>>8, sum[1]+g>>8, sum[2]+bl>>8
				}
			}
			small.SetRGBA(x, y, color.RGBA{uint8(sum[0] / (k * k)), uint8(sum[1] / (k * k)), uint8(sum[2] / (k * k)), 255})
		}
	}
	out, err := os.Create(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if err := jpeg.Encode(out, small, &jpeg.Options{Quality: 60}); err != nil {
		log.Fatal(err)
	}
	if err := out.Close(); err != nil {
		log.Fatal(err)
	}
}
