package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"rempart"
	"rempart/keyring"
	"rempart/ledger"
)

// ErrPostgres says that something is for SQLite alone.
var ErrPostgres = errors.New("this is for SQLite; PostgreSQL has its own programs for it")

// Backup writes a copy of a SQLite database as it is now, without the keys of
// cases, to a file that must not exist. It may be made while the instance
// serves. Nothing sealed in it opens without what ExportKeys writes, and the
// keyring.
func (db *DB) Backup(ctx context.Context, path string) (err error) {
	if db.lockRing != "" {
		return ErrPostgres
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // SQLite fills an empty file
	if err != nil {
		return fmt.Errorf("store: backup: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("store: backup: %w", err), os.Remove(path))
		}
	}()
	if err := f.Close(); err != nil {
		return err
	}
	if _, err := db.w.ExecContext(ctx, "VACUUM INTO $1", path); err != nil {
		return err
	}
	copied, err := openFile(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	for _, q := range []string{"PRAGMA secure_delete = 1", "DELETE FROM sealed_keys", "VACUUM"} {
		if _, err := copied.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// openFile opens a file of SQLite, which must be there, for one who is alone
// with it.
func openFile(path string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path}).String()+"?_pragma=synchronous(FULL)&_pragma=foreign_keys(1)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// A SealedKey is one key of a case, intake or identity, wrapped by the keyring:
// a line of the file that ExportKeys writes.
type SealedKey struct {
	Owner   string `json:"owner"`
	Box     string `json:"box"`
	Ring    string `json:"ring"`
	Wrapped []byte `json:"wrapped"`
}

// ExportKeys writes every wrapped key, as JSON Lines, and returns how many they
// are. Only the newest such file may be kept: an older one opens what was erased
// since.
func (db *DB) ExportKeys(ctx context.Context, w io.Writer) (int, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT owner, box, ring, wrapped FROM sealed_keys ORDER BY owner, box")
	enc := json.NewEncoder(w)
	all, err := collect(rows, err, func(s scanner) (_ struct{}, err error) {
		var k SealedKey
		if err := s.Scan(&k.Owner, &k.Box, &k.Ring, &k.Wrapped); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, enc.Encode(k)
	})
	if err != nil {
		return 0, db.explain(fmt.Errorf("store: keys: %w", err))
	}
	return len(all), nil
}

// ReadKeys reads what ExportKeys wrote.
func ReadKeys(r io.Reader) ([]SealedKey, error) {
	var out []SealedKey
	for d := json.NewDecoder(r); ; {
		var k SealedKey
		err := d.Decode(&k)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil || k.Owner == "" || len(k.Wrapped) == 0 {
			return nil, fmt.Errorf("store: key %d of this file can't be read", len(out)+1)
		}
		out = append(out, k)
	}
}

// Alone makes sure that no process has a SQLite database open, leaves it in one
// file without a log beside it, and returns its keys.
func Alone(ctx context.Context, path string) ([]SealedKey, error) {
	db, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	defer db.Close()
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode = DELETE").Scan(&mode); err != nil || mode != "delete" {
		return nil, fmt.Errorf("store: %s is open in another process", path)
	}
	rows, err := db.QueryContext(ctx, "SELECT owner, box, ring, wrapped FROM sealed_keys")
	keys, err := collect(rows, err, func(s scanner) (k SealedKey, err error) {
		return k, s.Scan(&k.Owner, &k.Box, &k.Ring, &k.Wrapped)
	})
	if err != nil {
		return nil, fmt.Errorf("store: keys: %w", err)
	}
	return keys, nil
}

// Restored says what came back from a backup.
type Restored struct {
	Cases, Intakes int   // in the backup
	Without        int   // of these, those whose key is not there
	Records        int64 // that the ledger's newest checkpoint covers
}

// PutKeys puts keys into a database that came from a backup, for what it holds
// alone, and notes which key of the ring wraps now. dsn is the address of
// PostgreSQL, or the path of a copy that is then ready to be put in the place of
// an instance's database.
func PutKeys(ctx context.Context, dsn string, keys []SealedKey, ring *keyring.Ring) (r Restored, err error) {
	var db *sql.DB
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		db, err = openPostgres(dsn)
	} else {
		db, err = openFile(dsn)
	}
	if err != nil {
		return r, fmt.Errorf("store: restoring: %w", err)
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return r, fmt.Errorf("store: restoring: %w", err)
	}
	defer tx.Rollback()
	var check string
	if err := tx.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = 'keyring'").Scan(&check); err != nil {
		return r, fmt.Errorf("store: restoring: this is no backup that rempart made: %w", err)
	}
	if want, err := ring.Check(); err != nil || check != want {
		return r, errors.Join(ErrWrongKeyring, err)
	}
	for _, k := range keys {
		var here bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM cases WHERE id = $1) OR EXISTS (SELECT 1 FROM intakes WHERE id = $1) OR EXISTS (SELECT 1 FROM mails WHERE id = $1)", k.Owner).Scan(&here); err != nil {
			return r, fmt.Errorf("store: restoring a key: %w", err)
		}
		if !here {
			continue
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO sealed_keys (owner, box, ring, wrapped) VALUES ($1, $2, $3, $4) ON CONFLICT (owner, box) DO NOTHING", k.Owner, k.Box, k.Ring, k.Wrapped); err != nil {
			return r, fmt.Errorf("store: restoring a key: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, "UPDATE meta SET value = $1 WHERE name = 'keyring primary'", ring.Primary()); err != nil {
		return r, fmt.Errorf("store: restoring: %w", err)
	}
	if err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM cases), (SELECT count(*) FROM intakes),
		(SELECT count(*) FROM cases WHERE id NOT IN (SELECT owner FROM sealed_keys WHERE box = 'case')) + (SELECT count(*) FROM intakes WHERE id NOT IN (SELECT owner FROM sealed_keys WHERE box = 'intake')),
		(SELECT coalesce(max(size), 0) FROM checkpoints)`).Scan(&r.Cases, &r.Intakes, &r.Without, &r.Records); err != nil {
		return r, fmt.Errorf("store: restoring: %w", err)
	}
	return r, tx.Commit()
}

// EraseKeyless erases the cases and notices received whose key is not there, as
// they were erased after the backup was made, and returns how many of each they were.
func (db *DB) EraseKeyless(ctx context.Context, e rempart.Erasure) (cases, notices int, err error) {
	rows, err := db.r.QueryContext(ctx, "SELECT id FROM cases WHERE NOT EXISTS (SELECT 1 FROM sealed_keys k WHERE k.owner = cases.id AND k.box = 'case') ORDER BY id")
	ids, err := collect(rows, err, func(s scanner) (id string, err error) { return id, s.Scan(&id) })
	if err != nil {
		return 0, 0, db.explain(fmt.Errorf("store: cases without a key: %w", err))
	}
	if err := db.dropKeylessMails(ctx); err != nil {
		return 0, 0, err
	}
	for n, id := range ids {
		if err := db.EraseCase(ctx, id, e); err != nil {
			return n, 0, fmt.Errorf("store: case %s, whose key is not there: %w", id, err)
		}
	}
	rows, err = db.r.QueryContext(ctx, "SELECT id FROM intakes WHERE NOT EXISTS (SELECT 1 FROM sealed_keys k WHERE k.owner = intakes.id AND k.box = 'intake') ORDER BY id")
	received, err := collect(rows, err, func(s scanner) (id string, err error) { return id, s.Scan(&id) })
	if err != nil {
		return len(ids), 0, db.explain(fmt.Errorf("store: notices without a key: %w", err))
	}
	for n, id := range received {
		if err := db.EraseIntake(ctx, id, e); err != nil {
			return len(ids), n, fmt.Errorf("store: notice %s, whose key is not there: %w", id, err)
		}
	}
	return len(ids), len(received), nil
}

// HeadOf returns how many records the checkpoint in a file of Options.Head
// covers, 0 if there is no file. Its signature is not checked.
func HeadOf(path string) (size int64, root string, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", fmt.Errorf("store: head of the ledger: %w", err)
	}
	c, err := ledger.ParseCheckpoint(string(b))
	if err != nil {
		return 0, "", fmt.Errorf("store: head of the ledger: %s: %w", path, err)
	}
	return c.Size, c.Root.String(), nil
}
