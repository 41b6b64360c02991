package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"rempart"
)

// A SourceRow is a source and how far it has been read.
type SourceRow struct {
	Source     rempart.Source
	Status     rempart.SourceStatus
	Checkpoint string    // "" before the first page
	Running    bool      // it is read by itself
	DueAt      time.Time // when next, if it is
	HeldUntil  time.Time // a process reads it until then, if that is to come
}

// A SourceClaim is a source that this process reads until its lease ends.
type SourceClaim struct {
	SourceRow
	n int64
}

const sourceColumns = "doc, status, checkpoint, running, due_at, held_until"

func scanSource(s scanner) (r SourceRow, err error) {
	var doc, status []byte
	var running, due, held int64
	if err := s.Scan(&doc, &status, &r.Checkpoint, &running, &due, &held); err != nil {
		return r, err
	}
	r.Running, r.DueAt, r.HeldUntil = running == 1, fromMicros(due), fromMicros(held)
	return r, errors.Join(decode(doc, &r.Source), decode(status, &r.Status))
}

// PutSource creates a source, which is not read by itself yet, or changes one,
// and keeps how far it was read unless afresh. Credentials are sealed; nil keeps
// those there are.
func (db *DB) PutSource(ctx context.Context, s rempart.Source, cred *rempart.Credentials, afresh bool) error {
	doc, err := encode(s)
	if err != nil {
		return err
	}
	status, err := encode(rempart.SourceStatus{})
	if err != nil {
		return err
	}
	var sealed []byte
	if cred != nil {
		b, err := encode(cred)
		if err != nil {
			return err
		}
		if sealed, err = db.seal(b, s.ID()); err != nil {
			return err
		}
	}
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO sources (id, doc, credentials, status, checkpoint, running, due_at, held_until, claim) VALUES ($1, $2, $3, $4, '', 0, 0, 0, 0)
			ON CONFLICT (id) DO UPDATE SET doc = excluded.doc, credentials = coalesce(excluded.credentials, sources.credentials)`, s.Name, doc, sealed, status); err != nil {
			return fmt.Errorf("store: source %s: %w", s.Name, err)
		}
		if !afresh {
			return nil
		}
		// Who reads it meanwhile must not save the old place again.
		_, err := t.exec("UPDATE sources SET checkpoint = '', status = $2, held_until = 0, claim = claim + 1 WHERE id = $1", s.Name, status)
		return err
	})
}

// Source returns a source. One that is not there is a rempart.NotFound.
func (db *DB) Source(ctx context.Context, name string) (SourceRow, error) {
	r, err := scanSource(db.r.QueryRowContext(ctx, "SELECT "+sourceColumns+" FROM sources WHERE id = $1", name))
	return r, db.explain(missing(err, "source"))
}

// Sources returns all of them, by name.
func (db *DB) Sources(ctx context.Context) ([]SourceRow, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT "+sourceColumns+" FROM sources ORDER BY id")
	out, err := collect(rows, err, scanSource)
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: sources: %w", err))
	}
	return out, nil
}

// SourceCredentials returns what we present to a source; nothing if there is none.
func (db *DB) SourceCredentials(ctx context.Context, name string) (c rempart.Credentials, err error) {
	var sealed []byte
	if err := db.r.QueryRowContext(ctx, "SELECT credentials FROM sources WHERE id = $1", name).Scan(&sealed); err != nil {
		return c, db.explain(missing(err, "source"))
	}
	if sealed == nil {
		return c, nil
	}
	b, err := db.unseal(sealed, rempart.Source{Name: name}.ID())
	if err != nil {
		return c, fmt.Errorf("store: credentials for source %s: %w", name, err)
	}
	return c, decode(b, &c)
}

// RunSource lets a source be read by itself, from now on, or no more.
func (db *DB) RunSource(ctx context.Context, name string, run bool) error {
	return db.write(ctx, func(t *tx) error {
		on := 0
		if run {
			on = 1
		}
		n, err := t.exec("UPDATE sources SET running = $2, due_at = $3 WHERE id = $1", name, on, micros(t.now))
		if err == nil && n == 0 {
			return missing(sql.ErrNoRows, "source")
		}
		return err
	})
}

// ClaimSource takes a source that nobody reads, for lease: the one named, or with
// "" one that is due. ok is false if there is none.
func (db *DB) ClaimSource(ctx context.Context, name string, lease time.Duration) (c SourceClaim, ok bool, err error) {
	const due, named = "running = 1 AND due_at <= $1 AND held_until <= $1", "held_until <= $1 AND id = $2"
	where, args := due, []any{micros(db.now())}
	if name != "" {
		where, args = named, append(args, name)
	}
	var some bool // look before writing: most of the time there is nothing to do
	if err := db.r.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sources WHERE "+where+")", args...).Scan(&some); err != nil || !some {
		return c, false, db.explain(err)
	}
	err = db.write(ctx, func(t *tx) error {
		ok, args[0] = false, micros(t.now)
		var id string
		err := t.row("SELECT id, claim + 1 FROM sources WHERE "+where+" ORDER BY due_at, id LIMIT 1"+t.db.skipLocked, args...).Scan(&id, &c.n)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := t.exec("UPDATE sources SET claim = $2, held_until = $3 WHERE id = $1", id, c.n, micros(t.now)+lease.Microseconds()); err != nil {
			return err
		}
		c.SourceRow, err = scanSource(t.row("SELECT "+sourceColumns+" FROM sources WHERE id = $1", id))
		ok = err == nil
		return err
	})
	if err != nil {
		return c, false, fmt.Errorf("store: claiming a source: %w", err)
	}
	return c, ok, nil
}

var errSourceLost = &rempart.Error{Kind: rempart.Conflict, Code: "source.lost", Public: "This source is read by another process now, was changed, or is gone."}

func (t *tx) heldSource(c SourceClaim, set string, args ...any) error {
	n, err := t.exec("UPDATE sources SET "+set+" WHERE id = $1 AND claim = $2 AND held_until > $3", append([]any{c.Source.Name, c.n, micros(t.now)}, args...)...)
	if err == nil && n == 0 {
		return errSourceLost
	}
	return err
}

// HoldSource holds a source for lease from now. It is a rempart.Conflict if the
// lease ended, as are [DB.ApplySource] and [DB.EndSource].
func (db *DB) HoldSource(ctx context.Context, c SourceClaim, lease time.Duration) error {
	return db.write(ctx, func(t *tx) error {
		return t.heldSource(c, "held_until = $4", micros(t.now)+lease.Microseconds())
	})
}

// ApplySource saves what a page of a source says, the place behind it and what
// was counted, in one transaction, and holds the source for lease from now. It
// adds to the counts of status how many entered or changed, were withdrawn, and
// were so already. What a source withdrew and shares again is active again: it
// says what is so now. What a person decided here stands until the source
// withdraws. afresh says that the source no longer holds the place that was
// reached and begins again with this page: see [DB.SweepSource].
func (db *DB) ApplySource(ctx context.Context, c SourceClaim, records []rempart.SourceRecord, checkpoint string, afresh bool, status rempart.SourceStatus, lease time.Duration) (rempart.SourceStatus, error) {
	before := status
	err := db.write(ctx, func(t *tx) error {
		status = before
		if err := t.sweep(c.Source.ID(), afresh, func(yield func(string) bool) {
			for _, r := range records {
				if !r.Gone && !yield(r.ID) {
					return
				}
			}
		}); err != nil {
			return err
		}
		for _, r := range records {
			n, err := t.sourceEntry(c.Source.ID(), r)
			switch {
			case err != nil:
				return fmt.Errorf("store: source %s: %w", c.Source.Name, err)
			case n == 0:
				status.Same++
			case r.Gone:
				status.Removed++
			default:
				status.Added++
			}
		}
		doc, err := encode(status)
		if err != nil {
			return err
		}
		return t.heldSource(c, "checkpoint = $4, status = $5, held_until = $6", checkpoint, doc, micros(t.now)+lease.Microseconds())
	})
	return status, err
}

func (t *tx) sourceEntry(source string, r rempart.SourceRecord) (int64, error) {
	if r.Gone {
		return t.exec(`UPDATE entries SET state = 'withdrawn', since = $3, xid = `+t.db.xid+`, seq = `+t.db.nextChange+`
			WHERE peer_id = $1 AND id = $2 AND state <> 'withdrawn'`, source, r.ID, micros(t.now))
	}
	f := r.Fingerprint
	n, err := t.exec(`INSERT INTO entries (peer_id, id, list, type, value, quality, state, case_id, case_ref, item_id, since, form, xid, seq)
		VALUES ($1, $2, $3, $4, $5, $6, 'active', '', '', '', $7, $8, `+t.db.xid+`, `+t.db.nextChange+`)
		ON CONFLICT (peer_id, id) DO UPDATE SET list = excluded.list, type = excluded.type, value = excluded.value, quality = excluded.quality,
			state = excluded.state, since = excluded.since, form = excluded.form, xid = excluded.xid, seq = excluded.seq
		WHERE (entries.list, entries.type, entries.value, entries.quality, entries.state, entries.form)
			<> (excluded.list, excluded.type, excluded.value, excluded.quality, excluded.state, excluded.form)
			AND entries.state IN ('active', 'withdrawn')`,
		source, r.ID, r.List, string(f.Type), f.Value, f.Quality, micros(t.now), string(f.Form))
	if err == nil && n > 0 {
		err = t.heldByTask(source, rempart.Entry{ID: r.ID, List: r.List, Fingerprint: f})
	}
	return n, err
}

// EndSource gives a source back until it is due again.
func (db *DB) EndSource(ctx context.Context, c SourceClaim, status rempart.SourceStatus, due time.Time, events ...rempart.Event) error {
	doc, err := encode(status)
	if err != nil {
		return err
	}
	return db.write(ctx, func(t *tx) error {
		if err := t.heldSource(c, "status = $4, due_at = $5, held_until = 0", doc, micros(due)); err != nil {
			return err
		}
		return t.save(rempart.Consequences{Events: events})
	})
}

// SourceEntries returns active entries of a source, rising by identifier, after
// one of them.
func (db *DB) SourceEntries(ctx context.Context, source, after string, limit int) ([]rempart.SourceRecord, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT id, list, type, value, quality, form FROM entries WHERE peer_id = $1 AND id > $2 AND state = 'active' ORDER BY id LIMIT $3", source, after, limit)
	out, err := collect(rows, err, func(s scanner) (r rempart.SourceRecord, err error) {
		f := &r.Fingerprint
		return r, s.Scan(&r.ID, &r.List, &f.Type, &f.Value, &f.Quality, &f.Form)
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: entries of %s: %w", source, err))
	}
	return out, nil
}

// CountSource returns how many active entries there are of a source.
func (db *DB) CountSource(ctx context.Context, source string) (n int, err error) {
	err = db.r.QueryRowContext(ctx, "SELECT count(*) FROM entries WHERE peer_id = $1 AND state = 'active'", source).Scan(&n)
	return n, db.explain(err)
}

// EmptySource withdraws up to limit entries of a source and returns how many they
// were.
func (db *DB) EmptySource(ctx context.Context, source string, limit int) (n int, err error) {
	gone, err := db.SourceEntries(ctx, source, "", limit)
	if err != nil || len(gone) == 0 {
		return 0, err
	}
	return len(gone), db.write(ctx, func(t *tx) error {
		for _, r := range gone {
			if _, err := t.sourceEntry(source, rempart.SourceRecord{ID: r.ID, Gone: true}); err != nil {
				return fmt.Errorf("store: emptying %s: %w", source, err)
			}
		}
		return nil
	})
}

// RemoveSource forgets a source. Its entries stay as they are.
func (db *DB) RemoveSource(ctx context.Context, name string) error {
	return db.write(ctx, func(t *tx) error {
		n, err := t.exec("DELETE FROM sources WHERE id = $1", name)
		if err == nil && n == 0 {
			return missing(sql.ErrNoRows, "source")
		}
		if err != nil {
			return err
		}
		return t.forgetSweep(rempart.Source{Name: name}.ID())
	})
}
