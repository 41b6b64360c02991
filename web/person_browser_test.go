package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"image"
	"image/color"
	"image/png"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"rempart/internal/browsertest"
	"rempart/internal/browsertest/axe"
)

// eval returns the value of an expression or promise in the page.
func eval[T any](t *testing.T, ctx context.Context, js string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%.80s: %v", js, err)
	}
	return v
}

func visit(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// screen sets the width of the window and the theme.
func screen(t *testing.T, ctx context.Context, width int64, theme string) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: 800, DeviceScaleFactor: 1, Mobile: width < 600})
	if err != nil {
		t.Fatal(err)
	}
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
	if err != nil {
		t.Fatal(err)
	}
}

// accessible runs axe-core's rules for WCAG 2.2 A and AA and its best practices
// on the page as it stands, and checks that nothing is wider than the screen.
func accessible(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	eval[any](t, ctx, axe.Source+";0")
	found := eval[string](t, ctx, `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then((r) =>
		(r.passes.length < 10 ? 'only ' + r.passes.length + ' rules passed\n' : '') +
		r.violations.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.map((n) => n.html.slice(0, 120) + ' ' + n.any.concat(n.all, n.none).map((c) => c.message).join('; ')).join('\n  ')).join('\n'))`)
	if found != "" {
		t.Errorf("%s: %s", name, found)
	}
	if wide := eval[int](t, ctx, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
		t.Errorf("%s: %d pixels wider than the screen", name, wide)
	}
}

// pattern saves a harmless picture, as large as a small photograph.
func pattern(t *testing.T) string {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for y := range 240 {
		for x := range 320 {
			m.Set(x, y, color.RGBA{uint8(x * x / 400), uint8((x ^ y) & 0xf0), uint8(x*y/300 + y), 255})
		}
	}
	name := filepath.Join(t.TempDir(), "secret-name.png")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
	return name
}

// carries says whether a request's body holds the file's name, or any of its
// bytes as they are, in hexadecimal or in base64. Sixteen bytes are sought, as
// a code or a token may hold any three letters by chance.
func carries(body, file []byte) bool {
	if bytes.Contains(body, []byte("secret-name")) {
		return true
	}
	text, err := url.QueryUnescape(string(body))
	if err != nil {
		text = string(body)
	}
	for i := 0; i+18 <= len(file); i += 3 {
		part := file[i : i+18]
		if bytes.Contains(body, part[:16]) || strings.Contains(text, hex.EncodeToString(part[:16])) ||
			strings.Contains(text, base64.StdEncoding.EncodeToString(part)) || strings.Contains(text, base64.RawURLEncoding.EncodeToString(part)) {
			return true
		}
	}
	return false
}

// TestCarries: a search that finds nothing must be able to find.
func TestCarries(t *testing.T) {
	file, err := os.ReadFile(pattern(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{
		"the file": file, "a part": file[100:160], "in base64": []byte("picture=" + url.QueryEscape(base64.StdEncoding.EncodeToString(file))),
		"its end in hexadecimal": []byte(hex.EncodeToString(file[len(file)-40:])), "its name": []byte("name=secret-name.png"),
	} {
		if !carries(body, file) {
			t.Errorf("%s is not seen", name)
		}
	}
	if carries([]byte("code=PNGA-IHDR-0000-PNG0&media=pdq:"+strings.Repeat("5a5a33cc", 8)), file) {
		t.Error("a code is taken for a file")
	}
}

// TestPersonScreens looks at every page of the person at the width of a small
// phone and of a desk, in both languages and themes.
func TestPersonScreens(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser through every page")
	}
	d := newDesk(t, true, false)
	ctx := browsertest.New(t)
	complaints, err := browsertest.Complaints(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rec := browsertest.Record(ctx)
	name := pattern(t)
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range []struct {
		width       int64
		lang, theme string
	}{{320, "fr", "light"}, {320, "en", "dark"}, {1280, "fr", "dark"}, {1280, "en", "light"}} {
		screen(t, ctx, sc.width, sc.theme)
		at := " " + sc.lang + " " + sc.theme
		for _, to := range []string{"/", "/minor", "/report", "/follow", "/withdraw", "/how"} {
			visit(t, ctx, chromedp.Navigate(d.url+to+"?lang="+sc.lang))
			accessible(t, ctx, to+at)
		}
		visit(t, ctx, chromedp.Navigate(d.url+"/report?for=minor&lang="+sc.lang))
		accessible(t, ctx, "/report?for=minor"+at)

		// A form with a fault, a threat and a picture; then the code, a slip, the receipt, the follow-up.
		visit(t, ctx, chromedp.Navigate(d.url+"/report?lang="+sc.lang), chromedp.WaitVisible(chromedp.CSS("[data-picker-input]")),
			chromedp.SetUploadFiles(chromedp.CSS("[data-picker-input]"), []string{name}), chromedp.WaitReady(chromedp.CSS("li[data-state=ready]")))
		if eval[bool](t, ctx, `getComputedStyle(document.querySelector('.threat-box')).display !== 'none' || getComputedStyle(document.querySelector('.minor-box')).display !== 'none'`) {
			t.Error("advice is shown before an answer calls for it")
		}
		eval[any](t, ctx, `document.querySelector('[name=threat][value=money]').click(), document.querySelector('#f-addresses').value = 'data:x', 0`)
		if !eval[bool](t, ctx, `getComputedStyle(document.querySelector('.threat-box')).display === 'block'`) {
			t.Error("no advice on a threat")
		}
		accessible(t, ctx, "/report filled"+at)
		send := func(sel string) {
			visit(t, ctx, chromedp.Click(chromedp.CSS("main button[type=submit]")), chromedp.WaitReady(chromedp.CSS(sel)), chromedp.Sleep(100*time.Millisecond))
		}
		send(".problems")
		accessible(t, ctx, "/report with a fault"+at)
		if got := eval[string](t, ctx, `document.activeElement.className`); got != "problems" {
			t.Errorf("after a fault the focus is on %q", got)
		}
		eval[any](t, ctx, `document.querySelector('#f-addresses').value = 'https://exemple.test/`+strings.Repeat("long", 60)+`', 0`)
		send(".code-card")
		accessible(t, ctx, "code"+at)
		eval[any](t, ctx, `window.name = document.querySelector('[name=code]').value, document.querySelector('#last').value = 'UUUU', 0`)
		send("#e-last")
		accessible(t, ctx, "slip"+at)
		eval[any](t, ctx, `document.querySelector('#last').value = window.name.slice(-4).toLowerCase(), 0`)
		send(".receipt")
		accessible(t, ctx, "receipt"+at)
		visit(t, ctx, chromedp.Navigate(d.url+"/follow?lang="+sc.lang))
		eval[any](t, ctx, `document.querySelector('#code').value = window.name, 0`)
		send(".items")
		accessible(t, ctx, "followed"+at)
		if n := eval[int](t, ctx, `document.querySelectorAll('.items > li').length`); n != 2 {
			t.Errorf("%d items on the follow-up, want the address and the picture", n)
		}
	}
	for _, c := range complaints() {
		if !strings.Contains(c, "status of 422") { // the answers to the faults above
			t.Error(c)
		}
	}
	for _, q := range rec.Elsewhere(d.url) {
		t.Errorf("a page asked elsewhere: %s", q.URL)
	}
	for _, q := range rec.Requests() {
		if carries(q.Body, file) {
			t.Errorf("%s %s carries the file", q.Method, q.URL)
		}
		if len(q.Header["Cookie"]) > 0 {
			t.Errorf("%s %s carries a cookie", q.Method, q.URL)
		}
	}
}

// TestPickerAndAge chooses an age under 18 in the common form: the picker goes,
// a sentence takes its place, and comes back with another age. What was chosen
// before stays in sight, as its fingerprints are sent, and can be taken out.
func TestPickerAndAge(t *testing.T) {
	d := newDesk(t, true, false)
	ctx := browsertest.New(t)
	visit(t, ctx, chromedp.Navigate(d.url+"/report"), chromedp.WaitVisible(chromedp.CSS("[data-picker-input]")))
	shown := func(age string) string {
		return eval[string](t, ctx, `document.querySelector('[name=age][value="`+age+`"]').click(),
			['[data-picker-input]', '#h-media', '[data-picker-list]', '.picker-kept', '.minor-box'].map((s) => document.querySelector(s).checkVisibility() ? 'x' : '-').join('')`)
	}
	for _, c := range []struct{ age, want string }{
		{"under_15", "----x"}, {"adult", "xxx--"}, {"15_17", "----x"}, {"unknown", "xxx--"},
	} {
		if got := shown(c.age); got != c.want {
			t.Errorf("age %s, nothing chosen: %s, want %s", c.age, got, c.want)
		}
	}
	visit(t, ctx, chromedp.SetUploadFiles(chromedp.CSS("[data-picker-input]"), []string{pattern(t)}), chromedp.WaitVisible(chromedp.CSS(`[data-picker-list] > li[data-state="ready"]`)))
	for _, c := range []struct{ age, want string }{
		{"under_15", "--xxx"}, {"adult", "xxx--"}, {"15_17", "--xxx"},
	} {
		if got := shown(c.age); got != c.want {
			t.Errorf("age %s, a picture chosen: %s, want %s", c.age, got, c.want)
		}
	}
	if n := eval[int](t, ctx, `document.querySelector('[data-row-remove]').click(), document.querySelectorAll('[name=media]').length`); n != 0 {
		t.Errorf("%d fingerprints are left after the row was taken out", n)
	}
	if got := shown("15_17"); got != "----x" {
		t.Errorf("%s after it was taken out", got)
	}
}
