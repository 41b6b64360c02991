package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"

	"rempart"
	"rempart/exchange"
)

// A requestFile is what -request names.
type requestFile struct {
	rempart.Request
	Headers map[string]string `json:"headers"` // with their values, which are sealed
}

// putAPI saves a peer that is somebody else's API: how a notice is put into its
// request, and the headers, whose values are sealed.
func (c *peerAdd) putAPI(ctx context.Context, i *instance, s streams, p rempart.Peer, there bool) error {
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Fragment != "" {
			return hinted{errors.New("-url is not the address of an API"), "give it whole, as https://forum.exemple.test/api/reports; secrets go into headers"}
		}
		p.URL = c.URL
	}
	if c.Key != "" || c.OutKey != "" || c.Secret != "" || c.Email != "" || p.URL == "" || c.Request == "" && p.Request == nil {
		return hinted{errors.New("an API has an address and a request, and no keys of ours"), "rempart admin peer add -id forum -name Forum -kind http -url https://forum.exemple.test/api/reports -request FILE.json"}
	}
	var out *rempart.Credentials
	if c.Request != "" {
		b, err := os.ReadFile(c.Request)
		if err != nil {
			return err
		}
		var f requestFile
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		if err := d.Decode(&f); err != nil {
			return hinted{fmt.Errorf("-request %s: %w", c.Request, err), "it is one JSON object with content_type, body, follow_up, headers, taken, number and repeatable"}
		}
		f.Request.Headers = slices.Sorted(maps.Keys(f.Headers))
		if err := exchange.CheckRequest(f.Request); err != nil {
			return fmt.Errorf("-request %s: %w", c.Request, err)
		}
		p.Request, out = &f.Request, &rempart.Credentials{Headers: f.Headers}
	}
	if err := i.db.PutPeer(ctx, p, "", out); err != nil {
		return err
	}
	kind := "peer.added"
	if there {
		kind = "peer.changed"
		fmt.Fprintf(s.err, "rempart: %s was there and is changed\n", p.ID)
	}
	if !p.Request.Repeatable {
		fmt.Fprintf(s.err, "rempart: %s is not said to know repetitions: what it may have taken is never sent again by itself, a human decides\n", p.ID)
	}
	return noted(ctx, i, kind, p.ID, "kind", string(p.Kind))
}
