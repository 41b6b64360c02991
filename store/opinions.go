package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rempart"
)

// An EntryRef is one entry of a list.
type EntryRef struct {
	Peer string `json:"peer,omitempty"` // whose feed it came from; "" is our own
	ID   string `json:"id"`
}

// A Said is an opinion, and the entries here that have its fingerprint, by list.
type Said struct {
	rempart.Opinion
	Entries map[string][]EntryRef
}

// PutOpinions saves opinions of one partner, in place of what it said before of
// the same fingerprints, with the jobs that follow. One that speaks against a
// fingerprint opens a task, once, and stops the matching of it until the task is
// decided, as often in a day as rempart.DisputesADay says. What was decided
// against a partner's opinion stands against its later ones. An event tells how
// many opinions there are.
func (db *DB) PutOpinions(ctx context.Context, by rempart.Peer, all []Said, jobs []rempart.Job) error {
	if len(all) == 0 {
		return nil
	}
	return db.write(ctx, func(t *tx) error {
		for _, o := range all {
			f := o.Fingerprint
			value := f.Value
			if f.Type == rempart.VPDQ {
				value = f.Key()
				o.Fingerprint.Value = value
			}
			doc, err := encode(o.Opinion)
			if err != nil {
				return err
			}
			if _, err := t.exec(`INSERT INTO opinions (peer_id, type, value, doc) VALUES ($1, $2, $3, $4)
				ON CONFLICT (value, type, peer_id) DO UPDATE SET doc = excluded.doc`, by.ID, string(f.Type), value, doc); err != nil {
				return fmt.Errorf("store: opinion of %s: %w", by.ID, err)
			}
			if !o.Against() {
				continue
			}
			for _, list := range sortedKeys(o.Entries) {
				if err := t.dispute(by, list, f, o.Entries[list]); err != nil {
					return err
				}
			}
		}
		for _, j := range jobs {
			if err := t.job(j); err != nil {
				return err
			}
		}
		return t.event(rempart.Event{Kind: "opinions.received", Subject: by.ID, Actor: rempart.ActorPlatform + rempart.Actor(by.ID), At: t.now, Data: map[string]string{"count": fmt.Sprint(len(all))}})
	})
}

// dispute opens a task about a fingerprint that a partner spoke against.
func (t *tx) dispute(by rempart.Peer, list string, f rempart.Fingerprint, entries []EntryRef) error {
	var there int
	err := t.row(`SELECT count(*) FROM list_tasks WHERE key = $1 AND list = $2 AND kind = 'disputed' AND (decided_at = 0 OR peer_id = $3)`, f.Key(), list, by.ID).Scan(&there)
	if err != nil {
		return fmt.Errorf("store: tasks of a fingerprint: %w", err)
	}
	if there > 0 {
		return nil
	}
	var today int
	if err := t.row(`SELECT count(*) FROM list_tasks WHERE peer_id = $1 AND kind = 'disputed' AND stopped = 1 AND opened_at > $2`, by.ID, micros(t.now.Add(-24*time.Hour))).Scan(&today); err != nil {
		return fmt.Errorf("store: disputes of %s: %w", by.ID, err)
	}
	return t.openTask(rempart.ListTask{List: list, Fingerprint: f, Kind: rempart.EntryDisputed, Peer: by.ID, Stopped: today < rempart.DisputesADay}, entries)
}

// Opinions returns what partners say of fingerprints.
func (db *DB) Opinions(ctx context.Context, prints []rempart.Fingerprint) ([]rempart.Opinion, error) {
	var out []rempart.Opinion
	for len(prints) > 0 {
		some := prints[:min(len(prints), 200)]
		prints = prints[len(some):]
		var values []string
		for _, f := range some {
			if f.Type == rempart.VPDQ {
				values = append(values, f.Key())
				continue
			}
			values = append(values, f.Value)
		}
		found, err := all[rempart.Opinion](ctx, db, "opinions", "SELECT doc FROM opinions WHERE value IN ("+holders(0, len(values))+") ORDER BY value, type, peer_id", anys(values)...)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
