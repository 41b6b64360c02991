package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"rempart"
)

type flaggerCmd struct {
	Import flaggerImport `cmd:"" help:"Replace the list of trusted flaggers by that of a CSV file."`
	List   flaggerList   `cmd:"" help:"Show the list."`
}

// flaggerColumns are the columns of the file, in any order.
var flaggerColumns = []string{"id", "name", "country", "expertise", "categories", "status", "from", "until", "source", "source_date"}

type flaggerImport struct {
	place
	File string `arg:"" help:"CSV file with a line of names: id, name, country, expertise, categories, status, from, until, source, source_date." type:"existingfile"`
}

// Help tells what is in the file.
func (c *flaggerImport) Help() string {
	return `The Commission publishes the list of trusted flaggers that the coordinators
designated; write down what you read there, with its address and the day in
source and source_date. None comes with this program. categories are those of
Regulation (EU) 2024/2835 that the area of expertise covers, separated by spaces,
such as "3 4 9b": a notice outside them has no priority. status is active,
suspended or revoked; until may be empty. Tie a key to an entry with
rempart admin peer add -id PEER -flagger ID. Nothing is imported if a line is wrong.`
}

// Run imports the list.
func (c *flaggerImport) Run(ctx context.Context, s streams) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	list, err := readFlaggers(f)
	if err != nil {
		return hinted{fmt.Errorf("%s: %w", c.File, err), "rempart help admin flagger import says what is in the file"}
	}
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	if err := i.db.PutFlaggers(ctx, list, adminEvent("flaggers.imported", "flaggers", "entries", fmt.Sprint(len(list)))); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "rempart: %d trusted flaggers; those that are no longer in the file have no priority from now on\n", len(list))
	return sealed(ctx, i)
}

// readFlaggers reads the list, or says which line is wrong.
func readFlaggers(in io.Reader) ([]rempart.Flagger, error) {
	r := csv.NewReader(in)
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	at := map[string]int{}
	for k, name := range head {
		at[strings.TrimPrefix(strings.TrimSpace(name), "\ufeff")] = k
	}
	for _, name := range flaggerColumns {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("line 1: there is no column %s", name)
		}
	}
	var out []rempart.Flagger
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		v := func(name string) string { return strings.TrimSpace(row[at[name]]) }
		line, _ := r.FieldPos(0)
		x := rempart.Flagger{ID: v("id"), Name: v("name"), Country: v("country"), Expertise: v("expertise"), Categories: strings.Fields(v("categories")),
			Status: rempart.FlaggerStatus(v("status")), From: v("from"), Until: v("until"), Source: v("source"), SourceDate: v("source_date")}
		if err := x.Check(); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if slices.ContainsFunc(out, func(o rempart.Flagger) bool { return o.ID == x.ID }) {
			return nil, fmt.Errorf("line %d: the id is in the file twice", line)
		}
		out = append(out, x)
	}
	if len(out) == 0 {
		return nil, errors.New("no entry in it")
	}
	return out, nil
}

type flaggerList struct{ place }

// Run shows the list.
func (c *flaggerList) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	list, err := i.db.Flaggers(ctx)
	if err != nil {
		return err
	}
	peers, err := i.db.Peers(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tCOUNTRY\tCATEGORIES\tSTATUS\tFROM\tUNTIL\tKEY OF\tSOURCE")
	for _, f := range list {
		var keys []string
		for _, p := range peers {
			if p.Flagger == f.ID {
				keys = append(keys, p.ID)
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s (%s)\n", f.ID, f.Name, f.Country, strings.Join(f.Categories, " "), f.Status, f.From, cmp.Or(f.Until, "–"),
			cmp.Or(strings.Join(keys, ","), "–"), f.Source, f.SourceDate)
	}
	return w.Flush()
}
