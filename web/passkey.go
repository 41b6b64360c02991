package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"rempart"
	"rempart/store"
)

// A ceremony is one exchange with a passkey, as a page holds it: the options for
// the browser, and what the server must get back to check the answer.
type ceremony struct {
	Options string // JSON, for navigator.credentials
	Ticket  string
}

var errPasskey = &rempart.Error{Kind: rempart.Unauthorized, Code: "factor.passkey", Public: "This passkey does not open an account here."}

// passkeys returns the party that passkeys are made for, or nil where browsers
// make none: at an address that is a number, and without TLS but on localhost.
func (s *Server) passkeys(r *http.Request) *webauthn.WebAuthn {
	origin := s.Flow.Origin
	if !strings.HasPrefix(origin, "https://") {
		origin = "http://" + r.Host
		if r.TLS != nil {
			origin = "https://" + r.Host
		}
	}
	u, err := url.Parse(origin)
	if err != nil || net.ParseIP(u.Hostname()) != nil || u.Scheme == "http" && u.Hostname() != "localhost" {
		return nil
	}
	// Where the host is the request's, who chooses another one gets a party that
	// no passkey was made for.
	w, err := webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: s.Site, RPOrigins: []string{u.Scheme + "://" + u.Host}})
	if err != nil {
		s.Log.Warn("passkeys cannot be used", "err", err)
		return nil
	}
	return w
}

// allowPasskeys lets a page use passkeys, which all others may not.
func allowPasskeys(w http.ResponseWriter) {
	w.Header().Set("Permissions-Policy", strings.ReplaceAll(permissionsPolicy, "publickey-credentials-get=()", "publickey-credentials-get=(self), publickey-credentials-create=(self)"))
}

// holder is a member of the staff as the library knows a user.
type holder struct {
	rempart.Staff
	credentials []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return []byte(h.ID) }
func (h holder) WebAuthnName() string                       { return h.Login }
func (h holder) WebAuthnDisplayName() string                { return string(h.Alias) }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

func newHolder(m rempart.Staff, factors []store.FactorSecret) (holder, error) {
	h := holder{Staff: m}
	for _, f := range factors {
		if f.Kind != rempart.FactorPasskey {
			continue
		}
		var c webauthn.Credential
		if err := json.Unmarshal(f.Secret, &c); err != nil {
			return holder{}, fmt.Errorf("web: passkey %s: %w", f.ID, err)
		}
		h.credentials = append(h.credentials, c)
	}
	return h, nil
}

// newCeremony writes down an exchange; a failure is logged and gives none, as a
// page can do without.
func (s *Server) newCeremony(use string, options any, session *webauthn.SessionData, err error) *ceremony {
	var c ceremony
	if err == nil {
		var b []byte
		b, err = json.Marshal(options)
		c.Options = string(b)
	}
	if err == nil {
		c.Ticket, err = s.ticket(use, session)
	}
	if err != nil {
		s.Log.Warn("passkeys cannot be used", "err", err)
		return nil
	}
	return &c
}

// signInCeremony asks for any passkey that the device has for this instance.
func (s *Server) signInCeremony(r *http.Request) *ceremony {
	w := s.passkeys(r)
	if w == nil {
		return nil
	}
	options, session, err := w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	return s.newCeremony("passkey", options, session, err)
}

// proofCeremony asks for one of a member's passkeys; nil if she has none.
func (s *Server) proofCeremony(r *http.Request, m rempart.Staff, factors []store.FactorSecret) *ceremony {
	w := s.passkeys(r)
	h, err := newHolder(m, factors)
	if w == nil || err != nil || len(h.credentials) == 0 {
		return nil
	}
	options, session, err := w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	return s.newCeremony("passkey", options, session, err)
}

// creationCeremony asks the device to make a passkey.
func (s *Server) creationCeremony(r *http.Request, m rempart.Staff, factors []store.FactorSecret) *ceremony {
	w := s.passkeys(r)
	h, err := newHolder(m, factors)
	if w == nil || err != nil {
		return nil
	}
	options, session, err := w.BeginRegistration(h,
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired}),
		webauthn.WithExclusions(webauthn.Credentials(h.credentials).CredentialDescriptors()))
	return s.newCeremony("passkey of "+m.ID, options, session, err)
}

// passkeyOwner checks what a passkey answered and returns whose it is; find
// gives a member and her factors by identifier. Each ceremony counts once.
func (s *Server) passkeyOwner(r *http.Request, given, ticket string, find func(id string) (rempart.Staff, []store.FactorSecret, error)) (rempart.Staff, error) {
	w := s.passkeys(r)
	if w == nil {
		return rempart.Staff{}, errPasskey
	}
	var session webauthn.SessionData
	if err := s.readTicket("passkey", ticket, &session); err != nil {
		return rempart.Staff{}, err
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes([]byte(given))
	if err != nil {
		return rempart.Staff{}, errPasskey
	}
	var owner rempart.Staff
	var factors []store.FactorSecret
	var trouble error // what is not the visitor's fault
	_, credential, err := w.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		var err error
		if owner, factors, err = find(string(handle)); err != nil {
			if !errors.Is(err, errPasskey) {
				trouble = err
			}
			return nil, err
		}
		if owner.ID != string(handle) {
			return nil, errPasskey
		}
		return newHolder(owner, factors)
	}, session, answer)
	if trouble != nil {
		return rempart.Staff{}, trouble
	}
	if err != nil || credential.Authenticator.CloneWarning {
		return rempart.Staff{}, errPasskey
	}
	if err := s.DB.Spend(r.Context(), "ceremony "+session.Challenge); err != nil {
		if errors.Is(err, store.ErrAlready) {
			return rempart.Staff{}, errPasskey
		}
		return rempart.Staff{}, err
	}
	for _, f := range factors {
		if f.ID == credentialID(credential.ID) {
			kept, err := json.Marshal(credential)
			if err != nil {
				return rempart.Staff{}, fmt.Errorf("web: passkey: %w", err)
			}
			return owner, s.DB.UseFactor(r.Context(), f.Factor, int64(credential.Authenticator.SignCount), kept)
		}
	}
	return rempart.Staff{}, errPasskey
}

// credentialID is how a passkey is named here.
func credentialID(id []byte) string {
	sum := sha256.Sum256(id)
	return hex.EncodeToString(sum[:])
}
