package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rempart"
)

// AddFactor gives a member of the staff a factor, with its secret: the shared
// key of one-time passwords, or a passkey's credential as its library writes it.
// It fails with a rempart.Conflict if the factor is known, or if she has
// rempart.MaxFactors. The event goes to the ledger in the same transaction.
func (db *DB) AddFactor(ctx context.Context, f rempart.Factor, secret []byte, e rempart.Event) error {
	if f.ID == "" || f.StaffID == "" || f.Kind == "" || len(secret) == 0 {
		return errors.New("store: a factor without identifier, holder, kind or secret")
	}
	doc, err := encode(f)
	if err != nil {
		return err
	}
	sealed, err := db.seal(secret, "factor "+f.StaffID+" "+f.ID)
	if err != nil {
		return fmt.Errorf("store: factor: %w", err)
	}
	return db.write(ctx, func(t *tx) error {
		if err := t.member(f.StaffID); err != nil {
			return err
		}
		var n int
		if err := t.row("SELECT count(*) FROM factors WHERE staff_id = $1", f.StaffID).Scan(&n); err != nil {
			return fmt.Errorf("store: factors: %w", err)
		}
		if n >= rempart.MaxFactors {
			return &rempart.Error{Kind: rempart.Conflict, Code: "factor.many", Public: "You have as many ways to sign in as there can be. Remove one first."}
		}
		n64, err := t.exec("INSERT INTO factors (id, staff_id, used, secret, doc) VALUES ($1, $2, 0, $3, $4) ON CONFLICT (id) DO NOTHING", f.ID, f.StaffID, sealed, doc)
		if err != nil {
			return fmt.Errorf("store: factor: %w", err)
		}
		if n64 == 0 {
			return &rempart.Error{Kind: rempart.Conflict, Code: "factor.known", Public: "This passkey is already known here."}
		}
		return t.event(e)
	})
}

// A FactorSecret is a factor with what it is checked against.
type FactorSecret struct {
	rempart.Factor
	Secret []byte
}

// Factors returns the factors of a member of the staff, oldest first.
func (db *DB) Factors(ctx context.Context, staffID string) ([]FactorSecret, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT secret, doc FROM factors WHERE staff_id = $1", staffID)
	out, err := collect(rows, err, func(s scanner) (f FactorSecret, err error) {
		var sealed, doc []byte
		if err := s.Scan(&sealed, &doc); err != nil {
			return f, err
		}
		if err := decode(doc, &f.Factor); err != nil {
			return f, err
		}
		f.Secret, err = db.unseal(sealed, "factor "+f.StaffID+" "+f.ID)
		return f, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: factors: %w", err))
	}
	slices.SortFunc(out, func(a, b FactorSecret) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out, nil
}

// UseFactor notes that a factor was given, at a number that only grows: the time
// step of a one-time password, or a passkey's signature counter. used must be
// greater than the last one, but that passkeys without a counter always say 0;
// otherwise what was given was given before, and the answer is a
// rempart.Unauthorized. secret replaces what is kept, nil keeps it.
func (db *DB) UseFactor(ctx context.Context, f rempart.Factor, used int64, secret []byte) error {
	return db.write(ctx, func(t *tx) error {
		f.UsedAt = t.now
		doc, err := encode(f)
		if err != nil {
			return err
		}
		n, err := t.exec("UPDATE factors SET used = $1, doc = $2 WHERE id = $3 AND staff_id = $4 AND (used < $1 OR (used = 0 AND $1 = 0))", used, doc, f.ID, f.StaffID)
		if err != nil {
			return fmt.Errorf("store: factor: %w", err)
		}
		if n == 0 {
			return &rempart.Error{Kind: rempart.Unauthorized, Code: "factor.used", Public: "This code was already used. Wait for the next one."}
		}
		if secret == nil {
			return nil
		}
		sealed, err := db.seal(secret, "factor "+f.StaffID+" "+f.ID)
		if err != nil {
			return fmt.Errorf("store: factor: %w", err)
		}
		if _, err := t.exec("UPDATE factors SET secret = $1 WHERE id = $2", sealed, f.ID); err != nil {
			return fmt.Errorf("store: factor: %w", err)
		}
		return nil
	})
}

// RemoveFactors takes a factor from a member of the staff, every one where id is
// "", and returns how many there were. The event goes to the ledger if there was
// one.
func (db *DB) RemoveFactors(ctx context.Context, staffID, id string, e rempart.Event) (n int64, err error) {
	return n, db.write(ctx, func(t *tx) error {
		var err error
		if n, err = t.exec("DELETE FROM factors WHERE staff_id = $1 AND ($2 = '' OR id = $2)", staffID, id); err != nil {
			return fmt.Errorf("store: removing factors: %w", err)
		}
		if n == 0 {
			return nil
		}
		return t.event(e)
	})
}

// CountTry counts a try to prove something for a subject, such as "second
// factor of" and an identifier; after a few it is a rempart.Unavailable with the
// seconds to wait, as for passwords. ForgetTries ends that after a success.
func (db *DB) CountTry(ctx context.Context, subject string) error {
	return db.countTry(ctx, db.keyed("try", subject))
}

// ForgetTries forgets what CountTry counted.
func (db *DB) ForgetTries(ctx context.Context, subject string) error {
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec("DELETE FROM tries WHERE login_hash = $1", t.db.keyed("try", subject)); err != nil {
			return fmt.Errorf("store: forgetting tries: %w", err)
		}
		return nil
	})
}

// Spend uses up something that may be used once, such as a challenge; the second
// time it is ErrAlready.
func (db *DB) Spend(ctx context.Context, once string) error {
	return db.write(ctx, func(t *tx) error { return t.spend(once) })
}
