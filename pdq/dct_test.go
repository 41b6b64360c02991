package pdq

import (
	"math"
	"testing"
)

// TestCosines checks that the table does not hang on the last bits of
// math.Cos, which differ between processors and languages: four units in the
// last place more or less give the same float32.
func TestCosines(t *testing.T) {
	scale := float64(float32(math.Sqrt(2.0 / side)))
	for i := range freqs {
		for j := range side {
			c := math.Cos(math.Pi / 2 / side * float64((i+1)*(2*j+1)))
			ulp := math.Nextafter(math.Abs(c), 2) - math.Abs(c)
			for n := -4.0; n <= 4; n++ {
				if got := float32(scale * (c + n*ulp)); got != cosines[i*side+j] {
					t.Errorf("frequency %d, sample %d: %v instead of %v, %v units away", i+1, j, got, cosines[i*side+j], n)
				}
			}
		}
	}
}
