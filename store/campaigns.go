package store

import (
	"context"
	"fmt"

	"rempart"
)

// SaveCampaign keeps a campaign under its identifier, with the event that says
// what was done. fresh says that there must be none yet: else it is a Conflict.
func (db *DB) SaveCampaign(ctx context.Context, id string, v any, fresh bool, e rempart.Event) error {
	return db.write(ctx, func(t *tx) error {
		doc, err := encode(v)
		if err != nil {
			return err
		}
		conflict := "UPDATE SET doc = excluded.doc"
		if fresh {
			conflict = "NOTHING"
		}
		n, err := t.exec("INSERT INTO campaigns (id, doc) VALUES ($1, $2) ON CONFLICT (id) DO "+conflict, id, doc)
		if err != nil {
			return fmt.Errorf("store: campaign %s: %w", id, err)
		}
		if n == 0 {
			return &rempart.Error{Kind: rempart.Conflict, Code: "campaign.taken", Public: "A campaign is registered under this identifier already: a protocol is never changed."}
		}
		return t.event(e)
	})
}

// Campaign reads a campaign into v.
func (db *DB) Campaign(ctx context.Context, id string, v any) error {
	var doc []byte
	if err := db.r.QueryRowContext(ctx, "SELECT doc FROM campaigns WHERE id = $1", id).Scan(&doc); err != nil {
		return db.explain(missing(err, "campaign"))
	}
	return decode(doc, v)
}

// Campaigns lists the identifiers of all campaigns, sorted.
func (db *DB) Campaigns(ctx context.Context) ([]string, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT id FROM campaigns ORDER BY id")
	out, err := collect(rows, err, func(s scanner) (id string, err error) { return id, s.Scan(&id) })
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: campaigns: %w", err))
	}
	return out, nil
}
