package store

import (
	"context"
	"fmt"

	"rempart"
)

// rotateBatch is how many keys one transaction wraps again.
const rotateBatch = 500

// KeyCounts returns how many keys of cases, intakes and identities each key of
// the keyring wraps, by the ring key's name.
func (db *DB) KeyCounts(ctx context.Context) (map[string]int, error) {
	out := map[string]int{}
	rows, err := db.r.QueryContext(ctx, "SELECT ring, count(*) FROM sealed_keys GROUP BY ring")
	_, err = collect(rows, err, func(s scanner) (n int, err error) {
		var ring string
		err = s.Scan(&ring, &n)
		out[ring] = n
		return n, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: counting keys: %w", err))
	}
	return out, nil
}

// Rewrap wraps every key again under the key that the keyring wraps with now, in
// batches, and calls progress after each. When it returns without an error, no
// key is or will be wrapped under another: every process that makes keys looks
// first which one that is. It may be stopped and begun again at any point, while
// others serve.
func (db *DB) Rewrap(ctx context.Context, progress func(done int)) error {
	primary := db.ring.Primary()
	// Whoever makes a key holds the lock for its transaction, so that after this
	// one nobody wraps under an older key.
	err := db.patiently(ctx, func(t *tx) error {
		if db.lockRing != "" {
			if _, err := t.exec(db.lockRing); err != nil {
				return fmt.Errorf("waiting for who makes keys: %w", err)
			}
		}
		return t.setMeta("keyring primary", primary)
	})
	if err != nil {
		return fmt.Errorf("store: rotating the keyring: %w", err)
	}
	for done := 0; ; {
		var n int
		err := db.patiently(ctx, func(t *tx) (err error) {
			n, err = t.rewrapSome(primary)
			return err
		})
		if err != nil {
			return fmt.Errorf("store: rotating the keyring: %w", err)
		}
		if n == 0 {
			return db.forget(ctx)
		}
		if done += n; progress != nil {
			progress(done)
		}
	}
}

// patiently is write, done again while others that write leave no room, ten
// times at most: a rotation can wait, and those who serve go first.
func (db *DB) patiently(ctx context.Context, f func(*tx) error) error {
	for try := 1; ; try++ {
		err := db.write(ctx, f)
		if err == nil || try == 10 || ctx.Err() != nil || rempart.KindOf(err) != rempart.Unavailable {
			return err
		}
	}
}

func (t *tx) rewrapSome(primary string) (int, error) {
	type row struct {
		owner, box string
		wrapped    []byte
	}
	rows, err := t.Tx.QueryContext(t.ctx, "SELECT owner, box, wrapped FROM sealed_keys WHERE ring <> $1 ORDER BY owner, box LIMIT $2"+t.db.forUpdate, primary, rotateBatch)
	page, err := collect(rows, err, func(s scanner) (r row, err error) { return r, s.Scan(&r.owner, &r.box, &r.wrapped) })
	if err != nil {
		return 0, fmt.Errorf("reading keys: %w", err)
	}
	for _, r := range page {
		w, err := t.db.ring.Rewrap(r.wrapped, r.box, r.owner)
		if err != nil {
			return 0, fmt.Errorf("key of %s %s: %w", r.box, r.owner, err)
		}
		if _, err := t.exec("UPDATE sealed_keys SET ring = $1, wrapped = $2 WHERE owner = $3 AND box = $4", w.RingKey(), []byte(w), r.owner, r.box); err != nil {
			return 0, fmt.Errorf("key of %s %s: %w", r.box, r.owner, err)
		}
	}
	return len(page), nil
}
