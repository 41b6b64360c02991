package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rempart"
)

type staffThemes struct {
	place
	Login  string   `help:"What she signs in with." required:""`
	Themes []string `help:"Those that she works on, apart by commas: minors, intimate, threat, ai, other; all: every one." required:"" sep:","`
}

// Run sets which themes a member of the staff works on.
func (c *staffThemes) Run(ctx context.Context, s streams) error {
	all := rempart.ThemesOf(rempart.AllThemes...)
	groups := rempart.ThemesOf(c.Themes...)
	for _, t := range c.Themes {
		if t != "all" && !slices.Contains(rempart.AllThemes, rempart.Theme(t)) {
			return hinted{fmt.Errorf("%s is no theme", t), "give some of minors, intimate, threat, ai, other; or all"}
		}
	}
	if slices.Contains(c.Themes, "all") || groups == all {
		groups = 0
	}
	return withMember(ctx, c.place, c.Login, func(i *instance, m rempart.Staff) error {
		m.Groups = groups
		var names []string
		for _, t := range (all &^ m.Barred()).List() {
			names = append(names, string(t))
		}
		if err := i.db.PutStaff(ctx, m, "", adminEvent("staff.changed", m.ID, "role", string(m.Role), "groups", strings.Join(names, " "))); err != nil {
			return err
		}
		back, err := i.db.Release(ctx, m)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.err, "rempart: %s works on %s; %d cases given back\n", m.Login, strings.Join(names, ", "), back)
		return sealed(ctx, i)
	})
}
