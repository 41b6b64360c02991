package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rempart"
	"rempart/law"
	"rempart/store"
)

// ticksAtOnce is how many cases a step lets the clocks of run down.
const ticksAtOnce = 50

// Prepare gives an instance its policy of clocks: the defaults at its first
// start, and newer defaults as long as nobody has changed them. Cases that were
// open before it had one get their clocks then. It may run at every start, in
// several processes at once.
func (f *Flow) Prepare(ctx context.Context) error {
	now, _, err := f.DB.ClockPolicy(ctx)
	if err != nil {
		return err
	}
	d := law.DefaultClocks()
	if now.Version > 0 && now.By != rempart.ActorSystem {
		d = withNew(now, d)
	}
	if now.Version > 0 && now.Pack == d.Pack && len(now.Ladder) > 0 {
		return nil
	}
	_, err = f.DB.SaveClockPolicy(ctx, d, now.Version)
	if rempart.KindOf(err) == rempart.Conflict { // another process was first
		return nil
	}
	if err != nil || now.Version > 0 {
		return err
	}
	filter := store.QueueFilter{States: []rempart.CaseState{rempart.CaseOpen, rempart.CaseActive}, Limit: 200}
	for {
		rows, next, err := f.DB.Queue(ctx, filter)
		if err != nil {
			return err
		}
		for _, r := range rows {
			// The store winds the clocks of every case that it saves.
			if err := f.DB.UpdateCase(ctx, r.ID, "", func(*rempart.Case) error { return nil }); err != nil {
				return fmt.Errorf("flow: clocks of case %s: %w", r.ID, err)
			}
		}
		if next == "" {
			return nil
		}
		filter.After = next
	}
}

// withNew is a policy that somebody chose, with the default terms of the rules
// that did not exist yet when she did.
func withNew(chosen, d rempart.ClockPolicy) rempart.ClockPolicy {
	out := chosen
	out.Rules = slices.Clone(chosen.Rules)
	for _, r := range d.Rules {
		if chosen.Rule(r.ID) == nil {
			out.Rules, out.Pack = append(out.Rules, r), d.Pack
		}
	}
	if len(chosen.Ladder) == 0 {
		out.Ladder = d.Ladder
	}
	return out
}

// tick lets the clocks that are due do what they do by themselves, and returns
// how many cases had some. What happens is in the case's document with its
// event, in one transaction: two processes that see the same clock due, or one
// that was killed, warn once all the same.
func (f *Flow) tick(ctx context.Context) (int, error) {
	cases, err := f.DB.DueClocks(ctx, ticksAtOnce)
	if err != nil || len(cases) == 0 {
		return 0, err
	}
	_, cal, err := f.DB.ClockPolicy(ctx)
	if err != nil {
		return 0, err
	}
	var faults []error
	done := 0
	for _, id := range cases {
		f.at("clock.due")
		n := 0
		err := f.DB.UpdateCase(ctx, id, "", func(c *rempart.Case) error {
			n = c.Tick(cal, f.Now())
			return nil
		})
		var gone *rempart.Error
		if errors.As(err, &gone) && gone.Kind == rempart.NotFound { // erased: nothing waits any more
			err = f.DB.DropClocks(ctx, id)
		}
		if err != nil { // the others go on: one case that cannot be read stops nobody's clocks
			faults = append(faults, fmt.Errorf("flow: clocks of case %s: %w", id, err))
			continue
		}
		if n > 0 {
			done++
		}
	}
	return done, errors.Join(faults...)
}
