package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rempart/law"
)

// lawCmd is what can be done with the law packs.
type lawCmd struct {
	Check   lawCheckCmd   `cmd:"" help:"Print the law packs and run their worked examples."`
	Qualify lawQualifyCmd `cmd:"" help:"Say which offences facts may constitute: indicative, not legal advice."`
}

// lawCheckCmd prints packs and checks them.
type lawCheckCmd struct {
	Pack string `help:"A pack, or a folder of packs, in the place of those of this program." placeholder:"FILE|DIR"`
	JSON bool   `name:"json" help:"One JSON object."`
}

// Help says what is checked.
func (lawCheckCmd) Help() string {
	return "A rule without source, date of the text or worked example does not load, nor one whose conditions do not compile or whose examples do not come out as written. Every rule at fault is named, and the command fails."
}

// A packFile is one file that was checked.
type packFile struct {
	File  string    `json:"file"`
	Pack  *packLine `json:"pack,omitempty"`
	Fault []string  `json:"faults,omitempty"`
}

// A packLine is a pack that loads.
type packLine struct {
	Version    string     `json:"version"`
	Country    string     `json:"country"`
	TextDate   string     `json:"text_date"`
	Rules      []law.Rule `json:"rules"`
	Examples   int        `json:"examples"`
	Unverified int        `json:"unverified"`
}

// Run fails if a rule of any pack is at fault.
func (c *lawCheckCmd) Run(s streams) error {
	files, err := readPacks(c.Pack)
	if err != nil {
		return err
	}
	failed := false
	var out []packFile
	for _, f := range files {
		p, err := law.Read(f.data)
		if err != nil {
			failed = true
			faults := strings.Split(err.Error(), "\n")
			out = append(out, packFile{File: f.name, Fault: faults})
			for _, fault := range faults {
				fmt.Fprintf(s.err, "rempart: error: law pack %s: %s\n", f.name, fault)
			}
			continue
		}
		line := packLine{Version: p.Version, Country: p.Country, TextDate: p.TextDate, Rules: p.Rules()}
		for _, r := range line.Rules {
			line.Examples += r.Examples
			if !r.Verified {
				line.Unverified++
			}
		}
		out = append(out, packFile{File: f.name, Pack: &line})
		if !c.JSON {
			printPack(s.out, f.name, line)
		}
	}
	if c.JSON {
		if err := json.NewEncoder(s.out).Encode(map[string]any{"packs": out, "whole": !failed}); err != nil {
			return err
		}
	}
	if failed {
		fmt.Fprintln(s.err, "rempart: hint: a rule needs its source, the date of the text it was read from, and worked examples that come out as written")
		return errShown
	}
	return nil
}

// printPack prints a line for each rule of a pack, and what was counted.
func printPack(w io.Writer, file string, p packLine) {
	fmt.Fprintf(w, "%s  text of %s  (%s)\n", p.Version, p.TextDate, file)
	for _, r := range p.Rules {
		verified := "verified"
		if !r.Verified {
			verified = "UNVERIFIED"
		}
		fmt.Fprintf(w, "  %-12s %-24s %-10s read %s  %s  examples %d", r.Kind, r.ID, verified, r.TextDate, r.InForce, r.Examples)
		if r.Note != "" {
			fmt.Fprintf(w, "  %s", r.Note)
		}
		fmt.Fprintf(w, "\n  %-12s %s\n", "", r.Source)
	}
	fmt.Fprintf(w, "  %d rules, %d of them unverified; %d worked examples came out as written\n\n", len(p.Rules), p.Unverified, p.Examples)
}

// A namedFile is a file that was read.
type namedFile struct {
	name string
	data []byte
}

// notPacks are what the names of data files begin with that are no packs: help
// lines, delays and steps of an association, the checklist of the AI Act.
var notPacks = []string{"help-", "clocks-", "ladder-", "ai-act-"}

// readPacks reads the packs of a file or a folder, or those of this program when
// name is empty. Files of a folder that are no packs are left out: see notPacks.
func readPacks(name string) ([]namedFile, error) {
	fsys, label := law.Embedded(), "law/data"
	if name != "" {
		info, err := os.Stat(name)
		if err != nil {
			return nil, hinted{fmt.Errorf("reading the law pack: %w", err), "give a pack such as law/data/fr/fr-2026-04-02.3.json, or a folder of them"}
		}
		if !info.IsDir() {
			b, err := os.ReadFile(name)
			return []namedFile{{name, b}}, err
		}
		fsys, label = os.DirFS(name), name
	}
	var out []namedFile
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		other := func(prefix string) bool { return strings.HasPrefix(d.Name(), prefix) }
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" || slices.ContainsFunc(notPacks, other) {
			return err
		}
		b, err := fs.ReadFile(fsys, path)
		out = append(out, namedFile{label + "/" + path, b})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the law packs: %w", err)
	}
	if len(out) == 0 {
		return nil, hinted{errors.New("no law pack in this folder"), "a pack is a .json file such as law/data/fr/fr-2026-04-02.3.json"}
	}
	return out, nil
}
