package web

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"rempart"
	"rempart/internal/browsertest"
)

// A looker looks at pages of the console in a browser: at two widths, in both
// languages and themes. With REMPART_SCREENS a picture of each is written to that
// folder.
type looker struct {
	*desk
	ctx    context.Context
	unfold bool // open each part that is folded, too
}

// looker opens a browser in which a member of a role is signed in.
func (d *desk) looker(role rempart.StaffRole) *looker {
	d.t.Helper()
	l := &looker{desk: d, ctx: browsertest.New(d.t)}
	link, err := d.db.NewLink(context.Background(), string(role), time.Hour)
	d.must(err)
	visit(d.t, l.ctx, chromedp.Navigate(d.url+"/console/enter?token="+link), chromedp.Click(chromedp.CSS("main button")), chromedp.WaitReady(chromedp.CSS(".alias")))
	return l
}

func (l *looker) look(name, to string, steps ...chromedp.Action[chromedp.Void]) {
	l.t.Helper()
	whole := true
	for _, sc := range []struct {
		width       int64
		lang, theme string
	}{{375, "fr", "light"}, {1440, "en", "dark"}, {375, "en", "dark"}, {1440, "fr", "light"}} {
		screen(l.t, l.ctx, sc.width, sc.theme)
		sep := "?"
		if strings.Contains(to, "?") {
			sep = "&"
		}
		visit(l.t, l.ctx, append([]chromedp.Action[chromedp.Void]{chromedp.Navigate(l.url + to + sep + "lang=" + sc.lang)}, steps...)...)
		if l.unfold {
			eval[any](l.t, l.ctx, `document.querySelectorAll('details').forEach((d) => { d.open = true }), 0`)
		}
		accessible(l.t, l.ctx, to+" "+sc.theme)
		if dir := os.Getenv("REMPART_SCREENS"); dir != "" {
			shot, err := chromedp.Call(l.ctx, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{Format: cdppage.CaptureScreenshotFormatPng, CaptureBeyondViewport: &whole})
			l.must(err)
			l.must(os.WriteFile(filepath.Join(dir, name+"-"+sc.lang+"-"+sc.theme+"-"+map[bool]string{true: "phone", false: "desk"}[sc.width < 1000]+".png"), shot.Data, 0o644))
		}
	}
}

// TestDashboardScreens looks at a dashboard with six weeks in it.
func TestDashboardScreens(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	d := newDesk(t, true, false)
	ctx := context.Background()
	d.must(d.flow.Prepare(ctx))
	for k, name := range []string{"Galerie Exemple", "Réseau de partage au nom particulièrement long, section des annonces", "Miroir"} {
		id := "s" + string(rune('a'+k))
		d.must(d.db.PutService(ctx, rempart.Service{ID: id, Name: name, Lang: "fr", CheckedAt: "2026-11-01"}))
	}
	for k := range 40 {
		c := d.open([]rempart.Age{rempart.AgeSaidAdult, rempart.AgeSaidUnder15, rempart.AgeSaidAdult}[k%3])
		if k%3 == 0 {
			d.removedBy(c, []string{forum, "sa", "sb", "sc"}[k/3%4], time.Duration(1+k*k%70)*time.Hour)
		}
		d.now = d.now.Add(time.Duration(5+k*7%31) * time.Hour)
		d.work()
	}
	l := d.looker(rempart.RoleAnalyst)
	l.look("dashboard", "/console/dashboard")
	l.look("dashboard-year", "/console/dashboard?days=90", chromedp.Click(chromedp.CSS("main summary")))
	for x := newDesk(t, true, false); x != nil; x = nil {
		x.looker(rempart.RoleAuditor).look("dashboard-empty", "/console/dashboard")
	}
}

// TestBulkScreens ticks cases by keyboard and looks at the queue, the preview and
// the act that waits.
func TestBulkScreens(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	d := newDesk(t, true, false)
	for k := range 4 {
		d.open([]rempart.Age{rempart.AgeSaidAdult, rempart.AgeSaidUnder15}[k%2])
	}
	l := d.looker(rempart.RoleLead)
	pick := []chromedp.Action[chromedp.Void]{chromedp.KeyEvent("j"), chromedp.KeyEvent("j"), chromedp.KeyEvent("x"), chromedp.KeyEvent("j"), chromedp.KeyEvent("x"), chromedp.KeyEvent("B"), chromedp.WaitVisible(chromedp.CSS("#bulk-act"))}
	l.look("bulk-queue", "/console/", pick...)
	if n := eval[int](t, l.ctx, `document.querySelectorAll('input[name="case"]:checked').length`); n != 2 {
		t.Errorf("%d cases ticked by x, want 2", n)
	}
	act := append(pick, chromedp.SetValue(chromedp.CSS("#bulk-act"), "take"), chromedp.Click(chromedp.CSS("form#bulk button")), chromedp.WaitVisible(chromedp.CSS("button[name=plan]")))
	l.look("bulk-preview", "/console/", act...)
	visit(t, l.ctx, chromedp.KeyEvent("y"), chromedp.WaitVisible(chromedp.CSS(`form[action*="/undo"]`)))
	l.look("bulk-waits", eval[string](t, l.ctx, "location.pathname"))
	visit(t, l.ctx, chromedp.KeyEvent("z"), chromedp.WaitVisible(chromedp.CSS(".notice.success")))
}

// TestQueueHosts holds the queue against breaking a host's name within a word, at
// the width of a desk.
func TestQueueHosts(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	d := newDesk(t, true, false)
	d.open(rempart.AgeSaidAdult)
	l := d.looker(rempart.RoleLead)
	for _, width := range []int64{1024, 1280, 1440} {
		screen(t, l.ctx, width, "light")
		visit(t, l.ctx, chromedp.Navigate(l.url+"/console/"))
		if n := eval[int](t, l.ctx, `[...document.querySelectorAll('.hosts span span')].filter((s) => s.getClientRects().length > 1).length`); n != 0 {
			t.Errorf("at %d pixels, %d words are broken", width, n)
		}
	}
	l.look("queue", "/console/")
}

// TestRestScreens looks at a member's own day.
func TestRestScreens(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	d := newDesk(t, true, false)
	d.srv.PauseAfter = 1
	c := d.open(rempart.AgeSaidUnder15)
	s := d.sit(rempart.RoleAnalyst)
	s.changed("/console/cases/"+c.Ref+"/assign", "action", "take")
	l := d.looker(rempart.RoleAnalyst)
	l.look("rest", "/console/rest")
	l.look("rest-queue", "/console/")
	s.changed("/console/rest", "without", "minors", "without", "threat")
	l.look("rest-without", "/console/")
	d.looker(rempart.RoleLead).look("rest-lead", "/console/rest")
	d.looker(rempart.RoleAdmin).look("rest-admin", "/console/admin")
	visit(t, l.ctx, chromedp.KeyEvent("E"), chromedp.WaitVisible(chromedp.CSS("#end")), chromedp.KeyEvent("e"), chromedp.WaitVisible(chromedp.CSS("#login")))
}
