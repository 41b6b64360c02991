package pdq_test

import (
	"bytes"
	"image"
	"image/color"
	imagedraw "image/draw"
	"image/jpeg"
	"math/rand/v2"
	"testing"

	"rempart/pdq"
)

// plainInside finds borders as inside.go describes them, one pixel after another.
func plainInside(pix []byte, stride, width, height int) image.Rectangle {
	whole := image.Rect(0, 0, width, height)
	r := whole
	for range 4 {
		before := r
		for side := range 4 {
			line := func(i int) (out []int) {
				switch side {
				case 0, 1:
					y := r.Min.Y + i
					if side == 1 {
						y = r.Max.Y - 1 - i
					}
					for x := r.Min.X; x < r.Max.X; x++ {
						out = append(out, int(pix[y*stride+x]))
					}
				default:
					x := r.Min.X + i
					if side == 3 {
						x = r.Max.X - 1 - i
					}
					for y := r.Min.Y; y < r.Max.Y; y++ {
						out = append(out, int(pix[y*stride+x]))
					}
				}
				return out
			}
			total := r.Dy()
			if side > 1 {
				total = r.Dx()
			}
			first := line(0)
			sum := 0
			for _, v := range first {
				sum += v
			}
			level := (2*sum + len(first)) / (2 * len(first))
			gone := 0
			for gone < total-1 {
				sum, far := 0, 0
				for _, v := range line(gone) {
					d := max(v-level, level-v)
					sum += d
					if d > 24 {
						far++
					}
				}
				if sum > 4*len(first) || far*64 > len(first) {
					break
				}
				gone++
			}
			switch side {
			case 0:
				r.Min.Y += gone
			case 1:
				r.Max.Y -= gone
			case 2:
				r.Min.X += gone
			case 3:
				r.Max.X -= gone
			}
			if r.Dx() < 64 || r.Dy() < 64 {
				return whole
			}
		}
		if r == before {
			break
		}
	}
	if (width-r.Dx())*32 < width && (height-r.Dy())*32 < height || r.Dx()*8 < width || r.Dy()*8 < height {
		return whole
	}
	return r
}

// bars draws a plane of noise with bars of some levels and some noise around it.
func bars(seed uint64, width, height int, top, bottom, left, right, noise int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 1))
	pix := make([]byte, width*height)
	for y := range height {
		for x := range width {
			v := rnd.IntN(256)
			if y < top || y >= height-bottom || x < left || x >= width-right {
				v = 16 + rnd.IntN(noise+1)
			}
			pix[y*width+x] = byte(v)
		}
	}
	return pix
}

func FuzzInside(f *testing.F) {
	f.Add(uint64(1), uint16(200), uint16(100), uint8(10), uint8(10), uint8(0), uint8(0), uint8(3))
	f.Add(uint64(2), uint16(130), uint16(300), uint8(0), uint8(90), uint8(30), uint8(1), uint8(9))
	f.Add(uint64(3), uint16(5), uint16(5), uint8(1), uint8(1), uint8(1), uint8(1), uint8(0))
	f.Add(uint64(4), uint16(128), uint16(128), uint8(255), uint8(0), uint8(0), uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, seed uint64, w, h uint16, top, bottom, left, right, noise uint8) {
		width, height := 1+int(w)%400, 1+int(h)%400
		pix := bars(seed, width, height, int(top), int(bottom), int(left), int(right), int(noise))
		want := plainInside(pix, width, width, height)
		got, err := pdq.InsideY(pix, width, width, height)
		if err != nil || got != want {
			t.Fatalf("%d x %d: %v, %v, want %v", width, height, got, err, want)
		}
		grey := &image.Gray{Pix: pix, Stride: width, Rect: image.Rect(0, 0, width, height)}
		if got := pdq.Inside(grey); got != want {
			t.Fatalf("%d x %d as an image: %v, want %v", width, height, got, want)
		}
	})
}

// hillside draws a landscape under an even sky, or one with clouds.
func hillside(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			s := uint32(x/9*31+y/7*17) * 2654435761
			m.SetRGBA(x, y, color.RGBA{uint8(s>>24)/2 + uint8(y*120/h), uint8(s>>16)/3 + uint8(x*150/w), uint8(s>>8) / 2, 255})
		}
	}
	return m
}

// TestInsidePadded pads a picture in every way, compresses it, and finds it again.
func TestInsidePadded(t *testing.T) {
	m := hillside(480, 320)
	want := pdq.FromImage(m)
	worst := 0
	for name, c := range map[string]struct {
		top, bottom, left, right int
		colour                   color.Gray
	}{
		"black above and below": {60, 60, 0, 0, color.Gray{}},
		"white left and right":  {0, 0, 170, 170, color.Gray{255}},
		"one side":              {0, 93, 0, 0, color.Gray{}},
		"grey all around":       {37, 41, 53, 29, color.Gray{128}},
		"a tall screen":         {600, 600, 0, 0, color.Gray{}},
	} {
		padded := image.NewRGBA(image.Rect(0, 0, 480+c.left+c.right, 320+c.top+c.bottom))
		imagedraw.Draw(padded, padded.Rect, image.NewUniform(c.colour), image.Point{}, imagedraw.Src)
		imagedraw.Draw(padded, m.Rect.Add(image.Pt(c.left, c.top)), m, image.Point{}, imagedraw.Src)
		for _, quality := range []int{95, 60} {
			var b bytes.Buffer
			if err := jpeg.Encode(&b, padded, &jpeg.Options{Quality: quality}); err != nil {
				t.Fatal(err)
			}
			back, err := jpeg.Decode(&b)
			if err != nil {
				t.Fatal(err)
			}
			if d := pdq.FromImage(back).Hash.Distance(want.Hash); d <= pdq.MatchDistance {
				t.Errorf("%s: %d bits with its borders; the test tests nothing", name, d)
			}
			r := pdq.Inside(back)
			got := pdq.FromImage(back.(*image.YCbCr).SubImage(r))
			d := got.Hash.Distance(want.Hash)
			if worst = max(worst, d); d > 20 || got.Quality < pdq.MinQuality {
				t.Errorf("%s, quality %d: %v, %d bits away, quality %d", name, quality, r, d, got.Quality)
			}
		}
	}
	t.Logf("at most %d bits", worst)
	if r := pdq.Inside(m); r != m.Rect {
		t.Errorf("a picture without borders: %v", r)
	}
}

// TestInsideEven: skies and snow give no crash and no picture of nothing.
func TestInsideEven(t *testing.T) {
	for _, level := range []uint8{0, 128, 255} {
		m := image.NewGray(image.Rect(0, 0, 300, 200))
		for i := range m.Pix {
			m.Pix[i] = level
		}
		if r := pdq.Inside(m); r != m.Rect {
			t.Errorf("all even: %v, want all of it", r)
		}
		for y := 190; y < 200; y++ { // a strip of ground under a sky
			for x := range 300 {
				m.Pix[y*300+x] = byte(x*37 ^ y*91)
			}
		}
		if r := pdq.Inside(m); r != m.Rect {
			t.Errorf("ten rows of ground: %v, want all of it", r)
		}
	}
	empty := image.NewGray(image.Rect(0, 0, 0, 0))
	if r := pdq.Inside(empty); !r.Empty() {
		t.Errorf("nothing: %v", r)
	}
}

func BenchmarkInsideNone(b *testing.B) {
	pix := bars(1, 1920, 1080, 0, 0, 0, 0, 0)
	for b.Loop() {
		if _, err := pdq.InsideY(pix, 1920, 1920, 1080); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInsideNoneHash(b *testing.B) {
	pix := bars(1, 1920, 1080, 0, 0, 0, 0, 0)
	for b.Loop() {
		if _, err := pdq.FromY(pix, 1920, 1920, 1080); err != nil {
			b.Fatal(err)
		}
	}
}
