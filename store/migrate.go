package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"rempart"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrKey says that the database was made with another instance key.
var ErrKey = errors.New("this database was made with another instance key; nothing in it can be opened with this one: give the key file that was saved with it")

// migrate brings the schema up to date, in one transaction that one process at
// a time does, then checks the key and fills the lists.
func (db *DB) migrate(ctx context.Context) error {
	sealed := 0
	err := db.write(ctx, func(t *tx) (err error) {
		if db.lockSchema != "" {
			if _, err := t.exec(db.lockSchema); err != nil {
				return fmt.Errorf("waiting to migrate: %w", err)
			}
		}
		if err := t.schema(migrations); err != nil {
			return err
		}
		if err := t.checkKey(); err != nil {
			return err
		}
		if sealed, err = t.openRing(); err != nil {
			return err
		}
		measures, err := t.measuresOld()
		if err != nil {
			return err
		}
		sealed += measures
		if err := t.traitOld(); err != nil {
			return err
		}
		if err := t.themesOld(); err != nil {
			return err
		}
		if err := t.countOld(); err != nil {
			return err
		}
		if err := t.figuresOld(); err != nil {
			return err
		}
		if err := t.servicesOld(); err != nil {
			return err
		}
		for _, l := range append(slices.Clone(rempart.Lists), rempart.Harmless) {
			doc, err := encode(l)
			if err != nil {
				return err
			}
			if _, err := t.exec("INSERT INTO lists (id, doc) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc WHERE lists.doc <> excluded.doc", l.ID, doc); err != nil {
				return fmt.Errorf("list %s: %w", l.ID, err)
			}
		}
		return t.epoch()
	})
	if err != nil || sealed == 0 {
		return err
	}
	return db.sweep(ctx, "cases", "reports", "intakes", "notifier_measures")
}

// schema runs the migrations that were not run yet, in the order of their
// names. It refuses a database that a newer version has changed, or one whose
// migrations are not ours.
func (t *tx) schema(files fs.FS) error {
	if _, err := t.exec("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, hash TEXT NOT NULL)"); err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	type row struct{ name, hash string }
	rows, err := t.Tx.QueryContext(t.ctx, "SELECT name, hash FROM migrations ORDER BY name")
	done, err := collect(rows, err, func(s scanner) (r row, err error) { return r, s.Scan(&r.name, &r.hash) })
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if len(names) == 0 {
		return errors.New("migrations: there are none") // Glob is silent about a missing folder
	}
	if len(done) > len(names) {
		return fmt.Errorf("this database was changed by a newer version of rempart (it has %d migrations, this version %d): use that version", len(done), len(names))
	}
	for i, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("migrations: %w", err)
		}
		sum := sha256.Sum256(text)
		hash := hex.EncodeToString(sum[:])
		if i < len(done) {
			if done[i].name != name || done[i].hash != hash {
				return fmt.Errorf("migration %s is not the one this database was made with (%s)", name, done[i].name)
			}
			continue
		}
		if _, err := t.exec(t.db.words.Replace(string(text))); err != nil {
			return fmt.Errorf("migration %s: %w", name, err)
		}
		if _, err := t.exec("INSERT INTO migrations (name, hash) VALUES ($1, $2)", name, hash); err != nil {
			return fmt.Errorf("migration %s: %w", name, err)
		}
	}
	return nil
}

// checkKey compares the instance's key with the one the database was made with.
func (t *tx) checkKey() error {
	want := hex.EncodeToString(t.db.Secret("key check"))
	got, err := t.meta("key_check", want)
	if err != nil {
		return err
	}
	if !hmac.Equal([]byte(got), []byte(want)) {
		return ErrKey
	}
	return nil
}

// epoch notices a database of PostgreSQL that was restored into another
// cluster, whose transactions count from a lower number: the places of changes
// would be in its future. They are moved below all others, and a new epoch makes
// readers begin again, for which following a feed twice is harmless.
func (t *tx) epoch() error {
	epoch, err := t.meta("epoch", "1")
	if err != nil {
		return err
	}
	t.db.era = epoch
	if t.db.identity, err = t.meta("database", rempart.NewID(t.now)); err != nil {
		return err
	}
	if t.db.horizon == "" {
		return nil
	}
	var last, next int64
	if err := t.row("SELECT greatest((SELECT coalesce(max(xid), 0) FROM entries), (SELECT coalesce(max(xid), 0) FROM records)), ("+t.db.horizon+")").Scan(&last, &next); err != nil {
		return fmt.Errorf("comparing transactions: %w", err)
	}
	if last < next {
		return nil
	}
	n, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("epoch: %w", err)
	}
	t.db.era = strconv.FormatInt(n+1, 10)
	if err := t.setMeta("epoch", t.db.era); err != nil {
		return err
	}
	if err := t.setMeta("ledger_mark", "0"); err != nil {
		return err
	}
	for _, table := range []string{"entries", "records"} {
		if _, err := t.exec("UPDATE " + table + " SET xid = 0"); err != nil {
			return fmt.Errorf("moving the places of %s: %w", table, err)
		}
	}
	return t.newSeconds()
}

// meta returns a value of the store's own, saving first as its first one.
func (t *tx) meta(name, first string) (string, error) {
	var v string
	if _, err := t.exec("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, first); err != nil {
		return "", fmt.Errorf("meta %s: %w", name, err)
	}
	if err := t.row("SELECT value FROM meta WHERE name = $1", name).Scan(&v); err != nil {
		return "", fmt.Errorf("meta %s: %w", name, err)
	}
	return v, nil
}

func (t *tx) setMeta(name, value string) error {
	if _, err := t.exec("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value); err != nil {
		return fmt.Errorf("meta %s: %w", name, err)
	}
	return nil
}
