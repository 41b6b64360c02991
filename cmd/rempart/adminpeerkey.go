package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"rempart"
)

// ratesOf reads rates as -rate writes them, over those that were.
func ratesOf(r rempart.Rates, s string) (rempart.Rates, error) {
	bad := hinted{errors.New("-rate cannot be read"), "write it as requests=100,values=1000,requests-day=100000,values-day=1000000; 0 is the usual one"}
	at := map[string]*int{"requests": &r.Requests, "values": &r.Values, "requests-day": &r.RequestsDay, "values-day": &r.ValuesDay}
	for part := range strings.SplitSeq(s, ",") {
		name, number, _ := strings.Cut(strings.TrimSpace(part), "=")
		n, err := strconv.Atoi(number)
		if at[name] == nil || err != nil {
			return r, bad
		}
		*at[name] = n
	}
	return r, r.Check()
}

type peerRotate struct {
	place
	ID   string        `help:"Its identifier." required:""`
	Both time.Duration `help:"How long the old key still opens beside the new one." default:"168h"`
	Key  string        `help:"The successor; default: a new one." env:"REMPART_PEER_KEY"`
}

// maxBoth is the longest time for which two keys of a peer open.
const maxBoth = 90 * 24 * time.Hour

// Run gives a peer's key a successor.
func (c *peerRotate) Run(ctx context.Context, s streams) error {
	if c.Both < 0 || c.Both > maxBoth {
		return hinted{errors.New("-both is no time from 0 to 2160h"), "168h is seven days; 0s ends the old key at once"}
	}
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	if _, err := i.db.Peer(ctx, c.ID); err != nil {
		return hinted{fmt.Errorf("peer %s: %w", c.ID, err), "rempart admin peer list shows those there are"}
	}
	key, until := cmp.Or(c.Key, newKey()), time.Now().Add(c.Both)
	if err := i.db.RotateKey(ctx, c.ID, key, until, "admin:command-line"); err != nil {
		return hinted{fmt.Errorf("the key of %s: %w", c.ID, err), "rempart admin peer add -id " + c.ID + " -new-key gives it one"}
	}
	if c.Key == "" {
		fmt.Fprintln(s.out, "key "+key)
		fmt.Fprintln(s.err, "rempart: give this to the peer by a safe way; a key is not shown again")
	}
	fmt.Fprintf(s.err, "rempart: the old key of %s opens until %s\n", c.ID, until.UTC().Format("2006-01-02 15:04 UTC"))
	return sealed(ctx, i)
}

type peerKeys struct {
	place
	ID string `help:"Its identifier." required:""`
}

// Run lists the keys of a peer.
func (c *peerKeys) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	p, err := i.db.Peer(ctx, c.ID)
	if err != nil {
		return hinted{fmt.Errorf("peer %s: %w", c.ID, err), "rempart admin peer list shows those there are"}
	}
	all, err := i.db.PeerKeys(ctx, c.ID)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintf(s.err, "rempart: %s has no key\n", c.ID)
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tSINCE\tLAST USED\tENDS")
	for _, k := range all {
		name, since, ends := "present", "not noted", "–"
		if !k.MadeAt.IsZero() {
			since = k.MadeAt.UTC().Format(time.DateOnly)
		}
		switch {
		case k.Until.IsZero():
		case k.Until.After(time.Now()):
			name, ends = "has a successor", k.Until.UTC().Format("2006-01-02 15:04 UTC")
		default:
			name, ends = "ended", k.Until.UTC().Format("2006-01-02 15:04 UTC")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", name, since, cmp.Or(k.UsedOn, "not noted"), ends)
	}
	if !p.DisabledAt.IsZero() {
		fmt.Fprintf(s.err, "rempart: %s is disabled: none of them opens anything\n", c.ID)
	}
	return w.Flush()
}

type peerRevoke struct {
	place
	ID string `help:"Its identifier." required:""`
}

// Help says what ends the others.
func (c *peerRevoke) Help() string {
	return `The present key stays. rempart admin peer add -id ID -new-key ends every key and
gives another; rempart admin peer disable lets none of them open anything.`
}

// Run ends the old keys of a peer.
func (c *peerRevoke) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	if _, err := i.db.Peer(ctx, c.ID); err != nil {
		return hinted{fmt.Errorf("peer %s: %w", c.ID, err), "rempart admin peer list shows those there are"}
	}
	n, err := i.db.RevokeOldKeys(ctx, c.ID, "admin:command-line")
	if err != nil {
		return err
	}
	fmt.Fprintf(s.err, "rempart: old keys of %s that were open and are ended: %d; its present key opens still\n", c.ID, n)
	return sealed(ctx, i)
}
