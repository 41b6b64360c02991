package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"rempart/media"
	"rempart/pdq"
)

// A bordered is what worker.js says of a picture, with what is within its borders.
type bordered struct {
	PDQ        string
	Quality    int
	Unbordered *inner
}

type inner struct {
	PDQ      string
	Quality  int
	Dihedral []string
	Width    int
	Height   int
}

// inBrowser gives files to the worker of a real browser.
func inBrowser(t *testing.T, ctx context.Context, files [][]byte) []bordered {
	t.Helper()
	text, err := json.Marshal(files) // base64
	if err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[[]bordered](fmt.Sprintf(`drive.batch(%s)`, text), chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(files) {
		t.Fatalf("%d answers to %d files", len(got), len(files))
	}
	return got
}

// onServer is what package media says of a file.
func onServer(t *testing.T, file []byte) bordered {
	t.Helper()
	f, err := media.Fingerprint(t.Context(), bytes.NewReader(file), media.Default)
	if err != nil {
		t.Fatal(err)
	}
	out := bordered{PDQ: f.PDQ.String(), Quality: f.Quality}
	if in := f.Unbordered; in != nil {
		out.Unbordered = &inner{PDQ: in.PDQ.String(), Quality: in.Quality, Width: in.Width, Height: in.Height}
		for _, h := range in.Dihedral {
			out.Unbordered.Dihedral = append(out.Unbordered.Dihedral, h.String())
		}
	}
	return out
}

// sides is how many lines of border a picture has.
type sides struct{ top, bottom, left, right int }

// pad draws bars of one colour around m.
func pad(m image.Image, s sides, c color.Color) *image.RGBA {
	b := m.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx()+s.left+s.right, b.Dy()+s.top+s.bottom))
	draw.Draw(out, out.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	draw.Draw(out, b.Sub(b.Min).Add(image.Pt(s.left, s.top)), m, b.Min, draw.Src)
	return out
}

// evenPicture is one colour.
func evenPicture(w, h int, c color.Color) image.Image {
	return pad(image.NewRGBA(image.Rect(0, 0, 0, 0)), sides{h, 0, w, 0}, c)
}

// fields draws a landscape that has detail to its edges.
func fields(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			s := uint32(x/9*31+y/7*17) * 2654435761
			m.SetRGBA(x, y, color.RGBA{uint8(s>>24)/2 + uint8(y*120/h), uint8(s>>16)/3 + uint8(x*150/w), uint8(s>>8) / 2, 255})
		}
	}
	return m
}

// sky draws fields under a sky that gets brighter downwards, and to one side, with
// as much noise as a camera leaves.
func sky(w, h int) image.Image {
	rnd := rand.New(rand.NewPCG(7, 7))
	m := fields(w, h)
	for y := range h / 2 {
		for x := range w {
			n := rnd.IntN(9) + x*30/w
			m.SetRGBA(x, y, color.RGBA{uint8(100 + y*160/h + n), uint8(140 + y*120/h + n), uint8(205 + n), 255})
		}
	}
	return m
}

// TestInsideAsServer: the browser finds the same borders as package pdq, and of
// what is within them the same bits, on pictures of every kind.
func TestInsideAsServer(t *testing.T) {
	ctx := openDriver(t)
	m := fields(320, 214)
	sixtyFour := fields(64, 64)
	type vector struct {
		name string
		m    image.Image
		has  bool // a border
	}
	tests := []vector{
		{"no border", m, false},
		{"black above and below", pad(m, sides{60, 60, 0, 0}, color.Black), true},
		{"white left and right", pad(m, sides{0, 0, 120, 120}, color.White), true},
		{"grey all around", pad(m, sides{31, 17, 40, 22}, color.Gray{128}), true},
		{"red above", pad(m, sides{50, 0, 0, 0}, color.RGBA{200, 10, 20, 255}), true},
		{"blue below", pad(m, sides{0, 50, 0, 0}, color.RGBA{10, 20, 200, 255}), true},
		{"green on the left", pad(m, sides{0, 0, 33, 0}, color.RGBA{20, 180, 30, 255}), true},
		{"yellow on the right", pad(m, sides{0, 0, 0, 33}, color.RGBA{240, 230, 20, 255}), true},
		{"bars within bars", pad(pad(m, sides{30, 30, 0, 0}, color.Black), sides{0, 0, 40, 40}, color.White), true},
		{"bars within bars within bars", pad(pad(pad(m, sides{30, 30, 0, 0}, color.Black), sides{9, 9, 40, 40}, color.White), sides{5, 0, 0, 21}, color.Gray{77}), true},
		{"five rounds of bars", pad(pad(pad(pad(pad(m, sides{0, 0, 9, 9}, color.Black), sides{9, 9, 0, 0}, color.White), sides{0, 0, 9, 9}, color.Black), sides{9, 9, 0, 0}, color.White), sides{0, 0, 9, 9}, color.Black), true},
		{"a tall screen", pad(m, sides{600, 600, 0, 0}, color.Black), true},
		{"a ninth is left", pad(m, sides{860, 860, 0, 0}, color.Black), false},
		{"too thin a border", pad(m, sides{3, 3, 0, 0}, color.Black), false},
		{"just enough", pad(m, sides{4, 3, 0, 0}, color.Black), true},
		{"64 x 64 within", pad(sixtyFour, sides{20, 0, 0, 9}, color.Black), true},
		{"63 within", pad(fields(63, 100), sides{20, 20, 20, 20}, color.Black), false},
		{"a sky", sky(400, 300), false},
		{"a sky as even as paint", scene(400, 300), true},
		{"tiny", scene(4, 9), false},
		{"5 x 5", scene(5, 5), false},
		{"63 x 200", pad(fields(63, 100), sides{50, 50, 0, 0}, color.Black), false},
		{"black", evenPicture(300, 200, color.Black), false},
		{"white", evenPicture(100, 900, color.White), false},
		{"flat within", pad(evenPicture(200, 200, color.Gray{60}), sides{40, 40, 0, 0}, color.Gray{140}), false},
		{"ten rows of ground", pad(fields(300, 10), sides{190, 0, 0, 0}, color.White), false},
	}
	var files [][]byte
	for _, tt := range tests {
		files = append(files, pngOf(t, tt.m))
	}
	for k, got := range inBrowser(t, ctx, files) {
		want := onServer(t, files[k])
		if (want.Unbordered != nil) != tests[k].has {
			t.Errorf("%s: the server sees a border: %v; the test tests something else", tests[k].name, want.Unbordered != nil)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-server +browser):\n%s", tests[k].name, diff)
		}
	}
}

// TestInsideRandom compares random pictures bit for bit: bars of random sides,
// brightness and noise around noise, about and at the limits of the rule.
func TestInsideRandom(t *testing.T) {
	ctx := openDriver(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	seen, with := 0, 0
	for range 10 {
		var files [][]byte
		for range 20 {
			files = append(files, pngOf(t, randomBars(rnd)))
		}
		for k, got := range inBrowser(t, ctx, files) {
			want := onServer(t, files[k])
			if seen++; want.Unbordered != nil {
				with++
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("picture %d (-server +browser):\n%s", seen, diff)
			}
		}
	}
	t.Logf("%d pictures, %d with borders", seen, with)
	if with < seen/10 || with > seen*9/10 {
		t.Errorf("%d of %d have borders: one kind is hardly tested", with, seen)
	}
}

func randomBars(rnd *rand.Rand) image.Image {
	w, h := 1+rnd.IntN(260), 1+rnd.IntN(260)
	if rnd.IntN(4) > 0 {
		w, h = w+60, h+60
	}
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	var s [4]int
	var tint [4]color.RGBA
	for k := range s {
		if rnd.IntN(2) == 0 {
			s[k] = rnd.IntN(40)
		}
		tint[k] = color.RGBA{uint8(rnd.IntN(256)), uint8(rnd.IntN(256)), uint8(rnd.IntN(256)), 255}
		if rnd.IntN(2) == 0 {
			tint[k] = tint[0]
		}
	}
	noise, specks := 1+rnd.IntN(22), rnd.IntN(3)
	cell := 1 + rnd.IntN(24)
	for y := range h {
		for x := range w {
			v := uint32((x/cell*7919+y/cell*104729)*2654435761) ^ uint32(x*y)
			c := color.RGBA{uint8(v >> 24), uint8(v >> 16), uint8(v >> 8), 255}
			for k, in := range [4]bool{y < s[0], y >= h-s[1], x < s[2], x >= w-s[3]} {
				if !in {
					continue
				}
				n := rnd.IntN(noise)
				if rnd.IntN(64) < specks {
					n = rnd.IntN(60)
				}
				c = tint[k]
				for _, p := range []*uint8{&c.R, &c.G, &c.B} {
					*p = uint8(min(255, int(*p)+n))
				}
				break
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

// TestInsideJPEG: where a JPEG is decoded twice, by the browser and by the server,
// both decide the same, and what they take is the same picture; of photographs
// that nobody padded too.
func TestInsideJPEG(t *testing.T) {
	ctx := openDriver(t)
	var files [][]byte
	var names []string
	photo, err := os.ReadFile(fixture(t, "bridge-mods/aaa-orig.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := jpeg.Decode(bytes.NewReader(photo))
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]image.Image{
		"black above and below": pad(m, sides{185, 185, 0, 0}, color.Black),
		"white on the left":     pad(m, sides{0, 0, 211, 0}, color.White),
		"blue all around":       pad(m, sides{93, 137, 151, 79}, color.RGBA{30, 40, 160, 255}),
	} {
		for _, quality := range []int{50, 75, 95} {
			var b bytes.Buffer
			if err := jpeg.Encode(&b, p, &jpeg.Options{Quality: quality}); err != nil {
				t.Fatal(err)
			}
			files = append(files, b.Bytes())
			names = append(names, fmt.Sprintf("%s, quality %d", name, quality))
		}
	}
	padded := len(files)
	for _, pattern := range []string{"*/*.jpg", "*/*.jpeg"} {
		found, err := filepath.Glob(fixture(t, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if len(text) < 2<<20 {
				files, names = append(files, text), append(names, filepath.Base(name))
			}
		}
	}
	if len(files) < padded+10 {
		t.Fatalf("%d photographs among the fixtures", len(files)-padded)
	}
	worst, with := 0, 0
	for k, file := range files {
		got, want := inBrowser(t, ctx, [][]byte{file})[0], onServer(t, file)
		if (want.Unbordered == nil) != (got.Unbordered == nil) || k < padded && want.Unbordered == nil {
			t.Errorf("%s: server %+v, browser %+v", names[k], want.Unbordered, got.Unbordered)
			continue
		}
		if want.Unbordered == nil {
			continue
		}
		with++
		d := distance(t, got.Unbordered.PDQ, want.Unbordered.PDQ)
		if worst = max(worst, d); d > 10 {
			t.Errorf("%s: %d bits from the server's, of %d x %d and %d x %d", names[k], d, got.Unbordered.Width, got.Unbordered.Height, want.Unbordered.Width, want.Unbordered.Height)
		}
	}
	t.Logf("%d files, %d with borders, at most %d bits", len(files), with, worst)
}

// TestInsideFast: what a border costs in a photograph of 12 megapixels that has
// none, and in one that has.
func TestInsideFast(t *testing.T) {
	if testing.Short() {
		t.Skip("12 megapixels, several times")
	}
	ctx := openDriver(t)
	dir := t.TempDir()
	none := save(t, dir, "none.jpg", jpegOf(t, scene(4000, 3000)))
	bars := save(t, dir, "bars.jpg", jpegOf(t, pad(scene(4000, 2250), sides{375, 375, 0, 0}, color.Black)))
	for range 3 {
		a, b := fingerprint(t, ctx, none), fingerprint(t, ctx, bars)
		if !a.OK || !b.OK {
			t.Fatalf("%s %s", a.Code, b.Code)
		}
		t.Logf("12 megapixels: %d ms without a border, %d ms with bars", a.MS, b.MS)
	}
	cost := `(async () => {
		const { Edges } = await import('/static/js/inside.js');
		const { pdqStream } = await import('/static/js/fingerprint.js');
		const data = new Uint8ClampedArray(4000 * 60 * 4).map((_, i) => (i * 2654435761) >>> 13);
		const time = (of, end) => {
			const start = performance.now();
			for (let y = 0; y < 3000; y += 60) of.push(data, 60);
			end(of);
			return performance.now() - start;
		};
		const all = [];
		for (let i = 0; i < 3; i++) all.push({ hash: time(pdqStream(4000, 3000), (s) => s.finish()), edges: time(new Edges(4000, 3000), (e) => e.even()) });
		return all.sort((a, b) => a.edges - b.edges)[1];
	})()`
	got, err := chromedp.Run(ctx, chromedp.Evaluate[struct{ Hash, Edges float64 }](cost, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("looking for borders costs %.1f ms of %.0f, %.2f %%", got.Edges, got.Hash, 100*got.Edges/got.Hash)
	if got.Edges > got.Hash/20 {
		t.Errorf("%.1f ms beside %.1f for the hash, want a twentieth at most", got.Edges, got.Hash)
	}
}

// TestVideoInside: a video between bars has a second fingerprint, of its images
// without them; each is what the server finds in the image of that second.
func TestVideoInside(t *testing.T) {
	tool(t, "ffmpeg")
	ctx := openDriver(t)
	path := film(t, filepath.Join(t.TempDir(), "bars.mp4"), scenes(4), 2, append([]string{"-vf", "pad=640:640:0:140"}, h264...)...)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := media.FingerprintVideo(t.Context(), f, media.VideoOptions{Seconds: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.SetUploadFiles(chromedp.CSS("#files"), []string{path}))
	got, err := chromedp.Run(ctx, chromedp.Evaluate[[]bordered](`drive.video()`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	inner := want.Unbordered(pdq.Original)
	if len(got) != len(want.Features) || len(inner) != len(got) || len(got) == 0 {
		t.Fatalf("%d images here, %d on the server, %d with borders", len(got), len(want.Features), len(inner))
	}
	worst := 0
	for k, w := range inner {
		if got[k].Unbordered == nil {
			t.Fatalf("image %d has no borders here", k)
		}
		worst = max(worst, distance(t, got[k].Unbordered.PDQ, w.PDQ.String()))
	}
	t.Logf("%d images, at most %d bits from the server's", len(got), worst)
	if worst > 10 {
		t.Errorf("%d bits from the server's, want at most 10", worst)
	}
}
