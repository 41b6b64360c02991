package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"rempart"
	"rempart/keyring"
)

// Boxes that an owner may have, each under a key of its own.
const (
	boxCase     = "case"     // a case with its reports and index
	boxIntake   = "intake"   // a notice that a platform received
	boxIdentity = "identity" // who a case is about; see OpenIdentity
	boxMail     = "mail"     // an e-mail of which nobody knows yet what it is about
)

// Errors of the keyring that an operator can mend. Nothing was written.
var (
	ErrNoKeyring    = errors.New("the store was given no keyring")
	ErrWrongKeyring = errors.New("this database was sealed with another keyring; nothing in it can be opened with this one: give the keyring that was saved with it")
	ErrOldKeyring   = errors.New("the keyring was rotated, and this is a copy from before: give the one that was rotated")
)

// errErased is what is said of a box whose key is no longer there.
func errErased() error {
	return &rempart.Error{Kind: rempart.NotFound, Code: "case.erased", Public: "The key of this case was destroyed; nothing of it can be read any more."}
}

// openRing takes the keyring for this database, once, and checks that it is the
// one the database was sealed with. If it never was, it seals what an older
// version kept in clear, and returns how much that was. It is called in the
// transaction that migrates, which one process at a time does.
func (t *tx) openRing() (n int, err error) {
	if t.db.opt.Keyring == nil {
		return 0, ErrNoKeyring
	}
	var kept string
	err = t.row("SELECT value FROM meta WHERE name = 'keyring'").Scan(&kept)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("keyring: %w", err)
	}
	ring, err := t.db.opt.Keyring(kept == "")
	if err != nil {
		return 0, err
	}
	check, err := ring.Check()
	if err != nil {
		return 0, err
	}
	if kept != "" && kept != check {
		return 0, ErrWrongKeyring
	}
	t.db.ring = ring
	if kept != "" {
		return 0, t.current()
	}
	if err := t.setMeta("keyring", check); err != nil {
		return 0, err
	}
	if err := t.setMeta("keyring primary", ring.Primary()); err != nil {
		return 0, err
	}
	return t.sealOld()
}

// current makes sure that the keyring in memory wraps with the key that it
// should: another process may have rotated it. Nothing may be wrapped under a
// key that is about to be dropped, so the transaction holds the lock that a
// rotation waits for.
func (t *tx) current() error {
	if t.db.shareRing != "" {
		if _, err := t.exec(t.db.shareRing); err != nil {
			return fmt.Errorf("waiting for who rotates the keyring: %w", err)
		}
	}
	var want string
	if err := t.row("SELECT value FROM meta WHERE name = 'keyring primary'").Scan(&want); err != nil {
		return fmt.Errorf("keyring: %w", err)
	}
	if t.db.ring.Primary() == want {
		return nil
	}
	if err := t.db.ring.Reload(); err != nil {
		return err
	}
	if t.db.ring.Primary() == want {
		return nil
	}
	// A rotation that turned the file and has not said so here yet: what it
	// wraps under opens with the file. Any other ring that lacks the key that
	// the database asks for is too old.
	for _, k := range t.db.ring.Keys() {
		if k == want {
			return nil
		}
	}
	return ErrOldKeyring
}

// newKey makes the key of a box and keeps it, wrapped.
func (t *tx) newKey(box, owner string) (keyring.Key, error) {
	if err := t.current(); err != nil {
		return keyring.Key{}, fmt.Errorf("store: key of %s: %w", owner, err)
	}
	k, w, err := t.db.ring.NewKey(box, owner)
	if err != nil {
		return k, fmt.Errorf("store: key of %s: %w", owner, err)
	}
	if _, err := t.exec("INSERT INTO sealed_keys (owner, box, ring, wrapped) VALUES ($1, $2, $3, $4)", owner, box, w.RingKey(), []byte(w)); err != nil {
		return k, fmt.Errorf("store: key of %s: %w", owner, err)
	}
	return k, nil
}

// unwrap opens a key as it lies in the database; nil was destroyed.
func (db *DB) unwrap(w []byte, box, owner string) (keyring.Key, error) {
	if w == nil {
		return keyring.Key{}, errErased()
	}
	k, err := db.ring.Unwrap(w, box, owner)
	if errors.Is(err, keyring.ErrWrongKey) { // another process may have rotated the ring
		if err := db.ring.Reload(); err != nil {
			return k, fmt.Errorf("store: key of %s: %w", owner, err)
		}
		k, err = db.ring.Unwrap(w, box, owner)
	}
	if err != nil {
		return k, fmt.Errorf("store: key of %s: %w", owner, err)
	}
	return k, nil
}

// keyColumn is the wrapped key of a row's owner, NULL if there is none.
func keyColumn(box, owner string) string {
	return "(SELECT k.wrapped FROM sealed_keys k WHERE k.owner = " + owner + " AND k.box = '" + box + "')"
}

// sealed writes a document into a box.
func sealed(k keyring.Key, v any, what, id string) ([]byte, error) {
	doc, err := encode(v)
	if err != nil {
		return nil, err
	}
	return k.Seal(doc, what, id)
}

// unsealed reads a document from a box.
func unsealed(k keyring.Key, box []byte, what, id string, v any, decode func([]byte, any) error) error {
	doc, err := k.Open(box, what, id)
	if err != nil {
		return err
	}
	return decode(doc, v)
}

// What a case can be found by, each a domain of the blind index.
const (
	FindAddress = "address" // the exact address of an item, as rempart.CleanAddress writes it
	FindNumber  = "number"  // the number that a platform gave a notice
	FindPrint   = "print"   // the value of a fingerprint
)

// terms returns what a case can be found by, as domain and value.
func terms(c *rempart.Case) map[[2]string]bool {
	out := map[[2]string]bool{}
	for _, i := range c.Items {
		if i.Address != "" {
			out[[2]string{FindAddress, i.Address}] = true
		}
		for _, f := range i.Fingerprints {
			if f.Listable() { // flat pictures are all alike
				out[[2]string{FindPrint, f.Value}] = true
			}
		}
	}
	for _, n := range c.Notices {
		if n.Number != "" {
			out[[2]string{FindNumber, n.Number}] = true
		}
	}
	return out
}

// index notes the terms of a case that it did not have before.
func (t *tx) index(c *rempart.Case, before map[[2]string]bool) error {
	for term := range terms(c) {
		if before[term] {
			continue
		}
		hash, err := t.db.ring.Index(term[0], term[1])
		if err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO case_index (hash, case_id) VALUES ($1, $2) ON CONFLICT (hash, case_id) DO NOTHING", hash, c.ID); err != nil {
			return fmt.Errorf("store: index of case %s: %w", c.ID, err)
		}
	}
	return nil
}

// FindCases returns the references of the cases with an exact address, number or
// fingerprint (FindAddress, FindNumber, FindPrint), at most 200, the oldest case first.
func (db *DB) FindCases(ctx context.Context, domain, value string) ([]string, error) {
	hash, err := db.ring.Index(domain, value)
	if err != nil {
		return nil, err
	}
	rows, err := db.r.QueryContext(ctx, "SELECT c.ref FROM case_index i JOIN cases c ON c.id = i.case_id WHERE i.hash = $1 ORDER BY c.id LIMIT 200", hash)
	out, err := collect(rows, err, func(s scanner) (ref string, err error) { return ref, s.Scan(&ref) })
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: finding cases: %w", err))
	}
	return out, nil
}

// sealOld seals what an older version kept in clear, and says how much that was.
// It is part of the transaction that migrates: all is sealed, or nothing is, and
// the older version still works.
func (t *tx) sealOld() (n int, err error) {
	for _, table := range []struct {
		box, query string
		seal       func(k keyring.Key, id string, doc []byte) error
	}{
		{boxCase, "SELECT id, doc FROM cases WHERE NOT EXISTS (SELECT 1 FROM sealed_keys k WHERE k.owner = cases.id AND k.box = 'case') ORDER BY id LIMIT 200", t.sealOldCase},
		{boxIntake, "SELECT id, doc FROM intakes WHERE NOT EXISTS (SELECT 1 FROM sealed_keys k WHERE k.owner = intakes.id AND k.box = 'intake') ORDER BY id LIMIT 200", func(k keyring.Key, id string, doc []byte) error {
			return t.sealOldDoc(k, "intakes", boxIntake, id, doc)
		}},
	} {
		for {
			type old struct {
				id  string
				doc []byte
			}
			rows, err := t.Tx.QueryContext(t.ctx, table.query)
			page, err := collect(rows, err, func(s scanner) (o old, err error) { return o, s.Scan(&o.id, &o.doc) })
			if err != nil {
				return n, fmt.Errorf("store: what is in clear: %w", err)
			}
			for _, o := range page {
				if keyring.Sealed(o.doc) {
					return n, fmt.Errorf("store: %s %s is sealed, and its key is not here: were the keys put back after the data?", table.box, o.id)
				}
				k, err := t.newKey(table.box, o.id)
				if err != nil {
					return n, err
				}
				if err := table.seal(k, o.id, o.doc); err != nil {
					return n, fmt.Errorf("store: sealing %s %s: %w", table.box, o.id, err)
				}
				n++
			}
			if len(page) == 0 {
				break
			}
		}
	}
	return n, nil
}

func (t *tx) sealOldDoc(k keyring.Key, table, what, id string, doc []byte) error {
	box, err := k.Seal(doc, what, id)
	if err != nil {
		return err
	}
	_, err = t.exec("UPDATE "+table+" SET doc = $1 WHERE id = $2", box, id)
	return err
}

func (t *tx) sealOldCase(k keyring.Key, id string, doc []byte) error {
	c := new(rempart.Case)
	if err := decode(doc, c); err != nil {
		return err
	}
	if err := t.sealOldDoc(k, "cases", "case", id, doc); err != nil {
		return err
	}
	sum, err := sealed(k, hide(c), "summary", id)
	if err != nil {
		return err
	}
	if _, err := t.exec("UPDATE cases SET summary = $1 WHERE id = $2", sum, id); err != nil {
		return err
	}
	rows, err := t.Tx.QueryContext(t.ctx, "SELECT id, doc FROM reports WHERE case_id = $1", id)
	reports := map[string][]byte{}
	_, err = collect(rows, err, func(s scanner) (_ bool, err error) {
		var id string
		var doc []byte
		err = s.Scan(&id, &doc)
		reports[id] = doc
		return true, err
	})
	if err != nil {
		return err
	}
	for report, doc := range reports {
		if err := t.sealOldDoc(k, "reports", "report", report, doc); err != nil {
			return err
		}
	}
	return t.index(c, nil)
}

// hidden is what the queue shows of a case and is sealed.
type hidden struct {
	Services []string       `json:"services"`
	Assigned rempart.Actor  `json:"assigned,omitempty"`
	Because  []rempart.Text `json:"because,omitempty"`
}

// hide returns what is sealed of a case's summary.
func hide(c *rempart.Case) hidden {
	h := hidden{Services: summary(c).Services, Because: c.Because}
	if c.Assigned != nil {
		h.Assigned = c.Assigned.Alias
	}
	return h
}

// sweep makes the database let go of what was overwritten or deleted: the log
// that SQLite keeps beside the file, and the dead rows of PostgreSQL. Until then
// it may still lie on the disk.
func (db *DB) sweep(ctx context.Context, tables ...string) error {
	if db.lockRing == "" { // SQLite: secure_delete has overwritten the pages
		var busy, log, done int
		if err := db.w.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &done); err != nil {
			return fmt.Errorf("store: emptying the log: %w", err)
		}
		return nil
	}
	if _, err := db.w.ExecContext(ctx, "VACUUM FULL "+strings.Join(tables, ", ")); err != nil {
		return fmt.Errorf("store: sweeping dead rows: %w", err)
	}
	return nil
}
