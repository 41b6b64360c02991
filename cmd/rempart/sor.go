package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"rempart/exchange"
	"rempart/flow"
)

// sorCmd works on statements of reasons as the EU's transparency database takes
// them.
type sorCmd struct {
	Check sorCheckCmd `cmd:"" help:"Name each fault for which the EU's transparency database would refuse statements of reasons."`
	Send  sorSendCmd  `cmd:"" help:"Have the statements sent that were made while the instance sent none."`
}

// sorCheckCmd checks files as the database's own validator would.
type sorCheckCmd struct {
	fileCheck
}

// Run prints a line for each fault, and nothing for a statement without one.
func (c *sorCheckCmd) Run(s streams) error { return c.run(s, exchange.CheckStatement, nil) }

// sorSendCmd has the statements of dry runs sent.
type sorSendCmd struct {
	place
	DryRun bool `help:"Only say what would be sent; -dry-run=false does it." default:"true"`
}

// Help says who sends them.
func (c *sorSendCmd) Help() string {
	return "The instance itself sends them, when it serves with -transparency and -transparency-token; without these they are only made and checked again. " +
		"What the database has is never sent again."
}

// Run lists the notices, and with -dry-run=false queues their statements.
func (c *sorSendCmd) Run(ctx context.Context, s streams) error {
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer i.db.Close()
	notices, items := 0, 0
	err = i.flow.DryRuns(ctx, func(d flow.DryRun) error {
		more := ""
		if d.Faulty > 0 {
			more = fmt.Sprintf("; %d with faults, which somebody must look at", d.Faulty)
		}
		if d.Asked {
			_, err := fmt.Fprintf(s.out, "%s: %d statements are on their way already, or wait for somebody%s\n", d.Number, d.Items, more)
			return err
		}
		notices, items = notices+1, items+d.Items
		if !c.DryRun {
			if err := i.flow.SendLate(ctx, d, "admin:command-line"); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(s.out, "%s: %d statements%s\n", d.Number, d.Items, more)
		return err
	})
	if err != nil {
		return err
	}
	if c.DryRun {
		_, err = fmt.Fprintf(s.out, "would send %d statements of %d notices; nothing was changed: add -dry-run=false\n", items, notices)
		return err
	}
	if err := sealed(ctx, i); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d statements of %d notices are queued; the instance sends them when it serves with -transparency\n", items, notices)
	return err
}

// noticeCmd works on notices.
type noticeCmd struct {
	Check noticeCheckCmd `cmd:"" help:"Name each element of DSA article 16(2) that notices lack."`
}

// noticeCheckCmd checks notices in the shape of POST /api/v1/notices.
type noticeCheckCmd struct {
	fileCheck
}

// Run prints a line for each fault, and nothing for a notice without one. What is
// only worth a look is a hint on stderr.
func (c *noticeCheckCmd) Run(s streams) error {
	return c.run(s, exchange.CheckNotice, exchange.NoticeHints)
}

// fileCheck is a check of files, each on its own.
type fileCheck struct {
	JSON  bool     `name:"json" help:"One JSON object a file: file, valid, faults."`
	Files []string `arg:"" name:"file" help:"JSON files; - is standard input."`
}

// maxChecked is the size of file that is still read, more than 100 statements
// of the greatest length need.
const maxChecked = 16 << 20

// run prints the faults that check names in each file, and for one without
// fault what hints does, if it is not nil.
func (c fileCheck) run(s streams, check, hints func([]byte) []exchange.Fault) error {
	enc := json.NewEncoder(s.out)
	enc.SetEscapeHTML(false)
	failed := false
	for _, name := range c.Files {
		body, err := readChecked(s.in, name)
		if err != nil {
			failed = true
			fmt.Fprintf(s.err, "rempart: error: %s: %v\n", name, err)
			if c.JSON {
				enc.Encode(map[string]string{"file": name, "error": err.Error()})
			}
			continue
		}
		faults := check(body)
		failed = failed || len(faults) > 0
		if hints != nil && len(faults) == 0 {
			for _, h := range hints(body) {
				fmt.Fprintf(s.err, "rempart: hint: %s: %s\n", name, h)
			}
		}
		if c.JSON {
			enc.Encode(struct {
				File   string           `json:"file"`
				Valid  bool             `json:"valid"`
				Faults []exchange.Fault `json:"faults"`
			}{name, len(faults) == 0, append([]exchange.Fault{}, faults...)})
			continue
		}
		for _, f := range faults {
			if len(c.Files) > 1 {
				fmt.Fprint(s.out, name, ": ")
			}
			fmt.Fprintln(s.out, f)
		}
	}
	if failed {
		return errShown
	}
	return nil
}

// readChecked reads a file, or standard input for "-".
func readChecked(in io.Reader, name string) ([]byte, error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("cannot be opened: %w", err)
		}
		defer f.Close()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, maxChecked+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if len(body) > maxChecked {
		return nil, fmt.Errorf("is longer than %d MiB", maxChecked>>20)
	}
	return body, nil
}
