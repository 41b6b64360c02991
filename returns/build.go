package returns

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart"
)

// Format is that of the files that this version writes. It writes those of 1 too,
// whose sheet of complaints is empty.
const Format = 2

// Build makes the files of a return, but for the signed manifest. lines calls a
// function with each line of the tally of the edition's period, as far as the
// edition reads it; it is called once or more.
func Build(e Edition, lines func(func(rempart.Count))) ([]File, error) {
	if e.Format < 1 || e.Format > Format {
		return nil, fmt.Errorf("this return has format %d, and this version of rempart writes 1 to %d: use the version that froze it", e.Format, Format)
	}
	switch e.Kind {
	case Harmonised:
		return e.harmonised(lines)
	case Parliament, TrustedFlagger:
		return e.association(lines)
	}
	return nil, fmt.Errorf("%q is no return: they are %v", e.Kind, Kinds)
}

func (e Edition) association(lines func(func(rempart.Count))) ([]File, error) {
	f := FiguresOf(e.Period, lines)
	write := e.parliament
	if e.Kind == TrustedFlagger {
		write = e.flagger
	}
	var out []File
	for _, lang := range []string{"fr", "en"} {
		d := write(f, lang)
		page, err := d.html()
		if err != nil {
			return nil, err
		}
		pdf, err := d.pdf()
		if err != nil {
			return nil, err
		}
		out = append(out, File{string(e.Kind) + "." + lang + ".html", page}, File{string(e.Kind) + "." + lang + ".pdf", pdf})
	}
	data, err := e.openData(f)
	return append(out, data...), err
}

func (e Edition) harmonised(lines func(func(rempart.Count))) ([]File, error) {
	sheets := e.sheets(lines)
	var out []File
	for _, s := range sheets {
		b, err := s.csv()
		if err != nil {
			return nil, err
		}
		out = append(out, File{s.name + ".csv", b})
	}
	made, err := time.Parse(time.DateOnly, e.Frozen)
	if err != nil {
		return nil, fmt.Errorf("the day it was frozen: %w", err)
	}
	x, err := workbook(sheets, made)
	if err != nil {
		return nil, err
	}
	out = append(out, File{"harmonised.xlsx", x})
	var resources []resource
	for _, s := range sheets {
		var fields []field
		for _, c := range s.rows[0] {
			fields = append(fields, field{Name: c, Type: "string"})
		}
		resources = append(resources, newResource(s.name, s.name+".csv", "Implementing Regulation (EU) 2024/2835, annex, sheet "+s.name, fields))
	}
	p, err := e.pack("Harmonised transparency report", resources)
	return append(out, p), err
}

// The columns of figures.csv.
var figureFields = []field{
	{"table", "string", "Which table the figure is of", "Le tableau dont vient le chiffre"},
	{"provider", "string", "Hosting provider that was notified; empty where the table has none", "Fournisseur notifié ; vide si le tableau n’en a pas"},
	{"row", "string", "Row of the table: a category of Implementing Regulation (EU) 2024/2835, a month, a state; total is the sum", "Ligne du tableau : catégorie du règlement d’exécution (UE) 2024/2835, mois, état ; total est la somme"},
	{"column", "string", "Column of the table; n where there is one", "Colonne du tableau ; n s’il n’y en a qu’une"},
	{"value", "integer", "The count; empty where it is hidden", "Le nombre ; vide s’il est masqué"},
	{"denominator", "integer", "What it is a part of: the total of the row, of a list its total; empty where that is hidden", "Ce dont il est une part : le total de la ligne, ou de la liste ; vide s’il est masqué"},
	{"status", "string", "published, hidden (from 1 to 4, or it would let such a number be found), or dropped (the whole table)", "published : publié ; hidden : masqué (de 1 à 4, ou permettrait d’en retrouver un) ; dropped : le tableau entier"},
	{"unit", "string", "What is counted", "Ce qui est compté"},
	{"from", "date", "First day of the period", "Premier jour de la période"},
	{"until", "date", "Last day counted", "Dernier jour compté"},
	{"source", "string", "The instance whose events are counted", "L’instance dont les événements sont comptés"},
}

var externalFields = []field{
	{"indicator_fr", "string", "What is counted, in French", "Ce qui est compté"},
	{"indicator_en", "string", "What is counted, in English", "Ce qui est compté, en anglais"},
	{"value", "integer", "The figure as it was published", "Le chiffre tel qu’il a été publié"},
	{"period", "string", "The year, half-year (H1, H2) or day it is of", "L’année, le semestre (H1, H2) ou le jour"},
	{"source", "string", "Who published it", "Qui l’a publié"},
	{"collected", "date", "The day it was read", "Le jour où il a été relevé"},
	{"caveat_fr", "string", "What must be said with it, in French", "Ce qu’il faut dire avec lui"},
	{"caveat_en", "string", "What must be said with it, in English", "Ce qu’il faut dire avec lui, en anglais"},
}

// openData writes the figures, those of others apart, what each column means, and
// the description of the package.
func (e Edition) openData(f *Figures) ([]File, error) {
	tables := f.Tables()
	if e.Kind == TrustedFlagger {
		tables = []*Table{f.Notices}
	}
	rows := [][]string{names1(figureFields)}
	add := func(table, provider, row, column, value, of, status, unit string) {
		rows = append(rows, []string{table, provider, row, column, value, of, status, unit, e.Period.From, e.Until, e.Site})
	}
	text := func(f Figure) string {
		if f.Hidden {
			return ""
		}
		return strconv.Itoa(f.N)
	}
	for _, t := range tables {
		if t.Dropped {
			add(t.ID, "", "", "", "", "", "dropped", t.Unit.EN)
			continue
		}
		for i, r := range t.Rows {
			provider, row, found := strings.Cut(r.Code, "\x00")
			if !found {
				provider, row = "", r.Code
			}
			for j, c := range t.Columns {
				of := t.Figures[i][len(t.Columns)-1]
				if len(t.Columns) == 1 {
					of = t.Total()
				}
				status := "published"
				if t.Figures[i][j].Hidden {
					status = "hidden"
				}
				add(t.ID, provider, row, c.Code, text(t.Figures[i][j]), text(of), status, t.Unit.EN)
			}
		}
	}
	status := func(hidden bool) string {
		if hidden {
			return "hidden"
		}
		return "published"
	}
	add("lost", "", "total", "n", text(f.Lost), text(f.Lost), status(f.Lost.Hidden), "notices")
	for _, d := range []Delay{f.Acknowledged, f.Decided} {
		n, median, p90 := "", "", ""
		if !d.Hidden {
			n, median = strconv.Itoa(d.N), strconv.FormatFloat(d.Median, 'f', -1, 64)
			if d.Tail {
				p90 = strconv.FormatFloat(d.P90, 'f', -1, 64)
			}
		}
		add(d.ID, "", "hours", "n", n, n, status(d.Hidden), "notices")
		add(d.ID, "", "hours", "median", median, n, status(d.Hidden), "hours")
		add(d.ID, "", "hours", "p90", p90, n, status(d.Hidden || !d.Tail), "hours")
	}
	figures, err := tableCSV(rows)
	if err != nil {
		return nil, err
	}
	out := []File{{"figures.csv", figures}}
	resources := []resource{newResource("figures", "figures.csv", "The figures of this return", figureFields)}
	dictionary := [][]string{{"file", "column", "type", "meaning_fr", "meaning_en"}}
	for _, c := range figureFields {
		dictionary = append(dictionary, []string{"figures.csv", c.Name, c.Type, c.fr, c.Description})
	}
	if e.Kind == Parliament {
		others, err := tableCSV(externals())
		if err != nil {
			return nil, err
		}
		out = append(out, File{"external.csv", others})
		resources = append(resources, newResource("external", "external.csv", "Figures that other bodies published; never to be added to ours or to each other", externalFields))
		for _, c := range externalFields {
			dictionary = append(dictionary, []string{"external.csv", c.Name, c.Type, c.fr, c.Description})
		}
	}
	meaning, err := tableCSV(dictionary)
	if err != nil {
		return nil, err
	}
	title := "Report to Parliament"
	if e.Kind == TrustedFlagger {
		title = "Annual report of the trusted flagger"
	}
	p, err := e.pack(title, resources)
	return append(out, File{"dictionary.csv", meaning}, p), err
}

func names1(fields []field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Name)
	}
	return out
}

// A field, a resource and a package of Frictionless Data
// (https://datapackage.org/standard/data-package/).
type field struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Description string `json:"description,omitempty"`
	fr          string
}

type resource struct {
	Name      string `json:"name"`
	Path      string `json:"path"`
	Title     string `json:"title"`
	Profile   string `json:"profile"`
	Format    string `json:"format"`
	Mediatype string `json:"mediatype"`
	Encoding  string `json:"encoding"`
	Schema    struct {
		Fields  []field  `json:"fields"`
		Missing []string `json:"missingValues"`
	} `json:"schema"`
}

func newResource(name, path, title string, fields []field) resource {
	r := resource{Name: strings.ToLower(name), Path: path, Title: title, Profile: "tabular-data-resource", Format: "csv", Mediatype: "text/csv", Encoding: "utf-8"}
	r.Schema.Fields, r.Schema.Missing = slices.Clone(fields), []string{""}
	return r
}

func (e Edition) pack(title string, resources []resource) (File, error) {
	b, err := json.MarshalIndent(map[string]any{
		"profile": "tabular-data-package", "name": fmt.Sprintf("rempart-%s-%s", e.Kind, strings.ToLower(e.Period.Name)), "title": title,
		"description": e.subtitle().EN, "created": e.Frozen, "version": strconv.Itoa(e.Number), "resources": resources,
	}, "", "  ")
	if err != nil {
		return File{}, fmt.Errorf("describing the data: %w", err)
	}
	return File{"datapackage.json", append(b, '\n')}, nil
}
