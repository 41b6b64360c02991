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

// A list whose server no longer holds the place that was reached is read again
// from its beginning, where nobody tells of what was withdrawn meanwhile. What it
// gives is noted, and at its end the rest stops matching: until then all that was
// there goes on matching, as most of it still counts.

// sweepAtOnce is how many entries one transaction withdraws.
const sweepAtOnce = 1000

// notGiven are the entries of a list that were not given since it is read again.
const notGiven = `entries e WHERE peer_id = $1 AND state NOT IN ('rejected', 'withdrawn')
	AND NOT EXISTS (SELECT 1 FROM feed_seen s WHERE s.peer_id = $1 AND s.id = e.id)`

// sweep notes the entries of a page, before they are saved, if their list is read
// again whole. afresh says that this begins, or begins once more.
func (t *tx) sweep(peerID string, afresh bool, ids func(yield func(string) bool)) error {
	if afresh {
		var had int64
		if err := t.row("SELECT count(*) FROM entries WHERE peer_id = $1 AND state NOT IN ('rejected', 'withdrawn')", peerID).Scan(&had); err != nil {
			return fmt.Errorf("store: sweep: %w", err)
		}
		// What waits for somebody goes on waiting, until it was read to its end again.
		if _, err := t.exec(`INSERT INTO feed_sweeps (peer_id, had) VALUES ($1, $2) ON CONFLICT (peer_id) DO UPDATE SET judged_at = 0, passed_at = 0,
			had = CASE WHEN feed_sweeps.had BETWEEN 0 AND excluded.had THEN feed_sweeps.had ELSE excluded.had END`, peerID, had); err != nil {
			return fmt.Errorf("store: sweep: %w", err)
		}
		if _, err := t.exec("DELETE FROM feed_seen WHERE peer_id = $1", peerID); err != nil {
			return fmt.Errorf("store: sweep: %w", err)
		}
	}
	if _, on, err := t.sweepOf(peerID); err != nil || !on {
		return err
	}
	for some := range slices.Chunk(slices.Collect(ids), rowsAtOnce) {
		args := []any{peerID}
		var values strings.Builder
		for k, id := range some {
			fmt.Fprintf(&values, ", ($1, $%d)", k+2)
			args = append(args, id)
		}
		if _, err := t.exec("INSERT INTO feed_seen (peer_id, id) VALUES "+values.String()[2:]+" ON CONFLICT (peer_id, id) DO NOTHING", args...); err != nil {
			return fmt.Errorf("store: sweep: %w", err)
		}
	}
	return nil
}

// sweepSome withdraws some of what was not given, and forgets the sweep after the
// last. more says that there is more to withdraw.
func (t *tx) sweepSome(peerID string, state rempart.EntryState) (n int, more bool, err error) {
	rows, err := t.QueryContext(t.ctx, "SELECT num FROM "+notGiven+" LIMIT $2", peerID, sweepAtOnce)
	gone, err := collect(rows, err, func(s scanner) (num int64, err error) { return num, s.Scan(&num) })
	if err != nil {
		return 0, true, err
	}
	dated := 0 // a peer dates its entries itself, and may give this one again as it was
	if state == rempart.EntryWithdrawn {
		dated = 1
	}
	for _, num := range gone {
		if _, err := t.exec(`UPDATE entries SET state = $2, since = CASE WHEN $4 = 1 THEN $3 ELSE since END, xid = `+t.db.xid+`, seq = `+t.db.nextChange+`
			WHERE num = $1`, num, string(state), micros(t.now), dated); err != nil {
			return 0, true, err
		}
	}
	if len(gone) == sweepAtOnce {
		return len(gone), true, nil
	}
	return len(gone), false, t.forgetSweep(peerID)
}

func (t *tx) forgetSweep(peerID string) error {
	if _, err := t.exec("DELETE FROM feed_seen WHERE peer_id = $1", peerID); err != nil {
		return fmt.Errorf("store: sweep: %w", err)
	}
	_, err := t.exec("DELETE FROM feed_sweeps WHERE peer_id = $1", peerID)
	return err
}

// Sweeping tells whether a list, of a peer or what stands for a source, is read
// again whole.
func (db *DB) Sweeping(ctx context.Context, peerID string) (bool, error) {
	var one int
	err := db.r.QueryRowContext(ctx, "SELECT 1 FROM feed_sweeps WHERE peer_id = $1", peerID).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, db.explain(err)
}

// A FeedPage is one answer of a peer's feed.
type FeedPage struct {
	From    string // the cursor that it was asked with, or that was kept when it was
	Entries []rempart.Entry
	Cursor  string // reached
	Afresh  bool   // it begins at the beginning, as the peer no longer holds From
	Whole   bool   // there was nothing more behind it
}

// ApplyFeedPage saves a page as [DB.ApplyFeed] does. What was read before an
// Afresh one goes on matching until all was read again, and what the peer did not
// give by then is rejected. A rempart.Conflict says that another process saved a
// page after From meanwhile: nothing was changed.
func (db *DB) ApplyFeedPage(ctx context.Context, peerID string, p FeedPage) error {
	if peerID == "" {
		return errors.New("store: a feed of no peer")
	}
	if err := db.write(ctx, func(t *tx) error { return t.feedPage(peerID, p) }); err != nil || !p.Whole {
		return err
	}
	on, err := db.Sweeping(ctx, peerID)
	if err != nil || !on {
		return err
	}
	return db.sweepFeed(ctx, peerID, p.Cursor)
}

func (t *tx) feedPage(peerID string, p FeedPage) error {
	if _, err := t.exec("INSERT INTO feed_cursors (peer_id, reached) VALUES ($1, '') ON CONFLICT (peer_id) DO NOTHING", peerID); err != nil {
		return fmt.Errorf("store: cursor of %s: %w", peerID, err)
	}
	n, err := t.exec("UPDATE feed_cursors SET reached = $3 WHERE peer_id = $1 AND reached = $2", peerID, p.From, p.Cursor)
	if err != nil {
		return fmt.Errorf("store: cursor of %s: %w", peerID, err)
	}
	if n == 0 {
		return errFeedElsewhere
	}
	if err := t.sweep(peerID, p.Afresh, func(yield func(string) bool) {
		for _, e := range p.Entries {
			if !yield(e.ID) {
				return
			}
		}
	}); err != nil {
		return err
	}
	if err := t.entries(peerID, p.Entries); err != nil {
		return fmt.Errorf("feed of %s: %w", peerID, err)
	}
	return nil
}

// sweepFeed ends a sweep, while nobody reads on from the cursor reached: what
// comes behind it may not be noted yet.
func (db *DB) sweepFeed(ctx context.Context, peerID, cursor string) error {
	for more := true; more; {
		if err := db.write(ctx, func(t *tx) (err error) {
			n, err := t.exec("UPDATE feed_cursors SET reached = reached WHERE peer_id = $1 AND reached = $2", peerID, cursor)
			if err == nil && n == 0 {
				return errFeedElsewhere
			}
			if err == nil {
				more, err = t.mayWithdraw(peerID, rempart.MayLack)
			}
			if err == nil && more {
				_, more, err = t.sweepSome(peerID, rempart.EntryRejected)
			}
			return err
		}); err != nil {
			return fmt.Errorf("store: sweep of %s: %w", peerID, err)
		}
	}
	return nil
}

var errFeedElsewhere = &rempart.Error{Kind: rempart.Conflict, Code: "feed.elsewhere", Public: "Another process reads this feed."}

// SweepSource withdraws what a source that was read again whole did not give, once
// it was read to its end, and returns how many; none where that is so much of it
// that somebody is asked first ([DB.HeldSweeps]). It holds the source as
// [DB.ApplySource] does.
func (db *DB) SweepSource(ctx context.Context, c SourceClaim, lease time.Duration) (int, error) {
	on, err := db.Sweeping(ctx, c.Source.ID())
	if err != nil || !on {
		return 0, err
	}
	all := 0
	for more := true; more; {
		var n int
		if err := db.write(ctx, func(t *tx) (err error) {
			if err = t.heldSource(c, "held_until = $4", micros(t.now)+lease.Microseconds()); err != nil {
				return err
			}
			n = 0
			if more, err = t.mayWithdraw(c.Source.ID(), c.Source.Lacks()); err == nil && more {
				n, more, err = t.sweepSome(c.Source.ID(), rempart.EntryWithdrawn)
			}
			return err
		}); err != nil {
			return all, fmt.Errorf("store: sweep of source %s: %w", c.Source.Name, err)
		}
		all += n
	}
	return all, nil
}
