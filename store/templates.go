package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"rempart"
)

// Templates returns the newest templates of messages; the program's own, as
// version 0, if nobody has changed them.
func (db *DB) Templates(ctx context.Context) (rempart.Templates, error) {
	var doc []byte
	var out rempart.Templates
	err := db.r.QueryRowContext(ctx, "SELECT doc FROM templates ORDER BY version DESC LIMIT 1").Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return rempart.DefaultTemplates(), nil
	}
	if err == nil {
		err = decode(doc, &out)
	}
	if err != nil {
		return out, db.explain(fmt.Errorf("store: templates: %w", err))
	}
	return out, nil
}

// SaveTemplates saves templates as the version after list.Version, which is the
// one that whoever changed them saw; if it is not the newest, it is a
// rempart.Conflict.
func (db *DB) SaveTemplates(ctx context.Context, list rempart.Templates) error {
	return db.write(ctx, func(t *tx) error {
		changed := &rempart.Error{Kind: rempart.Conflict, Code: "template.changed", Public: "Somebody changed these templates meanwhile. Look at them again, then send yours."}
		var newest int
		if err := t.row("SELECT coalesce(max(version), 0) FROM templates").Scan(&newest); err != nil {
			return fmt.Errorf("store: templates: %w", err)
		}
		if newest != list.Version {
			return changed
		}
		list := list
		list.Version, list.At = newest+1, t.now
		list.Steps = slices.Clone(list.Steps)
		for k := range list.Steps { // the one that this version changed
			if s := &list.Steps[k]; list.What == "step:"+string(s.ID) {
				s.By, s.At = list.By, t.now
			}
		}
		doc, err := encode(list)
		if err != nil {
			return err
		}
		n, err := t.exec("INSERT INTO templates (version, doc) VALUES ($1, $2) ON CONFLICT (version) DO NOTHING", list.Version, doc)
		if err != nil {
			return fmt.Errorf("store: templates %d: %w", list.Version, err)
		}
		if n == 0 {
			return changed
		}
		return t.event(rempart.Event{Kind: "templates.changed", Subject: "templates", Actor: list.By, At: t.now, Data: map[string]string{"version": strconv.Itoa(list.Version), "what": list.What}})
	})
}
