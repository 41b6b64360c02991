package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"rempart"
	"rempart/ledger"
)

// errUnsealed says that the ledger has records of a case that are not in the
// tree yet.
var errUnsealed = errors.New("its records are not sealed yet")

// EraseCase destroys the key of a case, and deletes the case with its reports,
// identity, code, index, jobs and fingerprints that were never active. Active
// ones stay listed, as copies are to be stopped for longer than the case is
// kept, unless e.Unlist. Of the ledger's records about it only the digests stay,
// and one record that says what was erased, why and by whom. It returns what
// Case.MayErase refuses, without having changed anything.
//
// What was erased opens in no backup that was made without the keys; a copy with
// the keys opens until the keyring is rotated.
func (db *DB) EraseCase(ctx context.Context, id string, e rempart.Erasure) error {
	return db.erasing(ctx, func(t *tx) error { return t.erase(id, e) })
}

// erasing runs f, which erases, with all records sealed, and has the database let
// go of what f deleted.
func (db *DB) erasing(ctx context.Context, f func(*tx) error) error {
	err := errUnsealed
	for try := 0; try < 5 && errors.Is(err, errUnsealed); try++ {
		if _, err = db.Seal(ctx); err != nil {
			return err
		}
		err = db.write(ctx, f)
	}
	if err != nil {
		return err
	}
	if _, err := db.Seal(ctx); err != nil {
		return err
	}
	return db.forget(ctx)
}

func (t *tx) erase(id string, e rempart.Erasure) error {
	var state rempart.CaseState
	var held int
	if err := t.row("SELECT state, held FROM cases WHERE id = $1"+t.db.forUpdate, id).Scan(&state, &held); err != nil {
		return missing(err, "case")
	}
	c, _, err := t.loadCase(id, "", decode)
	var broken *rempart.Error
	switch {
	case errors.As(err, &broken) && broken.Code == "case.erased": // its key is gone: delete the rest
		if held == 1 && e.Why != rempart.EraseRestored {
			err = (&rempart.Case{Hold: &rempart.Hold{}}).MayErase(e)
		} else {
			err = nil
		}
	case err == nil:
		err = c.MayErase(e)
	}
	if err != nil {
		return err
	}
	if c != nil && err == nil {
		if err := t.unlink(c, e); err != nil {
			return err
		}
	}
	listed, err := t.eraseEntries(id, e)
	if err != nil {
		return err
	}
	if e.Why == rempart.EraseWithdrawn {
		if err := t.keepWithdrawal(id, c, e.At); err != nil {
			return err
		}
	}
	if err := t.untally(id); err != nil {
		return err
	}
	if err := t.count(id, state, ""); err != nil {
		return err
	}
	return t.wipe(id, e, ledger.KindErased, map[string]string{"listed": fmt.Sprint(listed)},
		"DELETE FROM sealed_keys WHERE owner = $1", // first: without it the rest is noise
		"DELETE FROM case_index WHERE case_id = $1",
		"DELETE FROM case_traits WHERE case_id = $1",
		"DELETE FROM case_codes WHERE case_id = $1",
		"DELETE FROM case_notices WHERE case_id = $1",
		"DELETE FROM identities WHERE case_id = $1",
		"DELETE FROM report_keys WHERE report_id IN (SELECT id FROM reports WHERE case_id = $1)",
		"DELETE FROM reports WHERE case_id = $1",
		"DELETE FROM jobs WHERE subject = $1",
		"DELETE FROM rechecks WHERE case_id = $1",
		"DELETE FROM cases WHERE id = $1",
	)
}

// wipe runs the queries that delete what belongs to id, erases its records, and
// writes the one of a kind that accounts for them, with more.
func (t *tx) wipe(id string, e rempart.Erasure, kind string, more map[string]string, queries ...string) error {
	for _, q := range queries {
		if _, err := t.exec(q, id); err != nil {
			return fmt.Errorf("store: erasing %s: %w", id, err)
		}
	}
	data, err := t.eraseRecords(id)
	if err != nil {
		return err
	}
	if d := e.Digest(); d != "" {
		data["reason"] = d
	}
	data["why"] = string(e.Why)
	maps.Copy(data, more)
	return t.event(rempart.Event{Kind: kind, Subject: id, Actor: e.By, At: e.At, Data: data})
}

// eraseEntries deletes the entries of a case that nobody outside ever had, and
// returns how many stay listed.
func (t *tx) eraseEntries(id string, e rempart.Erasure) (listed int, err error) {
	if t.db.keepLast != "" {
		if _, err := t.exec(t.db.keepLast); err != nil {
			return 0, fmt.Errorf("store: keeping the place of the last change: %w", err)
		}
	}
	if _, err := t.exec("DELETE FROM entries WHERE case_id = $1 AND peer_id = '' AND state IN ('provisional', 'rejected')", id); err != nil {
		return 0, fmt.Errorf("store: entries of case %s: %w", id, err)
	}
	rows, err := t.Tx.QueryContext(t.ctx, "SELECT id, list, type, value, quality, form, case_ref, item_id FROM entries WHERE case_id = $1 AND peer_id = '' AND state = 'active' ORDER BY num", id)
	active, err := collect(rows, err, func(s scanner) (n rempart.Entry, err error) {
		n.State, n.CaseID, n.Since = rempart.EntryWithdrawn, id, e.At
		return n, s.Scan(&n.ID, &n.List, &n.Fingerprint.Type, &n.Fingerprint.Value, &n.Fingerprint.Quality, &n.Fingerprint.Form, &n.CaseRef, &n.ItemID)
	})
	if err != nil {
		return 0, fmt.Errorf("store: entries of case %s: %w", id, err)
	}
	if !e.Unlist {
		return len(active), nil
	}
	for _, n := range active {
		if err := t.entry("", n); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// eraseRecords deletes the ledger's records of a subject, whose leaves stay, and
// returns what accounts for them.
func (t *tx) eraseRecords(subject string) (map[string]string, error) {
	type leaf struct {
		seq    int64
		num    *int64
		hashes []byte
	}
	rows, err := t.Tx.QueryContext(t.ctx, "SELECT r.seq, l.num, l.hashes FROM records r LEFT JOIN leaves l ON l.record = r.seq WHERE r.subject = $1 ORDER BY l.num", subject)
	leaves, err := collect(rows, err, func(s scanner) (l leaf, err error) { return l, s.Scan(&l.seq, &l.num, &l.hashes) })
	if err != nil {
		return nil, fmt.Errorf("store: records of %s: %w", subject, err)
	}
	var hashes []ledger.Hash
	for _, l := range leaves {
		if l.num == nil {
			return nil, errUnsealed
		}
		h, err := ledger.SplitHashes(l.hashes)
		if err != nil {
			return nil, fmt.Errorf("store: records of %s: %w", subject, err)
		}
		hashes = append(hashes, h[0])
		if _, err := t.exec("INSERT INTO erasures (num, subject) VALUES ($1, $2)", *l.num, subject); err != nil {
			return nil, fmt.Errorf("store: records of %s: %w", subject, err)
		}
		if _, err := t.exec("DELETE FROM records WHERE seq = $1", l.seq); err != nil {
			return nil, fmt.Errorf("store: records of %s: %w", subject, err)
		}
	}
	return ledger.ErasedData(hashes), nil
}

// forget makes the database let go of what was deleted: the log that SQLite
// keeps beside the file, whose pages are overwritten; in PostgreSQL the dead
// rows of the keys, without which nothing else that is left can be read.
func (db *DB) forget(ctx context.Context) error {
	if db.lockRing == "" {
		var busy, log, done int
		if err := db.w.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &done); err != nil {
			return db.explain(fmt.Errorf("store: emptying the log: %w", err))
		}
		return nil
	}
	if _, err := db.w.ExecContext(ctx, "VACUUM sealed_keys"); err != nil {
		return db.explain(fmt.Errorf("store: sweeping dead keys: %w", err))
	}
	return nil
}

// DueCases returns the identifiers of closed cases whose time has passed and
// that are under no hold, at most limit, the oldest of each class first.
func (db *DB) DueCases(ctx context.Context, keep rempart.Retention, now time.Time, limit int) ([]string, error) {
	if err := db.classify(ctx); err != nil {
		return nil, err
	}
	var out []string
	for _, class := range rempart.RetentionClasses {
		if keep[class] <= 0 || len(out) >= limit {
			continue
		}
		rows, err := db.r.QueryContext(ctx, "SELECT id FROM cases WHERE state = 'closed' AND held = 0 AND kept = $1 AND closed_at <= $2 ORDER BY closed_at LIMIT $3",
			string(class), micros(now.Add(-keep[class])), limit-len(out))
		ids, err := collect(rows, err, func(s scanner) (id string, err error) { return id, s.Scan(&id) })
		if err != nil {
			return nil, db.explain(fmt.Errorf("store: cases that are due: %w", err))
		}
		out = append(out, ids...)
	}
	return out, nil
}

// classify notes the class of cases that an older version closed.
func (db *DB) classify(ctx context.Context) error {
	rows, err := db.r.QueryContext(ctx, "SELECT id FROM cases WHERE state = 'closed' AND held = 0 AND kept = '' LIMIT 200")
	old, err := collect(rows, err, func(s scanner) (id string, err error) { return id, s.Scan(&id) })
	if err != nil {
		return db.explain(fmt.Errorf("store: cases without a class: %w", err))
	}
	for _, id := range old {
		err := db.write(ctx, func(t *tx) error {
			c, _, err := t.loadCase(id, t.db.forUpdate, decode)
			if err != nil {
				return err
			}
			_, err = t.exec("UPDATE cases SET kept = $1, closed_at = $2 WHERE id = $3", string(c.RetentionClass()), micros(c.Closed()), id)
			return err
		})
		if err != nil {
			return fmt.Errorf("store: class of case %s: %w", id, err)
		}
	}
	return nil
}
