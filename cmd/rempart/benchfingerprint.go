package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"rempart/media"
	"rempart/pdq"
)

// benchFingerprintCmd measures pictures to fingerprints, on one core.
type benchFingerprintCmd struct {
	benchFlags
	Files []string `name:"file" help:"Pictures of your own instead of drawn ones; repeat it for more."`
}

// A sample is a picture to measure.
type sample struct {
	name string
	file []byte
	path string
	goal float64 // ms, 0 for none
	peer peer
}

// Run measures and prints.
func (c *benchFingerprintCmd) Run(ctx context.Context, s streams) error {
	if err := c.begin(s, "fingerprints"); err != nil {
		return err
	}
	// One core, as the goals are: decoders and hashes may use more.
	defer oneCore()()
	dir, err := os.MkdirTemp("", "rempart-bench")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer os.RemoveAll(dir) // a temporary folder
	samples, err := c.samples(dir)
	if err != nil {
		return err
	}
	figures := benchMachine(c.Runs)
	for _, p := range samples {
		progress(s, "%s, %d kB", p.name, len(p.file)/1000)
		f, err := c.picture(ctx, p)
		if err != nil {
			return err
		}
		figures = append(figures, f...)
	}
	luma, err := c.luma()
	if err != nil {
		return err
	}
	return c.say(s, append(figures, luma...))
}

// samples returns the files named, or two drawn ones.
func (c *benchFingerprintCmd) samples(dir string) ([]sample, error) {
	var out []sample
	for _, name := range c.Files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		out = append(out, sample{name: filepath.Base(name), file: b, path: name})
	}
	if len(out) > 0 {
		return out, nil
	}
	for _, p := range []struct {
		name          string
		width, height int
		goal          float64
		peer          peer
	}{{"full-HD JPEG", 1920, 1080, 8, hmaHD}, {"12 MP JPEG", 4000, 3000, 55, hma12MP}} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, grainy(p.width, p.height), &jpeg.Options{Quality: 85}); err != nil {
			return nil, fmt.Errorf("bench: drawing: %w", err)
		}
		path := filepath.Join(dir, strconv.Itoa(p.width)+".jpg")
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
		out = append(out, sample{p.name, b.Bytes(), path, p.goal, p.peer})
	}
	return out, nil
}

// picture measures one file, whole: reading, SHA-256, decoding, PDQ and its
// eight forms. The naive way and the peer do PDQ alone.
func (c *benchFingerprintCmd) picture(ctx context.Context, p sample) ([]figure, error) {
	var err error
	var fp media.Fingerprints
	run := func(int) {
		fp, err = media.Fingerprint(ctx, bytes.NewReader(p.file), media.Default)
	}
	run(0) // warm
	ours := spreadOf(timed(4*c.Runs, run), time.Millisecond)
	if err != nil {
		return nil, fmt.Errorf("bench: %s: %w", p.name, err)
	}
	f := ours.figure(p.name+" file to PDQ", "ms")
	if p.goal > 0 {
		f = f.goal(p.goal)
	}
	var slow pdq.Result
	naive := spreadOf(timed(min(c.Runs, 3), func(int) {
		var m image.Image
		if m, _, err = image.Decode(bytes.NewReader(p.file)); err == nil {
			luma, w, h := pdq.Luma(m)
			slow, err = pdq.FromLumaSlowly(luma, w, h)
		}
	}), time.Millisecond)
	switch {
	case errors.Is(err, image.ErrFormat): // image reads fewer formats than media
	case err != nil:
		return nil, fmt.Errorf("bench: %s, the naive way: %w", p.name, err)
	default:
		f = f.naive("image/jpeg and the filter as written down", naive.median)
		// The orientation is not for the naive way, hence any of the forms.
		best := 256
		for _, h := range fp.Dihedral {
			best = min(best, h.Distance(slow.Hash))
		}
		if best > 10 && slow.Quality >= pdq.MinQuality {
			return nil, fmt.Errorf("bench: %s: the naive way gives %d other bits: what is measured is not the same work", p.name, best)
		}
	}
	var said struct{ MS float64 }
	if askPython(ctx, c.Python, pythonPDQ, &said, strconv.Itoa(c.Runs), p.path) {
		f = f.beside(peer{name: "pdqhash with PIL, as pytx", value: said.MS})
	} else {
		f = f.beside(p.peer)
	}
	figures := []figure{f}
	if djpeg, err := exec.LookPath("djpeg"); err == nil && fp.Format == "jpeg" {
		var failed error
		alone := spreadOf(timed(4*c.Runs, func(int) {
			failed = errors.Join(failed, exec.CommandContext(ctx, djpeg, "-grayscale", "-outfile", os.DevNull, p.path).Run())
		}), time.Millisecond)
		if failed == nil {
			figures = append(figures, ours.figure("the same beside decoding alone", "ms").
				beside(peer{name: "djpeg -grayscale, with its start", value: alone.median}))
		}
	}
	return figures, ctx.Err()
}

// luma measures PDQ of a plane in memory.
func (c *benchFingerprintCmd) luma() ([]figure, error) {
	const w, h = 1920, 1080
	g := grainy(w, h)
	luma := make([]float32, w*h)
	for i, v := range g.Y {
		luma[i] = float32(v)
	}
	var err error
	var fast, slow pdq.Result
	ours := spreadOf(timed(10*c.Runs, func(int) { fast, err = pdq.FromLuma(luma, w, h) }), time.Millisecond)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	naive := spreadOf(timed(c.Runs, func(int) { slow, err = pdq.FromLumaSlowly(luma, w, h) }), time.Millisecond)
	if err != nil || fast != slow {
		return nil, fmt.Errorf("bench: the filter as written down gives %v, the fast one %v: %w", slow, fast, errors.Join(err))
	}
	return []figure{ours.figure("PDQ from 1920 × 1080 luma in memory", "ms").goal(3).
		naive("the filter as written down", naive.median).beside(cppLuma)}, nil
}

// grainy draws a picture with as much detail as a photograph: waves, slopes and
// grain, in 4:2:0.
func grainy(w, h int) *image.YCbCr {
	rnd := rand.New(rand.NewPCG(1, 2))
	m := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	wave := func(n int, length float64) []float64 {
		t := make([]float64, n)
		for i := range t {
			t[i] = math.Sin(float64(i) * 2 * math.Pi / length)
		}
		return t
	}
	side := float64(w)
	x1, y1 := wave(w+h, side/3), wave(w+h, side/5)
	x2, y2 := wave(w+h, side/41), wave(w+h, side/67)
	var noise uint64
	for y := range h {
		row := m.Y[y*m.YStride:][:w]
		for x := range row {
			if x%8 == 0 {
				noise = rnd.Uint64()
			}
			grain := float64(noise>>(8*(x%8))&15) - 7.5
			v := 128 + 50*x1[x+y/2]*y1[y] + 24*x2[x]*y2[y+x/3] + 20*y1[y/2+x] + grain
			row[x] = color.Gray{uint8(min(max(v, 0), 255))}.Y
		}
	}
	for i := range m.Cb {
		y, x := i/m.CStride, i%m.CStride
		m.Cb[i] = uint8(128 + 30*x1[x])
		m.Cr[i] = uint8(128 + 30*y1[y])
	}
	return m
}
