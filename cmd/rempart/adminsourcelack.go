package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"rempart"
)

// sayLack tells of a list that waits for somebody, and how it is decided.
func sayLack(s streams, l rempart.SourceLack) {
	fmt.Fprintf(s.err, "rempart: %s was read again whole and lacks %d of the %d entries held of it, since %s: nothing was withdrawn, all go on matching. Ask its operator, then: rempart admin source decide -of %s -keep, or -withdraw %d\n",
		l.Of, l.Lacking, l.Had, l.Since.UTC().Format(time.DateTime), l.Of, l.Lacking)
}

type sourceDecide struct {
	place
	Of       string `help:"The source's name, or the peer whose feed it is." required:""`
	Keep     bool   `help:"What it lacks goes on matching." xor:"what"`
	Withdraw int    `help:"What it lacks is withdrawn; the number that is, as list shows it." xor:"what"`
}

// Help says when there is something to decide.
func (c *sourceDecide) Help() string {
	return `A source that was read again whole and lacks more than its share (-may-lack) of
what is held of it may have answered empty by a fault. Nothing is withdrawn then
before somebody says so here or in the console; what it withdraws entry by entry
is not asked about. If it gives again what it lacked, it waits no longer.`
}

// Run decides.
func (c *sourceDecide) Run(ctx context.Context, s streams) error {
	if !c.Keep && c.Withdraw <= 0 {
		return hinted{errors.New("nothing was decided"), "give -keep, or -withdraw with the number of entries that this withdraws"}
	}
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	lacks, err := i.db.HeldSweeps(ctx)
	if err != nil {
		return err
	}
	for _, l := range lacks {
		if l.Of != c.Of && l.Of != (rempart.Source{Name: c.Of}).ID() {
			continue
		}
		if !c.Keep && c.Withdraw != l.Lacking {
			return hinted{fmt.Errorf("%s lacks %d entries, not %d", l.Of, l.Lacking, c.Withdraw), "nothing was changed; rempart admin source list shows it as it is now"}
		}
		if err := i.db.DecideSweep(ctx, l.Of, l.Lacking, !c.Keep, "admin:command-line"); err != nil {
			return hinted{err, "rempart admin source list shows it as it is now"}
		}
		n := 0
		if !c.Keep {
			if n, err = i.db.CarrySweep(ctx, l.Of); err != nil {
				return hinted{err, "it was decided: the instance goes on with it by itself"}
			}
		}
		fmt.Fprintf(s.out, "%d entries withdrawn\n", n)
		return sealed(ctx, i)
	}
	return hinted{fmt.Errorf("nothing of %s waits for a decision", cmp.Or(c.Of, "it")), "rempart admin source list shows what does"}
}
