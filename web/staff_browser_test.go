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

// TestStaffScreens looks at the pages by which staff sign in, prove who they are
// and are managed, at two widths, in both languages and themes. With
// REMPART_SCREENS a picture of each is written to that folder.
func TestStaffScreens(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser through every page")
	}
	ctx := browsertest.New(t)
	d := newDesk(t, true, false)
	d.url = strings.Replace(d.url, "127.0.0.1", "localhost", 1)
	d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "tilleul", Login: "prenom.nom-de-famille-compose@association.exemple.test", Alias: "Tilleul-des-Charpentiers", Role: rempart.RoleLead,
		Grants: []rempart.Right{rempart.RightExport}, CreatedAt: d.now}, passphrase))
	c := d.open(rempart.AgeSaidAdult)
	d.sit(rempart.RoleAnalyst).page("/console/cases/" + c.Ref)
	d.sit(rempart.RoleAdmin).get("/console/cases/" + c.Ref)
	link, err := d.db.NewLink(context.Background(), "admin", time.Hour)
	d.must(err)
	visit(t, ctx, chromedp.Navigate(d.url+"/console/enter?token="+link), chromedp.Click(chromedp.CSS("main button")), chromedp.WaitReady(chromedp.CSS(".alias")))

	whole := true
	look := func(name, to string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		for _, sc := range []struct {
			width       int64
			lang, theme string
		}{{375, "fr", "light"}, {1280, "en", "dark"}, {375, "en", "dark"}, {1280, "fr", "light"}} {
			screen(t, ctx, sc.width, sc.theme)
			sep := "?"
			if strings.Contains(to, "?") {
				sep = "&"
			}
			visit(t, ctx, append([]chromedp.Action[chromedp.Void]{chromedp.Navigate(d.url + to + sep + "lang=" + sc.lang)}, steps...)...)
			eval[any](t, ctx, `document.querySelectorAll('details').forEach((d) => { d.open = true }), 0`)
			accessible(t, ctx, to+" "+sc.theme)
			if dir := os.Getenv("REMPART_SCREENS"); dir != "" {
				shot, err := chromedp.Call(ctx, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{Format: cdppage.CaptureScreenshotFormatPng, CaptureBeyondViewport: &whole})
				d.must(err)
				d.must(os.WriteFile(filepath.Join(dir, name+"-"+sc.lang+"-"+sc.theme+"-"+map[bool]string{true: "phone", false: "desk"}[sc.width < 1000]+".png"), shot.Data, 0o644))
			}
		}
	}
	look("verify-none", "/console/verify?to=/console/admin/staff")
	look("me-none", "/console/me")
	look("me-codes", "/console/me", chromedp.Click(chromedp.CSS(`form[action^="/console/me/totp"] button`)), chromedp.WaitVisible(chromedp.CSS("svg.qr")))
	d.must(d.db.AddFactor(context.Background(), rempart.Factor{ID: "f", StaffID: "admin", Kind: rempart.FactorTOTP, Name: "Téléphone professionnel de remplacement", CreatedAt: d.now}, []byte("JBSWY3DPEHPK3PXP"),
		rempart.Event{Kind: "staff.factor_added", Subject: "admin", Actor: "Alias-admin", At: d.now}))
	look("me", "/console/me")
	look("verify", "/console/verify?to=/console/admin/staff")
	visit(t, ctx, chromedp.SendKeys(chromedp.CSS("#code"), codeAt(t, "JBSWY3DPEHPK3PXP", d.now)), chromedp.Click(chromedp.CSS("main button")), chromedp.WaitVisible(chromedp.CSS("#alias")))
	look("staff", "/console/admin/staff")
	look("staff-fault", "/console/admin/staff", chromedp.SendKeys(chromedp.CSS("#login"), "admin"), chromedp.SendKeys(chromedp.CSS("#alias"), "Saule"), chromedp.Click(chromedp.CSS("form.narrow button")), chromedp.WaitVisible(chromedp.CSS(".problems")))
	look("audit", "/console/audit")
	visit(t, ctx, chromedp.Click(chromedp.CSS(`form[action^="/console/sign-out"] button`)), chromedp.WaitReady(chromedp.CSS("#login")))
	look("sign-in", "/console/sign-in")
}
