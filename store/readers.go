package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"rempart"
)

// withdrawalKept is how long the code of a report that was taken back still shows
// which platforms have confirmed.
const withdrawalKept = 90 * 24 * time.Hour

// NoteReader notes that a peer asks the feed from a cursor, which says that it has
// applied everything before it. "" and cursors of another epoch say only that it
// has a copy from now on. A cursor that we cannot have given is a
// rempart.Invalid: it would confirm what is still to come.
func (db *DB) NoteReader(ctx context.Context, peerID, cursor string) error {
	xid, seq, err := db.parseCursor(cursor)
	if err != nil {
		return err
	}
	at := spot{xid, seq}
	if known, ok := db.readers.Load(peerID); ok && !at.after(known.(spot)) {
		return nil
	}
	err = db.write(ctx, func(t *tx) error {
		var end spot
		if err := t.row(t.db.behind).Scan(&end.xid, &end.seq); err != nil {
			return err
		}
		entered := at
		if at == beginning {
			entered = end
		} else if !end.after(at) {
			return errCursor
		}
		_, err := t.exec(`INSERT INTO feed_readers (peer_id, entered_xid, entered_seq, xid, seq) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (peer_id) DO UPDATE SET xid = excluded.xid, seq = excluded.seq WHERE (feed_readers.xid, feed_readers.seq) < (excluded.xid, excluded.seq)`,
			peerID, entered.xid, entered.seq, at.xid, at.seq)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: reader %s of the feed: %w", peerID, err)
	}
	db.readers.Store(peerID, at)
	return nil
}

// A Confirmation is what is known of one platform that had fingerprints of a case
// which were withdrawn.
type Confirmation struct {
	Peer      string // its name
	Confirmed bool   // it has applied the last withdrawal
	Mute      bool   // it read the lists by a protocol that has no word for that
}

// NoteCopy notes that a peer reads lists by a protocol that cannot confirm what it
// applied: from now on it has a copy.
func (db *DB) NoteCopy(ctx context.Context, peerID string) error {
	if _, ok := db.copies.Load(peerID); ok {
		return nil
	}
	err := db.write(ctx, func(t *tx) error {
		var end spot
		if err := t.row(t.db.behind).Scan(&end.xid, &end.seq); err != nil {
			return err
		}
		_, err := t.exec("INSERT INTO copy_readers (peer_id, entered_xid, entered_seq) VALUES ($1, $2, $3) ON CONFLICT (peer_id) DO NOTHING", peerID, end.xid, end.seq)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: copy of reader %s: %w", peerID, err)
	}
	db.copies.Store(peerID, true)
	return nil
}

// Confirmations returns, by name, the platforms and partners that could have a
// copy of fingerprints of a case that were withdrawn, and which of them have
// confirmed all of these withdrawals. Who reads the feed confirms by it; who has
// only read by another protocol never can.
func (db *DB) Confirmations(ctx context.Context, caseID string) ([]Confirmation, error) {
	type gone struct {
		list string
		last spot
	}
	rows, err := db.r.QueryContext(ctx, `SELECT list, xid, seq FROM entries WHERE case_id = $1 AND peer_id = '' AND state = 'withdrawn' AND first_xid IS NOT NULL
		UNION ALL SELECT n.list, n.xid, n.seq FROM withdrawal_entries w JOIN entries n ON n.id = w.entry_id WHERE w.case_id = $1 AND n.state = 'withdrawn'`, caseID)
	entries, err := collect(rows, err, func(s scanner) (g gone, err error) { return g, s.Scan(&g.list, &g.last.xid, &g.last.seq) })
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: withdrawn entries: %w", err))
	}
	if len(entries) == 0 {
		return nil, nil
	}
	type reader struct {
		peer          rempart.Peer
		entered, last spot
		mute          int
	}
	rows, err = db.r.QueryContext(ctx, `SELECT p.doc, r.entered_xid, r.entered_seq, r.xid, r.seq, 0 AS mute, p.id AS id FROM feed_readers r JOIN peers p ON p.id = r.peer_id
		UNION ALL SELECT p.doc, c.entered_xid, c.entered_seq, 0, 0, 1, p.id FROM copy_readers c JOIN peers p ON p.id = c.peer_id
		ORDER BY id, mute`)
	readers, err := collect(rows, err, func(s scanner) (r reader, err error) {
		var doc []byte
		if err := s.Scan(&doc, &r.entered.xid, &r.entered.seq, &r.last.xid, &r.last.seq, &r.mute, new(string)); err != nil {
			return r, err
		}
		return r, decode(doc, &r.peer)
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: readers of the feed: %w", err))
	}
	var out []Confirmation
	named := "" // whose row of the feed says it already
	for _, r := range readers {
		if !r.peer.DisabledAt.IsZero() || r.peer.ID == named {
			continue
		}
		had, confirmed := false, true
		for _, g := range entries {
			if r.entered.after(g.last) || !r.peer.Reads(g.list) {
				continue // it came later, or never had this list
			}
			had = true
			confirmed = confirmed && !g.last.after(r.last)
		}
		if had {
			out = append(out, Confirmation{r.peer.Name, confirmed && r.mute == 0, r.mute == 1})
			named = r.peer.ID
		}
	}
	return out, nil
}

// keepWithdrawal notes that the code of a case, which is about to be erased as
// the person asks, opens the confirmations of her fingerprints, if some had been
// shared: from this case, from the one that carried its items, or from a part of
// it, which was erased before. c is nil where its key is gone. Those whose time
// has passed go.
func (t *tx) keepWithdrawal(caseID string, c *rempart.Case, at time.Time) error {
	if _, err := t.exec("DELETE FROM withdrawals WHERE at < $1", micros(t.now.Add(-withdrawalKept))); err != nil {
		return fmt.Errorf("store: old withdrawals: %w", err)
	}
	if c != nil {
		if err := t.keepCarried(c); err != nil {
			return err
		}
	}
	_, err := t.exec(`INSERT INTO withdrawals (code_hash, case_id, at) SELECT hash, case_id, CAST($1 AS BIGINT) FROM case_codes WHERE case_id = $2
		AND (EXISTS (SELECT 1 FROM entries WHERE case_id = $2 AND peer_id = '' AND state = 'withdrawn' AND first_xid IS NOT NULL)
			OR EXISTS (SELECT 1 FROM withdrawal_entries WHERE case_id = $2))
		ON CONFLICT (code_hash) DO NOTHING`, micros(at), caseID)
	if err != nil {
		return fmt.Errorf("store: withdrawal of case %s: %w", caseID, err)
	}
	if c != nil && c.PartOf != nil { // the case it was split off takes them over
		return nil
	}
	if _, err := t.exec("DELETE FROM withdrawal_entries WHERE case_id NOT IN (SELECT case_id FROM withdrawals)"); err != nil {
		return fmt.Errorf("store: old withdrawals: %w", err)
	}
	return nil
}

// keepCarried notes what other cases had listed for c and have withdrawn.
func (t *tx) keepCarried(c *rempart.Case) error {
	const shared = " AND n.peer_id = '' AND n.state = 'withdrawn' AND n.first_xid IS NOT NULL"
	keep := func(from string, args ...any) error {
		_, err := t.exec("INSERT INTO withdrawal_entries (case_id, entry_id) SELECT CAST($1 AS TEXT), "+from+" ON CONFLICT (case_id, entry_id) DO NOTHING", append([]any{c.ID}, args...)...)
		if err != nil {
			return fmt.Errorf("store: withdrawal of case %s: %w", c.ID, err)
		}
		return nil
	}
	for _, i := range c.Items {
		if i.State != rempart.ItemFollowed {
			continue
		}
		if err := keep("n.id FROM entries n WHERE n.case_id = $2 AND n.item_id = $3"+shared, i.Follows.CaseID, i.Follows.ItemID); err != nil {
			return err
		}
	}
	for _, p := range c.Parts {
		if err := keep("n.id FROM entries n WHERE n.case_id = $2"+shared, p.CaseID); err != nil {
			return err
		}
		if err := keep("w.entry_id FROM withdrawal_entries w WHERE w.case_id = $2", p.CaseID); err != nil {
			return err
		}
	}
	return nil
}

// Withdrawal returns when the report of a code was taken back, and of which case
// it was. It is a rempart.NotFound if it was not, or if none of its fingerprints
// had been shared, or three months ago.
func (db *DB) Withdrawal(ctx context.Context, codeHash string) (caseID string, at time.Time, err error) {
	var micro int64
	err = db.r.QueryRowContext(ctx, "SELECT case_id, at FROM withdrawals WHERE code_hash = $1 AND at >= $2", codeHash, micros(db.now().Add(-withdrawalKept))).Scan(&caseID, &micro)
	if errors.Is(err, sql.ErrNoRows) {
		return "", time.Time{}, missing(err, "withdrawal")
	}
	if err != nil {
		return "", time.Time{}, db.explain(fmt.Errorf("store: withdrawal: %w", err))
	}
	return caseID, fromMicros(micro), nil
}
