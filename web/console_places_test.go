package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rempart"
)

// TestPlaces opens, as each role, every place that its page lists, and holds the
// table against the doors.
func TestPlaces(t *testing.T) {
	for _, hub := range []bool{true, false} {
		d := newDesk(t, hub, !hub)
		d.srv.Demo = true // nobody is asked for a second factor
		for _, role := range rempart.StaffRoles {
			s := d.sit(role)
			a := s.page("/console/places")
			wellFormed(t, "places", a.body)
			_, list, _ := strings.Cut(a.body, `<ul class="places">`)
			list, _, _ = strings.Cut(list, "</ul>")
			links := strings.Count(list, "<a ")
			if links == 0 {
				t.Errorf("%s is offered nothing", role)
			}
			for range links {
				_, after, _ := strings.Cut(list, `href="`)
				to, rest, _ := strings.Cut(after, `"`)
				list = rest
				if a := s.get(strings.ReplaceAll(to, "&amp;", "&")); a.status != http.StatusOK && a.status != http.StatusSeeOther || strings.Contains(a.head.Get("Location"), "sign-in") {
					t.Errorf("%s is offered %s: %d", role, to, a.status)
				}
			}
		}
	}
	for _, x := range placeTable {
		path, _, _ := strings.Cut(x.path, "?")
		pattern := "GET " + path
		if strings.HasSuffix(path, "/") {
			pattern += "{$}"
		}
		if rule, known := doors[pattern]; !known || rule.right != x.right && rule.right != everybody && !(x.right == rempart.RightWork && rule.right == rempart.RightRead) {
			t.Errorf("%s is listed for %q, its door asks for %q", x.path, x.right, rule.right)
		}
	}
}

// TestPalette goes to a page, does what a case offers and searches, from the
// palette and by keyboard alone.
func TestPalette(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	l := d.looker(rempart.RoleAnalyst)
	l.look("places", "/console/places")
	ctrlK := chromedp.KeyEvent("k", chromedp.KeyModifiers(2))
	open := []chromedp.Action[chromedp.Void]{ctrlK, chromedp.WaitVisible(chromedp.CSS("#palette-list li"))}
	l.look("palette", "/console/cases/"+c.Ref, open...)
	visit(t, l.ctx, chromedp.KeyEvent("ecHEan"), chromedp.WaitVisible(chromedp.CSS("#palette-list li")))
	if first := eval[string](t, l.ctx, `document.querySelector('#palette-list [aria-selected="true"] span').textContent`); !strings.Contains(first, "chéance") {
		t.Errorf("what is first for echean: %q", first)
	}
	for range 12 { // the focus stays in the dialog
		visit(t, l.ctx, chromedp.KeyEvent(kb.Tab))
		if !eval[bool](t, l.ctx, `document.activeElement === document.body || document.getElementById('palette').contains(document.activeElement)`) {
			t.Fatal("the focus left the palette")
		}
	}
	visit(t, l.ctx, chromedp.KeyEvent(kb.Escape))
	if eval[bool](t, l.ctx, `document.getElementById('palette').open`) {
		t.Error("Escape leaves it open")
	}
	visit(t, l.ctx, chromedp.KeyEvent(":"), chromedp.WaitVisible(chromedp.CSS("#palette-list li")), chromedp.KeyEvent("prendre"), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS(".notice.success")))
	if got := d.reload(c).Assigned; got == nil || got.StaffID != "analyst" {
		t.Errorf("taken from the palette: %+v", got)
	}
	visit(t, l.ctx, append(open, chromedp.KeyEvent("tableau de"), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS("svg.chart")))...)
	visit(t, l.ctx, append(open, chromedp.KeyEvent(c.Ref), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.CSS(".facts-column")))...)
}
