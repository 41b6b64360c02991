package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"rempart"
)

type serviceCmd struct {
	Add    serviceAdd    `cmd:"" help:"Add or replace a service."`
	List   serviceList   `cmd:"" help:"List the services."`
	Remove serviceRemove `cmd:"" help:"Take a service out of the register; notices sent to it stay."`
}

type serviceAdd struct {
	place
	ID         string   `help:"Short identifier." required:""`
	Name       string   `help:"Its name." required:""`
	Host       []string `help:"A name it serves, such as exemple.test (covers www.exemple.test); may be repeated." required:""`
	Peer       string   `help:"The peer that notices to it go to."`
	Lang       string   `help:"Language of notices to it." enum:"fr,en" default:"fr"`
	Provenance string   `help:"Where these facts are from." required:""`
}

// Run adds a service.
func (c *serviceAdd) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	if c.Peer != "" {
		if _, err := i.db.Peer(ctx, c.Peer); err != nil {
			return hinted{fmt.Errorf("peer %s: %w", c.Peer, err), "add it first: rempart admin peer add"}
		}
	}
	sv := rempart.Service{ID: c.ID, Name: c.Name, Hosts: c.Host, PeerID: c.Peer, Lang: c.Lang, Provenance: c.Provenance, CheckedAt: time.Now().Format(time.DateOnly)}
	if err := i.db.PutService(ctx, sv); err != nil {
		return err
	}
	return noted(ctx, i, "service.added", sv.ID, "peer", c.Peer)
}

type serviceList struct{ place }

// Run lists the register.
func (c *serviceList) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	all, err := i.db.Services(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tHOSTS\tPEER\tCHECKED\tPROVENANCE")
	for _, v := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", v.ID, v.Name, strings.Join(v.Hosts, ","), cmp.Or(v.PeerID, "–"), v.CheckedAt, v.Provenance)
	}
	return w.Flush()
}

type serviceRemove struct {
	place
	ID string `help:"Its identifier." required:""`
}

// Run removes a service.
func (c *serviceRemove) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	if err := i.db.RemoveService(ctx, c.ID); err != nil {
		return hinted{fmt.Errorf("service %s: %w", c.ID, err), "rempart admin service list shows those there are"}
	}
	return noted(ctx, i, "service.removed", c.ID)
}
