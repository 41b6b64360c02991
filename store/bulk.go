package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"rempart"
)

// A Held is an active entry of a list, as an import compares it with a file.
type Held struct {
	Num   uint64
	ID    string
	Value string
}

// Held returns the active entries of one type that a list holds of a source (""
// is our own), rising by value and number, after the last one of the page
// before; the zero Held is the beginning. Videos are not given.
func (db *DB) Held(ctx context.Context, source, list string, t rempart.FingerprintType, after Held, limit int) ([]Held, error) {
	rows, err := db.r.QueryContext(ctx, `SELECT num, id, value FROM entries WHERE type <> 'vpdq' AND peer_id = $1 AND list = $2 AND type = $3
		AND (value, num) > ($4, $5) AND state = 'active' ORDER BY value, num LIMIT $6`, source, list, string(t), after.Value, int64(after.Num), limit)
	out, err := collect(rows, err, func(s scanner) (h Held, err error) { return h, s.Scan(&h.Num, &h.ID, &h.Value) })
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: what list %s holds: %w", list, err))
	}
	return out, nil
}

// A Bulk is one part of an import: values of one type that enter a list of a
// source as active, and entries of the source that leave it.
type Bulk struct {
	Source string // "" is our own
	List   string
	Type   rempart.FingerprintType
	Name   string // of the import, unique; each entry's identifier begins with it
	First  int    // number of the first value in the import, below 10^9
	Values []BulkValue
	Gone   []string // identifiers of entries that are withdrawn
	At     time.Time
}

// A BulkValue is one fingerprint: its value in lower-case hexadecimal, and its
// quality, 0 to 100.
type BulkValue struct {
	Value   string
	Quality int
}

// AddBulk saves one part of an import, all of it or nothing. The values must be
// checked: nothing looks at them here.
func (db *DB) AddBulk(ctx context.Context, b Bulk) error {
	packed := make([]string, len(b.Values)) // quality [3], number [9], value
	for i, v := range b.Values {
		packed[i] = fmt.Sprintf("%03d%09d%s", v.Quality, b.First+i, v.Value)
	}
	doc, err := json.Marshal(packed)
	if err != nil {
		return fmt.Errorf("store: import: %w", err)
	}
	return db.write(ctx, func(t *tx) error {
		if len(b.Values) > 0 {
			if err := t.bulk(b, string(doc)); err != nil {
				return fmt.Errorf("store: import into %s: %w", b.List, err)
			}
		}
		for _, id := range b.Gone {
			if _, err := t.exec(`UPDATE entries SET state = 'withdrawn', since = $1, xid = `+t.db.xid+`, seq = `+t.db.nextChange+`
				WHERE peer_id = $2 AND id = $3 AND state = 'active'`, micros(b.At), b.Source, id); err != nil {
				return fmt.Errorf("store: import: withdrawing an entry of %s: %w", b.List, err)
			}
		}
		return nil
	})
}

func (t *tx) bulk(b Bulk, packed string) error {
	var first int64
	if t.db.lockRing == "" { // SQLite, where one transaction at a time writes
		if err := t.row("SELECT " + t.db.nextChange).Scan(&first); err != nil {
			return err
		}
	}
	if _, err := t.exec(`INSERT INTO entries (peer_id, id, list, type, value, quality, state, case_id, case_ref, item_id, since, form, xid, seq)
		SELECT $2, CAST($3 AS TEXT) || substr(r.value, 4, 9), $4, $5, substr(r.value, 13), CAST(substr(r.value, 1, 3) AS BIGINT), 'active', '', '', '', $6, '', `+t.db.xid+`, `+fmt.Sprintf(t.db.nextOf, first)+`
		FROM `+t.db.each, packed, b.Source, b.Name+".", b.List, string(b.Type), micros(b.At)); err != nil {
		return err
	}
	if b.Source != "" {
		return nil
	}
	id := func(n int) string { return fmt.Sprintf("%s.%09d", b.Name, n) }
	_, err := t.exec("UPDATE entries SET first_xid = xid, first_seq = seq WHERE peer_id = '' AND id BETWEEN $1 AND $2", id(b.First), id(b.First+len(b.Values)-1))
	return err
}
