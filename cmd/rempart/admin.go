package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"rempart"
)

// adminCmd manages what has no page yet.
type adminCmd struct {
	Staff   staffCmd   `cmd:"" help:"Who signs in."`
	Peer    peerCmd    `cmd:"" help:"Instances and systems that this one speaks with: rempart help admin peer add tells how to connect two."`
	Source  sourceCmd  `cmd:"" help:"Lists of others that this instance reads by itself: StopNCII, NCMEC, another Rempart, a file. rempart help admin source add tells how."`
	Case    caseCmd    `cmd:"" help:"Legal holds, and erasing a case."`
	List    listCmd    `cmd:"" help:"The lists: thresholds, actions, shares of uploads, expiry, copies."`
	Keyring keyringCmd `cmd:"" help:"The keys that open the cases."`
	Flagger flaggerCmd `cmd:"" help:"The list of trusted flaggers, from a file with its source: whose notices come first, and about what."`
	Webhook webhookCmd `cmd:"" help:"The platform's own system, which carries decisions out: rempart help admin webhook set tells how."`
	Service serviceCmd `cmd:"" help:"The register: who is behind an address, and how to notify them."`
}

// adminEvent is an act of whoever has the command line; data are names and values.
func adminEvent(kind, subject string, data ...string) rempart.Event {
	m := map[string]string{}
	for k := 0; k+1 < len(data); k += 2 {
		m[data[k]] = data[k+1]
	}
	return rempart.Event{Kind: kind, Subject: subject, Actor: "admin:command-line", At: time.Now(), Data: m}
}

// noted writes an administrator's act to the ledger.
func noted(ctx context.Context, i *instance, kind, subject string, data ...string) error {
	err := i.db.Commit(ctx, "", rempart.Consequences{Events: []rempart.Event{adminEvent(kind, subject, data...)}})
	return errors.Join(err, sealed(ctx, i))
}

// sealed hashes what was written to the ledger.
func sealed(ctx context.Context, i *instance) error {
	_, err := i.db.Seal(ctx)
	return err
}

// newKey returns a key that says what it is to whoever finds it.
func newKey() string { return "rk_" + rand.Text() }

// goodSecret says whether messages can be signed with a secret.
func goodSecret(secret string) error {
	if b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_")); err != nil || len(b) < 24 || !strings.HasPrefix(secret, "whsec_") {
		return errors.New("the secret is not whsec_ and at least 24 bytes in base64")
	}
	return nil
}

// newSecret returns a secret as Standard Webhooks writes it.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:])
	return "whsec_" + base64.StdEncoding.EncodeToString(b[:])
}
