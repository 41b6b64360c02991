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

// Partners' protocols go by seconds, where ours goes by places in the change
// table. A second is given to changes when somebody first asks, in commit order,
// and no change is ever given one that was answered for before: so a reader who
// keeps a second as its place misses nothing, whatever commits late, whoever's
// clock is wrong and however many processes answer.

// perSecond is the most changes that are given one second, while there are free
// seconds: a reader that breaks off begins its last one again.
const perSecond = 2000

// A Dated is an entry that may be shared, and the second of its last change.
type Dated struct {
	Num    uint64
	Second int64 // Unix
	Entry  rempart.Entry
	place  spot
}

// A spot is where a change is.
type spot struct{ xid, seq int64 }

// Before the first place is (-1, 0); (-1, 1) stands for all that was before an
// upgrade or a new epoch.
var beginning = spot{-1, 0}

// A Since says which changes a partner asks for.
type Since struct {
	From, To int64                     // seconds, both included; To 0 is no end
	Token    string                    // that of the page before, "" for the first
	Types    []rempart.FingerprintType // that its protocol can carry
	Lists    []string                  // that it may read
	Limit    int
}

// A Page is what was found.
type Page struct {
	Entries []Dated
	Token   string // for the next page; "" if this is the last
}

// Settle gives seconds to the changes that have none, and returns the last one
// that is complete: no later change will be of it.
func (db *DB) Settle(ctx context.Context) (int64, error) {
	now := db.now().Unix()
	var until int64
	err := db.r.QueryRowContext(ctx, "SELECT until FROM change_seconds ORDER BY at DESC LIMIT 1").Scan(&until)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, db.explain(fmt.Errorf("store: seconds: %w", err))
	}
	if until == now {
		return until, nil // what was committed meanwhile waits for the next second
	}
	err = db.write(ctx, func(t *tx) (err error) {
		until, err = t.settle(now)
		return err
	})
	return until, err
}

// clockSlack is how far the clocks of two processes may differ, in seconds,
// before one of them counts as set back. While it is, seconds run ahead of it by
// as many as there are moments with something new, so that a withdrawal does not
// wait until the clock has caught up.
const clockSlack = 5

func (t *tx) settle(now int64) (int64, error) {
	if t.db.lockSeconds != "" {
		if _, err := t.exec(t.db.lockSeconds); err != nil {
			return 0, fmt.Errorf("store: waiting for the seconds: %w", err)
		}
	}
	var at, until int64
	last := beginning
	err := t.row("SELECT at, until, xid, seq FROM change_seconds ORDER BY at DESC LIMIT 1").Scan(&at, &until, &last.xid, &last.seq)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("store: seconds: %w", err)
	}
	if now <= until && until-now <= clockSlack {
		return until, nil
	}
	var end spot
	err = t.row("SELECT xid, seq FROM entries WHERE (xid, seq) > ($1, $2) AND "+t.db.settled+" ORDER BY xid DESC, seq DESC LIMIT 1", last.xid, last.seq).Scan(&end.xid, &end.seq)
	if errors.Is(err, sql.ErrNoRows) {
		return t.extend(now, at, until, last)
	}
	if err != nil {
		return 0, fmt.Errorf("store: the last change: %w", err)
	}
	var n int64
	if err := t.row("SELECT count(*) FROM entries WHERE (xid, seq) > ($1, $2) AND (xid, seq) <= ($3, $4)", last.xid, last.seq, end.xid, end.seq).Scan(&n); err != nil {
		return 0, fmt.Errorf("store: counting changes: %w", err)
	}
	second := max(now, until+1)
	parts := (n + perSecond - 1) / perSecond
	if at > 0 {
		parts = min(parts, second-until) // as many as nobody was answered for
	}
	size := max((n+parts-1)/max(parts, 1), 1)
	parts = (n + size - 1) / size
	// Entries may move on while this runs, never come: fewer than n are divided.
	if _, err := t.exec(`INSERT INTO change_seconds (at, until, xid, seq)
		SELECT CAST($1 AS BIGINT) + k / $2, CAST($1 AS BIGINT) + k / $2, xid, seq
		FROM (SELECT xid, seq, row_number() OVER (ORDER BY xid, seq) AS k FROM entries WHERE (xid, seq) > ($3, $4) AND (xid, seq) <= ($5, $6)) AS new
		WHERE k % $2 = 0 AND k < $7`, second-parts, size, last.xid, last.seq, end.xid, end.seq, n); err != nil {
		return 0, fmt.Errorf("store: seconds of changes: %w", err)
	}
	if _, err := t.exec("INSERT INTO change_seconds (at, until, xid, seq) VALUES ($1, $1, $2, $3)", second, end.xid, end.seq); err != nil {
		return 0, fmt.Errorf("store: second of the last change: %w", err)
	}
	return second, nil
}

// extend tells that nothing changed up to now.
func (t *tx) extend(now, at, until int64, last spot) (int64, error) {
	if now <= until {
		return until, nil
	}
	query, args := "UPDATE change_seconds SET until = $1 WHERE at = $2", []any{now, at}
	if at == 0 {
		query, args = "INSERT INTO change_seconds (at, until, xid, seq) VALUES ($1, $1, $2, $3)", []any{now, last.xid, last.seq}
	}
	if _, err := t.exec(query, args...); err != nil {
		return 0, fmt.Errorf("store: seconds: %w", err)
	}
	return now, nil
}

// ChangesSince returns our own entries that changed in some seconds, which
// [DB.Settle] has given them, in commit order: those that are active, and those
// that were withdrawn, if the reader may have had them. An entry that changes
// while its pages are read comes again, in a later second.
func (db *DB) ChangesSince(ctx context.Context, s Since) (Page, error) {
	from, err := db.secondPlace(ctx, s.From-1)
	if err != nil {
		return Page{}, err
	}
	had, err := db.secondPlace(ctx, s.From)
	if err != nil {
		return Page{}, err
	}
	end := spot{1<<63 - 1, 1<<63 - 1}
	if s.To > 0 {
		if end, err = db.secondPlace(ctx, s.To); err != nil {
			return Page{}, err
		}
	} else if end, err = db.secondPlace(ctx, 1<<62); err != nil {
		return Page{}, err
	}
	if s.Token != "" {
		at, err := db.parsePageToken(s.Token)
		if err != nil {
			return Page{}, err
		}
		if at.after(from) {
			from = at
		}
		if at.after(had) {
			had = at
		}
	}
	if s.Limit <= 0 || len(s.Types) == 0 || len(s.Lists) == 0 {
		return Page{}, nil
	}
	args := []any{from.xid, from.seq, end.xid, end.seq, had.xid, had.seq, s.Limit + 1}
	rows, err := db.r.QueryContext(ctx, `SELECT num, id, list, type, value, quality, `+effectiveState+`, case_ref, item_id, `+effectiveSince+`, form, xid, seq FROM entries
		WHERE (xid, seq) > ($1, $2) AND (xid, seq) <= ($3, $4) AND peer_id = ''
			AND (state = 'active' AND held = '' OR state IN ('active', 'withdrawn') AND (first_xid, first_seq) <= ($5, $6))
			AND type IN (`+holders(len(args), len(s.Types))+`) AND list IN (`+holders(len(args)+len(s.Types), len(s.Lists))+`)
		ORDER BY xid, seq LIMIT $7`, append(append(args, anys(s.Types)...), anys(s.Lists)...)...)
	all, err := collect(rows, err, scanDated)
	if err != nil {
		return Page{}, db.explain(fmt.Errorf("store: changes by second: %w", err))
	}
	var p Page
	if len(all) > s.Limit {
		all = all[:s.Limit]
		at := all[len(all)-1].place
		p.Token = db.era + "-" + strconv.FormatInt(at.xid, 10) + "-" + strconv.FormatInt(at.seq, 10)
	}
	p.Entries = all
	return p, db.date(ctx, all)
}

// CountSince returns how many entries ChangesSince would give for s in all,
// whatever its token and limit.
func (db *DB) CountSince(ctx context.Context, s Since) (n int, err error) {
	from, err := db.secondPlace(ctx, s.From-1)
	if err != nil {
		return 0, err
	}
	end, err := db.secondPlace(ctx, s.To)
	if err != nil || len(s.Types) == 0 || len(s.Lists) == 0 {
		return 0, err
	}
	args := []any{from.xid, from.seq, end.xid, end.seq}
	err = db.r.QueryRowContext(ctx, `SELECT count(*) FROM entries WHERE (xid, seq) > ($1, $2) AND (xid, seq) <= ($3, $4) AND peer_id = '' AND state IN ('active', 'withdrawn') AND first_xid IS NOT NULL
		AND type IN (`+holders(len(args), len(s.Types))+`) AND list IN (`+holders(len(args)+len(s.Types), len(s.Lists))+`)`,
		append(append(args, anys(s.Types)...), anys(s.Lists)...)...).Scan(&n)
	if err != nil {
		return 0, db.explain(fmt.Errorf("store: counting changes by second: %w", err))
	}
	return n, nil
}

// SameValue returns every entry of ours, active or withdrawn after it was, that
// has the type and value of one of prints, in some lists.
func (db *DB) SameValue(ctx context.Context, prints []rempart.Fingerprint, lists []string) ([]rempart.Entry, error) {
	var out []rempart.Entry
	for len(prints) > 0 && len(lists) > 0 {
		some := prints[:min(len(prints), 200)]
		prints = prints[len(some):]
		var values []string
		for _, f := range some {
			values = append(values, f.Value)
		}
		rows, err := db.r.QueryContext(ctx, `SELECT num, id, list, type, value, quality, `+effectiveState+`, case_ref, item_id, `+effectiveSince+`, form, xid, seq FROM entries
			WHERE type <> 'vpdq' AND type IN ('sha256', 'md5', 'pdq') AND value IN (`+holders(0, len(values))+`) AND list IN (`+holders(len(values), len(lists))+`)
				AND peer_id = '' AND state IN ('active', 'withdrawn') AND first_xid IS NOT NULL ORDER BY xid, seq`, append(anys(values), anys(lists)...)...)
		found, err := collect(rows, err, scanDated)
		if err != nil {
			return nil, db.explain(fmt.Errorf("store: entries by value: %w", err))
		}
		for _, d := range found {
			out = append(out, d.Entry)
		}
	}
	return out, nil
}

func scanDated(s scanner) (d Dated, err error) {
	var since int64
	e := &d.Entry
	err = s.Scan(&d.Num, &e.ID, &e.List, &e.Fingerprint.Type, &e.Fingerprint.Value, &e.Fingerprint.Quality, &e.State, &e.CaseRef, &e.ItemID, &since, &e.Fingerprint.Form, &d.place.xid, &d.place.seq)
	e.Since = fromMicros(since)
	return d, err
}

// date gives entries, which are in order, their seconds.
func (db *DB) date(ctx context.Context, all []Dated) error {
	if len(all) == 0 {
		return nil
	}
	first := all[0].place
	type second struct {
		at int64
		spot
	}
	rows, err := db.r.QueryContext(ctx, "SELECT at, xid, seq FROM change_seconds WHERE (xid, seq) >= ($1, $2) ORDER BY at LIMIT $3", first.xid, first.seq, len(all))
	seconds, err := collect(rows, err, func(s scanner) (x second, err error) { return x, s.Scan(&x.at, &x.xid, &x.seq) })
	if err != nil {
		return db.explain(fmt.Errorf("store: seconds: %w", err))
	}
	k := 0
	for i := range all {
		for k < len(seconds) && all[i].place.after(seconds[k].spot) {
			k++
		}
		if k == len(seconds) {
			return errors.New("store: a change without a second")
		}
		all[i].Second = seconds[k].at
	}
	return nil
}

func (p spot) after(q spot) bool { return p.xid > q.xid || p.xid == q.xid && p.seq > q.seq }

// newSeconds begins a new epoch: everything is given a second again, later than
// all those before, and who read in one of those may have had all of it.
func (t *tx) newSeconds() error {
	if _, err := t.exec("UPDATE entries SET first_xid = -1, first_seq = 1 WHERE first_xid IS NOT NULL"); err != nil {
		return fmt.Errorf("moving where entries were first active: %w", err)
	}
	if _, err := t.exec("UPDATE copy_readers SET entered_xid = -1, entered_seq = 0"); err != nil {
		return fmt.Errorf("readers of copies: %w", err)
	}
	if _, err := t.exec("DELETE FROM feed_readers"); err != nil {
		return fmt.Errorf("readers of the feed: %w", err)
	}
	var at, until int64
	if err := t.row("SELECT coalesce(min(at), 0), coalesce(max(until), 0) FROM change_seconds").Scan(&at, &until); err != nil {
		return fmt.Errorf("seconds of changes: %w", err)
	}
	if _, err := t.exec("DELETE FROM change_seconds"); err != nil || at == 0 {
		return err
	}
	_, err := t.exec("INSERT INTO change_seconds (at, until, xid, seq) VALUES ($1, $2, -1, 1)", at, until)
	return err
}

// secondPlace returns the place of the last change of a second, or of the one
// before it that has any.
func (db *DB) secondPlace(ctx context.Context, at int64) (p spot, err error) {
	err = db.r.QueryRowContext(ctx, "SELECT xid, seq FROM change_seconds WHERE at <= $1 ORDER BY at DESC LIMIT 1", at).Scan(&p.xid, &p.seq)
	if errors.Is(err, sql.ErrNoRows) {
		return beginning, nil
	}
	if err != nil {
		return p, db.explain(fmt.Errorf("store: place of a second: %w", err))
	}
	return p, nil
}

// parsePageToken reads a token of ChangesSince. One of another epoch begins
// again, for which reading twice is harmless.
func (db *DB) parsePageToken(s string) (spot, error) {
	xid, seq, err := db.parseCursor(s)
	if err != nil {
		return spot{}, &rempart.Error{Kind: rempart.Invalid, Field: "token", Code: "page.token", Public: "This page token is not one we gave. Begin again without one."}
	}
	return spot{xid, seq}, nil
}

// holders writes n placeholders behind the first used ones.
func holders(used, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(used+i+1))
	}
	return b.String()
}

func anys[T ~string](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}
