package pdq_test

import (
	"math/bits"
	"strings"
	"testing"

	"rempart/pdq"
)

// FuzzFromLuma checks, for any small picture, what is true of every PDQ: no
// more than half of the bits set, a quality of 0 to 100, and the same first
// hash from the dihedral function.
func FuzzFromLuma(f *testing.F) {
	f.Add([]byte("rempart"), uint8(7), uint8(9), uint8(1))
	f.Add([]byte{}, uint8(64), uint8(64), uint8(0))
	f.Add([]byte{0, 255}, uint8(129), uint8(200), uint8(77))
	f.Add([]byte{1, 2, 3}, uint8(4), uint8(255), uint8(5))
	f.Fuzz(func(t *testing.T, data []byte, width, height, step uint8) {
		w, h := int(width), int(height)
		luma := make([]float32, w*h)
		for i := range luma {
			luma[i] = float32(uint8(i) * step)
			if len(data) > 0 {
				luma[i] = float32(data[i%len(data)] + uint8(i/len(data))*step)
			}
		}
		r, err := pdq.FromLuma(luma, w, h)
		if err != nil {
			t.Fatal(err)
		}
		set := 0
		for _, word := range r.Hash.Words() {
			set += bits.OnesCount64(word)
		}
		if set > 128 {
			t.Errorf("%d bits set", set)
		}
		if r.Quality < 0 || r.Quality > 100 {
			t.Errorf("quality %d", r.Quality)
		}
		hashes, q, err := pdq.DihedralFromLuma(luma, w, h)
		if err != nil || q < 0 || q > 100 {
			t.Errorf("dihedral quality %d, %v", q, err)
		}
		if (w != 64 || h != 64) && (hashes[pdq.Original] != r.Hash || q != r.Quality) {
			t.Errorf("dihedral original %v, %d, hash %v", hashes[pdq.Original], q, r)
		}
		if back, err := pdq.Parse(r.Hash.String()); err != nil || back != r.Hash {
			t.Errorf("Parse(%v) = %v, %v", r.Hash, back, err)
		}
	})
}

// FuzzParse checks that what is read is written back as it was.
func FuzzParse(f *testing.F) {
	f.Add(bridge)
	f.Add("")
	f.Add(strings.Repeat("G", 64))
	f.Fuzz(func(t *testing.T, s string) {
		h, err := pdq.Parse(s)
		if err != nil {
			if h != (pdq.Hash{}) {
				t.Errorf("Parse(%q) = %v with error %v", s, h, err)
			}
			return
		}
		if h.String() != strings.ToLower(s) {
			t.Errorf("Parse(%q).String() = %s", s, h)
		}
	})
}
