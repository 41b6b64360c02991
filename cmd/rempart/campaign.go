package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"rempart/stats"
)

// campaignCmd holds what is done with the tables of an audit campaign.
type campaignCmd struct {
	Card          cardCmd          `cmd:"" help:"Compute one figure of a labelled table, with all that must be said with it."`
	Register      registerCmd      `cmd:"" help:"Seal a campaign's protocol in the ledger, before anything is collected."`
	Import        takeInCmd        `cmd:"" help:"Take a labelled table into an instance: the cards of the registered ratios."`
	Items         itemsCmd         `cmd:"" help:"Give a campaign items to be labelled in the console: text and metadata, no address, no picture."`
	Labels        labelsCmd        `cmd:"" help:"Print the labels that were given in the console as a labelled table, once the labelling has ended."`
	Reconstructed reconstructedCmd `cmd:"" help:"Write the published audits that are reconstructed: protocols and tables."`
}

// cardCmd computes a card from a file, without an instance.
type cardCmd struct {
	JSON             bool     `name:"json" help:"One JSON object."`
	Lang             string   `enum:"en,fr" default:"en" help:"The language of the card and its warnings: en or fr."`
	Positive         string   `required:"" placeholder:"LABEL=VALUE" help:"What is counted: items with this value of this label."`
	Among            string   `placeholder:"LABEL=VALUE" help:"Among which items; every item that has the label, if not given."`
	Population       int      `placeholder:"N" help:"How many items the sample stands for: adds the total, and corrects the interval where the sample is more than 5 % of them."`
	Sensitivity      *float64 `placeholder:"P" help:"Share of the positives that the labelling method finds, 0 to 1: adds the corrected share."`
	Specificity      *float64 `placeholder:"P" help:"Share of the negatives that it leaves."`
	SensitivityItems int      `placeholder:"N" help:"On how many items the sensitivity was measured."`
	SpecificityItems int      `placeholder:"N" help:"On how many items the specificity was measured."`
	Sample           bool     `name:"probability-sample" help:"The items were drawn at random from the population."`
	BySurface        bool     `help:"The share on each surface too."`
	File             string   `arg:"" help:"The table, as CSV or Parquet; - for standard input."`
}

// Help says what the table must hold and what the exit status tells.
func (c *cardCmd) Help() string {
	return "The table is CSV in UTF-8, or a Parquet file, with the columns " + strings.Join(stats.Columns, ", ") + "; one row a label, several rows an item. " +
		"surface, collected_at, url_hash, method and confidence may be empty, and annotator where the method is a model. No cell may hold a picture, a data address, an address or a formula.\n\n" +
		"An item counts once, whatever the order of its rows: it is what its adjudication says (a row whose method or annotator is called adjudication, adjudicated, adjudicator, arbitrage or the like), else what most annotators say. " +
		"Where they tie, the label of the annotator stands who labelled at least twice as many items as those who say otherwise (they labelled a part again, to measure agreement); else the item is undecided, and in neither numerator nor denominator: a warning says how many, and between what the figure lies. " +
		"An annotator who gives a label of an item two values has no say in it; an item with two url_hash is left out. Values and labels are compared letter by letter, capitals included.\n\n" +
		"Without -among the denominator is every item that has the label of -positive; with it, those of them for which -among holds. " +
		"The interval is Wilson's, or Clopper and Pearson's exact one where the numerator, or what lacks to the denominator, is under 5. " +
		"kappa is of the values of the label of -positive, before adjudication, over the items of the denominator, and those left undecided, that two or more labelled (doubly_labelled): Cohen's if two annotators labelled all of these, Fleiss' if as many labelled each, else null; Krippendorff's alpha stands beside it.\n\n" +
		"Rows that are not counted are named on standard error, each by its line. Exit status: 0 if every row could be read and there is a share, 1 if not; where the denominator is 0, -json prints null for the share, its interval and the interval's method."
}

// Run prints the card; it fails, after it, if a row could not be read.
func (c *cardCmd) Run(ctx context.Context, s streams) error {
	positive, err := stats.ParseCondition(c.Positive)
	if err != nil {
		return fmt.Errorf("-positive %w", err)
	}
	var among *stats.Condition
	if c.Among != "" {
		a, err := stats.ParseCondition(c.Among)
		if err != nil {
			return fmt.Errorf("-among %w", err)
		}
		among = &a
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	in, err := openTable(ctx, &s, c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	tally := stats.NewTally(positive, among)
	name := func(bad *stats.RowError) { fmt.Fprintf(s.err, "rempart: %s: %v\n", c.File, bad) }
	err = stats.ReadTable(in.table(), func(r stats.Row) {
		if bad := tally.Add(r); bad != nil {
			name(bad)
		}
	}, func(bad *stats.RowError) {
		o.Refused++
		name(bad)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	card, err := tally.Card(o)
	if errors.Is(err, stats.ErrEmpty) {
		if c.JSON {
			if err := c.print(s.out, card); err != nil {
				return err
			}
		}
		return hinted{fmt.Errorf("%s: %w", c.File, err), "check the spelling of the labels and values; a share of nothing is not printed"}
	}
	if err != nil {
		return err
	}
	if err := c.print(s.out, card); err != nil {
		return err
	}
	if o.Refused > 0 {
		fmt.Fprintf(s.err, "rempart: error: %d rows could not be read; the card was made without them\nrempart: hint: correct the lines named above and run it again\n", o.Refused)
		return errShown
	}
	return nil
}

// print writes the card as it was asked for.
func (c *cardCmd) print(w io.Writer, card stats.Card) error {
	var err error
	if c.JSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		err = enc.Encode(plain(card, c.Lang))
	} else {
		err = printCard(w, card, c.Lang)
	}
	if err != nil {
		return fmt.Errorf("printing the card: %w", err)
	}
	return nil
}

// options checks the flags that go together.
func (c *cardCmd) options() (stats.Options, error) {
	o := stats.Options{Population: c.Population, ProbabilitySample: c.Sample, BySurface: c.BySurface}
	if c.Population < 0 {
		return o, errors.New("-population must be positive")
	}
	if (c.Sensitivity == nil) != (c.Specificity == nil) {
		return o, errors.New("give -sensitivity and -specificity together")
	}
	if c.Sensitivity != nil {
		o.Classifier = &stats.Classifier{Sensitivity: *c.Sensitivity, Specificity: *c.Specificity,
			SensitivityItems: c.SensitivityItems, SpecificityItems: c.SpecificityItems}
	}
	return o, nil
}

// plain is a card with its warnings in one language, as it is printed.
func plain(c stats.Card, lang string) stats.Card {
	c = c.In(lang)
	c.Said = nil
	return c
}
