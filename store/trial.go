package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"rempart"
)

// A Trial holds what a source says, in a temporary file that is gone when it is
// closed, to be compared with what is held of the source.
type Trial struct {
	dir  string
	w, r *sql.DB
}

// OpenTrial makes one in a folder; "" is the system's.
func OpenTrial(ctx context.Context, dir string) (_ *Trial, err error) {
	t := &Trial{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("store: trial: %w", err), t.Close())
		}
	}()
	if t.dir, err = os.MkdirTemp(dir, "trial"); err != nil {
		return nil, err
	}
	if t.w, t.r, err = openSQLite(filepath.Join(t.dir, "trial.db")); err != nil {
		return nil, err
	}
	_, err = t.w.ExecContext(ctx, "CREATE TABLE said (id TEXT PRIMARY KEY, list TEXT NOT NULL, type TEXT NOT NULL, value TEXT NOT NULL, form TEXT NOT NULL, gone INTEGER NOT NULL) STRICT, WITHOUT ROWID")
	return t, err
}

// Close ends it.
func (t *Trial) Close() error {
	var errs []error
	if t.w != nil {
		errs = append(errs, t.r.Close(), t.w.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(t.dir))...)
}

// Put keeps what a page says; what was said before of the same is overridden.
func (t *Trial) Put(ctx context.Context, records []rempart.SourceRecord) (err error) {
	x, err := t.w.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store: trial: %w", err)
	}
	defer x.Rollback() // does nothing after Commit
	for _, r := range records {
		f := r.Fingerprint
		if _, err := x.ExecContext(ctx, "INSERT OR REPLACE INTO said (id, list, type, value, form, gone) VALUES ($1, $2, $3, $4, $5, $6)",
			r.ID, r.List, string(f.Type), f.Value, string(f.Form), r.Gone); err != nil {
			return fmt.Errorf("store: trial: %w", err)
		}
	}
	return x.Commit()
}

// A Diff is what reading a source would change.
type Diff struct {
	Added   int `json:"added"`
	Changed int `json:"changed"`
	Removed int `json:"removed"` // held, and withdrawn by the source
	Same    int `json:"same"`
	Unsaid  int `json:"unsaid"` // held, and the source does not speak of it: it stays
}

// Compare returns what differs from the entries of a source that are active.
func (t *Trial) Compare(ctx context.Context, db *DB, source string) (d Diff, err error) {
	var active int
	if err := t.r.QueryRowContext(ctx, "SELECT count(*) FROM said WHERE gone = 0").Scan(&active); err != nil {
		return d, fmt.Errorf("store: trial: %w", err)
	}
	for after := ""; ; {
		held, err := db.SourceEntries(ctx, source, after, 10_000)
		if err != nil || len(held) == 0 {
			d.Added = active - d.Changed - d.Same
			return d, err
		}
		for _, h := range held {
			var r rempart.SourceRecord
			f := &r.Fingerprint
			err := t.r.QueryRowContext(ctx, "SELECT list, type, value, form, gone FROM said WHERE id = $1", h.ID).Scan(&r.List, &f.Type, &f.Value, &f.Form, &r.Gone)
			f.Quality, r.ID = h.Fingerprint.Quality, h.ID
			switch {
			case errors.Is(err, sql.ErrNoRows):
				d.Unsaid++
			case err != nil:
				return d, fmt.Errorf("store: trial: %w", err)
			case r.Gone:
				d.Removed++
			case r == h:
				d.Same++
			default:
				d.Changed++
			}
		}
		after = held[len(held)-1].ID
	}
}
