package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rempart"
)

// Themes that a member may choose not to be offered.
const (
	ThemeMinors = "minors" // somebody under 18 is shown, or may be
)

// Themes lists them.
var Themes = []string{ThemeMinors}

// A Rest is what a member set for her own rest.
type Rest struct {
	Minors  int      // a pause is proposed after so many minors' cases of a day; 0: as the association says
	Without []string // themes that she is not offered
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
	r.Without = strings.Fields(without)
	return r, nil
}

// SaveRest keeps what a member set. Themes that there are not are left out.
func (db *DB) SaveRest(ctx context.Context, staffID string, r Rest) error {
	var without []string
	for _, t := range Themes {
		if slices.Contains(r.Without, t) {
			without = append(without, t)
		}
	}
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
