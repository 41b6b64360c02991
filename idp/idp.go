// Package idp signs staff in at the operator's identity provider, by OpenID
// Connect: the authorization code flow with PKCE. The protocol is go-oidc's and
// x/oauth2's; what is ours is what we ask of an answer beyond them.
//
// It says who somebody is at the provider and nothing more: an issuer and a
// subject. It makes no account, gives no role, and asks for no e-mail address or
// name, so that nothing can be matched by one.
package idp

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// CallbackPath is where the provider sends people back to, below our origin. It
// is registered there, whole, as the one redirect URI.
const CallbackPath = "/console/oidc/callback"

// Limits of one request to the provider.
const (
	timeout   = 10 * time.Second
	maxAnswer = 1 << 20 // bytes
)

// Config says who the provider is.
type Config struct {
	Issuer   string // as its tokens and its discovery document write it
	ClientID string
	Secret   string
	Name     string           // of the provider, for people
	Origin   string           // ours, as others reach it
	Now      func() time.Time // nil: time.Now
}

// A Provider is an identity provider. Its methods may be called at once from
// many goroutines.
type Provider struct {
	Config
	client *http.Client

	mu    sync.Mutex // guards known
	known *known     // nil until its discovery document was read
}

// known is what discovery says.
type known struct {
	*oidc.Provider
	oauth oauth2.Config
	keys  string // address of its keys
}

// An Account is somebody at a provider.
type Account struct{ Issuer, Subject string }

// A Refusal is an answer of the provider that opens nothing.
type Refusal struct {
	Reason string // one word for the record: code, token, expired, nonce
	Err    error  // for the log; holds no token
}

func (r *Refusal) Error() string { return "idp: refused: " + r.Reason + ": " + r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

// New returns the provider that c describes; nothing is asked of it yet, so that
// an instance starts while it is away.
func New(c Config) (*Provider, error) {
	if err := address(c.Issuer); err != nil {
		return nil, fmt.Errorf("the issuer %w", err)
	}
	if err := address(c.Origin); err != nil {
		return nil, fmt.Errorf("our own address %w", err)
	}
	switch {
	case c.ClientID == "":
		return nil, errors.New("there is no client identifier")
	case c.Secret == "":
		return nil, errors.New("there is no client secret")
	case strings.TrimSpace(c.Name) == "":
		return nil, errors.New("there is no name to show on the sign-in page")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Provider{Config: c, client: &http.Client{
		Timeout:       timeout,
		Transport:     bounded{http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// address says what is wrong with the address of a party: it is https, or on
// this machine.
func address(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("is not an address such as https://login.exemple.test")
	case u.Scheme == "https", u.Scheme == "http" && here(u.Hostname()):
		return nil
	}
	return errors.New("is not https")
}

// here says whether a host is this machine by its own name.
func here(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// bounded reads no more than maxAnswer of an answer.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	a, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		a.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(a.Body, maxAnswer), a.Body}
	}
	return a, err
}

// discover reads the provider's discovery document, once it succeeds once.
func (p *Provider) discover(ctx context.Context) (*known, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p.known, nil
	}
	got, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.Issuer)
	if err != nil {
		return nil, fmt.Errorf("idp: discovery at %s: %w", p.Issuer, err)
	}
	var says struct {
		Authorization string   `json:"authorization_endpoint"`
		Token         string   `json:"token_endpoint"`
		Keys          string   `json:"jwks_uri"`
		Responses     []string `json:"response_types_supported"`
		Methods       []string `json:"token_endpoint_auth_methods_supported"`
		PKCE          []string `json:"code_challenge_methods_supported"`
	}
	if err := got.Claims(&says); err != nil {
		return nil, fmt.Errorf("idp: discovery at %s: %w", p.Issuer, err)
	}
	for name, at := range map[string]string{"authorization_endpoint": says.Authorization, "token_endpoint": says.Token, "jwks_uri": says.Keys} {
		u, err := url.Parse(at)
		if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !here(u.Hostname()) || !strings.HasPrefix(p.Issuer, "http://")) {
			return nil, fmt.Errorf("idp: discovery at %s: %s is not an https address", p.Issuer, name)
		}
	}
	if len(says.Responses) > 0 && !slices.Contains(says.Responses, "code") {
		return nil, fmt.Errorf("idp: discovery at %s: the authorization code flow is not offered", p.Issuer)
	}
	if len(says.PKCE) > 0 && !slices.Contains(says.PKCE, "S256") {
		return nil, fmt.Errorf("idp: discovery at %s: PKCE with S256 is not offered", p.Issuer)
	}
	end := got.Endpoint()
	switch {
	case len(says.Methods) == 0 || slices.Contains(says.Methods, "client_secret_basic"):
		end.AuthStyle = oauth2.AuthStyleInHeader
	case slices.Contains(says.Methods, "client_secret_post"):
		end.AuthStyle = oauth2.AuthStyleInParams
	default:
		return nil, fmt.Errorf("idp: discovery at %s: a client secret is not taken", p.Issuer)
	}
	p.known = &known{Provider: got, keys: says.Keys, oauth: oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.Secret, Endpoint: end,
		RedirectURL: strings.TrimRight(p.Origin, "/") + CallbackPath, Scopes: []string{oidc.ScopeOpenID},
	}}
	return p.known, nil
}

// Begin returns the page of the provider to send somebody to. All three values
// are random and for this one sign-in; verifier is PKCE's.
func (p *Provider) Begin(ctx context.Context, state, nonce, verifier string) (string, error) {
	k, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	return k.oauth.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), nil
}

// Finish hands a code in for an ID token, and returns whose it is: signed by the
// provider under an algorithm with two keys, from our issuer, for us and nobody
// else, not expired, and with our nonce. What is not is a [*Refusal]; any other
// error is that the provider does not answer.
func (p *Provider) Finish(ctx context.Context, code, nonce, verifier string) (Account, error) {
	k, err := p.discover(ctx)
	if err != nil {
		return Account{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	got, err := k.oauth.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		var said *oauth2.RetrieveError
		if errors.As(err, &said) && said.Response != nil {
			// Its body is not kept: it may repeat what it was sent.
			err = fmt.Errorf("the token endpoint answered %d", said.Response.StatusCode)
			if said.Response.StatusCode < 500 {
				return Account{}, &Refusal{"code", fmt.Errorf("%w %.40q", err, said.ErrorCode)}
			}
		}
		return Account{}, fmt.Errorf("idp: token endpoint: %w", err)
	}
	raw, _ := got.Extra("id_token").(string)
	if raw == "" {
		return Account{}, &Refusal{"token", errors.New("no ID token")}
	}
	token, err := k.VerifierContext(ctx, &oidc.Config{ClientID: p.ClientID, Now: p.Now, SupportedSigningAlgs: algorithms}).Verify(ctx, raw)
	var old *oidc.TokenExpiredError
	switch {
	case errors.As(err, &old):
		return Account{}, &Refusal{"expired", err}
	case err != nil:
		return Account{}, &Refusal{"token", err}
	}
	var more struct {
		For string `json:"azp"`
	}
	if err := token.Claims(&more); err != nil {
		return Account{}, &Refusal{"token", err}
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1 || nonce == "":
		return Account{}, &Refusal{"nonce", errors.New("the nonce is another one")}
	case more.For != "" && more.For != p.ClientID, more.For == "" && len(token.Audience) > 1:
		return Account{}, &Refusal{"token", errors.New("made for another party")} // OpenID Connect Core 3.1.3.7, steps 4 and 5
	case token.Subject == "" || len(token.Subject) > 255: // the same, section 2
		return Account{}, &Refusal{"token", errors.New("no subject")}
	}
	return Account{token.Issuer, token.Subject}, nil
}

// algorithms are those with which only the provider can sign: neither none, nor
// those whose key is the client's secret.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// Check asks the provider for its discovery document and its keys, and says what
// is wrong with them. Nobody is signed in, and the client's secret is not tried.
func (p *Provider) Check(ctx context.Context) error {
	k, err := p.discover(ctx)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.keys, nil)
	if err != nil {
		return fmt.Errorf("idp: keys: %w", err)
	}
	a, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("idp: keys: %w", err)
	}
	defer a.Body.Close()
	var set struct{ Keys []json.RawMessage }
	if err := json.NewDecoder(a.Body).Decode(&set); a.StatusCode != http.StatusOK || err != nil || len(set.Keys) == 0 {
		return fmt.Errorf("idp: keys: %s answered %d, and no key that can be read", k.keys, a.StatusCode)
	}
	return nil
}
