package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"

	"rempart"
	"rempart/internal/browsertest"
	"rempart/media"
	"rempart/pdq"
	"rempart/vpdq"
)

// scenes returns n pictures that look nothing like each other.
func scenes(n int) []image.Image {
	var out []image.Image
	for k := range n {
		m := scene(640, 360)
		for y := range 360 {
			for x := range 640 {
				if (x*(k+2)/90+y*(k+1)/70)%3 == 0 {
					m.Pix[m.PixOffset(x, y)+k%3] ^= 0xff
					m.Pix[m.PixOffset(x, y)+(k+1)%3] ^= 0xf0
				}
			}
		}
		out = append(out, m)
	}
	return out
}

// film has ffmpeg make a video of the pictures, `each` seconds of each.
func film(t *testing.T, path string, pictures []image.Image, each int, args ...string) string {
	t.Helper()
	tool(t, "ffmpeg")
	dir := t.TempDir()
	for k, m := range pictures {
		save(t, dir, fmt.Sprintf("%d.png", k), pngOf(t, m))
	}
	all := []string{"-v", "error", "-framerate", fmt.Sprintf("1/%d", each), "-i", filepath.Join(dir, "%d.png"), "-pix_fmt", "yuv420p"}
	all = append(append(all, args...), path)
	if out, err := exec.Command("ffmpeg", all...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(all, " "), err, out)
	}
	return path
}

var (
	h264 = []string{"-r", "10", "-c:v", "libx264", "-preset", "ultrafast"}
	vp8  = []string{"-r", "10", "-c:v", "libvpx", "-b:v", "2M", "-deadline", "realtime", "-cpu-used", "8"}
)

// TestVideoNeverLeaves chooses videos as a person would: while they are read the
// browser sends nothing; then the form carries fingerprints of images in them.
func TestVideoNeverLeaves(t *testing.T) {
	srv := serveScripts(t, pickerPage("https://exemple.test/"))
	ctx := browsertest.New(t)
	complaints, err := browsertest.Complaints(ctx)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pictures := scenes(4)
	grey := image.NewGray(image.Rect(0, 0, 320, 240))
	clip := film(t, filepath.Join(dir, "secret-clip.mp4"), pictures, 2, h264...)
	web := film(t, filepath.Join(dir, "secret-web.webm"), pictures[:3], 2, vp8...)
	live := film(t, filepath.Join(dir, "secret-live.webm"), pictures[1:], 2, append(vp8, "-fps_mode", "cfr", "-f", "webm", "-live", "1")...) // no length written in it
	flat := film(t, filepath.Join(dir, "secret-flat.mp4"), []image.Image{grey}, 2, h264...)
	broken := save(t, dir, "secret-broken.mp4", append([]byte("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"), make([]byte, 4096)...))

	rec := browsertest.Record(ctx)
	do(t, ctx, chromedp.Navigate(srv.URL+"/"), chromedp.WaitVisible(chromedp.CSS("[data-picker-input]")))
	loaded := len(rec.Requests())
	do(t, ctx, chromedp.SetUploadFiles(chromedp.CSS("[data-picker-input]"), []string{clip, web, live, flat, broken, clip}))
	want := "video_ready video_ready video_ready video_low_quality video_exact_only duplicate"
	if got := states(t, ctx); got != want {
		t.Errorf("states %s, want %s", got, want)
	}
	if got := text(t, ctx, "[data-picker-list] > li:first-child [data-row-title]"); got != "video 1" {
		t.Errorf("the row is called %q, want video 1", got)
	}
	if sent := rec.Requests()[loaded:]; len(sent) > 0 {
		t.Errorf("reading the videos sent %d requests, the first one %s %s", len(sent), sent[0].Method, sent[0].URL)
	}
	for _, c := range complaints() {
		if !strings.Contains(c, "/test/none.png") {
			t.Errorf("the browser complains: %s", c)
		}
	}
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS("#send"))); err != nil {
		t.Fatal(err)
	}
	var form url.Values
	for _, q := range rec.Requests()[loaded:] {
		if all := fmt.Sprint(q.URL, q.Header, string(q.Body)); strings.Contains(all, "secret") || len(q.Body) > 16<<10 {
			t.Errorf("%s %s says too much: %q", q.Method, q.URL, all)
		}
		if q.Method == "POST" {
			if form, err = url.ParseQuery(string(q.Body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(rec.Elsewhere(srv.URL)) > 0 {
		t.Errorf("requests to others: %v", rec.Elsewhere(srv.URL))
	}
	if len(form["media"]) != 5 {
		t.Fatalf("%d media, want 5", len(form["media"]))
	}
	for k, expect := range []struct {
		path string
		of   []image.Image
	}{{clip, pictures}, {web, pictures[:3]}, {live, pictures[1:]}, {flat, nil}, {broken, nil}} {
		var m rempart.Medium
		if err := json.Unmarshal([]byte(form["media"][k]), &m); err != nil {
			t.Fatal(err)
		}
		var prints []vpdq.Feature
		exact, videos := 0, 0
		for _, f := range m.Fingerprints {
			switch f.Type {
			case rempart.SHA256:
				exact++
			case rempart.VPDQ:
				if f.Form == rempart.Unbordered { // these skies are as even as borders: TestVideoInside
					continue
				}
				videos++
				prints = f.Images()
			default:
				t.Errorf("%s: a fingerprint of type %s", filepath.Base(expect.path), f.Type)
			}
		}
		if exact != 1 || videos > 1 || len(prints) != len(expect.of) {
			t.Errorf("%s: %d SHA-256 and %d images, want 1 and %d", filepath.Base(expect.path), exact, len(prints), len(expect.of))
		}
		for i, picture := range expect.of {
			nearest := 256
			for _, f := range prints {
				nearest = min(nearest, f.PDQ.Distance(pdq.FromImage(picture).Hash))
			}
			if nearest > 10 {
				t.Errorf("%s: scene %d is %d bits from what was sent", filepath.Base(expect.path), i, nearest)
			}
		}
	}
}

// TestVideoAsServer compares each image taken of a video with the server's own
// reading of the same second.
func TestVideoAsServer(t *testing.T) {
	tool(t, "ffmpeg")
	ctx := openDriver(t)
	path := film(t, filepath.Join(t.TempDir(), "clip.mp4"), scenes(6), 2, h264...)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := media.FingerprintVideo(context.Background(), f, media.VideoOptions{Seconds: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.SetUploadFiles(chromedp.CSS("#files"), []string{path}))
	got, err := chromedp.Run(ctx, chromedp.Evaluate[[]struct {
		PDQ     string
		Quality int
	}](`drive.video()`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 24 || len(want.Features) != 24 {
		t.Fatalf("%d images here, %d on the server, want 24", len(got), len(want.Features))
	}
	worst := 0
	for k, w := range want.Features {
		worst = max(worst, distance(t, got[k].PDQ, w.PDQ.String()))
	}
	t.Logf("at most %d bits from the server's", worst)
	if worst > 10 {
		t.Errorf("%d bits from the server's, want at most 10", worst)
	}
}

// TestVideoUnderLoad takes the images of a video again and again on a busy
// machine: each is the one of its second, not the one before. Browsers say that
// they have moved to a time before the image of that time is there to be taken,
// and that of the last one was missed.
func TestVideoUnderLoad(t *testing.T) {
	tool(t, "timeout")
	ctx := openDriver(t)
	pictures := scenes(3)
	path := film(t, filepath.Join(t.TempDir(), "busy.webm"), pictures, 2, vp8...)
	do(t, ctx, chromedp.SetUploadFiles(chromedp.CSS("#files"), []string{path}))
	for range 6 {
		busy := exec.Command("timeout", "60", "sh", "-c", "while :; do :; done")
		if err := busy.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			busy.Process.Signal(syscall.SIGTERM) // timeout passes it on
			busy.Wait()
		}()
	}
	const times = 10
	got, err := chromedp.Run(ctx, chromedp.Evaluate[[]struct{ PDQ string }](fmt.Sprintf(`drive.glance(%d)`, times), chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 9*times {
		t.Fatalf("%d images, want those at 0, 0.5, 1 … 4 s, %d times", len(got), times)
	}
	for k, g := range got {
		if d := distance(t, g.PDQ, pdq.FromImage(pictures[k%9/4]).Hash.String()); d > 10 {
			t.Errorf("time %d, the image at %.1f s is %d bits from the picture of that time", k/9, float64(k%9)/2, d)
		}
	}
}

// TestLongVideo reads the first three minutes of a longer one, and takes another
// away while it is being read.
func TestLongVideo(t *testing.T) {
	if testing.Short() {
		t.Skip("180 images")
	}
	srv := serveScripts(t, pickerPage("https://exemple.test/"))
	ctx := browsertest.New(t)
	dir := t.TempDir()
	long := film(t, filepath.Join(dir, "long.mp4"), scenes(30), 7, "-r", "2", "-s", "160x90", "-c:v", "libx264", "-preset", "ultrafast", "-g", "4")
	do(t, ctx, chromedp.Navigate(srv.URL+"/"), chromedp.WaitVisible(chromedp.CSS("[data-picker-input]")),
		chromedp.SetUploadFiles(chromedp.CSS("[data-picker-input]"), []string{long, long}))
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.querySelector('[data-row-title]').textContent.trim() === 'video 1'`)); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-state="working"] [data-row-remove]').click()`))
	if got := states(t, ctx); got != "video_long" {
		t.Errorf("states %q, want one row, video_long", got)
	}
	value, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector('input[name="media"]').value`))
	if err != nil {
		t.Fatal(err)
	}
	var m rempart.Medium
	if err := json.Unmarshal([]byte(value), &m); err != nil {
		t.Fatal(err)
	}
	m.Fingerprints = slices.DeleteFunc(m.Fingerprints, func(f rempart.Fingerprint) bool { return f.Form != "" }) // some drawn scenes have even edges
	if len(m.Fingerprints) != 2 || m.Fingerprints[0].Type != rempart.VPDQ || m.Fingerprints[1].Type != rempart.SHA256 {
		t.Fatalf("want a vpdq and a SHA-256: %.200s", value)
	}
	images := m.Fingerprints[0].Images()
	if n := len(images); n < 26 || n > 60 || images[n-1].Timestamp < 170 || images[n-1].Timestamp >= 180 {
		t.Errorf("%d images up to %v s, want the 26 scenes of the first three minutes, or a few more", n, images[n-1].Timestamp)
	}
}
