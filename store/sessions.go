package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"rempart"
)

// sessionNote is how often the use of a session is written down. A session may
// end that much earlier than rempart.SessionIdle, never later.
const sessionNote = 10 * time.Second

// StartSession returns a session token (kept as a SHA-256 only); Session
// returns who holds it and notes that it was used, within rempart.SessionIdle
// and rempart.SessionMax.
func (db *DB) StartSession(ctx context.Context, staffID string) (token string, err error) {
	token = newToken()
	return token, db.write(ctx, func(t *tx) error {
		if err := t.member(staffID); err != nil {
			return err
		}
		now := micros(t.now)
		if _, err := t.exec("DELETE FROM sessions WHERE used_at <= $1 OR started_at <= $2", now-rempart.SessionIdle.Microseconds(), now-rempart.SessionMax.Microseconds()); err != nil {
			return fmt.Errorf("store: old sessions: %w", err)
		}
		if _, err := t.exec("INSERT INTO sessions (hash, staff_id, started_at, used_at) VALUES ($1, $2, $3, $3)", hashed(token), staffID, now); err != nil {
			return fmt.Errorf("store: session of staff %s: %w", staffID, err)
		}
		return nil
	})
}

// Session returns who is signed in. One that has ended, never was, or whose
// holder is disabled is a rempart.Unauthorized.
func (db *DB) Session(ctx context.Context, token string) (rempart.Session, error) {
	over := &rempart.Error{Kind: rempart.Unauthorized, Code: "staff.session", Public: "Your session has ended. Please sign in again."}
	var doc []byte
	var started, used, proved int64
	hash := hashed(token)
	err := db.r.QueryRowContext(ctx, "SELECT s.doc, e.started_at, e.used_at, e.proved_at FROM sessions e JOIN staff s ON s.id = e.staff_id WHERE e.hash = $1", hash).Scan(&doc, &started, &used, &proved)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return rempart.Session{}, over
	case err != nil:
		return rempart.Session{}, db.explain(fmt.Errorf("store: session: %w", err))
	}
	s := rempart.Session{Started: fromMicros(started), Proved: fromMicros(proved)}
	if err := decode(doc, &s.Staff); err != nil {
		return rempart.Session{}, err
	}
	now := db.now()
	if now.Sub(fromMicros(used)) >= rempart.SessionIdle || now.Sub(s.Started) >= rempart.SessionMax || db.disabled(s.Staff) {
		return rempart.Session{}, over
	}
	if now.Sub(fromMicros(used)) < sessionNote {
		return s, nil
	}
	return s, db.write(ctx, func(t *tx) error {
		if _, err := t.exec("UPDATE sessions SET used_at = $1 WHERE hash = $2 AND used_at < $1", micros(now), hash); err != nil {
			return fmt.Errorf("store: session: %w", err)
		}
		return nil
	})
}

// ProveSession notes that a factor was given in a session.
func (db *DB) ProveSession(ctx context.Context, token string) error {
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec("UPDATE sessions SET proved_at = $1 WHERE hash = $2", micros(t.now), hashed(token)); err != nil {
			return fmt.Errorf("store: session: %w", err)
		}
		return nil
	})
}

// EndOtherSessions ends every session of a member but the one of token ("" for
// none), and returns how many there were.
func (db *DB) EndOtherSessions(ctx context.Context, staffID, token string) (n int64, err error) {
	return n, db.write(ctx, func(t *tx) error {
		var err error
		if n, err = t.exec("DELETE FROM sessions WHERE staff_id = $1 AND hash <> $2", staffID, hashed(token)); err != nil {
			return fmt.Errorf("store: ending sessions: %w", err)
		}
		return nil
	})
}

// EndSession ends a session; ending it twice is no error.
func (db *DB) EndSession(ctx context.Context, token string) error {
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec("DELETE FROM sessions WHERE hash = $1", hashed(token)); err != nil {
			return fmt.Errorf("store: ending a session: %w", err)
		}
		return nil
	})
}

// MoveSessions moves all sessions by d, as a demo does with its clock: who is
// signed in stays so.
func (db *DB) MoveSessions(ctx context.Context, d time.Duration) error {
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec("UPDATE sessions SET started_at = started_at + $1, used_at = used_at + $1, proved_at = CASE WHEN proved_at > 0 THEN proved_at + $1 ELSE 0 END", d.Microseconds()); err != nil {
			return fmt.Errorf("store: moving sessions: %w", err)
		}
		return nil
	})
}
