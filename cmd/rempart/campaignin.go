package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"rempart"
	"rempart/stats"
)

// registerCmd seals a campaign's protocol.
type registerCmd struct {
	place
	Protocol string `arg:"" help:"The protocol, as JSON; rempart campaign reconstructed writes two examples." type:"existingfile"`
}

// Run registers a protocol.
func (c *registerCmd) Run(ctx context.Context, s streams) error {
	f, err := os.Open(c.Protocol)
	if err != nil {
		return fmt.Errorf("protocol: %w", err)
	}
	defer f.Close()
	p, err := stats.ReadProtocol(f)
	if err != nil {
		return hinted{err, "complete the file; what a protocol holds is in the examples that rempart campaign reconstructed -out DIR writes"}
	}
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	x, err := registerCampaign(ctx, i, p, time.Now())
	if err != nil {
		return err
	}
	if err := sealed(ctx, i); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "registered %s: protocol %s is sealed in the ledger; take tables in with rempart campaign import -campaign %s FILE.csv\n", p.ID, x.Digest, p.ID)
	return err
}

// registerCampaign keeps a protocol, once, with its digest in the ledger.
func registerCampaign(ctx context.Context, i *instance, p stats.Protocol, at time.Time) (stats.Campaign, error) {
	x := stats.Campaign{Protocol: p, Registered: true, At: at.UTC().Truncate(time.Second), Digest: p.Digest()}
	e := adminEvent("campaign.registered", p.ID, "digest", x.Digest)
	e.At = at
	return x, i.db.SaveCampaign(ctx, p.ID, x, true, e)
}

// takeInCmd takes a labelled table into an instance.
type takeInCmd struct {
	place
	Campaign string `placeholder:"ID" help:"The registered campaign. Without one, give -positive: the card then says that no protocol was registered."`
	Positive string `placeholder:"LABEL=VALUE" help:"Without -campaign: what is counted."`
	Among    string `placeholder:"LABEL=VALUE" help:"Without -campaign: among which items."`
	JSON     bool   `name:"json" help:"JSON: the card, or of several ratios a list of them."`
	Lang     string `enum:"en,fr" default:"en" help:"The language of the cards and their warnings: en or fr."`
	File     string `arg:"" help:"The table, as CSV or Parquet; - for standard input."`
}

// Help says what is kept.
func (c *takeInCmd) Help() string {
	return "The rows themselves are not kept: the instance keeps the SHA-256 of the table and the card of each registered ratio; whoever has the table can make the same cards. Rows that are refused are named on standard error; a card says how many they were. Exit status: 0 if every row was taken, 1 if not."
}

// Run takes a table in and prints its cards.
func (c *takeInCmd) Run(ctx context.Context, s streams) error {
	if (c.Campaign == "") == (c.Positive == "") {
		return hinted{errors.New("give either -campaign, whose protocol names the ratios, or -positive"), "rempart campaign register PROTOCOL.json registers one"}
	}
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	var x stats.Campaign
	if c.Campaign != "" {
		if err := i.db.Campaign(ctx, c.Campaign, &x); err != nil {
			return hinted{fmt.Errorf("campaign %s: %w", c.Campaign, err), "rempart campaign register PROTOCOL.json registers one"}
		}
	} else {
		x.Protocol.Ratios = []stats.Ratio{{ID: c.Positive, Positive: c.Positive, Among: c.Among}}
	}
	in, err := openTable(ctx, &s, c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	t, err := takeTable(ctx, i, &x, in.table(), in.name, time.Now(), func(bad *stats.RowError) { fmt.Fprintf(s.err, "rempart: %s: %v\n", c.File, bad) })
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if err := sealed(ctx, i); err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(s.out)
		enc.SetEscapeHTML(false)
		if c.Campaign == "" {
			err = enc.Encode(plain(t.Cards[0].Card, c.Lang))
		} else {
			out := slices.Clone(t.Cards)
			for k := range out {
				out[k].Card = plain(out[k].Card, c.Lang)
			}
			err = enc.Encode(out)
		}
	} else {
		for _, r := range t.Cards {
			if _, err = fmt.Fprintf(s.out, "%s\n", r.Ratio); err == nil {
				err = printCard(s.out, r.Card, c.Lang)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("printing the cards: %w", err)
	}
	if t.Refused > 0 {
		fmt.Fprintf(s.err, "rempart: error: %d rows were refused; the cards were made without them\nrempart: hint: correct the lines named above and import the table again\n", t.Refused)
		return errShown
	}
	return nil
}

// takeTable makes the cards of a table and keeps them with the campaign; one
// without a protocol is kept under the table's digest.
func takeTable(ctx context.Context, i *instance, x *stats.Campaign, in io.Reader, name string, at time.Time, refused func(*stats.RowError)) (stats.Table, error) {
	t, err := x.Take(in, name, at.UTC().Truncate(time.Second), refused)
	if err != nil {
		return t, err
	}
	fresh := x.Protocol.ID == ""
	if fresh {
		x.Protocol.ID, x.Protocol.Title, x.At = "table-"+t.SHA256[:12]+"-"+rempart.NewID(at)[:6], name, t.At
	}
	x.Tables = append(x.Tables, t)
	e := adminEvent("campaign.imported", x.Protocol.ID, "table", t.SHA256, "rows", fmt.Sprint(t.Rows), "refused", fmt.Sprint(t.Refused))
	e.At = at
	return t, i.db.SaveCampaign(ctx, x.Protocol.ID, x, fresh, e)
}

// reconstructedCmd writes the published audits that are reconstructed.
type reconstructedCmd struct {
	Out string `required:"" placeholder:"DIR" help:"Folder for the protocols and tables." type:"path"`
}

// Run writes each reconstruction's protocol and table.
func (c *reconstructedCmd) Run(s streams) error {
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return hinted{fmt.Errorf("-out: %w", err), "choose a folder that you can write"}
	}
	for _, r := range stats.Reconstructions() {
		p, err := json.MarshalIndent(r.Protocol, "", "  ")
		if err != nil {
			return fmt.Errorf("writing a protocol: %w", err)
		}
		var b bytes.Buffer
		if err := r.Write(&b); err != nil {
			return err
		}
		for name, body := range map[string][]byte{r.Protocol.ID + ".json": append(p, '\n'), r.Protocol.ID + ".csv": b.Bytes()} {
			if err := os.WriteFile(filepath.Join(c.Out, name), body, 0o644); err != nil {
				return fmt.Errorf("-out: %w", err)
			}
		}
		fmt.Fprintf(s.out, "%s: %s\n", r.Protocol.ID, r.Protocol.Title)
	}
	return nil
}

// reconstruct registers the reconstructed audits in an instance, for the demo.
func reconstruct(ctx context.Context, i *instance) error {
	for _, r := range stats.Reconstructions() {
		var x stats.Campaign
		if err := i.db.Campaign(ctx, r.Protocol.ID, &x); err == nil {
			continue
		}
		x, err := registerCampaign(ctx, i, r.Protocol, i.cfg.now())
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := r.Write(&b); err != nil {
			return err
		}
		if _, err := takeTable(ctx, i, &x, &b, r.Protocol.ID+".csv", i.cfg.now(), func(*stats.RowError) {}); err != nil {
			return fmt.Errorf("campaign %s: %w", r.Protocol.ID, err)
		}
	}
	return nil
}
