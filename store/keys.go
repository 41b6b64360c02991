package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rempart"
)

// oldKeysKept is how long after its end a key is still known, so that who presents
// it is told that it ended.
const oldKeysKept = 90 * 24 * time.Hour

// A PeerKey is a key that a peer comes in with, without the key.
type PeerKey struct {
	MadeAt time.Time // zero: not known
	UsedOn string    // the last day, YYYY-MM-DD UTC; "" if none was noted
	Until  time.Time // of one that has a successor: when it ends; zero of the present one
}

// PeerKeys returns the keys of a peer: the present one first, then those before it
// that ended less than three months ago, newest first. A peer without a key has none.
func (db *DB) PeerKeys(ctx context.Context, id string) ([]PeerKey, error) {
	rows, err := db.r.QueryContext(ctx, `SELECT key_made, key_used, CAST(0 AS BIGINT) AS until, 0 AS old FROM peers WHERE id = $1 AND key_hash IS NOT NULL
		UNION ALL SELECT made_at, used_on, until, 1 FROM old_keys WHERE peer_id = $1 ORDER BY old, until DESC`, id)
	out, err := collect(rows, err, func(s scanner) (k PeerKey, err error) {
		var made, until int64
		var old int
		if err = s.Scan(&made, &k.UsedOn, &until, &old); err != nil {
			return k, err
		}
		if made > 0 {
			k.MadeAt = fromMicros(made)
		}
		if old == 1 {
			k.Until = fromMicros(until)
		}
		return k, nil
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: keys of peer %s: %w", id, err))
	}
	return out, nil
}

// RotateKey gives a peer's key a successor, key: the one it has, and those before
// it, open until then at most, each by itself; from until on only key does. A peer
// without a key is a rempart.Conflict.
func (db *DB) RotateKey(ctx context.Context, id, key string, until time.Time, by rempart.Actor) error {
	if key == "" {
		return errors.New("store: no key")
	}
	defer db.peerChanges.Add(1)
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec("DELETE FROM old_keys WHERE until < $1", micros(t.now.Add(-oldKeysKept))); err != nil {
			return fmt.Errorf("store: keys that ended: %w", err)
		}
		if _, err := t.exec("UPDATE old_keys SET until = $1 WHERE peer_id = $2 AND until > $1", micros(until), id); err != nil {
			return fmt.Errorf("store: keys of peer %s: %w", id, err)
		}
		n, err := t.exec("INSERT INTO old_keys (key_hash, peer_id, made_at, until, used_on) SELECT key_hash, id, key_made, CAST($1 AS BIGINT), key_used FROM peers WHERE id = $2 AND key_hash IS NOT NULL", micros(until), id)
		if err != nil {
			return fmt.Errorf("store: the key of peer %s: %w", id, err)
		}
		if n == 0 {
			return &rempart.Error{Kind: rempart.Conflict, Code: "peer.keyless", Public: "This peer has no key that could have a successor."}
		}
		if _, err := t.exec("UPDATE peers SET key_hash = $1, key_made = $2, key_used = '' WHERE id = $3", hashed(key), micros(t.now), id); err != nil {
			return fmt.Errorf("store: new key of peer %s: %w", id, err)
		}
		return t.event(rempart.Event{Kind: "peer.key.rotated", Subject: id, Actor: by, At: t.now, Data: map[string]string{"until": until.UTC().Format(time.RFC3339)}})
	})
}

// RevokeOldKeys ends the keys of a peer that have a successor at once, and returns
// how many were still open.
func (db *DB) RevokeOldKeys(ctx context.Context, id string, by rempart.Actor) (n int, err error) {
	defer db.peerChanges.Add(1)
	err = db.write(ctx, func(t *tx) error {
		gone, err := t.exec("UPDATE old_keys SET until = $1 WHERE peer_id = $2 AND until > $1", micros(t.now), id)
		if err != nil {
			return fmt.Errorf("store: keys of peer %s: %w", id, err)
		}
		if n = int(gone); n == 0 {
			return nil
		}
		return t.event(rempart.Event{Kind: "peer.key.revoked", Subject: id, Actor: by, At: t.now})
	})
	return n, err
}

// oldKey returns the peer of a key that has a successor, and when the key ends.
func (db *DB) oldKey(ctx context.Context, hash string) (p rempart.Peer, usedOn string, until time.Time, err error) {
	var doc []byte
	var micro int64
	err = db.r.QueryRowContext(ctx, "SELECT p.doc, o.used_on, o.until FROM old_keys o JOIN peers p ON p.id = o.peer_id WHERE o.key_hash = $1", hash).Scan(&doc, &usedOn, &micro)
	if err != nil {
		return p, "", until, db.explain(missing(err, "key"))
	}
	return p, usedOn, fromMicros(micro), decode(doc, &p)
}

// noteKeyUse notes that a key was used on a day, once for each day.
func (db *DB) noteKeyUse(ctx context.Context, hash, day string) error {
	return db.write(ctx, func(t *tx) error {
		for _, q := range []string{"UPDATE peers SET key_used = $1 WHERE key_hash = $2 AND key_used < $1", "UPDATE old_keys SET used_on = $1 WHERE key_hash = $2 AND used_on < $1"} {
			if _, err := t.exec(q, day, hash); err != nil {
				return fmt.Errorf("store: use of a key: %w", err)
			}
		}
		return nil
	})
}
