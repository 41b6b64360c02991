package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rempart"
)

// AddCases saves cases that are not in the store yet, with their consequences
// (but for the job of a qualification that was done), all of them or none: cases that come from elsewhere, without a report or a
// code. It takes their consequences, even if it fails.
func (db *DB) AddCases(ctx context.Context, cases []*rempart.Case) error {
	return db.write(ctx, func(t *tx) error {
		for _, c := range cases {
			if c.ID == "" || c.Ref == "" {
				return errors.New("store: a case without identifier or reference")
			}
			todo := c.TakeConsequences()
			todo.Jobs = slices.DeleteFunc(todo.Jobs, func(j rempart.Job) bool { return j.Kind == rempart.JobQualify && c.State != rempart.CaseNew })
			if len(todo.Events) == 0 {
				return fmt.Errorf("store: case %s: %w", c.ID, errNoEvent)
			}
			c.Version = 1
			key, err := t.newKey(boxCase, c.ID)
			if err != nil {
				return err
			}
			if err := t.insertCase(c, key, ""); err != nil {
				return err
			}
			if err := t.clocks(c, nil); err != nil {
				return err
			}
			if err := t.counted(lastOf(todo.Events, t.now), append(c.Tally().Since(nil), c.Happened(todo.Events)...)); err != nil {
				return err
			}
			if err := t.save(todo); err != nil {
				return err
			}
		}
		return nil
	})
}

// Analyze has PostgreSQL look at how its tables are filled, which it does of
// itself after a while. SQLite does without.
func (db *DB) Analyze(ctx context.Context) error {
	if db.lockRing == "" {
		return nil
	}
	if _, err := db.w.ExecContext(ctx, "VACUUM ANALYZE"); err != nil {
		return db.explain(fmt.Errorf("store: analyze: %w", err))
	}
	return nil
}
