package returns

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"rempart"
)

// A sheet is one of the eleven of the annex.
type sheet struct {
	name string
	rows [][]string // the first names the columns
}

// tallied is what is counted of one category on a platform.
type tallied struct {
	notices, trustedNotices, items, trustedItems int
	law, trustedLaw, terms, trustedTerms         int
	hours, trustedHours                          []int // in tenths, of the items that something was done about
	automated, byHand                            int   // decisions
	trustedAutomated, trustedByHand              int
}

// add counts one line of the tally.
func (t *tallied) add(n rempart.Count) {
	trusted := n.Dims["trusted"] == "true"
	put := func(all, of *int) {
		*all += n.N
		if trusted {
			*of += n.N
		}
	}
	if n.Kind == rempart.CountIntake {
		put(&t.notices, &t.trustedNotices)
		return
	}
	put(&t.items, &t.trustedItems)
	switch outcome := rempart.Measure(n.Dims["outcome"]); outcome {
	case rempart.MeasureRemoved, rempart.MeasureRestricted, rempart.MeasureRefused:
		if n.Dims["means"] == string(rempart.MeansFully) {
			put(&t.automated, &t.trustedAutomated)
		} else {
			put(&t.byHand, &t.trustedByHand)
		}
		if outcome == rempart.MeasureRefused {
			return
		}
	default:
		return
	}
	if n.Dims["ground"] == "law" {
		put(&t.law, &t.trustedLaw)
	} else {
		put(&t.terms, &t.trustedTerms)
	}
	h, err := strconv.Atoi(n.Dims["tenths"])
	if err != nil {
		return
	}
	t.hours = repeat(t.hours, h, n.N)
	if trusted {
		t.trustedHours = repeat(t.trustedHours, h, n.N)
	}
}

// repeat adds a value n times, or takes it away as often.
func repeat(all []int, v, n int) []int {
	for range n {
		all = append(all, v)
	}
	for range -n {
		if k := slices.Index(all, v); k >= 0 {
			all = slices.Delete(all, k, k+1)
		}
	}
	return all
}

// received sums what a platform received, by code: TOTAL, and of each category
// both its own and that of its group.
func received(lines func(func(rempart.Count))) map[string]*tallied {
	out := map[string]*tallied{}
	lines(func(n rempart.Count) {
		if n.Kind != rempart.CountIntake && n.Kind != rempart.CountAction {
			return
		}
		code := n.Dims["category"]
		if !slices.ContainsFunc(categories(), func(c category) bool { return c.code == code }) || strings.HasPrefix(code, "15") || code == "16" || code == "TOTAL" {
			code = "17" // the sheet of notices has no line for it
		}
		group := strings.TrimRight(code, "abcdefgh")
		for _, k := range slices.Compact([]string{"TOTAL", group, code}) {
			if out[k] == nil {
				out[k] = &tallied{}
			}
			out[k].add(n)
		}
	})
	return out
}

// columns of the sheets, in the annex's words.
var (
	noticeFigures = []string{
		"Number of notices received", "Number of notices received from Trusted flaggers",
		"Number of specific items of information included in the total number of notices",
		"Number of specific items of information included in the total number of notices by Trusted Flaggers (Trusted Flagger notices)",
		"Median time to take action", "Median time to take action (Trusted Flagger notices)",
		"Number of actions taken on the basis of the law", "Number of actions taken on the basis of the law (Trusted Flagger notices)",
		"Number of actions taken on the basis of the terms and conditions of the service", "Number of actions taken on the basis of the terms and conditions of the service (Trusted Flagger notices)",
	}
	orderFigures = []string{
		"Number of orders to act against illegal content received", "Number of specific items of information included in the total number of orders to act against illegal content",
		"Median time to inform the authority of the receipt of the order to act against illegal content", "Median time to give effect to the order to act against illegal content",
		"Number of orders to provide information", "Median time to inform the authority of the receipt of the order to provide information", "Median time to give effect to the order to provide information",
	}
	measureFigures = []string{
		"Number of measures taken at the provider's own initiative", "Number of measures taken after detection with solely automated means",
		"Visibility restriction Removal", "Visibility restriction Disable", "Visibility restriction Demoted", "Visibility restriction Age restricted",
		"Visibility restriction Interaction restricted", "Visibility restriction Labelled", "Visibility restriction Other",
		"Monetary restriction Suspension", "Monetary restriction Termination", "Monetary restriction Other",
		"Provision of the service Suspension", "Provision of the service Termination", "Account restriction Suspension", "Account restriction Termination",
	}
)

const (
	all     = "All"
	hosting = "Only for providers of hosting services, including online platforms"
	online  = "Only for providers of online platforms"
	vlops   = "Only for VLOPs"
)

// contextual returns the columns that say something of the others.
func contextual(prefix string, of []string) []string {
	var out []string
	for _, c := range of {
		out = append(out, prefix+c)
	}
	return out
}

// unknown says why a cell is empty: never 0 for what was not counted here.
const unknown = "Not recorded in Rempart; to be completed by the provider"

// sheets makes the eleven sheets of the annex. Medians are in hours.
func (e Edition) sheets(lines func(func(rempart.Count))) []sheet {
	r := received(lines)
	period := e.Period.From + "/" + e.Until
	return []sheet{
		{"1_report_identification", [][]string{
			{"Applicability", "Service", "Indicator", "Value"},
			{all, e.Site, "Name of the service provider", e.Name},
			{all, e.Site, "Date of the publication of the report", e.Frozen},
			{all, e.Site, "Date of the publication of the latest previous report", e.Previous},
			{all, e.Site, "Starting date of reporting period", e.Period.From},
			{all, e.Site, "Ending date of reporting period", e.Until},
		}},
		names(),
		e.byCategory("3_member_states_orders", "Category of illegal content", all, period, []string{"Scope"}, orderFigures, "Contextual information on ",
			func(code string) bool { return !strings.HasPrefix(code, "15") && code != "17" },
			func(code string) ([]string, []string, []string) {
				return []string{"TOTAL"}, make([]string, len(orderFigures)), remark(code, len(orderFigures))
			}),
		e.byCategory("4_notices", "Category of illegal content", hosting, period, nil, noticeFigures, "Contextual information on ",
			func(code string) bool { return !strings.HasPrefix(code, "15") && code != "16" },
			func(code string) ([]string, []string, []string) {
				return nil, r[code].cells(code), r[code].remarks(code)
			}),
		e.byCategory("5_own_initiative_illegal", "Category of illegal content", all, period, nil, measureFigures, "Contextual Information on ",
			func(code string) bool { return len(code) > 0 && numberOf(code) <= 14 || code == "TOTAL" },
			func(code string) ([]string, []string, []string) {
				return nil, make([]string, len(measureFigures)), remark(code, len(measureFigures))
			}),
		e.byCategory("6_own_initiative_TC", "Category of incompatibility with the provider's terms and conditions", all, period, nil, measureFigures, "Contextual Information on ",
			func(code string) bool { return numberOf(code) <= 15 || code == "TOTAL" },
			func(code string) ([]string, []string, []string) {
				return nil, make([]string, len(measureFigures)), remark(code, len(measureFigures))
			}),
		e.appeals(period, complained(lines)),
		e.automated(period, r["TOTAL"]),
		e.resources(period),
		{"10_AMAR", [][]string{
			{"Applicability", "Service", "Reporting period", "Section", "Indicator", "Scope", "Value"},
			{"Only for VLOPs and VLOSEs", e.Site, period, "AMAR", "Number of average monthly active recipients during the reporting period", "TOTAL", ""},
		}},
		e.qualitative(period),
	}
}

func remark(code string, n int) []string {
	out := make([]string, n)
	if code == "TOTAL" {
		out[0] = unknown
	}
	return out
}

// cells returns the figures of the sheet of notices. A category without a notice
// has empty cells, but for the total.
func (t *tallied) cells(code string) []string {
	if t == nil {
		t = &tallied{}
	}
	if t.notices == 0 && t.items == 0 && code != "TOTAL" {
		return make([]string, len(noticeFigures))
	}
	var out []string
	for _, n := range []int{t.notices, t.trustedNotices, t.items, t.trustedItems} {
		out = append(out, strconv.Itoa(n))
	}
	for _, h := range [][]int{t.hours, t.trustedHours} {
		s := ""
		if len(h) > 0 {
			h = slices.Sorted(slices.Values(h))
			s = strconv.FormatFloat(Median(h), 'f', -1, 64)
		}
		out = append(out, s)
	}
	for _, n := range []int{t.law, t.trustedLaw, t.terms, t.trustedTerms} {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

func (t *tallied) remarks(code string) []string {
	out := make([]string, len(noticeFigures))
	if code != "TOTAL" || t == nil {
		return out
	}
	if waiting := t.items - t.automated - t.byHand; waiting > 0 {
		out[2] = fmt.Sprintf("%d items had no decision at the end of the period", waiting)
	}
	if len(t.hours) > 0 {
		out[4] = "In hours, from the receipt of the notice to the decision, over the items that action was taken on"
	}
	return out
}

// byCategory makes a sheet with a line for each category.
func (e Edition) byCategory(name, of, applies, period string, extra, figures []string, context string, has func(code string) bool, line func(code string) (extra, figures, remarks []string)) sheet {
	head := slices.Concat([]string{"Applicability", "Service", "Reporting period", of, `Description of the sub-category "Other"`}, extra, figures, contextual(context, figures))
	s := sheet{name, [][]string{head}}
	for _, c := range categories() {
		if !has(c.code) {
			continue
		}
		more, values, remarks := line(c.code)
		s.rows = append(s.rows, slices.Concat([]string{applies, e.Site, period, c.word, ""}, more, values, remarks))
	}
	return s
}

// names is the sheet of the categories.
func names() sheet {
	s := sheet{"2_categories_names", [][]string{{"Category label", "Category description", "Category of illegal content / incompatible with the terms and conditions", "Contextual information"}}}
	for _, c := range categories() {
		label := "Category " + c.code
		if c.code == "TOTAL" {
			label = c.code
		}
		s.rows = append(s.rows, []string{label, c.label, c.word, ""})
	}
	return s
}

func (e Edition) automated(period string, t *tallied) sheet {
	s := sheet{"8_automated_means", [][]string{{"Applicability", "Service", "Reporting period", "Section", "Indicator", "Scope", "Value", "Contextual Information"}}}
	if t == nil {
		t = &tallied{}
	}
	add := func(applies, indicator, scope, value string) {
		why := unknown
		if value != "" {
			why = "Decisions on items, by whether they were taken fully by automated means"
		}
		s.rows = append(s.rows, []string{applies, e.Site, period, "Use of automated means for content moderation", indicator, scope, value, why})
	}
	for _, x := range []struct {
		applies, scope string
		what           string
		solely, not    string
	}{
		{all, "Total number", "measures", "", ""},
		{all, "Own-initiative", "measures", "", ""},
		{hosting, "NAM Total", "notices", strconv.Itoa(t.automated), strconv.Itoa(t.byHand)},
		{online, "NAM Trusted Flagger", "notices", strconv.Itoa(t.trustedAutomated), strconv.Itoa(t.trustedByHand)},
	} {
		solely, not := "Number of measures solely taken by automated means", "Number of measures not taken by automated means"
		if x.what == "notices" {
			solely, not = "Number of notices solely processed by automated means", "Number of notices not processed by automated means"
		}
		add(x.applies, solely, x.scope, x.solely)
		add(x.applies, not, x.scope, x.not)
		for _, a := range []string{"Accuracy", "Precision", "Recall"} {
			add(x.applies, "Accuracy of the automated means - "+a, x.scope, "")
		}
	}
	return s
}

func (e Edition) resources(period string) sheet {
	s := sheet{"9_human_resources", [][]string{{"Applicability", "Service", "Reporting period", "Section", "Indicator", "Scope", "Value", "Contextual information"}}}
	for _, i := range []string{"Number of internal moderators employed by the provider", "Number of external moderators contracted by the provider", "Number of total moderators with sufficient linguistic expertise"} {
		s.rows = append(s.rows, []string{vlops, e.Site, period, "Human resources dedicated to content moderation", i, "Total number", "", unknown})
	}
	return s
}

func (e Edition) qualitative(period string) sheet {
	s := sheet{"11_qualitative", [][]string{{"Applicability", "Service", "Reporting period", "Indicator", "Value"}}}
	for _, i := range []string{
		"Summary of the content moderation engaged in at the providers’ own initiative", "Meaningful and comprehensible information regarding content moderation engaged in at the providers' own initiative",
		"Qualitative description of the automated means", "Qualitative description of indicators of accuracy and possible rate of error of automated means",
		"Specification of the precise purposes to apply automated means", "Safeguards applied to the use of automated means",
	} {
		s.rows = append(s.rows, []string{all, e.Site, period, i, ""})
	}
	for _, i := range []string{"High-level description of the content moderation governance structure", "Qualifications of the human resources dedicated to content moderation",
		"Training given to human resources dedicated to content moderation", "Support given to human resources dedicated to content moderation", "Methodology used to compute the number of human resources dedicated to content moderation"} {
		s.rows = append(s.rows, []string{vlops, e.Site, period, i, ""})
	}
	return s
}

// csv writes the sheet as the Commission's examples are: UTF-8, commas.
func (s sheet) csv() ([]byte, error) { return tableCSV(s.rows) }

// tableCSV writes rows as CSV (RFC 4180). A text that a spreadsheet would run as
// a formula is written behind an apostrophe.
func tableCSV(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, r := range rows {
		safe := make([]string, len(r))
		for i, c := range r {
			safe[i] = inert(c)
		}
		if err := w.Write(safe); err != nil {
			return nil, fmt.Errorf("writing a table: %w", err)
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// inert is a text that no spreadsheet runs, nor what follows a semicolon in it,
// which spreadsheets in French take for the end of a cell, quoted or not.
func inert(s string) string {
	if first, rest, more := strings.Cut(s, ";"); more {
		return inert(first) + ";" + inert(rest)
	}
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		if _, err := strconv.ParseFloat(s, 64); err != nil {
			return "'" + s
		}
	}
	return s
}

// workbook writes the sheets as one XLSX; numbers are numbers in it.
func workbook(sheets []sheet, made time.Time) (_ []byte, err error) {
	x := excelize.NewFile()
	defer func() {
		if e := x.Close(); err == nil && e != nil {
			err = fmt.Errorf("closing the workbook: %w", e)
		}
	}()
	bold, err := x.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}})
	if err != nil {
		return nil, fmt.Errorf("styling the workbook: %w", err)
	}
	for i, s := range sheets {
		if i == 0 {
			err = x.SetSheetName("Sheet1", s.name)
		} else {
			_, err = x.NewSheet(s.name)
		}
		if err != nil {
			return nil, fmt.Errorf("sheet %s: %w", s.name, err)
		}
		for r, row := range s.rows {
			line := make([]any, len(row))
			for c, v := range row {
				line[c] = v
				if n, err := strconv.ParseFloat(v, 64); err == nil && r > 0 {
					line[c] = n
				}
			}
			cell, err := excelize.CoordinatesToCellName(1, r+1)
			if err != nil {
				return nil, fmt.Errorf("sheet %s: %w", s.name, err)
			}
			if err := x.SetSheetRow(s.name, cell, &line); err != nil {
				return nil, fmt.Errorf("sheet %s, row %d: %w", s.name, r+1, err)
			}
		}
		last, err := excelize.CoordinatesToCellName(len(s.rows[0]), 1)
		if err != nil {
			return nil, fmt.Errorf("sheet %s: %w", s.name, err)
		}
		lastColumn, _, _ := excelize.SplitCellName(last)
		for _, err := range []error{
			x.SetCellStyle(s.name, "A1", last, bold),
			x.SetColWidth(s.name, "A", lastColumn, 24),
			x.SetPanes(s.name, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}),
		} {
			if err != nil {
				return nil, fmt.Errorf("sheet %s: %w", s.name, err)
			}
		}
	}
	day := made.UTC().Format(time.RFC3339)
	if err := x.SetDocProps(&excelize.DocProperties{Creator: "Rempart", LastModifiedBy: "Rempart", Created: day, Modified: day}); err != nil {
		return nil, fmt.Errorf("naming the workbook: %w", err)
	}
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		return nil, fmt.Errorf("writing the workbook: %w", err)
	}
	return b.Bytes(), nil
}
