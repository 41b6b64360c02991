//go:build ignore

// Example-parts helps examples/run.sh: without an argument it prints a port that is free at this
// moment; with "picture FILE" or "other FILE" it draws a made-up landscape.
package main

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"
	"math"
	"net"
	"os"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) == 3 {
		if err := draw(os.Args[2], os.Args[1] == "other"); err != nil {
			log.Fatal(err)
		}
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
}

// draw paints hills under a sky, or squares of a field.
func draw(name string, field bool) error {
	const w, h = 960, 720
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{120, uint8(150 + y*80/h), 230, 255}
			for k, tall := range []float64{0.35, 0.5, 0.7} {
				if float64(y)/h > tall+0.12*math.Sin(float64(x)/w*float64(7+5*k)+float64(k)) {
					c = color.RGBA{uint8(40 + 50*k), uint8(110 - 25*k), uint8(60 + x*60/w), 255}
				}
			}
			if (x/60*7+y/60*13)%11 < 3 {
				c = color.RGBA{uint8(x * 200 / w), 200, 90, 255}
			}
			if field {
				d := math.Hypot(float64(x-w/3), float64(y-h/2))
				c = color.RGBA{uint8(128 + 120*math.Sin(d/37)), uint8(x * 255 / w), uint8((x/90*5 + y/70*11) % 7 * 36), 255}
			}
			m.Set(x, y, c)
		}
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := png.Encode(f, m); err != nil {
		return err
	}
	return f.Close()
}
