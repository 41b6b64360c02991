package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"rempart"
)

// PutPeer creates or replaces a peer. key is what it presents to us (kept as a
// SHA-256 only; "" keeps the present one), out what we present to it (sealed;
// nil keeps the present one). Another key ends all that it had at once; see
// [DB.RotateKey] for a successor.
func (db *DB) PutPeer(ctx context.Context, p rempart.Peer, key string, out *rempart.Credentials) error {
	if p.ID == "" {
		return errors.New("store: a peer without an identifier")
	}
	doc, err := encode(p)
	if err != nil {
		return err
	}
	var hash any
	var sealed []byte
	if key != "" {
		hash = hashed(key)
	}
	if out != nil {
		b, err := encode(out)
		if err != nil {
			return err
		}
		if sealed, err = db.seal(b, p.ID); err != nil {
			return err
		}
	}
	defer db.peerChanges.Add(1)
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO peers (id, key_hash, credentials, doc, key_made) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET
			key_made = CASE WHEN excluded.key_hash IS NULL THEN peers.key_made ELSE excluded.key_made END,
			key_used = CASE WHEN excluded.key_hash IS NULL THEN peers.key_used ELSE '' END,
			key_hash = coalesce(excluded.key_hash, peers.key_hash), credentials = coalesce(excluded.credentials, peers.credentials), doc = excluded.doc`,
			p.ID, hash, sealed, doc, micros(t.now)); err != nil {
			return fmt.Errorf("store: peer %s: %w", p.ID, err)
		}
		if key == "" {
			return nil
		}
		if _, err := t.exec("DELETE FROM old_keys WHERE peer_id = $1", p.ID); err != nil {
			return fmt.Errorf("store: keys of peer %s: %w", p.ID, err)
		}
		return nil
	})
}

// PeerChanges counts the changes of peers by this process.
func (db *DB) PeerChanges() int64 { return db.peerChanges.Load() }

// Peer returns the peer with an identifier.
func (db *DB) Peer(ctx context.Context, id string) (rempart.Peer, error) {
	return one[rempart.Peer](ctx, db, "peer", "SELECT doc FROM peers WHERE id = $1", id)
}

// keyUseWait is how long noting the day of a key may take: who asked waits for it.
const keyUseWait = 250 * time.Millisecond

// PeerByKey returns the peer that comes in with a key, and notes the day. A key that
// nobody has, that ended, or whose peer is disabled, is a rempart.Unauthorized.
func (db *DB) PeerByKey(ctx context.Context, key string) (rempart.Peer, error) {
	hash, now := hashed(key), db.now().UTC()
	var doc []byte
	var used string
	var p rempart.Peer
	err := db.r.QueryRowContext(ctx, "SELECT doc, key_used FROM peers WHERE key_hash = $1", hash).Scan(&doc, &used)
	if err == nil {
		err = decode(doc, &p)
	} else if err = db.explain(missing(err, "peer")); rempart.KindOf(err) == rempart.NotFound {
		var until time.Time
		if p, used, until, err = db.oldKey(ctx, hash); err == nil && !until.After(now) {
			return rempart.Peer{}, &rempart.Error{Kind: rempart.Unauthorized, Code: "peer.key_ended", Public: "This key ended on " + until.Format(time.DateOnly) + ". Use the key that was given as its successor, or ask for one."}
		}
		p.KeyUntil = until
	}
	if err == nil && p.DisabledAt.IsZero() && used < now.Format(time.DateOnly) {
		note, cancel := context.WithTimeout(ctx, keyUseWait)
		_ = db.noteKeyUse(note, hash, now.Format(time.DateOnly)) // the next request tries again; a lookup does not fail for it
		cancel()
	}
	if rempart.KindOf(err) == rempart.NotFound || err == nil && !p.DisabledAt.IsZero() && !p.DisabledAt.After(db.now()) {
		return rempart.Peer{}, &rempart.Error{Kind: rempart.Unauthorized, Code: "peer.key", Public: "This key opens nothing here."}
	}
	return p, err
}

// Peers returns all peers, by identifier.
func (db *DB) Peers(ctx context.Context) ([]rempart.Peer, error) {
	return all[rempart.Peer](ctx, db, "peers", "SELECT doc FROM peers ORDER BY id")
}

// Credentials returns what we present to a peer. It is a rempart.NotFound if
// there are none.
func (db *DB) Credentials(ctx context.Context, peerID string) (rempart.Credentials, error) {
	var c rempart.Credentials
	var sealed []byte
	err := db.r.QueryRowContext(ctx, "SELECT credentials FROM peers WHERE id = $1 AND credentials IS NOT NULL", peerID).Scan(&sealed)
	if err != nil {
		return c, db.explain(missing(err, "credentials"))
	}
	b, err := db.unseal(sealed, peerID)
	if err != nil {
		return c, fmt.Errorf("store: credentials for %s: %w", peerID, err)
	}
	return c, decode(b, &c)
}

// PutService creates or replaces an entry of the register.
func (db *DB) PutService(ctx context.Context, s rempart.Service) error {
	if s.ID == "" {
		return errors.New("store: a service without an identifier")
	}
	doc, err := encode(s)
	if err != nil {
		return err
	}
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec("INSERT INTO services (id, doc) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc", s.ID, doc); err != nil {
			return fmt.Errorf("store: service %s: %w", s.ID, err)
		}
		return nil
	})
}

// SaveService is PutService with consequences, in one transaction.
func (db *DB) SaveService(ctx context.Context, s rempart.Service, c rempart.Consequences) error {
	doc, err := encode(s)
	if err != nil {
		return err
	}
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec("INSERT INTO services (id, doc) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc", s.ID, doc); err != nil {
			return fmt.Errorf("store: service %s: %w", s.ID, err)
		}
		return t.save(c)
	})
}

// SaveServices creates or replaces entries of the register with consequences, all
// in one transaction.
func (db *DB) SaveServices(ctx context.Context, all []rempart.Service, c rempart.Consequences) error {
	return db.write(ctx, func(t *tx) error {
		for _, s := range all {
			if s.ID == "" {
				return errors.New("store: a service without an identifier")
			}
			doc, err := encode(s)
			if err != nil {
				return err
			}
			if _, err := t.exec("INSERT INTO services (id, doc) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc", s.ID, doc); err != nil {
				return fmt.Errorf("store: service %s: %w", s.ID, err)
			}
		}
		return t.save(c)
	})
}

// RemoveService takes an entry out of the register. One that is not there is a
// rempart.NotFound.
func (db *DB) RemoveService(ctx context.Context, id string) error {
	return db.write(ctx, func(t *tx) error {
		n, err := t.exec("DELETE FROM services WHERE id = $1", id)
		if err != nil {
			return fmt.Errorf("store: service %s: %w", id, err)
		}
		if n == 0 {
			return missing(sql.ErrNoRows, "service")
		}
		return nil
	})
}

// Service returns the entry of the register with an identifier.
func (db *DB) Service(ctx context.Context, id string) (rempart.Service, error) {
	return one[rempart.Service](ctx, db, "service", "SELECT doc FROM services WHERE id = $1", id)
}

// Services returns the whole register, by identifier.
func (db *DB) Services(ctx context.Context) ([]rempart.Service, error) {
	return all[rempart.Service](ctx, db, "services", "SELECT doc FROM services ORDER BY id")
}

// one returns the document that a query finds, or a rempart.NotFound.
func one[T any](ctx context.Context, db *DB, what, query string, args ...any) (v T, err error) {
	v, err = scanDoc[T](db.r.QueryRowContext(ctx, query, args...))
	return v, db.explain(missing(err, what))
}

// all returns the documents that a query finds.
func all[T any](ctx context.Context, db *DB, what, query string, args ...any) ([]T, error) {
	rows, err := db.r.QueryContext(ctx, query, args...)
	out, err := collect(rows, err, scanDoc[T])
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: %s: %w", what, err))
	}
	return out, nil
}

func scanDoc[T any](s scanner) (v T, err error) {
	var doc []byte
	if err := s.Scan(&doc); err != nil {
		return v, err
	}
	return v, decode(doc, &v)
}

// seal encrypts credentials with AES-256-GCM under a key of their own; owner is
// bound to them, so that they can't be moved to another row.
func (db *DB) seal(b []byte, owner string) ([]byte, error) {
	g, err := db.aead()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, g.NonceSize())
	rand.Read(nonce) // never fails since Go 1.24
	return g.Seal(nonce, nonce, b, []byte("peer "+owner)), nil
}

func (db *DB) unseal(b []byte, owner string) ([]byte, error) {
	g, err := db.aead()
	if err != nil {
		return nil, err
	}
	if len(b) < g.NonceSize() {
		return nil, errors.New("too short to be sealed")
	}
	out, err := g.Open(nil, b[:g.NonceSize()], b[g.NonceSize():], []byte("peer "+owner))
	if err != nil {
		return nil, fmt.Errorf("unsealing: %w", err)
	}
	return out, nil
}

func (db *DB) aead() (cipher.AEAD, error) {
	c, err := aes.NewCipher(db.Secret("credentials"))
	if err != nil {
		return nil, fmt.Errorf("store: sealing: %w", err)
	}
	return cipher.NewGCM(c)
}
