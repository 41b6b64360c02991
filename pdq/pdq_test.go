package pdq_test

import (
	_ "embed"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"testing"

	"rempart/pdq"
)

//go:embed testdata/synthetic.json
var synthetic []byte

// A vector is a picture given by a formula, and what the reference makes of
// it: testdata/README.md.
type vector struct {
	W, H, K int
	Hash    pdq.Hash
	Quality int
	Dih     [8]pdq.Hash
	DihQ    int
}

func vectors(t *testing.T) []vector {
	t.Helper()
	var vs []vector
	if err := json.Unmarshal(synthetic, &vs); err != nil {
		t.Fatal(err)
	}
	if len(vs) == 0 {
		t.Fatal("no vectors")
	}
	return vs
}

// draw draws formula k, of testdata/README.md.
func draw(w, h, k int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			var r, g, b int
			switch k {
			case 0:
				r = x*7 + y*13 + ((x*x + y*y) >> 4)
				g = x*3 + ((x * y) >> 3) + y*5
				b = (x^y)*9 + 17
			case 1:
				r, g, b = x*255/max(1, w-1), y*255/max(1, h-1), 30
				dx, dy, s := 2*x-w, 2*y-h, min(w, h)
				if dx*dx+dy*dy < s*s/2 {
					b = 200
				}
			case 2:
				s := uint32(x/8)*2654435761 + uint32(y/8)*40503 + 12345
				s = s*1664525 + 1013904223
				r, g, b = int(s>>24), int(s>>16), int(s>>8)
			case 3:
				r, g, b = 128, 128, 128
			}
			m.SetNRGBA(x, y, color.NRGBA{uint8(r), uint8(g), uint8(b), 0xff})
		}
	}
	return m
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		m := draw(v.W, v.H, v.K)
		if got, want := pdq.FromImage(m), (pdq.Result{Hash: v.Hash, Quality: v.Quality}); got != want {
			t.Errorf("%d x %d, formula %d: got %v, want %v", v.W, v.H, v.K, got, want)
		}
		hashes, quality := pdq.DihedralFromImage(m)
		for d, got := range hashes {
			if got != v.Dih[d] {
				t.Errorf("%d x %d, formula %d, %v: got %v, want %v", v.W, v.H, v.K, pdq.Dihedral(d), got, v.Dih[d])
			}
		}
		if quality != v.DihQ {
			t.Errorf("%d x %d, formula %d: dihedral quality %d, want %d", v.W, v.H, v.K, quality, v.DihQ)
		}
	}
}

// TestDoors checks that a plane of brightness, bytes and a picture give the
// same answers, and that the plane is left as it was.
func TestDoors(t *testing.T) {
	for _, v := range vectors(t) {
		m := draw(v.W, v.H, v.K)
		luma, w, h := pdq.Luma(m)
		before := append([]float32(nil), luma...)
		got, err := pdq.FromLuma(luma, w, h)
		if err != nil || got.Hash != v.Hash || got.Quality != v.Quality {
			t.Errorf("FromLuma(%d x %d, formula %d) = %v, %v", v.W, v.H, v.K, got, err)
		}
		hashes, q, err := pdq.DihedralFromLuma(luma, w, h)
		if err != nil || hashes != v.Dih || q != v.DihQ {
			t.Errorf("DihedralFromLuma(%d x %d, formula %d): %v, %d, %v", v.W, v.H, v.K, hashes, q, err)
		}
		for i := range luma {
			if luma[i] != before[i] {
				t.Fatalf("value %d changed", i)
			}
		}
		var rgb []byte
		for p := m.Pix; len(p) > 0; p = p[4:] {
			rgb = append(rgb, p[:3]...)
		}
		got, err = pdq.FromRGB(rgb, w, h)
		if err != nil || got.Hash != v.Hash || got.Quality != v.Quality {
			t.Errorf("FromRGB(%d x %d, formula %d) = %v, %v", v.W, v.H, v.K, got, err)
		}
	}
}

func TestBadPlanes(t *testing.T) {
	nan := float32(0)
	nan /= nan
	for _, c := range []struct {
		luma []float32
		w, h int
	}{
		{make([]float32, 99), 10, 10},
		{make([]float32, 101), 10, 10},
		{make([]float32, 100), -10, -10},
		{make([]float32, 100), 0, 10},
		{nil, 1 << 32, 1 << 32},
		{[]float32{0, nan}, 2, 1},
		{[]float32{0, -1}, 2, 1},
		{[]float32{0, 1e30}, 2, 1},
	} {
		if _, err := pdq.FromLuma(c.luma, c.w, c.h); !errors.Is(err, pdq.ErrLuma) {
			t.Errorf("FromLuma(%d values, %d, %d): error %v", len(c.luma), c.w, c.h, err)
		}
		if _, _, err := pdq.DihedralFromLuma(c.luma, c.w, c.h); !errors.Is(err, pdq.ErrLuma) {
			t.Errorf("DihedralFromLuma(%d values, %d, %d): error %v", len(c.luma), c.w, c.h, err)
		}
	}
	for _, n := range []int{0, 1, 74, 76, 78} {
		if _, err := pdq.FromRGB(make([]byte, n), 5, 5); !errors.Is(err, pdq.ErrLuma) {
			t.Errorf("FromRGB(%d bytes, 5, 5): error %v", n, err)
		}
	}
	if got, err := pdq.FromLuma(nil, 0, 0); err != nil || got != (pdq.Result{}) {
		t.Errorf("FromLuma of nothing = %v, %v", got, err)
	}
}

func TestSmallest(t *testing.T) {
	for _, c := range []struct {
		w, h int
		zero bool
	}{{4, 100, true}, {100, 4, true}, {5, 5, false}, {5, 1000, false}, {1000, 5, false}} {
		got := pdq.FromImage(draw(c.w, c.h, 0))
		if (got == pdq.Result{}) != c.zero {
			t.Errorf("%d x %d: %v", c.w, c.h, got)
		}
	}
}

// TestFlat: every flat grey picture has one hash, known from the reference.
func TestFlat(t *testing.T) {
	const want = "000000002c4b11342c4b2c4b0000554b00002c4b113411342c4b585e2c4b017e"
	for _, size := range []image.Point{{5, 5}, {64, 64}, {100, 37}, {640, 480}, {1000, 3}} {
		got := pdq.FromImage(draw(size.X, size.Y, 3))
		if size.Y < 5 {
			if got != (pdq.Result{}) {
				t.Errorf("%v: %v", size, got)
			}
			continue
		}
		if got.Hash.String() != want || got.Quality != 0 {
			t.Errorf("%v: %v", size, got)
		}
	}
}
