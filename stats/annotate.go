package stats

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rempart"
)

// An Annotation is how the items of a campaign are labelled in the console; it is
// sealed with the protocol.
type Annotation struct {
	Double float64 `json:"double_share"` // share of the items that two persons label, 0 to 1
	Seed   string  `json:"seed"`         // see [rempart.Drawing]
}

// Drawing is the rule by which the campaign's items are drawn.
func (a Annotation) Drawing() rempart.Drawing { return rempart.Drawing{Seed: a.Seed, Share: a.Double} }

// annotation says what the protocol lacks for its items to be labelled in the
// console.
func (p Protocol) annotation() (all []error) {
	a := p.Annotation
	if a == nil {
		return nil
	}
	if !(a.Double >= 0 && a.Double <= 1) {
		all = append(all, errors.New("protocol: annotation: double_share is from 0 to 1"))
	}
	if strings.TrimSpace(a.Seed) == "" {
		all = append(all, errors.New("protocol: annotation: seed is not given"))
	}
	for label, values := range p.Codebook {
		if len(values) < 2 {
			all = append(all, fmt.Errorf("protocol: annotation: %s needs two values or more to choose from", label))
		}
		for _, cell := range append([]string{label}, values...) {
			if reason := checkCell(cell); reason != "" || strings.TrimSpace(cell) != cell || cell == "" {
				all = append(all, fmt.Errorf("protocol: annotation: %s: %q cannot be written in a table", label, cell))
			}
		}
	}
	return all
}

// Most that a table of items may hold.
const (
	maxSampled = 100_000   // items
	maxWords   = 4_000     // bytes of one text
	maxSample  = 256 << 20 // bytes of the table
	maxFields  = 20        // columns beside the known ones
)

// address finds what leads to a place on the net, or to somebody, also where it
// has no scheme.
var address = regexp.MustCompile(`(?i)://|\bwww\.|\b(?:data|blob|javascript|magnet|mailto):\S|[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+\.[\p{L}]{2,}|\b(?:[\p{L}\p{N}-]+\.)+[\p{L}]{2,}/\S`)

// packed finds base64 text long enough to be a file.
var packed = regexp.MustCompile(`[A-Za-z0-9+/_-]{200,}`)

// checkWords says why a text cannot be shown to annotators, or "".
func checkWords(text string) string {
	switch {
	case len(text) > maxWords:
		return fmt.Sprintf("%d bytes long, at most %d are kept", len(text), maxWords)
	case !utf8.ValidString(text):
		return "not UTF-8; save the file as CSV in UTF-8"
	case address.MatchString(text):
		return "an address; annotators see text alone: leave it out, or give its hash in url_hash"
	case packed.MatchString(text), rempart.CarriesFile(text):
		return "a picture or another file; annotators see text alone"
	case strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' && c != '\r' || c == 0x7f }):
		return "a control character"
	}
	return ""
}

// ReadSample reads the items of a campaign from a CSV in UTF-8 with the column
// item_id, and if it likes surface, collected_at, url_hash; every other column is
// text that annotators see under its name. A row that holds an address, a picture
// or a file is refused, as is one whose item came before, and one of a surface or
// a day that the protocol does not have.
func (p Protocol) ReadSample(r io.Reader, refused func(*RowError)) ([]rempart.Sampled, error) {
	c := csv.NewReader(io.LimitReader(r, maxSample))
	c.FieldsPerRecord = -1
	names, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("reading the first line, which must name the columns: %w", err)
	}
	item := -1
	for i := range names {
		names[i] = strings.TrimSpace(strings.TrimPrefix(names[i], "\ufeff"))
		if names[i] == "item_id" {
			item = i
		}
		if names[i] == "" || slices.Contains(names[:i], names[i]) {
			return nil, fmt.Errorf("the column %q has no name, or is there twice", names[i])
		}
		if bad := checkCell(names[i]); bad != "" {
			return nil, fmt.Errorf("the name of column %d: %s", i+1, bad)
		}
		if slices.Contains([]string{"label_name", "label_value", "annotator", "confidence"}, names[i]) {
			return nil, fmt.Errorf("the column %s would show a label to annotators; they must not see one", names[i])
		}
	}
	if item < 0 {
		return nil, errors.New("the first line does not name the column item_id")
	}
	if len(names) > maxFields+4 {
		return nil, fmt.Errorf("%d columns; at most %d", len(names), maxFields+4)
	}
	var out []rempart.Sampled
	seen := map[string]int{}
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var parse *csv.ParseError
		if errors.As(err, &parse) {
			refused(&RowError{parse.StartLine, "", parse.Err.Error()})
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the items: %w", err)
		}
		line, _ := c.FieldPos(0)
		s, bad := p.sampled(names, record, line)
		if bad == nil && seen[s.Name] > 0 {
			bad = &RowError{line, "item_id", fmt.Sprintf("%q was on line %d; the first stands", s.Name, seen[s.Name])}
		}
		if bad != nil {
			refused(bad)
			continue
		}
		seen[s.Name] = line
		if out = append(out, s); len(out) > maxSampled {
			return nil, fmt.Errorf("more than %d items; label a sample of them", maxSampled)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the table has no item that can be labelled")
	}
	return out, nil
}

// sampled reads one row of a table of items.
func (p Protocol) sampled(names, record []string, line int) (s rempart.Sampled, bad *RowError) {
	if len(record) != len(names) {
		return s, &RowError{line, "", fmt.Sprintf("%d fields, the first line has %d", len(record), len(names))}
	}
	for i, name := range names {
		cell := strings.TrimSpace(record[i])
		check := checkCell
		switch name {
		case "item_id":
			s.Name = cell
		case "surface":
			s.Surface = cell
		case "collected_at":
			s.Collected = cell
		case "url_hash":
			s.Hash = cell
		default:
			check = checkWords
			if cell != "" {
				s.Fields = append(s.Fields, rempart.Field{Name: name, Text: cell})
			}
		}
		if reason := check(cell); reason != "" {
			return s, &RowError{line, name, reason}
		}
		if reason := checkWords(cell); reason != "" && name != "url_hash" {
			return s, &RowError{line, name, reason}
		}
	}
	if s.Name == "" {
		return s, &RowError{line, "item_id", "empty"}
	}
	day, ok := parseTime(s.Collected)
	if s.Collected != "" && !ok {
		return s, &RowError{line, "collected_at", fmt.Sprintf("%q is no date such as 2025-12-28 or 2025-12-28T14:03:00Z", s.Collected)}
	}
	if reason := p.outside(day); s.Collected != "" && reason != "" {
		return s, &RowError{line, "collected_at", reason}
	}
	if s.Surface != "" && !slices.Contains(p.Surfaces, s.Surface) {
		return s, &RowError{line, "surface", fmt.Sprintf("%q is not a surface of the protocol", s.Surface)}
	}
	if len(s.Fields) == 0 {
		return s, &RowError{line, "", "no text to label: every other column is empty"}
	}
	return s, nil
}

// WriteLabels writes what annotators said as a labelled table, in the order in
// which the items were drawn; what a third person settled has the method
// adjudication. The bytes follow from the labels alone.
func (p Protocol) WriteLabels(w io.Writer, all []rempart.Labelled) error {
	out := csv.NewWriter(w)
	out.Write(Columns)
	names := aliases(all)
	for _, x := range all {
		row := func(l rempart.Labelling, method string) {
			for _, label := range p.Labels() {
				if v, ok := l.Values[label]; ok {
					out.Write([]string{x.Name, x.Surface, x.Collected, x.Hash, label, v, names[l.StaffID], method, ""})
				}
			}
		}
		for _, l := range x.Labels {
			row(l, "human")
		}
		if x.Settled != nil {
			row(*x.Settled, MethodAdjudication)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("writing the labels: %w", err)
	}
	return nil
}

// Labels are those of the codebook, sorted.
func (p Protocol) Labels() []string {
	var out []string
	for l := range p.Codebook {
		out = append(out, l)
	}
	slices.Sort(out)
	return out
}

// aliases are the annotators as a table names them: each by the alias that she
// had first, no two alike, none that a table may not hold.
func aliases(all []rempart.Labelled) map[string]string {
	out, taken := map[string]string{}, map[string]bool{}
	name := func(l rempart.Labelling) {
		if _, ok := out[l.StaffID]; ok {
			return
		}
		base := strings.TrimSpace(string(l.Alias))
		if base == "" || checkCell(base) != "" || adjudicates(base) {
			base = "annotator"
		}
		s := base
		for n := 2; taken[s]; n++ {
			s = fmt.Sprintf("%s (%d)", base, n)
		}
		out[l.StaffID], taken[s] = s, true
	}
	for _, x := range all {
		for _, l := range x.Labels {
			name(l)
		}
		if x.Settled != nil {
			name(*x.Settled)
		}
	}
	return out
}

// TakeLabelled makes of what annotators said the table that it is and the cards
// of the campaign, as of any other table. Where labels lack or a dispute was not
// settled, each card says so.
func (c Campaign) TakeLabelled(all []rempart.Labelled, at time.Time) (Table, error) {
	var b bytes.Buffer
	if err := c.Protocol.WriteLabels(&b, all); err != nil {
		return Table{}, err
	}
	var bad error
	t, err := c.Take(&b, c.Protocol.ID+"-labels.csv", at, func(r *RowError) { bad = errors.Join(bad, r) })
	if err = errors.Join(err, bad); err != nil {
		return t, err
	}
	t.Labelled = true
	given, wanted, disputed := 0, 0, 0
	for _, x := range all {
		given, wanted = given+len(x.Labels), wanted+x.Persons
		if x.State == rempart.SampledDisputed {
			disputed++
		}
	}
	if given < wanted || disputed > 0 {
		for i := range t.Cards {
			t.Cards[i].Card.say(warn("unfinished", given, wanted, disputed))
		}
	}
	return t, nil
}
