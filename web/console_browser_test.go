package web

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rempart"
	"rempart/internal/browsertest"
)

// TestConsoleScreens looks at every page of the console, hub and platform, at
// the width of a small phone and of a desk, in both languages and themes, with
// everything unfolded.
func TestConsoleScreens(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser through every page")
	}
	ctx := browsertest.New(t)
	complaints, err := browsertest.Complaints(ctx)
	if err != nil {
		t.Fatal(err)
	}
	hub, platform := newDesk(t, true, false), newDesk(t, false, true)
	open := hub.open(rempart.AgeSaidAdult)
	minor := hub.open(rempart.AgeSaidUnder15)
	s := hub.sit(rempart.RoleAnalyst)
	draft := func(c *rempart.Case, item int) string {
		at := "/console/cases/" + c.Ref
		s.changed(at+"/qualifications/"+c.Quals[0].ID, "action", "confirm")
		s.changed(at+"/items/"+c.Items[3].ID, "action", "confirm")
		s.changed(at+"/notices", "service", forum, "item", c.Items[item].ID)
		notices := hub.reload(c).Notices
		return at + "/notices/" + notices[len(notices)-1].ID
	}
	drafted := draft(open, 0)
	sent := draft(open, 1)
	s.changed(sent, "action", "send", "good_faith", "yes")
	hub.work() // there is nowhere to deliver it: failed
	answered := hub.open(rempart.AgeSaidAdult)
	decided := draft(answered, 0)
	s.changed(decided, "action", "send", "good_faith", "yes")
	hub.decided(hub.reload(answered), hub.reload(answered).Notices[0].ID, rempart.MeasureRefused)
	s.changed("/console/cases/"+answered.Ref+"/hold", "action", "place", "reason", "Une procédure est en cours.")
	s.changed("/console/cases/"+answered.Ref+"/identity", "action", "keep", "name", "Camille Exemple")
	minors := draft(minor, 0)
	_, err = hub.db.Seal(context.Background())
	hub.must(err)

	received := platform.receive("a", true, platform.flagger("aulne", true))
	half := platform.receive("b", false, platform.flagger("bouleau", false))
	platform.sit(rempart.RoleModerator).changed("/console/notices/"+half.Number+"/items/i1b", "measure", "restricted", "ground", "terms",
		"reference", "Conditions, 4.2", "facts", "Contenu vu ce jour.", "explanation", "La clause vise ce contenu.", "redress", "court", "scope", "FR", "restriction", "visibility.demoted", "content", "image", "posted_on", "2026-11-20")

	type look struct {
		d    *desk
		role rempart.StaffRole
		path string
	}
	looks := []look{
		{hub, "", "/console/sign-in"}, {hub, "", "/console/enter?token=x"},
		{hub, rempart.RoleAnalyst, "/console/"}, {hub, rempart.RoleAnalyst, "/console/?state=closed"},
		{hub, rempart.RoleAnalyst, "/console/cases/" + open.Ref}, {hub, rempart.RoleAnalyst, "/console/cases/" + minor.Ref}, {hub, rempart.RoleAnalyst, "/console/cases/" + answered.Ref},
		{hub, rempart.RoleAnalyst, drafted}, {hub, rempart.RoleAnalyst, sent}, {hub, rempart.RoleAnalyst, decided}, {hub, rempart.RoleAnalyst, minors},
		{hub, rempart.RoleAnalyst, "/console/cases/0000-0000"}, {hub, rempart.RoleAnalyst, "/console/admin"},
		{hub, rempart.RoleAdmin, "/console/admin"},
		{platform, "", "/"}, {platform, rempart.RoleModerator, "/console/"}, {platform, rempart.RoleModerator, "/console/?state=decided"},
		{platform, rempart.RoleModerator, "/console/notices/" + received.Number}, {platform, rempart.RoleModerator, "/console/notices/" + half.Number},
		{platform, rempart.RoleModerator, "/console/check"},
	}
	signIn := func(l look) {
		visit(t, ctx, chromedp.Navigate(l.d.url+"/console/sign-in"))
		if l.role == "" {
			return
		}
		token, err := l.d.db.NewLink(context.Background(), string(l.role), time.Hour)
		l.d.must(err)
		visit(t, ctx, chromedp.Navigate(l.d.url+"/console/enter?token="+token), chromedp.Click(chromedp.CSS("main button")), chromedp.WaitReady(chromedp.CSS(".alias")))
	}
	for _, sc := range []struct {
		width       int64
		lang, theme string
	}{{320, "fr", "light"}, {1280, "en", "dark"}, {320, "en", "dark"}} {
		screen(t, ctx, sc.width, sc.theme)
		var who look
		for _, l := range looks {
			if l.role != "" && (l.role != who.role || l.d != who.d) {
				signIn(l)
				who = l
			}
			to := l.path + "?lang=" + sc.lang
			if strings.Contains(l.path, "?") {
				to = l.path + "&lang=" + sc.lang
			}
			visit(t, ctx, chromedp.Navigate(l.d.url+to))
			eval[any](t, ctx, `document.querySelectorAll('details').forEach((d) => { d.open = true }), 0`)
			accessible(t, ctx, to+" "+sc.theme)
		}
		// Signed out again, for the pages before sign-in.
		visit(t, ctx, chromedp.Click(chromedp.CSS(`form[action^="/console/sign-out"] button`)), chromedp.WaitReady(chromedp.CSS("#login")))
		signIn(look{d: hub, role: rempart.RoleAnalyst})
		visit(t, ctx, chromedp.Click(chromedp.CSS(`form[action^="/console/sign-out"] button`)), chromedp.WaitReady(chromedp.CSS("#login")))
	}
	for _, c := range complaints() {
		if !strings.Contains(c, "status of 404") && !strings.Contains(c, "status of 403") { // the two pages of refusals above
			t.Error(c)
		}
	}
}
