// Package store is the one owner of SQL: it keeps cases, intakes, list entries,
// jobs, peers, staff and the ledger, in SQLite by default and in PostgreSQL when
// given its address, with one text of SQL for both.
//
// Its promise: what a change asks for (its events, its jobs, its list entries)
// is saved in the transaction of the change. After a crash all of it is there,
// or none. Package storetest is that promise as a test suite, run on both
// databases.
//
// It never stores a picture, a case code, an IP address or a user agent: there
// is no column for them. What people wrote, and the addresses, are sealed under
// a key for each case, which the keyring outside the database wraps. Whoever can
// write to the database can change what it says, but not what the ledger sealed
// without that showing; whoever can only read it learns states, numbers, times
// and fingerprints, but no word, address, code, password or key.
package store

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rempart/keyring"
	"rempart/ledger"
)

// ErrAlready says that a key which may be spent once was spent before, and that
// nothing was done.
var ErrAlready = errors.New("store: already done")

// Options says what a store needs beside its database.
type Options struct {
	// Key is the instance's secret, 32 bytes, kept outside the database. It
	// seals credentials, keys the hashes of codes, and signs the ledger's
	// checkpoints (each under its own derived key).
	Key []byte
	// Keyring returns the ring that wraps the keys of cases. fresh says that the
	// database was never sealed: only then may a new ring be made. It is called
	// once, or again if opening is tried again.
	Keyring func(fresh bool) (*keyring.Ring, error)
	// Name is the origin line of the ledger's checkpoints, such as
	// "hub.exemple.test". Default: the one that was kept (see Keep), or "rempart".
	Name string
	// Head is the path of a file outside the database that holds the newest
	// checkpoint, so that the end of the ledger cannot be taken away unseen. The
	// store makes and moves it. Empty: none is kept.
	Head string
	// Now tells the time. Default: time.Now; in PostgreSQL the times of jobs are
	// then the database's, which all processes share.
	Now func() time.Time
}

// A DB is an open store, safe for concurrent use.
type DB struct {
	*dialect
	w, r *sql.DB // in PostgreSQL the same pool
	opt  Options
	sign ledger.Key
	ring *keyring.Ring
	era  string // part of each cursor; see epoch

	few int // see fewCases

	shared bool // times of jobs are the database's; see databaseTime

	identity string // of the database, and of its copies

	policy atomic.Pointer[policy] // the newest that was read; a version never changes

	peerChanges atomic.Int64
	readers     sync.Map // spot by peer: how far each reader of the feed is known to be
	copies      sync.Map // true by peer: noted to have a copy by another protocol

	hashing chan struct{} // holds a place for each password being hashed, 19 MiB each
}

// Open opens the database at dsn: a file's path for SQLite, or a postgres://
// address; it brings the schema up to date and fills the lists. It returns
// ErrKey if the database was made with another instance key, and one of the
// errors of the keyring if its cases can't be opened. What an older version kept
// in clear is sealed.
func Open(ctx context.Context, dsn string, opt Options) (*DB, error) {
	if len(opt.Key) != 32 {
		return nil, fmt.Errorf("store: an instance key has 32 bytes, not %d", len(opt.Key))
	}
	unnamed := opt.Name == ""
	if unnamed {
		opt.Name = "rempart"
	}
	wall := opt.Now == nil
	if wall {
		opt.Now = time.Now
	}
	db := &DB{opt: opt, few: fewCases, hashing: make(chan struct{}, 4)}
	var err error
	if db.sign, err = ledger.NewKey(db.Secret("ledger")); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if _, err := db.sign.Verifier(opt.Name); err != nil {
		return nil, fmt.Errorf("store: the name %q cannot sign: %w", opt.Name, err)
	}
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		db.dialect, db.shared = postgresDialect, wall
		db.w, err = openPostgres(dsn)
		db.r = db.w
		dsn = "PostgreSQL" // the address may hold a password
	} else {
		db.dialect = sqliteDialect
		db.w, db.r, err = openSQLite(dsn)
	}
	if err != nil {
		return nil, fmt.Errorf("store: opening %s: %w", dsn, err)
	}
	err = db.migrate(ctx)
	for end := time.Now().Add(db.openWait); err != nil && db.busy(err) && ctx.Err() == nil && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
		err = db.migrate(ctx)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("store: opening %s: %w", dsn, err)
	}
	if unnamed {
		name, err := db.Kept(ctx, KeptName)
		if err != nil {
			db.Close()
			return nil, err
		}
		if _, err := db.sign.Verifier(name); err == nil {
			db.opt.Name = name
		}
	}
	return db, nil
}

// What an instance keeps about itself between starts, for commands that do not
// serve.
const (
	KeptName   = "instance name"   // what it signs under
	KeptOrigin = "instance origin" // the address under which others reach it

	KeptInstance = "instance" // its name for people and who notifies, as JSON that the command writes
)

// Keep keeps a fact about the instance: one of the names above.
func (db *DB) Keep(ctx context.Context, name, value string) error {
	return db.write(ctx, func(t *tx) error { return t.setMeta(name, value) })
}

// Kept returns a fact about the instance, "" if it was never kept.
func (db *DB) Kept(ctx context.Context, name string) (value string, err error) {
	err = db.r.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = $1", name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", db.explain(fmt.Errorf("store: meta %s: %w", name, err))
	}
	return value, nil
}

// Close waits for what is under way and closes the database.
func (db *DB) Close() error {
	err := db.w.Close()
	if db.r != db.w {
		err = errors.Join(db.r.Close(), err)
	}
	if err != nil {
		return fmt.Errorf("store: closing: %w", err)
	}
	return nil
}

// CopyOf names what a [LocalCopy] of this database is of: the database, and the
// epoch of its change table.
func (db *DB) CopyOf() string { return db.identity + " " + db.era }

// Ping asks the database for an answer.
func (db *DB) Ping(ctx context.Context) error {
	var n int
	if err := db.r.QueryRowContext(ctx, "SELECT count(*) FROM lists").Scan(&n); err != nil {
		return db.explain(fmt.Errorf("store: asking the database: %w", err))
	}
	return nil
}

// Secret returns a 32-byte key derived (HKDF-SHA256) from the instance's key
// for one use, such as "case code".
func (db *DB) Secret(use string) []byte {
	k, err := hkdf.Key(sha256.New, db.opt.Key, nil, "rempart "+use, 32)
	if err != nil {
		panic(err) // only for a length out of range
	}
	return k
}

// now is the time, as the database keeps it.
func (db *DB) now() time.Time { return db.opt.Now().UTC().Truncate(time.Microsecond) }

// keyed hashes something that must not be readable or guessable in the
// database, for one use.
func (db *DB) keyed(use, s string) string {
	m := hmac.New(sha256.New, db.Secret(use))
	m.Write([]byte(s))
	return hex.EncodeToString(m.Sum(nil))
}

// hashed hashes a random secret, which nobody can guess.
func hashed(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}
