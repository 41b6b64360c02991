package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"rempart/exchange"
)

// sorCmd works on statements of reasons as the EU's transparency database takes
// them.
type sorCmd struct {
	Check sorCheckCmd `cmd:"" help:"Name each fault for which the EU's transparency database would refuse statements of reasons."`
}

// sorCheckCmd checks files as the database's own validator would.
type sorCheckCmd struct {
	fileCheck
}

// Run prints a line for each fault, and nothing for a statement without one.
func (c *sorCheckCmd) Run(s streams) error { return c.run(s, exchange.CheckStatement) }

// noticeCmd works on notices.
type noticeCmd struct {
	Check noticeCheckCmd `cmd:"" help:"Name each element of DSA article 16(2) that notices lack."`
}

// noticeCheckCmd checks notices in the shape of POST /api/v1/notices.
type noticeCheckCmd struct {
	fileCheck
}

// Run prints a line for each fault, and nothing for a notice without one.
func (c *noticeCheckCmd) Run(s streams) error { return c.run(s, exchange.CheckNotice) }

// fileCheck is a check of files, each on its own.
type fileCheck struct {
	JSON  bool     `name:"json" help:"One JSON object a file: file, valid, faults."`
	Files []string `arg:"" name:"file" help:"JSON files; - is standard input."`
}

// maxChecked is the size of file that is still read, more than 100 statements
// of the greatest length need.
const maxChecked = 16 << 20

func (c fileCheck) run(s streams, check func([]byte) []exchange.Fault) error {
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
