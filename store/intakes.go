package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"rempart"
	"rempart/keyring"
)

// CreateIntake saves an intake and its consequences. If the peer has already
// sent this notice under i.Key, it saves nothing and returns the one saved then;
// another notice under that key is a rempart.Conflict, as nobody must think that
// it was received. Only a hash of the key is kept: an intake that is read later has none.
func (db *DB) CreateIntake(ctx context.Context, i *rempart.Intake) (saved *rempart.Intake, created bool, err error) {
	todo := i.TakeConsequences()
	if i.ID == "" || len(todo.Events) == 0 {
		return nil, false, fmt.Errorf("store: intake %s: %w", i.ID, errNoEvent)
	}
	err = db.write(ctx, func(t *tx) error {
		var key any
		if i.Key != "" {
			key = t.db.keyed("intake key", i.Key)
		}
		notice, err := encode(i.Notice)
		if err != nil {
			return err
		}
		body := t.db.keyed("intake body", string(notice))
		out := *i
		out.Version, out.Key = 1, ""
		k, err := t.newKey(boxIntake, i.ID)
		if err != nil {
			return err
		}
		doc, err := sealed(k, &out, "intake", i.ID)
		if err != nil {
			return err
		}
		n, err := t.exec(`INSERT INTO intakes (id, number, version, state, priority, peer_id, key_hash, body, received_at, updated_at, doc)
			VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (peer_id, key_hash) DO NOTHING`,
			i.ID, i.Number, string(i.State), int64(i.Priority), i.PeerID, key, body, micros(i.ReceivedAt), micros(i.UpdatedAt), doc)
		if err != nil {
			return fmt.Errorf("store: intake %s: %w", i.ID, err)
		}
		if n == 0 {
			created = false
			if _, err := t.exec("DELETE FROM sealed_keys WHERE owner = $1 AND box = 'intake'", i.ID); err != nil {
				return fmt.Errorf("store: key of intake %s: %w", i.ID, err)
			}
			var before string
			if err := t.row("SELECT body FROM intakes WHERE peer_id = $1 AND key_hash = $2", i.PeerID, key).Scan(&before); err != nil {
				return fmt.Errorf("store: intake under the same key: %w", err)
			}
			if before != body {
				return &rempart.Error{Kind: rempart.Conflict, Code: "notice.key_reused", Public: "Another notice was already sent under this key."}
			}
			saved, _, err = t.db.readIntake(t.row("SELECT "+intakeColumns+" FROM intakes WHERE peer_id = $1 AND key_hash = $2", i.PeerID, key), decode)
			return err
		}
		if err := t.counted(lastOf(todo.Events, t.now), out.Tally().Since(nil)); err != nil {
			return err
		}
		saved, created = &out, true
		if err := t.placeIntake(&out); err != nil {
			return err
		}
		if err := t.keepIntake(&out); err != nil {
			return err
		}
		return t.save(todo)
	})
	if err != nil {
		return nil, false, err
	}
	saved.Key = i.Key
	return saved, created, nil
}

// Intake returns the intake with an identifier.
func (db *DB) Intake(ctx context.Context, id string) (*rempart.Intake, error) {
	i, _, err := db.readIntake(db.r.QueryRowContext(ctx, "SELECT "+intakeColumns+" FROM intakes WHERE id = $1", id), decode)
	return i, db.explain(err)
}

// IntakeByNumber returns the intake with the number given with its receipt.
func (db *DB) IntakeByNumber(ctx context.Context, number string) (*rempart.Intake, error) {
	i, _, err := db.readIntake(db.r.QueryRowContext(ctx, "SELECT "+intakeColumns+" FROM intakes WHERE number = $1", number), decode)
	return i, db.explain(err)
}

// intakeColumns are what readIntake reads.
var intakeColumns = "intakes.id, intakes.doc, intakes.version, " + keyColumn(boxIntake, "intakes.id")

func (db *DB) readIntake(s scanner, decode func([]byte, any) error) (*rempart.Intake, keyring.Key, error) {
	var id string
	var doc, wrapped []byte
	var version int64
	if err := s.Scan(&id, &doc, &version, &wrapped); err != nil {
		return nil, keyring.Key{}, missing(err, "intake")
	}
	key, err := db.unwrap(wrapped, boxIntake, id)
	if err != nil {
		return nil, key, err
	}
	i := new(rempart.Intake)
	if err := unsealed(key, doc, "intake", id, i, decode); err != nil {
		return nil, key, fmt.Errorf("store: intake %s: %w", id, err)
	}
	i.Version = version
	return i, key, nil
}

// UpdateIntake loads an intake, lets f change it, and saves it with its
// consequences in one transaction; f is bound as that of UpdateCase.
func (db *DB) UpdateIntake(ctx context.Context, id string, f func(*rempart.Intake) error) error {
	return db.write(ctx, func(t *tx) error { return t.changeIntake(id, f) })
}

// UpdateIntakes is UpdateIntake for several that change together, all or none. f
// gets those that are there, in the order of their identifiers: of one that was
// erased meanwhile there is nothing.
func (db *DB) UpdateIntakes(ctx context.Context, ids []string, f func([]*rempart.Intake) error) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids))) // always in one order, so that two transactions never wait for each other
	return db.write(ctx, func(t *tx) error { return t.changeIntakes(ids, nil, f) })
}

func (t *tx) changeIntakes(ids []string, got []*rempart.Intake, f func([]*rempart.Intake) error) error {
	if len(ids) == 0 {
		return f(got)
	}
	there := false
	err := t.changeIntake(ids[0], func(i *rempart.Intake) error {
		there = true
		return t.changeIntakes(ids[1:], append(got, i), f)
	})
	if !there && err != nil && rempart.KindOf(err) == rempart.NotFound {
		return t.changeIntakes(ids[1:], got, f)
	}
	return err
}

func (t *tx) changeIntake(id string, f func(*rempart.Intake) error) error {
	i, key, err := t.db.readIntake(t.row("SELECT "+intakeColumns+" FROM intakes WHERE id = $1"+t.db.forUpdate, id), decodeWhole)
	if err != nil {
		return err
	}
	before, err := encode(i)
	if err != nil {
		return err
	}
	was, tally := *i, i.Tally()
	if err := f(i); err != nil {
		return err
	}
	after, err := encode(i)
	if err != nil {
		return err
	}
	todo := i.TakeConsequences()
	if bytes.Equal(before, after) {
		return t.save(todo)
	}
	if len(todo.Events) == 0 {
		return fmt.Errorf("store: intake %s: %w", id, errNoEvent)
	}
	if i.ID != was.ID || i.Number != was.Number || i.PeerID != was.PeerID || i.Key != was.Key || i.Version != was.Version {
		return errors.New("store: intake " + id + ": what names it was changed")
	}
	i.Version++
	if after, err = sealed(key, i, "intake", id); err != nil {
		return err
	}
	n, err := t.exec("UPDATE intakes SET state = $1, priority = $2, updated_at = $3, doc = $4, version = $6 + 1 WHERE id = $5 AND version = $6",
		string(i.State), int64(i.Priority), micros(i.UpdatedAt), after, id, was.Version)
	if err != nil {
		return fmt.Errorf("store: intake %s: %w", id, err)
	}
	if n != 1 {
		return &rempart.Error{Kind: rempart.Conflict, Code: "intake.changed", Public: "This notice changed meanwhile. Look at it again, then repeat what you did."}
	}
	if err := t.placeIntake(i); err != nil {
		return err
	}
	if err := t.keepIntake(i); err != nil {
		return err
	}
	if err := t.counted(lastOf(todo.Events, t.now), i.Tally().Since(tally)); err != nil {
		return err
	}
	return t.save(todo)
}

// Intakes returns intakes in the given state ("" for all), by priority, then
// age, and the cursor of the next page.
func (db *DB) Intakes(ctx context.Context, state rempart.IntakeState, after string, limit int) ([]*rempart.Intake, string, error) {
	limit = pageSize(limit)
	at, err := parsePlace(after)
	if err != nil {
		return nil, "", err
	}
	query := "SELECT " + intakeColumns + " FROM intakes WHERE (priority, received_at, id) > ($1, $2, $3)"
	args := []any{at.priority, at.micros, at.id, limit + 1}
	if state != "" {
		query += " AND state = $5"
		args = append(args, string(state))
	}
	rows, err := db.r.QueryContext(ctx, query+" ORDER BY priority, received_at, id LIMIT $4", args...)
	out, err := collect(rows, err, func(s scanner) (*rempart.Intake, error) {
		i, _, err := db.readIntake(s, decode)
		return i, err
	})
	if err != nil {
		return nil, "", db.explain(fmt.Errorf("store: intakes: %w", err))
	}
	if len(out) <= limit {
		return out, "", nil
	}
	out = out[:limit]
	last := out[limit-1]
	return out, place{int64(last.Priority), micros(last.ReceivedAt), last.ID}.String(), nil
}
