package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"rempart/keyring"
)

type keyringCmd struct {
	Show   keyringShow   `cmd:"" help:"Say which keys the keyring has, and how much each opens."`
	Rotate keyringRotate `cmd:"" help:"Make a new key, wrap the keys of all cases again under it, and destroy the old one."`
}

type keyringShow struct{ place }

// Run lists the ring's keys: their names, never the keys.
func (c *keyringShow) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	return showKeys(ctx, i, s)
}

func showKeys(ctx context.Context, i *instance, s streams) error {
	n, err := i.db.KeyCounts(ctx)
	if err != nil {
		return err
	}
	for _, k := range i.ring.Keys() {
		now := ""
		if k == i.ring.Primary() {
			now = ", and wraps from now on"
		}
		fmt.Fprintf(s.out, "key %s wraps the keys of %d cases, intakes and identities%s\n", k, n[k], now)
		delete(n, k)
	}
	if len(n) > 0 {
		return hinted{fmt.Errorf("%d keys are wrapped under keys that this keyring does not have: %v", total(n), slices.Sorted(maps.Keys(n))), "name the right file with -keyring"}
	}
	return nil
}

func total(n map[string]int) (sum int) {
	for _, v := range n {
		sum += v
	}
	return sum
}

type keyringRotate struct {
	place
	DryRun bool `help:"Only say what would be done; -dry-run=false does it." default:"true"`
}

// Help says what a rotation does to copies.
func (c *keyringRotate) Help() string {
	return "May run while the instance serves, and again if it was interrupted. Afterwards no older copy of the database opens with the keyring as it then is: " +
		"copy the new keyring, make a new backup of the keys (rempart backup), and destroy older copies of both."
}

// Run rotates the ring.
func (c *keyringRotate) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	before, err := i.db.KeyCounts(ctx)
	if err != nil {
		return err
	}
	unfinished := len(i.ring.Keys()) > 1
	if c.DryRun {
		if err := showKeys(ctx, i, s); err != nil {
			return err
		}
		what := "make a new key"
		if unfinished {
			what = "finish the rotation that was interrupted"
		}
		_, err := fmt.Fprintf(s.out, "would %s, wrap %d keys again under it, and destroy the old ones; nothing was changed: add -dry-run=false\n", what, total(before))
		return err
	}
	if !unfinished {
		if err := i.ring.Turn(); err != nil {
			return rotateHint(err)
		}
	}
	if err := i.db.Rewrap(ctx, func(done int) { fmt.Fprintf(s.err, "rempart: %d keys wrapped again\n", done) }); err != nil {
		return hinted{err, "nothing is lost: run the same command again, it goes on where it stopped"}
	}
	after, err := i.db.KeyCounts(ctx)
	if err != nil {
		return err
	}
	if after[i.ring.Primary()] != total(after) {
		return hinted{errors.New("some keys are still wrapped under an old key, which is therefore kept"), "run the same command again"}
	}
	if err := i.ring.Drop(); err != nil {
		return rotateHint(err)
	}
	if err := noted(ctx, i, "keyring.rotated", "keyring", "key", i.ring.Primary()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "rotated: key %s wraps %d keys. Copy the new keyring, run rempart backup, and destroy older copies of both\n", i.ring.Primary(), total(after))
	return err
}

func rotateHint(err error) error {
	if errors.Is(err, keyring.ErrChanged) {
		return hinted{err, "let one rotation end before another begins; then run the same command again"}
	}
	return err
}
