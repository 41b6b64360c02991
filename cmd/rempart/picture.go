package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
)

// draw draws harmless picture n: hills under a sky with a sun. A flat one is
// plain grey, too flat to be told from others.
func draw(n int, flat bool) image.Image {
	const w, h = 480, 360
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	f := float64(n)
	sunX, sunY := 60+math.Mod(f*137, 360), 50+math.Mod(f*29, 70)
	for y := range h {
		for x := range w {
			c := color.RGBA{128, 128, 128, 255}
			if !flat {
				c = hills(float64(x), float64(y), f, sunX, sunY)
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func hills(x, y, f, sunX, sunY float64) color.RGBA {
	c := color.RGBA{uint8(120 + y/4), uint8(170 + y/6), 235, 255}
	if math.Hypot(x-sunX, y-sunY) < 26+4*f {
		c = color.RGBA{255, 226, 120, 255}
	}
	for k := 1.0; k <= 4; k++ {
		top := 110 + 48*k + 34*math.Sin(x/(38+9*k)+f*k) + 16*math.Sin(x/(13+2*f)+k)
		if y > top {
			stripe := math.Sin((y-top)/(5+k)+x/(21+3*f)) * 14
			c = color.RGBA{uint8(150 - 28*k + stripe), uint8(170 - 22*k + stripe), uint8(110 - 18*k), 255}
		}
	}
	return c
}

// shrink returns a picture k times smaller, each pixel the mean of k by k.
func shrink(m image.Image, k int) image.Image {
	b := m.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx()/k, b.Dy()/k))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			var r, g, bl uint32
			for j := range k {
				for i := range k {
					pr, pg, pb, _ := m.At(b.Min.X+x*k+i, b.Min.Y+y*k+j).RGBA()
					r, g, bl = r+pr>>8, g+pg>>8, bl+pb>>8
				}
			}
			n := uint32(k * k)
			out.SetRGBA(x, y, color.RGBA{uint8(r / n), uint8(g / n), uint8(bl / n), 255})
		}
	}
	return out
}

// pngOf returns a picture as PNG, and the SHA-256 of the file.
func pngOf(m image.Image) ([]byte, string) {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic("rempart: demo: " + err.Error()) // a drawing of ours into memory
	}
	sum := sha256.Sum256(b.Bytes())
	return b.Bytes(), hex.EncodeToString(sum[:])
}

func jpegOf(m image.Image, quality int) (io.Reader, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("draw: %w", err)
	}
	return &b, nil
}

// demoPictures writes the pictures that a newcomer tries the demo with.
func demoPictures(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	const n = 7
	b, _ := pngOf(draw(n, false))
	if err := os.WriteFile(filepath.Join(dir, "collines.png"), b, 0o644); err != nil {
		return err
	}
	r, err := jpegOf(shrink(draw(n, false), 2), 60)
	if err != nil {
		return err
	}
	c, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "collines-copie.jpg"), c, 0o644)
}
