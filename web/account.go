package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/pquerna/otp/totp"

	"rempart"
)

// A meView is a member's own page: what she signs in with.
type meView struct {
	Factors       []rempart.Factor
	Passkey       *ceremony
	Authenticator *authenticatorView // being added, nil if none is
	Remarks       []remark
	OIDC          string    // name of the identity provider, "" if there is none
	Linked        time.Time // since when she signs in there, zero if she does not
}

// An authenticatorView is a key for one-time passwords, before its first code.
type authenticatorView struct {
	Key    string // in groups of four
	URI    string
	Path   string // of the QR code, in SVG
	Size   int    // of the QR code, in modules
	Ticket string
	Name   string
}

// Box is the side of the QR code with its margin, in modules.
func (v authenticatorView) Box() int { return v.Size + 8 }

// May says whether who reads the page has a right, for templates to show no
// button that would be refused.
func (p page) May(r rempart.Right) bool { return p.Staff != nil && p.Staff.May(r) }

func (s *Server) me(w http.ResponseWriter, r *http.Request) {
	s.mePage(w, r, http.StatusOK, meView{})
}

func (s *Server) mePage(w http.ResponseWriter, r *http.Request, status int, v meView) {
	m, _ := staffOf(r)
	factors, err := s.DB.Factors(r.Context(), m.ID)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	for _, f := range factors {
		v.Factors = append(v.Factors, f.Factor)
	}
	if s.OIDC != nil {
		linked, err := s.DB.Accounts(r.Context())
		if err != nil {
			s.fail(w, r, "console", err)
			return
		}
		v.OIDC, v.Linked = s.OIDC.Name, linked[m.ID]
	}
	v.Passkey = s.creationCeremony(r, m, factors)
	allowPasskeys(w)
	p := s.consolePage(r)
	p.Title, p.Data = p.T("me.title"), v
	s.render(w, r, status, "console/me", p)
}

// mayAdd says whether the session may get another factor: the first one by who
// is signed in, any other after one that is there was given again, so that a
// session that was taken over is not made to last.
func (s *Server) mayAdd(r *http.Request) (bool, error) {
	in := sessionOf(r)
	if s.Demo || in.Fresh(s.Now()) {
		return true, nil
	}
	factors, err := s.DB.Factors(r.Context(), in.Staff.ID)
	return len(factors) == 0, err
}

// adding reads the form of something that adds a factor, and says whether to go
// on; if not, it has answered.
func (s *Server) adding(w http.ResponseWriter, r *http.Request) bool {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return false
	}
	ok, err := s.mayAdd(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return false
	}
	if !ok {
		http.Redirect(w, r, withLang(r, "/console/verify?to=/console/me"), http.StatusSeeOther)
		return false
	}
	return true
}

// factorName is what a member calls a factor, cut to a length that fits a line.
func factorName(r *http.Request, otherwise string) string {
	name := []rune(strings.Join(strings.Fields(plainText(r.PostForm.Get("name"))), " "))
	if len(name) == 0 {
		return otherwise
	}
	return string(name[:min(len(name), 60)])
}

// totpNew makes a key for an authenticator, and shows it until its first code is
// typed; nothing is kept before.
func (s *Server) totpNew(w http.ResponseWriter, r *http.Request) {
	if !s.adding(w, r) {
		return
	}
	m, _ := staffOf(r)
	key, err := totp.Generate(totp.GenerateOpts{Issuer: strings.ReplaceAll(s.Site, ":", " "), AccountName: m.Login, SecretSize: 20})
	if err != nil {
		s.fail(w, r, "console", fmt.Errorf("web: key for one-time passwords: %w", err))
		return
	}
	s.authenticatorPage(w, r, http.StatusOK, key.Secret(), key.URL(), factorName(r, "TOTP"), nil)
}

// pendingKey is a key that is being added, as it waits in the form.
type pendingKey struct{ Staff, Secret, URI, Name string }

func (s *Server) authenticatorPage(w http.ResponseWriter, r *http.Request, status int, secret, uri, name string, remarks []remark) {
	m, _ := staffOf(r)
	ticket, err := s.ticket("totp", pendingKey{m.ID, secret, uri, name})
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	code, err := qr.Encode(uri, qr.M, qr.Auto)
	if err != nil {
		s.fail(w, r, "console", fmt.Errorf("web: QR code: %w", err))
		return
	}
	v := &authenticatorView{Key: inFours(secret), URI: uri, Ticket: ticket, Name: name, Size: code.Bounds().Dx()}
	var path strings.Builder
	for y := range v.Size {
		for x := range v.Size {
			if red, _, _, _ := code.At(x, y).RGBA(); red == 0 {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	v.Path = path.String()
	s.mePage(w, r, status, meView{Authenticator: v, Remarks: remarks})
}

func inFours(s string) string {
	var b strings.Builder
	for k, c := range s {
		if k > 0 && k%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}

func (s *Server) totpConfirm(w http.ResponseWriter, r *http.Request) {
	if !s.adding(w, r) {
		return
	}
	m, _ := staffOf(r)
	var key pendingKey
	err := s.readTicket("totp", r.PostForm.Get("ticket"), &key)
	if err == nil && key.Staff != m.ID {
		err = errCode
	}
	if err != nil {
		s.mePage(w, r, statusOf(err), meView{Remarks: remarksOf(s.consolePage(r), err)})
		return
	}
	f := rempart.Factor{ID: rempart.NewID(s.Now()), StaffID: m.ID, Kind: rempart.FactorTOTP, Name: key.Name, CreatedAt: s.Now()}
	// The code is only looked at here: it counts once the factor is kept.
	code, now := strings.Join(strings.Fields(r.PostForm.Get("code")), ""), s.Now()
	if ok, err := totp.ValidateCustom(code, key.Secret, now, totp.ValidateOpts{Period: codePeriod, Skew: 1, Digits: 6}); err != nil || !ok {
		s.authenticatorPage(w, r, http.StatusUnauthorized, key.Secret, key.URI, key.Name, remarksOf(s.consolePage(r), errCode))
		return
	}
	s.added(w, r, f, []byte(key.Secret), now.Unix()/codePeriod)
}

// added keeps a factor that was just proved, at the number of its proof, and
// notes that the session is.
func (s *Server) added(w http.ResponseWriter, r *http.Request, f rempart.Factor, secret []byte, used int64) {
	ctx, in := r.Context(), sessionOf(r)
	err := s.DB.AddFactor(ctx, f, secret, rempart.Event{
		Kind: "staff.factor_added", Subject: f.StaffID, Actor: in.Staff.Alias, At: s.Now(), Data: map[string]string{"kind": string(f.Kind)},
	})
	if rempart.KindOf(err) == rempart.Conflict {
		s.mePage(w, r, http.StatusConflict, meView{Remarks: remarksOf(s.consolePage(r), err)})
		return
	}
	if err == nil {
		err = s.DB.UseFactor(ctx, f, used, nil)
	}
	if err == nil {
		err = s.DB.ProveSession(ctx, in.token)
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	done(w, r, "/console/me", "factor_added")
}

func (s *Server) passkeyAdd(w http.ResponseWriter, r *http.Request) {
	if !s.adding(w, r) {
		return
	}
	f, secret, used, err := s.newPasskey(r)
	switch rempart.KindOf(err) {
	case rempart.Unauthorized, rempart.Invalid:
		s.mePage(w, r, statusOf(err), meView{Remarks: remarksOf(s.consolePage(r), err)})
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.added(w, r, f, secret, used)
}

// newPasskey checks what the device answered to a creation.
func (s *Server) newPasskey(r *http.Request) (f rempart.Factor, secret []byte, used int64, err error) {
	m, _ := staffOf(r)
	var session webauthn.SessionData
	if err := s.readTicket("passkey of "+m.ID, r.PostForm.Get("ceremony"), &session); err != nil {
		return f, nil, 0, err
	}
	refused := &rempart.Error{Kind: rempart.Invalid, Code: "factor.passkey_new", Public: "This passkey could not be added. Try again."}
	party := s.passkeys(r)
	answer, err := protocol.ParseCredentialCreationResponseBytes([]byte(r.PostForm.Get("credential")))
	if err != nil || party == nil {
		return f, nil, 0, refused
	}
	factors, err := s.DB.Factors(r.Context(), m.ID)
	if err != nil {
		return f, nil, 0, err
	}
	h, err := newHolder(m, factors)
	if err != nil {
		return f, nil, 0, err
	}
	credential, err := party.CreateCredential(h, session, answer)
	if err != nil {
		return f, nil, 0, refused
	}
	if secret, err = json.Marshal(credential); err != nil {
		return f, nil, 0, fmt.Errorf("web: passkey: %w", err)
	}
	f = rempart.Factor{ID: credentialID(credential.ID), StaffID: m.ID, Kind: rempart.FactorPasskey, Name: factorName(r, "passkey"), CreatedAt: s.Now()}
	return f, secret, int64(credential.Authenticator.SignCount), nil
}

func (s *Server) factorRemove(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	n, err := s.DB.RemoveFactors(r.Context(), m.ID, r.PathValue("id"), rempart.Event{Kind: "staff.factor_removed", Subject: m.ID, Actor: m.Alias, At: s.Now()})
	if err == nil && n == 0 {
		err = &rempart.Error{Kind: rempart.NotFound, Code: "factor.missing", Public: "This way to sign in is no longer there."}
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	done(w, r, "/console/me", "factor_removed")
}

func (s *Server) otherSessions(w http.ResponseWriter, r *http.Request) {
	in := sessionOf(r)
	if _, err := s.DB.EndOtherSessions(r.Context(), in.Staff.ID, in.token); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	done(w, r, "/console/me", "sessions_ended")
}

// newLink returns the address that signs a member in once.
func (s *Server) newLink(r *http.Request, staffID string) (string, error) {
	token, err := s.DB.NewLink(r.Context(), staffID, inviteLife)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(s.Flow.Origin, "/") + "/console/enter?token=" + token, nil
}
