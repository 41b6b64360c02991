package e2e

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// shown are the pages in the documentation, by the names of their pictures.
var shown = map[string]string{
	"home": "home", "report": "report-filled", "code": "code", "follow": "followed", "minor": "minor",
	"queue": "queue", "case": "case-open", "notice": "notice-draft", "platform": "intake", "sign-in": "sign-in",
	"calendar": "calendar", "admin": "admin", "staff": "staff", "dashboard": "dashboard",
	"register": "register", "service": "register-service", "figures": "figures", "notify": "notify",
	"campaign": "campaign", "annotate": "annotate",
}

// A frame is a window that pages are pictured in, and how much of a long page.
type frame struct {
	name          string
	width         int64
	first, atMost int64 // height: of the window, and of the picture
}

var frames = []frame{{"desktop", 1280, 800, 1500}, {"phone", 375, 740, 1500}}

// maxShot is how many bytes a picture of the documentation may have.
const maxShot = 150_000

// TestPages writes the pictures of the documentation.
func TestPages(t *testing.T) {
	dir := os.Getenv("REMPART_SCREENSHOTS")
	if dir == "" {
		t.Skip("writes pictures where REMPART_SCREENSHOTS says")
	}
	all := os.Getenv("REMPART_SCREENSHOTS_ALL") != ""
	v := newTour(t)
	pictured := map[string]string{} // name of the page to name of the picture
	for picture, name := range shown {
		pictured[name] = picture
	}
	if all {
		if err := os.MkdirAll(filepath.Join(dir, "all"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	written := 0
	for _, p := range chosen() {
		picture, documented := pictured[p.name]
		if !all && !documented {
			continue
		}
		for _, lang := range []string{"fr", "en"} {
			if !all && lang != "fr" {
				continue
			}
			v.show(desktop, 800, "light")
			v.visit(p, lang)
			for _, f := range frames {
				if documented && lang == "fr" {
					shot := v.shoot(f, "light", f.atMost)
					if len(shot) > maxShot {
						t.Errorf("%s-%s.png has %d bytes, more than %d", picture, f.name, len(shot), maxShot)
					}
					save(t, dir, picture+"-"+f.name+".png", shot)
					written++
				}
				for _, scheme := range []string{"light", "dark"} {
					if all {
						save(t, filepath.Join(dir, "all"), p.name+"-"+lang+"-"+scheme+"-"+f.name+".png", v.shoot(f, scheme, 6000))
						written++
					}
				}
			}
		}
	}
	if written == 0 || !all && os.Getenv("REMPART_PAGES") == "" && written != 2*len(shown) {
		t.Errorf("%d pictures, want %d", written, 2*len(shown))
	}
	t.Logf("%d pictures in %s", written, dir)
}

// shoot pictures the page that is open, down to atMost pixels, as PNG with at
// most 256 colours.
func (v *tour) shoot(f frame, scheme string, atMost int64) []byte {
	v.t.Helper()
	v.show(f.width, f.first, scheme)
	v.eval(`(() => { document.activeElement.blur(); scrollTo(0, 0); return ""; })()`)
	height := min(max(evaluate[int64](v.tab, "document.documentElement.scrollHeight"), f.first), atMost)
	v.show(f.width, height, scheme) // so that what is fixed to the window is at its end
	var shot page.CaptureScreenshotResult
	v.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) (err error) {
		shot, err = cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng})
		return err
	}))
	m, err := png.Decode(bytes.NewReader(shot.Data))
	if err != nil {
		v.t.Fatal(err)
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&b, fewColours(m)); err != nil {
		v.t.Fatal(err)
	}
	return b.Bytes()
}

// fewColours returns m with its 256 most frequent colours; each other one
// becomes the nearest of those.
func fewColours(m image.Image) *image.Paletted {
	b := m.Bounds()
	times := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(m.At(x, y)).(color.RGBA) }
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			times[at(x, y)]++
		}
	}
	order := slices.SortedFunc(maps.Keys(times), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(times[b], times[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var p color.Palette
	for _, c := range order[:min(len(order), 256)] {
		p = append(p, c)
	}
	index := map[color.RGBA]uint8{}
	for _, c := range order {
		index[c] = uint8(p.Index(c))
	}
	out := image.NewPaletted(b, p)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			out.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	return out
}
