package web

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"rempart"
	"rempart/flow"
	"rempart/internal/browsertest"
	"rempart/recheck"
)

// TestDeliveryScreens looks at the pages of a notice that went by e-mail and of a
// case whose addresses were re-checked. With REMPART_SCREENS a picture of each is
// written to that folder.
func TestDeliveryScreens(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	ctx := browsertest.New(t)
	d := newDesk(t, true, false)
	d.url = strings.Replace(d.url, "127.0.0.1", "localhost", 1)
	d.flow.Rechecks = flow.Rechecks{Checker: recheck.New(recheck.Options{})}
	c := d.open(rempart.AgeSaidAdult)
	change := func(f func(c *rempart.Case) error) { t.Helper(); d.must(d.db.UpdateCase(t.Context(), c.ID, "", f)) }
	change(func(c *rempart.Case) error { return c.ConfirmQualification(c.Quals[0].ID, "Saule", d.now) })
	id, err := d.flow.Draft(t.Context(), c.ID, forum, []string{c.Items[0].ID, c.Items[1].ID}, "Saule")
	d.must(err)
	try := id + ".1@association.exemple.test"
	change(func(c *rempart.Case) error {
		if err := c.EditNotice(id, c.Notice(id).Explanation, true, "Saule", d.now); err != nil {
			return err
		}
		if err := c.SendNotice(id, "Saule", d.now); err != nil {
			return err
		}
		if _, err := c.NoticeTrying(id, rempart.ChannelMail, try, d.now); err != nil {
			return err
		}
		return c.NoticeTried(id, try, "", rempart.Attempt{Unclear: true, Answer: "the connection ended before the mail server said whether it took the message"}, d.now)
	})
	link, err := d.db.NewLink(t.Context(), "analyst", time.Hour)
	d.must(err)
	visit(t, ctx, chromedp.Navigate(d.url+"/console/enter?token="+link), chromedp.Click(chromedp.CSS("main button")), chromedp.WaitReady(chromedp.CSS(".alias")))
	whole := true
	look := func(name, to string) {
		t.Helper()
		for _, sc := range []struct {
			width       int64
			lang, theme string
		}{{375, "fr", "light"}, {1280, "en", "dark"}} {
			screen(t, ctx, sc.width, sc.theme)
			visit(t, ctx, chromedp.Navigate(d.url+to+"?lang="+sc.lang))
			eval[any](t, ctx, `document.querySelectorAll('details').forEach((d) => { d.open = true }), 0`)
			accessible(t, ctx, to+" "+sc.theme)
			if dir := os.Getenv("REMPART_SCREENS"); dir != "" {
				shot, err := chromedp.Call(ctx, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{Format: cdppage.CaptureScreenshotFormatPng, CaptureBeyondViewport: &whole})
				d.must(err)
				d.must(os.WriteFile(filepath.Join(dir, name+"-"+sc.lang+"-"+sc.theme+".png"), shot.Data, 0o644))
			}
		}
	}
	at := "/console/cases/" + c.Ref
	look("unclear", at+"/notices/"+id)
	change(func(c *rempart.Case) error { return c.NoticeArrived(id, "Saule", d.now) })
	look("arrived", at+"/notices/"+id)
	for k, r := range []rempart.Recheck{{Reach: rempart.ReachThere, Status: 200}, {Reach: rempart.ReachGone, Status: 404}, {Reach: rempart.ReachThere, Status: 200}} {
		r.At, r.Why = d.now.Add(time.Duration(k+1)*3*time.Hour), recheck.WhyStatus
		change(func(c *rempart.Case) error { return c.Rechecked(c.Items[0].ID, r) })
	}
	change(func(c *rempart.Case) error {
		return c.Rechecked(c.Items[1].ID, rempart.Recheck{At: d.now.Add(time.Hour), Reach: rempart.ReachRefused, Why: recheck.WhyPrivate})
	})
	look("rechecked", at)
}
