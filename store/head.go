package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"rempart/ledger"
)

// The head is the newest checkpoint that this instance knows of, kept in a file
// outside the database: whoever can write to the database alone can take the end
// of the ledger away, with its checkpoints, but not make the head forget it.
//
// It only moves forward, to a checkpoint whose tree holds all of the head's. It
// moves after the transaction that signed the checkpoint was saved: a crash in
// between leaves it behind, never ahead.

// errHead says what to do about a ledger that does not extend the head.
var errHead = errors.New("the ledger was altered, or an older database was put in place: run rempart verify; if you restored a backup on purpose, move the file aside first")

// readHead returns the checkpoint in the head's file; ok is false if there is no
// file.
func (db *DB) readHead() (signed string, c ledger.Checkpoint, ok bool, err error) {
	if db.opt.Head == "" {
		return "", c, false, nil
	}
	b, err := os.ReadFile(db.opt.Head)
	if errors.Is(err, fs.ErrNotExist) {
		return "", c, false, nil
	}
	if err != nil {
		return "", c, false, fmt.Errorf("head of the ledger: %w", err)
	}
	v, err := db.verifier()
	if err != nil {
		return "", c, false, err
	}
	if c, err = v.Checkpoint(string(b)); err != nil {
		return "", c, false, fmt.Errorf("head of the ledger: %s: %w", db.opt.Head, err)
	}
	return string(b), c, true, nil
}

// extendsHead checks that the tree of the newest checkpoint, which fits it,
// extends the head.
func (t *tx) extendsHead(newest ledger.Checkpoint) error {
	_, head, ok, err := t.db.readHead()
	if err != nil || !ok || head.Size == newest.Size && head.Root == newest.Root {
		return err
	}
	if head.Size <= newest.Size {
		edge, err := ledger.EdgeOf(head.Size, t.node)
		if err != nil {
			return err
		}
		if edge.Root() == head.Root {
			return nil
		}
	}
	return fmt.Errorf("the tree of %d records does not extend the checkpoint after %d records in %s: %w", newest.Size, head.Size, t.db.opt.Head, errHead)
}

// moveHead brings the head's file to the newest checkpoint of the database. It
// holds the lock of sealing, so that of two processes none moves it back.
func (t *tx) moveHead() error {
	if t.db.lockSeal != "" {
		if _, err := t.exec(t.db.lockSeal); err != nil {
			return fmt.Errorf("waiting for who seals now: %w", err)
		}
	}
	signed, newest, err := t.newest()
	if err != nil {
		return err
	}
	before, _, _, err := t.db.readHead()
	if err != nil || before == signed {
		return err
	}
	if err := t.extendsHead(newest); err != nil {
		return err
	}
	if signed == "" {
		return nil
	}
	return writeWhole(t.db.opt.Head, signed)
}

// writeWhole replaces a file with a text, readable by its owner only; after a
// crash it holds the old text or the new one.
func writeWhole(name, text string) error {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, ".head")
	if err != nil {
		return fmt.Errorf("head of the ledger: %w", err)
	}
	defer os.Remove(f.Name()) // does nothing after Rename
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("head of the ledger: %w", err)
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return fmt.Errorf("head of the ledger: %w", err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("head of the ledger: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("head of the ledger: %w", err)
	}
	return nil
}
