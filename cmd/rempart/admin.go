package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"rempart"
)

// adminCmd manages what has no page yet.
type adminCmd struct {
	Staff   staffCmd   `cmd:"" help:"Who signs in."`
	Peer    peerCmd    `cmd:"" help:"Instances and systems that this one speaks with."`
	Service serviceCmd `cmd:"" help:"The register: who is behind an address, and how to notify them."`
}

type staffCmd struct {
	Add  staffAdd  `cmd:"" help:"Add somebody and print a link that signs in once."`
	Link staffLink `cmd:"" help:"Print a new sign-in link for somebody who is there already."`
	List staffList `cmd:"" help:"List the staff."`
}

type staffAdd struct {
	place
	Login    string `help:"What she signs in with." required:""`
	Alias    string `help:"What others see of her; never her name." required:""`
	Role     string `help:"analyst, moderator or admin." enum:"analyst,moderator,admin" required:""`
	Password string `help:"Read from the environment, never from the command line." env:"REMPART_PASSWORD" hidden:""`
	Origin   string `help:"Address of the instance, for the link." default:"http://127.0.0.1:8080" env:"REMPART_ORIGIN"`
}

// Run adds a member of the staff.
func (c *staffAdd) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	all, err := i.db.AllStaff(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.Login == c.Login {
			return hinted{fmt.Errorf("there is already somebody with the login %s", c.Login), "choose another with -login"}
		}
	}
	m := rempart.Staff{ID: rempart.NewID(time.Now()), Login: c.Login, Alias: rempart.Actor(c.Alias), Role: rempart.StaffRole(c.Role), CreatedAt: time.Now()}
	if err := i.db.PutStaff(ctx, m, c.Password); err != nil {
		return err
	}
	token, err := i.db.NewLink(ctx, m.ID, 24*time.Hour)
	if err != nil {
		return err
	}
	if err := noted(ctx, i, "staff.added", m.ID, "role", c.Role); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s/console/enter?token=%s\n", c.Origin, token)
	fmt.Fprintln(s.err, "rempart: this link signs in once, within 24 hours; set REMPART_PASSWORD to give a password too")
	return nil
}

type staffLink struct {
	place
	Login  string `help:"What she signs in with." required:""`
	Origin string `help:"Address of the instance, for the link." default:"http://127.0.0.1:8080" env:"REMPART_ORIGIN"`
}

// Run prints a link for a member of the staff.
func (c *staffLink) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	all, err := i.db.AllStaff(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.Login != c.Login {
			continue
		}
		token, err := i.db.NewLink(ctx, m.ID, 24*time.Hour)
		if err != nil {
			return err
		}
		if err := noted(ctx, i, "staff.link", m.ID); err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%s/console/enter?token=%s\n", c.Origin, token)
		return err
	}
	return hinted{fmt.Errorf("nobody has the login %s", c.Login), "rempart admin staff list shows the logins"}
}

type staffList struct{ place }

// Run lists the staff.
func (c *staffList) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	all, err := i.db.AllStaff(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LOGIN\tALIAS\tROLE\tSINCE")
	for _, m := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.Login, m.Alias, m.Role, m.CreatedAt.Format(time.DateOnly))
	}
	return w.Flush()
}

type peerCmd struct {
	Add peerAdd `cmd:"" help:"Add or replace a peer and print the key that it presents to us."`
}

type peerAdd struct {
	place
	ID        string `help:"Short identifier, such as forum-exemple." required:""`
	Name      string `help:"Its name." required:""`
	Kind      string `help:"platform (we notify it, it reads our lists), flagger (it notifies us) or partner." enum:"platform,flagger,partner" required:""`
	URL       string `name:"url" help:"Base address of its instance; empty if it only calls us."`
	Trusted   bool   `help:"It is a trusted flagger (DSA art. 22)."`
	Expertise string `help:"The area it was designated for."`
	Key       string `help:"The key it presents to us; default: a new one." env:"REMPART_PEER_KEY"`
	OutKey    string `help:"The key we present to it." env:"REMPART_PEER_OUT_KEY"`
	Secret    string `help:"What callbacks are signed with, whsec_…, the same on both sides; default: a new one." env:"REMPART_PEER_SECRET"`
}

// Run adds a peer.
func (c *peerAdd) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	if c.Key == "" {
		c.Key = newKey()
	}
	if c.Secret == "" {
		c.Secret = newSecret()
	}
	p := rempart.Peer{ID: c.ID, Name: c.Name, Kind: rempart.PeerKind(c.Kind), URL: c.URL, TrustedFlagger: c.Trusted, Expertise: c.Expertise, CreatedAt: time.Now()}
	if err := i.db.PutPeer(ctx, p, c.Key, &rempart.Credentials{Key: c.OutKey, Secret: c.Secret}); err != nil {
		return err
	}
	if err := noted(ctx, i, "peer.added", p.ID, "kind", c.Kind); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "key %s\nsecret %s\n", c.Key, c.Secret)
	fmt.Fprintln(s.err, "rempart: give both to the peer by a safe way; the key is not shown again")
	return nil
}

type serviceCmd struct {
	Add serviceAdd `cmd:"" help:"Add or replace a service."`
}

type serviceAdd struct {
	place
	ID         string   `help:"Short identifier." required:""`
	Name       string   `help:"Its name." required:""`
	Host       []string `help:"A name it serves, such as exemple.test (covers www.exemple.test); may be repeated." required:""`
	Peer       string   `help:"The peer that notices to it go to."`
	Lang       string   `help:"Language of notices to it." enum:"fr,en" default:"fr"`
	Provenance string   `help:"Where these facts are from." required:""`
}

// Run adds a service.
func (c *serviceAdd) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	if c.Peer != "" {
		if _, err := i.db.Peer(ctx, c.Peer); err != nil {
			return hinted{fmt.Errorf("peer %s: %w", c.Peer, err), "add it first: rempart admin peer add"}
		}
	}
	sv := rempart.Service{ID: c.ID, Name: c.Name, Hosts: c.Host, PeerID: c.Peer, Lang: c.Lang, Provenance: c.Provenance, CheckedAt: time.Now().Format(time.DateOnly)}
	if err := i.db.PutService(ctx, sv); err != nil {
		return err
	}
	return noted(ctx, i, "service.added", sv.ID, "peer", c.Peer)
}

// noted writes an administrator's act to the ledger.
func noted(ctx context.Context, i *instance, kind, subject string, data ...string) error {
	m := map[string]string{}
	for k := 0; k+1 < len(data); k += 2 {
		m[data[k]] = data[k+1]
	}
	err := i.db.Commit(ctx, "", rempart.Consequences{Events: []rempart.Event{{Kind: kind, Subject: subject, Actor: "admin:command-line", At: time.Now(), Data: m}}})
	_, sealErr := i.db.Seal(ctx)
	return errors.Join(err, sealErr)
}

// newKey returns a key that says what it is to whoever finds it.
func newKey() string { return "rk_" + rand.Text() }

// newSecret returns a secret as Standard Webhooks writes it.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:])
	return "whsec_" + base64.StdEncoding.EncodeToString(b[:])
}
