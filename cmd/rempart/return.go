package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rempart"
	"rempart/law"
	"rempart/ledger"
	"rempart/returns"
	"rempart/store"
)

// returnCmd makes a periodic publication from the events of an instance.
type returnCmd struct {
	place
	Kind         string `arg:"" enum:"parliament,trusted-flagger,harmonised" help:"parliament, trusted-flagger (both of a hub) or harmonised (of a platform)."`
	Period       string `required:"" placeholder:"YEAR" help:"A year, such as 2026; harmonised takes a half too, such as 2026-H1."`
	Out          string `required:"" placeholder:"DIR" help:"Folder for the files; a new one, or an empty one, or one with the same return." type:"path"`
	Edition      int    `placeholder:"N" help:"An earlier edition; default: the last one, or the first one if there is none."`
	New          bool   `name:"new" help:"Freeze a new edition, as when the period was not over at the last one."`
	Name         string `help:"Name of the association or provider; default: that of the instance." env:"REMPART_NAME"`
	Area         string `name:"expertise" help:"The area it was designated for as a trusted flagger." env:"REMPART_EXPERTISE"`
	Trusted      bool   `help:"It is a trusted flagger (DSA art. 22)." env:"REMPART_TRUSTED"`
	Independence string `placeholder:"FILE" help:"Text that explains the procedures which ensure independence (art. 22(3)), for trusted-flagger." type:"existingfile"`
}

// Help says what is frozen, and what the same command does a second time.
func (c *returnCmd) Help() string {
	return `The first time, an edition is frozen: how far events are counted, who published it and when; the ledger gets its digest. Run again, at any time, the same command makes the same files from the events again, compares each with what was frozen, and fails if one differs. -new freezes another edition.

parliament and trusted-flagger hide every number from 1 to 4, and others through which one could be found. harmonised does not: the law asks a provider for exact numbers.

The PDFs are made by rempart itself, with tags and embedded fonts; no browser is needed. The files are signed: rempart verify -return DIR checks them.`
}

// Run makes the return.
func (c *returnCmd) Run(ctx context.Context, s streams) error {
	kind := returns.Kind(c.Kind)
	p, err := returns.ParsePeriod(c.Period, kind)
	if err != nil {
		return hinted{fmt.Errorf("-period: %w", err), "give the year of the return, such as -period 2026"}
	}
	where, err := c.find(kind)
	if err != nil {
		return err
	}
	i, err := where.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	now := i.cfg.now()
	if start, err := time.Parse(time.DateOnly, p.From); err != nil || start.After(now) {
		return hinted{fmt.Errorf("-period: %s has not begun", p.Name), "give the year of the return, such as -period " + now.Format("2006")}
	}
	e, fresh, err := c.edition(ctx, i, kind, p, now)
	if err != nil {
		return err
	}
	files, err := build(ctx, i.db, e)
	if err != nil {
		return err
	}
	if fresh {
		e.Files = returns.Sums(files)
		const text = "statement"
		digest := returns.Sums([]returns.File{{Name: text, Body: []byte(e.Statement(files))}})[text]
		if err := i.db.Freeze(ctx, e.ID(), e, adminEvent("return.frozen", e.ID(), "digest", digest, "counts", fmt.Sprint(e.Seq))); err != nil {
			return err
		}
		if err := sealed(ctx, i); err != nil {
			return err
		}
	} else if differ := differing(e.Files, returns.Sums(files)); len(differ) > 0 {
		return hinted{fmt.Errorf("edition %d of %s %s cannot be made again: %s would differ from what was frozen on %s; nothing was written", e.Number, kind, p.Name, strings.Join(differ, ", "), e.Frozen),
			"use the version of rempart that froze it; if it is the same, compare the database with a backup"}
	}
	manifest, err := i.db.Sign(e.Statement(files))
	if err != nil {
		return err
	}
	if err := writeReturn(c.Out, append(files, returns.File{Name: manifestName, Body: []byte(manifest)})); err != nil {
		return err
	}
	return c.say(s, e, fresh, now, len(files)+1)
}

// manifestName is the file with the digests and the signature.
const manifestName = "manifest.txt"

// say tells what was made.
func (c *returnCmd) say(s streams, e returns.Edition, fresh bool, now time.Time, files int) error {
	how := "made again from the events, and the same as what was frozen on " + e.Frozen
	if fresh {
		how = "frozen, signed, noted in the ledger"
	}
	if _, err := fmt.Fprintf(s.out, "%s %s, edition %d: %s; %d files in %s\n", e.Kind, e.Period.Name, e.Number, how, files, c.Out); err != nil {
		return err
	}
	switch {
	case e.Whole:
	case now.Before(e.Period.End()):
		fmt.Fprintf(s.err, "rempart: the period is not over: this edition counts up to %s; freeze a whole one after %s with -new\n", e.Until, e.Period.Until)
	default:
		fmt.Fprintf(s.err, "rempart: edition %d was frozen before the period was over; -new freezes a whole one\n", e.Number)
	}
	if e.Kind == returns.TrustedFlagger && e.Independence == "" {
		fmt.Fprintln(s.err, "rempart: article 22(3) asks for an explanation of the procedures that ensure independence: give it with -independence FILE")
	}
	return nil
}

// find returns the place of an instance of the right role. The folder of a demo
// holds three: the hub, and two platforms.
func (c *returnCmd) find(kind returns.Kind) (place, error) {
	p := c.place
	if p.Database != "" {
		return p, nil
	}
	if _, err := os.Stat(filepath.Join(p.Data, "instance.key")); err == nil {
		return p, nil
	}
	names := []string{"hub"}
	if kind == returns.Harmonised {
		names = nil
		for _, d := range demoPlatforms {
			names = append(names, d.id)
		}
	}
	for _, n := range names {
		if _, err := os.Stat(filepath.Join(p.Data, n, "instance.key")); err == nil {
			p.Data = filepath.Join(p.Data, n)
			return p, nil
		}
	}
	return p, hinted{fmt.Errorf("there is no instance in %s", p.Data), "name its folder with -data DIR; that of a demo is the one given to rempart demo -data DIR"}
}

// edition returns the edition that is asked for: a frozen one, or a new one that
// is yet to be frozen.
func (c *returnCmd) edition(ctx context.Context, i *instance, kind returns.Kind, p returns.Period, now time.Time) (e returns.Edition, fresh bool, err error) {
	ids, err := i.db.FrozenReturns(ctx)
	if err != nil {
		return e, false, err
	}
	last, previous := 0, ""
	for _, id := range ids {
		if !strings.HasPrefix(id, string(kind)+"/") {
			continue
		}
		var x returns.Edition
		if err := i.db.Frozen(ctx, id, &x); err != nil {
			return e, false, err
		}
		if x.Period == p {
			last = max(last, x.Number)
		} else if x.Period.Until < p.From && x.Frozen > previous {
			previous = x.Frozen
		}
	}
	switch {
	case c.Edition > last || c.Edition < 0:
		return e, false, hinted{fmt.Errorf("there is no edition %d of %s %s", c.Edition, kind, p.Name), fmt.Sprintf("there are %d", last)}
	case last > 0 && !c.New:
		return e, false, i.db.Frozen(ctx, fmt.Sprintf("%s%d", returns.Prefix(kind, p), cmp.Or(c.Edition, last)), &e)
	}
	e = returns.Edition{Format: returns.Format, Kind: kind, Period: p, Number: last + 1, Frozen: now.UTC().Format(time.DateOnly), Previous: previous,
		Before: p.End(), Whole: !now.Before(p.End()), Until: p.Until, Law: law.France().Version, Trusted: c.Trusted, Area: c.Area}
	if !e.Whole {
		e.Until = now.UTC().Format(time.DateOnly)
	}
	edge, err := i.db.Edge(ctx)
	if err != nil {
		return e, false, err
	}
	e.Seq = edge.Seq
	known, err := readKept(ctx, i.db)
	if err != nil {
		return e, false, err
	}
	e.Site, e.Demo = cmp.Or(known.Site, "Rempart"), known.Demo
	e.Name = cmp.Or(c.Name, known.Notifier.Name, e.Site)
	e.Area, e.Trusted = cmp.Or(c.Area, known.Notifier.Expertise), c.Trusted || known.Notifier.TrustedFlagger
	if e.Demo && kind == returns.TrustedFlagger {
		e.Independence = demoIndependence
	}
	if c.Independence != "" {
		b, err := os.ReadFile(c.Independence)
		if err != nil {
			return e, false, fmt.Errorf("reading the procedures: %w", err)
		}
		e.Independence = strings.TrimSpace(strings.ToValidUTF8(string(b), "\ufffd"))
	}
	staff, err := i.db.AllStaff(ctx)
	if err != nil {
		return e, false, err
	}
	e.Staff = map[string]int{}
	for _, m := range staff {
		if m.DisabledAt.IsZero() {
			e.Staff[string(m.Role)]++
		}
	}
	return e, true, nil
}

// A kept instance is what commands that do not serve know of it.
type keptInstance struct {
	Site     string           `json:"site"`
	Demo     bool             `json:"demo,omitempty"` // everything in it is fictional
	Notifier rempart.Notifier `json:"notifier,omitzero"`
}

// keep keeps what the instance is, for the commands that do not serve.
func (i *instance) keep(ctx context.Context) error {
	doc, err := json.Marshal(keptInstance{i.cfg.site, i.cfg.demo, i.cfg.notifier})
	if err != nil {
		return fmt.Errorf("keeping what the instance is: %w", err)
	}
	return errors.Join(i.db.Keep(ctx, store.KeptName, signerName(i.cfg.site)), i.db.Keep(ctx, store.KeptOrigin, i.cfg.origin), i.db.Keep(ctx, store.KeptInstance, string(doc)))
}

// readKept reads what keep kept.
func readKept(ctx context.Context, db *store.DB) (k keptInstance, err error) {
	doc, err := db.Kept(ctx, store.KeptInstance)
	if err != nil || doc == "" {
		return k, err
	}
	if err := json.Unmarshal([]byte(doc), &k); err != nil {
		return k, fmt.Errorf("reading what the instance is: %w", err)
	}
	return k, nil
}

// demoIndependence is what the demo's association says of itself.
const demoIndependence = `Texte fictif de la démonstration. L’association n’a aucun lien capitalistique, contractuel ou de direction avec un fournisseur de plateforme en ligne. Ses ressources viennent de dons et de subventions publiques, publiés chaque année.

Un analyste qui travaille ou a travaillé pour un fournisseur ne traite aucun dossier qui le concerne. Chaque notification est relue avant son envoi et rattachée à une qualification datée.`

// build makes the files of an edition from the tally.
func build(ctx context.Context, db *store.DB, e returns.Edition) ([]returns.File, error) {
	var lines []rempart.Count
	if err := db.Counts(ctx, e.Period.From, e.Period.Until, store.CountEdge{Seq: e.Seq, At: e.Before}, func(c rempart.Count) { lines = append(lines, c) }); err != nil {
		return nil, err
	}
	return returns.Build(e, func(f func(rempart.Count)) {
		for _, c := range lines {
			f(c)
		}
	})
}

// differing names the files that are not the same, or not in both.
func differing(was, is map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if is[name] != was[name] {
			out = append(out, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if was[name] == "" {
			out = append(out, name)
		}
	}
	return out
}

// writeReturn writes the files to a folder that has none, or none but these.
func writeReturn(dir string, files []returns.File) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return hinted{fmt.Errorf("-out: %w", err), "choose a folder that you can write"}
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		return hinted{fmt.Errorf("-out: %w", err), "choose a folder that you can write"}
	}
	for _, f := range there {
		if !slices.ContainsFunc(files, func(x returns.File) bool { return x.Name == f.Name() }) {
			return hinted{fmt.Errorf("-out: %s has another file, %s; nothing was written", dir, f.Name()), "choose an empty folder for each return"}
		}
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Body, 0o644); err != nil {
			return fmt.Errorf("writing the return: %w", err)
		}
	}
	return nil
}

// verifyReturn checks that a folder holds what an instance signed.
func verifyReturn(v ledger.Verifier, dir string, s streams) error {
	signed, err := readNote(filepath.Join(dir, manifestName))
	if err != nil {
		return hinted{fmt.Errorf("the return has no manifest: %w", err), "give the folder that rempart return wrote"}
	}
	text, err := v.Open(signed)
	if err != nil || !strings.HasPrefix(text, "rempart return v1\n") {
		return hinted{fmt.Errorf("the manifest of this return %w", errForeign), "compare it with the one that was published first"}
	}
	n := 0
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "sha256 ")
		if !ok {
			continue
		}
		sum, name, _ := strings.Cut(rest, " ")
		b, err := os.ReadFile(filepath.Join(dir, filepath.Base(name)))
		if err != nil {
			return hinted{fmt.Errorf("a file of this return is missing: %w", err), "get the whole folder again"}
		}
		if got := returns.Sums([]returns.File{{Name: name, Body: b}})[name]; got != sum {
			return hinted{fmt.Errorf("%s is not the file that was signed", name), "get it again from whoever published it"}
		}
		n++
	}
	if n == 0 {
		return errors.New("the manifest of this return names no file")
	}
	_, err = fmt.Fprintf(s.out, "genuine: %d files\n%s", n, bytes.TrimSpace([]byte(text)))
	fmt.Fprintln(s.out)
	return err
}
