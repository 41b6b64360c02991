package pdq

import (
	"math"
	"slices"
)

// freqs is the number of frequencies read in each direction: 1 to 16. The
// mean, frequency 0, is left out.
const freqs = 16

// A spectrum holds the frequencies of a block, 16 × 16, row by row.
type spectrum [freqs * freqs]float32

// cosines is the discrete cosine transform as a matrix, 16 × 64.
var cosines = func() (d [freqs * side]float32) {
	scale := float64(float32(math.Sqrt(2.0 / side)))
	for i := range freqs {
		for j := range side {
			d[i*side+j] = float32(scale * math.Cos(math.Pi/2/side*float64(i+1)*float64(2*j+1)))
		}
	}
	return d
}()

// dct returns D·A·Dᵗ, with D the cosines and a the block A. Each sum is made
// from the first term to the last.
func dct(a *block) *spectrum {
	var t [freqs * side]float32
	for i := range freqs {
		row := t[i*side : (i+1)*side]
		for k := range side {
			d := cosines[i*side+k]
			for j, v := range a[k*side : (k+1)*side] {
				row[j] += float32(d * v)
			}
		}
	}
	b := new(spectrum)
	for i := range freqs {
		for j := range freqs {
			var sum float32
			for k := range side {
				sum += float32(t[i*side+k] * cosines[j*side+k])
			}
			b[i*freqs+j] = sum
		}
	}
	return b
}

// hashOf returns the hash of a spectrum: bit k is set where value k is above
// the lower median. So 128 bits are set, fewer only where values are equal.
func hashOf(b *spectrum) Hash {
	sorted := *b
	slices.Sort(sorted[:])
	median := sorted[len(sorted)/2-1]
	var h Hash
	for k, v := range b {
		if v > median {
			h[len(h)-1-k/8] |= 1 << (k % 8)
		}
	}
	return h
}
