package idp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"rempart/idp"
	"rempart/internal/oidctest"
)

func config(issuer string) idp.Config {
	return idp.Config{Issuer: issuer, ClientID: oidctest.ClientID, Secret: oidctest.Secret, Name: "Fédération Exemple", Origin: "https://pole.exemple.test"}
}

// TestNew: what could not be safe or could not work is refused before anything
// is asked of anybody.
func TestNew(t *testing.T) {
	if _, err := idp.New(config("https://login.exemple.test/realms/pole")); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*idp.Config){
		"the issuer is not https":          func(c *idp.Config) { c.Issuer = "http://login.exemple.test" },
		"the issuer is not an address":     func(c *idp.Config) { c.Issuer = "login.exemple.test" },
		"our own address is not https":     func(c *idp.Config) { c.Origin = "http://pole.exemple.test" },
		"there is no client identifier":    func(c *idp.Config) { c.ClientID = "" },
		"there is no client secret":        func(c *idp.Config) { c.Secret = "" },
		"there is no name to show":         func(c *idp.Config) { c.Name = " " },
		"our own address is not an addres": func(c *idp.Config) { c.Origin = "https://pole.exemple.test?x" },
	} {
		c := config("https://login.exemple.test")
		change(&c)
		if _, err := idp.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestCheck: a provider that cannot be used is said to be so, and why.
func TestCheck(t *testing.T) {
	ctx := context.Background()
	check := func(tell func(map[string]any)) error {
		t.Helper()
		p := oidctest.New(t)
		p.Tell = tell
		got, err := idp.New(config(p.URL))
		if err != nil {
			t.Fatal(err)
		}
		err = got.Check(ctx)
		// What discovery refuses sends nobody there.
		if to, e := got.Begin(ctx, "s", "n", "v"); (e == nil) != (err == nil || strings.Contains(err.Error(), "keys:")) {
			t.Errorf("checked %v, and yet people are sent to %q, %v", err, to, e)
		}
		return err
	}
	if err := check(nil); err != nil {
		t.Fatal(err)
	}
	empty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(`{"keys": []}`)) }))
	defer empty.Close()
	for want, tell := range map[string]func(map[string]any){
		"did not match":         func(d map[string]any) { d["issuer"] = "https://ailleurs.exemple.test" },
		"token_endpoint is not": func(d map[string]any) { d["token_endpoint"] = "http://login.exemple.test/token" },
		"authorization_endpoin": func(d map[string]any) { d["authorization_endpoint"] = "javascript:alert(1)" },
		"authorization code":    func(d map[string]any) { d["response_types_supported"] = []string{"id_token"} },
		"PKCE with S256":        func(d map[string]any) { d["code_challenge_methods_supported"] = []string{"plain"} },
		"secret is not taken":   func(d map[string]any) { d["token_endpoint_auth_methods_supported"] = []string{"private_key_jwt"} },
		"no key that can be":    func(d map[string]any) { d["jwks_uri"] = empty.URL },
	} {
		if err := check(tell); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	gone, err := idp.New(config("http://127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Check(ctx); err == nil {
		t.Error("a provider that is not there is in order")
	}
}

// TestFinishKeepsNothing: an endpoint that fails and repeats what it was sent does
// not bring the client's secret, the code or the verifier into our log.
func TestFinishKeepsNothing(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusInternalServerError, http.StatusBadGateway} {
		p := oidctest.New(t)
		asked := ""
		echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			asked = string(b)
			w.WriteHeader(status)
			fmt.Fprintf(w, "cannot serve %s", b)
		}))
		defer echo.Close()
		p.Tell = func(d map[string]any) {
			d["token_endpoint"], d["token_endpoint_auth_methods_supported"] = echo.URL, []string{"client_secret_post"}
		}
		got, err := idp.New(config(p.URL))
		if err != nil {
			t.Fatal(err)
		}
		_, err = got.Finish(t.Context(), "zq-code", "nonce", "zq-verifier")
		if !strings.Contains(asked, "zq-code") || !strings.Contains(asked, "zq-verifier") || !strings.Contains(asked, "client_secret=") {
			t.Fatalf("asked with %q", asked)
		}
		var no *idp.Refusal
		if err == nil || errors.As(err, &no) != (status < 500) || !strings.Contains(err.Error(), fmt.Sprint(status)) {
			t.Errorf("%d: error %v", status, err)
			continue
		}
		for _, secret := range []string{"zq-code", "zq-verifier", url.QueryEscape(oidctest.Secret)} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%d: the error repeats %s: %v", status, secret, err)
			}
		}
	}
}
