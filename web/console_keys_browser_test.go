package web

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rempart"
	"rempart/internal/browsertest"
	"rempart/store"
)

// TestKeyboardSession works fifty cases by keyboard alone, each taken, qualified
// and its fingerprint confirmed, one in five skipped, and prints the median time
// of a case.
func TestKeyboardSession(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser through fifty cases")
	}
	ctx := browsertest.New(t)
	complaints, err := browsertest.Complaints(ctx)
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, true, false)
	const cases = 50
	for range cases {
		d.open(rempart.AgeSaidAdult)
	}
	link, err := d.db.NewLink(context.Background(), "analyst", time.Hour)
	d.must(err)
	visit(t, ctx, chromedp.Navigate(d.url+"/console/enter?token="+link), chromedp.WaitVisible(chromedp.CSS("main button")), chromedp.Focus(chromedp.CSS("main button")))
	screen(t, ctx, 1280, "light")
	press := func(key string) { visit(t, ctx, chromedp.KeyEvent(key)) }
	// here waits until a condition holds in the page, which may be another one by then.
	here := func(what, condition string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.readyState === 'complete' && !!(`+condition+`)`))
			if err == nil && ok {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: never, %v", what, err)
			}
		}
	}
	press(kb.Enter)
	here("signed in", `document.querySelector('.alias') && document.querySelector('table.queue')`)
	press("?")
	here("the keys", `document.getElementById('keys').open && document.querySelectorAll('#keys dt').length >= 6`)
	accessible(t, ctx, "keys")
	press(kb.Escape)
	here("no keys", `!document.getElementById('keys').open`)
	press("/")
	here("the search", `document.activeElement.id === 'search'`)
	press("n?/")
	here("no key while typing", `document.getElementById('search').value.endsWith('n?/') && location.pathname === '/console/'`)
	press(kb.Escape)
	press("j")
	press("j")
	here("the second row", `document.activeElement === document.querySelectorAll('table.queue .ref a')[1]`)
	press("n")
	var took []time.Duration
	seen := map[string]bool{}
	for k := range cases {
		here("a case", `location.pathname.startsWith('/console/cases/') && document.querySelector('[data-key="n"]')`)
		at := eval[string](t, ctx, `location.pathname`)
		if seen[at] {
			t.Fatalf("case %d, %s, comes again", k, at)
		}
		seen[at] = true
		away := fmt.Sprintf(`location.pathname !== %q`, at)
		start := time.Now()
		if k%5 == 4 {
			press("s")
			here("a reason", `document.activeElement.id === 'skip-reason'`)
			press("w") // nothing: a select takes letters, and no key acts
			visit(t, ctx, chromedp.KeyEvent("\r", chromedp.KeyModifiers(2)))
		} else {
			press("t")
			here("taken", `location.search.includes('ok=case_taken')`)
			press("1")
			here("qualified", `location.search.includes('ok=qualification_confirmed')`)
			press("2")
			here("confirmed", `location.search.includes('ok=fingerprint_confirmed')`)
			press("n")
		}
		if k < cases-1 {
			here("the next", away)
		}
		took = append(took, time.Since(start))
	}
	here("the end", `location.pathname === '/console/' && document.querySelector('.notice.success')`)
	rows, _, err := d.db.Queue(context.Background(), store.QueueFilter{With: "analyst", Limit: 200})
	d.must(err)
	if len(rows) != cases*4/5 || len(seen) != cases {
		t.Errorf("%d cases taken of %d seen, want %d of %d", len(rows), len(seen), cases*4/5, cases)
	}
	events, _, err := d.db.EventsOf(context.Background(), []string{"fingerprint.confirmed", "case.skipped"}, "", 200)
	d.must(err)
	if len(events) != cases {
		t.Errorf("%d confirmed or skipped, want %d", len(events), cases)
	}
	slices.Sort(took)
	t.Logf("fifty cases by keyboard: median %v a case, the slowest %v", took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	for _, c := range complaints() {
		if !strings.Contains(c, "status of") {
			t.Error(c)
		}
	}
}
