package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rempart"
	"rempart/ledger"
)

// counted writes what a change adds to the tally, in its transaction.
func (t *tx) counted(at time.Time, all []rempart.Count) error {
	for _, c := range all {
		dims, err := ledger.FormatData(c.Dims)
		if err != nil {
			return fmt.Errorf("store: count %s: %w", c.Kind, err)
		}
		if _, err := t.exec("INSERT INTO counts (at, kind, of, dims, n) VALUES ($1, $2, $3, $4, $5)",
			micros(at.UTC().Truncate(time.Hour)), string(c.Kind), c.Of, dims, c.N); err != nil {
			return fmt.Errorf("store: count %s: %w", c.Kind, err)
		}
	}
	return nil
}

// lastOf is when the last of some events was.
func lastOf(events []rempart.Event, or time.Time) time.Time {
	at := time.Time{}
	for _, e := range events {
		if e.At.After(at) {
			at = e.At
		}
	}
	if at.IsZero() {
		return or
	}
	return at
}

// countOld counts the cases and intakes that were there before the tally was, as
// they stand, each at its last change. How long platforms took to acknowledge is
// not in them, and is not counted.
func (t *tx) countOld() error {
	done, err := t.meta("counted", "0")
	if err != nil {
		return err
	}
	if done == "1" {
		return t.countOldComplaints()
	}
	err = t.each("cases", func(id string) error {
		c, _, err := t.loadCase(id, "", decode)
		if err != nil {
			return err
		}
		return t.counted(c.UpdatedAt, c.Tally().Since(nil))
	})
	if err != nil {
		return err
	}
	err = t.each("intakes", func(id string) error {
		i, _, err := t.db.readIntake(t.row("SELECT "+intakeColumns+" FROM intakes WHERE id = $1", id), decode)
		if err != nil {
			return err
		}
		return t.counted(i.UpdatedAt, i.Tally().Since(nil))
	})
	if err != nil {
		return err
	}
	return errors.Join(t.setMeta("counted", "1"), t.setMeta("counted_complaints", "1"))
}

// countOldComplaints counts the complaints that were there before they were in the
// tally.
func (t *tx) countOldComplaints() error {
	done, err := t.meta("counted_complaints", "0")
	if err != nil || done == "1" {
		return err
	}
	err = t.each("intakes", func(id string) error {
		i, _, err := t.db.readIntake(t.row("SELECT "+intakeColumns+" FROM intakes WHERE id = $1", id), decode)
		if err != nil {
			return err
		}
		all := i.Tally().Since(nil)
		return t.counted(i.UpdatedAt, slices.DeleteFunc(all, func(c rempart.Count) bool { return c.Kind != rempart.CountComplaint }))
	})
	if err != nil {
		return err
	}
	return t.setMeta("counted_complaints", "1")
}

// each calls f with every identifier of a table, but for what is about to be
// deleted because its key is gone.
func (t *tx) each(table string, f func(id string) error) error {
	for last := ""; ; {
		rows, err := t.Tx.QueryContext(t.ctx, "SELECT id FROM "+table+" WHERE id > $1 ORDER BY id LIMIT 500", last)
		ids, err := collect(rows, err, func(s scanner) (id string, err error) { return id, s.Scan(&id) })
		if err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
		for _, id := range ids {
			var broken *rempart.Error
			if err := f(id); errors.As(err, &broken) && broken.Code == "case.erased" {
				continue
			} else if err != nil {
				return err
			}
			last = id
		}
		if len(ids) < 500 {
			return nil
		}
	}
}

// A CountEdge is how far the tally is read: the line after which nothing counts.
type CountEdge struct {
	Seq int64     `json:"seq"`
	At  time.Time `json:"at"` // no line of this moment or later counts; zero: none is left out
}

// Counts calls f with each line of the tally that an edge lets see, whose day is
// from from to until (YYYY-MM-DD, both included; "" is without bound).
func (db *DB) Counts(ctx context.Context, from, until string, edge CountEdge, f func(rempart.Count)) error {
	if until == "" {
		until = "9999-12-31"
	}
	rows, err := db.r.QueryContext(ctx, "SELECT kind, of, dims, n, at FROM counts WHERE of >= $1 AND of <= $2 AND seq <= $3 ORDER BY seq", from, until, edge.Seq)
	_, err = collect(rows, err, func(s scanner) (_ struct{}, err error) {
		var c rempart.Count
		var dims string
		var at int64
		if err := s.Scan(&c.Kind, &c.Of, &dims, &c.N, &at); err != nil {
			return struct{}{}, err
		}
		if !edge.At.IsZero() && !fromMicros(at).Before(edge.At) {
			return struct{}{}, nil
		}
		if c.Dims, err = ledger.ParseData(dims); err != nil {
			return struct{}{}, err
		}
		f(c)
		return struct{}{}, nil
	})
	if err != nil {
		return db.explain(fmt.Errorf("store: counts: %w", err))
	}
	return nil
}

// Frozen reads the return frozen under an identifier into v; it is a NotFound if
// there is none.
func (db *DB) Frozen(ctx context.Context, id string, v any) error {
	var doc []byte
	if err := db.r.QueryRowContext(ctx, "SELECT doc FROM returns WHERE id = $1", id).Scan(&doc); err != nil {
		return db.explain(missing(err, "return"))
	}
	return decode(doc, v)
}

// FrozenReturns lists the identifiers of all frozen returns, sorted.
func (db *DB) FrozenReturns(ctx context.Context) ([]string, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT id FROM returns ORDER BY id")
	out, err := collect(rows, err, func(s scanner) (id string, err error) { return id, s.Scan(&id) })
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: returns: %w", err))
	}
	return out, nil
}

// Edge returns where the tally ends now: every line up to there is committed,
// and none will come before it.
func (db *DB) Edge(ctx context.Context) (e CountEdge, err error) {
	err = db.write(ctx, func(t *tx) error {
		if t.db.lockCounts != "" {
			if _, err := t.exec(t.db.lockCounts); err != nil {
				return fmt.Errorf("store: waiting for counts: %w", err)
			}
		}
		if err := t.row("SELECT coalesce(max(seq), 0) FROM counts").Scan(&e.Seq); err != nil {
			return fmt.Errorf("store: edge of counts: %w", err)
		}
		return nil
	})
	return e, err
}

// Freeze keeps a return under an identifier, with its event, once: a second
// return under it is a Conflict.
func (db *DB) Freeze(ctx context.Context, id string, v any, e rempart.Event) error {
	return db.write(ctx, func(t *tx) error {
		doc, err := encode(v)
		if err != nil {
			return err
		}
		n, err := t.exec("INSERT INTO returns (id, doc) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", id, doc)
		if err != nil {
			return fmt.Errorf("store: return %s: %w", id, err)
		}
		if n == 0 {
			return &rempart.Error{Kind: rempart.Conflict, Code: "return.frozen", Public: "This return was frozen meanwhile. Look at it again."}
		}
		return t.event(e)
	})
}
