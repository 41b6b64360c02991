package pdq

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// fill makes a plane out of a seed: white noise, smooth, sparse, whole
// numbers, or the brightness of colours.
func fill(width, height int, seed uint64, kind uint8) []float32 {
	rnd := rand.New(rand.NewPCG(seed, 1))
	luma := make([]float32, width*height)
	a, b := rnd.Float32(), rnd.Float32()
	for i := range luma {
		x, y := float32(i%width), float32(i/width)
		switch kind % 6 {
		case 0:
			luma[i] = rnd.Float32() * 256
		case 1:
			luma[i] = min(256, 256*(a*x/float32(width)+b*y/float32(height))/2)
		case 2:
			if rnd.IntN(50) == 0 {
				luma[i] = rnd.Float32() * 255
			}
		case 3:
			luma[i] = float32(rnd.IntN(256))
		case 4:
			luma[i] = lumaOf(uint8(rnd.Uint32()), uint8(x), uint8(y))
		case 5: // tiny and huge side by side
			luma[i] = 256
			for range rnd.IntN(60) {
				luma[i] /= 11
			}
		}
	}
	return luma
}

// compare checks the fast ways against the slow one, bit for bit.
func compare(t *testing.T, luma []float32, width, height int) {
	t.Helper()
	defer func(v bool) { vector = v }(vector)
	for _, vector = range []bool{false, vector} {
		compareOne(t, luma, width, height)
	}
}

func compareOne(t *testing.T, luma []float32, width, height int) {
	t.Helper()
	want := slowly(luma, width, height)
	got, err := FromLuma(luma, width, height)
	if err != nil || got != want {
		t.Errorf("%d x %d: FromLuma %v, %v, want %v", width, height, got, err, want)
	}
	if width >= minSide && height >= minSide {
		var fast, slow block
		p := &picture{width: width, height: height, luma: luma}
		p.block(&fast, false)
		slowShrink(&slow, luma, width, height)
		if fast != slow {
			for i := range fast {
				if fast[i] != slow[i] {
					t.Errorf("%d x %d: row %d, column %d: %v, want %v", width, height, i/side, i%side, fast[i], slow[i])
					break
				}
			}
		}
		if *dct(&fast) != *slowDCT(&slow) {
			t.Errorf("%d x %d: the transforms differ", width, height)
		}
	}
	// As bytes, in rows longer than the picture.
	whole, stride := slices.Clone(luma), width+3
	pix := make([]byte, stride*height)
	for i, v := range luma {
		pix[i/width*stride+i%width] = byte(min(v, 255))
		whole[i] = float32(byte(min(v, 255)))
	}
	want = slowly(whole, width, height)
	if got, err := FromY(pix[:len(pix)-3], stride, width, height); err != nil || got != want {
		t.Errorf("%d x %d: FromY %v, %v, want %v", width, height, got, err, want)
	}
}

func TestFastAgainstSlow(t *testing.T) {
	for i, size := range [][2]int{
		{5, 5}, {5, 700}, {700, 5}, {64, 64}, {63, 65}, {127, 129}, {128, 128}, {255, 257}, {640, 480}, {641, 13},
		{7, 8}, {8, 7}, {9, 16}, {16, 9}, {1025, 33}, {33, 1025}, {384, 385}, {1920, 108}, {40000, 6}, {6, 40000},
	} {
		for kind := range 6 {
			compare(t, fill(size[0], size[1], uint64(i), uint8(kind)), size[0], size[1])
		}
	}
}

// TestEveryWidth crosses every remainder of the widths and heights that are
// taken together.
func TestEveryWidth(t *testing.T) {
	step := 1
	if underRace {
		step = 11
	}
	for n := 5; n < 300; n += step {
		compare(t, fill(n, 21, uint64(n), uint8(n)), n, 21)
		compare(t, fill(21, n, uint64(n), uint8(n)), 21, n)
	}
}

// FuzzFastAgainstSlow is the promise of this package: the strips and the
// straightforward passes give the same bits.
func FuzzFastAgainstSlow(f *testing.F) {
	for kind := range uint8(6) {
		f.Add(uint16(5+kind), uint16(300), uint64(1), kind)
		f.Add(uint16(531), uint16(77+kind), uint64(2), kind)
		f.Add(uint16(64), uint16(64), uint64(3), kind)
	}
	f.Fuzz(func(t *testing.T, width, height uint16, seed uint64, kind uint8) {
		compare(t, fill(5+int(width)%696, 5+int(height)%696, seed, kind), 5+int(width)%696, 5+int(height)%696)
	})
}

// TestRange puts a value that is none at every place where it could be
// overlooked.
func TestRange(t *testing.T) {
	defer func(v bool) { vector = v }(vector)
	for _, vector = range []bool{false, vector} {
		for _, size := range [][2]int{{37, 21}, {64, 64}, {40, 32}, {5, 5}, {4, 9}} {
			luma := fill(size[0], size[1], 1, 0)
			for i, was := range luma {
				if underRace && i%17 != 0 && i != len(luma)-1 {
					continue
				}
				for _, v := range []float32{-1, 257, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
					luma[i] = v
					if r, err := FromLuma(luma, size[0], size[1]); !errors.Is(err, ErrLuma) || r != (Result{}) {
						t.Fatalf("%v, value %d is %v: %v, %v", size, i, v, r, err)
					}
				}
				luma[i] = float32(math.Copysign(0, -1))
				if _, err := FromLuma(luma, size[0], size[1]); err != nil {
					t.Fatalf("%v, value %d is -0: %v", size, i, err)
				}
				luma[i] = was
			}
		}
	}
}

// TestMemory: what is said to be taken is what is taken.
func TestMemory(t *testing.T) {
	for _, size := range [][2]int{{1000, 700}, {5, 9000}, {9000, 5}, {30000, 9}} {
		f := new(filter)
		var a block
		f.start(&a, size[0], size[1])
		f.quotients()
		f.luma = grow(f.luma, min(strip, size[1])*size[0])
		took := 4 * (cap(f.luma) + cap(f.ring) + cap(f.turned) + cap(f.table) + cap(f.sums) + cap(f.mid) + cap(f.rows)*side)
		if said := Memory(size[0], size[1]); int64(took) > said+4 {
			t.Errorf("%v: %d bytes, said to be %d", size, took, said)
		}
	}
}

// TestNoAllocation: once warm, hashing takes no memory.
func TestNoAllocation(t *testing.T) {
	luma := fill(300, 200, 1, 1)
	run := func() {
		if _, err := FromLuma(luma, 300, 200); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(50, run); n > 4 && !underRace {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkPlane measures a plane in memory, and the steps after the filter; the
// way that is written down is beside it in rempart bench fingerprint.
func BenchmarkPlane(b *testing.B) {
	for _, s := range []struct {
		name          string
		width, height int
	}{{"512", 512, 512}, {"HD", 1920, 1080}, {"12MP", 4000, 3000}} {
		luma := fill(s.width, s.height, 1, 3)
		pix := make([]byte, len(luma))
		for i, v := range luma {
			pix[i] = byte(v)
		}
		b.Run(fmt.Sprint(s.name, "/FromLuma"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := FromLuma(luma, s.width, s.height); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint(s.name, "/FromY"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := FromY(pix, s.width, s.width, s.height); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	var a block
	copy(a[:], fill(side, side, 1, 0))
	b.Run("dct", func(b *testing.B) {
		for b.Loop() {
			dct(&a)
		}
	})
	s := dct(&a)
	b.Run("hashOf", func(b *testing.B) {
		for b.Loop() {
			hashOf(s)
		}
	})
}
