package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"rempart"
)

// An empty or cut answer looks the same as a list from which most was taken out.
// So a list that was read again whole and lacks most of what is held of it
// withdraws nothing by itself: all goes on matching, and somebody is asked. What
// the other side withdraws entry by entry is not asked about.

// sweepCounted is how long what a waiting list lacks is taken to be as it was
// counted last: more may come of it, and counting ten million takes seconds.
const sweepCounted = time.Minute

// A heldSweep is how far the guard of a list that is read again whole is.
type heldSweep struct {
	had, lacking         int64
	held, judged, passed int64
}

// sweepOf reads and locks the sweep of a list until the transaction ends, so that
// no page is noted while something is withdrawn by what was noted before. ok is
// false where there is none.
func (t *tx) sweepOf(peerID string) (h heldSweep, ok bool, err error) {
	err = t.row("SELECT had, lacking, held_at, judged_at, passed_at FROM feed_sweeps WHERE peer_id = $1"+t.db.forUpdate, peerID).Scan(&h.had, &h.lacking, &h.held, &h.judged, &h.passed)
	if errors.Is(err, sql.ErrNoRows) {
		return h, false, nil
	}
	if err != nil {
		return h, false, fmt.Errorf("store: sweep of %s: %w", peerID, err)
	}
	return h, true, nil
}

// mayWithdraw tells whether what a list that was read to its end lacks may be
// withdrawn. Where it is more than mayLack of what was held, it waits, and the
// ledger says since when.
func (t *tx) mayWithdraw(peerID string, mayLack float64) (bool, error) {
	h, ok, err := t.sweepOf(peerID)
	if err != nil || !ok || h.passed > 0 {
		return h.passed > 0, err
	}
	now := micros(t.now)
	if h.held > 0 && h.judged > 0 && now-h.judged < sweepCounted.Microseconds() {
		return false, nil
	}
	var holds int64
	if err := t.row("SELECT count(*) FROM entries WHERE peer_id = $1 AND state NOT IN ('rejected', 'withdrawn')", peerID).Scan(&holds); err != nil {
		return false, fmt.Errorf("store: sweep of %s: %w", peerID, err)
	}
	if err := t.row("SELECT count(*) FROM "+notGiven, peerID).Scan(&h.lacking); err != nil {
		return false, fmt.Errorf("store: sweep of %s: %w", peerID, err)
	}
	if h.had < 0 || holds < h.had {
		h.had = holds // less what was withdrawn one by one meanwhile
	}
	if !rempart.LacksMuch(int(h.lacking), int(h.had), mayLack) {
		_, err := t.exec("UPDATE feed_sweeps SET passed_at = $2, held_at = 0 WHERE peer_id = $1", peerID, now)
		return true, err
	}
	if h.held == 0 {
		if err := t.event(rempart.Event{Kind: "source.lacks", Subject: peerID, Actor: rempart.ActorSystem, At: t.now, Data: map[string]string{"lacking": strconv.FormatInt(h.lacking, 10), "had": strconv.FormatInt(h.had, 10)}}); err != nil {
			return false, err
		}
		h.held = now
	}
	_, err = t.exec("UPDATE feed_sweeps SET had = $2, lacking = $3, held_at = $4, judged_at = $5 WHERE peer_id = $1", peerID, h.had, h.lacking, h.held, now)
	return false, err
}

// HeldSweeps returns the lists that were read again whole and wait for somebody,
// those that wait longest first.
func (db *DB) HeldSweeps(ctx context.Context) ([]rempart.SourceLack, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT peer_id, had, lacking, held_at FROM feed_sweeps WHERE held_at > 0 AND passed_at = 0 ORDER BY held_at, peer_id")
	out, err := collect(rows, err, func(s scanner) (l rempart.SourceLack, err error) {
		var since int64
		err = s.Scan(&l.Of, &l.Had, &l.Lacking, &since)
		l.Since = fromMicros(since)
		return l, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: lists that wait: %w", err))
	}
	return out, nil
}

// DecideSweep does what somebody decided of a list that waits: what it lacks is
// withdrawn, by a job, or goes on matching. lacking is the number that was shown.
// It is a rempart.Conflict if that is another now, the list is being read once
// more, or it waits for nobody any more.
func (db *DB) DecideSweep(ctx context.Context, of string, lacking int, withdraw bool, by rempart.Actor) error {
	return db.write(ctx, func(t *tx) error {
		h, ok, err := t.sweepOf(of)
		if err != nil {
			return err
		}
		if !ok || h.held == 0 || h.judged == 0 || h.passed > 0 || h.lacking != int64(lacking) {
			return &rempart.Error{Kind: rempart.Conflict, Code: "sweep.decided", Public: "This was decided meanwhile, or the source was read again and lacks another number. Please look once more."}
		}
		kind := "source.lack_kept"
		if withdraw {
			kind = "source.lack_withdrawn"
			if _, err := t.exec("UPDATE feed_sweeps SET passed_at = $2 WHERE peer_id = $1", of, micros(t.now)); err != nil {
				return fmt.Errorf("store: deciding the sweep of %s: %w", of, err)
			}
			if err := t.job(rempart.Job{Kind: rempart.JobSweep, Subject: of}); err != nil {
				return err
			}
		} else if err := t.forgetSweep(of); err != nil {
			return err
		}
		return t.event(rempart.Event{Kind: kind, Subject: of, Actor: by, At: t.now, Data: map[string]string{"lacking": strconv.Itoa(lacking), "had": strconv.FormatInt(h.had, 10)}})
	})
}

// CarrySweep withdraws what somebody decided is to be withdrawn, and returns how
// many that were. It does nothing where that was done, or the list is being read
// once more.
func (db *DB) CarrySweep(ctx context.Context, of string) (all int, err error) {
	state := rempart.EntryRejected // a peer may give it again
	if rempart.IsSource(of) {
		state = rempart.EntryWithdrawn
	}
	for more := true; more; {
		var n int
		if err := db.write(ctx, func(t *tx) error {
			h, ok, err := t.sweepOf(of)
			if err != nil || !ok || h.passed == 0 {
				more = false
				return err
			}
			n, more, err = t.sweepSome(of, state)
			return err
		}); err != nil {
			return all, fmt.Errorf("store: sweep of %s: %w", of, err)
		}
		all += n
	}
	return all, nil
}
