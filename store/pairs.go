package store

import (
	"context"
	"errors"
	"fmt"

	"rempart"
)

// followed is the class of a case whose work another carries: it is kept as long
// as that one.
const followed = "followed"

// UpdateCases is UpdateCase for two cases that change together: both are saved
// with their consequences, or neither is.
func (db *DB) UpdateCases(ctx context.Context, a, b string, f func(a, b *rempart.Case) error) error {
	if a == b {
		return &rempart.Error{Kind: rempart.Invalid, Field: "into", Code: "merge.same", Public: "A case cannot be merged into itself. Give the number of another one."}
	}
	return db.write(ctx, func(t *tx) error {
		if a < b { // always in one order, so that two transactions never wait for each other
			return t.changeCase(a, func(ca *rempart.Case) error {
				return t.changeCase(b, func(cb *rempart.Case) error { return f(ca, cb) })
			})
		}
		return t.changeCase(b, func(cb *rempart.Case) error {
			return t.changeCase(a, func(ca *rempart.Case) error { return f(ca, cb) })
		})
	})
}

// SplitCase loads a case, lets f make another of it, and saves both with their
// consequences in one transaction; the new one gets a key of its own. It returns
// the reference of the new case.
func (db *DB) SplitCase(ctx context.Context, id string, f func(*rempart.Case) (*rempart.Case, error)) (ref string, err error) {
	err = db.write(ctx, func(t *tx) error {
		var part *rempart.Case
		err := t.changeCase(id, func(c *rempart.Case) (err error) {
			part, err = f(c)
			return err
		})
		if err != nil {
			return err
		}
		todo := part.TakeConsequences()
		if len(todo.Events) == 0 {
			return fmt.Errorf("store: case %s: %w", part.ID, errNoEvent)
		}
		part.Version, ref = 1, part.Ref
		key, err := t.newKey(boxCase, part.ID)
		if err != nil {
			return err
		}
		if err := t.insertCase(part, key, ""); err != nil {
			return err
		}
		if err := t.counted(lastOf(todo.Events, t.now), part.Tally().Since(nil)); err != nil {
			return err
		}
		return t.save(todo)
	})
	return ref, err
}

// unlink ends what ties a case that is being erased to others: those that follow
// it take their items back, and the one that it follows lets go of them. What was
// split off a report that its person withdraws is withdrawn with it. A case that
// follows it under a hold keeps it from being erased.
func (t *tx) unlink(c *rempart.Case, e rempart.Erasure) error {
	release := func(id string) error {
		return t.tied(id, func(o *rempart.Case) error {
			if o.Hold != nil && o.Follows(c.ID) && e.Why != rempart.EraseRestored {
				return &rempart.Error{Kind: rempart.Conflict, Code: "case.held_follower", Args: []any{o.Ref},
					Public: "Case " + o.Ref + ", whose work this one carries, is under a legal hold. Lift that hold first, with a reason."}
			}
			return o.Released(c, e.By, e.At)
		})
	}
	for _, j := range c.Joined {
		if err := release(j.CaseID); err != nil {
			return err
		}
	}
	withdrawn := e.Why == rempart.EraseWithdrawn
	if c.PartOf != nil && !withdrawn { // else that case is being erased too
		if err := release(c.PartOf.CaseID); err != nil {
			return err
		}
	}
	carriers := []string{}
	if c.Merged != nil {
		carriers = append(carriers, c.Merged.CaseID)
	}
	for _, u := range c.Unmerged { // what was worked on there may still be
		carriers = append(carriers, u.Merge.CaseID)
	}
	for _, id := range carriers {
		if err := t.tied(id, func(o *rempart.Case) error { o.Forgets(c.ID, withdrawn, e.By, e.At); return nil }); err != nil {
			return err
		}
	}
	for _, p := range c.Parts {
		if !withdrawn {
			break
		}
		err := t.erase(p.CaseID, e)
		if rempart.KindOf(err) == rempart.Conflict { // under a hold
			err = t.tied(p.CaseID, func(o *rempart.Case) error { return o.Withdraw(e.At) })
		}
		if err != nil && rempart.KindOf(err) != rempart.NotFound {
			return err
		}
	}
	return nil
}

// tied changes a case that another is tied to, if it is still there.
func (t *tx) tied(id string, f func(*rempart.Case) error) error {
	err := t.changeCase(id, f)
	var broken *rempart.Error
	if rempart.KindOf(err) == rempart.NotFound || errors.As(err, &broken) && broken.Code == "case.erased" {
		return nil
	}
	return err
}
