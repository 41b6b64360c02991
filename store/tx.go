package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"rempart"
)

// A tx is one transaction that writes.
type tx struct {
	*sql.Tx
	ctx context.Context
	db  *DB
	now time.Time
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	r, err := t.Tx.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (t *tx) row(query string, args ...any) *sql.Row {
	return t.Tx.QueryRowContext(t.ctx, query, args...)
}

// write runs f in one transaction, saved if f returns nil. An error or a panic
// of f leaves nothing. f may be run again if the database undid the transaction
// to resolve a deadlock.
//
// If it can't be known whether the transaction was saved, the error is a
// rempart.Unknown: look before doing it again.
func (db *DB) write(ctx context.Context, f func(*tx) error) error {
	for try := 1; ; try++ {
		err := db.writeOnce(ctx, f)
		if err == nil || try == 5 || ctx.Err() != nil || !db.repeat(err) {
			return db.explain(err)
		}
	}
}

func (db *DB) writeOnce(ctx context.Context, f func(*tx) error) error {
	conn, err := db.w.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// The transaction must not end with ctx: a COMMIT that is cut off half-way
	// may have happened. Each statement ends with ctx.
	sqlTx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	defer sqlTx.Rollback() // does nothing after Commit
	if err := f(&tx{sqlTx, ctx, db, db.now()}); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err = sqlTx.Commit()
	if err != nil && !db.failed(err) {
		return &rempart.Error{Kind: rempart.Unknown, Code: "store.unknown", Err: err,
			Public: "We could not find out whether this was saved. Please look before you try again."}
	}
	return err
}

// explain gives an error that the person can do something about its kind.
func (db *DB) explain(err error) error {
	var e *rempart.Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	if db.full(err) {
		return &rempart.Error{Kind: rempart.Unavailable, Code: "store.full", Err: err,
			Public: "The disk of this server is full. Nothing was saved. Please try again later."}
	}
	if !db.busy(err) {
		return err
	}
	return &rempart.Error{Kind: rempart.Unavailable, Code: "store.busy", Err: err,
		Public: "The database is too busy or out of reach. Please try again in a moment."}
}

// scanner is a row that can be read.
type scanner interface{ Scan(...any) error }

// collect reads every row with scan. A row that can't be read is an error.
func collect[T any](rows *sql.Rows, err error, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// missing turns "no rows" into a rempart.NotFound, and says what was looked for
// in any other error.
func missing(err error, what string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return &rempart.Error{Kind: rempart.NotFound, Code: what + ".missing", Public: "There is no such " + what + "."}
	}
	return fmt.Errorf("store: %s: %w", what, err)
}

// spend uses up a key that may be spent once; "" is none.
func (t *tx) spend(once string) error {
	if once == "" {
		return nil
	}
	n, err := t.exec("INSERT INTO spent (hash, at) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING", t.db.keyed("once", once), micros(t.now))
	if err != nil {
		return fmt.Errorf("store: spending a key: %w", err)
	}
	if n == 0 {
		return ErrAlready
	}
	return nil
}

// micros is a time as the database keeps it; 0 is the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
