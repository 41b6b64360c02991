package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"rempart"
	"rempart/ledger"
)

// verifyPage is how many records or checkpoints VerifyLedger reads at a time.
const verifyPage = 1000

// A Kept checkpoint comes from outside the database; the ledger must extend it.
type Kept struct {
	ledger.Checkpoint        // whose signature was checked
	Where             string // for the operator, such as "kept in ledger.head"
}

// VerifyLedger reads every record again and says whether the ledger is whole: no
// record differs from what was sealed, and the tree extends every checkpoint that
// is stored, that in Options.Head and those given. It says nothing of cases,
// which are not compared with the ledger. progress, if not nil, is called now and then. It sees the ledger as it was
// when it began; what is written meanwhile waits for the next time.
func (db *DB) VerifyLedger(ctx context.Context, progress func(done, total int64), kept ...Kept) (ledger.Report, error) {
	// Before the snapshot, which then holds at least what the head does.
	_, head, ok, err := db.readHead()
	if err != nil {
		return ledger.Report{}, fmt.Errorf("store: verifying the ledger: %w", err)
	}
	if ok {
		kept = append(kept, Kept{head, "kept in " + filepath.Base(db.opt.Head)})
	}
	rep, err := db.verify(ctx, progress, kept)
	if err != nil {
		return ledger.Report{}, db.explain(fmt.Errorf("store: verifying the ledger: %w", err))
	}
	return rep, nil
}

func (db *DB) verify(ctx context.Context, progress func(done, total int64), kept []Kept) (rep ledger.Report, err error) {
	sqlTx, err := db.r.BeginTx(ctx, &sql.TxOptions{Isolation: db.snapshot, ReadOnly: db.snapshot != sql.LevelDefault})
	if err != nil {
		return rep, err
	}
	defer sqlTx.Rollback()
	key, err := db.verifier()
	if err != nil {
		return rep, err
	}
	var records, leaves int64
	if err := sqlTx.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM leaves)").Scan(&records, &leaves); err != nil {
		return rep, err
	}
	check := ledger.NewChecker(key)
	for _, k := range kept {
		check.Kept(k.Checkpoint, k.Where)
	}
	marks := checkpoints{tx: sqlTx}
	var done int64
	for last := int64(-1); ; {
		page, err := readLeaves(ctx, sqlTx, last)
		if err != nil {
			return rep, err
		}
		for _, l := range page {
			// The leaf's number is where it stands: up to there, all
			// checkpoints are due.
			if err := marks.upTo(ctx, l.Number, check); err != nil {
				return rep, err
			}
			check.Leaf(l)
			last = l.Number
		}
		done += int64(len(page))
		if progress != nil {
			progress(done, leaves)
		}
		if len(page) < verifyPage {
			break
		}
	}
	if err := marks.upTo(ctx, -1, check); err != nil {
		return rep, err
	}
	if err := db.strays(ctx, sqlTx, check); err != nil {
		return rep, err
	}
	if err := waitingErasures(ctx, sqlTx, check); err != nil {
		return rep, err
	}
	return check.Report(records), nil
}

// waitingErasures finds what accounts for erased records and is not sealed yet.
func waitingErasures(ctx context.Context, q *sql.Tx, check *ledger.Checker) error {
	rows, err := q.QueryContext(ctx, "SELECT r.kind, r.subject, r.actor, r.at, r.data FROM records r LEFT JOIN leaves l ON l.record = r.seq WHERE l.record IS NULL AND r.kind IN ($1, $2)", ledger.KindErased, ledger.KindIntakeErased)
	waiting, err := collect(rows, err, scanRecord)
	for _, r := range waiting {
		check.Erasure(r)
	}
	return err
}

// strays finds records without a leaf that sealing has gone past.
func (db *DB) strays(ctx context.Context, q *sql.Tx, check *ledger.Checker) error {
	var text string
	err := q.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = 'ledger_mark'").Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		text, err = "0", nil
	}
	if err != nil {
		return err
	}
	mark, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("mark: %w", err)
	}
	rows, err := q.QueryContext(ctx, `SELECT r.kind, r.subject, r.actor, r.at, r.data FROM records r LEFT JOIN leaves l ON l.record = r.seq
		WHERE l.record IS NULL AND `+db.stray+` ORDER BY r.seq LIMIT $2`, mark, verifyPage)
	strays, err := collect(rows, err, func(s scanner) (r ledger.Record, err error) {
		return r, s.Scan(&r.Kind, &r.Subject, &r.Actor, &r.At, &r.Data)
	})
	for _, r := range strays {
		check.Stray(r)
	}
	return err
}

// readLeaves reads the leaves after one, with their records.
func readLeaves(ctx context.Context, q *sql.Tx, after int64) ([]ledger.Leaf, error) {
	rows, err := q.QueryContext(ctx, `SELECT l.num, l.hashes, r.seq IS NOT NULL, coalesce(r.kind, ''), coalesce(r.subject, ''), coalesce(r.actor, ''), coalesce(r.at, 0), coalesce(r.data, ''), coalesce(e.subject, '')
		FROM leaves l LEFT JOIN records r ON r.seq = l.record LEFT JOIN erasures e ON e.num = l.num WHERE l.num > $1 ORDER BY l.num LIMIT $2`, after, verifyPage)
	return collect(rows, err, func(s scanner) (l ledger.Leaf, err error) {
		var r ledger.Record
		var there bool
		err = s.Scan(&l.Number, &l.Hashes, &there, &r.Kind, &r.Subject, &r.Actor, &r.At, &r.Data, &l.Erased)
		if there {
			l.Record = &r
		}
		return l, err
	})
}

// checkpoints reads the checkpoints by size, a page at a time.
type checkpoints struct {
	tx   *sql.Tx
	page []checkpoint
	last int64
	end  bool
}

type checkpoint struct {
	size int64
	note string
}

// upTo hands the checkpoints of at most the given size to check; -1 is all.
func (c *checkpoints) upTo(ctx context.Context, size int64, check *ledger.Checker) error {
	for {
		if len(c.page) == 0 && !c.end {
			rows, err := c.tx.QueryContext(ctx, "SELECT size, note FROM checkpoints WHERE size > $1 ORDER BY size LIMIT $2", c.last, verifyPage)
			c.page, err = collect(rows, err, func(s scanner) (p checkpoint, err error) { return p, s.Scan(&p.size, &p.note) })
			if err != nil {
				return err
			}
			c.end = len(c.page) < verifyPage
		}
		if len(c.page) == 0 || size >= 0 && c.page[0].size > size {
			return nil
		}
		check.Checkpoint(c.page[0].size, c.page[0].note)
		c.last = c.page[0].size
		c.page = c.page[1:]
	}
}

// Prove returns the proof that a sealed record, by its number, is in the tree of
// the newest checkpoint: something to give to a stranger, with the verifier key.
func (db *DB) Prove(ctx context.Context, number int64) (ledger.Proof, error) {
	var p ledger.Proof
	err := db.write(ctx, func(t *tx) error {
		var r ledger.Record
		p = ledger.Proof{Number: number}
		err := t.row("SELECT r.kind, r.subject, r.actor, r.at, r.data FROM leaves l JOIN records r ON r.seq = l.record WHERE l.num = $1", number).Scan(&r.Kind, &r.Subject, &r.Actor, &r.At, &r.Data)
		if err != nil {
			return missing(err, "record")
		}
		if err := t.row("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1").Scan(&p.Checkpoint); err != nil {
			return missing(err, "checkpoint")
		}
		key, err := db.verifier()
		if err != nil {
			return err
		}
		c, err := key.Checkpoint(p.Checkpoint)
		if err != nil {
			return err
		}
		if number >= c.Size {
			return &rempart.Error{Kind: rempart.NotFound, Code: "record.missing", Public: "There is no such record."}
		}
		p.Record = r.Bytes()
		p.Hashes, err = ledger.Prove(c.Size, number, t.node)
		return err
	})
	return p, err
}
