package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"rempart/pdq"
)

// benchCmd measures this machine: each of our figures beside the naive way, in
// one run, so that the ratio means something.
type benchCmd struct {
	JSON   bool  `name:"json" help:"One JSON object a line."`
	Values []int `help:"Values in the indexes. Ten million take 2.5 GB of memory and of the temporary folder." default:"100000,1000000"`
}

// A figure is one line of a bench.
type figure struct {
	Name  string  `json:"name"`
	Ours  float64 `json:"ours"`
	Naive float64 `json:"naive,omitempty"`
	Unit  string  `json:"unit"`
	Ratio float64 `json:"ratio,omitempty"` // naive over ours
}

// Run measures and prints.
func (c *benchCmd) Run(s streams) error {
	figures := append(benchPDQ(), benchMachine()...)
	for _, n := range c.Values {
		f, err := benchNear(n)
		if err != nil {
			return err
		}
		figures = append(figures, f...)
	}
	if c.JSON {
		enc := json.NewEncoder(s.out)
		for _, f := range figures {
			if err := enc.Encode(f); err != nil {
				return err
			}
		}
		return nil
	}
	return printFigures(s.out, figures)
}

// printFigures prints a table; where there is no naive way, a dash.
func printFigures(out io.Writer, figures []figure) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WHAT\tOURS\tNAIVE\tUNIT\tRATIO")
	for _, f := range figures {
		naive, ratio := "–", "–"
		if f.Naive > 0 {
			naive, ratio = fmt.Sprintf("%.3f", f.Naive), fmt.Sprintf("%.1f", f.Ratio)
		}
		fmt.Fprintf(w, "%s\t%.3f\t%s\t%s\t%s\n", f.Name, f.Ours, naive, f.Unit, ratio)
	}
	return w.Flush()
}

// median runs f n times and returns the median time in milliseconds.
func median(n int, f func()) float64 {
	d := make([]float64, n)
	for i := range d {
		start := time.Now()
		f()
		d[i] = float64(time.Since(start).Nanoseconds()) / 1e6
	}
	slices.Sort(d)
	return d[n/2]
}

func benchPDQ() []figure {
	var out []figure
	for _, size := range [][2]int{{512, 512}, {1920, 1080}} {
		luma := make([]float32, size[0]*size[1])
		for i := range luma {
			luma[i] = float32((i*7 + i/size[0]*13) & 255)
		}
		ms := median(5, func() {
			if _, err := pdq.FromLuma(luma, size[0], size[1]); err != nil {
				panic("rempart: bench: " + err.Error()) // the size is ours
			}
		})
		out = append(out, figure{Name: fmt.Sprintf("PDQ from %d × %d luma", size[0], size[1]), Ours: ms, Unit: "ms"})
	}
	return out
}
