package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"rempart"
)

type peerCmd struct {
	Add     peerAdd     `cmd:"" help:"Add a peer, or change one: what is not given stays as it is."`
	List    peerList    `cmd:"" help:"List the peers."`
	Disable peerDisable `cmd:"" help:"Let a peer's key open nothing any more."`
	Rotate  peerRotate  `cmd:"" help:"Give a peer's key a successor: both open for a time, then the old one ends by itself."`
	Keys    peerKeys    `cmd:"" help:"Say which keys of a peer open, since when, until when, and the last day of use."`
	Revoke  peerRevoke  `cmd:"" help:"End the keys of a peer that have a successor at once."`
	Enable  peerEnable  `cmd:"" help:"Let the key of a peer that was disabled open again."`
}

type peerAdd struct {
	place
	ID        string `help:"Short identifier, such as forum-exemple." required:""`
	Name      string `help:"Its name."`
	Kind      string `help:"platform (we notify it, it reads our lists), flagger (it notifies us), partner, mail (a mailbox that takes notices) or http (an API of somebody else's that takes them)." enum:",platform,flagger,partner,mail,http" default:""`
	URL       string `name:"url" help:"Base address of its instance, https://HOST; empty if it only calls us."`
	Email     string `help:"The mailbox that takes notices, for -kind mail."`
	Request   string `help:"For -kind http: JSON file with content_type, body (a template), follow_up (one for reminders and complaints), headers, taken, number, repeatable; see README." type:"path"`
	Trusted   *bool  `help:"It is a trusted flagger (DSA art. 22)." negatable:""`
	Expertise string `help:"The area it was designated for."`
	Flagger   string `help:"Its entry in the list of trusted flaggers (rempart admin flagger import), which then says whether and about what its notices come first; none unties it."`
	Lists     string `help:"The lists its key opens, separated by commas, or all. Default: all for a new peer."`
	Lookup    *bool  `name:"lookup-only" help:"It may ask for matches, and have no copy of a list." negatable:""`
	Stops     *bool  `help:"It says that it refuses each file that it checks and that is to be stopped: a match then counts as a stop, which the person reads." negatable:""`
	Rate      string `help:"What its key may ask of each node a second and a day, UTC: requests=100,values=1000,requests-day=100000,values-day=1000000; what is not named stays, 0 is the usual."`
	Key       string `help:"The key it presents to us; default: a new one for a new peer." env:"REMPART_PEER_KEY"`
	OutKey    string `help:"The key we present to it." env:"REMPART_PEER_OUT_KEY"`
	Secret    string `help:"What callbacks are signed with, whsec_…, the same on both sides; default: a new one for a new peer." env:"REMPART_PEER_SECRET"`
	NewKey    bool   `help:"Make a new key; the old one opens nothing any more."`
	NewSecret bool   `help:"Make a new secret."`
}

// Help tells how two instances are connected.
func (c *peerAdd) Help() string {
	return `To connect a hub and a platform in both directions:

  # 1. on the hub: the platform, and what it presents to us
  rempart admin peer add -data HUB -id forum -name Forum -kind platform -url https://forum.exemple.test
  #    prints: key K1, secret S
  # 2. on the platform: the hub, which notifies it; what it presents there
  rempart admin peer add -data PLATFORM -id hub -name Association -kind flagger -url https://hub.exemple.test -out-key K1 -secret S
  #    prints: key K2
  # 3. on the hub again: what the hub presents to the platform
  rempart admin peer add -data HUB -id forum -out-key K2
  # 4. on the hub: which addresses are the platform's
  rempart admin service add -data HUB -id forum -name Forum -host forum.exemple.test -peer forum -provenance "its legal notice"

Keys and secrets may be given in the environment instead: REMPART_PEER_KEY, REMPART_PEER_OUT_KEY, REMPART_PEER_SECRET.`
}

// Run adds a peer, or changes one.
func (c *peerAdd) Run(ctx context.Context, s streams) error {
	if err := baseAddress(c.URL); err != nil && c.Kind != string(rempart.PeerHTTP) {
		return hinted{fmt.Errorf("-url %w", err), "give it as https://forum.exemple.test"}
	}
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	p, err := i.db.Peer(ctx, c.ID)
	there := err == nil
	if err != nil && rempart.KindOf(err) != rempart.NotFound {
		return err
	}
	if !there {
		p = rempart.Peer{ID: c.ID, CreatedAt: time.Now()}
		if c.Name == "" || c.Kind == "" {
			return hinted{fmt.Errorf("there is no peer %s yet: a new one needs -name and -kind", c.ID), "rempart admin peer list shows those there are"}
		}
	}
	p.Name, p.Kind = cmp.Or(c.Name, p.Name), cmp.Or(rempart.PeerKind(c.Kind), p.Kind)
	p.URL, p.Expertise = cmp.Or(strings.TrimRight(c.URL, "/"), p.URL), cmp.Or(c.Expertise, p.Expertise)
	if p.Kind == rempart.PeerHTTP {
		return c.putAPI(ctx, i, s, p, there)
	}
	if p.Kind == rempart.PeerMail {
		return c.putMailbox(ctx, i, s, p, there)
	}
	if c.Lists != "" {
		if p.Lists, err = listNames(c.Lists); err != nil {
			return err
		}
	}
	if c.Lookup != nil {
		p.LookupOnly = *c.Lookup
	}
	if c.Rate != "" {
		if p.Rates, err = ratesOf(p.Rates, c.Rate); err != nil {
			return err
		}
	}
	if c.Flagger != "" {
		if p.Flagger = c.Flagger; c.Flagger == "none" {
			p.Flagger = ""
		} else if _, err := i.db.Flagger(ctx, c.Flagger); err != nil {
			return hinted{fmt.Errorf("-flagger %s: %w", c.Flagger, err), "rempart admin flagger list shows the list"}
		}
	}
	if p.TrustedFlagger && p.Flagger == "" {
		fmt.Fprintln(s.err, "rempart: its notices come first whatever they are about: tie it to its entry in the list of trusted flaggers with -flagger, for priority within its area only (DSA art. 22)")
	}
	if c.Stops != nil {
		p.Stops = *c.Stops
	}
	if c.Trusted != nil {
		p.TrustedFlagger = *c.Trusted
	}
	out, err := i.db.Credentials(ctx, c.ID)
	if err != nil && rempart.KindOf(err) != rempart.NotFound {
		return err
	}
	made := []string{}
	if c.Key == "" && (c.NewKey || !there) {
		c.Key = newKey()
		made = append(made, "key "+c.Key)
	}
	if c.Secret == "" && (c.NewSecret || out.Secret == "") {
		c.Secret = newSecret()
		made = append(made, "secret "+c.Secret)
	}
	stays := []string{}
	for _, x := range []struct {
		name  string
		stays bool
	}{{"its key", there && c.Key == ""}, {"the secret", c.Secret == ""}, {"the key we present to it", c.OutKey == "" && out.Key != ""}} {
		if x.stays {
			stays = append(stays, x.name)
		}
	}
	out.Key, out.Secret = cmp.Or(c.OutKey, out.Key), cmp.Or(c.Secret, out.Secret)
	if err := i.db.PutPeer(ctx, p, c.Key, &out); err != nil {
		return err
	}
	kind := "peer.added"
	if there {
		kind = "peer.changed"
		fmt.Fprintf(s.err, "rempart: %s was there and is changed", p.ID)
		if len(stays) > 0 {
			fmt.Fprintf(s.err, "; kept: %s", strings.Join(stays, ", "))
		}
		if !p.DisabledAt.IsZero() {
			fmt.Fprint(s.err, "; still disabled")
		}
		fmt.Fprintln(s.err)
	}
	if len(made) > 0 {
		fmt.Fprintln(s.out, strings.Join(made, "\n"))
		fmt.Fprintln(s.err, "rempart: give this to the peer by a safe way; a key is not shown again")
	}
	if out.Key == "" && p.URL != "" {
		fmt.Fprintf(s.err, "rempart: we present no key to %s yet; once it gave one: rempart admin peer add -id %[1]s -out-key KEY\n", p.ID)
	}
	return noted(ctx, i, kind, p.ID, "kind", string(p.Kind), "lists", strings.Join(p.MayRead(), ","), "lookup_only", fmt.Sprint(p.LookupOnly))
}

// listNames reads names of lists; "all" is none in particular.
func listNames(s string) ([]string, error) {
	if s == "all" {
		return nil, nil
	}
	var known, out []string
	for _, l := range rempart.Lists {
		known = append(known, l.ID)
	}
	for name := range strings.SplitSeq(s, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(known, name) {
			return nil, hinted{errors.New("-lists names a list that is not there"), "the lists are " + strings.Join(known, ", ") + "; or all"}
		}
		out = append(out, name)
	}
	return out, nil
}

// baseAddress checks the address of another instance; "" is none.
func baseAddress(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return errors.New("is not the address of an instance")
	}
	return nil
}

type peerList struct{ place }

// Run lists the peers.
func (c *peerList) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	all, err := i.db.Peers(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tKIND\tNAME\tURL\tSINCE\tSTATE\tLISTS")
	for _, p := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.Kind, p.Name, cmp.Or(p.URL, "–"), p.CreatedAt.Format(time.DateOnly), stateOf(p.DisabledAt), listsOf(p))
	}
	return w.Flush()
}

// listsOf says what the peer's key opens.
func listsOf(p rempart.Peer) string {
	out := cmp.Or(strings.Join(p.Lists, ","), "all")
	if p.LookupOnly {
		out += " (lookups only)"
	}
	if p.Rates != (rempart.Rates{}) {
		r := p.Limits()
		out += fmt.Sprintf(" (at most %d requests and %d values a second, %d and %d a day)", r.Requests, r.Values, r.RequestsDay, r.ValuesDay)
	}
	return out
}

type peerDisable struct {
	place
	ID string `help:"Its identifier." required:""`
}

// Run disables a peer.
func (c *peerDisable) Run(ctx context.Context, s streams) error {
	if err := changePeer(ctx, c.place, c.ID, "peer.disabled", func(p *rempart.Peer) {
		if p.DisabledAt.IsZero() {
			p.DisabledAt = time.Now()
		}
	}); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "rempart: the key of %s opens nothing any more\n", c.ID)
	return nil
}

type peerEnable struct {
	place
	ID string `help:"Its identifier." required:""`
}

// Run enables a peer.
func (c *peerEnable) Run(ctx context.Context, s streams) error {
	if err := changePeer(ctx, c.place, c.ID, "peer.enabled", func(p *rempart.Peer) { p.DisabledAt = time.Time{} }); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "rempart: the key of %s opens again; if others had it: rempart admin peer add -id %[1]s -new-key\n", c.ID)
	return nil
}

func changePeer(ctx context.Context, at place, id, event string, f func(*rempart.Peer)) error {
	i, err := at.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	p, err := i.db.Peer(ctx, id)
	if err != nil {
		return hinted{fmt.Errorf("peer %s: %w", id, err), "rempart admin peer list shows those there are"}
	}
	f(&p)
	if err := i.db.PutPeer(ctx, p, "", nil); err != nil {
		return err
	}
	return noted(ctx, i, event, id)
}
