package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"rempart"
	"rempart/store"
)

type staffCmd struct {
	Add      staffAdd      `cmd:"" help:"Add somebody and print a link that signs in once."`
	Link     staffLink     `cmd:"" help:"Print a new sign-in link for somebody who is there already."`
	List     staffList     `cmd:"" help:"List the staff."`
	Themes   staffThemes   `cmd:"" help:"Set the themes that somebody works on; cases with another one are neither shown nor opened to her."`
	Disable  staffDisable  `cmd:"" help:"Let somebody sign in no more; ends her sessions and links at once."`
	Enable   staffEnable   `cmd:"" help:"Let somebody who was disabled sign in again."`
	Reset    staffReset    `cmd:"" help:"Remove the passkeys and one-time codes of somebody who lost them; only says what it would do, without -yes."`
	Account  staffAccount  `cmd:"" help:"Let somebody sign in with her account at the operator's identity provider (OpenID Connect), or no more."`
	Password staffPassword `cmd:"" help:"Give somebody the password in REMPART_PASSWORD; ends her sessions and links."`
}

type staffAdd struct {
	place
	Login    string `help:"What she signs in with." required:""`
	Alias    string `help:"What others see of her; never her name." required:""`
	Role     string `help:"${enum}." enum:"analyst,lead,reader,moderator,auditor,admin" required:""`
	Password string `help:"Read from the environment, never from the command line." env:"REMPART_PASSWORD" hidden:""`
	Origin   string `help:"Address of the instance, for the link; default: that of rempart serve." env:"REMPART_ORIGIN"`
}

// Run adds a member of the staff.
func (c *staffAdd) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	all, err := i.db.AllStaff(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.Login == c.Login {
			return hinted{fmt.Errorf("there is already somebody with the login %s", c.Login), "choose another with -login"}
		}
	}
	m := rempart.Staff{ID: rempart.NewID(time.Now()), Login: c.Login, Alias: rempart.Actor(c.Alias), Role: rempart.StaffRole(c.Role), CreatedAt: time.Now()}
	if err := m.Check(); err != nil {
		return err
	}
	if err := i.db.PutStaff(ctx, m, c.Password, adminEvent("staff.added", m.ID, "role", c.Role)); err != nil {
		return err
	}
	if _, err := i.db.Seal(ctx); err != nil {
		return err
	}
	return printLink(ctx, i, m, c.Origin, s)
}

type staffLink struct {
	place
	Login  string `help:"What she signs in with." required:""`
	Origin string `help:"Address of the instance, for the link; default: that of rempart serve." env:"REMPART_ORIGIN"`
}

// Run prints a link for a member of the staff.
func (c *staffLink) Run(ctx context.Context, s streams) error {
	return withMember(ctx, c.place, c.Login, func(i *instance, m rempart.Staff) error {
		if !m.DisabledAt.IsZero() {
			return hinted{fmt.Errorf("%s is disabled", c.Login), "rempart admin staff enable lets her sign in again"}
		}
		if err := noted(ctx, i, "staff.link", m.ID); err != nil {
			return err
		}
		return printLink(ctx, i, m, c.Origin, s)
	})
}

// printLink prints a link to origin, or to the address that the instance last
// served under.
func printLink(ctx context.Context, i *instance, m rempart.Staff, origin string, s streams) error {
	token, err := i.db.NewLink(ctx, m.ID, 24*time.Hour)
	if err != nil {
		return err
	}
	if origin == "" {
		kept, err := i.db.Kept(ctx, store.KeptOrigin)
		if err != nil {
			return err
		}
		origin = cmp.Or(kept, "http://127.0.0.1:8080")
	}
	fmt.Fprintf(s.out, "%s/console/enter?token=%s\n", strings.TrimRight(origin, "/"), token)
	fmt.Fprintln(s.err, "rempart: this link signs in once, within 24 hours; rempart admin staff password gives a password too")
	return nil
}

// withMember calls f with the member of the staff that has a login.
func withMember(ctx context.Context, p place, login string, f func(*instance, rempart.Staff) error) error {
	i, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	all, err := i.db.AllStaff(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		if strings.EqualFold(m.Login, strings.TrimSpace(login)) {
			return f(i, m)
		}
	}
	return hinted{fmt.Errorf("nobody has the login %s", login), "rempart admin staff list shows the logins"}
}

type staffDisable struct {
	place
	Login string `help:"What she signs in with." required:""`
}

// Run disables a member of the staff.
func (c *staffDisable) Run(ctx context.Context, s streams) error {
	return withMember(ctx, c.place, c.Login, func(i *instance, m rempart.Staff) error {
		if m.DisabledAt.IsZero() {
			m.DisabledAt = time.Now()
		}
		if err := i.db.PutStaff(ctx, m, "", adminEvent("staff.disabled", m.ID)); err != nil {
			return err
		}
		fmt.Fprintf(s.err, "rempart: %s can sign in no more; her sessions and links have ended\n", m.Login)
		return sealed(ctx, i)
	})
}

type staffEnable struct {
	place
	Login string `help:"What she signs in with." required:""`
}

// Run lets a member of the staff sign in again.
func (c *staffEnable) Run(ctx context.Context, s streams) error {
	return withMember(ctx, c.place, c.Login, func(i *instance, m rempart.Staff) error {
		m.DisabledAt = time.Time{}
		if err := i.db.PutStaff(ctx, m, "", adminEvent("staff.enabled", m.ID)); err != nil {
			return err
		}
		fmt.Fprintf(s.err, "rempart: %s can sign in again, with her password or a new link\n", m.Login)
		return sealed(ctx, i)
	})
}

type staffPassword struct {
	place
	Login    string `help:"What she signs in with." required:""`
	Password string `help:"Read from the environment, never from the command line." env:"REMPART_PASSWORD" hidden:""`
}

// Run gives a member of the staff a password.
func (c *staffPassword) Run(ctx context.Context, s streams) error {
	if c.Password == "" {
		return hinted{errors.New("there is no password"), "set it in the environment, as REMPART_PASSWORD: on the command line everybody on this machine could read it"}
	}
	return withMember(ctx, c.place, c.Login, func(i *instance, m rempart.Staff) error {
		if err := i.db.PutStaff(ctx, m, c.Password, adminEvent("staff.password", m.ID)); err != nil {
			return err
		}
		fmt.Fprintf(s.err, "rempart: %s has a new password; her sessions and links have ended\n", m.Login)
		return sealed(ctx, i)
	})
}

type staffReset struct {
	place
	Login string `help:"What she signs in with." required:""`
	Yes   bool   `help:"Do it."`
}

// Run removes the second factors of a member of the staff.
func (c *staffReset) Run(ctx context.Context, s streams) error {
	return withMember(ctx, c.place, c.Login, func(i *instance, m rempart.Staff) error {
		factors, err := i.db.Factors(ctx, m.ID)
		if err != nil {
			return err
		}
		for _, f := range factors {
			fmt.Fprintf(s.out, "%s\t%s\tsince %s\n", f.Kind, f.Name, f.CreatedAt.Format(time.DateOnly))
		}
		switch {
		case len(factors) == 0:
			fmt.Fprintf(s.err, "rempart: %s has no second factor\n", m.Login)
			return nil
		case !c.Yes:
			fmt.Fprintf(s.err, "rempart: nothing was removed; with -yes these %d would be, and her sessions would end\n", len(factors))
			return nil
		}
		if _, err := i.db.RemoveFactors(ctx, m.ID, "", adminEvent("staff.factors_reset", m.ID)); err != nil {
			return err
		}
		if _, err := i.db.EndOtherSessions(ctx, m.ID, ""); err != nil {
			return err
		}
		fmt.Fprintf(s.err, "rempart: %s has no second factor any more; rempart admin staff link signs her in\n", m.Login)
		return sealed(ctx, i)
	})
}

type staffList struct{ place }

// Run lists the staff.
func (c *staffList) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	all, err := i.db.AllStaff(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LOGIN\tALIAS\tROLE\tSINCE\tSTATE")
	for _, m := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", m.Login, m.Alias, m.Role, m.CreatedAt.Format(time.DateOnly), stateOf(m.DisabledAt))
	}
	return w.Flush()
}

// stateOf says whether who was disabled at a time, zero for never, still is of
// use.
func stateOf(disabled time.Time) string {
	if disabled.IsZero() {
		return "active"
	}
	return "disabled " + disabled.Format(time.DateOnly)
}
