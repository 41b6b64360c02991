package returns

import (
	_ "embed"
	"encoding/csv"
	"strconv"
	"strings"
	"sync"
	"time"

	"rempart"
)

// A document is a return for readers, in one language: what the page and the PDF
// are both made of.
type document struct {
	Lang, Title, Subtitle string
	Blocks                []block
}

// A block is one of its parts; exactly one field is set.
type block struct {
	Heading string // of the first level below the title
	Text    string
	Note    string // a paragraph set apart
	List    []string
	Table   *shown
	Chart   *chart
}

// A shown table is all texts. The first column names the rows.
type shown struct {
	Caption string
	Head    []string
	Rows    [][]string
	Last    bool // the last row holds totals
	Words   bool // the columns after the first are text, not numbers
}

// A chart is bars of one kind, its table beside it.
type chart struct {
	Title, Alt string
	Bars       []bar
	Unit       string
	Footnote   string // "" for none
}

type bar struct {
	Label  string
	N      int
	Hidden bool
}

// A writer adds blocks in one language.
type writer struct {
	document
}

func newWriter(lang string, title, subtitle rempart.Text) *writer {
	return &writer{document{Lang: lang, Title: title.In(lang), Subtitle: subtitle.In(lang)}}
}

func (w *writer) say(fr, en string) string { return rempart.Text{FR: fr, EN: en}.In(w.Lang) }

func (w *writer) heading(fr, en string) {
	w.Blocks = append(w.Blocks, block{Heading: w.say(fr, en)})
}
func (w *writer) text(fr, en string) { w.Blocks = append(w.Blocks, block{Text: w.say(fr, en)}) }
func (w *writer) note(fr, en string) { w.Blocks = append(w.Blocks, block{Note: w.say(fr, en)}) }

func (w *writer) list(items ...rempart.Text) {
	var out []string
	for _, t := range items {
		out = append(out, t.In(w.Lang))
	}
	w.Blocks = append(w.Blocks, block{List: out})
}

// figure writes a figure for readers.
func (w *writer) figure(f Figure) string {
	if f.Hidden {
		return w.say("masqué", "hidden")
	}
	return number(f.N, w.Lang)
}

// number writes a number with the thousands set apart as the language does.
func number(n int, lang string) string {
	s := strconv.Itoa(n)
	sep := "\u00a0"
	if lang == "en" {
		sep = ","
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	return s
}

// decimal writes a number with one digit after the point or comma.
func decimal(x float64, lang string) string {
	s := strconv.FormatFloat(x, 'f', 1, 64)
	if lang != "en" {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s
}

// share writes n of d as a percentage with both numbers: no ratio is ever written
// without them. It is "" where one is hidden or there is nothing to divide by.
func (w *writer) share(n, d Figure) string {
	if n.Hidden || d.Hidden || d.N == 0 {
		return ""
	}
	p := strconv.FormatFloat(100*float64(n.N)/float64(d.N), 'f', 1, 64)
	if w.Lang == "en" {
		return number(n.N, w.Lang) + " of " + number(d.N, w.Lang) + ", that is " + p + "%"
	}
	return number(n.N, w.Lang) + " sur " + number(d.N, w.Lang) + ", soit " + strings.Replace(p, ".", ",", 1) + "\u00a0%"
}

// table adds a protected table, and a chart of one of its columns before it.
func (w *writer) table(t *Table, withChart bool) {
	if t.Dropped {
		w.note("Le tableau «\u00a0"+t.Title.FR+"\u00a0» n’est pas publié\u00a0: il permettrait de retrouver un nombre inférieur à 5.",
			"The table “"+t.Title.EN+"” is not published: it would let a number under 5 be found.")
		return
	}
	if t.Total().N == 0 {
		w.text(t.Title.FR+"\u00a0: aucun sur la période.", t.Title.EN+": none in the period.")
		return
	}
	if withChart {
		w.chart(t)
	}
	s := &shown{Caption: t.Title.In(w.Lang) + " (" + t.Unit.In(w.Lang) + ")", Head: []string{w.say("Ligne", "Row")}, Last: true}
	for _, c := range t.Columns {
		s.Head = append(s.Head, c.Text.In(w.Lang))
	}
	for i, r := range t.Rows {
		line := []string{r.Text.In(w.Lang)}
		for j := range t.Columns {
			line = append(line, w.figure(t.Figures[i][j]))
		}
		s.Rows = append(s.Rows, line)
	}
	w.Blocks = append(w.Blocks, block{Table: s})
}

// chart draws the totals: of the rows of a list, of the columns of a table.
func (w *writer) chart(t *Table) {
	c := &chart{Title: t.Title.In(w.Lang), Unit: t.Unit.In(w.Lang)}
	last := len(t.Rows) - 1
	add := func(l Label, f Figure) { c.Bars = append(c.Bars, bar{l.Text.In(w.Lang), f.N, f.Hidden}) }
	if len(t.Columns) == 1 {
		for i, r := range t.Rows[:last] {
			add(r, t.Figures[i][0])
		}
	} else {
		for j, col := range t.Columns[:len(t.Columns)-1] {
			add(col, t.Figures[last][j])
		}
	}
	hidden, shownBars := 0, 0
	for _, b := range c.Bars {
		if b.Hidden {
			hidden++
		} else if b.N > 0 {
			shownBars++
		}
	}
	if shownBars < 2 {
		return // a chart of nothing or of one bar tells less than its table
	}
	if hidden > 0 {
		c.Footnote = w.say("Les lignes sans barre, marquées «\u00a0masqué\u00a0», ont un nombre qui n’est pas publié.", "Lines without a bar, marked “hidden”, have a number that is not published.")
	}
	var parts []string
	for _, b := range c.Bars {
		parts = append(parts, b.Label+"\u00a0: "+w.figure(Figure{b.N, b.Hidden}))
	}
	c.Alt = w.say("Diagramme en barres. ", "Bar chart. ") + strings.Join(parts, " ; ") + "."
	w.Blocks = append(w.Blocks, block{Chart: c})
}

//go:embed data/external.csv
var externalCSV string

// externals are published figures of others, each with its period, source and
// caveat, the header first. They are never mixed with ours.
var externals = sync.OnceValue(func() [][]string {
	all, err := csv.NewReader(strings.NewReader(externalCSV)).ReadAll()
	if err != nil || len(all) < 10 {
		panic("returns: the figures of others cannot be read")
	}
	return all
})

// external adds the figures of others.
func (w *writer) external() {
	s := &shown{Words: true, Caption: w.say("Statistiques publiques d’autres organismes, relevées le 22 novembre 2026", "Public statistics of other bodies, as read on 22 November 2026"),
		Head: []string{w.say("Indicateur", "Indicator"), w.say("Valeur", "Value"), w.say("Période", "Period"), w.say("Source et réserve", "Source and caveat")}}
	for _, r := range externals()[1:] {
		name, caveat := r[0], r[6]
		if w.Lang == "en" {
			name, caveat = r[1], r[7]
		}
		n, err := strconv.Atoi(r[2])
		value := r[2]
		if err == nil {
			value = number(n, w.Lang)
		}
		if caveat != "" {
			caveat = " – " + caveat
		}
		s.Rows = append(s.Rows, []string{name, value, r[3], r[4] + caveat})
	}
	w.Blocks = append(w.Blocks, block{Table: s})
}

// day writes a date for readers.
func day(s, lang string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	if lang == "en" {
		return t.Format("2 January 2006")
	}
	d := strconv.Itoa(t.Day())
	if t.Day() == 1 {
		d = "1er"
	}
	return d + "\u00a0" + monthNames[t.Month()-1] + "\u00a0" + strconv.Itoa(t.Year())
}
