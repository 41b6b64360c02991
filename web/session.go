package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"rempart"
)

type staffKey struct{}

// signedIn is a session as a request carries it.
type signedIn struct {
	rempart.Session
	token string
}

// staffOf returns who is signed in, if a request went through [Server.staffOnly].
func staffOf(r *http.Request) (rempart.Staff, bool) {
	s, ok := r.Context().Value(staffKey{}).(signedIn)
	return s.Staff, ok
}

// sessionOf returns the session of a request that went through
// [Server.staffOnly].
func sessionOf(r *http.Request) signedIn {
	s, _ := r.Context().Value(staffKey{}).(signedIn)
	return s
}

// staffOnly lets a request pass to next when a member is signed in who has the
// right that [doors] asks for. Who she is comes from the session's cookie and
// from nothing else. Without a session, a GET goes to the sign-in page and comes
// back afterwards; anything else is answered 401, as it cannot be repeated. A
// refusal is recorded.
func (s *Server) staffOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, err := s.session(r)
		if rempart.KindOf(err) == rempart.Unauthorized && r.Method == http.MethodGet {
			http.Redirect(w, r, signInURL(r), http.StatusSeeOther)
			return
		}
		if err != nil {
			s.fail(w, r, "console", err)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), staffKey{}, in))
		rule, known := doors[r.Pattern]
		if !known || rule.right != everybody && !in.Staff.May(rule.right) {
			if err := s.viewed(r, "access.refused", "page", r.Pattern); err != nil {
				s.fail(w, r, "console", err)
				return
			}
			s.fail(w, r, "console", &rempart.Error{Kind: rempart.Forbidden, Code: "staff.role", Public: "Your role does not open this page."})
			return
		}
		if err := s.outside(r, in.Staff); err != nil {
			s.fail(w, r, "console", err)
			return
		}
		if rule.fresh && !s.fresh(r, in) {
			s.askAgain(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// viewed records that a member looked at, or was refused, something: each time,
// before she sees it. what is how people call it, such as a case's reference.
func (s *Server) viewed(r *http.Request, kind, subject, what string) error {
	m, _ := staffOf(r)
	return s.DB.Commit(r.Context(), "", rempart.Consequences{Events: []rempart.Event{{
		Kind: kind, Subject: subject, Actor: m.Alias, At: s.Now(), Data: map[string]string{"what": what},
	}}})
}

// session returns the session that the request's cookie holds.
func (s *Server) session(r *http.Request) (signedIn, error) {
	c, err := r.Cookie(cookieName(r))
	if err != nil || c.Value == "" {
		return signedIn{}, &rempart.Error{Kind: rempart.Unauthorized, Code: "staff.session", Public: "Sign in to open the console."}
	}
	in, err := s.DB.Session(r.Context(), c.Value)
	return signedIn{in, c.Value}, err
}

// cookieName returns "rempart_staff", followed by the port where it is not the
// scheme's own: browsers share cookies between the ports of a host, and the
// demo's instances would sign each other's staff out.
func cookieName(r *http.Request) string {
	if _, port, err := net.SplitHostPort(r.Host); err == nil && port != "80" && port != "443" {
		return "rempart_staff_" + port
	}
	return "rempart_staff"
}

// open starts a session for a member, proved if she gave a second factor, and
// goes to the page she asked for.
func (s *Server) open(w http.ResponseWriter, r *http.Request, m rempart.Staff, to string, proved bool) {
	if s.start(w, r, m, proved) {
		http.Redirect(w, r, withLang(r, to), http.StatusSeeOther)
	}
}

// start is open without going anywhere; if it says false, it has answered.
func (s *Server) start(w http.ResponseWriter, r *http.Request, m rempart.Staff, proved bool) bool {
	token, err := s.DB.StartSession(r.Context(), m.ID)
	if err == nil && proved {
		err = s.DB.ProveSession(r.Context(), token)
	}
	if err == nil {
		err = s.DB.Commit(r.Context(), "", rempart.Consequences{Events: []rempart.Event{{
			Kind: "staff.signed_in", Subject: m.ID, Actor: m.Alias, At: s.Now(), Data: map[string]string{"second_factor": strconv.FormatBool(proved)},
		}}})
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return false
	}
	s.setCookie(w, r, token, int(rempart.SessionMax.Seconds()))
	return true
}

// setCookie hands the session's token over for maxAge seconds; negative takes it
// back.
func (s *Server) setCookie(w http.ResponseWriter, r *http.Request, token string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(r), Value: token, Path: "/console", MaxAge: maxAge,
		HttpOnly: true, Secure: r.TLS != nil || strings.HasPrefix(s.Flow.Origin, "https://"), SameSite: http.SameSiteStrictMode,
	})
}

// A signInView is the sign-in page, and the page of a one-time link.
type signInView struct {
	Login   string // as typed, on a second try
	To      string // page to go to afterwards
	Token   string // of a one-time link that has yet to be spent
	Remarks []remark
	Passkey *ceremony // to sign in with a passkey, nil where none can be used
	OIDC    string    // name of the identity provider, "" if there is none
	OIDCURL string    // where signing in there begins
}

func (s *Server) signInForm(w http.ResponseWriter, r *http.Request) {
	if _, err := s.session(r); err == nil {
		http.Redirect(w, r, withLang(r, "/console/"), http.StatusSeeOther)
		return
	}
	s.signInPage(w, r, http.StatusOK, signInView{To: safeReturn(r.FormValue("to"))})
}

func (s *Server) signInPage(w http.ResponseWriter, r *http.Request, status int, v signInView) {
	p := s.consolePage(r)
	v.Passkey = s.signInCeremony(r)
	if s.OIDC != nil {
		v.OIDC, v.OIDCURL = s.OIDC.Name, p.URL("/console/oidc?to="+url.QueryEscape(v.To))
	}
	allowPasskeys(w)
	p.Title, p.Data = p.T("signin.title"), v
	s.render(w, r, status, "console/sign_in", p)
}

func (s *Server) signInPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	v := signInView{Login: strings.TrimSpace(r.PostForm.Get("login")), To: safeReturn(r.PostForm.Get("to"))}
	m, err := s.DB.CheckPassword(r.Context(), v.Login, r.PostForm.Get("password"))
	if err == nil {
		s.second(w, r, m, v.To)
		return
	}
	switch rempart.KindOf(err) {
	case rempart.Unauthorized, rempart.Unavailable, rempart.Invalid:
		v.Remarks = remarksOf(s.consolePage(r), err)
		s.signInPage(w, r, statusOf(err), v)
		return
	}
	s.fail(w, r, "console", err)
}

// enter shows what a one-time link opens, with a button: what only looks at
// links, such as a mail filter or a preview, does not spend it. In the demo the
// address alone is enough.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("token")
	if s.Demo {
		s.spend(w, r, token)
		return
	}
	p := s.consolePage(r)
	p.Title, p.Data = p.T("enter.title"), signInView{Token: token}
	s.render(w, r, http.StatusOK, "console/enter", p)
}

func (s *Server) enterPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.spend(w, r, r.PostForm.Get("token"))
}

func (s *Server) spend(w http.ResponseWriter, r *http.Request, token string) {
	m, err := s.DB.UseLink(r.Context(), token)
	if err == nil {
		s.second(w, r, m, "/console/")
		return
	}
	switch rempart.KindOf(err) {
	case rempart.Unauthorized, rempart.NotFound, rempart.Conflict, rempart.Invalid:
		p := s.consolePage(r)
		p.Title = p.T("spent.title")
		p.Data = signInView{}
		s.render(w, r, http.StatusUnauthorized, "console/spent", p)
		return
	}
	s.fail(w, r, "console", err)
}

// signOut ends the session, and has the browser forget what it kept of the
// console.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookieName(r)); err == nil {
		if err := s.DB.EndSession(r.Context(), c.Value); err != nil {
			s.fail(w, r, "console", err)
			return
		}
	}
	s.setCookie(w, r, "", -1)
	w.Header().Set("Clear-Site-Data", `"cache","cookies","storage"`)
	http.Redirect(w, r, withLang(r, "/console/sign-in?ok=signed_out"), http.StatusSeeOther)
}

func signInURL(r *http.Request) string {
	to := "/console/sign-in"
	if back := safeReturn(r.URL.RequestURI()); back != "/console/" {
		to += "?to=" + url.QueryEscape(back)
	}
	return withLang(r, to)
}

// safeReturn returns to if it is a page of this console, or else the console's
// first page, so that a sign-in link never leads elsewhere.
func safeReturn(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Host != "" || u.Scheme != "" || u.User != nil || !strings.HasPrefix(u.Path, "/console/") ||
		strings.Contains(u.Path, "..") || strings.Contains(u.Path, "\\") || strings.HasPrefix(u.Path, "/console/sign-") || strings.HasPrefix(u.Path, "/console/enter") || strings.HasPrefix(u.Path, "/console/oidc") {
		return "/console/"
	}
	return u.RequestURI()
}

// withLang keeps the language that the reader chose by the switch.
func withLang(r *http.Request, to string) string {
	lang := r.URL.Query().Get("lang")
	if lang != "fr" && lang != "en" {
		return to
	}
	u, err := url.Parse(to)
	if err != nil {
		return to
	}
	q := u.Query()
	q.Set("lang", lang)
	u.RawQuery = q.Encode()
	return u.String()
}

// ownWords are the fields whose text the domain looks at, which then stays in its
// place beside what is wrong with it.
var ownWords = []string{"words", "addresses", "text", "reasons", "explanation", "facts", "reference", "body_fr", "body_en"}

// wordsOnly refuses a form of which a field holds a file written as characters.
func wordsOnly(form url.Values) error {
	for name, values := range form {
		if !slices.Contains(ownWords, name) && slices.ContainsFunc(values, rempart.CarriesFile) {
			return &rempart.Error{Kind: rempart.Invalid, Field: name, Code: "text.file", Public: "This form holds a file, such as a picture, written as characters. No picture is ever taken in here."}
		}
	}
	return nil
}

// form reads a posted form of at most 256 kilobytes.
func (s *Server) form(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
	err := r.ParseForm()
	if err == nil {
		return wordsOnly(r.PostForm)
	}
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return &rempart.Error{Kind: rempart.TooLarge, Code: "form.large", Public: "This form holds more text than can be taken."}
	}
	return &rempart.Error{Kind: rempart.Invalid, Code: "form.unreadable", Public: "This form could not be read. Go back and send it again.", Err: err}
}
