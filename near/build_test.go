package near

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

func builderOf(n int, widths []uint8) *builder {
	rnd := rand.New(rand.NewPCG(51, 52))
	t := newTail()
	for i := range n {
		t.add(ID(i), random(rnd).Words())
	}
	return newBuilder([]*source{tailSource(t, nil)}, widths)
}

// TestFinish: the bytes of a segment are the same however many make its tables,
// and those that are put one after another are those of the segment.
func TestFinish(t *testing.T) {
	for name, widths := range cuts {
		want := build([]*source{tailSource(newTail(), nil)}, widths)
		if _, err := openSegment(want.data); err != nil {
			t.Errorf("%s, no values: %v", name, err)
		}
		want, err := builderOf(3000, widths).finish(1, func([]byte) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		var put []byte
		got, err := builderOf(3000, widths).finish(4, func(b []byte) error { put = append(put, b...); return nil })
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.data, want.data) || !bytes.Equal(put, want.data) {
			t.Errorf("%s: not the same bytes", name)
		}
		if _, err := openSegment(put); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := errors.Join(want.release(), got.release()); err != nil {
			t.Error(err)
		}
	}
}

// TestFinishFails: where the bytes cannot be put, at any of them, that is said,
// nothing more is put, and nobody works on.
func TestFinishFails(t *testing.T) {
	full := errors.New("no space")
	for fails := range 1 + 16 + 1 {
		puts := 0
		s, err := builderOf(50_000, cut(16, 16, 0, 0)).finish(2, func([]byte) error {
			if puts++; puts > fails {
				return full
			}
			return nil
		})
		if s != nil || !errors.Is(err, full) || puts != fails+1 {
			t.Errorf("put %d fails: %v after %d", fails+1, err, puts)
		}
	}
}
