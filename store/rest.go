package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rempart"
)

// A Rest is what a member set for her own rest.
type Rest struct {
	Minors  int            // a pause is proposed after so many minors' cases of a day; 0: as the association says
	Without rempart.Themes // she is not offered cases that have one of them
}

// Rest returns what a member set; nothing if she set nothing.
func (db *DB) Rest(ctx context.Context, staffID string) (r Rest, err error) {
	var without string
	err = db.r.QueryRowContext(ctx, "SELECT minors, without FROM rests WHERE staff_id = $1", staffID).Scan(&r.Minors, &without)
	if errors.Is(err, sql.ErrNoRows) {
		return Rest{}, nil
	}
	if err != nil {
		return r, db.explain(fmt.Errorf("store: rest: %w", err))
	}
	r.Without = rempart.ThemesOf(strings.Fields(without)...)
	return r, nil
}

// SaveRest keeps what a member set.
func (db *DB) SaveRest(ctx context.Context, staffID string, r Rest) error {
	without := words(r.Without.List())
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec("INSERT INTO rests (staff_id, minors, without) VALUES ($1, $2, $3) ON CONFLICT (staff_id) DO UPDATE SET minors = excluded.minors, without = excluded.without",
			staffID, max(0, r.Minors), strings.Join(without, " ")); err != nil {
			return fmt.Errorf("store: rest: %w", err)
		}
		return nil
	})
}

// An Exposure is what somebody opened in a time.
type Exposure struct {
	Cases  int // each once
	Minors int // of them, those with somebody under 18; erased ones are not among these
}

// Exposure returns what somebody opened from a time on.
func (db *DB) Exposure(ctx context.Context, who rempart.Actor, from time.Time) (e Exposure, err error) {
	err = db.r.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(c.minor), 0) FROM
		(SELECT DISTINCT subject FROM records WHERE kind = 'case.viewed' AND actor = $1 AND at >= $2) AS v
		LEFT JOIN cases c ON c.id = v.subject`, string(who), micros(from)).Scan(&e.Cases, &e.Minors)
	if err != nil {
		return e, db.explain(fmt.Errorf("store: exposure: %w", err))
	}
	return e, nil
}

// metaLeast is the name of the association's number in the store.
const metaLeast = "rest_least"

// RestLeast returns after how many minors' cases of a day a pause is proposed to
// everybody, as the association set it in the console; 0 if it set nothing.
func (db *DB) RestLeast(ctx context.Context) (n int, err error) {
	var v string
	err = db.r.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = $1", metaLeast).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err == nil {
		n, err = strconv.Atoi(v)
	}
	if err != nil {
		return 0, db.explain(fmt.Errorf("store: the association's rest: %w", err))
	}
	return n, nil
}

// SaveRestLeast sets the association's number, and says so in the ledger. most is
// the largest that whoever sets it may choose: what is there already, if it is
// stricter and she may not loosen it.
func (db *DB) SaveRestLeast(ctx context.Context, n, most int, loosen bool, by rempart.Actor) error {
	return db.write(ctx, func(t *tx) error {
		var v string
		err := t.row("SELECT value FROM meta WHERE name = $1"+t.db.forUpdate, metaLeast).Scan(&v)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("store: the association's rest: %w", err)
		}
		if now, err := strconv.Atoi(v); err == nil && !loosen {
			most = min(most, now)
		}
		if n < 1 || n > most {
			return &rempart.Error{Kind: rempart.Invalid, Field: "least", Code: "rest.least", Args: []any{most},
				Public: "Give a number from 1 to " + strconv.Itoa(most) + "."}
		}
		if err := t.setMeta(metaLeast, strconv.Itoa(n)); err != nil {
			return err
		}
		return t.event(rempart.Event{Kind: "rest.least_changed", Subject: "rest", Actor: by, At: t.now, Data: map[string]string{"least": strconv.Itoa(n), "was": v}})
	})
}
