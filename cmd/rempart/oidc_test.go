package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rempart/internal/oidctest"
)

// TestOIDCFlags: a provider that is set up wrongly is said to be so before
// anybody tries to sign in, by doctor and by serve.
func TestOIDCFlags(t *testing.T) {
	p := oidctest.New(t)
	dir := t.TempDir()
	secret, open, empty := filepath.Join(dir, "secret"), filepath.Join(dir, "open"), filepath.Join(dir, "empty")
	for name, f := range map[string]struct {
		text string
		mode os.FileMode
	}{secret: {oidctest.Secret + "\n", 0o600}, open: {oidctest.Secret, 0o644}, empty: {" \n", 0o600}} {
		if err := os.WriteFile(name, []byte(f.text), f.mode); err != nil {
			t.Fatal(err)
		}
	}
	good := []string{"-oidc-issuer", p.URL, "-oidc-client", oidctest.ClientID, "-oidc-secret", secret, "-oidc-name", "Exemple"}
	with := func(name, value string) []string {
		args := append([]string{}, good...)
		for k := 0; k < len(args); k += 2 {
			if args[k] == name {
				args[k+1] = value
			}
		}
		return args
	}
	for _, c := range []struct {
		args []string
		want string // of doctor's line
		bad  bool   // serve does not start
	}{
		{nil, "ok       sign-in: passkeys", false},
		{good, "ok       sign-in: " + p.URL + " answers", false},
		{with("-oidc-secret", open), "missing  sign-in: secret for the identity provider: other users", true},
		{with("-oidc-secret", empty), "missing  sign-in: secret for the identity provider: it is empty", true},
		{with("-oidc-secret", filepath.Join(dir, "none")), "missing  sign-in: secret for the identity provider", true},
		{with("-oidc-issuer", "http://login.exemple.test"), "missing  sign-in: identity provider: the issuer is not https", true},
		{with("-oidc-name", ""), "missing  sign-in: identity provider: there is no name", true},
		{with("-oidc-issuer", p.URL+"/"), "missing  sign-in: idp: discovery", false},
	} {
		var out, stderr bytes.Buffer
		run(t.Context(), append([]string{"doctor", "-data", dir}, c.args...), strings.NewReader(""), &out, &stderr)
		if !strings.Contains(out.String(), c.want) || strings.Contains(out.String()+stderr.String(), oidctest.Secret) {
			t.Errorf("doctor %q says %s, want %q", c.args, out.String(), c.want)
		}
		if !c.bad {
			continue
		}
		stderr.Reset()
		if exit := run(t.Context(), append([]string{"serve", "-data", filepath.Join(dir, "data"), "-addr", "127.0.0.1:0"}, c.args...), strings.NewReader(""), &out, &stderr); exit == 0 || !strings.Contains(stderr.String(), "hint") {
			t.Errorf("serve %q: exit %d, %s", c.args, exit, stderr.String())
		}
	}
}
