package flow_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"testing"

	"rempart"
	"rempart/flow"
	"rempart/media"
	"rempart/pdq"
)

// TestPadded: a listed photograph is found when it was padded on any side and
// compressed, turned or not; and where the listed one is the padded one, with its
// second fingerprint, the photograph is.
func TestPadded(t *testing.T) {
	file := fixture(t, "bridge-mods/aaa-orig.jpg")
	m, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	pad := func(top, bottom, left, right int, c color.Color) []byte {
		out := image.NewRGBA(image.Rect(0, 0, w+left+right, h+top+bottom))
		draw.Draw(out, out.Rect, image.NewUniform(c), image.Point{}, draw.Src)
		draw.Draw(out, image.Rect(left, top, left+w, top+h), m, m.Bounds().Min, draw.Src)
		var b bytes.Buffer
		if err := jpeg.Encode(&b, out, &jpeg.Options{Quality: 60}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	prints := func(file []byte) (out []rempart.Fingerprint) {
		fp, err := media.Fingerprint(t.Context(), bytes.NewReader(file), media.Default)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, rempart.Fingerprint{Type: rempart.PDQ, Value: fp.PDQ.String(), Quality: fp.Quality})
		if in := fp.Unbordered; in != nil {
			out = append(out, rempart.Fingerprint{Type: rempart.PDQ, Value: in.PDQ.String(), Quality: in.Quality, Form: rempart.Unbordered})
		}
		return out
	}
	s := newSide(t, newClock(), 0)
	s.listed(prints(file)...)
	padded := map[string][]byte{
		"above and below": pad(h/3, h/3, 0, 0, color.Black),
		"left and right":  pad(0, 0, w, w, color.White),
		"one side":        pad(0, 0, w/3, 0, color.Black),
		"all around":      pad(h/4, h/5, w/6, w/4, color.Gray{90}),
	}
	for name, copy := range padded {
		found := s.look(copy, flow.Upload{})
		if len(found.Matches) != 1 || !found.Matches[0].Unbordered || found.Matches[0].Form != "original" || found.Matches[0].Distance > pdq.MatchDistance || !found.Bordered {
			t.Errorf("%s: %+v, want one match, without its borders", name, found.Matches)
			continue
		}
		t.Logf("%s: %d bits", name, found.Matches[0].Distance)

		other := newSide(t, newClock(), 0)
		ps := prints(copy)
		if len(ps) != 2 || ps[1].Form != rempart.Unbordered {
			t.Fatalf("%s: %+v, want a second fingerprint, without borders", name, ps)
		}
		other.listed(ps...)
		found = other.look(file, flow.Upload{})
		if len(found.Matches) != 1 || found.Matches[0].ListedForm != rempart.Unbordered || found.Matches[0].Unbordered {
			t.Errorf("%s, listed: %+v, want the photograph to match its second fingerprint", name, found.Matches)
		}
		if found = other.look(copy, flow.Upload{}); len(found.Matches) != 1 || found.Matches[0].Distance != 0 {
			t.Errorf("%s, itself: %+v, want one match", name, found.Matches)
		}
	}
}

// TestPaddedVideo: a video between bars is the listed one without them.
func TestPaddedVideo(t *testing.T) {
	still := fixture(t, "bridge-mods/aaa-orig.jpg")
	whole := ffmpeg(t, still, "a.mp4", append([]string{"-vf", "loop=40:1:0,setpts=N/10/TB,crop=iw/2:ih/2:n*iw/100:n*ih/100,scale=320:240", "-r", "10"}, x264...)...)
	fp, err := media.FingerprintVideo(t.Context(), bytes.NewReader(whole), media.VideoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := newSide(t, newClock(), 0)
	s.listed(rempart.NewVPDQ(rempart.AtRate(fp.Features, rempart.ListedRate), rempart.ListedFrames))
	if found := s.look(ffmpeg(t, whole, "b.mp4", append([]string{"-vf", "pad=320:568:0:164"}, x264...)...), flow.Upload{}); len(found.Matches) != 1 || !found.Matches[0].Unbordered || found.Matches[0].Video.Listed < 80 || !found.Bordered {
		t.Errorf("between black bars: %+v, want one match, without its borders", found.Matches)
	}
}
