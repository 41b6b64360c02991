package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"rempart"
)

// account is what is kept of somebody at an identity provider: the length goes
// first, so that no two pairs are written the same.
func (db *DB) account(issuer, subject string) string {
	return db.keyed("account", fmt.Sprintf("%d %s %s", len(issuer), issuer, subject))
}

// LinkAccount lets a member of the staff sign in with an account of the
// operator's identity provider, in the place of the one she had. It fails with a
// rempart.Conflict if it is somebody else's. The event goes to the ledger in the
// same transaction.
func (db *DB) LinkAccount(ctx context.Context, staffID, issuer, subject string, e rempart.Event) error {
	if issuer == "" || subject == "" {
		return errors.New("store: an account without issuer or subject")
	}
	hash := db.account(issuer, subject)
	return db.write(ctx, func(t *tx) error {
		if err := t.member(staffID); err != nil {
			return err
		}
		var other string
		err := t.row("SELECT staff_id FROM accounts WHERE hash = $1", hash).Scan(&other)
		switch {
		case err == nil && other != staffID:
			return &rempart.Error{Kind: rempart.Conflict, Code: "oidc.taken", Public: "Somebody else here signs in with this account. Nothing was changed."}
		case err != nil && !errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("store: account of staff %s: %w", staffID, err)
		}
		_, err = t.exec("INSERT INTO accounts (staff_id, hash, linked_at) VALUES ($1, $2, $3) ON CONFLICT (staff_id) DO UPDATE SET hash = excluded.hash, linked_at = excluded.linked_at", staffID, hash, micros(t.now))
		if err != nil {
			return fmt.Errorf("store: account of staff %s: %w", staffID, err)
		}
		return t.event(e)
	})
}

// AccountHolder returns who signs in with an account. Nobody is a
// rempart.NotFound; somebody who is disabled is a rempart.Forbidden, and returned
// with it, for the record.
func (db *DB) AccountHolder(ctx context.Context, issuer, subject string) (rempart.Staff, error) {
	m, err := scanDoc[rempart.Staff](db.r.QueryRowContext(ctx, "SELECT s.doc FROM accounts a JOIN staff s ON s.id = a.staff_id WHERE a.hash = $1", db.account(issuer, subject)))
	if err != nil {
		return rempart.Staff{}, db.explain(missing(err, "account"))
	}
	if db.disabled(m) {
		return m, &rempart.Error{Kind: rempart.Forbidden, Code: "staff.disabled", Public: "This account is disabled."}
	}
	return m, nil
}

// Accounts returns since when each member who has an account at the identity
// provider signs in with it, by her identifier.
func (db *DB) Accounts(ctx context.Context) (map[string]time.Time, error) {
	type row struct {
		id string
		at int64
	}
	rows, err := db.r.QueryContext(ctx, "SELECT staff_id, linked_at FROM accounts")
	all, err := collect(rows, err, func(s scanner) (r row, err error) { return r, s.Scan(&r.id, &r.at) })
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: accounts: %w", err))
	}
	out := make(map[string]time.Time, len(all))
	for _, r := range all {
		out[r.id] = fromMicros(r.at)
	}
	return out, nil
}

// UnlinkAccount takes a member's account away, and says whether she had one. The
// event goes to the ledger if she had.
func (db *DB) UnlinkAccount(ctx context.Context, staffID string, e rempart.Event) (had bool, err error) {
	err = db.write(ctx, func(t *tx) error {
		n, err := t.exec("DELETE FROM accounts WHERE staff_id = $1", staffID)
		if err != nil {
			return fmt.Errorf("store: account of staff %s: %w", staffID, err)
		}
		if had = n > 0; !had {
			return nil
		}
		return t.event(e)
	})
	return had, err
}
