package web

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/go-jose/go-jose/v4"

	"rempart"
	"rempart/idp"
	"rempart/internal/browsertest"
	"rempart/internal/oidctest"
)

// provided gives the desk an identity provider, with saule's account there.
func (d *desk) provided() *oidctest.Provider {
	d.t.Helper()
	p := oidctest.New(d.t)
	p.Redirect, p.Now = d.url+idp.CallbackPath, func() time.Time { return d.now }
	var err error
	d.srv.OIDC, err = idp.New(idp.Config{Issuer: p.URL, ClientID: oidctest.ClientID, Secret: oidctest.Secret, Name: "Fédération Exemple", Origin: d.url, Now: p.Now})
	d.must(err)
	d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "saule", Login: "saule@association.exemple.test", Alias: "Saule", Role: rempart.RoleAnalyst, CreatedAt: d.now}, ""))
	d.must(d.db.LinkAccount(context.Background(), "saule", p.URL, "subject-1", rempart.Event{Kind: "staff.account_linked", Subject: "saule", Actor: "admin", At: d.now}))
	return p
}

// leave begins a visit to the provider from a page, keeps its cookie in the seat,
// and returns what is asked of the provider.
func (s *seat) leave(from string) url.Values {
	s.t.Helper()
	a := s.get(from)
	if a.status != http.StatusSeeOther {
		s.t.Fatalf("GET %s: %d, want 303\n%s", from, a.status, mainOf(a.body))
	}
	u, err := url.Parse(a.head.Get("Location"))
	s.must(err)
	for _, c := range (&http.Response{Header: a.head}).Cookies() {
		if !strings.HasPrefix(c.Name, "rempart_oidc") || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/console/oidc" || c.MaxAge != 600 {
			s.t.Errorf("cookie %v", c)
		}
		old, _ := s.http.Jar.(jar)
		s.http.Jar = append(slices.DeleteFunc(slices.Clone(old), func(o *http.Cookie) bool { return o.Name == c.Name }), c)
	}
	return u.Query()
}

// back follows the provider's redirect to us.
func (s *seat) back(at string) answer {
	s.t.Helper()
	return s.get(strings.TrimPrefix(at, s.url))
}

// refusals returns why sign-ins at the provider were refused, and of whom.
func (d *desk) refusals() (all []string) {
	d.t.Helper()
	events, _, err := d.db.EventsOf(context.Background(), []string{"staff.oidc_refused"}, "", 100)
	d.must(err)
	for _, e := range events {
		all = append(all, strings.TrimSuffix(e.Data["what"]+" "+e.Subject, " oidc"))
	}
	return all
}

// TestOIDC signs in at the provider: as a password does, with the second factor
// of who has one, and no further.
func TestOIDC(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit("")
	s.page("/console/sign-in").lacks(t, "/console/oidc")
	if a := s.get("/console/oidc"); a.status != http.StatusNotFound {
		t.Errorf("without a provider: %d, want 404", a.status)
	}
	p := d.provided()
	s.page("/console/sign-in?to=/console/places").want(t, "Se connecter avec Fédération Exemple", `href="/console/oidc?to=%2Fconsole%2Fplaces"`)

	a := s.back(p.Back(s.leave("/console/oidc?to=/console/places")))
	a.want(t, "Votre session est ouverte", `content="0;url=/console/places"`)
	c := cookieOf(a)
	if a.status != http.StatusOK || c == nil || c.SameSite != http.SameSiteStrictMode || !c.HttpOnly {
		t.Fatalf("signed in: %d, cookie %v", a.status, c)
	}
	in := d.sit("")
	in.holdCookie(c.Value)
	in.page("/console/places").want(t, "Saule")
	if a := in.get("/console/admin"); a.status != http.StatusForbidden {
		t.Errorf("an analyst at administration: %d", a.status)
	}
	// It was a first factor: what is sensitive asks for a second one.
	d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "saule", Login: "saule@association.exemple.test", Alias: "Saule", Role: rempart.RoleAdmin, CreatedAt: d.now}, ""))
	if a := in.get("/console/admin/staff"); !strings.HasPrefix(a.head.Get("Location"), "/console/verify") {
		t.Errorf("what is sensitive: %d %s", a.status, a.head.Get("Location"))
	}
	key := enrol(t, in)
	d.now = d.now.Add(time.Minute)
	s = d.sit("")
	a = s.back(p.Back(s.leave("/console/oidc")))
	a.want(t, "Code à usage unique")
	if cookieOf(a) != nil {
		t.Fatal("a session without the second factor")
	}
	a = s.post("/console/second", "ticket", field(t, a, "ticket"), "code", codeAt(t, key, d.now))
	if a.status != http.StatusSeeOther || cookieOf(a) == nil {
		t.Fatalf("the second factor: %d", a.status)
	}
	in = d.sit("")
	in.holdCookie(cookieOf(a).Value)
	in.page("/console/admin/staff").want(t, "lié au fournisseur")

	// A session begun so is a session like any other.
	d.now = d.now.Add(rempart.SessionIdle)
	if a := in.get("/console/"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.head.Get("Location"), "/console/sign-in") {
		t.Errorf("after the idle time: %d", a.status)
	}
	if got := d.refusals(); len(got) != 0 {
		t.Errorf("refused %q", got)
	}
	for _, to := range []string{"https://ailleurs.exemple.test/", "//ailleurs.exemple.test", "/console/oidc/callback?code=x"} {
		if got := safeReturn(to); got != "/console/" {
			t.Errorf("after signing in one goes to %s", got)
		}
	}
}

// TestOIDCAttacks: what does not hold opens nothing, is recorded, and tells
// nothing.
func TestOIDCAttacks(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set := func(name string, v any) func(*oidctest.Provider) {
		return func(p *oidctest.Provider) { p.Change = func(c map[string]any) { c[name] = v } }
	}
	drop := func(name string) func(*oidctest.Provider) {
		return func(p *oidctest.Provider) { p.Change = func(c map[string]any) { delete(c, name) } }
	}
	for name, c := range map[string]struct {
		bad  func(*oidctest.Provider)
		turn func(d *desk, s *seat, p *oidctest.Provider, asked url.Values) string // where the browser comes back; nil: as it was sent
		want string
	}{
		"wrong nonce":          {bad: set("nonce", "another"), want: "nonce"},
		"no nonce":             {bad: drop("nonce"), want: "nonce"},
		"wrong audience":       {bad: set("aud", "somebody-else"), want: "token"},
		"made for another too": {bad: set("aud", []string{oidctest.ClientID, "somebody-else"}), want: "token"},
		"asked by another":     {bad: set("azp", "somebody-else"), want: "token"},
		"wrong issuer":         {bad: set("iss", "https://ailleurs.exemple.test"), want: "token"},
		"expired":              {bad: set("exp", int64(1)), want: "expired"},
		"no subject":           {bad: drop("sub"), want: "token"},
		"alg none":             {bad: func(p *oidctest.Provider) { p.Sign = oidctest.Unsigned }, want: "token"},
		"another key": {bad: func(p *oidctest.Provider) {
			p.Sign = func(b []byte) string { return oidctest.Signed(jose.RS256, other, b) }
		}, want: "token"},
		"the client's secret as key": {bad: func(p *oidctest.Provider) {
			p.Sign = func(b []byte) string {
				return oidctest.Signed(jose.HS256, []byte(strings.Repeat(oidctest.Secret, 3)), b)
			}
		}, want: "token"},
		"the public key as key": {bad: func(p *oidctest.Provider) {
			p.Sign = func(b []byte) string {
				return oidctest.Signed(jose.HS256, x509.MarshalPKCS1PublicKey(p.PublicKey()), b)
			}
		}, want: "token"},
		"changed after signing": {bad: func(p *oidctest.Provider) {
			p.Subject = "subject-2"
			p.Sign = func(b []byte) string {
				good := strings.Split(p.Signed(b), ".")
				var claims map[string]any
				json.Unmarshal(b, &claims)
				claims["sub"] = "subject-1"
				b, _ = json.Marshal(claims)
				return good[0] + "." + strings.Split(oidctest.Unsigned(b), ".")[1] + "." + good[2]
			}
		}, want: "token"},
		"no ID token":     {bad: func(p *oidctest.Provider) { p.Sign = func([]byte) string { return "" } }, want: "token"},
		"subject unknown": {bad: set("sub", "subject-9"), want: "unknown"},
		"the address of a staff member": {bad: func(p *oidctest.Provider) {
			p.Change = func(c map[string]any) {
				c["sub"], c["email"], c["email_verified"], c["preferred_username"] = "subject-9", "saule@association.exemple.test", true, "saule@association.exemple.test"
			}
		}, want: "unknown"},
		"subject is her login": {bad: set("sub", "saule@association.exemple.test"), want: "unknown"},
		"disabled": {turn: func(d *desk, s *seat, p *oidctest.Provider, asked url.Values) string {
			d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "saule", Login: "saule@association.exemple.test", Alias: "Saule", Role: rempart.RoleAnalyst, CreatedAt: d.now, DisabledAt: d.now}, ""))
			return p.Back(asked)
		}, want: "disabled saule"},
		"no cookie": {turn: func(d *desk, s *seat, p *oidctest.Provider, asked url.Values) string {
			s.http.Jar = nil
			return p.Back(asked)
		}, want: "state"},
		"state of another browser": {turn: func(d *desk, s *seat, p *oidctest.Provider, asked url.Values) string {
			s.http.Jar = nil
			s.leave("/console/oidc") // the victim's own visit; the way back is the attacker's
			return p.Back(asked)
		}, want: "state"},
		"no state": {turn: func(d *desk, s *seat, p *oidctest.Provider, asked url.Values) string {
			asked.Del("state")
			return p.Back(asked)
		}, want: "state"},
		"too late": {turn: func(d *desk, s *seat, p *oidctest.Provider, asked url.Values) string {
			d.now = d.now.Add(oidcLife + time.Second)
			return p.Back(asked)
		}, want: "state"},
		"cookie forged": {turn: func(d *desk, s *seat, p *oidctest.Provider, asked url.Values) string {
			forged := *s.http.Jar.(jar)[0]
			forged.Value = forged.Value[:len(forged.Value)-2] + "AA"
			s.http.Jar = jar{&forged}
			return p.Back(asked)
		}, want: "state"},
		"another provider's answer": {turn: func(d *desk, s *seat, p *oidctest.Provider, asked url.Values) string {
			return strings.Replace(p.Back(asked), url.QueryEscape(p.URL), "https%3A%2F%2Failleurs.exemple.test", 1)
		}, want: "state"},
		"code of another visit": {turn: func(d *desk, s *seat, p *oidctest.Provider, asked url.Values) string {
			theirs := d.sit("").leave("/console/oidc")
			theirs.Set("state", asked.Get("state"))
			return p.Back(theirs) // PKCE: the verifier is not that of the code
		}, want: "code"},
		"code of another visit, no PKCE there": {bad: func(p *oidctest.Provider) {
			p.Codes = func(code string, known []string) string { return known[0] }
		}, turn: func(d *desk, s *seat, p *oidctest.Provider, asked url.Values) string {
			p.Back(d.sit("").leave("/console/oidc"))
			return p.Back(asked)
		}, want: "nonce"},
		"stopped at the provider": {turn: func(d *desk, s *seat, p *oidctest.Provider, asked url.Values) string {
			return d.url + idp.CallbackPath + "?error=access_denied&state=" + asked.Get("state")
		}, want: "denied"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, true, false)
			p := d.provided()
			if c.bad != nil {
				c.bad(p)
			}
			s := d.sit("")
			asked := s.leave("/console/oidc?to=/console/places")
			turn := c.turn
			if turn == nil {
				turn = func(d *desk, s *seat, p *oidctest.Provider, asked url.Values) string { return p.Back(asked) }
			}
			a := s.back(turn(d, s, p, asked))
			if a.status != http.StatusUnauthorized || cookieOf(a) != nil {
				t.Errorf("%d, cookie %v, want 401 and none", a.status, cookieOf(a))
			}
			a.want(t, `class="problems"`, "Se connecter avec Fédération Exemple")
			a.lacks(t, "subject-", "saule", "invalid_grant")
			sober(t, name, a.body)
			if got := d.refusals(); len(got) != 1 || got[0] != c.want {
				t.Errorf("recorded %q, want %q", got, c.want)
			}
			d.sit(rempart.RoleAuditor).page("/console/audit").want(t, "a refusé une connexion venue du fournisseur")
			var n int
			all, err := d.db.AllStaff(context.Background())
			d.must(err)
			if n = len(all); n != len(rempart.StaffRoles)+1 {
				t.Errorf("%d members", n)
			}
		})
	}
}

// TestOIDCReplay: a way back that opened a session opens no other, even where the
// provider takes its code twice.
func TestOIDCReplay(t *testing.T) {
	d := newDesk(t, true, false)
	p := d.provided()
	p.Again = true
	s := d.sit("")
	at := p.Back(s.leave("/console/oidc"))
	if a := s.back(at); cookieOf(a) == nil {
		t.Fatalf("the first time: %d", a.status)
	}
	if a := s.back(at); a.status != http.StatusUnauthorized || cookieOf(a) != nil {
		t.Errorf("the second time: %d, cookie %v", a.status, cookieOf(a))
	}
	if got := d.refusals(); len(got) != 1 || got[0] != "replayed" {
		t.Errorf("recorded %q", got)
	}
	// What anybody can have refused is not recorded without end.
	for range 2 * formsAtOnce {
		d.sit("").get(idp.CallbackPath + "?state=x&code=y")
	}
	events, _, err := d.db.EventsOf(context.Background(), []string{"staff.oidc_refused"}, "", 1000)
	d.must(err)
	if n := len(events); n != formsAtOnce+1 {
		t.Errorf("%d records, want %d", n, formsAtOnce+1)
	}
}

// TestOIDCAway: a provider that does not answer leaves the other ways open.
func TestOIDCAway(t *testing.T) {
	d := newDesk(t, true, false)
	d.provided()
	gone, err := idp.New(idp.Config{Issuer: "http://127.0.0.1:1", ClientID: "rempart", Secret: "x", Name: "Fédération Exemple", Origin: d.url})
	d.must(err)
	d.srv.OIDC = gone
	a := d.sit("").get("/console/oidc?to=/console/places")
	if a.status != http.StatusServiceUnavailable {
		t.Errorf("%d, want 503", a.status)
	}
	a.want(t, "Le service de connexion ne répond pas", `name="password"`, `value="/console/places"`)
	a.lacks(t, "127.0.0.1:1")
}

// TestOIDCLink links an account from one's own page, and no other way.
func TestOIDCLink(t *testing.T) {
	d := newDesk(t, true, false)
	p := d.provided()
	p.Subject = "subject-7"
	s := d.sit(rempart.RoleAnalyst)
	s.page("/console/me").want(t, "Relier mon compte Fédération Exemple")
	a := s.back(p.Back(s.leave("/console/me/oidc")))
	a.want(t, "subject-7", "Relier ce compte au mien")
	if cookieOf(a) != nil {
		t.Error("linking opened a session")
	}
	ticket := field(t, a, "ticket")
	// Nothing is linked before she says so, nor by somebody else, nor by what was
	// changed on the way.
	seen := d.sit("")
	if a := seen.back(p.Back(seen.leave("/console/oidc"))); a.status != http.StatusUnauthorized {
		t.Errorf("before it is linked: %d", a.status)
	}
	if a := d.sit(rempart.RoleLead).post("/console/me/oidc", "ticket", ticket); a.status != http.StatusForbidden {
		t.Errorf("another's ticket: %d", a.status)
	}
	if a := s.post("/console/me/oidc", "ticket", ticket[:len(ticket)-4]+"AAAA"); a.status != http.StatusUnauthorized {
		t.Errorf("a changed ticket: %d", a.status)
	}
	s.changed("/console/me/oidc", "ticket", ticket).want(t, "Le compte est relié", "Ne plus utiliser ce compte")
	if a := seen.back(p.Back(seen.leave("/console/oidc"))); cookieOf(a) == nil {
		t.Errorf("linked: %d", a.status)
	}
	// The account is hers alone.
	lead := d.sit(rempart.RoleLead)
	a = lead.back(p.Back(lead.leave("/console/me/oidc")))
	if a := lead.post("/console/me/oidc", "ticket", field(t, a, "ticket")); a.status != http.StatusConflict {
		t.Errorf("another's account: %d", a.status)
	}
	// Whoever has a second factor gives it first, as for another factor.
	key := enrol(t, s)
	d.now = d.now.Add(rempart.FreshFor)
	for _, path := range []string{"/console/me/oidc", "/console/me/oidc/remove"} {
		if a := s.post(path, "ticket", ticket); !strings.HasPrefix(a.head.Get("Location"), "/console/verify") {
			t.Errorf("POST %s without a second factor: %d", path, a.status)
		}
	}
	if a := s.get("/console/me/oidc"); !strings.HasPrefix(a.head.Get("Location"), "/console/verify") {
		t.Errorf("without a second factor: %d", a.status)
	}
	s.changed("/console/verify", "code", codeAt(t, key, d.now), "to", "/console/me")
	s.changed("/console/me/oidc/remove").want(t, "Le compte n’ouvre plus votre session", "Relier mon compte")
	seen = d.sit("")
	if a := seen.back(p.Back(seen.leave("/console/oidc"))); a.status != http.StatusUnauthorized {
		t.Errorf("unlinked: %d", a.status)
	}
}

// shoot writes a picture of the page that is open, where REMPART_SCREENS asks for
// one.
func (l *looker) shoot(name string) {
	l.t.Helper()
	dir := os.Getenv("REMPART_SCREENS")
	if dir == "" {
		return
	}
	for width, kind := range map[int64]string{375: "phone", 1440: "desk"} {
		screen(l.t, l.ctx, width, "light")
		whole := true
		shot, err := chromedp.Call(l.ctx, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{Format: cdppage.CaptureScreenshotFormatPng, CaptureBeyondViewport: &whole})
		l.must(err)
		l.must(os.WriteFile(filepath.Join(dir, name+"-"+kind+".png"), shot.Data, 0o644))
	}
}

// TestOIDCBrowser signs in and links in a real browser: the provider is another
// site, so that cookies go where they would.
func TestOIDCBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	d := newDesk(t, true, false)
	d.url = strings.Replace(d.url, "127.0.0.1", "localhost", 1)
	p := d.provided() // at 127.0.0.1
	ctx := browsertest.New(t)
	complaints, err := browsertest.Complaints(ctx)
	d.must(err)
	link, err := d.db.NewLink(context.Background(), string(rempart.RoleAnalyst), time.Hour)
	d.must(err)
	p.Subject = "subject-7"
	visit(t, ctx, chromedp.Navigate(d.url+"/console/enter?token="+link), chromedp.Click(chromedp.CSS("main button")), chromedp.WaitReady(chromedp.CSS(".alias")))
	visit(t, ctx, chromedp.Navigate(d.url+"/console/me"), chromedp.Click(chromedp.CSS(`a[href="/console/me/oidc"]`)), chromedp.WaitVisible(chromedp.CSS("#allow")))
	visit(t, ctx, chromedp.Click(chromedp.CSS("#allow")), chromedp.WaitVisible(chromedp.CSS(`input[name=ticket] + p button`)))
	accessible(t, ctx, "the account to link")
	l := &looker{desk: d, ctx: ctx}
	l.shoot("oidc-link")
	visit(t, ctx, chromedp.Click(chromedp.CSS(`input[name=ticket] + p button`)), chromedp.WaitVisible(chromedp.CSS(`form[action^="/console/me/oidc/remove"]`)))
	l.look("oidc-me", "/console/me")
	visit(t, ctx, chromedp.Navigate(d.url+"/console/me"), chromedp.Click(chromedp.CSS(`form[action^="/console/sign-out"] button`)), chromedp.WaitVisible(chromedp.CSS(`a[href^="/console/oidc"]`)))
	l.look("oidc-sign-in", "/console/sign-in")
	visit(t, ctx, chromedp.Navigate(d.url+"/console/sign-in?to=/console/places&lang=en"), chromedp.Click(chromedp.CSS(`a[href^="/console/oidc"]`)), chromedp.WaitVisible(chromedp.CSS("#allow")))
	visit(t, ctx, chromedp.Click(chromedp.CSS("#allow")), chromedp.WaitVisible(chromedp.CSS(".alias")))
	if at := eval[string](t, ctx, "location.pathname + location.search + ' ' + document.documentElement.lang"); at != "/console/places?lang=en en" {
		t.Errorf("after signing in: %s", at)
	}
	// Who is not known is told so, beside the other ways.
	p.Subject = "subject-9"
	visit(t, ctx, chromedp.Click(chromedp.CSS(`form[action^="/console/sign-out"] button`)), chromedp.WaitVisible(chromedp.CSS(`a[href^="/console/oidc"]`)))
	visit(t, ctx, chromedp.Click(chromedp.CSS(`a[href^="/console/oidc"]`)), chromedp.WaitVisible(chromedp.CSS("#allow")))
	visit(t, ctx, chromedp.Click(chromedp.CSS("#allow")), chromedp.WaitVisible(chromedp.CSS(".problems")))
	accessible(t, ctx, "refused")
	l.shoot("oidc-refused")
	for _, c := range complaints() {
		if !strings.Contains(c, "401") {
			t.Errorf("the browser says: %s", c)
		}
	}
}
