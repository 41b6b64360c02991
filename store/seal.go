package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rempart"
	"rempart/ledger"
)

// sealBatch is how many records one transaction seals at most.
const sealBatch = 2000

// Seal hashes the records written since the last time into the ledger's tree,
// and signs a checkpoint if there were any. Any number of processes may call
// it; one does it at a time, and when it returns every record committed before
// the call is sealed.
//
// Records are numbered so that one that was committed before another was written
// has the lower number. They are found because they are not sealed, not because
// they come after the last one sealed: a record whose transaction commits late is
// sealed by the next call.
//
// It refuses to go on if the tree does not fit its last checkpoint, or does not
// extend the one in the file Options.Head: run VerifyLedger, and find out who changed it, before anything else.
func (db *DB) Seal(ctx context.Context) (sealed int, err error) {
	defer func() {
		if err == nil && db.opt.Head != "" {
			if err = db.write(ctx, (*tx).moveHead); err != nil {
				err = fmt.Errorf("store: sealing the ledger: %w", err)
			}
		}
	}()
	for {
		var n int
		err := db.write(ctx, func(t *tx) (err error) {
			n, err = t.sealSome()
			return err
		})
		if err != nil {
			return sealed, fmt.Errorf("store: sealing the ledger: %w", err)
		}
		sealed += n
		if n < sealBatch {
			return sealed, nil
		}
	}
}

func (t *tx) sealSome() (int, error) {
	if t.db.lockSeal != "" {
		if _, err := t.exec(t.db.lockSeal); err != nil {
			return 0, fmt.Errorf("waiting for who does it now: %w", err)
		}
	}
	text, err := t.meta("ledger_mark", "0")
	if err != nil {
		return 0, err
	}
	mark, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("mark: %w", err)
	}
	// The next mark is read before the records, so that it can't be past one
	// that they do not hold.
	var next int64
	if err := t.row(t.db.mark).Scan(&next); err != nil {
		return 0, fmt.Errorf("mark: %w", err)
	}
	type waiting struct {
		seq int64
		ledger.Record
	}
	rows, err := t.Tx.QueryContext(t.ctx, `SELECT r.seq, r.kind, r.subject, r.actor, r.at, r.data FROM records r LEFT JOIN leaves l ON l.record = r.seq
		WHERE l.record IS NULL AND `+t.db.unsealed+` ORDER BY r.seq LIMIT $2`, mark, sealBatch)
	records, err := collect(rows, err, func(s scanner) (w waiting, err error) {
		return w, s.Scan(&w.seq, &w.Kind, &w.Subject, &w.Actor, &w.At, &w.Data)
	})
	if err != nil {
		return 0, fmt.Errorf("records: %w", err)
	}
	if len(records) == 0 {
		return 0, nil
	}
	edge, err := t.edge()
	if err != nil {
		return 0, err
	}
	var args []any
	var values []string
	for i, r := range records {
		n := len(args)
		values = append(values, fmt.Sprintf("($%d, $%d, $%d)", n+1, n+2, n+3))
		args = append(args, edge.Size(), r.seq, ledger.JoinHashes(edge.Add(r.Hash())))
		if len(values) < 200 && i < len(records)-1 {
			continue
		}
		if _, err := t.exec("INSERT INTO leaves (num, record, hashes) VALUES "+strings.Join(values, ", "), args...); err != nil {
			return 0, fmt.Errorf("leaves: %w", err)
		}
		args, values = nil, nil
	}
	c := ledger.Checkpoint{Origin: t.db.opt.Name, Size: edge.Size(), Root: edge.Root()}
	signed, err := t.db.sign.Sign(c.Origin, c.String())
	if err != nil {
		return 0, err
	}
	// Only the hour: soon after a report, the minute would be that of the report.
	if _, err := t.exec("INSERT INTO checkpoints (size, note, at) VALUES ($1, $2, $3)", c.Size, signed, micros(t.now.Truncate(time.Hour))); err != nil {
		return 0, fmt.Errorf("checkpoint %d: %w", c.Size, err)
	}
	if len(records) == sealBatch {
		return len(records), nil // there may be more: keep the mark
	}
	return len(records), t.setMeta("ledger_mark", strconv.FormatInt(next, 10))
}

// newest returns the newest checkpoint, as it was signed and read; "" and the
// empty tree's if there is none.
func (t *tx) newest() (signed string, c ledger.Checkpoint, err error) {
	err = t.row("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1").Scan(&signed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", c, nil
	}
	if err != nil {
		return "", c, fmt.Errorf("last checkpoint: %w", err)
	}
	v, err := t.db.verifier()
	if err != nil {
		return "", c, err
	}
	if c, err = v.Checkpoint(signed); err != nil {
		return "", c, fmt.Errorf("last checkpoint: %w", err)
	}
	return signed, c, nil
}

// edge returns the right edge of the tree, which must fit the last checkpoint
// and extend the head.
func (t *tx) edge() (*ledger.Edge, error) {
	_, c, err := t.newest()
	if err != nil {
		return nil, err
	}
	edge, err := ledger.EdgeOf(c.Size, t.node)
	if err != nil {
		return nil, err
	}
	if edge.Root() != c.Root {
		return nil, fmt.Errorf("the tree was altered: it does not fit the checkpoint signed after %d records; run rempart verify", c.Size)
	}
	return edge, t.extendsHead(c)
}

// node returns a stored hash of the tree.
func (t *tx) node(level int, n int64) (ledger.Hash, error) {
	var b []byte
	leaf := ledger.LeafOf(level, n)
	if err := t.row("SELECT hashes FROM leaves WHERE num = $1", leaf).Scan(&b); err != nil {
		return ledger.Hash{}, fmt.Errorf("hashes of record %d: %w", leaf, err)
	}
	hashes, err := ledger.SplitHashes(b)
	if err != nil {
		return ledger.Hash{}, err
	}
	if level >= len(hashes) {
		return ledger.Hash{}, fmt.Errorf("hashes of record %d: %d where more were stored", leaf, len(hashes))
	}
	return hashes[level], nil
}

func (db *DB) verifier() (ledger.Verifier, error) {
	vkey, err := db.sign.Verifier(db.opt.Name)
	if err != nil {
		return ledger.Verifier{}, err
	}
	return ledger.ParseVerifier(vkey)
}

// Checkpoint returns the newest signed checkpoint (a signed note), empty when
// nothing is sealed yet, and the verifier key to check it with.
func (db *DB) Checkpoint(ctx context.Context) (note, verifier string, err error) {
	verifier, err = db.sign.Verifier(db.opt.Name)
	if err != nil {
		return "", "", fmt.Errorf("store: verifier key: %w", err)
	}
	err = db.r.QueryRowContext(ctx, "SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1").Scan(&note)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", "", db.explain(fmt.Errorf("store: checkpoint: %w", err))
	}
	return note, verifier, nil
}

// CheckpointAfter returns the signed checkpoint after a number of records, empty
// if there is none, the verifier key under its name, and when it was signed, to
// the hour.
func (db *DB) CheckpointAfter(ctx context.Context, size int64) (note, verifier string, at time.Time, err error) {
	var micros int64
	err = db.r.QueryRowContext(ctx, "SELECT note, at FROM checkpoints WHERE size = $1", size).Scan(&note, &micros)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", "", at, db.explain(fmt.Errorf("store: checkpoint %d: %w", size, err))
	}
	origin := db.opt.Name
	if err == nil {
		origin, _, _ = strings.Cut(note, "\n")
	}
	if verifier, err = db.sign.Verifier(origin); err != nil {
		return "", "", at, fmt.Errorf("store: verifier key: %w", err)
	}
	return note, verifier, fromMicros(micros), nil
}

// Sign signs a text as a note (golang.org/x/mod/sumdb/note) with the instance's
// key, such as a person's receipt. The same text always gives the same note. It
// refuses a text that could pass for a checkpoint of the ledger.
func (db *DB) Sign(text string) (string, error) {
	if _, err := ledger.ParseCheckpoint(text + "\n"); err == nil {
		return "", &rempart.Error{Kind: rempart.Invalid, Code: "note.checkpoint", Public: "This text reads like a checkpoint of the ledger; it is not signed."}
	}
	return db.sign.Sign(db.opt.Name, text)
}
