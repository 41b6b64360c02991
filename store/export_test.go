package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing/fstest"
	"time"

	"rempart"
)

// Raw is the database behind the store, for tests that must see or damage what
// the API does not show.
func Raw(db *DB) *sql.DB { return db.w }

// ApplyOneByOne saves what ApplyFeed does, a statement for each entry: its naive
// peer.
func ApplyOneByOne(db *DB, peer string, all []rempart.Entry) error {
	return db.write(context.Background(), func(t *tx) error {
		for _, e := range all {
			if err := t.entry(peer, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// IsPostgres tells which database the store is on.
func IsPostgres(db *DB) bool { return db.dialect == postgresDialect }

// Reseal changes what is sealed in a column of a case, behind the store's back.
func Reseal(db *DB, column, what, id string, change func([]byte) []byte) error {
	return db.write(context.Background(), func(t *tx) error {
		var box, wrapped []byte
		if err := t.row("SELECT "+column+", "+keyColumn(boxCase, "cases.id")+" FROM cases WHERE id = $1", id).Scan(&box, &wrapped); err != nil {
			return err
		}
		k, err := db.unwrap(wrapped, boxCase, id)
		if err != nil {
			return err
		}
		doc, err := k.Open(box, what, id)
		if err != nil {
			return err
		}
		if box, err = k.Seal(change(doc), what, id); err != nil {
			return err
		}
		_, err = t.exec("UPDATE cases SET "+column+" = $1 WHERE id = $2", box, id)
		return err
	})
}

// SetFew changes how many cases with a trait are sorted rather than sought; below
// 0, they are always sought.
func SetFew(db *DB, n int) { db.few = n }

// Copies saves n copies of a case in a state, each under its own key.
func Copies(db *DB, c *rempart.Case, state rempart.CaseState, n int) error {
	return db.write(context.Background(), func(t *tx) error {
		for i := range n {
			copied := *c
			copied.ID = fmt.Sprintf("%s-%d", state, i)
			copied.Ref, copied.State, copied.Priority = copied.ID, state, rempart.Priority(1+i%4)
			k, err := t.newKey(boxCase, copied.ID)
			if err != nil {
				return err
			}
			if err := t.insertCase(&copied, k, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// MakePlain makes a database as the first version made it, with a report and an
// intake in clear.
func MakePlain(dsn string, opt Options, s Submission, i *rempart.Intake) error {
	first, err := migrations.ReadFile("migrations/0001_start.sql")
	if err != nil {
		return err
	}
	opt.Now = time.Now
	db := &DB{opt: opt, dialect: postgresDialect}
	if strings.HasPrefix(dsn, "postgres") {
		db.w, err = openPostgres(dsn)
		db.r = db.w
	} else {
		db.dialect = sqliteDialect
		db.w, db.r, err = openSQLite(dsn)
	}
	if err != nil {
		return err
	}
	err = db.write(context.Background(), func(t *tx) error {
		if err := t.schema(fstest.MapFS{"migrations/0001_start.sql": {Data: first}}); err != nil {
			return err
		}
		if err := t.checkKey(); err != nil {
			return err
		}
		c := s.Case
		docs := map[any][]byte{}
		for _, v := range []any{c, &s.Report, i} {
			if docs[v], err = encode(v); err != nil {
				return err
			}
		}
		if _, err := t.exec(`INSERT INTO cases (id, ref, version, state, priority, minor, items, unsettled, failed, stops, services, articles, opened_at, updated_at, doc)
			VALUES ($1, $2, 1, $3, $4, 0, 1, 1, 0, 0, '["forum.exemple.test"]', '[]', 1, 1, $5)`, c.ID, c.Ref, string(c.State), int64(c.Priority), docs[c]); err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO reports (id, case_id, doc) VALUES ($1, $2, $3)", s.Report.ID, c.ID, docs[&s.Report]); err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO report_keys (hash, body, report_id) VALUES ($1, $2, $3)", db.keyed("idempotency", s.Key), s.Body, s.Report.ID); err != nil {
			return err
		}
		_, err := t.exec("INSERT INTO intakes (id, number, version, state, priority, peer_id, body, received_at, updated_at, doc) VALUES ($1, $2, 1, $3, 1, 'hub', '', 1, 1, $4)", i.ID, i.Number, string(i.State), docs[i])
		return err
	})
	return errors.Join(err, db.Close())
}

// SetClock sets the clock of one process, which then still follows the database's
// where it did.
func SetClock(db *DB, now func() time.Time) { db.opt.Now = now }
