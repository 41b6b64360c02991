package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart"
)

// Traits that a case may have; those that end with a colon are followed by whom
// or what.
const (
	traitMinor = "minor"
	traitLate  = "late"
	traitHeard = "message" // a message of the person waits for an answer
	traitWith  = "with:"
	traitAt    = "at:"
)

// traits returns those of a case.
func (t *tx) traits(c *rempart.Case) ([]string, error) {
	with := ""
	if c.Assigned != nil {
		with = c.Assigned.StaffID
	}
	out := []string{traitWith + with}
	if c.Facts.Minor() {
		out = append(out, traitMinor)
	}
	if c.Late() {
		out = append(out, traitLate)
	}
	if len(c.Unanswered()) > 0 {
		out = append(out, traitHeard)
	}
	for _, s := range summary(c).Services {
		trait, err := t.db.serviceTrait(s)
		if err != nil {
			return nil, err
		}
		out = append(out, trait)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// serviceTrait is the trait of cases about a service, by its name or host as the
// queue shows it, in any case.
func (db *DB) serviceTrait(name string) (string, error) {
	hash, err := db.ring.Index("service", strings.ToLower(strings.TrimSpace(name)))
	return traitAt + hash, err
}

// saveTraits writes the traits of a case anew; was are those that are there, if
// its state and priority are as they were.
func (t *tx) saveTraits(c *rempart.Case, was []string) error {
	now, err := t.traits(c)
	if err != nil {
		return err
	}
	if was != nil && slices.Equal(was, now) {
		return nil
	}
	if _, err := t.exec("DELETE FROM case_traits WHERE case_id = $1", c.ID); err != nil {
		return fmt.Errorf("store: traits of case %s: %w", c.ID, err)
	}
	for _, trait := range now {
		if _, err := t.exec("INSERT INTO case_traits (trait, state, priority, opened_at, case_id) VALUES ($1, $2, $3, $4, $5)",
			trait, string(c.State), int64(c.Priority), micros(c.OpenedAt), c.ID); err != nil {
			return fmt.Errorf("store: traits of case %s: %w", c.ID, err)
		}
	}
	return nil
}

// traitOld gives the cases of an older version their traits, the terms that they
// can now be found by, and the summary that the queue now shows.
func (t *tx) traitOld() error {
	done, err := t.meta("traits", "")
	if err != nil || done != "" {
		return err
	}
	err = t.each("cases", func(id string) error {
		c, key, err := t.loadCase(id, "", decode)
		if err != nil {
			return err
		}
		sum, err := sealed(key, hide(c), "summary", id)
		if err != nil {
			return err
		}
		if _, err := t.exec("UPDATE cases SET summary = $1 WHERE id = $2", sum, id); err != nil {
			return fmt.Errorf("traits of case %s: %w", id, err)
		}
		if err := t.index(c, nil); err != nil {
			return err
		}
		return t.saveTraits(c, nil)
	})
	if err != nil {
		return fmt.Errorf("traits: %w", err)
	}
	return t.setMeta("traits", "1")
}

// wanted returns the traits that a filter asks for, the rarest kind first.
func (db *DB) wanted(q QueueFilter) (out []string, err error) {
	if q.With != "" {
		out = append(out, traitWith+q.With)
	}
	if q.Service != "" {
		trait, err := db.serviceTrait(q.Service)
		if err != nil {
			return nil, err
		}
		out = append(out, trait)
	}
	if q.Heard {
		out = append(out, traitHeard)
	}
	if q.Late {
		out = append(out, traitLate)
	}
	if q.Minor {
		out = append(out, traitMinor)
	}
	if q.Nobody {
		out = append(out, traitWith)
	}
	return out, nil
}

// hasTraits are the conditions that the case whose identifier is in a column has
// traits; arg takes a value and returns its place.
func hasTraits(column string, traits []string, arg func(any) string) (where string) {
	for _, trait := range traits {
		where += " AND EXISTS (SELECT 1 FROM case_traits x WHERE x.case_id = " + column + " AND x.trait = " + arg(trait) + ")"
	}
	return where
}

// Alike returns, for each of the cases, the references of other cases that are
// not closed, have none of the themes of not, and have an address or a fingerprint
// that is the same, at most 500 in all, each once and sorted.
func (db *DB) Alike(ctx context.Context, cases []string, not rempart.Themes) (map[string][]string, error) {
	if len(cases) == 0 {
		return nil, nil
	}
	args, marks := []any{int64(not)}, make([]string, len(cases))
	for i, id := range cases {
		args, marks[i] = append(args, id), "$"+strconv.Itoa(i+2)
	}
	// Each case by itself, so that one with many does not take the place of others.
	rows, err := db.r.QueryContext(ctx, `SELECT i.case_id, c.ref FROM case_index i JOIN case_index o ON o.hash = i.hash AND o.case_id <> i.case_id
		JOIN cases c ON c.id = o.case_id WHERE c.state <> 'closed' AND (c.themes & $1) = 0 AND i.case_id IN (`+strings.Join(marks, ", ")+") LIMIT 500", args...)
	found := map[string]map[string]bool{}
	_, err = collect(rows, err, func(s scanner) (_ bool, err error) {
		var id, ref string
		if err := s.Scan(&id, &ref); err != nil {
			return false, err
		}
		if found[id] == nil {
			found[id] = map[string]bool{}
		}
		found[id][ref] = true
		return true, nil
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: cases alike: %w", err))
	}
	out := map[string][]string{}
	for id, refs := range found {
		out[id] = slices.Sorted(maps.Keys(refs))
	}
	return out, nil
}

// Lookers returns who opened each of the cases at or after a time, by case, the
// last one first.
func (db *DB) Lookers(ctx context.Context, cases []string, from time.Time) (map[string][]rempart.Actor, error) {
	if len(cases) == 0 {
		return nil, nil
	}
	args, marks := []any{micros(from)}, make([]string, len(cases))
	for i, id := range cases {
		args, marks[i] = append(args, id), "$"+strconv.Itoa(i+2)
	}
	out := map[string][]rempart.Actor{}
	rows, err := db.r.QueryContext(ctx, "SELECT subject, actor FROM records WHERE subject IN ("+strings.Join(marks, ", ")+") AND kind = 'case.viewed' AND at >= $1 GROUP BY subject, actor ORDER BY max(at) DESC, actor", args...)
	_, err = collect(rows, err, func(s scanner) (_ bool, err error) {
		var id string
		var who rempart.Actor
		err = s.Scan(&id, &who)
		out[id] = append(out[id], who)
		return true, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: who looks: %w", err))
	}
	return out, nil
}
