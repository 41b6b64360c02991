package store

import (
	"context"
	"errors"
	"fmt"

	"rempart"
	"rempart/ledger"
)

// EraseIntake destroys the key of a notice received, and deletes it with its
// decisions, complaints, codes, tasks and jobs, as EraseCase does a case. What it
// counted for in returns and in its notifier's record of others stays.
func (db *DB) EraseIntake(ctx context.Context, id string, e rempart.Erasure) error {
	return db.erasing(ctx, func(t *tx) error { return t.eraseIntake(id, e) })
}

func (t *tx) eraseIntake(id string, e rempart.Erasure) error {
	var held int
	if err := t.row("SELECT held FROM intakes WHERE id = $1"+t.db.forUpdate, id).Scan(&held); err != nil {
		return missing(err, "intake")
	}
	i, _, err := t.db.readIntake(t.row("SELECT "+intakeColumns+" FROM intakes WHERE id = $1", id), decode)
	var broken *rempart.Error
	switch {
	case errors.As(err, &broken) && broken.Code == "case.erased": // its key is gone: delete the rest
		err = nil
		if held == 1 && e.Why != rempart.EraseRestored {
			err = (&rempart.Intake{Hold: &rempart.Hold{}}).MayErase(e)
		}
	case err == nil:
		err = i.MayErase(e)
	}
	if err != nil {
		return err
	}
	return t.wipe(id, e, ledger.KindIntakeErased, nil,
		"DELETE FROM sealed_keys WHERE owner = $1", // first: without it the rest is noise
		"DELETE FROM intake_index WHERE intake_id = $1",
		"DELETE FROM intake_tasks WHERE intake_id = $1",
		"DELETE FROM notifiers WHERE intake_id = $1",
		"DELETE FROM jobs WHERE subject = $1",
		"DELETE FROM intakes WHERE id = $1",
	)
}

// DueIntakes returns the identifiers of notices received whose time has passed and
// that are under no hold, at most limit, the oldest of each class first.
func (db *DB) DueIntakes(ctx context.Context, e rempart.Erasure, limit int) ([]string, error) {
	if err := db.classifyIntakes(ctx); err != nil {
		return nil, err
	}
	var out []string
	for _, class := range rempart.NoticeClasses {
		if e.Keep[class] <= 0 || len(out) >= limit {
			continue
		}
		rows, err := db.r.QueryContext(ctx, "SELECT id FROM intakes WHERE ended_at > 0 AND held = 0 AND kept = $1 AND ended_at <= $2 ORDER BY ended_at LIMIT $3",
			string(class), micros(e.At.Add(-max(e.Keep[class], rempart.MinNoticeRetention))), limit-len(out))
		ids, err := collect(rows, err, func(s scanner) (id string, err error) { return id, s.Scan(&id) })
		if err != nil {
			return nil, db.explain(fmt.Errorf("store: notices that are due: %w", err))
		}
		out = append(out, ids...)
	}
	return out, nil
}

// classifyIntakes notes the class of notices that an older version received.
func (db *DB) classifyIntakes(ctx context.Context) error {
	rows, err := db.r.QueryContext(ctx, "SELECT id FROM intakes WHERE kept = '' LIMIT 200")
	old, err := collect(rows, err, func(s scanner) (id string, err error) { return id, s.Scan(&id) })
	if err != nil {
		return db.explain(fmt.Errorf("store: notices without a class: %w", err))
	}
	for _, id := range old {
		err := db.write(ctx, func(t *tx) error {
			i, _, err := t.db.readIntake(t.row("SELECT "+intakeColumns+" FROM intakes WHERE id = $1"+t.db.forUpdate, id), decode)
			var broken *rempart.Error
			if errors.As(err, &broken) && broken.Code == "case.erased" { // never due; a restore erases the rest of it
				_, err = t.exec("UPDATE intakes SET kept = 'erased' WHERE id = $1", id)
				return err
			}
			if err != nil {
				return err
			}
			return t.keepIntake(i)
		})
		if err != nil && rempart.KindOf(err) != rempart.NotFound {
			return err
		}
	}
	return nil
}

// keepIntake notes for how long an intake is kept.
func (t *tx) keepIntake(i *rempart.Intake) error {
	if _, err := t.exec("UPDATE intakes SET kept = $1, ended_at = $2, held = $3 WHERE id = $4", string(i.RetentionClass()), micros(i.Ended()), number(i.Hold != nil), i.ID); err != nil {
		return fmt.Errorf("store: how long intake %s is kept: %w", i.ID, err)
	}
	return nil
}
