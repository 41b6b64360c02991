package web

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"rempart"
	"rempart/internal/browsertest"
)

const passphrase = "un mot de passe d’essai"

// field returns the value of a hidden field of a page.
func field(t *testing.T, a answer, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("the page has no field %s:\n%s", name, mainOf(a.body))
	}
	return m[1]
}

// enrol gives the member of a seat one-time codes by her own page, and returns
// their key.
func enrol(t *testing.T, s *seat) string {
	t.Helper()
	a := s.post("/console/me/totp", "name", "téléphone")
	if a.status != http.StatusOK {
		t.Fatalf("preparing codes: %d\n%s", a.status, mainOf(a.body))
	}
	m := regexp.MustCompile(`<code class="command">([A-Z2-7 ]+)</code>`).FindStringSubmatch(a.body)
	if m == nil || !strings.Contains(a.body, `<path class="qr-ink" d="M`) {
		t.Fatal("the page shows no key, or no QR code")
	}
	key, ticket := strings.ReplaceAll(m[1], " ", ""), field(t, a, "ticket")
	wrong := s.post("/console/me/totp/confirm", "ticket", ticket, "code", "000000")
	if wrong.status != http.StatusUnauthorized || !strings.Contains(strings.ReplaceAll(wrong.body, " ", ""), key) {
		t.Errorf("a wrong first code: %d; the same key must stay", wrong.status)
	}
	s.changed("/console/me/totp/confirm", "ticket", ticket, "code", codeAt(t, key, s.now)).want(t, "La seconde preuve est ajoutée.", "téléphone")
	return key
}

func codeAt(t *testing.T, key string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(key, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// TestSecondFactor signs in with a password and a one-time code, and tries every
// way round the code.
func TestSecondFactor(t *testing.T) {
	d := newDesk(t, true, false)
	d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "saule", Login: "saule", Alias: "Saule", Role: rempart.RoleAnalyst, CreatedAt: d.now}, passphrase))
	d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "tilleul", Login: "tilleul", Alias: "Tilleul", Role: rempart.RoleAdmin, CreatedAt: d.now}, passphrase))
	token, err := d.db.StartSession(context.Background(), "saule")
	d.must(err)
	in := d.sit("")
	in.holdCookie(token)
	key := enrol(t, in)

	s := d.sit("")
	signIn := func() answer {
		return s.post("/console/sign-in", "login", "saule", "password", passphrase, "to", "/console/cases/7F3K-9QXM")
	}
	a := signIn()
	if a.status != http.StatusOK || cookieOf(a) != nil {
		t.Fatalf("a password alone: %d, cookie %v", a.status, cookieOf(a))
	}
	a.want(t, "Une seconde preuve", `name="code"`)
	ticket := field(t, a, "ticket")
	// The code that was spent when the key was confirmed, and a wrong one.
	for _, code := range []string{codeAt(t, key, d.now), "123456", "", strings.Repeat("1", 12)} {
		if a := s.post("/console/second", "ticket", ticket, "code", code); a.status != http.StatusUnauthorized || cookieOf(a) != nil {
			t.Errorf("code %q: %d, cookie %v", code, a.status, cookieOf(a))
		}
	}
	// A ticket of another use, altered, of nobody, or too old.
	other := "A" // in the place of another letter, whatever it is
	if ticket[4] == 'A' {
		other = "B"
	}
	for _, forged := range []string{"", "x", ticket[:4] + other + ticket[5:], strings.Repeat("A", 80)} {
		if a := s.post("/console/second", "ticket", forged, "code", codeAt(t, key, d.now.Add(codePeriod*time.Second))); a.status != http.StatusUnauthorized || cookieOf(a) != nil {
			t.Errorf("ticket %q: %d, cookie %v", forged, a.status, cookieOf(a))
		}
	}
	d.now = d.now.Add(ticketLife + 2*time.Second)
	if a := s.post("/console/second", "ticket", ticket, "code", codeAt(t, key, d.now)); a.status != http.StatusUnauthorized || cookieOf(a) != nil {
		t.Errorf("an old ticket: %d", a.status)
	}

	a = s.post("/console/second", "ticket", field(t, signIn(), "ticket"), "code", codeAt(t, key, d.now)[:3]+" "+codeAt(t, key, d.now)[3:], "to", "/console/cases/7F3K-9QXM")
	if a.status != http.StatusSeeOther || cookieOf(a) == nil || a.head.Get("Location") != "/console/cases/7F3K-9QXM" {
		t.Fatalf("the right code: %d to %q\n%s", a.status, a.head.Get("Location"), mainOf(a.body))
	}
	if session, err := d.db.Session(context.Background(), cookieOf(a).Value); err != nil || !session.Fresh(d.now) {
		t.Errorf("session %+v, %v: want one that was just proved", session, err)
	}
	// The same code a second time, by whoever looked over her shoulder.
	if a := s.post("/console/second", "ticket", field(t, signIn(), "ticket"), "code", codeAt(t, key, d.now)); a.status != http.StatusUnauthorized || cookieOf(a) != nil {
		t.Errorf("the same code again: %d", a.status)
	}
	// A one-time link asks for the code too.
	link, err := d.db.NewLink(context.Background(), "saule", time.Hour)
	d.must(err)
	if a := s.post("/console/enter", "token", link); cookieOf(a) != nil {
		t.Error("a link signs in without the second factor")
	}
	// Many wrong codes are slowed down.
	ticket = field(t, signIn(), "ticket")
	for k := 0; ; k++ {
		a := s.post("/console/second", "ticket", ticket, "code", "000000")
		if a.status == http.StatusServiceUnavailable {
			break
		}
		if k == 20 {
			t.Fatal("twenty wrong codes, and no wait")
		}
	}
}

// holdCookie makes a seat that of a session.
func (s *seat) holdCookie(token string) {
	port := s.url[strings.LastIndexByte(s.url, ':')+1:]
	s.http.Jar = jar{{Name: "rempart_staff_" + port, Value: token}}
}

// TestFresh opens what is sensitive: not without a second factor, not long after
// one.
func TestFresh(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit(rempart.RoleAdmin)
	a := s.get("/console/admin/staff")
	if a.status != http.StatusSeeOther || a.head.Get("Location") != "/console/verify?to=%2Fconsole%2Fadmin%2Fstaff" {
		t.Fatalf("without a second factor: %d to %q", a.status, a.head.Get("Location"))
	}
	s.page(a.head.Get("Location")).want(t, "Vous n’en avez pas encore", `href="/console/me"`)
	key := enrol(t, s)
	s.page("/console/admin/staff").want(t, "Inviter quelqu’un")
	d.now = d.now.Add(rempart.FreshFor)
	if a := s.get("/console/admin/staff"); a.status != http.StatusSeeOther {
		t.Fatalf("ten minutes after: %d", a.status)
	}
	// A second factor is added or taken away only by who gave one.
	if a := s.post("/console/me/totp", "name", "intrus"); a.head.Get("Location") != "/console/verify?to=/console/me" {
		t.Errorf("another factor in a session that is not fresh: %d to %q", a.status, a.head.Get("Location"))
	}
	a = s.post("/console/verify", "code", codeAt(t, key, d.now), "to", "/console/admin/staff")
	if a.status != http.StatusSeeOther || a.head.Get("Location") != "/console/admin/staff" {
		t.Fatalf("proved again: %d to %q\n%s", a.status, a.head.Get("Location"), mainOf(a.body))
	}
	s.page("/console/admin/staff")
	// The form of a page that was opened freshly is taken.
	d.now = d.now.Add(rempart.FreshFor)
	if a := s.post("/console/admin/staff", "login", "saule", "alias", "Saule", "role", "lead"); a.status != http.StatusCreated {
		t.Errorf("the form of a fresh page: %d\n%s", a.status, mainOf(a.body))
	}
	d.now = d.now.Add(rempart.SessionIdle - time.Second)
	if a := s.post("/console/admin/staff", "login", "tard", "alias", "Tard", "role", "lead"); a.status != http.StatusForbidden {
		t.Errorf("much later: %d", a.status)
	}
}

// TestStaffAdmin invites, changes, disables and resets.
func TestStaffAdmin(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit(rempart.RoleAdmin)
	enrol(t, s)
	a := s.post("/console/admin/staff", "login", "saule", "alias", "Saule", "role", "analyst")
	if a.status != http.StatusCreated {
		t.Fatalf("invitation: %d\n%s", a.status, mainOf(a.body))
	}
	m := regexp.MustCompile(`http://pole\.exemple\.test(/console/enter)\?token=([\w-]+)`).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("no link:\n%s", mainOf(a.body))
	}
	if again := s.page("/console/admin/staff"); strings.Contains(again.body, m[2]) {
		t.Error("the link is shown twice")
	}
	if a := d.sit("").post(m[1], "token", m[2]); a.status != http.StatusSeeOther || cookieOf(a) == nil {
		t.Errorf("the invitation's link: %d", a.status)
	}
	for _, c := range []struct{ login, alias, role, says string }{
		{"saule", "Autre", "analyst", "déjà"}, {"", "Autre", "analyst", "1 à 60"}, {"deux mots", "A", "analyst", "sans espace"},
		{"autre", "", "analyst", "jamais son nom"}, {"autre", "Autre", "judge", "Choisissez un rôle"},
	} {
		a := s.post("/console/admin/staff", "login", c.login, "alias", c.alias, "role", c.role)
		if a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict {
			t.Errorf("%+v: %d", c, a.status)
		}
		a.want(t, c.says, `value="`+c.alias+`"`)
	}
	all, err := d.db.AllStaff(context.Background())
	d.must(err)
	var saule rempart.Staff
	for _, m := range all {
		if m.Login == "saule" {
			saule = m
		}
	}
	at := "/console/admin/staff/" + saule.ID
	s.changed(at, "action", "change", "role", "lead", "grant", "export", "grant", "identity").want(t, "Le changement est enregistré.")
	got, err := d.db.Member(context.Background(), saule.ID)
	d.must(err)
	if !got.May(rempart.RightExport) || !got.May(rempart.RightBulk) || got.Role != rempart.RoleLead {
		t.Errorf("after the change: %+v", got)
	}
	if a := s.post(at, "action", "change", "role", "lead", "grant", "admin"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a right that is not granted: %d", a.status)
	}
	s.changed(at, "action", "disable")
	if _, err := d.db.Member(context.Background(), saule.ID); rempart.KindOf(err) != rempart.Forbidden {
		t.Errorf("disabled: %v", err)
	}
	s.changed(at, "action", "enable")
	s.post(at, "action", "link").want(t, "Lien de connexion pour saule", "token=")
	if a := s.post("/console/admin/staff/admin", "action", "disable"); a.status != http.StatusConflict {
		t.Errorf("an administrator disables herself: %d", a.status)
	}
	if a := s.post("/console/admin/staff/nobody", "action", "disable"); a.status != http.StatusNotFound {
		t.Errorf("nobody disabled: %d", a.status)
	}
	s.page("/console/audit").want(t, "a invité quelqu’un", "a changé un rôle", "a désactivé quelqu’un", "Alias-admin")
}

// TestAudit looks at a case, is refused another page, and finds both recorded.
func TestAudit(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	d.sit(rempart.RoleReader).page("/console/cases/"+c.Ref).lacks(t, `<form method="post" action="/console/cases/`)
	if a := d.sit(rempart.RoleAdmin).get("/console/cases/" + c.Ref); a.status != http.StatusForbidden {
		t.Fatalf("an administrator opens a case: %d", a.status)
	}
	a := d.sit(rempart.RoleAuditor).page("/console/audit")
	a.want(t, "a ouvert un dossier", c.Ref, "Alias-reader", "s’est vu refuser une page", "Alias-admin", "GET /console/cases/{ref}")
	if a := d.sit(rempart.RoleAnalyst).get("/console/audit"); a.status != http.StatusForbidden {
		t.Errorf("an analyst reads who looked at what: %d", a.status)
	}
}

// TestPasskey makes a passkey in a real browser, with a virtual authenticator,
// signs in with it alone, and proves who she is with it.
func TestPasskey(t *testing.T) {
	d := newDesk(t, true, false)
	d.url = strings.Replace(d.url, "127.0.0.1", "localhost", 1) // browsers make no passkey for a number
	ctx := browsertest.New(t)
	var device webauthn.AuthenticatorID
	visit(t, ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		made, err := cdp.Call(ctx, target, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}})
		device = made.AuthenticatorID
		return err
	}))
	link, err := d.db.NewLink(context.Background(), "admin", time.Hour)
	d.must(err)
	press := func(selector, then string) {
		t.Helper()
		visit(t, ctx, chromedp.Click(chromedp.CSS(selector)), chromedp.WaitVisible(chromedp.CSS(then)))
	}
	visit(t, ctx, chromedp.Navigate(d.url+"/console/enter?token="+link), chromedp.WaitVisible(chromedp.CSS("input[name=token] + button")))
	press("input[name=token] + button", `a[href^="/console/admin/staff"]`)
	visit(t, ctx, chromedp.Navigate(d.url+"/console/me"), chromedp.WaitVisible(chromedp.CSS("form[data-passkey=create] button")))
	visit(t, ctx, chromedp.SendKeys(chromedp.CSS("#passkey-name"), "clef de l’atelier"))
	press("form[data-passkey=create] button", `form[action^="/console/me/factors/"]`)
	if got := eval[string](t, ctx, `document.querySelector('.plain-list h3').textContent`); !strings.Contains(got, "clef de l’atelier") {
		t.Errorf("the passkey is called %q", got)
	}
	// The same device makes no second one.
	visit(t, ctx, chromedp.Click(chromedp.CSS("form[data-passkey=create] button")), chromedp.WaitVisible(chromedp.CSS("form[data-passkey=create] [data-passkey-failed]")))

	signOut := func() { press(`form[action^="/console/sign-out"] button`, "form[data-passkey=get] button") }
	signOut()
	press("form[data-passkey=get] button", `a[href^="/console/admin/staff"]`)
	visit(t, ctx, chromedp.Navigate(d.url+"/console/admin/staff"), chromedp.WaitVisible(chromedp.CSS("#alias"))) // it was a second factor too
	d.now = d.now.Add(rempart.FreshFor)
	visit(t, ctx, chromedp.Navigate(d.url+"/console/admin/staff"), chromedp.WaitVisible(chromedp.CSS("form[data-passkey=get] button")))
	press("form[data-passkey=get] button", "#alias")

	signOut()
	bogus := true
	visit(t, ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, webauthn.SetResponseOverrideBits, webauthn.SetResponseOverrideBitsParams{AuthenticatorID: device, IsBogusSignature: &bogus})
		return err
	}))
	press("form[data-passkey=get] button", ".problems")
	if got := eval[string](t, ctx, `document.cookie + location.pathname`); got != "/console/passkey" {
		t.Errorf("a forged signature leads to %q", got)
	}
	factors, err := d.db.Factors(context.Background(), "admin")
	d.must(err)
	if len(factors) != 1 || factors[0].Kind != rempart.FactorPasskey || factors[0].UsedAt.IsZero() {
		t.Errorf("factors %+v", factors)
	}
}
