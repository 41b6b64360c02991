package store

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"rempart"
	"rempart/ledger"
)

// Commit saves consequences alone. once as in UpdateCase.
func (db *DB) Commit(ctx context.Context, once string, c rempart.Consequences) error {
	return db.write(ctx, func(t *tx) error {
		if err := t.spend(once); err != nil {
			return err
		}
		return t.save(c)
	})
}

// save writes consequences: entries, then jobs, then the ledger's records.
func (t *tx) save(c rempart.Consequences) error {
	for _, e := range c.Entries {
		if err := t.entry("", e.Entry); err != nil {
			return err
		}
	}
	for _, j := range c.Jobs {
		if err := t.job(j); err != nil {
			return err
		}
	}
	for _, e := range c.Events {
		if err := t.event(e); err != nil {
			return err
		}
	}
	return nil
}

// event appends a record to the ledger; Seal hashes it afterwards.
func (t *tx) event(e rempart.Event) error {
	if e.Kind == "" || e.Subject == "" || e.Actor == "" || e.At.IsZero() {
		return fmt.Errorf("store: event %q of %q says not who did what, to what and when", e.Kind, e.Subject)
	}
	data, err := ledger.FormatData(e.Data)
	if err != nil {
		return fmt.Errorf("store: event %s of %s: %w", e.Kind, e.Subject, err)
	}
	if _, err := t.exec("INSERT INTO records (kind, subject, actor, at, data, xid) VALUES ($1, $2, $3, $4, $5, "+t.db.xid+")",
		e.Kind, e.Subject, string(e.Actor), micros(e.At), data); err != nil {
		return fmt.Errorf("store: event %s of %s: %w", e.Kind, e.Subject, err)
	}
	return nil
}

// Events returns the events of one subject, oldest first.
func (db *DB) Events(ctx context.Context, subject string) ([]rempart.Event, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT kind, subject, actor, at, data FROM records WHERE subject = $1 ORDER BY seq", subject)
	out, err := collect(rows, err, func(s scanner) (rempart.Event, error) {
		r, err := scanRecord(s)
		if err != nil {
			return rempart.Event{}, err
		}
		data, err := ledger.ParseData(r.Data)
		if err != nil {
			return rempart.Event{}, err
		}
		return rempart.Event{Kind: r.Kind, Subject: r.Subject, Actor: rempart.Actor(r.Actor), At: fromMicros(r.At), Data: data}, nil
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: events of %s: %w", subject, err))
	}
	return out, nil
}

func scanRecord(s scanner) (r ledger.Record, err error) {
	return r, s.Scan(&r.Kind, &r.Subject, &r.Actor, &r.At, &r.Data)
}

// EventsOf returns the events of some kinds, newest first, at most limit of
// them, after a cursor that an earlier call returned ("" for the newest). next
// is the cursor of the following ones, "" after the last.
func (db *DB) EventsOf(ctx context.Context, kinds []string, after string, limit int) (out []rempart.Event, next string, err error) {
	if len(kinds) == 0 {
		return nil, "", nil
	}
	before := int64(math.MaxInt64)
	if after != "" {
		if before, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, "", &rempart.Error{Kind: rempart.Invalid, Code: "page.after", Public: "This page of the list does not exist.", Err: err}
		}
	}
	args := []any{before, limit + 1}
	var marks []string
	for _, k := range kinds {
		args = append(args, k)
		marks = append(marks, "$"+strconv.Itoa(len(args)))
	}
	type row struct {
		seq int64
		rempart.Event
	}
	rows, err := db.r.QueryContext(ctx, "SELECT seq, kind, subject, actor, at, data FROM records WHERE seq < $1 AND kind IN ("+strings.Join(marks, ", ")+") ORDER BY seq DESC LIMIT $2", args...)
	found, err := collect(rows, err, func(s scanner) (r row, err error) {
		var at int64
		var data string
		if err := s.Scan(&r.seq, &r.Kind, &r.Subject, &r.Actor, &at, &data); err != nil {
			return r, err
		}
		r.At = fromMicros(at)
		r.Data, err = ledger.ParseData(data)
		return r, err
	})
	if err != nil {
		return nil, "", db.explain(fmt.Errorf("store: events: %w", err))
	}
	if len(found) > limit {
		found = found[:limit]
		next = strconv.FormatInt(found[limit-1].seq, 10)
	}
	for _, r := range found {
		out = append(out, r.Event)
	}
	return out, next, nil
}
