package stats

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Protocol is what an audit campaign says of itself before anything is
// collected: what will be counted, among what, and when it stops. It is sealed in
// the ledger by its digest, so that what changed afterwards shows.
type Protocol struct {
	ID          string              `json:"id"` // small letters, digits and hyphens
	Title       string              `json:"title"`
	Service     string              `json:"service"`  // an entry of the register, or a name
	Surfaces    []string            `json:"surfaces"` // as the column surface has them
	From        string              `json:"from"`     // first and last day of collection, YYYY-MM-DD
	Until       string              `json:"until"`
	Frame       string              `json:"frame"` // of what the sample is
	Rule        string              `json:"rule"`  // how items were chosen
	Definitions map[string]string   `json:"definitions"`
	Codebook    map[string][]string `json:"codebook"` // the values of each label
	Ratios      []Ratio             `json:"ratios"`
	StopRule    string              `json:"stop_rule"`
	Ethics      string              `json:"ethics"`
	NoMinors    bool                `json:"no_prompts_about_minors"` // nobody is asked to make anything about a minor
	Source      string              `json:"source,omitempty"`        // of a reconstruction: where the figures were published

	Annotation *Annotation `json:"annotation,omitempty"` // where items are labelled in the console

	Reconstruction bool `json:"reconstruction,omitempty"` // made from published figures, not from the rows behind them

	Lang         string           `json:"lang,omitempty"` // of the texts above, such as fr; empty: it is not said
	Translations map[string]Texts `json:"translations,omitempty"`
}

// A Ratio is one figure that the campaign will publish, with its denominator.
type Ratio struct {
	ID         string `json:"id"`
	Positive   string `json:"positive"`        // LABEL=VALUE
	Among      string `json:"among,omitempty"` // LABEL=VALUE; empty: every item that has the label
	Population int    `json:"population,omitempty"`
	Sample     bool   `json:"probability_sample,omitempty"`
}

var campaignID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,59}$`)

// ReadProtocol reads a protocol as JSON and says everything that is wrong with it.
func ReadProtocol(r io.Reader) (p Protocol, err error) {
	d := json.NewDecoder(io.LimitReader(r, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("reading the protocol: %w", err)
	}
	return p, p.Check()
}

// Check says what a protocol lacks.
func (p Protocol) Check() error {
	var all []error
	need := func(ok bool, what string) {
		if !ok {
			all = append(all, errors.New("protocol: "+what))
		}
	}
	need(campaignID.MatchString(p.ID), "id: small letters, digits and hyphens, such as grok-2026-01")
	for name, text := range map[string]string{"title": p.Title, "service": p.Service, "frame": p.Frame, "rule": p.Rule, "stop_rule": p.StopRule, "ethics": p.Ethics} {
		need(strings.TrimSpace(text) != "", name+" is not given")
	}
	for _, lang := range slices.Sorted(maps.Keys(p.Translations)) {
		need(p.Lang != "" && lang != p.Lang, "translations: lang says which language the protocol itself is in, and is none of theirs")
		for c := range p.Translations[lang].Definitions {
			need(p.Definitions[c] != "", fmt.Sprintf("translations: %s: %q is defined only there", lang, c))
		}
	}
	need(len(p.Surfaces) > 0, "surfaces: none is named")
	need(len(p.Definitions) > 0, "definitions: none is given")
	need(len(p.Codebook) > 0, "codebook: no label is named")
	need(len(p.Ratios) > 0, "ratios: none is named; a ratio that was not registered cannot be added afterwards")
	need(p.NoMinors, "no_prompts_about_minors must be true: no campaign asks a service for anything about a minor")
	from, err1 := time.Parse(time.DateOnly, p.From)
	until, err2 := time.Parse(time.DateOnly, p.Until)
	need(err1 == nil && err2 == nil && !until.Before(from), "from and until: the first and the last day of collection, YYYY-MM-DD")
	all = append(all, p.annotation()...)
	for _, r := range p.Ratios {
		for _, c := range []string{r.Positive, r.Among} {
			if c == "" && r.Positive != "" {
				continue
			}
			x, err := ParseCondition(c)
			need(err == nil && slices.Contains(p.Codebook[x.Label], x.Value), fmt.Sprintf("ratio %s: %q is not a label with a value of the codebook", r.ID, c))
		}
	}
	slices.SortFunc(all, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(all...)
}

// Digest is the SHA-256 of the protocol's JSON, in hexadecimal.
func (p Protocol) Digest() string {
	b, err := json.Marshal(p)
	if err != nil {
		return ""
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// A Campaign is a protocol with what was made of its tables. The rows are not
// kept: a table is known by its digest, and whoever has it makes the same cards.
type Campaign struct {
	Protocol   Protocol  `json:"protocol"`
	Registered bool      `json:"registered"` // its protocol was sealed before a table came
	At         time.Time `json:"at"`
	Digest     string    `json:"digest"`
	Tables     []Table   `json:"tables,omitempty"`
}

// A Table is one labelled table that was taken in.
type Table struct {
	Name    string    `json:"name"`
	SHA256  string    `json:"sha256"`
	At      time.Time `json:"at"`
	Rows    int       `json:"rows"`
	Refused int       `json:"refused"`

	Labelled bool `json:"labelled,omitempty"` // made in the console, where the labels are kept

	Cards []Result `json:"cards"`
}

// A Result is the card of one ratio.
type Result struct {
	Ratio string `json:"ratio"`
	Card  Card   `json:"card"`
}

// Take reads a labelled table and makes the card of each registered ratio, in one
// pass. A row with a label, a value, a surface or a day that the protocol does not have
// is refused, named by its line; so is what [ReadTable] and [Tally.Add] refuse.
func (c Campaign) Take(r io.Reader, name string, at time.Time, refused func(*RowError)) (Table, error) {
	t := Table{Name: name, At: at}
	h := sha256.New()
	var tallies []*Tally
	for _, x := range c.Protocol.Ratios {
		positive, err := ParseCondition(x.Positive)
		if err != nil {
			return t, err
		}
		var among *Condition
		if x.Among != "" {
			a, err := ParseCondition(x.Among)
			if err != nil {
				return t, err
			}
			among = &a
		}
		tallies = append(tallies, NewTally(positive, among))
	}
	no := func(bad *RowError) {
		t.Refused++
		refused(bad)
	}
	early := 0
	in := io.TeeReader(r, h)
	if f, ok := r.(File); ok && isParquet(f) {
		if _, err := io.Copy(h, r); err != nil {
			return t, fmt.Errorf("reading the table: %w", err)
		}
		in = r
	}
	err := ReadTable(in, func(row Row) {
		t.Rows++
		if bad := c.fits(row); bad != nil {
			no(bad)
			return
		}
		if c.Registered && !c.Protocol.Reconstruction && !row.Collected.IsZero() && row.Collected.Before(c.At) {
			early++
		}
		var bad *RowError
		for _, tally := range tallies {
			if b := tally.Add(row); b != nil {
				bad = b
			}
		}
		if bad != nil {
			no(bad)
		}
	}, no)
	if err != nil {
		return t, err
	}
	t.SHA256 = hex.EncodeToString(h.Sum(nil))
	for i, x := range c.Protocol.Ratios {
		card, err := tallies[i].Card(Options{Population: x.Population, ProbabilitySample: x.Sample, BySurface: true, Refused: t.Refused})
		if err != nil {
			return t, fmt.Errorf("ratio %s: %w", x.ID, err)
		}
		if early > 0 {
			card.say(warn("early", early))
		}
		if !c.Registered {
			card.say(warn("unregistered"))
		}
		if c.Protocol.Reconstruction {
			card.say(warn("reconstruction"))
		}
		t.Cards = append(t.Cards, Result{x.ID, card})
	}
	return t, nil
}

// fits refuses what is not in the protocol. A campaign without one takes all.
func (c Campaign) fits(r Row) *RowError {
	if len(c.Protocol.Codebook) == 0 {
		return nil
	}
	values, known := c.Protocol.Codebook[r.Label]
	switch {
	case !known:
		return &RowError{r.Line, "label_name", fmt.Sprintf("%q is not a label of the codebook", r.Label)}
	case len(values) > 0 && !slices.Contains(values, r.Value):
		return &RowError{r.Line, "label_value", fmt.Sprintf("%q is not a value of %s in the codebook", r.Value, r.Label)}
	case r.Surface != "" && !slices.Contains(c.Protocol.Surfaces, r.Surface):
		return &RowError{r.Line, "surface", fmt.Sprintf("%q is not a surface of the protocol", r.Surface)}
	}
	if reason := c.Protocol.outside(r.Collected); reason != "" {
		return &RowError{r.Line, "collected_at", reason}
	}
	return nil
}

// outside says why something collected at a moment is not of the sample that was
// registered, or "": its day, where it was collected, is before or after the
// protocol's. The zero time is a day that nobody gave.
func (p Protocol) outside(collected time.Time) string {
	if day := collected.Format(time.DateOnly); !collected.IsZero() && (day < p.From || day > p.Until) {
		return fmt.Sprintf("%s is not within the dates of the protocol, %s to %s", day, p.From, p.Until)
	}
	return ""
}
