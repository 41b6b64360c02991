package web

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"rempart"
	"rempart/internal/browsertest"
	"rempart/store"
)

// clip makes a harmless video of four seconds, or ends the test.
func clip(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("ffmpeg makes this test's video: %v", err)
		}
		t.Skipf("ffmpeg makes this test's video: %v", err)
	}
	name := filepath.Join(t.TempDir(), "secret-name.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "mandelbrot=size=320x240:rate=5:end_scale=0.01", "-t", "4",
		"-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", name).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	return name
}

// TestPersonVideo reports a video from a small phone, in both languages, under
// the real page's policy: the case holds the fingerprints of its images.
func TestPersonVideo(t *testing.T) {
	d := newDesk(t, true, false)
	ctx := browsertest.New(t)
	complaints, err := browsertest.Complaints(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rec := browsertest.Record(ctx)
	name := clip(t)
	for _, lang := range []string{"fr", "en"} {
		screen(t, ctx, 375, "light")
		visit(t, ctx, chromedp.Navigate(d.url+"/report?lang="+lang), chromedp.WaitVisible(chromedp.CSS("[data-picker-input]")),
			chromedp.SetUploadFiles(chromedp.CSS("[data-picker-input]"), []string{name}))
		state, err := chromedp.Run(ctx, chromedp.Poll[string](`(() => {
			const state = document.querySelector('[data-picker-list] > li').dataset.state;
			return !/waiting|working/.test(state) && state;
		})()`))
		if err != nil || state != "video_ready" {
			t.Fatalf("state %q, %v, want video_ready", state, err)
		}
		accessible(t, ctx, "/report with a video, "+lang)
		visit(t, ctx, chromedp.Click(chromedp.CSS("main button[type=submit]")), chromedp.WaitReady(chromedp.CSS(".code-card")))
	}
	for _, q := range rec.Requests() {
		if strings.Contains(q.URL+string(q.Body), "secret-name") || len(q.Body) > 4096 {
			t.Errorf("%s %s says too much: %q", q.Method, q.URL, q.Body)
		}
	}
	if got := rec.Elsewhere(d.url); len(got) > 0 {
		t.Errorf("requests to others: %v", got)
	}
	if got := complaints(); len(got) > 0 {
		t.Errorf("the browser complains: %s", got)
	}
	rows, _, err := d.db.Queue(t.Context(), store.QueueFilter{})
	d.must(err)
	if len(rows) != 2 {
		t.Fatalf("%d cases, want 2", len(rows))
	}
	c, err := d.db.CaseByRef(t.Context(), rows[0].Ref)
	d.must(err)
	count, bare := map[rempart.FingerprintType]int{}, 0
	for _, f := range c.Items[0].Fingerprints {
		if f.Form == rempart.Unbordered {
			bare++
			continue
		}
		count[f.Type]++
	}
	if images := len(c.Items[0].Fingerprints[0].Images()); images < 6 || images > 8 || count[rempart.VPDQ] != 1 || count[rempart.SHA256] != 1 || bare != 1 || len(c.Items[0].Entries) != 3 || c.Items[0].State != rempart.ItemFiled {
		t.Errorf("the item is %s with %v of %d images and %d entries, want it filed with one vpdq of 6 to 8, one of the images that end in even black, one SHA-256 and an entry for each", c.Items[0].State, count, images, len(c.Items[0].Entries))
	}
	page := d.sit(rempart.RoleAnalyst).page("/console/cases/" + c.Ref)
	page.want(t, "vidéo, ", "Vidéo 1")
}

// TestManyPrints: the fingerprints of a video are folded on a case's page.
func TestManyPrints(t *testing.T) {
	d := newDesk(t, true, false)
	var m rempart.Medium
	for i := range rempart.MaxFingerprints {
		m.Fingerprints = append(m.Fingerprints, rempart.Fingerprint{Type: rempart.PDQ, Value: fmt.Sprintf("%064x", i), Quality: 90})
	}
	sub, err := d.flow.Submit(t.Context(), rempart.Report{Lang: "fr", Media: []rempart.Medium{m}}, "")
	d.must(err)
	d.sit(rempart.RoleAnalyst).page("/console/cases/"+sub.Ref).want(t, fmt.Sprintf("%d empreintes", len(m.Fingerprints)))
}
