package web

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"rempart"
)

// TestStaffScreens looks at the pages by which staff sign in, prove who they are
// and are managed.
func TestStaffScreens(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser through every page")
	}
	d := newDesk(t, true, false)
	d.url = strings.Replace(d.url, "127.0.0.1", "localhost", 1) // passkeys need a name
	d.url = strings.Replace(d.url, "127.0.0.1", "localhost", 1)
	d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "tilleul", Login: "prenom.nom-de-famille-compose@association.exemple.test", Alias: "Tilleul-des-Charpentiers", Role: rempart.RoleLead,
		Grants: []rempart.Right{rempart.RightExport}, CreatedAt: d.now}, passphrase))
	c := d.open(rempart.AgeSaidAdult)
	d.sit(rempart.RoleAnalyst).page("/console/cases/" + c.Ref)
	d.sit(rempart.RoleAdmin).get("/console/cases/" + c.Ref)
	l := d.looker(rempart.RoleAdmin)
	l.unfold = true
	l.look("verify-none", "/console/verify?to=/console/admin/staff")
	l.look("me-none", "/console/me")
	l.look("me-codes", "/console/me", chromedp.Click(chromedp.CSS(`form[action^="/console/me/totp"] button`)), chromedp.WaitVisible(chromedp.CSS("svg.qr")))
	d.must(d.db.AddFactor(context.Background(), rempart.Factor{ID: "f", StaffID: "admin", Kind: rempart.FactorTOTP, Name: "Téléphone professionnel de remplacement", CreatedAt: d.now}, []byte("JBSWY3DPEHPK3PXP"),
		rempart.Event{Kind: "staff.factor_added", Subject: "admin", Actor: "Alias-admin", At: d.now}))
	l.look("me", "/console/me")
	l.look("verify", "/console/verify?to=/console/admin/staff")
	visit(t, l.ctx, chromedp.SendKeys(chromedp.CSS("#code"), codeAt(t, "JBSWY3DPEHPK3PXP", d.now)), chromedp.Click(chromedp.CSS("main button")), chromedp.WaitVisible(chromedp.CSS("#alias")))
	l.look("staff", "/console/admin/staff")
	l.look("staff-fault", "/console/admin/staff", chromedp.SendKeys(chromedp.CSS("#login"), "admin"), chromedp.SendKeys(chromedp.CSS("#alias"), "Saule"), chromedp.Click(chromedp.CSS("form.narrow button")), chromedp.WaitVisible(chromedp.CSS(".problems")))
	l.look("audit", "/console/audit")
	visit(t, l.ctx, chromedp.Click(chromedp.CSS(`form[action^="/console/sign-out"] button`)), chromedp.WaitReady(chromedp.CSS("#login")))
	l.look("sign-in", "/console/sign-in")
}
