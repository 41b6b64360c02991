package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"rempart"
)

// MaxChangeBytes is about how many bytes of fingerprints one answer of [DB.Changes]
// holds: that of a video is up to half a megabyte long.
const MaxChangeBytes = 8 << 20

var errEnough = errors.New("enough for one answer")

// A Change is one row of the change table: an entry and the state it is now in.
type Change struct {
	Num   uint64 // stable number of the entry, for indexes
	Peer  string // whose feed the entry came from; "" is our own
	Entry rempart.Entry
}

// What saves an entry: VALUES go between the two.
const (
	entryInto = "INSERT INTO entries (peer_id, id, list, type, value, quality, state, case_id, case_ref, item_id, since, form, xid, seq) VALUES "
	entryOver = `
		ON CONFLICT (peer_id, id) DO UPDATE SET list = excluded.list, type = excluded.type, value = excluded.value, quality = excluded.quality,
			state = excluded.state, case_id = excluded.case_id, case_ref = excluded.case_ref, item_id = excluded.item_id,
			since = excluded.since, form = excluded.form, xid = excluded.xid, seq = excluded.seq,
			held = CASE WHEN entries.peer_id = '' AND excluded.state = 'active' AND entries.state <> 'active' THEN '' ELSE entries.held END
		WHERE (entries.list, entries.type, entries.value, entries.quality, entries.state, entries.case_id, entries.case_ref, entries.item_id, entries.form)
			<> (excluded.list, excluded.type, excluded.value, excluded.quality, excluded.state, excluded.case_id, excluded.case_ref, excluded.item_id, excluded.form)
			AND entries.state <> 'withdrawn' AND (entries.peer_id = '' OR entries.since <= excluded.since OR excluded.state = 'withdrawn')`
)

// entry makes an entry or moves it to its state, and places the change where
// readers of changes will find it. A change of nothing is none; what was
// withdrawn stays so, and what a feed says about a time before what we know of
// is old news; but for a withdrawal, whose time is cut to the hour, or told by
// another clock, and which is always the last word.
func (t *tx) entry(peer string, e rempart.Entry) error {
	n, err := t.exec(entryInto+"($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "+t.db.xid+", "+t.db.nextChange+")"+entryOver,
		peer, e.ID, e.List, string(e.Fingerprint.Type), e.Fingerprint.Value, e.Fingerprint.Quality, string(e.State), e.CaseID, e.CaseRef, e.ItemID, micros(e.Since), string(e.Fingerprint.Form))
	if err != nil {
		return fmt.Errorf("store: entry %s of list %s: %w", e.ID, e.List, err)
	}
	if n > 0 && e.State == rempart.EntryActive {
		if err := t.heldByTask(peer, e); err != nil {
			return err
		}
	}
	if peer == "" && e.State == rempart.EntryActive {
		if _, err := t.exec("UPDATE entries SET first_xid = xid, first_seq = seq WHERE peer_id = '' AND id = $1 AND state = 'active' AND first_xid IS NULL", e.ID); err != nil {
			return fmt.Errorf("store: entry %s, first active: %w", e.ID, err)
		}
	}
	return nil
}

// Changes returns changes of entries after a cursor ("" for the beginning), in
// commit order: on PostgreSQL by (xid8, seq) below
// pg_snapshot_xmin(pg_current_snapshot()), so that none is ever missed. The
// cursor is opaque and never goes backwards, but for one case: a database that
// was restored elsewhere begins a new epoch, in which a reader with an older
// cursor is given everything again.
//
// An entry that changed twice is given once, in its last state. Fewer than limit
// may come although there are more; none come only at the end.
func (db *DB) Changes(ctx context.Context, after string, limit int) ([]Change, string, error) {
	xid, seq, err := db.parseCursor(after)
	if err != nil {
		return nil, "", err
	}
	var lastXid, lastSeq int64
	if limit <= 0 || limit > 10_000 {
		limit = 10_000
	}
	rows, err := db.r.QueryContext(ctx, `SELECT num, peer_id, id, list, type, value, quality, `+effectiveState+`, case_id, case_ref, item_id, `+effectiveSince+`, form, xid, seq
		FROM entries WHERE (xid, seq) > ($1, $2) AND `+db.settled+` ORDER BY xid, seq LIMIT $3`, xid, seq, limit)
	var out []Change
	bytes := 0
	_, err = collect(rows, err, func(s scanner) (c Change, err error) {
		if bytes >= MaxChangeBytes {
			return c, errEnough
		}
		var since int64
		e := &c.Entry
		err = s.Scan(&c.Num, &c.Peer, &e.ID, &e.List, &e.Fingerprint.Type, &e.Fingerprint.Value, &e.Fingerprint.Quality, &e.State, &e.CaseID, &e.CaseRef, &e.ItemID, &since, &e.Fingerprint.Form, &xid, &seq)
		if err != nil {
			return c, err
		}
		e.Since = fromMicros(since)
		out = append(out, c)
		bytes += len(e.Fingerprint.Value)
		lastXid, lastSeq = xid, seq
		return c, nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, "", db.explain(fmt.Errorf("store: changes: %w", err))
	}
	if len(out) == 0 {
		return nil, after, nil
	}
	return out, db.era + "-" + strconv.FormatInt(lastXid, 10) + "-" + strconv.FormatInt(lastSeq, 10), nil
}

var errCursor = &rempart.Error{Kind: rempart.Invalid, Field: "after", Code: "feed.cursor", Public: "This cursor is not one we gave. Begin again without one."}

// parseCursor reads a place among the changes; one of another epoch is the
// beginning.
func (db *DB) parseCursor(s string) (xid, seq int64, err error) {
	if s == "" {
		return -1, 0, nil
	}
	f := strings.Split(s, "-")
	if len(f) != 3 {
		return 0, 0, errCursor
	}
	_, err0 := strconv.ParseUint(f[0], 10, 63)
	x, err1 := strconv.ParseUint(f[1], 10, 63)
	n, err2 := strconv.ParseUint(f[2], 10, 63)
	if errors.Join(err0, err1, err2) != nil {
		return 0, 0, errCursor
	}
	if f[0] != db.era {
		return -1, 0, nil
	}
	return int64(x), int64(n), nil
}

// Elsewhere tells whether a cursor is of another epoch, so that who asks with it
// is given everything from the beginning.
func (db *DB) Elsewhere(cursor string) bool {
	xid, _, err := db.parseCursor(cursor)
	return err == nil && cursor != "" && xid == -1
}

// Start returns the cursor of who was given everything up to cursor; one of another
// epoch, where nothing was given, is "".
func (db *DB) Start(cursor string) string {
	if db.Elsewhere(cursor) {
		return ""
	}
	return cursor
}

// ApplyFeed saves entries read from a peer's feed and the cursor reached, in one
// transaction. Entry identifiers are the peer's: they can't touch our own
// entries, nor another peer's. Applying a page again changes nothing.
func (db *DB) ApplyFeed(ctx context.Context, peerID string, entries []rempart.Entry, cursor string) error {
	if peerID == "" {
		return errors.New("store: a feed of no peer")
	}
	return db.write(ctx, func(t *tx) error {
		if err := t.entries(peerID, entries); err != nil {
			return fmt.Errorf("feed of %s: %w", peerID, err)
		}
		if _, err := t.exec("INSERT INTO feed_cursors (peer_id, reached) VALUES ($1, $2) ON CONFLICT (peer_id) DO UPDATE SET reached = excluded.reached", peerID, cursor); err != nil {
			return fmt.Errorf("store: cursor of %s: %w", peerID, err)
		}
		return nil
	})
}

// FeedCursor returns the cursor reached in a peer's feed, "" at first.
func (db *DB) FeedCursor(ctx context.Context, peerID string) (string, error) {
	var s string
	err := db.r.QueryRowContext(ctx, "SELECT reached FROM feed_cursors WHERE peer_id = $1", peerID).Scan(&s)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", db.explain(fmt.Errorf("store: cursor of %s: %w", peerID, err))
	}
	return s, nil
}
