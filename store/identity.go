package store

import (
	"context"
	"fmt"

	"rempart"
)

// The identity of a case is in a box of its own, under a key of its own: whoever
// reads a case does not read it, and every opening leaves a record.

// PutIdentity keeps who a case is about, in place of what was kept before.
func (db *DB) PutIdentity(ctx context.Context, caseID string, i rempart.Identity, by rempart.Actor) error {
	i, err := i.Normal()
	if err != nil {
		return err
	}
	return db.write(ctx, func(t *tx) error {
		err := t.changeCase(caseID, func(c *rempart.Case) error {
			c.NoteIdentity(by, t.now)
			return nil
		})
		if err != nil {
			return err
		}
		if err := t.dropIdentity(caseID); err != nil {
			return err
		}
		key, err := t.newKey(boxIdentity, caseID)
		if err != nil {
			return err
		}
		doc, err := sealed(key, i, "identity", caseID)
		if err != nil {
			return err
		}
		if _, err := t.exec("INSERT INTO identities (case_id, doc) VALUES ($1, $2)", caseID, doc); err != nil {
			return fmt.Errorf("store: identity of case %s: %w", caseID, err)
		}
		return nil
	})
}

// OpenIdentity returns who a case is about, once the reason for it is saved with
// the case and its digest in the ledger. Who calls it has made sure that by has
// the right, and is the person at the keyboard.
func (db *DB) OpenIdentity(ctx context.Context, caseID, reason string, by rempart.Actor) (i rempart.Identity, err error) {
	err = db.write(ctx, func(t *tx) error {
		err := t.changeCase(caseID, func(c *rempart.Case) error { return c.OpenIdentity(reason, by, t.now) })
		if err != nil {
			return err
		}
		var doc, wrapped []byte
		if err := t.row("SELECT doc, "+keyColumn(boxIdentity, "identities.case_id")+" FROM identities WHERE case_id = $1", caseID).Scan(&doc, &wrapped); err != nil {
			return missing(err, "identity")
		}
		key, err := db.unwrap(wrapped, boxIdentity, caseID)
		if err != nil {
			return err
		}
		return unsealed(key, doc, "identity", caseID, &i, decode)
	})
	if err != nil {
		return rempart.Identity{}, err
	}
	return i, nil
}

// EraseIdentity destroys the identity of a case, which is not erased itself.
func (db *DB) EraseIdentity(ctx context.Context, caseID string, by rempart.Actor) error {
	err := db.write(ctx, func(t *tx) error {
		err := t.changeCase(caseID, func(c *rempart.Case) error { return c.ForgetIdentity(by, t.now) })
		if err != nil {
			return err
		}
		return t.dropIdentity(caseID)
	})
	if err != nil {
		return err
	}
	return db.forget(ctx)
}

func (t *tx) dropIdentity(caseID string) error {
	for _, q := range []string{"DELETE FROM sealed_keys WHERE owner = $1 AND box = 'identity'", "DELETE FROM identities WHERE case_id = $1"} {
		if _, err := t.exec(q, caseID); err != nil {
			return fmt.Errorf("store: identity of case %s: %w", caseID, err)
		}
	}
	return nil
}
