//go:build linux

package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rempart/pdq"
)

// movingGIF draws n frames on a screen of w × h: the first one whole, the others
// in places, with transparent pixels, and with each of the disposals.
func movingGIF(t testing.TB, w, h, n int) []byte {
	t.Helper()
	return movingOf(t, w, h, n, func(i uint8) color.Color { return color.RGBA{i * 4, 255 - i*3, i * i, 255} })
}

func movingOf(t testing.TB, w, h, n int, colour func(i uint8) color.Color) []byte {
	t.Helper()
	rnd := rand.New(rand.NewPCG(7, uint64(n)))
	colours := color.Palette{color.Transparent}
	for i := range 63 {
		colours = append(colours, colour(uint8(i)))
	}
	g := &gif.GIF{Config: image.Config{Width: w, Height: h, ColorModel: colours}}
	for i := range n {
		r := image.Rect(0, 0, w, h)
		if i > 0 {
			r = image.Rect(0, 0, w/2+rnd.IntN(w/4), h/2+rnd.IntN(h/4)).Add(image.Pt(rnd.IntN(w/4), rnd.IntN(h/4)))
		}
		m := image.NewPaletted(r, colours)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				c := 1 + (x*x/w+y*(i+3)*3/h+x*y*(i+1)/w/9)*7%63
				if i > 0 && (x/9+y/7+i)%3 == 0 {
					c = 0
				}
				m.SetColorIndex(x, y, uint8(c))
			}
		}
		g.Image = append(g.Image, m)
		g.Delay = append(g.Delay, 10*(i%4))
		g.Disposal = append(g.Disposal, byte(i%4))
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// played returns every frame of an animation as it is shown.
func played(t *testing.T, data []byte) (frames []*image.NRGBA) {
	t.Helper()
	f, err := open(t.Context(), bytes.NewReader(data), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	err = f.play(t.Context(), len(f.frames), func(_ int, _ time.Duration, canvas *image.NRGBA) {
		c := image.NewNRGBA(canvas.Rect)
		copy(c.Pix, canvas.Pix)
		frames = append(frames, c)
	})
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

// TestAnimationAsOthers: frames are put together as others do, pixel by pixel:
// GIF and PNG as ffmpeg, WebP as libwebp by way of libvips.
func TestAnimationAsOthers(t *testing.T) {
	needs(t, "ffmpeg", "vips")
	const w, h, n = 90, 60, 11
	dir := t.TempDir()
	moving := movingGIF(t, w, h, n)
	// libwebp smooths the colours of a lossy picture, so these are compared by grey.
	grey := movingOf(t, w, h, n, func(i uint8) color.Color { return color.Gray{i * 4} })
	for name, data := range map[string][]byte{"a.gif": moving, "grey.gif": grey} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name  string
		off   int // greatest difference of a channel
		make  []string
		frame func(name string) []string // the command that makes raw RGBA, all frames, of it
	}{
		{"a.gif", 0, []string{"true"}, nil},
		{"a.png", 0, []string{"ffmpeg", "-v", "error", "-i", "a.gif", "-f", "apng", "a.png"}, nil},
		{"lossless.webp", 0, []string{"vips", "copy", "a.gif[n=-1]", "lossless.webp[lossless]"}, webpFrames},
		{"mixed.webp", 3, []string{"vips", "copy", "grey.gif[n=-1]", "mixed.webp[mixed,min_size,Q=90]"}, webpFrames},
		{"lossy.webp", 3, []string{"vips", "copy", "grey.gif[n=-1]", "lossy.webp[Q=90]"}, webpFrames},
	} {
		data := makes(t, dir, c.name, c.make[0], c.make[1:]...)
		line := []string{"ffmpeg", "-v", "error", "-i", c.name, "-fps_mode", "passthrough", "-pix_fmt", "rgba", "-f", "rawvideo", "all.raw"}
		if c.frame != nil {
			line = c.frame(c.name)
		}
		raw := makes(t, dir, "all.raw", line[0], line[1:]...)
		os.Remove(filepath.Join(dir, "all.raw"))
		frames := played(t, data)
		if len(raw) != 4*w*h*len(frames) || len(frames) != n {
			t.Errorf("%s: %d frames, want %d; others give %d bytes", c.name, len(frames), n, len(raw))
			continue
		}
		for i, m := range frames {
			want := raw[4*w*h*i:][:4*w*h]
			for at := 0; at < len(want); at += 4 {
				if !near(m.Pix[at:at+4], want[at:at+4], c.off) {
					t.Errorf("%s: frame %d at %d, %d: %v, want %v", c.name, i, at/4%w, at/4/w, m.Pix[at:at+4], want[at:at+4])
					break
				}
			}
		}
	}
}

func webpFrames(name string) []string {
	return []string{"vips", "rawsave", name + "[n=-1]", "all.raw"}
}

// near says whether two pixels look alike; what is transparent has no colour.
func near(a, b []byte, off int) bool {
	if a[3] == 0 && b[3] == 0 {
		return true
	}
	for k := range 4 {
		if d := int(a[k]) - int(b[k]); d > off || d < -off {
			return false
		}
	}
	return true
}

// TestFrames: what is said of an animation, and that its picture is found in
// whatever frame it is.
func TestFrames(t *testing.T) {
	data := movingGIF(t, 120, 90, 8)
	got, err := Fingerprint(t.Context(), bytes.NewReader(data), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !got.Animated || got.FramesTotal != 8 || got.FramesRead != 8 || len(got.Frames) != 8 {
		t.Fatalf("animated %v, %d frames of %d, %d hashed", got.Animated, got.FramesRead, got.FramesTotal, len(got.Frames))
	}
	if got.Frames[0].PDQ != got.PDQ || got.Frames[0].Quality != got.Quality || got.Frames[0].Dihedral != got.Dihedral {
		t.Error("the first frame is not the picture")
	}
	frames := played(t, data)
	at := 0.0
	for i, fr := range got.Frames {
		want, quality := pdq.DihedralFromImage(frames[i])
		if fr.Frame != i || fr.PDQ != want[pdq.Original] || fr.Dihedral != want || fr.Quality != quality || fr.Timestamp < at-1e-9 || fr.Timestamp > at+1e-9 {
			t.Errorf("frame %d: %+v, want %v of %d at %v", i, fr, want[0], quality, at)
		}
		at += []float64{0.1, 0.1, 0.2, 0.3}[i%4] // 0 is shown for 100 ms
	}
	for _, c := range []struct {
		lim          Limits
		read, hashed int
	}{
		{Limits{Frames: 3}, 8, 3},
		{Limits{Frames: 1}, 8, 1},
		{Limits{FramePixels: 1}, 1, 1},
		{Limits{FramePixels: 120 * 90 * 3}, 3, 3},
	} {
		if c.lim.FramePixels > 1 {
			c.read, c.hashed = 0, 3 // the later frames are smaller: as many as fit
			for left := c.lim.FramePixels; left >= 0; c.read++ {
				f, _ := open(t.Context(), bytes.NewReader(data), Limits{})
				left -= int64(f.frames[c.read].place.Dx() * f.frames[c.read].place.Dy())
			}
			c.read--
		}
		got, err := Fingerprint(t.Context(), bytes.NewReader(data), c.lim)
		if err != nil || got.FramesRead != c.read || len(got.Frames) != c.hashed || got.FramesTotal != 8 || got.Frames[0].Frame != 0 {
			t.Errorf("%+v: %d read, %d hashed, %v, want %d and %d", c.lim, got.FramesRead, len(got.Frames), err, c.read, c.hashed)
		}
	}
	still, err := Fingerprint(t.Context(), bytes.NewReader(movingGIF(t, 120, 90, 1)), Limits{})
	if err != nil || still.Frames != nil || still.FramesRead != 0 || still.FramesTotal != 0 {
		t.Errorf("one frame: %+v, %v", still.Frames, err)
	}
}

// TestFramesTurned: a WebP that moves and must be turned is turned in each frame.
func TestFramesTurned(t *testing.T) {
	needs(t, "vips")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.gif"), movingGIF(t, 120, 90, 4), 0o600); err != nil {
		t.Fatal(err)
	}
	data := makes(t, dir, "a.webp", "vips", "copy", "a.gif[n=-1]", "a.webp[lossless,strip]")
	plain, err := Fingerprint(t.Context(), bytes.NewReader(data), Limits{})
	if err != nil || len(plain.Frames) != 4 {
		t.Fatalf("%d frames, %v", len(plain.Frames), err)
	}
	block := []byte{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0}
	if at := bytes.Index(data, []byte("EXIF")); at > 0 {
		data = data[:at] // one of the encoder's own
	}
	turned := append(bytes.Clone(data), "EXIF\x1a\x00\x00\x00"...)
	turned = append(turned, block...)
	binary.LittleEndian.PutUint32(turned[4:], uint32(len(turned)-8))
	got, err := Fingerprint(t.Context(), bytes.NewReader(turned), Limits{})
	if err != nil || got.Orientation != 6 || got.Width != 90 || got.Height != 120 || len(got.Frames) != 4 {
		t.Fatalf("orientation %d, %d x %d, %d frames, %v", got.Orientation, got.Width, got.Height, len(got.Frames), err)
	}
	for i, fr := range got.Frames {
		found := false
		for _, h := range plain.Frames[i].Dihedral {
			found = found || fr.PDQ.Distance(h) <= 10
		}
		if !found || fr.PDQ == plain.Frames[i].PDQ {
			t.Errorf("frame %d: %v is none of %v turned", i, fr.PDQ, plain.Frames[i].PDQ)
		}
	}
}

// TestCutAnimation: an animation that ends within a frame is refused, wherever
// that is; one that lacks its trailer alone is not.
func TestCutAnimation(t *testing.T) {
	needs(t, "vips", "ffmpeg")
	dir := t.TempDir()
	moving := movingGIF(t, 60, 40, 5)
	if err := os.WriteFile(filepath.Join(dir, "a.gif"), moving, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"gif":  moving,
		"webp": makes(t, dir, "a.webp", "vips", "copy", "a.gif[n=-1]", "a.webp[lossless,strip]"),
		"apng": makes(t, dir, "a.png", "ffmpeg", "-v", "error", "-i", "a.gif", "-f", "apng", "a.png"),
	} {
		whole, err := Fingerprint(t.Context(), bytes.NewReader(data), Limits{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		refused := 0
		for n := 1; n < len(data); n += 7 {
			got, err := Fingerprint(t.Context(), bytes.NewReader(data[:n]), Limits{})
			switch {
			case err == nil && name == "png":
				t.Errorf("%s: read from %d bytes of %d", name, n, len(data))
			case err == nil && got.FramesTotal < whole.FramesTotal:
				t.Logf("%s of %d bytes: %d frames end where a frame does", name, n, got.FramesTotal)
			case errors.Is(err, ErrTruncated):
				refused++
			case err != nil && !errors.Is(err, ErrNotPicture):
				t.Errorf("%s of %d bytes: %v", name, n, err)
			}
		}
		if refused < len(data)/7*9/10 {
			t.Errorf("%s: %d of %d parts were refused", name, refused, len(data)/7)
		}
	}
}

// TestAnimationBombs: what an animation costs is known from its scan.
func TestAnimationBombs(t *testing.T) {
	// Frames of 5000 x 5000 that are whole, as a run of one colour packs well.
	one := image.NewPaletted(image.Rect(0, 0, 5000, 5000), color.Palette{color.Black, color.White})
	var b bytes.Buffer
	if err := gif.Encode(&b, one, &gif.Options{NumColors: 2}); err != nil {
		t.Fatal(err)
	}
	head, body := b.Bytes()[:13+6], b.Bytes()[13+6:b.Len()-1]
	large := append(bytes.Clone(head), bytes.Repeat(body, 200)...)
	small := []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff")
	small = append(small, bytes.Repeat([]byte(",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"), 1_000_000)...)
	const most = 60e6 // a third of the default, as the race detector is slow
	for name, data := range map[string][]byte{"200 frames of 25 megapixels": large, "a million frames of a pixel": small} {
		start := time.Now()
		got, err := Fingerprint(t.Context(), bytes.NewReader(data), Limits{FramePixels: most})
		took := time.Since(start)
		t.Logf("%s: %d bytes, %d hashed, %d read of %d, in %v: %v", name, len(data), len(got.Frames), got.FramesRead, got.FramesTotal, took, err)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		pixels := int64(got.FramesRead) * int64(got.Width) * int64(got.Height)
		if pixels > most || got.FramesRead > maxFrames || len(got.Frames) > Default.Frames || got.FramesTotal < 200 {
			t.Errorf("%s: %d megapixels, %d frames, %d hashed of %d", name, pixels/1e6, got.FramesRead, len(got.Frames), got.FramesTotal)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := Fingerprint(ctx, bytes.NewReader(large), Limits{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
		t.Errorf("given up after 300 ms: %v after %v", err, time.Since(start))
	}
}

// TestHiddenStill: an animated PNG of which the still picture is none of its
// frames is known by both.
func TestHiddenStill(t *testing.T) {
	encode := func(k int) []byte {
		m := image.NewNRGBA(image.Rect(0, 0, 96, 80))
		for i := range m.Pix {
			x, y := i/4%96, i/4/96
			m.Pix[i] = byte(x*x*k/9 + y*7/k + x*y/(k+3))
			if i%4 == 3 {
				m.Pix[i] = 255
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	idat := func(file []byte) (body []byte) {
		for id, chunk := range pngChunks(file) {
			if id == "IDAT" {
				body = append(body, chunk[8:len(chunk)-4]...)
			}
		}
		return body
	}
	control := func(number int) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(number))
		for _, n := range []uint32{96, 80, 0, 0} {
			b = binary.BigEndian.AppendUint32(b, n)
		}
		return append(b, 0, 1, 0, 2, 0, 0) // half a second, nothing left, replace
	}
	files := [][]byte{encode(2), encode(3), encode(5)}
	out := bytes.Clone(files[0][:8+25])
	out = appendPNG(out, "acTL", []byte{0, 0, 0, 2, 0, 0, 0, 0})
	out = appendPNG(out, "IDAT", idat(files[0]))
	for i, file := range files[1:] {
		out = appendPNG(out, "fcTL", control(2*i))
		out = appendPNG(out, "fdAT", append([]byte{0, 0, 0, byte(2*i + 1)}, idat(file)...))
	}
	out = appendPNG(out, "IEND", nil)
	got, err := Fingerprint(t.Context(), bytes.NewReader(out), Limits{})
	if err != nil || len(got.Frames) != 2 {
		t.Fatalf("%d frames, %v", len(got.Frames), err)
	}
	for i, file := range files {
		want, err := Fingerprint(t.Context(), bytes.NewReader(file), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		is := got.PDQ
		if i > 0 {
			is = got.Frames[i-1].PDQ
			if at := fmt.Sprint(got.Frames[i-1].Timestamp); at != []string{"0", "0.5"}[i-1] {
				t.Errorf("frame %d at %s s", i-1, at)
			}
		}
		if is != want.PDQ {
			t.Errorf("picture %d: %v, want %v", i, is, want.PDQ)
		}
	}
}
