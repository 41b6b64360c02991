package store

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"rempart"
)

// MaxViews is the most views of the queue that one member keeps.
const MaxViews = 20

// A View is a selection of the queue that somebody kept under a name.
type View struct{ Name, Query string }

// Views returns those of a member, by name.
func (db *DB) Views(ctx context.Context, staffID string) ([]View, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT name, query FROM views WHERE staff_id = $1 ORDER BY name", staffID)
	out, err := collect(rows, err, func(s scanner) (v View, err error) { return v, s.Scan(&v.Name, &v.Query) })
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: views: %w", err))
	}
	return out, nil
}

// SaveView keeps a view of a member, in place of the one of that name.
func (db *DB) SaveView(ctx context.Context, staffID string, v View) error {
	v.Name = strings.TrimSpace(v.Name)
	if n := utf8.RuneCountInString(v.Name); n == 0 || n > rempart.MaxStaffName || len(v.Query) > 1000 {
		return &rempart.Error{Kind: rempart.Invalid, Field: "name", Code: "view.name", Public: "Give the view a name of 1 to 60 letters."}
	}
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec("INSERT INTO views (staff_id, name, query) VALUES ($1, $2, $3) ON CONFLICT (staff_id, name) DO UPDATE SET query = excluded.query", staffID, v.Name, v.Query); err != nil {
			return fmt.Errorf("store: view: %w", err)
		}
		var n int
		if err := t.row("SELECT count(*) FROM views WHERE staff_id = $1", staffID).Scan(&n); err != nil {
			return fmt.Errorf("store: views: %w", err)
		}
		if n > MaxViews {
			return &rempart.Error{Kind: rempart.Conflict, Code: "view.many", Args: []any{MaxViews}, Public: fmt.Sprintf("You keep %d views already. Remove one first.", MaxViews)}
		}
		return nil
	})
}

// DropView removes a view of a member, if she has it.
func (db *DB) DropView(ctx context.Context, staffID, name string) error {
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec("DELETE FROM views WHERE staff_id = $1 AND name = $2", staffID, name); err != nil {
			return fmt.Errorf("store: view: %w", err)
		}
		return nil
	})
}
