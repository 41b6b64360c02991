package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"rempart"
)

// cookieOf returns the session's cookie that an answer sets, or nil.
func cookieOf(a answer) *http.Cookie {
	resp := http.Response{Header: a.head}
	for _, c := range resp.Cookies() {
		if strings.HasPrefix(c.Name, "rempart_staff") {
			return c
		}
	}
	return nil
}

func TestSignIn(t *testing.T) {
	d := newDesk(t, true, false)
	d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "saule", Login: "saule", Alias: "Saule", Role: rempart.RoleAnalyst, CreatedAt: d.now}, "un mot de passe d’essai"))
	s := d.sit("")

	a := s.get("/console/")
	if a.status != http.StatusSeeOther || a.head.Get("Location") != "/console/sign-in" {
		t.Fatalf("without a session: %d to %q", a.status, a.head.Get("Location"))
	}
	if a := s.get("/console/cases/7F3K-9QXM"); a.head.Get("Location") != "/console/sign-in?to=%2Fconsole%2Fcases%2F7F3K-9QXM" {
		t.Errorf("the page asked for is not kept: %q", a.head.Get("Location"))
	}
	s.page("/console/sign-in").want(t, `name="login"`, `name="password"`)

	a = s.post("/console/sign-in", "login", "saule", "password", "autre chose")
	if a.status != http.StatusUnauthorized || cookieOf(a) != nil {
		t.Fatalf("wrong password: %d, cookie %v", a.status, cookieOf(a))
	}
	a.want(t, "ne vont pas ensemble", `value="saule"`)
	a.lacks(t, "autre chose")

	a = s.post("/console/sign-in", "login", "saule", "password", "un mot de passe d’essai", "to", "/console/cases/7F3K-9QXM")
	if a.status != http.StatusSeeOther || a.head.Get("Location") != "/console/cases/7F3K-9QXM" {
		t.Fatalf("right password: %d to %q\n%s", a.status, a.head.Get("Location"), mainOf(a.body))
	}
	c := cookieOf(a)
	if c == nil {
		t.Fatal("no cookie")
	}
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/console" || c.Secure || c.MaxAge != int((12*time.Hour).Seconds()) || c.Domain != "" {
		t.Errorf("cookie: %s", c)
	}

	for to, want := range map[string]string{
		"https://ailleurs.exemple.test/console/": "/console/", "//ailleurs.exemple.test/console/": "/console/", "/console/../report": "/console/",
		"/report": "/console/", "": "/console/", "/console/sign-out": "/console/", `/console/\ailleurs`: "/console/", "/console/?state=closed": "/console/?state=closed",
	} {
		if got := safeReturn(to); got != want {
			t.Errorf("safeReturn(%q) = %q, want %q", to, got, want)
		}
	}
}

func TestSignInWaits(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit("")
	var a answer
	for range 12 {
		if a = s.post("/console/sign-in", "login", "personne", "password", "x"); a.status == http.StatusServiceUnavailable {
			break
		}
	}
	if a.status != http.StatusServiceUnavailable {
		t.Fatalf("many wrong passwords: %d", a.status)
	}
	a.want(t, "Trop d’essais. Attendez", "secondes")
}

func TestSecureCookie(t *testing.T) {
	d := newDesk(t, true, false)
	d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "saule", Login: "saule", Alias: "Saule", Role: rempart.RoleAnalyst, CreatedAt: d.now}, "un mot de passe d’essai"))
	tls := httptest.NewTLSServer(d.srv.headers(d.srv.routes()))
	t.Cleanup(tls.Close)
	s := d.sit("")
	s.http.Transport = tls.Client().Transport
	d.url = tls.URL
	c := cookieOf(s.post("/console/sign-in", "login", "saule", "password", "un mot de passe d’essai"))
	if c == nil || !c.Secure {
		t.Errorf("over TLS the cookie is %v, want Secure", c)
	}
}

func TestLink(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit("")
	token, err := d.db.NewLink(context.Background(), "analyst", time.Hour)
	d.must(err)
	for range 2 { // a preview of the link spends nothing
		a := s.page("/console/enter?token=" + token)
		a.want(t, `<form method="post" action="/console/enter">`, token)
		if cookieOf(a) != nil {
			t.Fatal("looking at the link signs in")
		}
	}
	a := s.post("/console/enter", "token", token)
	if a.status != http.StatusSeeOther || cookieOf(a) == nil || a.head.Get("Location") != "/console/" {
		t.Fatalf("the link: %d to %q", a.status, a.head.Get("Location"))
	}
	for _, spent := range []string{token, "inconnu", ""} {
		a := s.post("/console/enter", "token", spent)
		if a.status != http.StatusUnauthorized || cookieOf(a) != nil {
			t.Errorf("a link that does not work: %d", a.status)
		}
		a.want(t, "Ce lien ne sert plus", "Demandez un nouveau lien")
	}
	d.srv.Demo = true
	token, err = d.db.NewLink(context.Background(), "analyst", time.Hour)
	d.must(err)
	if a := s.get("/console/enter?token=" + token); a.status != http.StatusSeeOther || cookieOf(a) == nil {
		t.Errorf("in the demo, the link by GET: %d", a.status)
	}
	if a := s.get("/console/enter?token=" + token); a.status != http.StatusUnauthorized {
		t.Errorf("in the demo, the spent link by GET: %d", a.status)
	}
}

func TestSignOut(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit(rempart.RoleAnalyst)
	s.page("/console/").want(t, "Alias-analyst")
	a := s.post("/console/sign-out")
	if a.status != http.StatusSeeOther || a.head.Get("Clear-Site-Data") != `"cache","cookies","storage"` {
		t.Fatalf("sign-out: %d, Clear-Site-Data %q", a.status, a.head.Get("Clear-Site-Data"))
	}
	if c := cookieOf(a); c == nil || c.MaxAge >= 0 {
		t.Errorf("the cookie stays: %v", c)
	}
	if a := s.get("/console/"); a.status != http.StatusSeeOther {
		t.Errorf("the session still opens: %d", a.status)
	}
	s.page(a.head.Get("Location")).want(t, "Votre session est fermée.")
}

func TestSessionEnds(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit(rempart.RoleAnalyst)
	s.page("/console/")
	d.now = d.now.Add(rempart.SessionIdle + time.Second)
	if a := s.get("/console/"); a.status != http.StatusSeeOther {
		t.Errorf("after %v without a request: %d, want 303", rempart.SessionIdle, a.status)
	}
	if a := s.post("/console/sign-out"); a.status != http.StatusUnauthorized {
		t.Errorf("POST without a session: %d, want 401", a.status)
	}
}

// TestDoors holds each route of the console against each role: who may not pass
// is told so, whoever she says she is in a header.
func TestDoors(t *testing.T) {
	fill := strings.NewReplacer("{$}", "", "{ref}", "7F3K-9QXM", "{number}", "N-7F3K-9QXM", "{id}", "x")
	seen := 0
	for _, roles := range []struct{ hub, platform bool }{{true, false}, {false, true}} {
		d := newDesk(t, roles.hub, roles.platform)
		routes := slices.Clone(consoleRoutes)
		if roles.hub {
			routes = append(routes, hubRoutes...)
		} else {
			routes = append(routes, platformRoutes...)
		}
		for _, rt := range routes {
			if rt.area != areaConsole {
				continue
			}
			rule, known := doors[rt.pattern]
			if !known {
				t.Errorf("%s is not in doors", rt.pattern)
			}
			for _, role := range append([]rempart.StaffRole{""}, rempart.StaffRoles...) {
				seen++
				method, path, _ := strings.Cut(fill.Replace(rt.pattern), " ")
				s := d.sit(role)
				r, err := http.NewRequest(method, d.url+path, nil)
				d.must(err)
				for _, h := range []string{"X-Forwarded-User", "X-Remote-User", "X-Test-Email", "X-Forwarded-Email"} {
					r.Header.Set(h, "admin")
				}
				a := s.send(r)
				allowed := rule.right == everybody || (rempart.Staff{Role: role}).May(rule.right)
				switch {
				case role == "" && method == http.MethodGet && a.status != http.StatusSeeOther:
					t.Errorf("%s by nobody: %d, want 303", rt.pattern, a.status)
				case role == "" && method != http.MethodGet && a.status != http.StatusUnauthorized:
					t.Errorf("%s by nobody: %d, want 401", rt.pattern, a.status)
				case role == "":
				case allowed && rule.fresh && method == http.MethodGet && !strings.HasPrefix(a.head.Get("Location"), "/console/verify"):
					t.Errorf("%s by %s without a second factor: %d", rt.pattern, role, a.status)
				case allowed && rule.fresh && method != http.MethodGet && !strings.Contains(a.body, "seconde preuve récente"):
					t.Errorf("%s by %s without a second factor: %d", rt.pattern, role, a.status)
				case allowed && !rule.fresh && a.status == http.StatusForbidden && !strings.Contains(a.body, "pas de travail"):
					t.Errorf("%s by %s: 403", rt.pattern, role)
				case !allowed && a.status != http.StatusForbidden:
					t.Errorf("%s by %s: %d, want 403", rt.pattern, role, a.status)
				}
			}
		}
	}
	if seen < 4*len(doors) {
		t.Errorf("%d doors tried, there are %d for four roles", seen, len(doors))
	}
}

func TestPostFromElsewhere(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit(rempart.RoleAnalyst)
	r, err := http.NewRequest(http.MethodPost, d.url+"/console/sign-out", nil)
	d.must(err)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := s.send(r); a.status != http.StatusForbidden {
		t.Errorf("a form of another site: %d, want 403", a.status)
	}
	s.page("/console/")
}
