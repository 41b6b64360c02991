package main

import (
	"context"
	"fmt"
	"time"

	"rempart"
)

type caseCmd struct {
	Hold  caseHold  `cmd:"" help:"Put a case under a legal hold: nothing erases it."`
	Lift  caseLift  `cmd:"" help:"Lift the legal hold of a case."`
	Erase caseErase `cmd:"" help:"Erase a case: destroy its key, and delete all but the ledger's digests."`
}

// anAct is what every act on a case by the command line takes.
type anAct struct {
	place
	Ref    string `arg:"" help:"The case's reference, such as 7F3K-9QXM."`
	Reason string `help:"Why, in a few words; the ledger gets its digest." required:""`
	DryRun bool   `help:"Only say what would be done; -dry-run=false does it." default:"true"`
}

// byCommandLine is who acts for an administrator at the machine.
const byCommandLine rempart.Actor = "admin:command-line"

// on opens the instance and finds the case.
func (c *anAct) on(ctx context.Context) (*instance, *rempart.Case, error) {
	i, err := c.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	k, err := i.db.CaseByRef(ctx, c.Ref)
	if err != nil {
		i.db.Close()
		return nil, nil, hinted{fmt.Errorf("case %s: %w", c.Ref, err), "a reference has two groups of four, as the console shows it"}
	}
	return i, k, nil
}

// dry says that nothing was done, and how to do it.
func (c *anAct) dry(s streams, what string) error {
	_, err := fmt.Fprintf(s.out, "would %s %s; nothing was changed: add -dry-run=false\n", what, c.Ref)
	return err
}

type caseHold struct{ anAct }

// Run places a hold.
func (c *caseHold) Run(ctx context.Context, s streams) error {
	return c.change(ctx, s, "put under a legal hold", func(k *rempart.Case) error { return k.PlaceHold(c.Reason, byCommandLine, time.Now()) })
}

type caseLift struct{ anAct }

// Run lifts a hold.
func (c *caseLift) Run(ctx context.Context, s streams) error {
	return c.change(ctx, s, "lift the legal hold of", func(k *rempart.Case) error { return k.LiftHold(c.Reason, byCommandLine, time.Now()) })
}

func (c *anAct) change(ctx context.Context, s streams, what string, f func(*rempart.Case) error) error {
	i, k, err := c.on(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	if c.DryRun {
		if err := f(k); err != nil { // on a copy that is not saved
			return err
		}
		return c.dry(s, what)
	}
	if err := i.db.UpdateCase(ctx, k.ID, "", f); err != nil {
		return err
	}
	_, err = i.db.Seal(ctx)
	return err
}

type caseErase struct {
	anAct
	Unlist bool `help:"Take its fingerprints out of the lists too; otherwise copies go on being stopped."`
}

// Run erases a case.
func (c *caseErase) Run(ctx context.Context, s streams) error {
	i, k, err := c.on(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	e := rempart.Erasure{Why: rempart.EraseOrdered, By: byCommandLine, At: time.Now().UTC(), Unlist: c.Unlist, Reason: c.Reason}
	if err := k.MayErase(e); err != nil {
		return hinted{fmt.Errorf("case %s: %w", c.Ref, err), "rempart admin case lift " + c.Ref + " -reason … lifts a hold"}
	}
	if c.DryRun {
		return c.dry(s, "erase for ever")
	}
	if err := i.db.EraseCase(ctx, k.ID, e); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "erased %s. Backups made by rempart backup hold no key and can't open it; a copy of the whole database made before can,\nuntil the keyring is rotated: rempart admin keyring rotate\n", c.Ref)
	return err
}
