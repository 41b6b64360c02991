package flow

import (
	"context"
	"time"

	"rempart"
	"rempart/store"
)

// retainEvery is how often a worker looks for cases whose time has passed.
const retainEvery = time.Minute

// Retain erases the closed cases, the notices received of which nothing waits, and
// the e-mails that nobody filed, whose time has passed, and returns how many they
// were. What was taken up again
// or put under a hold meanwhile stays. Any number of processes may do it at once.
func (f *Flow) Retain(ctx context.Context) (int, error) {
	cases, err := f.retain(ctx, func(e rempart.Erasure, n int) ([]string, error) { return f.DB.DueCases(ctx, e.Keep, e.At, n) }, f.DB.EraseCase)
	if err != nil {
		return cases, err
	}
	notices, err := f.retain(ctx, func(e rempart.Erasure, n int) ([]string, error) { return f.DB.DueIntakes(ctx, e, n) }, f.DB.EraseIntake)
	if err != nil {
		return cases + notices, err
	}
	mails, err := f.retain(ctx, func(e rempart.Erasure, n int) ([]string, error) { return f.DB.DueMails(ctx, e, n) }, f.DB.EraseMail)
	return cases + notices + mails, err
}

// retain erases what is due, up to a hundred at a time.
func (f *Flow) retain(ctx context.Context, list func(rempart.Erasure, int) ([]string, error), erase func(context.Context, string, rempart.Erasure) error) (int, error) {
	erased := 0
	for {
		e := rempart.Erasure{Why: rempart.EraseDue, By: rempart.ActorSystem, At: f.Now().UTC(), Keep: f.Retention}
		due, err := list(e, 100)
		if err != nil {
			return erased, err
		}
		before := erased
		for _, id := range due {
			err := erase(ctx, id, e)
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
