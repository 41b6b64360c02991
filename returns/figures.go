package returns

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"rempart"
)

// A Figure is one count as it may be published.
type Figure struct {
	N      int
	Hidden bool // it is under 5, or would let such a count be found
}

// A Label is a row or column of a table: the word that data files have, and the
// one for readers.
type Label struct {
	Code string
	Text rempart.Text
}

// A Table is counts with their totals (the last row, and the last column if there
// are several), protected.
type Table struct {
	ID      string
	Title   rempart.Text
	Unit    rempart.Text // what is counted
	Rows    []Label
	Columns []Label // one: a list with one total
	Figures [][]Figure
	Dropped bool // it could not be published without letting a hidden count be found
}

// Total is the figure of all.
func (t *Table) Total() Figure {
	last := t.Figures[len(t.Figures)-1]
	return last[len(last)-1]
}

var total = Label{"total", rempart.Text{FR: "Total", EN: "Total"}}

// A Delay says how long something took, in hours.
type Delay struct {
	ID     string
	Title  rempart.Text
	N      int
	Median float64
	P90    float64
	Tail   bool // N is large enough for P90
	Hidden bool
}

// Figures are all that an association's returns are made of. The same tables are
// in each of its returns, so that none tells what another hides.
type Figures struct {
	Cases, Months, Communication, Threat *Table
	Addresses, Media                     *Table
	Notices, Stops                       *Table
	Lost                                 Figure
	Acknowledged, Decided                Delay
}

// Tables lists the tables in the order of the data files.
func (f *Figures) Tables() []*Table {
	return []*Table{f.Cases, f.Months, f.Communication, f.Threat, f.Addresses, f.Media, f.Notices, f.Stops}
}

// cells sums counts by the words of some dimensions.
type cells map[[2]string]int

// A collector sums the lines of the tally for an association's returns.
type collector struct {
	sum    map[string]cells
	tenths map[rempart.CountKind]map[int]int
}

// Collect adds one line of the tally; those of other kinds are left out.
func (c *collector) add(n rempart.Count) {
	put := func(table, row, column string) {
		if c.sum[table] == nil {
			c.sum[table] = cells{}
		}
		c.sum[table][[2]string{row, column}] += n.N
	}
	d := n.Dims
	switch n.Kind {
	case rempart.CountCase:
		put("cases", cmp.Or(d["category"], "unqualified"), cmp.Or(d["ai"], "unknown"))
		put("months", n.Of[:7], "n")
		put("communication", cmp.Or(d["communication"], "unsaid"), "n")
		put("threat", cmp.Or(d["threat"], "unsaid"), "n")
	case rempart.CountItem:
		put(d["kind"], d["state"], "n")
	case rempart.CountNotice:
		put("notices", d["service"]+"\x00"+d["category"], d["outcome"])
	case rempart.CountLost:
		put("lost", "n", "n")
	case rempart.CountStop:
		put("stops", d["list"], "n")
	case rempart.CountAcknowledged, rempart.CountDecided:
		h, err := strconv.Atoi(d["tenths"])
		if err != nil {
			return
		}
		if c.tenths[n.Kind] == nil {
			c.tenths[n.Kind] = map[int]int{}
		}
		c.tenths[n.Kind][h] += n.N
	}
}

// FiguresOf makes the figures of a period from the lines of the tally.
func FiguresOf(p Period, lines func(func(rempart.Count))) *Figures {
	c := &collector{map[string]cells{}, map[rempart.CountKind]map[int]int{}}
	lines(c.add)
	f := &Figures{
		Cases: c.table("cases", rempart.Text{FR: "Dossiers ouverts, par catégorie et par rôle de l’IA", EN: "Cases opened, by category and by the part of AI"},
			cases, categoryLabel, axis),
		Months: c.list("months", rempart.Text{FR: "Dossiers ouverts, par mois", EN: "Cases opened, by month"}, cases, monthLabel, months(p)),
		Communication: c.list("communication", rempart.Text{FR: "Dossiers ouverts, par diffusion", EN: "Cases opened, by diffusion"},
			cases, nil, communication),
		Threat:    c.list("threat", rempart.Text{FR: "Dossiers ouverts, par menace", EN: "Cases opened, by threat"}, cases, nil, threat),
		Addresses: c.list("address", rempart.Text{FR: "Adresses signalées, par état", EN: "Addresses reported, by state"}, rempart.Text{FR: "adresses", EN: "addresses"}, nil, addressStates),
		Media:     c.list("medium", rempart.Text{FR: "Médias signalés, connus par leurs seules empreintes, par état", EN: "Media reported, known by their fingerprints alone, by state"}, rempart.Text{FR: "médias", EN: "media"}, nil, mediumStates),
		Notices: c.table("notices", rempart.Text{FR: "Notifications reçues par les plateformes, par fournisseur, type de contenu et suite donnée", EN: "Notices received by platforms, by provider, type of content and action taken"},
			rempart.Text{FR: "notifications", EN: "notices"}, providerLabel, outcomes),
		Stops: c.list("stops", rempart.Text{FR: "Envois de copies arrêtés, par liste", EN: "Uploads of copies stopped, by list"}, rempart.Text{FR: "envois arrêtés", EN: "uploads stopped"}, nil, lists()),
		Lost:  single(c.sum["lost"][[2]string{"n", "n"}]),
	}
	// The lists of cases have one total with the table of cases: where it hides it,
	// they would tell it, and the other way round.
	for _, l := range []*Table{f.Months, f.Communication, f.Threat} {
		l.Dropped = l.Total().Hidden != f.Cases.Total().Hidden || f.Cases.Total().Hidden
	}
	f.Acknowledged = c.delay(rempart.CountAcknowledged, rempart.Text{FR: "De l’envoi à l’accusé de réception (art. 16(4))", EN: "From sending to the confirmation of receipt (art. 16(4))"}, f.Notices)
	f.Decided = c.delay(rempart.CountDecided, rempart.Text{FR: "De l’envoi à la décision sur tous les éléments (art. 16(5))", EN: "From sending to the decision on every item (art. 16(5))"}, f.Notices)
	return f
}

func single(n int) Figure { return Figure{n, n > 0 && n < Least} }

// table makes a protected table. Its rows are those that occur.
func (c *collector) table(id string, title, unit rempart.Text, label func(string) rempart.Text, columns []Label) *Table {
	t := &Table{ID: id, Title: title, Unit: unit, Columns: columns}
	rows := map[string]bool{}
	for k, n := range c.sum[id] {
		if n != 0 {
			rows[k[0]] = true
		}
	}
	var inner [][]int
	for _, row := range slices.SortedFunc(maps.Keys(rows), byCode) {
		t.Rows = append(t.Rows, Label{row, label(row)})
		line := make([]int, len(columns))
		for j, col := range columns {
			line[j] = c.sum[id][[2]string{row, col.Code}]
		}
		inner = append(inner, line)
	}
	g := newGrid(inner, len(columns))
	g.protect()
	for i, row := range g.n {
		var line []Figure
		for j, v := range row {
			line = append(line, Figure{v, g.hidden[i][j]})
		}
		t.Figures = append(t.Figures, line)
	}
	t.Rows = append(t.Rows, total)
	t.Columns = append(slices.Clone(columns), total)
	return t
}

// list makes a protected table of one column. Its rows are those given, and
// those that occur beside them.
func (c *collector) list(id string, title, unit rempart.Text, label func(string) rempart.Text, rows []Label) *Table {
	t := &Table{ID: id, Title: title, Unit: unit, Columns: []Label{{"n", rempart.Text{FR: "Nombre", EN: "Number"}}}, Rows: slices.Clone(rows)}
	var more []string
	for k, n := range c.sum[id] {
		if n != 0 && !slices.ContainsFunc(rows, func(l Label) bool { return l.Code == k[0] }) {
			more = append(more, k[0])
		}
	}
	slices.Sort(more)
	for _, code := range more {
		text := rempart.Text{FR: code, EN: code}
		if label != nil {
			text = label(code)
		}
		t.Rows = append(t.Rows, Label{code, text})
	}
	var n []int
	sum := 0
	for _, row := range t.Rows {
		v := c.sum[id][[2]string{row.Code, "n"}]
		n = append(n, v)
		sum += v
	}
	hidden := protectList(n)
	for i, v := range append(n, sum) {
		t.Figures = append(t.Figures, []Figure{{v, hidden[i]}})
	}
	t.Rows = append(t.Rows, total)
	return t
}

// delay summarises hours. It is hidden where there are few, and where their
// number, beside the table of notices, would tell a hidden count of it.
func (c *collector) delay(kind rempart.CountKind, title rempart.Text, notices *Table) Delay {
	d := Delay{ID: string(kind), Title: title}
	var all []int
	for _, h := range slices.Sorted(maps.Keys(c.tenths[kind])) {
		for range c.tenths[kind][h] {
			all = append(all, h)
		}
	}
	d.N = len(all)
	rest := notices.Total().N - d.N
	d.Hidden = d.N < Least || rest > 0 && rest < Least
	for _, f := range notices.Figures[len(notices.Figures)-1] {
		d.Hidden = d.Hidden || f.Hidden
	}
	if d.N > 0 {
		d.Median = Median(all)
		d.P90 = float64(all[(9*d.N+9)/10-1]) / 10
	}
	d.Tail = d.N >= 20
	return d
}

// Median of sorted tenths of hours, in hours: the middle one, or the mean of the
// two.
func Median(sorted []int) float64 {
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return float64(sorted[(n-1)/2]+sorted[n/2]) / 20
}
