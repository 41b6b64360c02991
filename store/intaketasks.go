package store

import (
	"context"
	"fmt"
	"time"

	"rempart"
)

// placeIntake keeps what an intake is queued and found by: its open tasks, its
// addresses and its codes.
func (t *tx) placeIntake(i *rempart.Intake) error {
	if err := t.countIntake(i); err != nil {
		return err
	}
	if _, err := t.exec("DELETE FROM intake_tasks WHERE intake_id = $1", i.ID); err != nil {
		return fmt.Errorf("store: tasks of intake %s: %w", i.ID, err)
	}
	for kind, since := range i.Tasks() {
		if _, err := t.exec("INSERT INTO intake_tasks (intake_id, kind, opened_at) VALUES ($1, $2, $3)", i.ID, string(kind), micros(since)); err != nil {
			return fmt.Errorf("store: task of intake %s: %w", i.ID, err)
		}
	}
	for _, code := range i.Codes {
		if err := t.intakeTerm("code:"+code, i.ID); err != nil {
			return err
		}
	}
	for _, n := range i.Notice.Items {
		if n.Address == "" {
			continue
		}
		hash, err := t.db.ring.Index("intake address", n.Address)
		if err != nil {
			return err
		}
		if err := t.intakeTerm(hash, i.ID); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) intakeTerm(hash, id string) error {
	if _, err := t.exec("INSERT INTO intake_index (hash, intake_id) VALUES ($1, $2) ON CONFLICT (hash, intake_id) DO NOTHING", hash, id); err != nil {
		return fmt.Errorf("store: index of intake %s: %w", id, err)
	}
	return nil
}

// An IntakeTaskRow is one task and the intake it is about.
type IntakeTaskRow struct {
	Kind   rempart.IntakeTask
	Since  time.Time
	Intake *rempart.Intake
}

// IntakeTasks returns the open tasks, the oldest first, at most limit.
func (db *DB) IntakeTasks(ctx context.Context, limit int) ([]IntakeTaskRow, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT t.kind, t.opened_at, "+intakeColumns+" FROM intake_tasks t JOIN intakes ON intakes.id = t.intake_id ORDER BY t.opened_at, t.intake_id, t.kind LIMIT $1", pageSize(limit))
	out, err := collect(rows, err, func(s scanner) (r IntakeTaskRow, err error) {
		var since int64
		r.Intake, _, err = db.readIntake(prefixed{s, []any{&r.Kind, &since}}, decode)
		r.Since = fromMicros(since)
		return r, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: tasks of intakes: %w", err))
	}
	return out, nil
}

// CountIntakeTasks returns how many tasks are open.
func (db *DB) CountIntakeTasks(ctx context.Context) (n int, err error) {
	err = db.r.QueryRowContext(ctx, "SELECT count(*) FROM intake_tasks").Scan(&n)
	return n, db.explain(err)
}

// prefixed scans columns before those that are asked for.
type prefixed struct {
	scanner
	first []any
}

func (p prefixed) Scan(dest ...any) error { return p.scanner.Scan(append(p.first, dest...)...) }

// IntakesAt returns the intakes with an item at an exact address, as
// rempart.CleanAddress writes it, the newest first, at most limit.
func (db *DB) IntakesAt(ctx context.Context, address string, limit int) ([]*rempart.Intake, error) {
	hash, err := db.ring.Index("intake address", address)
	if err != nil {
		return nil, err
	}
	return db.intakesUnder(ctx, hash, limit)
}

// intakesUnder returns the intakes with a hash in their index, the newest first.
func (db *DB) intakesUnder(ctx context.Context, hash string, limit int) ([]*rempart.Intake, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT "+intakeColumns+" FROM intake_index x JOIN intakes ON intakes.id = x.intake_id WHERE x.hash = $1 ORDER BY intakes.received_at DESC, intakes.id DESC LIMIT $2", hash, pageSize(limit))
	out, err := collect(rows, err, func(s scanner) (*rempart.Intake, error) {
		i, _, err := db.readIntake(s, decode)
		return i, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: finding intakes: %w", err))
	}
	return out, nil
}

// IntakeByCode returns the intake that a code opens, by its hash
// (rempart.CaseCode.Hash).
func (db *DB) IntakeByCode(ctx context.Context, hash string) (*rempart.Intake, error) {
	found, err := db.intakesUnder(ctx, "code:"+hash, 1)
	if err == nil && len(found) == 0 {
		err = &rempart.Error{Kind: rempart.NotFound, Code: "intake.missing", Public: "There is no such notice."}
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}
