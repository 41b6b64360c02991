package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"rempart"
	"rempart/idp"
	"rempart/media"
)

// oidcFlags say where staff may sign in beside their passkeys and passwords.
type oidcFlags struct {
	OIDCIssuer string `name:"oidc-issuer" help:"Identity provider (OpenID Connect) that staff may sign in with, as its tokens write it, such as https://login.exemple.test; default: none. Our address there, to be registered whole: the -origin followed by /console/oidc/callback." env:"REMPART_OIDC_ISSUER"`
	OIDCClient string `name:"oidc-client" help:"Client identifier that the provider knows us by." env:"REMPART_OIDC_CLIENT"`
	OIDCSecret string `name:"oidc-secret" help:"File that holds the client's secret, open to you alone (mode 0600)." type:"path" env:"REMPART_OIDC_SECRET"`
	OIDCName   string `name:"oidc-name" help:"Name of the provider, on the sign-in page: Sign in with NAME." env:"REMPART_OIDC_NAME"`
}

// provider returns the identity provider, nil if there is none. origin is our
// address, as others reach it.
func (c oidcFlags) provider(origin string) (*idp.Provider, error) {
	if c.OIDCIssuer == "" {
		if c.OIDCClient != "" || c.OIDCSecret != "" {
			return nil, hinted{errors.New("there is a client of an identity provider, and no provider"), "give -oidc-issuer too, or leave -oidc-client and -oidc-secret out"}
		}
		return nil, nil
	}
	hint := "write it to a file that only you can read (chmod 600), and name the file with -oidc-secret"
	if openToOthers(c.OIDCSecret) {
		return nil, hinted{errors.New("secret for the identity provider: other users of this machine can read its file"), hint}
	}
	secret, err := os.ReadFile(c.OIDCSecret)
	if err == nil && strings.TrimSpace(string(secret)) == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, hinted{fmt.Errorf("secret for the identity provider: %w", err), hint}
	}
	p, err := idp.New(idp.Config{Issuer: c.OIDCIssuer, ClientID: c.OIDCClient, Secret: strings.TrimSpace(string(secret)), Name: c.OIDCName, Origin: origin})
	if err != nil {
		return nil, hinted{fmt.Errorf("identity provider: %w", err), "give -oidc-issuer https://…, -oidc-client, -oidc-secret FILE, -oidc-name, and an -origin that is https"}
	}
	return p, nil
}

// doctor says whether the identity provider can be used. Nobody is signed in, and
// the secret is not tried: only a code that somebody came back with could.
func (c oidcFlags) doctor(ctx context.Context) media.Finding {
	f := media.Finding{Program: "sign-in", Found: true, Version: "passkeys, one-time codes and passwords; no identity provider (-oidc-issuer)"}
	p, err := c.provider("https://origin.invalid")
	if err != nil {
		return media.Finding{Program: f.Program, Means: err.Error()}
	}
	if p == nil {
		return f
	}
	if err := p.Check(ctx); err != nil {
		return media.Finding{Program: f.Program, Means: fmt.Sprintf("%v: nobody signs in there; passkeys and passwords work", err)}
	}
	f.Version = fmt.Sprintf("%s answers, with its keys; the client's secret is first tried when somebody signs in", p.Issuer)
	return f
}

type staffAccount struct {
	place
	Login   string `help:"What she signs in with." required:""`
	Issuer  string `help:"Identity provider, as -oidc-issuer of rempart serve."`
	Subject string `help:"What the provider calls her in its tokens (sub); never an e-mail address that somebody else may have there one day."`
	Remove  bool   `help:"Let her account open nothing any more; ends her sessions."`
}

// Run links or unlinks an account at the identity provider.
func (c *staffAccount) Run(ctx context.Context, s streams) error {
	if c.Remove == (c.Issuer != "" || c.Subject != "") || !c.Remove && (c.Issuer == "" || c.Subject == "") {
		return hinted{errors.New("it is not clear what to do"), "give -issuer and -subject to link an account, or -remove"}
	}
	return withMember(ctx, c.place, c.Login, func(i *instance, m rempart.Staff) error {
		if !c.Remove {
			if err := i.db.LinkAccount(ctx, m.ID, c.Issuer, c.Subject, adminEvent("staff.account_linked", m.ID)); err != nil {
				return err
			}
			fmt.Fprintf(s.err, "rempart: %s can sign in with this account; her rights are as before\n", m.Login)
			return sealed(ctx, i)
		}
		had, err := i.db.UnlinkAccount(ctx, m.ID, adminEvent("staff.account_removed", m.ID))
		if err != nil {
			return err
		}
		if !had {
			fmt.Fprintf(s.err, "rempart: %s has no account at an identity provider\n", m.Login)
			return nil
		}
		if _, err := i.db.EndOtherSessions(ctx, m.ID, ""); err != nil {
			return err
		}
		fmt.Fprintf(s.err, "rempart: her account at the identity provider signs %s in no more; her sessions have ended\n", m.Login)
		return sealed(ctx, i)
	})
}
