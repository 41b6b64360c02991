package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"rempart"
)

// PutFlaggers replaces the list of trusted flaggers, with its event.
func (db *DB) PutFlaggers(ctx context.Context, list []rempart.Flagger, e rempart.Event) error {
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec("DELETE FROM flaggers"); err != nil {
			return fmt.Errorf("store: trusted flaggers: %w", err)
		}
		for _, f := range list {
			doc, err := encode(f)
			if err != nil {
				return err
			}
			if _, err := t.exec("INSERT INTO flaggers (id, doc) VALUES ($1, $2)", f.ID, doc); err != nil {
				return fmt.Errorf("store: trusted flagger %s: %w", f.ID, err)
			}
		}
		return t.event(e)
	})
}

// Flagger returns an entry of the list of trusted flaggers.
func (db *DB) Flagger(ctx context.Context, id string) (rempart.Flagger, error) {
	return one[rempart.Flagger](ctx, db, "flagger", "SELECT doc FROM flaggers WHERE id = $1", id)
}

// Flaggers returns the whole list, by identifier.
func (db *DB) Flaggers(ctx context.Context) ([]rempart.Flagger, error) {
	return all[rempart.Flagger](ctx, db, "trusted flaggers", "SELECT doc FROM flaggers ORDER BY id")
}

// notifier is by what the sender of a notice is counted: its key's peer, or a
// blind index of the e-mail address; "" of nobody.
func (db *DB) notifier(peer string, n rempart.Notice) (string, error) {
	if peer != "" {
		return "peer:" + peer, nil
	}
	name := rempart.NotifierName(n)
	if name == "" {
		return "", nil
	}
	return db.ring.Index("notifier", name)
}

// countIntake notes what the notifier of an intake sent.
func (t *tx) countIntake(i *rempart.Intake) error {
	who, err := t.db.notifier(i.PeerID, i.Notice)
	if err != nil || who == "" {
		return err
	}
	flag := func(b bool) int64 {
		if b {
			return 1
		}
		return 0
	}
	if _, err := t.exec(`INSERT INTO notifiers (who, intake_id, received_at, decided, unfounded) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (who, intake_id) DO UPDATE SET decided = excluded.decided, unfounded = excluded.unfounded`,
		who, i.ID, micros(i.ReceivedAt), flag(i.State == rempart.IntakeDecided), flag(i.Unfounded())); err != nil {
		return fmt.Errorf("store: notifier of intake %s: %w", i.ID, err)
	}
	return nil
}

// Misuse returns what the sender of a notice sent in the last twelve months.
func (db *DB) Misuse(ctx context.Context, peer string, n rempart.Notice) (m rempart.Misuse, err error) {
	who, err := db.notifier(peer, n)
	if err != nil || who == "" {
		return m, err
	}
	err = db.r.QueryRowContext(ctx, "SELECT count(*), count(*) FILTER (WHERE decided = 1), count(*) FILTER (WHERE unfounded = 1) FROM notifiers WHERE who = $1 AND received_at > $2",
		who, micros(db.now().Add(-rempart.MisuseSpan))).Scan(&m.Notices, &m.Decided, &m.Unfounded)
	return m, db.explain(err)
}

// Measure returns what was done about the misuse of the sender of a notice; of who
// cannot be told apart, nothing.
func (db *DB) Measure(ctx context.Context, peer string, n rempart.Notice) (m rempart.NotifierMeasure, err error) {
	who, err := db.notifier(peer, n)
	if err != nil || who == "" {
		return m, err
	}
	m, err = db.measure(db.r.QueryRowContext(ctx, "SELECT doc FROM notifier_measures WHERE who = $1", who), who)
	if rempart.KindOf(err) == rempart.NotFound && err != nil {
		err = nil
	}
	return m, err
}

// ChangeMeasure lets f change what was done about the misuse of the sender of a
// notice, and saves it with its event.
func (db *DB) ChangeMeasure(ctx context.Context, peer string, n rempart.Notice, e rempart.Event, f func(*rempart.NotifierMeasure) error) error {
	who, err := db.notifier(peer, n)
	if err != nil {
		return err
	}
	if who == "" {
		return &rempart.Error{Kind: rempart.Conflict, Code: "misuse.nobody", Public: "Who sent this notice gave no name: it cannot be told from others."}
	}
	return db.write(ctx, func(t *tx) error {
		m, err := db.measure(t.row("SELECT doc FROM notifier_measures WHERE who = $1"+t.db.forUpdate, who), who)
		if err != nil && rempart.KindOf(err) != rempart.NotFound {
			return err
		}
		if err := f(&m); err != nil {
			return err
		}
		doc, err := encode(m)
		if err == nil {
			doc, err = db.seal(doc, measureOf+who)
		}
		if err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO notifier_measures (who, doc) VALUES ($1, $2) ON CONFLICT (who) DO UPDATE SET doc = excluded.doc", who, doc); err != nil {
			return fmt.Errorf("store: measure about a notifier: %w", err)
		}
		return t.event(e)
	})
}

// measureOf binds a sealed measure to its row.
const measureOf = "measure about "

// measure opens a row of notifier_measures: a moderator wrote in it.
func (db *DB) measure(s scanner, who string) (m rempart.NotifierMeasure, err error) {
	var sealed []byte
	if err := s.Scan(&sealed); err != nil {
		return m, db.explain(missing(err, "measure"))
	}
	doc, err := db.unseal(sealed, measureOf+who)
	if err != nil {
		return m, fmt.Errorf("store: measure about a notifier: %w", err)
	}
	return m, decode(doc, &m)
}

// measuresOld seals the measures that an older version wrote in clear, and returns
// how many there were.
func (t *tx) measuresOld() (int, error) {
	var done string
	err := t.row("SELECT value FROM meta WHERE name = 'measures'").Scan(&done)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	type row struct {
		who string
		doc []byte
	}
	rows, err := t.Tx.QueryContext(t.ctx, "SELECT who, doc FROM notifier_measures")
	all, err := collect(rows, err, func(s scanner) (r row, err error) { return r, s.Scan(&r.who, &r.doc) })
	if err != nil {
		return 0, fmt.Errorf("measures about notifiers: %w", err)
	}
	for _, r := range all {
		sealed, err := t.db.seal(r.doc, measureOf+r.who)
		if err != nil {
			return 0, err
		}
		if _, err := t.exec("UPDATE notifier_measures SET doc = $1 WHERE who = $2", sealed, r.who); err != nil {
			return 0, fmt.Errorf("measure about a notifier: %w", err)
		}
	}
	_, err = t.meta("measures", "sealed")
	return len(all), err
}
