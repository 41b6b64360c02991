package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"rempart/ledger"
)

// verifyCmd checks what an instance has signed.
type verifyCmd struct {
	place
	Receipt string `help:"A file with a person's receipt; checks it instead of the ledger." type:"existingfile"`
	JSON    bool   `name:"json" help:"One JSON object."`
}

// Run fails if the ledger was altered, and names the first record that was.
func (c *verifyCmd) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	if c.Receipt != "" {
		return c.receipt(ctx, i, s)
	}
	r, err := i.db.VerifyLedger(ctx, func(done, total int64) {
		if total > 100_000 {
			fmt.Fprintf(s.err, "\rrempart: %d of %d records", done, total)
		}
	})
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(s.out).Encode(r); err != nil {
			return err
		}
	}
	if !r.Whole {
		return hinted{fmt.Errorf("the ledger was altered: %s", r.Problem), "keep the database as it is and compare it with a backup"}
	}
	if !c.JSON {
		fmt.Fprintf(s.out, "whole: %d records, %d sealed\n", r.Records, r.Sealed)
	}
	return nil
}

func (c *verifyCmd) receipt(ctx context.Context, i *instance, s streams) error {
	b, err := os.ReadFile(c.Receipt)
	if err != nil {
		return err
	}
	_, key, err := i.db.Checkpoint(ctx)
	if err != nil {
		return err
	}
	v, err := ledger.ParseVerifier(key)
	if err != nil {
		return fmt.Errorf("verifier key: %w", err)
	}
	// As a person keeps it: with the line ends of her device, and perhaps without the last one.
	text, err := v.Open(strings.TrimRight(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n") + "\n")
	if err != nil {
		return hinted{fmt.Errorf("this receipt was not signed by this instance: %w", err), "the file must hold the whole text, with its last line that starts with —"}
	}
	fmt.Fprintf(s.out, "genuine:\n%s", text)
	return nil
}
