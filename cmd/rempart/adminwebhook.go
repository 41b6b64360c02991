package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"rempart"
)

type webhookCmd struct {
	Set    webhookSet    `cmd:"" help:"Register the address at which this platform's own system carries decisions out, or change it."`
	Show   webhookShow   `cmd:"" help:"Say which address is registered; the secret is not shown again."`
	Remove webhookRemove `cmd:"" help:"Have no system carry decisions out any more: the staff does it by hand."`
}

type webhookSet struct {
	place
	URL       string `name:"url" help:"Whole address of the webhook, such as https://forum.exemple.test/hooks/rempart."`
	Secret    string `help:"What messages are signed with, whsec_…, as Standard Webhooks says; default: a new one at first, then the one there is." env:"REMPART_WEBHOOK_SECRET"`
	NewSecret bool   `help:"Make a new secret."`
}

// Help tells what the other side must do.
func (c *webhookSet) Help() string {
	return `Each decision is posted to the address, signed as Standard Webhooks says
(https://www.standardwebhooks.com), with the secret that is printed once. The
system answers 200 with {"outcome": "done"} when the content is gone or back;
{"outcome": "pending"} is asked again; {"outcome": "failed", "reason": "…"} goes
to the staff. The same webhook-id is the same order: do it once, answer the same
again. The notifier is told of a removal when it is done, and not before.

examples/forum holds a receiver of 40 lines.`
}

// Run registers the webhook.
func (c *webhookSet) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	p, err := i.db.Peer(ctx, rempart.SystemID)
	if rempart.KindOf(err) == rempart.NotFound && err != nil {
		p, err = rempart.Peer{ID: rempart.SystemID, Name: "own system", Kind: rempart.PeerSystem, CreatedAt: time.Now()}, nil
	}
	if err != nil {
		return err
	}
	p.URL, p.DisabledAt = cmp.Or(c.URL, p.URL), time.Time{}
	u, err := url.Parse(p.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return hinted{errors.New("-url is not the address of a webhook"), "give it whole, as https://forum.exemple.test/hooks/rempart"}
	}
	cred, err := i.db.Credentials(ctx, p.ID)
	if err != nil && rempart.KindOf(err) != rempart.NotFound {
		return err
	}
	made := c.Secret == "" && (c.NewSecret || cred.Secret == "")
	if made {
		c.Secret = newSecret()
	}
	cred.Secret = cmp.Or(c.Secret, cred.Secret)
	if err := goodSecret(cred.Secret); err != nil {
		return hinted{err, "leave -secret out to have one made"}
	}
	if err := i.db.PutPeer(ctx, p, "", &cred); err != nil {
		return err
	}
	if made {
		fmt.Fprintln(s.out, "secret "+cred.Secret)
		fmt.Fprintln(s.err, "rempart: give this to the system by a safe way; it is not shown again")
	}
	if u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" {
		fmt.Fprintln(s.err, "rempart: warning: over http, everybody on the way reads which content a decision is about")
	}
	return noted(ctx, i, "webhook.set", p.ID, "new_secret", fmt.Sprint(c.Secret != ""))
}

type webhookShow struct{ place }

// Run shows the webhook.
func (c *webhookShow) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	p, err := i.flow.System(ctx)
	if rempart.KindOf(err) == rempart.NotFound && err != nil {
		fmt.Fprintln(s.out, "none: the staff carries decisions out by hand")
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, p.URL)
	return nil
}

type webhookRemove struct{ place }

// Run removes the webhook.
func (c *webhookRemove) Run(ctx context.Context, s streams) error {
	if err := changePeer(ctx, c.place, rempart.SystemID, "webhook.removed", func(p *rempart.Peer) { p.DisabledAt = time.Now() }); err != nil {
		return err
	}
	fmt.Fprintln(s.err, "rempart: decisions count as carried out when they are taken; those under way go to the staff")
	return nil
}
