package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"rempart"
	"rempart/stats"
)

// itemsCmd gives a campaign items to be labelled.
type itemsCmd struct {
	place
	Campaign string `required:"" placeholder:"ID" help:"A registered campaign whose protocol has an annotation: the seed, and the share that two persons label."`
	File     string `arg:"" help:"The items, as CSV; - for standard input."`
}

// Help says what the table holds.
func (c *itemsCmd) Help() string {
	return "The table is CSV in UTF-8 with the column item_id, and if it likes surface, collected_at, url_hash; every other column is text that annotators see under its name. " +
		"A row with an address, a picture or a file in it is refused and named. Items that the campaign has already are left as they are, so that the same table can be given again. Exit status: 0 if every row was taken, 1 if not."
}

// Run takes the items in.
func (c *itemsCmd) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	in := io.NopCloser(s.in)
	if c.File != "-" {
		if in, err = os.Open(c.File); err != nil {
			return hinted{fmt.Errorf("the items: %w", err), "give the name of a CSV file"}
		}
	}
	defer in.Close()
	refused := 0
	n, added, err := addItems(ctx, i, c.Campaign, in, time.Now(), func(bad *stats.RowError) {
		refused++
		fmt.Fprintf(s.err, "rempart: %s: %v\n", c.File, bad)
	})
	if err != nil {
		return err
	}
	if err := sealed(ctx, i); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.out, "%d items, %d of them new; they are labelled under /console/campaigns/%s/annotate\n", n, added, c.Campaign); err != nil {
		return err
	}
	if refused > 0 {
		fmt.Fprintf(s.err, "rempart: error: %d rows were refused\nrempart: hint: correct the lines named above and give the table again\n", refused)
		return errShown
	}
	return nil
}

// addItems reads items and gives them to a registered campaign.
func addItems(ctx context.Context, i *instance, campaign string, in io.Reader, at time.Time, refused func(*stats.RowError)) (n, added int, err error) {
	var x stats.Campaign
	if err := i.db.Campaign(ctx, campaign, &x); err != nil {
		return 0, 0, hinted{fmt.Errorf("campaign %s: %w", campaign, err), "rempart campaign register PROTOCOL.json registers one"}
	}
	if x.Protocol.Annotation == nil {
		return 0, 0, hinted{fmt.Errorf("campaign %s: its protocol has no annotation, so nothing says how items are drawn", campaign),
			`register a protocol with "annotation": {"double_share": 0.2, "seed": "…"}`}
	}
	items, err := x.Protocol.ReadSample(in, refused)
	if err != nil {
		return 0, 0, fmt.Errorf("the items: %w", err)
	}
	e := adminEvent("campaign.items", campaign, "items", strconv.Itoa(len(items)))
	e.At = at
	added, err = i.db.AddSampled(ctx, campaign, x.Protocol.Annotation.Drawing(), items, e)
	if err != nil {
		return 0, 0, fmt.Errorf("campaign %s: %w", campaign, err)
	}
	return len(items), added, nil
}

// labelsCmd prints what annotators said.
type labelsCmd struct {
	place
	Campaign string `required:"" placeholder:"ID" help:"A campaign whose labelling has ended."`
}

// Run prints the table that the campaign's cards were made of.
func (c *labelsCmd) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	var x stats.Campaign
	if err := i.db.Campaign(ctx, c.Campaign, &x); err != nil {
		return fmt.Errorf("campaign %s: %w", c.Campaign, err)
	}
	all, err := i.db.Labelled(ctx, c.Campaign)
	if rempart.KindOf(err) == rempart.Conflict && err != nil {
		return hinted{fmt.Errorf("campaign %s: %w", c.Campaign, err), "a lead ends the labelling on the campaign's page"}
	}
	if err != nil {
		return fmt.Errorf("campaign %s: %w", c.Campaign, err)
	}
	return x.Protocol.WriteLabels(s.out, all)
}

// What the demo has to be labelled: fictional advertisements.
var (
	//go:embed demodata/annonces.json
	demoProtocol string
	//go:embed demodata/annonces.csv
	demoItems string
)

// annotated registers the demo's campaign, has two people who are not signed in
// label some of its items, and leaves others to whoever looks at the demo.
func annotated(ctx context.Context, i *instance) error {
	p, err := stats.ReadProtocol(strings.NewReader(demoProtocol))
	if err != nil {
		return fmt.Errorf("the demo's campaign: %w", err)
	}
	now := i.cfg.now()
	if _, err := registerCampaign(ctx, i, p, now); err != nil {
		return err
	}
	var bad error
	if _, _, err := addItems(ctx, i, p.ID, strings.NewReader(demoItems), now, func(r *stats.RowError) { bad = errors.Join(bad, r) }); err != nil || bad != nil {
		return fmt.Errorf("the demo's items: %w", errors.Join(err, bad))
	}
	for n := range 3 {
		for _, who := range []rempart.Actor{"Orme", "Tilleul"} {
			id, _, err := i.db.DrawSampled(ctx, p.ID, "demo-"+string(who))
			if err != nil {
				return fmt.Errorf("the demo's labels: %w", err)
			}
			said := map[string]string{"promise": []string{"retouching", "person", "unclear"}[n], "age_notice": []string{"none", "none", "stated"}[n]}
			if n == 1 && who == "Tilleul" {
				said["promise"] = "retouching"
			}
			if err := i.db.LabelSampled(ctx, p.ID, id, rempart.Labelling{StaffID: "demo-" + string(who), Alias: who, Values: said, At: now}); err != nil {
				return fmt.Errorf("the demo's labels: %w", err)
			}
		}
	}
	return nil
}
