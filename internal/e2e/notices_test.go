package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"rempart/internal/browsertest"
)

// TestThreeNotices reads, in a browser, what the demo's three notices tell the
// person: one removed, one refused and reversed on complaint, one ignored; the
// last goes on with the clock's button and an analyst's clicks until every step
// was taken.
func TestThreeNotices(t *testing.T) {
	notShort(t)
	d := startDemo(t)
	ways := map[string]struct{ ref, code string }{}
	for _, n := range d.Notices {
		ways[n.Way] = struct{ ref, code string }{n.Case, n.Code}
	}
	if len(ways) != 3 {
		t.Fatalf("the demo tells of %d ways: %+v", len(ways), d.Notices)
	}
	b := tab{t, browsertest.New(t)}
	b.speaks("fr", "")
	b.show(375, 800, "light")
	reads := func(way string) string {
		b.open(d.Hub + "/follow")
		b.fill("input[name=code]", ways[way].code)
		b.click("main form button")
		return b.text("main")
	}
	for way, want := range map[string][]string{
		"removed":  {"nous a dit avoir retiré cette page"},
		"reversed": {"nous a dit avoir retiré cette page", "a répondu à notre contestation"},
		"ignored":  {"nous a dit avoir reçu la demande de retrait", "nous avons relancé"},
	} {
		got := reads(way)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: the person does not read %q in %q", way, w, words(got))
			}
		}
		b.picture("suivi-" + way)
	}

	analyst := tab{t, browsertest.New(t)}
	analyst.speaks("fr", "")
	analyst.show(1280, 1000, "light")
	analyst.signedInAs(signIn(t, d.AnalystLogin))
	at := d.Hub + "/console/cases/" + ways["ignored"].ref
	step := `.clock a.button[href*="/steps/"]`
	analyst.open(at)
	analyst.reloadUntil(step)
	analyst.picture("dossier-suites")
	analyst.click(step)
	analyst.click(`section a.button[href*="/notices/"]`)
	analyst.choose("good_faith", "yes")
	analyst.click(`button[value="send"]`)
	if got := reads("ignored"); !strings.Contains(got, "seconde demande") {
		for end := time.Now().Add(patience); !strings.Contains(got, "seconde demande"); got = reads("ignored") {
			if time.Now().After(end) {
				t.Fatalf("the second notice is not told: %s", words(got))
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
	analyst.click(`.demo-bar button[value="168h"]`) // she stays signed in
	analyst.open(at)
	analyst.reloadUntil(step)
	analyst.click(step)
	analyst.eval(`(() => { document.querySelector("#proof-channel").value = "form"; return ""; })()`)
	analyst.fill("#proof-ref", "formulaire 12")
	analyst.picture("etape-coordinateur")
	analyst.click(`button[value="record"]`)
	if got := reads("ignored"); !strings.Contains(got, "autorité qui surveille") || !strings.Contains(got, "reçu la demande") {
		t.Errorf("the person reads: %s", words(got))
	}
	analyst.click(`.demo-bar button[value="168h"]`)
	analyst.open(at)
	analyst.reloadUntil(`.clock button[value="done"]`)
	if got := analyst.text("main"); !strings.Contains(got, "toutes les étapes ont été faites") {
		t.Errorf("the case does not say that every step was taken")
	}
	analyst.picture("dossier-epuise")
}

// picture keeps what the tab shows, where REMPART_SCREENS says.
func (b tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("REMPART_SCREENS")
	if dir == "" {
		return
	}
	whole := true
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: &whole})
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name+".png"), shot.Data, 0o644)
	}))
}
