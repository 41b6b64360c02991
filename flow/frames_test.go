package flow_test

import (
	"bytes"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"testing"

	"rempart"
	"rempart/flow"
	"rempart/media"
)

// TestMatchFrames: a listed picture is found in whatever frame of an animation it
// is, mirrored too, once however many frames show it, and not where it is not.
func TestMatchFrames(t *testing.T) {
	const w, h = 320, 240
	m := landscape(w, h)
	fp, err := media.Fingerprint(t.Context(), bytes.NewReader(pngOf(t, m)), media.Default)
	if err != nil {
		t.Fatal(err)
	}
	s := newSide(t, newClock(), patience)
	s.confirm(s.submit(reportOf("", rempart.Medium{Fingerprints: []rempart.Fingerprint{{Type: rempart.PDQ, Value: fp.PDQ.String(), Quality: fp.Quality}}})))
	card := func(k int) image.Image {
		out := image.NewRGBA(m.Rect)
		for y := range h {
			for x := range w {
				v := uint8((x*x*k/w + y*y/(k+1) + x*y/h) % 251)
				out.SetRGBA(x, y, color.RGBA{v, 255 - v, v / 2, 255})
			}
		}
		return out
	}
	mirrored := turned(m, w, h, func(x, y int) (int, int) { return w - 1 - x, y })
	for _, c := range []struct {
		name   string
		frames []image.Image
		found  int
		form   string
	}{
		{"in the third frame", []image.Image{card(1), card(2), m, card(3)}, 1, "original"},
		{"in three of them", []image.Image{card(1), m, m, m}, 1, "original"},
		{"mirrored", []image.Image{card(1), mirrored}, 1, "flipY"},
		{"in none", []image.Image{card(1), card(2), card(3)}, 0, ""},
	} {
		g := &gif.GIF{}
		for _, frame := range c.frames {
			p := image.NewPaletted(m.Rect, palette.Plan9)
			draw.FloydSteinberg.Draw(p, m.Rect, frame, image.Point{})
			g.Image, g.Delay = append(g.Image, p), append(g.Delay, 8)
		}
		var b bytes.Buffer
		if err := gif.EncodeAll(&b, g); err != nil {
			t.Fatal(err)
		}
		got, err := s.CheckFile(t.Context(), &b, flow.Upload{Peer: "forum"})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Matches) != c.found || c.found == 1 && got.Matches[0].Form != c.form || got.Frames != len(c.frames) || got.FramesTotal != len(c.frames) {
			t.Errorf("%s: %+v of %d frames of %d", c.name, got.Matches, got.Frames, got.FramesTotal)
		}
	}
}
