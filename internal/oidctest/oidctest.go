// Package oidctest is an identity provider for tests: OpenID Connect over real
// HTTP, with tokens signed by a key it makes. It is as strict as a good one (PKCE,
// exact redirect URI, a code once) and can be told to be a bad one.
package oidctest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// What the provider knows its one client by.
const (
	ClientID = "rempart"
	Secret   = "secret of the client"
)

// A Provider is an identity provider. Its fields may be changed between requests.
type Provider struct {
	URL      string // its issuer
	Redirect string // the one redirect URI
	Subject  string // who signs in
	Now      func() time.Time

	Change func(claims map[string]any)                   // of a token, before it is signed; nil: nothing
	Sign   func(claims []byte) (token string)            // nil: RS256, by the provider's key
	Tell   func(discovery map[string]any)                // changes the discovery document; nil: nothing
	Codes  func(code string, known []string) (as string) // which grant a code is handed in for; nil: its own
	Again  bool                                          // a code counts as often as it is given

	key    *rsa.PrivateKey
	mu     sync.Mutex // guards grants and codes
	grants map[string]grant
	codes  []string
}

// A grant is what a code stands for.
type grant struct{ nonce, challenge, subject string }

// New starts a provider, on this machine.
func New(t testing.TB) *Provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{key: key, grants: map[string]grant{}, Now: time.Now, Subject: "subject-1"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &p.key.PublicKey, KeyID: "one", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /authorize", p.allow)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	p.URL = s.URL
	return p
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func (p *Provider) discovery(w http.ResponseWriter, r *http.Request) {
	d := map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"code_challenge_methods_supported": []string{"S256"},
	}
	if p.Tell != nil {
		p.Tell(d)
	}
	answer(w, http.StatusOK, d)
}

// fault says what is wrong with a request for a code.
func (p *Provider) fault(q url.Values) string {
	for name, want := range map[string]string{"client_id": ClientID, "redirect_uri": p.Redirect, "response_type": "code", "scope": "openid", "code_challenge_method": "S256"} {
		if q.Get(name) != want {
			return fmt.Sprintf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(q.Get(name)) < 32 {
			return name + " is short"
		}
	}
	return ""
}

// authorize shows a page with one button, as people see.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	if wrong := p.fault(r.URL.Query()); wrong != "" {
		http.Error(w, wrong, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><title>Provider</title><form method="post" action="/authorize?%s"><button id="allow">Sign in as %s</button></form>`, html.EscapeString(r.URL.RawQuery), html.EscapeString(p.Subject))
}

func (p *Provider) allow(w http.ResponseWriter, r *http.Request) {
	if wrong := p.fault(r.URL.Query()); wrong != "" {
		http.Error(w, wrong, http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, p.Back(r.URL.Query()), http.StatusSeeOther)
}

// Back gives a code for a request for one, and returns where its browser is sent.
func (p *Provider) Back(q url.Values) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	code := rand.Text()
	p.grants[code] = grant{q.Get("nonce"), q.Get("code_challenge"), p.Subject}
	p.codes = append(p.codes, code)
	return p.Redirect + "?" + url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.URL}}.Encode()
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	refuse := func(why string) { answer(w, http.StatusBadRequest, map[string]string{"error": why}) }
	id, secret, ok := r.BasicAuth()
	if secret, _ = url.QueryUnescape(secret); !ok || id != ClientID || secret != Secret {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	code := r.FormValue("code")
	if p.Codes != nil {
		code = p.Codes(code, p.codes)
	}
	g, known := p.grants[code]
	if !p.Again {
		delete(p.grants, code)
	}
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !known || r.FormValue("redirect_uri") != p.Redirect || r.FormValue("grant_type") != "authorization_code" || base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge && p.Codes == nil {
		refuse("invalid_grant")
		return
	}
	now := p.Now().Unix()
	claims := map[string]any{"iss": p.URL, "sub": g.subject, "aud": ClientID, "nonce": g.nonce, "iat": now, "exp": now + 300}
	if p.Change != nil {
		p.Change(claims)
	}
	b, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	sign := p.Sign
	if sign == nil {
		sign = p.Signed
	}
	answer(w, http.StatusOK, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "id_token": sign(b)})
}

// PublicKey is the provider's key, as everybody may read it.
func (p *Provider) PublicKey() *rsa.PublicKey { return &p.key.PublicKey }

// Signed returns claims as a token of the provider.
func (p *Provider) Signed(claims []byte) string { return Signed(jose.RS256, p.key, claims) }

// Signed returns claims as a token that is signed with a key, under the name of
// the provider's.
func Signed(alg jose.SignatureAlgorithm, key any, claims []byte) string {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, nil)
	if err != nil {
		panic(err)
	}
	t, err := s.Sign(claims)
	if err != nil {
		panic(err)
	}
	text, err := t.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

// Unsigned returns claims as a token of the algorithm "none".
func Unsigned(claims []byte) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"one"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims) + "."
}
