package store

import (
	"context"
	"fmt"
)

// A KeyCheck is what CheckKeys found.
type KeyCheck struct {
	Keys    int // of cases, notices received and identities, wrapped
	Broken  int // that no key of the ring opens
	Keyless int // cases and notices received that have no key
}

// CheckKeys opens the wrapped key of every case, notice received and identity
// with the ring, and counts those that do not open. It changes nothing, and calls
// progress, if not nil, after each few hundred.
func (db *DB) CheckKeys(ctx context.Context, progress func(done int)) (c KeyCheck, err error) {
	type row struct {
		owner, box string
		wrapped    []byte
	}
	last := row{}
	for {
		rows, err := db.r.QueryContext(ctx, "SELECT owner, box, wrapped FROM sealed_keys WHERE (owner, box) > ($1, $2) ORDER BY owner, box LIMIT $3", last.owner, last.box, rotateBatch)
		page, err := collect(rows, err, func(s scanner) (r row, err error) { return r, s.Scan(&r.owner, &r.box, &r.wrapped) })
		if err != nil {
			return c, db.explain(fmt.Errorf("store: checking keys: %w", err))
		}
		for _, r := range page {
			if _, err := db.ring.Unwrap(r.wrapped, r.box, r.owner); err != nil {
				c.Broken++
			}
		}
		if len(page) == 0 {
			break
		}
		c.Keys, last = c.Keys+len(page), page[len(page)-1]
		if progress != nil {
			progress(c.Keys)
		}
	}
	err = db.r.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM cases WHERE NOT EXISTS (SELECT 1 FROM sealed_keys k WHERE k.owner = cases.id AND k.box = 'case'))
		+ (SELECT count(*) FROM intakes WHERE NOT EXISTS (SELECT 1 FROM sealed_keys k WHERE k.owner = intakes.id AND k.box = 'intake'))`).Scan(&c.Keyless)
	if err != nil {
		return c, db.explain(fmt.Errorf("store: checking keys: %w", err))
	}
	return c, nil
}
