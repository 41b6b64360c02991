package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"rempart"
	"rempart/exchange"
)

type serviceCmd struct {
	Add    serviceAdd    `cmd:"" help:"Add or replace a service."`
	List   serviceList   `cmd:"" help:"List the services."`
	Export serviceExport `cmd:"" help:"Write the contact book as CSV on stdout."`
	Import serviceImport `cmd:"" help:"Read a contact book: all of it, or nothing when a row has a fault."`
	Remove serviceRemove `cmd:"" help:"Take a service out of the register; notices sent to it stay."`
}

type serviceAdd struct {
	place
	ID         string   `help:"Short identifier." required:""`
	Name       string   `help:"Its name." required:""`
	Host       []string `help:"A name it serves, such as exemple.test (covers www.exemple.test); may be repeated."`
	Kind       string   `help:"What it is: platform, host, store, hub (of models), ai, nudify, model." enum:",platform,host,store,hub,ai,nudify,model" default:""`
	Repository string   `help:"Address of a model's repository."`
	Weights    []string `help:"A weights file of a model: its SHA-256 is listed, and the file is read here only; may be repeated." type:"existingfile"`
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
	all, err := i.db.Services(ctx)
	if err != nil {
		return err
	}
	var sv rempart.Service
	for _, was := range all {
		if was.ID == c.ID {
			sv = was // what the console's pages wrote about it stays
		}
	}
	sv.ID, sv.Name, sv.Hosts, sv.PeerID, sv.Lang, sv.Provenance, sv.CheckedAt = c.ID, c.Name, c.Host, c.Peer, c.Lang, c.Provenance, time.Now().Format(time.DateOnly)
	sv.Kind = cmp.Or(rempart.ServiceKind(c.Kind), sv.Kind)
	sv.Profile.Repository = cmp.Or(c.Repository, sv.Profile.Repository)
	if len(c.Host) == 0 && (sv.Kind == "" || sv.Kind == rempart.ServicePlatform) {
		return hinted{errors.New("a platform is known by the names it serves, and none is given"), "name one with -host, or say with -kind what else it is"}
	}
	if err := sv.Check(); err != nil {
		return fmt.Errorf("service %s: %w", c.ID, err)
	}
	done := rempart.Consequences{Events: []rempart.Event{adminEvent("service.added", sv.ID, "peer", c.Peer)}}
	for _, name := range c.Weights {
		sum, err := digestOf(ctx, name)
		if err != nil {
			return err
		}
		listed, err := sv.AddWeights(sum, filepath.Base(name), done.Events[0].Actor, time.Now())
		if err != nil {
			return err
		}
		done.Entries, done.Events = append(done.Entries, listed.Entries...), append(done.Events, listed.Events...)
		fmt.Fprintf(s.out, "%s  %s\n", sum, name)
	}
	return errors.Join(i.db.SaveService(ctx, sv, done), sealed(ctx, i))
}

// digestOf returns the SHA-256 of a file of any size.
func digestOf(ctx context.Context, name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("weights file: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, stopping{ctx, f}); err != nil {
		return "", fmt.Errorf("weights file %s: %w", name, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
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

type serviceExport struct{ place }

// Run writes the contact book.
func (c *serviceExport) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	all, err := i.db.Services(ctx)
	if err != nil {
		return err
	}
	return exchange.WriteContacts(s.out, all)
}

type serviceImport struct {
	place
	File string `arg:"" help:"The CSV file, as rempart admin service export writes it." type:"existingfile"`
}

// Run reads a contact book.
func (c *serviceImport) Run(ctx context.Context, s streams) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	n, faults, err := i.flow.ImportContacts(ctx, file, "admin:command-line")
	if err != nil {
		return err
	}
	for _, f := range faults {
		fmt.Fprintf(s.err, "row %d, column %s: %s\n", f.Row, cmp.Or(f.Column, "–"), f.Err.Public)
	}
	if len(faults) > 0 {
		return hinted{fmt.Errorf("%s has %d faults: nothing was imported", c.File, len(faults)), "mend these cells, then import the whole file again"}
	}
	fmt.Fprintf(s.out, "%d services\n", n)
	return sealed(ctx, i)
}
