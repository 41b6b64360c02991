package web

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"rempart"
	"rempart/idp"
	"rempart/store"
)

// oidcLife is how long somebody has at the identity provider.
const oidcLife = 10 * time.Minute

// An oidcTry is one visit to the identity provider, as the browser's cookie holds
// it: signed, so that nobody makes one up. What goes to the provider is derived
// from Key, see [Server.oidcValue].
type oidcTry struct {
	Key   string // random
	To    string // page to go to afterwards
	Lang  string // chosen by the switch, or ""
	Staff string // who links an account, "" to sign in
}

// An oidcView ends a visit to the provider: signed in, and To is next; or with an
// account to link.
type oidcView struct {
	Name    string
	To      string
	Subject string
	Ticket  string // of the account to link, "" for a sign-in
}

// A pendingAccount is an account that its holder has yet to say is hers.
type pendingAccount struct{ Staff, Issuer, Subject string }

// oidcValue derives a value of a visit from its key: its state, nonce or PKCE
// verifier. Who reads the cookie learns none of them.
func (s *Server) oidcValue(use, key string) string {
	m := hmac.New(sha256.New, s.DB.Secret("oidc "+use))
	m.Write([]byte(key))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// oidcBegin sends who wants to sign in to the identity provider. It is a link and
// no form, as the policy lets forms lead to ourselves only.
func (s *Server) oidcBegin(w http.ResponseWriter, r *http.Request) {
	s.oidcLeave(w, r, oidcTry{To: safeReturn(r.FormValue("to"))})
}

// accountBegin sends a member to the provider for the account to link.
func (s *Server) accountBegin(w http.ResponseWriter, r *http.Request) {
	m, _ := staffOf(r)
	if !s.mayLink(w, r) {
		return
	}
	s.oidcLeave(w, r, oidcTry{To: "/console/me", Staff: m.ID})
}

// mayLink says whether to go on with linking, under the rule of another second
// factor; if not, it has answered.
func (s *Server) mayLink(w http.ResponseWriter, r *http.Request) bool {
	if s.OIDC == nil {
		s.notFound(w, r)
		return false
	}
	ok, err := s.mayAdd(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return false
	}
	if !ok {
		http.Redirect(w, r, withLang(r, "/console/verify?to=/console/me"), http.StatusSeeOther)
	}
	return ok
}

func (s *Server) oidcLeave(w http.ResponseWriter, r *http.Request, try oidcTry) {
	if s.OIDC == nil {
		s.notFound(w, r)
		return
	}
	var key [32]byte
	rand.Read(key[:]) // never fails since Go 1.24
	try.Key, try.Lang = base64.RawURLEncoding.EncodeToString(key[:]), r.URL.Query().Get("lang")
	ticket, err := s.ticketFor("oidc", try, oidcLife)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	to, err := s.OIDC.Begin(r.Context(), s.oidcValue("state", try.Key), s.oidcValue("nonce", try.Key), s.oidcValue("verifier", try.Key))
	if err != nil {
		s.oidcAway(w, r, try, err)
		return
	}
	s.oidcCookie(w, r, ticket, int(oidcLife.Seconds()))
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// oidcCookie binds a visit to the browser. It is Lax, as the way back begins on
// another site.
func (s *Server) oidcCookie(w http.ResponseWriter, r *http.Request, ticket string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: oidcCookieName(r), Value: ticket, Path: "/console/oidc", MaxAge: maxAge,
		HttpOnly: true, Secure: r.TLS != nil || strings.HasPrefix(s.Flow.Origin, "https://"), SameSite: http.SameSiteLaxMode,
	})
}

func oidcCookieName(r *http.Request) string {
	return "rempart_oidc" + strings.TrimPrefix(cookieName(r), "rempart_staff")
}

// oidcBack takes who comes back from the provider. It never makes an account and
// looks at nothing but issuer and subject. What it opens is what a password opens.
func (s *Server) oidcBack(w http.ResponseWriter, r *http.Request) {
	if s.OIDC == nil {
		s.notFound(w, r)
		return
	}
	ctx, q := r.Context(), r.URL.Query()
	var try oidcTry
	c, err := r.Cookie(oidcCookieName(r))
	if err == nil {
		err = s.readTicket("oidc", c.Value, &try)
	}
	if try.Lang != "" {
		kept := r.URL.Query()
		kept.Set("lang", try.Lang)
		r.URL.RawQuery = kept.Encode()
	}
	s.oidcCookie(w, r, "", -1)
	iss := q.Get("iss") // RFC 9207
	switch {
	case err != nil || try.Key == "" || !hmac.Equal([]byte(q.Get("state")), []byte(s.oidcValue("state", try.Key))) || iss != "" && iss != s.OIDC.Issuer:
		s.oidcRefused(w, r, try, rempart.Staff{}, "state")
		return
	case q.Get("error") != "" || q.Get("code") == "":
		s.oidcRefused(w, r, try, rempart.Staff{}, "denied")
		return
	}
	who, err := s.OIDC.Finish(ctx, q.Get("code"), s.oidcValue("nonce", try.Key), s.oidcValue("verifier", try.Key))
	var no *idp.Refusal
	switch {
	case errors.As(err, &no):
		s.Log.Warn("the identity provider's answer was refused", "err", err)
		s.oidcRefused(w, r, try, rempart.Staff{}, no.Reason)
		return
	case err != nil:
		s.oidcAway(w, r, try, err)
		return
	}
	if err := s.DB.Spend(ctx, "oidc "+try.Key); errors.Is(err, store.ErrAlready) {
		s.oidcRefused(w, r, try, rempart.Staff{}, "replayed")
		return
	} else if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if try.Staff != "" {
		s.accountAsk(w, r, try, who)
		return
	}
	m, err := s.DB.AccountHolder(ctx, who.Issuer, who.Subject)
	switch rempart.KindOf(err) {
	case rempart.NotFound:
		s.oidcRefused(w, r, try, rempart.Staff{}, "unknown")
		return
	case rempart.Forbidden:
		s.oidcRefused(w, r, try, m, "disabled")
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	factors, err := s.DB.Factors(ctx, m.ID)
	switch {
	case err != nil:
		s.fail(w, r, "console", err)
	case len(factors) > 0:
		s.second(w, r, m, try.To)
	case s.start(w, r, m, false):
		// The session's cookie is Strict, and a redirect that began at the provider
		// would not carry it. What a page of ours leads to does.
		p := s.consolePage(r)
		p.Title, p.Data = p.T("oidc.title"), oidcView{Name: s.OIDC.Name, To: withLang(r, try.To)}
		s.render(w, r, http.StatusOK, "console/oidc", p)
	}
}

// oidcRefused shows the sign-in page with why nothing was opened, and records it:
// always where the provider named somebody, and otherwise as often as a record
// can be asked for by anybody. m is who the account is of, if somebody.
func (s *Server) oidcRefused(w http.ResponseWriter, r *http.Request, try oidcTry, m rempart.Staff, why string) {
	named := why == "unknown" || why == "disabled" || why == "replayed"
	if named || s.refusals.take(s.Now()) == nil {
		err := s.DB.Commit(r.Context(), "", rempart.Consequences{Events: []rempart.Event{{
			Kind: "staff.oidc_refused", Subject: cmp.Or(m.ID, "oidc"), Actor: rempart.ActorSystem, At: s.Now(), Data: map[string]string{"what": why},
		}}})
		if err != nil {
			s.fail(w, r, "console", err)
			return
		}
	}
	err := &rempart.Error{Kind: rempart.Unauthorized, Code: "oidc.refused", Public: "This sign-in could not be checked, and nothing was opened. Please start again."}
	switch why {
	case "unknown", "disabled": // one sentence: it does not tell who is here
		err = &rempart.Error{Kind: rempart.Unauthorized, Code: "oidc.unknown", Public: "This account opens nothing here. Sign in as you did before, then link it on the page My account; or ask an administrator."}
	case "denied":
		err = &rempart.Error{Kind: rempart.Unauthorized, Code: "oidc.denied", Public: "The sign-in was not finished. You can start again, or sign in another way."}
	}
	s.signInPage(w, r, http.StatusUnauthorized, signInView{To: safeReturn(try.To), Remarks: remarksOf(s.consolePage(r), err)})
}

// oidcAway says that the provider does not answer, and that the other ways do.
func (s *Server) oidcAway(w http.ResponseWriter, r *http.Request, try oidcTry, cause error) {
	s.Log.Error("the identity provider does not answer", "err", cause)
	err := &rempart.Error{Kind: rempart.Unavailable, Code: "oidc.away", Public: "The sign-in service does not answer at this moment. Your passkey, your password and a sign-in link work as before."}
	s.signInPage(w, r, statusOf(err), signInView{To: safeReturn(try.To), Remarks: remarksOf(s.consolePage(r), err)})
}

// accountAsk shows the account that the provider named, with the button that
// links it. Nothing is linked before: her session is not seen here, as its cookie
// does not come along from another site.
func (s *Server) accountAsk(w http.ResponseWriter, r *http.Request, try oidcTry, who idp.Account) {
	ticket, err := s.ticket("account", pendingAccount{try.Staff, who.Issuer, who.Subject})
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	p := s.consolePage(r)
	p.Title, p.Data = p.T("oidc.link.title"), oidcView{Name: s.OIDC.Name, Subject: who.Subject, Ticket: ticket}
	s.render(w, r, http.StatusOK, "console/oidc", p)
}

func (s *Server) accountLink(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if !s.mayLink(w, r) {
		return
	}
	m, _ := staffOf(r)
	var a pendingAccount
	err := s.readTicket("account", r.PostForm.Get("ticket"), &a)
	if err == nil && a.Staff != m.ID {
		err = &rempart.Error{Kind: rempart.Forbidden, Code: "oidc.other", Public: "This account was shown to somebody else. Please start again from your own page."}
	}
	if err == nil {
		err = s.DB.LinkAccount(r.Context(), m.ID, a.Issuer, a.Subject, rempart.Event{Kind: "staff.account_linked", Subject: m.ID, Actor: m.Alias, At: s.Now()})
	}
	switch rempart.KindOf(err) {
	case rempart.Unauthorized, rempart.Forbidden, rempart.Conflict:
		s.mePage(w, r, statusOf(err), meView{Remarks: remarksOf(s.consolePage(r), err)})
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	done(w, r, "/console/me", "account_linked")
}

func (s *Server) accountRemove(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if !s.mayLink(w, r) {
		return
	}
	m, _ := staffOf(r)
	if _, err := s.DB.UnlinkAccount(r.Context(), m.ID, rempart.Event{Kind: "staff.account_removed", Subject: m.ID, Actor: m.Alias, At: s.Now()}); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	done(w, r, "/console/me", "account_removed")
}
