package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// A tab is one tab of the browser. Every step ends the test if it fails.
type tab struct {
	t   testing.TB
	ctx context.Context
}

// patience bounds one step in the browser.
const patience = 30 * time.Second

func (b tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v\nat %s: %s", err, b.eval("location.href"), words(b.text("body")))
	}
}

// speaks sets the language that the browser asks for, and what it says that it is.
func (b tab) speaks(lang, agent string) {
	b.t.Helper()
	if agent == "" {
		agent = b.eval("navigator.userAgent")
	}
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent, AcceptLanguage: lang})
		return err
	}))
}

// open goes to an address.
func (b tab) open(url string) { b.t.Helper(); b.do(chromedp.Navigate(url)) }

// click clicks on what sel finds, and waits for the page that it leads to.
func (b tab) click(sel string) *network.Response {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(sel)))
	if err != nil {
		b.t.Fatalf("clicking on %s: %v\nat %s: %s", sel, err, b.eval("location.href"), words(b.text("body")))
	}
	return r
}

// choose chooses an answer by its label, as the input itself may be small.
func (b tab) choose(name, value string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS("[name=" + name + `][value="` + value + `"]`)))
}

// fill types text into the field sel, in place of what is there.
func (b tab) fill(sel, text string) {
	b.t.Helper()
	b.do(chromedp.Focus(chromedp.CSS(sel)))
	b.eval(`(() => { document.activeElement.select(); return ''; })()`)
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// eval returns the text that an expression gives.
func (b tab) eval(expression string) string {
	b.t.Helper()
	return evaluate[string](b, expression)
}

func evaluate[T any](b tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("evaluating %.200s: %v", expression, err)
	}
	return v
}

// text returns the text that the first element of sel shows, "" without one.
func (b tab) text(sel string) string {
	b.t.Helper()
	return b.eval(`document.querySelector(` + quote(sel) + `)?.innerText ?? ''`)
}

// has tells whether the page has such an element.
func (b tab) has(sel string) bool {
	b.t.Helper()
	return evaluate[bool](b, `!!document.querySelector(`+quote(sel)+`)`)
}

// must ends the test if the page has no such element.
func (b tab) must(sel string) {
	b.t.Helper()
	if !b.has(sel) {
		b.t.Fatalf("%s has no %s: %s", b.eval("location.href"), sel, words(b.text("body")))
	}
}

// focused fails unless the focus is on what sel finds, or soon is: browsers move
// it there once the page is shown.
func (b tab) focused(sel string) {
	b.t.Helper()
	on := ""
	for range 40 {
		if on = b.eval(`((e) => e.matches(` + quote(sel) + `) ? "" : e.outerHTML.slice(0, 100))(document.activeElement)`); on == "" {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Errorf("the focus is on %s, want %s", on, sel)
}

// reloadUntil reloads the page until it has sel.
func (b tab) reloadUntil(sel string) {
	b.t.Helper()
	for end := time.Now().Add(patience); !b.has(sel); {
		if time.Now().After(end) {
			b.t.Fatalf("no %s after %v: %s", sel, patience, words(b.text("main")))
		}
		time.Sleep(150 * time.Millisecond)
		b.do(chromedp.Reload())
	}
}

// pick chooses files in the report form and waits until they are read. It
// returns the state of each row.
func (b tab) pick(files ...string) string {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS("[data-picker-input]")), chromedp.SetUploadFiles(chromedp.CSS("[data-picker-input]"), files))
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	states, err := chromedp.Run(ctx, chromedp.Poll[string](`(() => {
		const all = [...document.querySelectorAll('[data-picker-list] > li')].map((row) => row.dataset.state);
		return all.length > 0 && !all.includes('waiting') && !all.includes('working') && all.join(' ');
	})()`))
	if err != nil {
		b.t.Fatalf("waiting for the fingerprints: %v", err)
	}
	return states
}

// show sets the width and height of the window and the theme, "light" or "dark".
func (b tab) show(width, height int64, scheme string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: width, Height: height, DeviceScaleFactor: 1})
		return err
	}))
}

// signedInAs gives the browser the session of a member of the staff, or none.
func (b tab) signedInAs(s *staff) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, network.ClearBrowserCookies, cdp.Empty{}); err != nil || s == nil {
			return err
		}
		for _, c := range s.cookies() {
			if _, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{
				Name: c.Name, Value: c.Value, URL: s.base + "/console/", Path: "/console"}); err != nil {
				return err
			}
		}
		return nil
	}))
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
