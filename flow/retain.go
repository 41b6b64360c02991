package flow

import (
	"context"
	"time"

	"rempart"
	"rempart/store"
)

// retainEvery is how often a worker looks for cases whose time has passed.
const retainEvery = time.Minute

// Retain erases the closed cases whose time has passed, and returns how many
// they were. A case that was reopened or put under a hold meanwhile stays. Any
// number of processes may do it at once.
func (f *Flow) Retain(ctx context.Context) (int, error) {
	erased := 0
	for {
		now := f.Now()
		due, err := f.DB.DueCases(ctx, f.Retention, now, 100)
		if err != nil {
			return erased, err
		}
		before := erased
		for _, id := range due {
			err := f.DB.EraseCase(ctx, id, rempart.Erasure{Why: rempart.EraseDue, By: rempart.ActorSystem, At: now.UTC(), Keep: f.Retention})
			switch rempart.KindOf(err) {
			case rempart.Conflict, rempart.NotFound: // it changed, or another process was first
				continue
			}
			if err != nil {
				return erased, err
			}
			erased++
		}
		if len(due) < 100 || erased == before {
			return erased, nil
		}
	}
}

// A Withdrawal is what a code shows once its report was taken back.
type Withdrawal struct {
	At        time.Time
	Platforms []store.Confirmation // that could have a copy of her fingerprints
}

// Withdrawal returns what became of a report that was taken back, for the holder
// of its code. It is a NotFound where nothing of it had been shared.
func (f *Flow) Withdrawal(ctx context.Context, typed string) (Withdrawal, error) {
	code, err := rempart.ParseCaseCode(typed)
	if err != nil {
		return Withdrawal{}, err
	}
	id, at, err := f.DB.Withdrawal(ctx, code.Hash(f.DB.Secret("case code")))
	if err != nil {
		return Withdrawal{}, err
	}
	all, err := f.DB.Confirmations(ctx, id)
	return Withdrawal{at, all}, err
}

// Withdraw erases the report of the holder of a code, as she asks, and takes its
// fingerprints out of the lists. A case under a hold stays, and held is true:
// its fingerprints are taken out all the same.
func (f *Flow) Withdraw(ctx context.Context, typed string) (held bool, err error) {
	c, err := f.caseByCode(ctx, typed)
	if err != nil {
		return false, err
	}
	now := f.Now().UTC().Truncate(time.Hour)
	err = f.DB.EraseCase(ctx, c.ID, rempart.Erasure{Why: rempart.EraseWithdrawn, By: rempart.ActorReporter, At: now, Unlist: true})
	if rempart.KindOf(err) != rempart.Conflict {
		return false, err
	}
	for _, p := range c.Parts {
		err := f.DB.UpdateCase(ctx, p.CaseID, "", func(c *rempart.Case) error { return c.Withdraw(now) })
		if err != nil && rempart.KindOf(err) != rempart.NotFound {
			return true, err
		}
	}
	if c.Merged == nil {
		return true, f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error { return c.Withdraw(now) })
	}
	return true, f.DB.UpdateCases(ctx, c.ID, c.Merged.CaseID, func(c, carrier *rempart.Case) error {
		carrier.Forgets(c.ID, true, rempart.ActorReporter, now)
		return c.Withdraw(now)
	})
}
