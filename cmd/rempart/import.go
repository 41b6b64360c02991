package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/flow"
)

// importCmd takes fingerprints of a file into a list.
type importCmd struct {
	place
	List    string `help:"The list that they enter, such as ncii-adult." required:""`
	Source  string `help:"Whose they are: a name such as partner-exemple. They match, and are never shared further."`
	Ours    bool   `help:"They are this association's own instead: shared with peers like those of its cases."`
	Type    string `help:"Type of values of 64 digits where the file says none: pdq or sha256." enum:"pdq,sha256" default:"pdq"`
	Quality int    `help:"Quality of PDQ for which the file says none, 50 to 100; default: they are refused."`
	Whole   bool   `help:"The file is all that the source has: what it holds no more is withdrawn."`
	DryRun  bool   `help:"Only say what would change."`
	Refused string `help:"File for the numbers of the lines that are refused, each with the reason." type:"path"`
	JSON    bool   `name:"json" help:"Print the counts as one JSON object."`
	File    string `arg:"" help:"The file, perhaps compressed with gzip; - for stdin."`
}

// Help tells what a file looks like.
func (c *importCmd) Help() string {
	return `A line has a value, perhaps its type before it, and perhaps its quality behind it; what follows is passed over:

  f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22,87
  md5,d35b3d8a5fd2f2b3f3a3c1d2e4f5a6b7

Or the first line names the columns: value (or hash), type, quality. Lines that hold no fingerprint are refused one by one, with their numbers; a picture too flat to be told from others (quality below 50) never enters. What the list holds of the source already is left as it is: an import that was interrupted or killed goes on when the same command is run again. An instance that is running meanwhile follows by itself.`
}

// refusedShown is how many refused lines are printed.
const refusedShown = 20

// Run imports the file.
func (c *importCmd) Run(ctx context.Context, s streams) (err error) {
	source, err := c.check()
	if err != nil {
		return err
	}
	in, size, err := c.input(s)
	if err != nil {
		return hinted{fmt.Errorf("opening the file: %w", err), "name a file of fingerprints, or - for stdin"}
	}
	defer in.Close()
	i, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.db.Close()) }()
	note, done, err := c.refusals(s)
	if err != nil {
		return err
	}
	start := time.Now()
	n, err := i.flow.Import(ctx, in, flow.ImportOptions{List: c.List, Source: source, Usual: rempart.Fingerprint{Type: rempart.FingerprintType(c.Type), Quality: c.Quality},
		Whole: c.Whole, DryRun: c.DryRun, Temp: c.Data, By: byCommandLine, Refused: note, Progress: func(n flow.Imported) { c.progress(s, n, in.read, size, start) }})
	if err = errors.Join(err, done()); err != nil {
		if n.Added > 0 && !c.DryRun {
			return hinted{fmt.Errorf("import: %w", err), "run the same command again: it goes on where it was"}
		}
		return fmt.Errorf("import: %w", err)
	}
	if !c.DryRun {
		if err := errors.Join(c.index(ctx, s, i), sealed(ctx, i)); err != nil {
			return err
		}
	}
	if err := c.say(s, n, time.Since(start)); err != nil {
		return err
	}
	if n.Refused > 0 {
		return errShown
	}
	return nil
}

// check refuses flags that do not go together, and returns the source.
func (c *importCmd) check() (string, error) {
	if _, ok := rempart.ListByID(c.List); !ok {
		var names []string
		for _, l := range rempart.Lists {
			names = append(names, l.ID)
		}
		names = append(names, rempart.ListHarmless)
		return "", hinted{errors.New("-list names a list that is not there"), "the lists are " + strings.Join(names, ", ")}
	}
	if c.Quality != 0 && (c.Quality < rempart.MinQuality || c.Quality > 100) {
		return "", hinted{fmt.Errorf("-quality %d: values of such a quality enter no list", c.Quality), "give 50 to 100, if you know that the source left flat pictures out"}
	}
	if c.Ours == (c.Source != "") {
		return "", hinted{errors.New("whose fingerprints these are must be said"), "name the source with -source NAME, or say -ours"}
	}
	if c.Ours && c.Whole {
		return "", hinted{errors.New("-whole would withdraw the fingerprints of cases"), "give -whole with a -source only"}
	}
	if c.Ours {
		return "", nil
	}
	id, err := rempart.SourceID(c.Source)
	if err != nil {
		return "", hinted{errors.New("-source is not the name of one"), "1 to 40 characters of a-z, 0-9 and -, such as partner-exemple"}
	}
	return id, nil
}

// A counted reader knows how far it is.
type counted struct {
	io.Reader
	io.Closer
	read *int64
}

func (c *importCmd) input(s streams) (in counted, size int64, err error) {
	var file io.ReadCloser = io.NopCloser(s.in)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return in, 0, err
		}
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
		file = f
	}
	in = counted{Closer: file, read: new(int64)}
	b := bufio.NewReaderSize(&countReader{file, in.read}, 1<<20)
	in.Reader = b
	if start, _ := b.Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) {
		if in.Reader, err = gzip.NewReader(b); err != nil {
			return in, 0, errors.Join(err, file.Close())
		}
	}
	return in, size, nil
}

type countReader struct {
	io.Reader
	n *int64
}

// Read reads on.
func (r *countReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	*r.n += int64(n)
	return n, err
}

// refusals returns what is done with each refused line, and with the last.
func (c *importCmd) refusals(s streams) (note func(*exchange.LineError), done func() error, err error) {
	shown := 0
	show := func(e *exchange.LineError) {
		if shown++; shown <= refusedShown {
			fmt.Fprintf(s.err, "rempart: refused: %v\n", e)
		} else if shown == refusedShown+1 && c.Refused == "" {
			fmt.Fprintln(s.err, "rempart: refused: more lines, which are counted; -refused FILE names each")
		}
	}
	if c.Refused == "" {
		return show, func() error { return nil }, nil
	}
	f, err := os.OpenFile(c.Refused, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, nil, hinted{fmt.Errorf("file for refused lines: %w", err), "name a file that can be written with -refused"}
	}
	w := bufio.NewWriter(f)
	return func(e *exchange.LineError) {
		show(e)
		fmt.Fprintf(w, "%d\t%s\n", e.Line, e.Why)
	}, func() error { return errors.Join(w.Flush(), f.Close()) }, nil
}

func (c *importCmd) progress(s streams, n flow.Imported, read *int64, size int64, start time.Time) {
	if n.Phase == "read" {
		part := ""
		if size > 0 {
			part = fmt.Sprintf(" (%d %%)", *read*100/size)
		}
		progress(s, "%s: read %d lines%s; %d refused, %d too flat", time.Since(start).Round(time.Second), n.Lines, part, n.Refused, n.Flat)
		return
	}
	progress(s, "%s: compared %d of %d; %d new, %d listed already", time.Since(start).Round(time.Second), n.Added+n.Same, n.Valid, n.Added, n.Same)
}

// index brings the index on disk up to date, unless an instance has it open, which
// does so by itself.
func (c *importCmd) index(ctx context.Context, s streams, i *instance) error {
	progress(s, "bringing the index up to date")
	did, err := i.flow.UpdateIndex(ctx, indexFolder(c.Data), func(n int) { progress(s, "the index has %d entries", n) })
	if err == nil && !did {
		progress(s, "an instance is running: it follows by itself")
	}
	return err
}

func (c *importCmd) say(s streams, n flow.Imported, took time.Duration) error {
	if c.JSON {
		return json.NewEncoder(s.out).Encode(struct {
			flow.Imported
			DryRun  bool    `json:"dry_run"`
			Seconds float64 `json:"seconds"`
		}{n, c.DryRun, took.Seconds()})
	}
	would := ""
	if c.DryRun {
		would = "would be "
	}
	fmt.Fprintf(s.out, "%d lines in %s\n%d values: %d %sadded, %d listed already, %d twice in the file\n", n.Lines, took.Round(time.Millisecond), n.Valid, n.Added, would, n.Same, n.Twice)
	fmt.Fprintf(s.out, "left out: %d too flat (quality below 50), %d of no known quality, %d lines refused\n", n.Flat, n.Unknown, n.Refused)
	if c.Whole {
		fmt.Fprintf(s.out, "%d not in the file any more: %swithdrawn\n", n.Missing, would)
	} else {
		fmt.Fprintf(s.out, "%d of the list are not in the file and stay\n", n.Missing)
	}
	if n.Unknown > 0 {
		fmt.Fprintln(s.err, "rempart: hint: if the source shares no flat pictures, say so: -quality 50")
	}
	return nil
}
