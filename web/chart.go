package web

import (
	"math"
	"strconv"
)

// Charts are drawn here and written by the templates "chart-…": across in
// percent of the width, so that text keeps its size on a phone, and down in
// pixels. Shades go from dark to light, so that they are told apart in black and
// white, and each has an outline.

// A columnChart has columns side by side, each with a second value as a mark.
type columnChart struct {
	Weeks   bool
	Columns []column
	Most    int // the largest value
	Half    int
	HalfY   string
	Height  int
}

// A column is one of them: A is drawn as a bar, B as a mark across it.
type column struct {
	Name        string
	A, B        int
	X, Width, Y string // percent, percent, pixels
	Tall        string // pixels
	MarkX       string
	MarkWidth   string
	MarkY       string
}

// columnsTop is the room above the tallest column, columnsTall its height, in
// pixels.
const (
	columnsTop  = 10
	columnsTall = 150
)

func (c *columnChart) draw() {
	c.Height = columnsTop + columnsTall
	for _, x := range c.Columns {
		c.Most = max(c.Most, x.A, x.B)
	}
	if c.Most > 1 {
		c.Half = c.Most / 2
		c.HalfY = px(float64(c.Height) - float64(columnsTall*c.Half)/float64(c.Most))
	}
	each := 100 / float64(max(1, len(c.Columns)))
	for k := range c.Columns {
		x := &c.Columns[k]
		tall, mark := 0.0, 0.0
		if c.Most > 0 {
			tall, mark = float64(columnsTall*x.A)/float64(c.Most), float64(columnsTall*x.B)/float64(c.Most)
		}
		left := each * float64(k)
		x.X, x.Width, x.Tall, x.Y = percent(left+each*0.14), percent(each*0.72), px(tall), px(float64(c.Height)-tall)
		x.MarkX, x.MarkWidth, x.MarkY = percent(left+each*0.02), percent(each*0.96), px(float64(c.Height)-mark-1.5)
	}
}

// A rowChart has a bar for each row, made of parts.
type rowChart struct {
	Rows   []row
	Legend []string // what the parts are
	Height int
}

// A row is one of them.
type row struct {
	Name, Value  string
	Parts        []slice
	TextY, BarY  int
	BarHeight, N int
}

// A slice is a piece of a bar.
type slice struct {
	Tone     string
	N        int
	X, Width string // percent
}

func slicesOf(n []int, tones ...string) (out []slice) {
	for k, x := range n {
		out = append(out, slice{Tone: tones[k], N: x})
	}
	return out
}

// rowTall is the height of a row: its words, its bar and the room below.
const rowTall = 48

func (c *rowChart) draw() {
	most := 0
	for k := range c.Rows {
		for _, x := range c.Rows[k].Parts {
			c.Rows[k].N += x.N
		}
		most = max(most, c.Rows[k].N)
	}
	for k := range c.Rows {
		r := &c.Rows[k]
		r.TextY, r.BarY, r.BarHeight = k*rowTall+16, k*rowTall+23, 16
		at := 0.0
		for i := range r.Parts {
			x := &r.Parts[i]
			width := 0.0
			if most > 0 {
				width = 100 * float64(x.N) / float64(most)
			}
			x.X, x.Width = percent(at), percent(width)
			at += width
		}
	}
	c.Height = len(c.Rows) * rowTall
}

// A rangeChart has a range for each row, with a mark in it, over one scale.
type rangeChart struct {
	Rows   []rangeRow
	Ticks  []tick
	Height int
	Base   int // where the scale's words are
}

// A rangeRow is the quartiles of one row.
type rangeRow struct {
	Name, Value              string
	TextY, BarY, MidY, Below int
	X, Width, Mark           string
	q1, q2, q3               float64 // hours
}

// A tick is a line of the scale.
type tick struct{ X, Name, Anchor string }

// scales are the lengths that a scale may have, in hours.
var scales = []float64{0.5, 1, 2, 4, 8, 12, 24, 48, 96, 168, 336, 720, 1440, 2880, 8760}

func (c *rangeChart) draw(name func(hours float64) string) {
	most := 0.0
	for _, r := range c.Rows {
		most = max(most, r.q3)
	}
	whole := scales[0]
	for _, s := range scales {
		if whole = s; s >= most {
			break
		}
	}
	whole = max(whole, most)
	for k := range c.Rows {
		r := &c.Rows[k]
		r.TextY, r.BarY, r.MidY, r.Below = k*rowTall+16, k*rowTall+23, k*rowTall+31, k*rowTall+39
		r.X, r.Width, r.Mark = percent(100*r.q1/whole), percent(max(0.6, 100*(r.q3-r.q1)/whole)), percent(100*r.q2/whole)
	}
	c.Base = len(c.Rows)*rowTall + 14
	c.Height = c.Base + 6
	for k, anchor := range []string{"start", "middle", "end"} {
		c.Ticks = append(c.Ticks, tick{percent(float64(k) * 50), name(whole * float64(k) / 2), anchor})
	}
}

func percent(x float64) string {
	return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64) + "%"
}

func px(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }

// A drawnRows is a rowChart with what its template says of it.
type drawnRows struct {
	rowChart
	ID    string // of the heading that names it
	Title string
	Desc  string
}

// Chart names a chart, for templates: by the heading with an identifier.
func (p page) Chart(c rowChart, id, desc string) drawnRows {
	return drawnRows{rowChart: c, ID: id, Title: p.T("dash." + id), Desc: desc}
}

// Tone is the shade of part k.
func (drawnRows) Tone(k int) int { return k + 1 }
