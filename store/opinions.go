package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rempart"
)

// An Opinion is what a partner says of a fingerprint that is shared with it. A
// newer one of the same partner replaces it.
type Opinion struct {
	PeerID      string              `json:"peer_id"`
	Name        string              `json:"name"` // of the peer
	Fingerprint rempart.Fingerprint `json:"fingerprint"`
	Value       string              `json:"value"` // such as "Blocked" or "NotBlocked"
	Tags        []string            `json:"tags,omitempty"`
	At          time.Time           `json:"at"`
}

// PutOpinions saves opinions of one partner, of those fingerprints that are
// active in one of the lists; others are passed over. An event tells how many
// there are.
func (db *DB) PutOpinions(ctx context.Context, all []Opinion, lists []string) error {
	var prints []rempart.Fingerprint
	for _, o := range all {
		prints = append(prints, o.Fingerprint)
	}
	entries, err := db.SameValue(ctx, prints, lists)
	if err != nil {
		return err
	}
	listed := map[rempart.Fingerprint]bool{}
	for _, e := range entries {
		if e.State == rempart.EntryActive {
			listed[rempart.Fingerprint{Type: e.Fingerprint.Type, Value: e.Fingerprint.Value}] = true
		}
	}
	all = slices.DeleteFunc(all, func(o Opinion) bool { return !listed[o.Fingerprint] })
	if len(all) == 0 {
		return nil
	}
	return db.write(ctx, func(t *tx) error {
		for _, o := range all {
			doc, err := encode(o)
			if err != nil {
				return err
			}
			if _, err := t.exec(`INSERT INTO opinions (peer_id, type, value, doc) VALUES ($1, $2, $3, $4)
				ON CONFLICT (value, type, peer_id) DO UPDATE SET doc = excluded.doc`, o.PeerID, string(o.Fingerprint.Type), o.Fingerprint.Value, doc); err != nil {
				return fmt.Errorf("store: opinion of %s: %w", o.PeerID, err)
			}
		}
		return t.event(rempart.Event{Kind: "opinions.received", Subject: all[0].PeerID, Actor: rempart.ActorPlatform + rempart.Actor(all[0].PeerID), At: t.now, Data: map[string]string{"count": fmt.Sprint(len(all))}})
	})
}

// Opinions returns what partners say of fingerprints.
func (db *DB) Opinions(ctx context.Context, prints []rempart.Fingerprint) ([]Opinion, error) {
	var out []Opinion
	for len(prints) > 0 {
		some := prints[:min(len(prints), 200)]
		prints = prints[len(some):]
		var values []string
		for _, f := range some {
			values = append(values, f.Value)
		}
		found, err := all[Opinion](ctx, db, "opinions", "SELECT doc FROM opinions WHERE value IN ("+holders(0, len(values))+") ORDER BY value, type, peer_id", anys(values)...)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}
