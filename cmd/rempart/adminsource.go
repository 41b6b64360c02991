package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"rempart"
)

type sourceCmd struct {
	Add    sourceAdd    `cmd:"" help:"Add a source, or change one: what is not given stays as it is. Nothing is read yet."`
	Test   sourceTest   `cmd:"" help:"Read a source from its beginning, save nothing, and say what would change."`
	Start  sourceStart  `cmd:"" help:"Let the instance read a source by itself from now on."`
	Stop   sourceStop   `cmd:"" help:"Read a source no more. Its entries stay."`
	Read   sourceRead   `cmd:"" help:"Read a source to its end now."`
	List   sourceList   `cmd:"" help:"List the sources, how far each was read, and what was refused."`
	Decide sourceDecide `cmd:"" help:"Say what is done with what a source lacks that was read again whole: see list."`
	Remove sourceRemove `cmd:"" help:"Forget a source, and withdraw what it shared."`
}

type sourceAdd struct {
	place
	Name    string        `help:"Short name, such as partner-exemple." required:""`
	Kind    string        `help:"stopncii, ncmec, rempart (another instance) or file (CSV or plain text, the whole list)." enum:",stopncii,ncmec,rempart,file" default:""`
	URL     string        `name:"url" help:"Its address: of stopncii such as https://api.stopncii.org/v1, of ncmec that before /v2, of rempart https://HOST, of a file its whole address."`
	List    string        `help:"The list that its fingerprints enter; of an instance, the one that is read (default: all, each into its own)."`
	Quality int           `help:"Quality of PDQ for which the source says none, 50 to 100; default: they are left out."`
	Type    string        `help:"Of a file: type of values of 64 digits where it says none: pdq or sha256." enum:",pdq,sha256" default:""`
	Every   time.Duration `help:"Time between two readings; default: 15m, of an instance 1s."`
	Private *bool         `help:"It may be on a network that is not public." negatable:""`
	MayLack *float64      `name:"may-lack" help:"Share of what is held of it, 0 to 1, that it may lack when it was read again whole, without somebody being asked; 1: all. Default: 0.5, and always 100 entries."`
	Afresh  bool          `help:"Read it from its beginning again."`
	User    string        `help:"Of ncmec: user name." env:"REMPART_SOURCE_USER"`
	Key     string        `help:"Key (of ncmec: password; of stopncii: key of the function FetchHashes)." env:"REMPART_SOURCE_KEY"`
	Key2    string        `name:"subscription-key" help:"Of stopncii: subscription key." env:"REMPART_SOURCE_SUBSCRIPTION_KEY"`
}

// Help tells the way of a first reading.
func (c *sourceAdd) Help() string {
	return `A list is looked at before it counts:

  REMPART_SOURCE_KEY=… REMPART_SOURCE_SUBSCRIPTION_KEY=… \
  rempart admin source add -data DIR -name stopncii -kind stopncii -url https://api.stopncii.org/v1 -list ncii-adult -quality 50
  rempart admin source test -data DIR -name stopncii      # reads all, saves nothing, says what would change
  rempart admin source start -data DIR -name stopncii     # from now on the instance reads it by itself

Neither StopNCII nor NCMEC says of which quality a picture's fingerprint is, and one of a flat picture matches others: -quality 50 says that they share none. What a source withdraws stops matching. Entries that give no fingerprint are refused one by one; admin source list names the first. Keys are kept sealed, and given in the environment are in no list of processes.`
}

// Run adds a source, or changes one.
func (c *sourceAdd) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	row, err := i.db.Source(ctx, c.Name)
	there := err == nil
	if err != nil && rempart.KindOf(err) != rempart.NotFound {
		return err
	}
	if !there && (c.Kind == "" || c.URL == "") {
		return hinted{fmt.Errorf("there is no source %s yet: a new one needs -kind and -url", c.Name), "rempart admin source list shows those there are"}
	}
	src := row.Source
	if there && (c.Kind != "" && c.Kind != string(src.Kind) || c.List != "" && c.List != src.List) && !c.Afresh {
		return hinted{errors.New("a source of another kind or list is another source"), "read it from its beginning again with -afresh, or give it another name"}
	}
	src.Name, src.Kind, src.URL = c.Name, cmp.Or(rempart.SourceKind(c.Kind), src.Kind), cmp.Or(strings.TrimRight(c.URL, "/"), src.URL)
	src.List, src.Quality, src.Type = cmp.Or(c.List, src.List), cmp.Or(c.Quality, src.Quality), cmp.Or(rempart.FingerprintType(c.Type), src.Type)
	if src.Every = cmp.Or(c.Every, src.Every); src.Every == 0 {
		if src.Every = 15 * time.Minute; src.Kind == rempart.SourceFeed {
			src.Every = time.Second
		}
	}
	if src.Kind == rempart.SourceFile {
		src.Type = cmp.Or(src.Type, rempart.PDQ)
	}
	if c.Private != nil {
		src.Private = *c.Private
	}
	if c.MayLack != nil {
		if src.MayLack = *c.MayLack; src.MayLack == 0 {
			src.MayLack = 1e-9 // 0 is what nobody has set
		}
	}
	if err := src.Check(); err != nil {
		return hinted{err, "rempart help admin source add has an example"}
	}
	cred, err := c.credentials(src.Kind, there)
	if err != nil {
		return err
	}
	if err := i.db.PutSource(ctx, src, cred, c.Afresh); err != nil {
		return err
	}
	if src.Quality == 0 && (src.Kind == rempart.SourceStopNCII || src.Kind == rempart.SourceNCMEC) {
		fmt.Fprintln(s.err, "rempart: warning: it does not say of which quality a PDQ is, and those of no known quality enter no list: if it shares none of flat pictures, say so with -quality 50")
	}
	if !row.Running {
		fmt.Fprintf(s.err, "rempart: nothing is read yet: rempart admin source test -name %s says what would change, start begins\n", src.Name)
	}
	kind := "source.added"
	if there {
		kind = "source.changed"
	}
	return noted(ctx, i, kind, src.Name, "kind", string(src.Kind), "list", cmp.Or(src.List, "all"))
}

// credentials returns what is given of keys; nil keeps those there are.
func (c *sourceAdd) credentials(k rempart.SourceKind, there bool) (*rempart.Credentials, error) {
	cred := rempart.Credentials{Key: c.Key, Secret: c.Key2}
	need := map[rempart.SourceKind]string{rempart.SourceStopNCII: "both -key and -subscription-key", rempart.SourceNCMEC: "both -user and -key", rempart.SourceFeed: "-key"}[k]
	whole := cred.Key != "" && (k != rempart.SourceStopNCII || cred.Secret != "")
	if k == rempart.SourceNCMEC {
		cred = rempart.Credentials{Key: c.User, Secret: c.Key}
		whole = c.User != "" && c.Key != ""
	}
	switch {
	case cred.Key == "" && cred.Secret == "" && (there || need == ""):
		return nil, nil
	case !whole && need != "":
		return nil, hinted{errors.New("what is presented to the source is missing"), "give " + need + ", best in the environment: REMPART_SOURCE_KEY, REMPART_SOURCE_SUBSCRIPTION_KEY, REMPART_SOURCE_USER"}
	}
	return &cred, nil
}

// A sourceName is which source.
type sourceName struct {
	place
	Name string `help:"Its name." required:""`
}

// with opens the instance, and runs f with the source's row there.
func (c sourceName) with(ctx context.Context, f func(i *instance) error) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	if _, err := i.db.Source(ctx, c.Name); err != nil {
		return errors.Join(hinted{fmt.Errorf("source %s: %w", c.Name, err), "rempart admin source list shows those there are"}, i.db.Close())
	}
	return errors.Join(f(i), i.db.Close())
}

// sourceProgress shows how a reading goes, once a second.
func sourceProgress(s streams) func(rempart.SourceStatus) {
	start, shown := time.Now(), time.Now()
	return func(n rempart.SourceStatus) {
		if time.Since(shown) > time.Second {
			shown = time.Now()
			progress(s, "%s: read %d; %d refused, %d too flat or of no known quality", time.Since(start).Round(time.Second), n.Read, n.Refused, n.Flat)
		}
	}
}

// sayRefused names the first records that were refused.
func sayRefused(s streams, n rempart.SourceStatus) {
	for _, r := range n.Named {
		fmt.Fprintf(s.err, "rempart: refused: number %d: %s\n", r.Place, r.Why)
	}
	if more := n.Refused - len(n.Named); more > 0 && len(n.Named) > 0 {
		fmt.Fprintf(s.err, "rempart: refused: %d more\n", more)
	}
}

type sourceTest struct {
	sourceName
	JSON bool `name:"json" help:"Print the counts as one JSON object."`
}

// Run reads a source and saves nothing.
func (c *sourceTest) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(i *instance) error {
		t, err := i.flow.TrySource(ctx, c.Name, c.Data, sourceProgress(s))
		if err != nil {
			return sourceError(err)
		}
		sayRefused(s, t.Status)
		if c.JSON {
			return json.NewEncoder(s.out).Encode(t)
		}
		n := t.Status
		fmt.Fprintf(s.out, "%d read: %d would be added, %d changed, %d withdrawn, %d are so already\n", n.Read, t.Added, t.Changed, t.Removed, t.Same)
		fmt.Fprintf(s.out, "left out: %d refused, %d too flat or of no known quality, %d of other types or lists\n", n.Refused, n.Flat, n.Other)
		if t.Unsaid > 0 {
			fmt.Fprintf(s.out, "%d are held that the source does not speak of: they stay\n", t.Unsaid)
		}
		return nil
	})
}

// sourceError says what to do about a source that cannot be read.
func sourceError(err error) error {
	hint := "look at its address and keys: rempart admin source list; trying again goes on where it was"
	if rempart.KindOf(err) == rempart.Conflict {
		hint = "rempart admin source list says how far it is"
	}
	return hinted{fmt.Errorf("reading the source: %w", err), hint}
}

type sourceRead struct{ sourceName }

// Run reads a source now.
func (c *sourceRead) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(i *instance) error {
		n, err := i.flow.ReadSource(ctx, c.Name, sourceProgress(s))
		sayRefused(s, n)
		if err != nil {
			return errors.Join(sourceError(err), sealed(ctx, i))
		}
		fmt.Fprintf(s.out, "%d read: %d added or changed, %d withdrawn, %d were so already\n", n.Read, n.Added, n.Removed, n.Same)
		fmt.Fprintf(s.out, "left out: %d refused, %d too flat or of no known quality, %d of other types or lists\n", n.Refused, n.Flat, n.Other)
		return sealed(ctx, i)
	})
}

type sourceStart struct{ sourceName }

// Run lets a source be read.
func (c *sourceStart) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(i *instance) error {
		if err := i.db.RunSource(ctx, c.Name, true); err != nil {
			return err
		}
		return noted(ctx, i, "source.started", c.Name)
	})
}

type sourceStop struct{ sourceName }

// Run lets a source be read no more.
func (c *sourceStop) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(i *instance) error {
		if err := i.db.RunSource(ctx, c.Name, false); err != nil {
			return err
		}
		return noted(ctx, i, "source.stopped", c.Name)
	})
}

type sourceRemove struct {
	sourceName
	KeepEntries bool `help:"Leave what it shared in the lists, as it is."`
}

// Run forgets a source.
func (c *sourceRemove) Run(ctx context.Context, s streams) error {
	return c.with(ctx, func(i *instance) error {
		if err := i.db.RunSource(ctx, c.Name, false); err != nil {
			return err
		}
		row, err := i.db.Source(ctx, c.Name)
		if err != nil {
			return err
		}
		if row.HeldUntil.After(time.Now()) {
			return hinted{errors.New("the source is being read"), "it is not begun again; run this command again in a minute"}
		}
		gone := 0
		for !c.KeepEntries {
			n, err := i.db.EmptySource(ctx, row.Source.ID(), 1000)
			if err != nil {
				return hinted{err, "run the same command again: it goes on where it was"}
			}
			if n == 0 {
				break
			}
			gone += n
		}
		if err := i.db.RemoveSource(ctx, c.Name); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%d entries withdrawn\n", gone)
		return noted(ctx, i, "source.removed", c.Name, "withdrawn", fmt.Sprint(gone))
	})
}

type sourceList struct {
	place
	JSON bool `name:"json" help:"Print one JSON object a line."`
}

// Run lists the sources.
func (c *sourceList) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	all, err := i.db.Sources(ctx)
	if err != nil {
		return err
	}
	lacks, err := i.db.HeldSweeps(ctx)
	if err != nil {
		return err
	}
	waiting := map[string]*rempart.SourceLack{}
	for k := range lacks {
		waiting[lacks[k].Of] = &lacks[k]
	}
	if len(all) == 0 && !c.JSON {
		fmt.Fprintln(s.err, "rempart: no list of others is read; rempart help admin source add tells how")
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	if !c.JSON && len(all) > 0 {
		fmt.Fprintln(w, "NAME\tKIND\tURL\tLIST\tSTATE\tENTRIES\tREAD TO ITS END\tREFUSED")
	}
	for _, r := range all {
		held, err := i.db.CountSource(ctx, r.Source.ID())
		if err != nil {
			return err
		}
		if c.JSON {
			if err := json.NewEncoder(s.out).Encode(struct {
				rempart.Source
				Running bool                 `json:"running"`
				Entries int                  `json:"entries"`
				Status  rempart.SourceStatus `json:"status"`
				Lacks   *rempart.SourceLack  `json:"lacks,omitempty"` // it waits for somebody
			}{r.Source, r.Running, held, r.Status, waiting[r.Source.ID()]}); err != nil {
				return err
			}
			continue
		}
		state, ended := "stopped", "never"
		if r.Running {
			state = "every " + r.Source.Every.String()
		}
		if r.HeldUntil.After(time.Now()) {
			state += ", being read"
		}
		if waiting[r.Source.ID()] != nil {
			state += ", waits for a decision"
		}
		if !r.Status.Ended.IsZero() {
			ended = r.Status.Ended.UTC().Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%d\n", r.Source.Name, r.Source.Kind, r.Source.URL, cmp.Or(r.Source.List, "all"), state, held, ended, r.Status.Refused)
	}
	if err := w.Flush(); err != nil || c.JSON {
		return err
	}
	for _, r := range all {
		if !r.Status.Failed.IsZero() {
			fmt.Fprintf(s.err, "rempart: %s could not be read at %s: %s; next try %s\n", r.Source.Name, r.Status.Failed.UTC().Format(time.DateTime), r.Status.Why, r.DueAt.UTC().Format(time.DateTime))
		}
		sayRefused(s, r.Status)
	}
	for _, l := range lacks {
		sayLack(s, l)
	}
	return nil
}
