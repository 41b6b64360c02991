package flow

import (
	"context"
	"errors"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/store"
)

// Rechecks says whether reported addresses are asked if they still answer. The
// zero value asks none.
type Rechecks struct {
	// Checker asks. nil: no address is asked, and what is planned waits.
	Checker interface {
		Check(ctx context.Context, address string, headOnly bool) rempart.Recheck
	}
	// Minors lets addresses of cases that may be a minor's be asked too, by HEAD
	// alone. It is for the operator to say, after taking advice: French law
	// punishes holding such material by any means, without an exception for good
	// faith (Code pénal, art. 227-23).
	Minors bool
}

// On tells whether addresses are asked: those of a case that may be a minor's
// (cautious) only if the policy says so.
func (r Rechecks) On(cautious bool) bool { return r.Checker != nil && (r.Minors || !cautious) }

// recheckGap is the least time between two questions to one host.
const recheckGap = 10 * time.Second

// rechecksAtOnce is how many re-checks that are due a step makes jobs of.
const rechecksAtOnce = 50

func (f *Flow) planRechecks(ctx context.Context) error {
	if f.Rechecks.Checker == nil {
		return nil
	}
	_, err := f.DB.QueueRechecks(ctx, rechecksAtOnce, recheckGap, f.Rechecks.Minors)
	return err
}

// recheck asks whether an item's address still answers, and records what it
// said. Killed in between, it asks again; each planned check is recorded once.
func (f *Flow) recheck(ctx context.Context, claim store.Claim) (*exchange.Failure, error) {
	c, err := f.DB.Case(ctx, claim.Job.Subject)
	if err != nil {
		return nil, err
	}
	address, cautious, ok := c.RecheckTarget(claim.Job.Payload)
	if !ok {
		return nil, nil // an analyst dropped it, or it was recorded before we were stopped
	}
	if !f.Rechecks.On(cautious) { // the facts, or the operator, changed since it was queued
		return &exchange.Failure{Answer: "re-checks of this kind are off", RetryAfter: 24 * time.Hour}, nil
	}
	r := f.Rechecks.Checker.Check(ctx, address, cautious)
	if ctx.Err() != nil {
		return nil, ctx.Err() // we are stopping: the lease ends, another try follows
	}
	r.At = f.Now()
	f.at("item.recheck.asked")
	err = f.DB.UpdateCase(ctx, c.ID, claim.Job.Key, func(c *rempart.Case) error {
		if _, _, ok := c.RecheckTarget(claim.Job.Payload); !ok {
			return nil // dropped while we asked
		}
		return c.Rechecked(claim.Job.Payload, r)
	})
	if errors.Is(err, store.ErrAlready) {
		return nil, nil
	}
	return nil, err
}
