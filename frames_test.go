package rempart

import (
	"fmt"
	"strings"
	"testing"

	"rempart/pdq"
	"rempart/vpdq"
)

// image returns hash n of 256, of which half of the bits are set and any two are
// 120 bits apart or more.
func imageHash(n int) (h pdq.Hash) {
	s := uint64(n)*0x9e3779b97f4a7c15 + 1
	for k := 0; k < 32; k += 2 {
		s ^= s << 13
		s ^= s >> 7
		s ^= s << 17
		h[k], h[k+1] = byte(s>>24), ^byte(s>>24)
	}
	return h
}

// shot is a video of one image a second, hash numbers as given.
func shot(numbers ...int) (out []vpdq.Feature) {
	for k, n := range numbers {
		out = append(out, vpdq.Feature{PDQ: imageHash(n), Quality: 90, Frame: k, Timestamp: float64(k)})
	}
	return out
}

func run(from, to int) (out []int) {
	for n := from; n < to; n++ {
		out = append(out, n)
	}
	return out
}

func TestVideoNormal(t *testing.T) {
	h := imageHash(1).String()
	got, err := Fingerprint{Type: VPDQ, Value: `["` + strings.ToUpper(h) + `,87,12.5","` + h + `,12,1.23e+03"]`, Quality: 3}.Normal()
	if want := `["` + h + `,87,12.500", "` + h + `,12,1230.000"]`; err != nil || got.Value != want || got.Quality != 87 {
		t.Errorf("%v %+v, want %s of quality 87", err, got, want)
	}
	if again, err := got.Normal(); err != nil || again != got {
		t.Errorf("normal twice: %v %+v", err, again)
	}
	if n := len(got.Images()); n != 1 || !got.Listable() {
		t.Errorf("%d images count, want the one of quality 87", n)
	}
	one := `"` + h + `,87,0",`
	for name, f := range map[string]Fingerprint{
		"none":               {Type: VPDQ, Value: "[]"},
		"hexadecimal":        {Type: VPDQ, Value: h},
		"quality":            {Type: VPDQ, Value: `["` + h + `,101,0"]`},
		"too many":           {Type: VPDQ, Value: "[" + strings.TrimSuffix(strings.Repeat(one, MaxFrames+1), ",") + "]"},
		"spaces without end": {Type: VPDQ, Value: "[" + strings.Repeat(" ", 1<<20) + strings.TrimSuffix(one, ",") + "]"},
		"form of a file":     {Type: SHA256, Value: h, Form: Unbordered},
		"unheard-of form":    {Type: PDQ, Value: h, Form: "cropped"},
	} {
		if n, err := f.Normal(); err == nil {
			t.Errorf("%s: no error, %d bytes", name, len(n.Value))
		}
	}
	most := Fingerprint{Type: VPDQ, Value: "[" + strings.TrimSuffix(strings.Repeat(one, MaxFrames), ",") + "]"}
	if n, err := most.Normal(); err != nil || len(n.Frames()) != MaxFrames {
		t.Errorf("as many images as may be: %v", err)
	}
	for _, flat := range []Fingerprint{
		{Type: VPDQ, Value: `["` + h + `,49,0"]`},
		{Type: VPDQ, Value: `["` + strings.Repeat("0", 64) + `,90,0"]`},
	} {
		if n, err := flat.Normal(); err != nil || n.Listable() {
			t.Errorf("%v: a video without one image that can be told from others is listable", err)
		}
	}
}

func TestNewVPDQ(t *testing.T) {
	long := shot(run(0, 1000)...)
	f := NewVPDQ(long, 240)
	got := f.Images()
	if len(got) != 240 || got[0].PDQ != long[0].PDQ || got[239].Timestamp < 990 {
		t.Errorf("%d images up to %.0f s, want 240 over all 1000 s", len(got), got[len(got)-1].Timestamp)
	}
	if n, err := f.Normal(); err != nil || n != f {
		t.Errorf("not in its normal form: %v", err)
	}
	dense := []vpdq.Feature{{Timestamp: 0}, {Timestamp: 0.2}, {Timestamp: 0.49}, {Timestamp: 0.51}, {Timestamp: 1}, {Timestamp: 1.4}, {Timestamp: 9}}
	var at []float64
	for _, f := range AtRate(dense, 2) {
		at = append(at, f.Timestamp)
	}
	if fmt.Sprint(at) != "[0 0.51 1 9]" {
		t.Errorf("two a second: %v", at)
	}
	flat := []vpdq.Feature{{PDQ: imageHash(1), Quality: 3}, {PDQ: imageHash(2), Quality: 40, Timestamp: 1}}
	if f := NewVPDQ(flat, 240); f.Listable() || f.Quality != 40 || len(f.Frames()) != 1 {
		t.Errorf("flat: %+v, want the best image alone, not listable", f)
	}
}

// TestVideoPolicy: what is a listed video, and what only shares an image with it.
func TestVideoPolicy(t *testing.T) {
	const card = 200 // the end card of an app
	listed := shot(append(run(0, 20), card)...)
	for _, c := range []struct {
		name      string
		query     []vpdq.Feature
		listed    []vpdq.Feature
		ok, few   bool
		query100  float64 // percentages, as counted by hand
		listed100 float64
	}{
		{"itself", listed, listed, true, false, 100, 100},
		{"a part cut out", shot(run(5, 9)...), listed, true, false, 100, 19},
		{"inside a longer one", shot(append(run(50, 150), append(run(0, 20), card)...)...), listed, true, false, 17.4, 100},
		{"the same end card", shot(append(run(50, 70), card)...), listed, false, false, 4.8, 4.8},
		{"nothing but the end card", shot(card, card, card), listed, true, true, 100, 4.8},
		{"nothing but two of its images", shot(3, card), listed, true, true, 100, 9.5},
		{"a listed video of one image, in a longer upload", shot(append(run(50, 70), 7)...), shot(7), true, false, 4.8, 100},
		{"a quarter of both", shot(append(run(0, 5), run(50, 65)...)...), listed, false, false, 25, 23.8},
		{"the first half of one is the second half of the other", shot(append(run(50, 60), run(0, 10)...)...), listed, true, false, 50, 47.6},
		{"nothing", shot(run(50, 70)...), listed, false, false, 0, 0},
		{"no images", nil, listed, false, false, 0, 0},
	} {
		m, ok := UsualVideo.Compare(c.query, c.listed)
		if ok != c.ok || m.Few != c.few || m.Query != c.query100 || m.Listed != c.listed100 {
			t.Errorf("%s: match %v, %+v, want %v, few %v, %v %% and %v %%", c.name, ok, m, c.ok, c.few, c.query100, c.listed100)
		}
	}
	m, _ := UsualVideo.Compare(shot(append(run(50, 60), run(0, 20)...)...), listed)
	if m.Offset != -10 || m.Aligned != 100 {
		t.Errorf("20 of 21 images, 10 s later: %+v", m)
	}
	backwards := shot(19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
	if m, ok := UsualVideo.Compare(backwards, listed); !ok || m.Aligned > 25 || m.Listed != 95.2 {
		t.Errorf("backwards: %v %+v, want a match in no order", ok, m)
	}
}

// TestNoticeOfVideos: a notice stays small enough to be received.
func TestNoticeOfVideos(t *testing.T) {
	var many []Fingerprint
	for k := range 20 {
		many = append(many, NewVPDQ(shot(run(k, k+50)...), 240), Fingerprint{Type: SHA256, Value: fmt.Sprintf("%064x", k)})
	}
	if !tooLong(many, 1) || len(withoutVideos(many)) != 20 {
		t.Errorf("20 videos go with a notice")
	}
	if tooLong(many[:2], 3) || !tooLong(many[:2], 50) {
		t.Errorf("one video of 50 images: too long for 3 addresses %v, for 50 %v", tooLong(many[:2], 3), tooLong(many[:2], 50))
	}
}
