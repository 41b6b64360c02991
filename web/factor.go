package web

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"rempart"
	"rempart/store"
)

// ticketLife is how long somebody has for a second factor, or to create one.
const ticketLife = 5 * time.Minute

// ticket seals v into a form for a use, so that it comes back as it left, within
// [ticketLife]. It is signed, not secret.
func (s *Server) ticket(use string, v any) (string, error) {
	return s.ticketFor(use, v, ticketLife)
}

// ticketFor is ticket for another time than ticketLife.
func (s *Server) ticketFor(use string, v any, life time.Duration) (string, error) {
	b, err := json.Marshal(struct {
		V     any
		Until int64
	}{v, s.Now().Add(life).Unix()})
	if err != nil {
		return "", fmt.Errorf("web: ticket: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(s.ticketMAC(use, b), b...)), nil
}

// readTicket opens what ticket or ticketFor wrote for the same use.
func (s *Server) readTicket(use, text string, v any) error {
	refused := &rempart.Error{Kind: rempart.Unauthorized, Code: "staff.ticket", Public: "This page was open for too long. Please start again."}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < sha256.Size || !hmac.Equal(b[:sha256.Size], s.ticketMAC(use, b[sha256.Size:])) {
		return refused
	}
	out := struct {
		V     any
		Until int64
	}{V: v}
	if err := json.Unmarshal(b[sha256.Size:], &out); err != nil {
		return fmt.Errorf("web: ticket: %w", err)
	}
	if s.Now().Unix() > out.Until {
		return refused
	}
	return nil
}

func (s *Server) ticketMAC(use string, b []byte) []byte {
	m := hmac.New(sha256.New, s.DB.Secret("ticket "+use))
	m.Write(b)
	return m.Sum(nil)
}

// A secondView asks for a second factor.
type secondView struct {
	Action  string // where the form goes
	Ticket  string // of a sign-in under way, "" where there is a session
	To      string
	TOTP    bool
	Passkey *ceremony
	None    bool     // there is a session, and nothing to prove with
	Again   string   // what was sent and waits for the proof, as a ticket
	Typed   []string // the texts in it
	Remarks []remark
}

// second ends a sign-in that got this far with a password or a link: at once if
// the member has nothing else to prove with, after a second factor if she has.
func (s *Server) second(w http.ResponseWriter, r *http.Request, m rempart.Staff, to string) {
	factors, err := s.DB.Factors(r.Context(), m.ID)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if len(factors) == 0 {
		s.open(w, r, m, to, false)
		return
	}
	ticket, err := s.ticket("second", m.ID)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.secondPage(w, r, http.StatusOK, m, factors, secondView{Action: "/console/second", Ticket: ticket, To: to})
}

func (s *Server) secondPage(w http.ResponseWriter, r *http.Request, status int, m rempart.Staff, factors []store.FactorSecret, v secondView) {
	for _, f := range factors {
		v.TOTP = v.TOTP || f.Kind == rempart.FactorTOTP
	}
	v.None = len(factors) == 0
	v.Passkey = s.proofCeremony(r, m, factors)
	allowPasskeys(w)
	p := s.consolePage(r)
	p.Title, p.Data = p.T("second.title"), v
	s.render(w, r, status, "console/second", p)
}

func (s *Server) secondPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	var id string
	if err := s.readTicket("second", r.PostForm.Get("ticket"), &id); err != nil {
		s.signInPage(w, r, http.StatusUnauthorized, signInView{Remarks: remarksOf(s.consolePage(r), err)})
		return
	}
	m, err := s.DB.Member(r.Context(), id)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	to := safeReturn(r.PostForm.Get("to"))
	s.prove(w, r, m, secondView{Action: "/console/second", Ticket: r.PostForm.Get("ticket"), To: to}, func() {
		s.open(w, r, m, to, true)
	})
}

// fresh says whether a session may do what is sensitive. In the demo nobody has
// a second factor, and all of it is open.
func (s *Server) fresh(r *http.Request, in signedIn) bool {
	within := rempart.FreshFor
	if r.Method != http.MethodGet {
		within = rempart.SessionIdle // the page that it was sent from was opened freshly
	}
	return s.Demo || !in.Proved.IsZero() && s.Now().Sub(in.Proved) < within
}

// askAgain sends who asks for something sensitive to prove who she is first.
func (s *Server) askAgain(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		http.Redirect(w, r, withLang(r, "/console/verify?to="+url.QueryEscape(r.URL.RequestURI())), http.StatusSeeOther)
		return
	}
	err := s.form(w, r)
	in := sessionOf(r)
	factors, e := s.DB.Factors(r.Context(), in.Staff.ID)
	v := secondView{Action: "/console/verify", To: "/console/"}
	if ref := r.PathValue("ref"); ref != "" {
		v.To = safeReturn("/console/cases/" + ref)
	}
	if err == nil && e == nil {
		v.Again, err = s.keep(in.Staff, r)
		v.Typed = typed(r.PostForm)
	}
	if err = errors.Join(err, e); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	stale := &rempart.Error{Kind: rempart.Forbidden, Code: "staff.stale", Public: "This needs a second factor given a short time ago. Nothing was changed: prove who you are, then do it again."}
	v.Remarks = remarksOf(s.consolePage(r), stale)
	s.secondPage(w, r, http.StatusForbidden, in.Staff, factors, v)
}

func (s *Server) verifyForm(w http.ResponseWriter, r *http.Request) {
	m, _ := staffOf(r)
	factors, err := s.DB.Factors(r.Context(), m.ID)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.secondPage(w, r, http.StatusOK, m, factors, secondView{Action: "/console/verify", To: safeReturn(r.FormValue("to"))})
}

func (s *Server) verifyPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	in, to, again := sessionOf(r), safeReturn(r.PostForm.Get("to")), r.PostForm.Get("again")
	var k kept
	if again != "" {
		if err := s.readTicket("again", again, &k); err != nil || k.Staff != in.Staff.ID {
			again = ""
		}
	}
	s.prove(w, r, in.Staff, secondView{Action: "/console/verify", To: to, Again: again, Typed: typed(k.Values)}, func() {
		if err := s.DB.ProveSession(r.Context(), in.token); err != nil {
			s.fail(w, r, "console", err)
			return
		}
		if again != "" {
			s.goOn(w, r, k)
			return
		}
		http.Redirect(w, r, withLang(r, to), http.StatusSeeOther)
	})
}

// prove checks the code or the passkey that a form holds, then calls then; or
// shows the form again with what is wrong. Tries are counted and slowed down.
func (s *Server) prove(w http.ResponseWriter, r *http.Request, m rempart.Staff, v secondView, then func()) {
	ctx := r.Context()
	factors, err := s.DB.Factors(ctx, m.ID)
	if err == nil {
		err = s.DB.CountTry(ctx, "second factor of "+m.ID)
	}
	if err == nil {
		if given := r.PostForm.Get("credential"); given != "" {
			err = s.checkPasskey(r, m, factors, given, r.PostForm.Get("ceremony"))
		} else {
			err = s.checkCode(r, factors, r.PostForm.Get("code"))
		}
	}
	if err == nil {
		err = s.DB.ForgetTries(ctx, "second factor of "+m.ID)
	}
	switch rempart.KindOf(err) {
	case rempart.Unauthorized, rempart.Unavailable, rempart.Invalid:
		if kind := rempart.KindOf(err); kind == rempart.Unauthorized {
			if err := s.DB.Commit(ctx, "", rempart.Consequences{Events: []rempart.Event{{Kind: "staff.factor_refused", Subject: m.ID, Actor: m.Alias, At: s.Now()}}}); err != nil {
				s.fail(w, r, "console", err)
				return
			}
		}
		v.Remarks = remarksOf(s.consolePage(r), err)
		s.secondPage(w, r, statusOf(err), m, factors, v)
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	then()
}

var errCode = &rempart.Error{Kind: rempart.Unauthorized, Field: "code", Code: "factor.code", Public: "This code is not the one of now. Check the time of your telephone, then type the code it shows."}

// codeOptions are those of RFC 6238 that every authenticator knows: SHA-1, six
// digits, 30 seconds.
const codePeriod = 30

// checkCode looks for the one-time password of now, of the step before or of the
// one after, among the factors; each counts once.
func (s *Server) checkCode(r *http.Request, factors []store.FactorSecret, code string) error {
	code = strings.Map(func(c rune) rune {
		if c == ' ' || c == '\u00a0' || c == '\u202f' {
			return -1
		}
		return c
	}, code)
	now := s.Now()
	for _, f := range factors {
		if f.Kind != rempart.FactorTOTP {
			continue
		}
		for _, skew := range []int64{0, -1, 1} {
			at := now.Add(time.Duration(skew) * codePeriod * time.Second)
			want, err := totp.GenerateCode(string(f.Secret), at)
			if err != nil {
				return fmt.Errorf("web: one-time password of a factor: %w", err)
			}
			if hmac.Equal([]byte(want), []byte(code)) {
				return s.DB.UseFactor(r.Context(), f.Factor, at.Unix()/codePeriod, nil)
			}
		}
	}
	return errCode
}

// checkPasskey checks what a passkey answered to a ceremony, which counts once.
func (s *Server) checkPasskey(r *http.Request, m rempart.Staff, factors []store.FactorSecret, given, ceremonyTicket string) error {
	owner, err := s.passkeyOwner(r, given, ceremonyTicket, func(id string) (rempart.Staff, []store.FactorSecret, error) { return m, factors, nil })
	if err != nil {
		return err
	}
	if owner.ID != m.ID {
		return errPasskey
	}
	return nil
}

// passkeySignIn signs in who answers with a passkey that she has here.
func (s *Server) passkeySignIn(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, err := s.passkeyOwner(r, r.PostForm.Get("credential"), r.PostForm.Get("ceremony"), func(id string) (rempart.Staff, []store.FactorSecret, error) {
		m, err := s.DB.Member(r.Context(), id)
		if err != nil {
			return m, nil, errors.Join(errPasskey, err)
		}
		factors, err := s.DB.Factors(r.Context(), id)
		return m, factors, err
	})
	to := safeReturn(cmp.Or(r.PostForm.Get("to"), "/console/"))
	switch rempart.KindOf(err) {
	case rempart.Unauthorized, rempart.Invalid:
		s.signInPage(w, r, http.StatusUnauthorized, signInView{To: to, Remarks: remarksOf(s.consolePage(r), err)})
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.open(w, r, m, to, true)
}
