package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"rempart"
)

// PutStaff creates or replaces somebody of the staff. password is hashed with
// argon2id ("" keeps the present one, or forbids sign-in by password). A new
// password, or a date from which the member is disabled, ends her sessions and
// links. The events go to the ledger in the same transaction.
func (db *DB) PutStaff(ctx context.Context, s rempart.Staff, password string, events ...rempart.Event) error {
	if s.ID == "" || normalLogin(s.Login) == "" {
		return errors.New("store: a member of the staff without an identifier or login")
	}
	hash := ""
	if password != "" {
		var err error
		if hash, err = db.hashPassword(ctx, password); err != nil {
			return fmt.Errorf("store: staff %s: %w", s.ID, err)
		}
	}
	doc, err := encode(s)
	if err != nil {
		return err
	}
	return db.write(ctx, func(t *tx) error {
		var other string
		err := t.row("SELECT id FROM staff WHERE login = $1 AND id <> $2", normalLogin(s.Login), s.ID).Scan(&other)
		if err == nil {
			return &rempart.Error{Kind: rempart.Conflict, Field: "login", Code: "staff.login", Public: "Somebody else has this login."}
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("store: staff %s: %w", s.ID, err)
		}
		if _, err := t.exec(`INSERT INTO staff (id, login, password, doc) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET
			login = excluded.login, password = CASE WHEN excluded.password = '' THEN staff.password ELSE excluded.password END, doc = excluded.doc`,
			s.ID, normalLogin(s.Login), hash, doc); err != nil {
			return fmt.Errorf("store: staff %s: %w", s.ID, err)
		}
		for _, e := range events {
			if err := t.event(e); err != nil {
				return err
			}
		}
		if password == "" && s.DisabledAt.IsZero() {
			return nil
		}
		for _, table := range []string{"sessions", "links"} {
			if _, err := t.exec("DELETE FROM "+table+" WHERE staff_id = $1", s.ID); err != nil {
				return fmt.Errorf("store: %s of staff %s: %w", table, s.ID, err)
			}
		}
		return nil
	})
}

// AllStaff returns everybody of the staff, by identifier.
func (db *DB) AllStaff(ctx context.Context) ([]rempart.Staff, error) {
	return all[rempart.Staff](ctx, db, "staff", "SELECT doc FROM staff ORDER BY id")
}

// Member returns the member of the staff with an identifier, if she may sign in.
func (db *DB) Member(ctx context.Context, id string) (rempart.Staff, error) {
	s, err := scanDoc[rempart.Staff](db.r.QueryRowContext(ctx, "SELECT doc FROM staff WHERE id = $1", id))
	if err != nil {
		return rempart.Staff{}, db.explain(missing(err, "staff"))
	}
	if db.disabled(s) {
		return rempart.Staff{}, &rempart.Error{Kind: rempart.Forbidden, Code: "staff.disabled", Public: "This account is disabled."}
	}
	return s, nil
}

func normalLogin(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// Slowing down after wrong passwords for one login: a few are free, then each
// doubles the wait, which ends and starts anew after a day without a try.
// Nobody is locked out for ever; a one-time link always works.
const (
	freeTries  = 5
	longWait   = 5 * time.Minute
	triesAreOf = 24 * time.Hour
)

// CheckPassword returns the member with that login and password, or an
// Unauthorized error that does not say which was wrong and takes the same time.
// After several wrong ones for a login it is Unavailable, with the seconds to
// wait in Args, whether the login exists or not.
func (db *DB) CheckPassword(ctx context.Context, login, password string) (rempart.Staff, error) {
	login = normalLogin(login)
	who := db.keyed("login", login)
	// The try is counted before the password is looked at, so that many at a
	// time do not get more than their number of them.
	if err := db.countTry(ctx, who); err != nil {
		return rempart.Staff{}, err
	}
	var hash string
	var doc []byte
	err := db.r.QueryRowContext(ctx, "SELECT password, doc FROM staff WHERE login = $1", login).Scan(&hash, &doc)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return rempart.Staff{}, db.explain(fmt.Errorf("store: staff: %w", err))
	}
	ok, err := db.isPassword(ctx, hash, password)
	if err != nil {
		return rempart.Staff{}, err
	}
	var s rempart.Staff
	if ok {
		if err := decode(doc, &s); err != nil {
			return rempart.Staff{}, err
		}
	}
	if !ok || db.disabled(s) {
		return rempart.Staff{}, &rempart.Error{Kind: rempart.Unauthorized, Code: "staff.password", Public: "This login and this password do not go together."}
	}
	return s, db.write(ctx, func(t *tx) error {
		if _, err := t.exec("DELETE FROM tries WHERE login_hash = $1", who); err != nil {
			return fmt.Errorf("store: forgetting tries: %w", err)
		}
		return nil
	})
}

// countTry counts a try of a login, or refuses it because it comes too soon.
func (db *DB) countTry(ctx context.Context, who string) error {
	return db.write(ctx, func(t *tx) error {
		now := micros(t.now)
		if _, err := t.exec("DELETE FROM tries WHERE last_at < $1", now-triesAreOf.Microseconds()); err != nil {
			return fmt.Errorf("store: counting tries: %w", err)
		}
		if _, err := t.exec("INSERT INTO tries (login_hash, failures, not_before, last_at) VALUES ($1, 0, 0, $2) ON CONFLICT (login_hash) DO NOTHING", who, now); err != nil {
			return fmt.Errorf("store: counting tries: %w", err)
		}
		var failures, notBefore int64
		if err := t.row("SELECT failures, not_before FROM tries WHERE login_hash = $1"+t.db.forUpdate, who).Scan(&failures, &notBefore); err != nil {
			return fmt.Errorf("store: counting tries: %w", err)
		}
		if wait := time.Duration(notBefore-now) * time.Microsecond; wait > 0 {
			seconds := int(min(wait, longWait)/time.Second) + 1
			return &rempart.Error{Kind: rempart.Unavailable, Code: "staff.wait", Args: []any{seconds},
				Public: fmt.Sprintf("Too many tries. Please wait %d seconds, then try again.", seconds)}
		}
		failures++
		if failures >= freeTries {
			wait := min(time.Second<<min(failures-freeTries, 20), longWait)
			notBefore = now + wait.Microseconds()
		}
		if _, err := t.exec("UPDATE tries SET failures = $1, not_before = $2, last_at = $3 WHERE login_hash = $4", failures, notBefore, now, who); err != nil {
			return fmt.Errorf("store: counting tries: %w", err)
		}
		return nil
	})
}

func (db *DB) disabled(s rempart.Staff) bool {
	return !s.DisabledAt.IsZero() && !s.DisabledAt.After(db.now())
}

// NewLink returns a one-time sign-in token for a member; UseLink spends it.
func (db *DB) NewLink(ctx context.Context, staffID string, life time.Duration) (token string, err error) {
	token = newToken()
	return token, db.write(ctx, func(t *tx) error {
		if err := t.member(staffID); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM links WHERE ends_at <= $1", micros(t.now)); err != nil {
			return fmt.Errorf("store: old links: %w", err)
		}
		if _, err := t.exec("INSERT INTO links (hash, staff_id, ends_at) VALUES ($1, $2, $3)", hashed(token), staffID, micros(t.now.Add(life))); err != nil {
			return fmt.Errorf("store: link for staff %s: %w", staffID, err)
		}
		return nil
	})
}

// UseLink returns the member that a link signs in, once. A link that was used,
// has ended or never was is a rempart.Unauthorized.
func (db *DB) UseLink(ctx context.Context, token string) (rempart.Staff, error) {
	var s rempart.Staff
	err := db.write(ctx, func(t *tx) error {
		var id string
		var ends int64
		refused := &rempart.Error{Kind: rempart.Unauthorized, Code: "staff.link", Public: "This link was already used, or is too old. Ask for another one."}
		err := t.row("DELETE FROM links WHERE hash = $1 RETURNING staff_id, ends_at", hashed(token)).Scan(&id, &ends)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return refused
		case err != nil:
			return fmt.Errorf("store: link: %w", err)
		}
		if s, err = scanDoc[rempart.Staff](t.row("SELECT doc FROM staff WHERE id = $1", id)); err != nil {
			return missing(err, "staff")
		}
		if ends <= micros(t.now) || db.disabled(s) {
			return refused
		}
		return nil
	})
	if err != nil {
		return rempart.Staff{}, err
	}
	return s, nil
}

// member checks that there is such a member of the staff, who may sign in.
func (t *tx) member(id string) error {
	s, err := scanDoc[rempart.Staff](t.row("SELECT doc FROM staff WHERE id = $1", id))
	if err != nil {
		return missing(err, "staff")
	}
	if t.db.disabled(s) {
		return &rempart.Error{Kind: rempart.Forbidden, Code: "staff.disabled", Public: "This account is disabled."}
	}
	return nil
}

// newToken returns 32 random bytes in base64url.
func newToken() string {
	var b [32]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b[:])
}
