package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart"
)

// policySubject is what events of the policy are about.
const policySubject = "clock-policy"

// A policy is a version as it is used: with its calendar.
type policy struct {
	rempart.ClockPolicy
	cal rempart.Calendar
}

// SaveClockPolicy saves terms as a new version, and returns its number. was is
// the version that whoever changed it saw (0: none); if it is not the newest,
// it is a rempart.Conflict.
func (db *DB) SaveClockPolicy(ctx context.Context, p rempart.ClockPolicy, was int) (version int, err error) {
	if err := p.Check(); err != nil {
		return 0, err
	}
	if _, err := time.LoadLocation(p.Zone); err != nil || p.Zone == "" {
		return 0, &rempart.Error{Kind: rempart.Invalid, Field: "zone", Code: "policy.zone", Public: "There is no such time zone.", Err: err}
	}
	err = db.write(ctx, func(t *tx) error {
		newest, err := t.policyVersion()
		if err != nil {
			return err
		}
		if newest != was {
			return &rempart.Error{Kind: rempart.Conflict, Code: "policy.changed", Public: "Somebody changed these delays meanwhile. Look at them again, then send yours."}
		}
		version = newest + 1
		p.Version, p.At = version, t.now
		doc, err := encode(p)
		if err != nil {
			return err
		}
		n, err := t.exec("INSERT INTO clock_policies (version, doc) VALUES ($1, $2) ON CONFLICT (version) DO NOTHING", version, doc)
		if err != nil {
			return fmt.Errorf("store: clock policy %d: %w", version, err)
		}
		if n == 0 {
			return &rempart.Error{Kind: rempart.Conflict, Code: "policy.changed", Public: "Somebody changed these delays meanwhile. Look at them again, then send yours."}
		}
		if was == 0 { // the defaults, which nobody chose
			return nil
		}
		return t.event(rempart.Event{Kind: "clock_policy.changed", Subject: policySubject, Actor: p.By, At: t.now,
			Data: map[string]string{"version": strconv.Itoa(version), "pack": p.Pack}})
	})
	return version, err
}

// ClockPolicy returns the policy that clocks start with now, and its calendar. A
// store without one (Version 0) starts no clocks; its calendar has no holidays
// and is in UTC.
func (db *DB) ClockPolicy(ctx context.Context) (rempart.ClockPolicy, rempart.Calendar, error) {
	p, err := db.currentPolicy(func(query string, args ...any) *sql.Row { return db.r.QueryRowContext(ctx, query, args...) })
	if err != nil {
		return rempart.ClockPolicy{}, rempart.Calendar{}, db.explain(err)
	}
	return p.ClockPolicy, p.cal, nil
}

// ClockPolicies returns every version, newest first.
func (db *DB) ClockPolicies(ctx context.Context) ([]rempart.ClockPolicy, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT doc FROM clock_policies ORDER BY version DESC")
	out, err := collect(rows, err, func(s scanner) (p rempart.ClockPolicy, err error) {
		var doc []byte
		if err := s.Scan(&doc); err != nil {
			return p, err
		}
		return p, decode(doc, &p)
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: clock policies: %w", err))
	}
	return out, nil
}

func (t *tx) policyVersion() (v int, err error) {
	if err := t.row("SELECT coalesce(max(version), 0) FROM clock_policies").Scan(&v); err != nil {
		return 0, fmt.Errorf("store: clock policy: %w", err)
	}
	return v, nil
}

// currentPolicy returns the newest policy. A version never changes, so the last
// one read is kept.
func (db *DB) currentPolicy(row func(query string, args ...any) *sql.Row) (*policy, error) {
	var v int
	if err := row("SELECT coalesce(max(version), 0) FROM clock_policies").Scan(&v); err != nil {
		return nil, fmt.Errorf("store: clock policy: %w", err)
	}
	if p := db.policy.Load(); p != nil && p.Version == v {
		return p, nil
	}
	p := &policy{cal: rempart.Calendar{Zone: time.UTC}}
	if v > 0 {
		var doc []byte
		if err := row("SELECT doc FROM clock_policies WHERE version = $1", v).Scan(&doc); err != nil {
			return nil, fmt.Errorf("store: clock policy %d: %w", v, err)
		}
		if err := decode(doc, &p.ClockPolicy); err != nil {
			return nil, fmt.Errorf("store: clock policy %d: %w", v, err)
		}
		zone, err := time.LoadLocation(p.Zone)
		if err != nil {
			return nil, fmt.Errorf("store: clock policy %d: %w", v, err)
		}
		p.cal = p.Calendar(zone)
	}
	db.policy.Store(p)
	return p, nil
}

// wind gives a case the clocks that it ought to have now.
func (t *tx) wind(c *rempart.Case) error {
	p, err := t.db.currentPolicy(t.row)
	if err != nil {
		return err
	}
	if p.Version > 0 {
		c.Wind(&p.ClockPolicy, p.cal, rempart.ActorSystem, t.now)
	}
	return nil
}

// clocks brings the table to what the case has; before are its clocks as they
// were, encoded.
func (t *tx) clocks(c *rempart.Case, before []byte) error {
	after, err := encode(c.Clocks)
	if err != nil {
		return err
	}
	if bytes.Equal(before, after) {
		return nil
	}
	nearest := -1
	for i := range c.Clocks {
		if k := &c.Clocks[i]; k.Live() && (nearest < 0 || sooner(k, &c.Clocks[nearest])) {
			nearest = i
		}
	}
	for i := range c.Clocks {
		k := &c.Clocks[i]
		if _, err := t.exec(`INSERT INTO clocks (id, case_id, await, notice_id, basis, state, live, nearest, round, task, due_at, next_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (id) DO UPDATE SET basis = excluded.basis, state = excluded.state, live = excluded.live, nearest = excluded.nearest,
			round = excluded.round, task = excluded.task, due_at = excluded.due_at, next_at = excluded.next_at`,
			k.ID, c.ID, string(k.Await), k.NoticeID, string(k.Basis), string(k.State), number(k.Live()), number(i == nearest), k.Round,
			string(k.Task), micros(k.DueAt), micros(k.Next())); err != nil {
			return fmt.Errorf("store: clock %s: %w", k.ID, err)
		}
	}
	return nil
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// sooner tells whether a ends before b; one that is paused ends after all that
// run.
func sooner(a, b *rempart.Clock) bool {
	if pa, pb := a.State == rempart.ClockPaused, b.State == rempart.ClockPaused; pa != pb {
		return pb
	}
	return a.DueAt.Before(b.DueAt)
}

// DueClocks returns up to n cases that have a clock with something to do by now,
// the longest due first.
func (db *DB) DueClocks(ctx context.Context, n int) ([]string, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT case_id FROM clocks WHERE next_at > 0 AND next_at <= $1 GROUP BY case_id ORDER BY min(next_at), case_id LIMIT $2", micros(db.now()), n)
	out, err := collect(rows, err, func(s scanner) (id string, err error) { return id, s.Scan(&id) })
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: clocks that are due: %w", err))
	}
	return out, nil
}

// DropClocks forgets the clocks of a case that can no longer be read.
func (db *DB) DropClocks(ctx context.Context, caseID string) error {
	return db.write(ctx, func(t *tx) error {
		was, err := t.clockTally(caseID)
		if err != nil {
			return err
		}
		if err := t.saveTally(caseID, was, nil); err != nil {
			return err
		}
		if _, err := t.exec("DELETE FROM clocks WHERE case_id = $1", caseID); err != nil {
			return fmt.Errorf("store: dropping the clocks of case %s: %w", caseID, err)
		}
		return nil
	})
}

// A ClockRow is what lists show of a clock.
type ClockRow struct {
	ID, CaseID, Ref string
	Minor           bool
	Await           rempart.Await
	NoticeID        string
	Basis           rempart.Basis
	State           rempart.ClockState
	Live            bool
	Round           int
	Task            rempart.TaskKind
	DueAt           time.Time
}

// A ClockFilter selects clocks. Zero values select everything.
type ClockFilter struct {
	From, To time.Time      // due from, and before
	Live     bool           // only those that still wait for something
	AtRisk   bool           // only live ones whose end is near or past
	Nearest  bool           // only the next one of each case
	Not      rempart.Themes // themes that none of their cases has
	Limit    int            // default 500, at most 2000
}

const clockCols = "k.id, k.case_id, c.ref, c.minor, k.await, k.notice_id, k.basis, k.state, k.live, k.round, k.task, k.due_at"

func scanClock(s scanner) (r ClockRow, err error) {
	var due int64
	err = s.Scan(&r.ID, &r.CaseID, &r.Ref, &r.Minor, &r.Await, &r.NoticeID, &r.Basis, &r.State, &r.Live, &r.Round, &r.Task, &due)
	r.DueAt = fromMicros(due)
	return r, err
}

// Clocks returns clocks by when they are due, and whether there are more than
// the limit.
func (db *DB) Clocks(ctx context.Context, f ClockFilter) (rows []ClockRow, more bool, err error) {
	limit := 500
	if f.Limit > 0 {
		limit = min(f.Limit, 2000)
	}
	where, args := []string{"0 = 0"}, []any{}
	arg := func(cond string, v any) {
		args = append(args, v)
		where = append(where, cond+strconv.Itoa(len(args)))
	}
	if !f.From.IsZero() {
		arg("k.due_at >= $", micros(f.From))
	}
	if !f.To.IsZero() {
		arg("k.due_at < $", micros(f.To))
	}
	if f.Live {
		where = append(where, "k.live = 1")
	}
	if f.AtRisk {
		where = append(where, "k.live = 1 AND k.state IN ('warned', 'missed', 'escalated')")
	}
	if f.Nearest {
		where = append(where, "k.nearest = 1")
	}
	if f.Not != 0 {
		arg("(c.themes & $", int64(f.Not))
		where[len(where)-1] += ") = 0"
	}
	args = append(args, limit+1)
	found, err := db.r.QueryContext(ctx, "SELECT "+clockCols+" FROM clocks k JOIN cases c ON c.id = k.case_id WHERE "+strings.Join(where, " AND ")+
		" ORDER BY k.due_at, k.id LIMIT $"+strconv.Itoa(len(args)), args...)
	if rows, err = collect(found, err, scanClock); err != nil {
		return nil, false, db.explain(fmt.Errorf("store: clocks: %w", err))
	}
	if len(rows) > limit {
		return rows[:limit], true, nil
	}
	return rows, false, nil
}

// ClocksAtRisk returns how many live clocks are in each of the states warned,
// missed and escalated.
func (db *DB) ClocksAtRisk(ctx context.Context) (map[rempart.ClockState]int, error) {
	out := map[rempart.ClockState]int{}
	rows, err := db.r.QueryContext(ctx, "SELECT state, count(*) FROM clocks WHERE live = 1 AND state IN ('warned', 'missed', 'escalated') GROUP BY state")
	_, err = collect(rows, err, func(s scanner) (_ int, err error) {
		var state rempart.ClockState
		var n int
		err = s.Scan(&state, &n)
		out[state] = n
		return n, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: clocks at risk: %w", err))
	}
	return out, nil
}

// NearestClocks returns, for each of the cases that has a live clock, the one
// that ends first.
func (db *DB) NearestClocks(ctx context.Context, cases []string) (map[string]ClockRow, error) {
	out := map[string]ClockRow{}
	if len(cases) == 0 {
		return out, nil
	}
	args := make([]any, len(cases))
	marks := make([]string, len(cases))
	for i, id := range cases {
		args[i], marks[i] = id, "$"+strconv.Itoa(i+1)
	}
	rows, err := db.r.QueryContext(ctx, "SELECT "+clockCols+" FROM clocks k JOIN cases c ON c.id = k.case_id WHERE k.nearest = 1 AND k.case_id IN ("+strings.Join(marks, ", ")+")", args...)
	all, err := collect(rows, err, scanClock)
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: next clocks: %w", err))
	}
	for _, r := range all {
		out[r.CaseID] = r
	}
	return out, nil
}

// fewCases is how many cases with a trait are sorted by their clocks, rather than
// sought among the clocks of all cases in their order: of an analyst's two hundred
// among a hundred thousand, none may be near the first of those.
const fewCases = 500

// fewest returns which of the traits at most db.few cases in the states have, the
// rarest, or -1.
func (db *DB) fewest(ctx context.Context, traits []string, states []rempart.CaseState) (lead int, err error) {
	lead = -1
	least := db.few + 1
	for i, trait := range traits {
		args := []any{trait, least}
		in := ""
		if len(states) > 0 {
			var marks []string
			for _, s := range unique(words(states)) {
				args = append(args, s)
				marks = append(marks, "$"+strconv.Itoa(len(args)))
			}
			in = " AND state IN (" + strings.Join(marks, ", ") + ")"
		}
		var n int
		if err := db.r.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM case_traits WHERE trait = $1"+in+" LIMIT $2) AS part", args...).Scan(&n); err != nil {
			return -1, db.explain(fmt.Errorf("store: queue by clock: %w", err))
		}
		if n < least {
			lead, least = i, n
		}
	}
	return lead, nil
}

// QueueByClock returns cases by when their next clock ends, and the cursor of the
// next page ("" when there is none). Cases without a live clock are not in it.
func (db *DB) QueueByClock(ctx context.Context, q QueueFilter) (rows []CaseRow, next string, err error) {
	limit := pageSize(q.Limit)
	at, err := parsePlace(q.After)
	if err != nil {
		return nil, "", err
	}
	args := []any{at.micros, at.id, limit + 1}
	state := ""
	if len(q.States) > 0 {
		var marks []string
		for _, s := range unique(words(q.States)) {
			args = append(args, s)
			marks = append(marks, "$"+strconv.Itoa(len(args)))
		}
		state = " AND c.state IN (" + strings.Join(marks, ", ") + ")"
	}
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	traits, err := db.wanted(q)
	if err != nil {
		return nil, "", err
	}
	lead, err := db.fewest(ctx, traits, q.States)
	if err != nil {
		return nil, "", err
	}
	from := "clocks k CROSS JOIN cases c WHERE c.id = k.case_id" // CROSS: SQLite reads them in this order
	if lead >= 0 {
		from = "case_traits l CROSS JOIN clocks k CROSS JOIN cases c WHERE l.trait = " + arg(traits[lead]) + " AND k.case_id = l.case_id AND c.id = l.case_id"
		traits = slices.Delete(traits, lead, lead+1)
	}
	where := state + hasTraits("k.case_id", traits, arg)
	if q.Not != 0 {
		where += notThemes("c.themes", q.Not, arg)
	}
	if q.Priority > 0 {
		where += " AND c.priority = " + arg(int64(q.Priority))
	}
	type keyed struct {
		CaseRow
		due int64
		id  string
	}
	found, err := db.r.QueryContext(ctx, "SELECT "+queueCols("c.")+", k.due_at, k.id FROM "+from+" AND k.nearest = 1 AND (k.due_at, k.id) > ($1, $2)"+where+
		" ORDER BY k.due_at, k.id LIMIT $3", args...)
	all, err := collect(found, err, func(s scanner) (r keyed, err error) {
		r.CaseRow, err = db.scanCaseRow(s, &r.due, &r.id)
		return r, err
	})
	if err != nil {
		return nil, "", db.explain(fmt.Errorf("store: queue by clock: %w", err))
	}
	for i, r := range all {
		if i == limit {
			last := all[limit-1]
			return rows, place{0, last.due, last.id}.String(), nil
		}
		rows = append(rows, r.CaseRow)
	}
	return rows, "", nil
}
