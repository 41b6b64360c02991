package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"rempart"
)

// A LocalCopy is what one node keeps in a file of its own of the entries that are
// active, with the place in the change table up to which they are: it starts
// again from there, and answers from it while the database is away. It is made of
// the change table and of nothing else, so that losing it loses nothing. Cases
// are in it by identifier only. One process uses a file; it is safe for
// concurrent use.
type LocalCopy struct {
	w, r        *sql.DB
	get, exact  *sql.Stmt
	ofDB, place string

	mu    sync.Mutex
	kinds map[copyKind]int64
	names map[int64]copyKind
	fresh []int64 // noted in a transaction that is not saved yet
}

// A copyKind is what many entries have in common.
type copyKind struct {
	Peer, List string
	Type       rempart.FingerprintType
	Form       rempart.FingerprintForm
}

const copySchema = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS kinds (k INTEGER PRIMARY KEY, peer TEXT NOT NULL, list TEXT NOT NULL, type TEXT NOT NULL, form TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS entries (num INTEGER PRIMARY KEY, k INTEGER NOT NULL, id TEXT NOT NULL, quality INTEGER NOT NULL, since INTEGER NOT NULL,
	case_id TEXT, case_ref TEXT, item_id TEXT, exact TEXT, video TEXT) STRICT;
CREATE INDEX IF NOT EXISTS entries_exact ON entries (exact) WHERE exact IS NOT NULL;
CREATE INDEX IF NOT EXISTS entries_video ON entries (num) WHERE video IS NOT NULL;`

// copyVersion is that of the schema; a file of another one is made anew.
const copyVersion = "2"

// OpenCopy opens the local copy in a file, or makes it. of says which database it
// is of: a copy of another one is refused with [ErrCopy].
func OpenCopy(ctx context.Context, path, of string) (_ *LocalCopy, err error) {
	defer func() {
		if err != nil && !errors.Is(err, ErrCopy) {
			err = fmt.Errorf("store: local copy: %w", err)
		}
	}()
	_, missing := os.Stat(path)
	w, r, err := openSQLite(path)
	if err != nil {
		return nil, err
	}
	c := &LocalCopy{w: w, r: r, ofDB: copyVersion + " " + of, kinds: map[copyKind]int64{}, names: map[int64]copyKind{}}
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	if _, err := w.ExecContext(ctx, copySchema); err != nil {
		return nil, err
	}
	if missing != nil {
		if _, err := w.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES ('of', $1), ('place', ''), ('count', '0') ON CONFLICT DO NOTHING", c.ofDB); err != nil {
			return nil, err
		}
	}
	var of2 string
	if err := r.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = 'of'").Scan(&of2); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if of2 != c.ofDB {
		return nil, ErrCopy
	}
	if err := r.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = 'place'").Scan(&c.place); err != nil {
		return nil, err
	}
	rows, err := r.QueryContext(ctx, "SELECT k, peer, list, type, form FROM kinds")
	if _, err := collect(rows, err, func(s scanner) (k copyKind, err error) {
		var n int64
		err = s.Scan(&n, &k.Peer, &k.List, &k.Type, &k.Form)
		c.kinds[k], c.names[n] = n, k
		return k, err
	}); err != nil {
		return nil, err
	}
	if c.get, err = r.PrepareContext(ctx, "SELECT "+copyColumns+" FROM entries WHERE num = $1"); err != nil {
		return nil, err
	}
	c.exact, err = r.PrepareContext(ctx, "SELECT num FROM entries WHERE exact = $1")
	return c, err
}

// ErrCopy says that a local copy is of another database, or of another version.
var ErrCopy = errors.New("store: a local copy of something else")

const copyColumns = "num, k, id, quality, since, coalesce(case_id, ''), coalesce(case_ref, ''), coalesce(item_id, ''), coalesce(exact, video, '')"

// Place returns the cursor up to which the copy is.
func (c *LocalCopy) Place() string { return c.place }

// Close closes the file.
func (c *LocalCopy) Close() error { return errors.Join(c.r.Close(), c.w.Close()) }

// Entry returns an entry by its number, and whether it is there. The value of a
// PDQ is not in the copy, as the index of them has it, and comes empty.
func (c *LocalCopy) Entry(num uint64) (Change, bool, error) {
	ch, err := c.scan(c.get.QueryRow(int64(num)))
	if errors.Is(err, sql.ErrNoRows) {
		return Change{}, false, nil
	}
	return ch, err == nil, err
}

func (c *LocalCopy) scan(s scanner) (ch Change, err error) {
	var k, since int64
	e := &ch.Entry
	if err := s.Scan(&ch.Num, &k, &e.ID, &e.Fingerprint.Quality, &since, &e.CaseID, &e.CaseRef, &e.ItemID, &e.Fingerprint.Value); err != nil {
		return ch, err
	}
	c.mu.Lock()
	kind, ok := c.names[k]
	c.mu.Unlock()
	if !ok {
		return ch, errors.New("store: local copy: an entry of no kind")
	}
	ch.Peer, e.List, e.Fingerprint.Type, e.Fingerprint.Form = kind.Peer, kind.List, kind.Type, kind.Form
	e.State, e.Since = rempart.EntryActive, fromMicros(since)
	return ch, nil
}

// Exact returns the numbers of the entries that have an exact value of any type.
func (c *LocalCopy) Exact(value string) ([]uint64, error) {
	rows, err := c.exact.Query(value)
	return collect(rows, err, func(s scanner) (n uint64, err error) { return n, s.Scan(&n) })
}

// Videos returns the entries that are videos.
func (c *LocalCopy) Videos(ctx context.Context) ([]Change, error) {
	rows, err := c.r.QueryContext(ctx, "SELECT "+copyColumns+" FROM entries WHERE video IS NOT NULL")
	return collect(rows, err, c.scan)
}

// Len returns how many entries there are, as was said when they were saved, and
// the highest number of one.
func (c *LocalCopy) Len(ctx context.Context) (n int, top uint64, err error) {
	err = c.r.QueryRowContext(ctx, "SELECT CAST((SELECT value FROM meta WHERE name = 'count') AS INTEGER), (SELECT coalesce(max(num), 0) FROM entries)").Scan(&n, &top)
	return n, top, err
}

const copyRows = 64 // that one statement writes

// Save puts entries that are active in, takes others out, and moves the place, in
// one transaction; count is how many there are then.
func (c *LocalCopy) Save(ctx context.Context, put []Change, gone []uint64, place string, count int) (err error) {
	t, err := c.w.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store: local copy: %w", err)
	}
	defer func() {
		t.Rollback() // does nothing after Commit
		c.settle(err == nil)
	}()
	for _, num := range gone {
		if _, err := t.ExecContext(ctx, "DELETE FROM entries WHERE num = $1", int64(num)); err != nil {
			return fmt.Errorf("store: local copy: %w", err)
		}
	}
	slices.SortFunc(put, func(a, b Change) int { return int(int64(a.Num) - int64(b.Num)) })
	full, err := t.PrepareContext(ctx, copyStatement)
	if err != nil {
		return fmt.Errorf("store: local copy: %w", err)
	}
	defer full.Close()
	for len(put) > 0 {
		n := min(copyRows, len(put))
		if err := c.put(ctx, t, full, put[:n]); err != nil {
			return fmt.Errorf("store: local copy: %w", err)
		}
		put = put[n:]
	}
	for name, value := range map[string]string{"place": place, "count": strconv.Itoa(count)} {
		if _, err := t.ExecContext(ctx, "UPDATE meta SET value = $1 WHERE name = $2", value, name); err != nil {
			return fmt.Errorf("store: local copy: %w", err)
		}
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("store: local copy: %w", err)
	}
	c.place = place
	return nil
}

const copyHolders = ", (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" // of one row

var copyStatement = "INSERT OR REPLACE INTO entries (num, k, id, quality, since, case_id, case_ref, item_id, exact, video) VALUES " + strings.Repeat(copyHolders, copyRows)[2:]

// put writes some entries, copyRows at most; full is the statement for as many.
func (c *LocalCopy) put(ctx context.Context, t *sql.Tx, full *sql.Stmt, some []Change) error {
	args := make([]any, 0, 10*len(some))
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	for _, ch := range some {
		e := &ch.Entry
		k, err := c.kind(ctx, t, copyKind{ch.Peer, e.List, e.Fingerprint.Type, e.Fingerprint.Form})
		if err != nil {
			return err
		}
		var exact, video any
		switch e.Fingerprint.Type {
		case rempart.PDQ:
		case rempart.VPDQ:
			video = e.Fingerprint.Value
		default:
			exact = e.Fingerprint.Value
		}
		args = append(args, int64(ch.Num), k, e.ID, e.Fingerprint.Quality, micros(e.Since), text(e.CaseID), text(e.CaseRef), text(e.ItemID), exact, video)
	}
	if len(some) == copyRows {
		_, err := full.ExecContext(ctx, args...)
		return err
	}
	_, err := t.ExecContext(ctx, copyStatement[:len(copyStatement)-(copyRows-len(some))*len(copyHolders)], args...)
	return err
}

// kind returns the number of a kind, which it notes in t if it is new.
func (c *LocalCopy) kind(ctx context.Context, t *sql.Tx, k copyKind) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n, ok := c.kinds[k]; ok {
		return n, nil
	}
	n := int64(len(c.names) + 1)
	if _, err := t.ExecContext(ctx, "INSERT INTO kinds (k, peer, list, type, form) VALUES ($1, $2, $3, $4, $5)", n, k.Peer, k.List, string(k.Type), string(k.Form)); err != nil {
		return 0, err
	}
	c.kinds[k], c.names[n] = n, k
	c.fresh = append(c.fresh, n)
	return n, nil
}

// settle forgets the kinds that were noted in a transaction that was not saved.
func (c *LocalCopy) settle(saved bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !saved {
		for _, n := range c.fresh {
			delete(c.kinds, c.names[n])
			delete(c.names, n)
		}
	}
	c.fresh = nil
}
