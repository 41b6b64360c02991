package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rempart/internal/browsertest"
	"rempart/internal/browsertest/axe"
)

const (
	desktop = 1280
	narrow  = 320 // WCAG 1.4.10: 320 CSS pixels without scrolling sideways
)

// runAxe gives the faults that axe-core finds, one a line: rule, help, and where.
// The argument is the rules to run, all by default.
const runAxe = `(rules) => axe.run(document, {resultTypes: ['violations'], ...(rules ? {runOnly: rules} : {})}).then((r) => r.violations.map((v) =>
	v.id + ' (' + v.impact + '): ' + v.help + ': ' + v.nodes.map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).slice(0, 3).join(' | ')).join('\n'))`

// axe runs axe-core. Between light and dark only colours differ, so that the
// dark pages are checked for contrast alone.
func (v *tour) axe(scheme string) string {
	v.t.Helper()
	if scheme == "dark" {
		return v.eval("(" + runAxe + ")(['color-contrast'])")
	}
	return v.eval("(" + runAxe + ")()")
}

// TestAccess looks at every page in both languages, light and dark, wide and
// narrow: axe-core finds nothing, nothing makes the page scroll sideways, and a
// keyboard reaches what one comes for.
func TestAccess(t *testing.T) {
	notShort(t)
	v := newTour(t)
	v.controls()
	seen := 0
	for _, p := range chosen() {
		for _, lang := range []string{"fr", "en"} {
			v.show(desktop, 900, "light")
			v.visit(p, lang)
			v.eval(axe.Source + `; ""`)
			for _, width := range []int64{desktop, narrow} {
				for _, scheme := range []string{"light", "dark"} {
					seen++
					v.show(width, 900, scheme)
					name := fmt.Sprintf("%s, %s, %s, %d px", p.name, lang, scheme, width)
					if faults := v.axe(scheme); faults != "" {
						t.Errorf("%s:\n%s", name, faults)
					}
				}
				if wide := evaluate[string](v.tab, tooWide); wide != "" {
					t.Errorf("%s, %s, %d px: scrolls sideways: %s", p.name, lang, width, wide)
				}
			}
			if lang == "fr" {
				v.walk(p)
			}
		}
	}
	if seen == 0 {
		t.Fatal("no pages")
	}
	t.Logf("%d pages, %d looks", len(chosen()), seen)
}

// controls breaks a page on purpose: a checker that finds nothing there finds
// nothing anywhere.
func (v *tour) controls() {
	v.t.Helper()
	v.show(narrow, 900, "light")
	at(onHub, text("/follow"))(v, "fr")
	v.eval(axe.Source + `; ""`)
	v.eval(`(() => {
		document.documentElement.removeAttribute("lang");
		const faults = document.createElement("div");
		faults.innerHTML = '<p id="pale">pale</p><input id="unnamed"><div id="wide">wide</div>';
		document.querySelector("main").append(faults);
		for (const [name, value] of [["color", "#bbb"], ["background", "#ccc"]]) faults.querySelector("#pale").style.setProperty(name, value);
		faults.querySelector("#wide").style.setProperty("width", "500px");
		faults.querySelector("#unnamed").style.setProperty("outline", "none");
		return "";
	})()`)
	faults := v.axe("light")
	if got := v.axe("dark"); !strings.Contains(got, "color-contrast (") {
		v.t.Errorf("axe-core does not see a pale text in the dark theme: %s", got)
	}
	for _, rule := range []string{"html-has-lang", "color-contrast", "label"} {
		if !strings.Contains(faults, rule+" (") {
			v.t.Errorf("axe-core does not see a fault of %s, put there on purpose: %s", rule, faults)
		}
	}
	if wide := evaluate[string](v.tab, tooWide); !strings.Contains(wide, `id="wide"`) {
		v.t.Errorf("an element of 500 px in %d is not seen: %q", narrow, wide)
	}
	v.do(chromedp.Focus(chromedp.CSS("#unnamed")))
	if f := evaluate[focus](v.tab, stop+`("#unnamed")`); f.Wrong == "" || !f.Main {
		v.t.Errorf("a field that does not show its focus is not seen: %+v", f)
	}
}

// tooWide names what makes the page wider than the window.
const tooWide = `(() => {
	const root = document.documentElement, width = root.clientWidth;
	if (root.scrollWidth <= width) return '';
	return root.scrollWidth + ' of ' + width + ': ' + [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > width + 1)
		.map((e) => e.outerHTML.slice(0, 60)).slice(-3).join(' … ');
})()`

// stop tells about what has the focus: a number of its own, whether it is what
// one comes for, whether it leaves the page, and what is wrong with how it shows
// that it has the focus.
const stop = `((main) => {
	const e = document.activeElement;
	if (!e || e === document.body || e === document.documentElement) return {n: -1};
	globalThis.walked ??= [];
	let n = walked.indexOf(e);
	if (n < 0) n = walked.push(e) - 1;
	const shown = [e, e.closest('label'), e.closest('tr'), e.closest('li')].filter(Boolean).some((x) => {
		const s = getComputedStyle(x);
		return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;
	});
	const r = e.getBoundingClientRect();
	let wrong = '';
	if (!shown) wrong = 'shows no focus';
	else if (r.bottom < 0 || r.top > innerHeight) wrong = 'is outside the window';
	else {
		const top = document.elementFromPoint(r.left + r.width / 2, Math.min(Math.max(r.top + r.height / 2, 1), innerHeight - 1));
		if (top?.closest('[data-leave]') && !e.matches('[data-leave]')) wrong = 'is behind the button that leaves';
	}
	return {n, wrong, main: [...document.querySelectorAll(main)].includes(e), leave: e.matches('[data-leave]'), html: e.outerHTML.slice(0, 90)};
})`

// focus is what stop gives.
type focus struct {
	N           int // -1: nothing of the page
	Wrong       string
	Main, Leave bool
	HTML        string
}

// walk goes through the page with the Tab key, in a wide and a narrow window.
func (v *tour) walk(p stopover) {
	v.t.Helper()
	for _, width := range []int64{desktop, narrow} {
		v.show(width, 700, "light")
		v.eval(`(() => { globalThis.walked = []; document.activeElement.blur(); scrollTo(0, 0); return ""; })()`)
		var main, leave bool
		seen, last := map[int]bool{}, -1
		for range 200 {
			v.do(chromedp.KeyEvent(kb.Tab))
			f := evaluate[focus](v.tab, stop+"("+quote(p.main)+")")
			if f.N < 0 {
				continue // the browser's own
			}
			if f.N == last {
				continue // another part of the same field, such as the month of a date
			}
			if seen[f.N] {
				break
			}
			seen[f.N], last = true, f.N
			if f.Wrong != "" {
				v.t.Errorf("%s, %d px: with the focus, this %s: %s", p.name, width, f.Wrong, f.HTML)
			}
			main, leave = main || f.Main, leave || f.Leave
		}
		if !main {
			v.t.Errorf("%s, %d px: %d stops of the Tab key, and none is %s", p.name, width, len(seen), p.main)
		}
		if v.has("[data-leave]") != leave {
			v.t.Errorf("%s, %d px: the Tab key does not reach the button that leaves", p.name, width)
		}
	}
}

// TestLeave leaves the person's pages quickly, by the keyboard and by the
// button.
func TestLeave(t *testing.T) {
	notShort(t)
	d := startDemo(t)
	ctx := browsertest.New(t)
	b := tab{t, ctx}
	rec := browsertest.Record(ctx)
	for k, path := range []string{"/", "/report", "/minor", "/follow", "/withdraw", "/how"} {
		b.open(d.Hub + path)
		home := b.eval(`document.querySelector("[data-leave]").href`)
		b.open(d.Hub + path + "?again") // so that there is a page to go back to
		b.do(chromedp.WaitReady(chromedp.CSS("[data-leave]")))
		before := len(rec.Requests())
		if k%2 == 0 {
			b.do(chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(kb.Escape))
		} else {
			b.do(chromedp.Focus(chromedp.CSS("[data-leave]")), chromedp.KeyEvent(kb.Enter))
		}
		left := ""
		for end := time.Now().Add(patience); left == "" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			for _, q := range rec.Requests()[before:] {
				if !strings.HasPrefix(q.URL, d.Hub) {
					left = q.URL
					if q.Header.Get("Referer") != "" {
						t.Errorf("%s: the next site is told where she was", path)
					}
				}
			}
		}
		host := strings.TrimSuffix(strings.TrimPrefix(home, "https://"), "/")
		if left != host+":443" {
			t.Errorf("%s: left to %q, want %q", path, left, host+":443")
		}
	}
}
