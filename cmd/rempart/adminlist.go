package main

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"

	"rempart"
)

type listCmd struct {
	Show listShow `cmd:"" help:"Show the lists and their policies."`
	Set  listSet  `cmd:"" help:"Change the policy of a list: what is not given stays as it is."`
}

type listShow struct{ place }

// Run shows the lists.
func (c *listShow) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	set, err := i.db.ListPolicies(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tCLASS\tTHRESHOLD\tACTION\tSHARE\tEXPIRY\tCOPIES\tQUARANTINE ABOVE")
	for _, l := range append(rempart.Lists[:len(rempart.Lists):len(rempart.Lists)], rempart.Harmless) {
		l = l.Under(set[l.ID])
		share, days, copies, action := 1.0, "never", "by key", string(l.Action)
		if l.Policy.Share != nil {
			share = *l.Policy.Share
		}
		if l.Policy.ExpiryDays > 0 {
			days = strconv.Itoa(l.Policy.ExpiryDays) + " days"
		}
		if l.Policy.LookupOnly {
			copies = "none"
		}
		if l.ID == rempart.ListHarmless {
			action, copies = "silences matches", "none"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%g\t%s\t%s\t%g\n", l.ID, l.Class, l.Threshold, action, share, days, copies, l.Flood())
	}
	return w.Flush()
}

type listSet struct {
	place
	List      string   `arg:"" help:"The list, such as ncii-adult."`
	Threshold *int     `help:"Largest PDQ distance that is a match, 0 to 31."`
	Action    string   `help:"What a match recommends." enum:",block,review" default:""`
	Share     *float64 `help:"Share of uploads for which the list counts, 0 to 1: to begin with few. One upload always has the same answer."`
	Expiry    *int     `help:"Days after which an entry leaves the list; 0: never."`
	Lookup    *bool    `name:"lookup-only" help:"Nobody has a copy of the list." negatable:""`
	Probes    *int     `help:"How many different values close to one that matched a key with -lookup-only is answered for themselves; 0: 32. Beyond them each is answered as the first, and the console has a task."`
	Flood     *float64 `help:"Share of one key's lookups in an hour above which an entry is quarantined, 0 to 1; 0: never."`
}

// Help says when it counts.
func (c *listSet) Help() string {
	return `Every node follows within a second, without a restart. A list with -lookup-only
is left out of the feed and of the shapes of StopNCII and NCMEC from then on;
copies that partners have already are theirs.`
}

// Run changes a policy.
func (c *listSet) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	set, err := i.db.ListPolicies(ctx)
	if err != nil {
		return err
	}
	p := set[c.List]
	if c.Threshold != nil {
		p.Threshold = c.Threshold
	}
	if c.Action != "" {
		p.Action = rempart.Action(c.Action)
	}
	if c.Share != nil {
		p.Share = c.Share
	}
	if c.Expiry != nil {
		p.ExpiryDays = *c.Expiry
	}
	if c.Lookup != nil {
		p.LookupOnly = *c.Lookup
	}
	if c.Probes != nil {
		p.Probes = *c.Probes
	}
	if c.Flood != nil {
		p.Flood = c.Flood
	}
	if err := i.db.PutListPolicy(ctx, c.List, p, "admin:command-line"); err != nil {
		return hinted{fmt.Errorf("list %s: %w", c.List, err), "rempart admin list show shows those there are; rempart help admin list set says what can be set"}
	}
	return sealed(ctx, i)
}
