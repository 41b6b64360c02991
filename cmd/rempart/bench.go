package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// benchCmd measures this machine: each of our figures beside the naive way, in
// one run, and beside a peer where one is here, so that the ratios mean
// something.
type benchCmd struct {
	Fingerprint benchFingerprintCmd `cmd:"" help:"Pictures to fingerprints, beside image/jpeg and the filter as it is written down."`
	Near        benchNearCmd        `cmd:"" help:"Exact search among many values, beside reading all of them; worst cases; building, opening."`
	Video       benchVideoCmd       `cmd:"" help:"A minute of video to fingerprints, beside decoding alone with the same ffmpeg: processor time."`
	Console     benchConsoleCmd     `cmd:"" help:"The console's pages among 100,000 cases, beside 1,000."`
	Serve       benchServeCmd       `cmd:"" help:"Lookups over HTTP, single and in batches, and how soon a new fingerprint counts, on one node and on three."`
	All         benchAllCmd         `cmd:"" default:"1" help:"The three of them, which is what bench does alone."`
}

// benchFlags are those of every bench.
type benchFlags struct {
	JSON   bool   `name:"json" help:"One JSON object a line: name, ours, peer, unit, ratio (peer over ours, null where there is no peer) and more."`
	Runs   int    `help:"Times that what takes long is measured; the median is printed." default:"5"`
	Python string `help:"A Python, to measure the peers it can import: pdqhash with PIL, and faiss." default:"python3"`
}

// benchAllCmd runs the three.
type benchAllCmd struct {
	benchFlags
	N []count `short:"n" name:"n" help:"Values in the indexes; ten million take 4 GB of memory and 1.2 GB of the temporary folder." default:"100k,1M,10M"`
}

// Run measures and prints; what cannot be measured here is an error at the
// end, after the rest.
func (c *benchAllCmd) Run(ctx context.Context, s streams) error {
	return errors.Join(
		(&benchFingerprintCmd{benchFlags: c.benchFlags}).Run(ctx, s),
		(&benchNearCmd{benchFlags: c.benchFlags, N: c.N, MachineSaid: true}).Run(ctx, s),
		(&benchVideoCmd{benchFlags: c.benchFlags}).Run(ctx, s))
}

// A count is a number of values, such as 100k or 10M.
type count int

// UnmarshalText reads one.
func (n *count) UnmarshalText(text []byte) error {
	digits, times := string(text), 1
	for suffix, factor := range map[string]int{"k": 1_000, "M": 1_000_000} {
		if d, ok := strings.CutSuffix(digits, suffix); ok {
			digits, times = d, factor
			break
		}
	}
	v, err := strconv.Atoi(digits)
	if err != nil || v < 1 || v > 1_000_000_000/times {
		return fmt.Errorf("%q is no number of values: 100k, 1M, 10M are", text)
	}
	*n = count(v * times)
	return nil
}

func (n count) String() string {
	switch {
	case n%1_000_000 == 0:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n%1_000 == 0:
		return fmt.Sprintf("%dk", n/1_000)
	}
	return strconv.Itoa(int(n))
}

// A figure is one line of a bench. Less is better, except of what a machine
// gives (GB/s) and of what is served in a second (/s).
type figure struct {
	Name       string   `json:"name"`
	Ours       float64  `json:"ours"`           // the median
	Best       float64  `json:"best,omitempty"` // of all runs: what other work on the machine did not slow
	Peer       *float64 `json:"peer"`           // null where there is none
	Unit       string   `json:"unit"`
	Ratio      *float64 `json:"ratio"` // peer over ours: above 1 ours is less; of what is served in a second ours over peer
	PeerName   string   `json:"peer_name,omitempty"`
	PeerSource string   `json:"peer_source,omitempty"` // "measured", or "published: …" of a figure from another machine
	Naive      *float64 `json:"naive,omitempty"`       // the obvious way, measured in this run
	NaiveName  string   `json:"naive_name,omitempty"`
	Goal       *float64 `json:"goal,omitempty"` // what we hold ourselves to
}

// beside sets what f is compared with.
func (f figure) beside(p peer) figure {
	if p.value > 0 && f.Ours > 0 {
		f.Peer, f.Ratio = new(p.value), new(p.value/f.Ours)
		f.PeerName, f.PeerSource = p.name, cmp.Or(p.source, "measured")
	}
	return f
}

func (f figure) naive(name string, value float64) figure {
	f.Naive, f.NaiveName = new(value), name
	return f
}

func (f figure) goal(value float64) figure {
	f.Goal = new(value)
	return f
}

// A spread is what several runs took.
type spread struct{ median, best float64 }

// figure returns the line of one.
func (s spread) figure(name, unit string) figure {
	return figure{Name: name, Ours: s.median, Best: s.best, Unit: unit}
}

// spreadOf returns the median and the least of some values, in units of per.
func spreadOf(d []time.Duration, per time.Duration) spread {
	slices.Sort(d)
	return spread{float64(d[len(d)/2]) / float64(per), float64(d[0]) / float64(per)}
}

// timed returns how long each of n calls of f took.
func timed(n int, f func(i int)) []time.Duration {
	d := make([]time.Duration, n)
	for i := range d {
		start := time.Now()
		f(i)
		d[i] = time.Since(start)
	}
	return d
}

// say prints figures as they come, so that a long bench shows something.
func (c *benchFlags) say(s streams, figures []figure) error {
	if !c.JSON {
		return printFigures(s.out, figures)
	}
	enc := json.NewEncoder(s.out)
	enc.SetEscapeHTML(false)
	for _, f := range figures {
		if err := enc.Encode(f); err != nil {
			return err
		}
	}
	return nil
}

// begin refuses flags that measure nothing, and says on stderr what is
// measured where, as figures of a busy machine are worth less.
func (c *benchFlags) begin(s streams, what string) error {
	if c.Runs < 1 {
		return errors.New("bench: -runs must be 1 or more")
	}
	fmt.Fprintf(s.err, "rempart: measuring %s on %s, %d processors%s, %s, %s\n",
		what, processor(), runtime.NumCPU(), load(), runtime.Version(), time.Now().UTC().Format("2006-01-02 15:04 MST"))
	return nil
}

// printFigures prints a table; where there is nothing to compare with, a dash.
// A peer's figure that comes from another machine has a star.
func printFigures(out io.Writer, figures []figure) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WHAT\tOURS\tBEST\tUNIT\tGOAL\tNAIVE\tNAIVE/OURS\tPEER\tPEER/OURS\tWHICH")
	number := func(v *float64) string {
		if v == nil {
			return "–"
		}
		return short(*v)
	}
	starred := false
	for _, f := range figures {
		peer, ratio, naive := number(f.Peer), number(f.Ratio), "–"
		if f.Naive != nil {
			naive = short(*f.Naive / f.Ours)
		}
		if strings.HasPrefix(f.PeerSource, "published") {
			peer, starred = peer+"*", true
		}
		best := "–"
		if f.Best > 0 {
			best = short(f.Best)
		}
		fmt.Fprintln(w, strings.Join([]string{f.Name, short(f.Ours), best, f.Unit, number(f.Goal), number(f.Naive), naive, peer, ratio, cmp.Or(f.PeerName, "–")}, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if starred {
		fmt.Fprintln(out, "* not measured here: "+publishedWhere)
	}
	_, err := fmt.Fprintln(out)
	return err
}

// short writes three digits that mean something.
func short(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
