package stats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Unreliable is the coefficient of agreement below which a card says that its
// labels are not reliable. Our choice, after K. Krippendorff, Content Analysis
// (2004), 11.4, who calls 0.667 the lowest limit for tentative conclusions.
const Unreliable = 0.6

// rounds is how often agreement is resampled.
const rounds = 2000

// A Card is one figure as it may be published: never without its numerator, its
// denominator and its warnings. Shares are 0 to 1.
type Card struct {
	Definition  Definition    `json:"definition"`
	Numerator   int           `json:"numerator"`
	Denominator int           `json:"denominator"`
	Estimate    float64       `json:"estimate"`
	Interval    [2]float64    `json:"interval"`
	Method      Method        `json:"interval_method"`
	Level       float64       `json:"level"`
	Corrected   *Corrected    `json:"corrected,omitempty"`
	Total       *Total        `json:"total,omitempty"`
	Agreement   Agreement     `json:"agreement"`
	Surfaces    []SurfaceCard `json:"surfaces,omitempty"`
	Period      *Period       `json:"period,omitempty"`
	Items       int           `json:"items"`
	Rows        int           `json:"rows"`
	Warnings    []string      `json:"warnings"`       // in English; see [Card.In]
	Said        []Warning     `json:"said,omitempty"` // the same, for other languages
}

// Definition says what was counted: items with Positive, among those with Among
// ("" for every item that has the label).
type Definition struct {
	Positive string `json:"positive"`
	Among    string `json:"among,omitempty"`
}

// Corrected is the share corrected for the errors of the method that labelled.
type Corrected struct {
	Estimate    float64    `json:"estimate"`
	Interval    [2]float64 `json:"interval"`
	Method      Method     `json:"interval_method"`
	Sensitivity float64    `json:"sensitivity"`
	Specificity float64    `json:"specificity"`
}

// Total is the share carried over to a population, in items.
type Total struct {
	Population int        `json:"population"`
	Estimate   float64    `json:"estimate"`
	Interval   [2]float64 `json:"interval"`
}

// Agreement is how far annotators agree on the positive label, over the items of
// the denominator that two or more of them labelled. A coefficient is null where
// it is not defined.
type Agreement struct {
	Kappa          *float64    `json:"kappa"`
	KappaMethod    string      `json:"kappa_method,omitempty"` // cohen or fleiss
	KappaInterval  *[2]float64 `json:"kappa_interval,omitempty"`
	Alpha          *float64    `json:"krippendorff_alpha,omitempty"`
	AlphaInterval  *[2]float64 `json:"krippendorff_alpha_interval,omitempty"`
	DoublyLabelled int         `json:"doubly_labelled"`
}

// SurfaceCard is the same share on one surface of the service.
type SurfaceCard struct {
	Surface     string     `json:"surface"`
	Numerator   int        `json:"numerator"`
	Denominator int        `json:"denominator"`
	Estimate    float64    `json:"estimate"`
	Interval    [2]float64 `json:"interval"`
	Method      Method     `json:"interval_method"`
}

// Period is from the first to the last collection of an item, both included.
type Period struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// Options are what a card is made with beside the table.
type Options struct {
	Population        int         // items that the sample stands for; 0 if not known
	Classifier        *Classifier // what is known of the method that labelled; nil if nothing
	ProbabilitySample bool        // the items were drawn at random from the population
	BySurface         bool        // the share on each surface too
	Refused           int         // rows that could not be read
}

// MarshalJSON writes a card of no item, which has no share, with null where the
// share, its interval and the method would be.
func (c Card) MarshalJSON() ([]byte, error) {
	type bare Card
	var out any = bare(c)
	if c.Denominator == 0 {
		out = struct {
			bare
			Estimate *float64    `json:"estimate"`
			Interval *[2]float64 `json:"interval"`
			Method   *Method     `json:"interval_method"`
		}{bare: bare(c)}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // whoever calls this does, if asked
	err := enc.Encode(out)
	return b.Bytes(), err
}

// ErrEmpty is returned, with a card that has warnings and no share, where no item
// has the labels.
var ErrEmpty = errors.New("no item in the denominator")

// Card computes the card of what was tallied.
func (t *Tally) Card(o Options) (Card, error) {
	c := Card{
		Definition: Definition{Positive: t.positive.String()}, Level: Level,
		Items: int(t.items.n), Rows: t.rows, Warnings: []string{},
	}
	if t.among != nil {
		c.Definition.Among = t.among.String()
	}
	if !t.from.IsZero() {
		c.Period = &Period{t.from, t.until}
	}
	count := t.count()
	c.Numerator, c.Denominator = count.numerator, count.denominator
	if c.Denominator == 0 {
		c.Agreement = agreement(count.ratings, count.annotators)
		c.say(t.warnings(c, count, o)...)
		return c, fmt.Errorf("%s: %w (%d items, values found: %s)", c.Definition.Positive, ErrEmpty, c.Items, t.known())
	}
	i, method, err := Proportion(c.Numerator, c.Denominator, o.Population)
	if err != nil {
		return Card{}, err
	}
	c.Estimate, c.Interval, c.Method = float64(c.Numerator)/float64(c.Denominator), [2]float64{i.Low, i.High}, method
	if o.Classifier != nil {
		share, i, method, err := Prevalence(c.Numerator, c.Denominator, *o.Classifier, Level)
		if err != nil {
			return Card{}, err
		}
		c.Corrected = &Corrected{share, [2]float64{i.Low, i.High}, method, o.Classifier.Sensitivity, o.Classifier.Specificity}
	}
	if o.Population > 0 {
		share, of := c.Estimate, i
		if c.Corrected != nil {
			share, of = c.Corrected.Estimate, Interval{c.Corrected.Interval[0], c.Corrected.Interval[1]}
		}
		n := of.Total(o.Population)
		c.Total = &Total{o.Population, share * float64(o.Population), [2]float64{n.Low, n.High}}
	}
	if o.BySurface {
		for _, s := range slices.Sorted(maps.Keys(count.surfaces)) {
			x := count.surfaces[s]
			i, method, err := Proportion(x[0], x[1], 0)
			if err != nil {
				return Card{}, err
			}
			c.Surfaces = append(c.Surfaces, SurfaceCard{s, x[0], x[1], float64(x[0]) / float64(x[1]), [2]float64{i.Low, i.High}, method})
		}
	}
	c.Agreement = agreement(count.ratings, count.annotators)
	c.say(t.warnings(c, count, o)...)
	return c, nil
}

// counted is one pass over the items.
type counted struct {
	numerator, denominator int
	unlabelled             int    // in the population asked about, without the label
	ties                   int    // items with one, of the positive label or of the one it is among
	leaning                int    // of these, by the label of the main annotator
	undecided              int    // of these, in neither numerator nor denominator
	torn                   int    // items with the label and two addresses, left out
	scattered              int    // items in the denominator that rows place on several surfaces
	adjudicated            int    // in the denominator, by the label of a third person
	low, high              [2]int // numerator and denominator, every tie settled so that the share is least, and most
	surfaces               map[string][2]int
	ratings                Ratings
	annotators             int // among the doubly labelled
}

// count decides each item, counts it, and gathers what annotators said of those
// in the denominator and of those that would be in it but for a tie.
func (t *Tally) count() counted {
	c := counted{surfaces: map[string][2]int{}}
	positive, among, second := t.values.number[t.positive.Value], uint32(0), 1
	if t.among != nil {
		among = t.values.number[t.among.Value]
		if t.one {
			second = 0
		}
	}
	surfaces := make([][2]int, len(t.surfaces.list)+1)
	g := gatherer{patterns: map[string]*Pattern{}, seen: map[uint32]bool{}, people: t.annotators.ranks(), values: t.values.ranks()}
	var all []rating
	room := make([]uint32, 0, 16)
	for n := range t.items.n {
		it := t.items.at(n)
		if it.url == torn {
			if it.first[0].annotator != 0 {
				c.torn++
			}
			continue
		}
		in := verdict{labelled: true, yes: true} // the denominator
		if t.among != nil {
			all = t.ratings(all[:0], it, second)
			if in = t.verdict(all, second, among, room[:0]); !in.yes && !in.doubt {
				continue
			}
		}
		all = t.ratings(all[:0], it, 0)
		is := t.verdict(all, 0, positive, room[:0])
		if !is.labelled {
			if in.yes {
				c.unlabelled++
			}
			continue
		}
		if t.among != nil && t.one { // an item that is in has the one value
			is = verdict{labelled: true, yes: positive == among}
		}
		c.settle(in.yes && !in.doubt, is.yes && !is.doubt, is.doubt)
		switch {
		case in.open, in.yes && is.open:
			c.ties++
			c.undecided++
		case in.doubt, is.doubt:
			c.ties++
			c.leaning++
		}
		if !in.yes {
			continue
		}
		g.add(all)
		if is.open {
			continue
		}
		c.denominator++
		if slices.ContainsFunc(all, rating.settles) {
			c.adjudicated++
		}
		if is.yes {
			c.numerator++
		}
		if it.surface == several {
			c.scattered++
			continue
		}
		x := &surfaces[it.surface]
		x[1]++
		if is.yes {
			x[0]++
		}
	}
	for i, x := range surfaces {
		switch {
		case x[1] == 0:
		case i == 0:
			c.surfaces[""] = x
		default:
			c.surfaces[t.surfaces.list[i-1]] = x
		}
	}
	c.annotators = len(g.seen)
	for _, key := range slices.Sorted(maps.Keys(g.patterns)) {
		c.ratings = append(c.ratings, *g.patterns[key])
	}
	return c
}

// settle counts an item in the least and in the most that the share can be: in
// says that it is in the denominator whatever ties are, yes that it is in the
// numerator if it is in the denominator, maybe that a tie decides that.
func (c *counted) settle(in, yes, maybe bool) {
	if in || !yes { // left out where it could only raise the share
		c.low[1]++
		if yes {
			c.low[0]++
		}
	}
	if in || yes || maybe { // left out where it could only lower it
		c.high[1]++
		if yes || maybe {
			c.high[0]++
		}
	}
}

// gatherer counts the items by what annotators said of them.
type gatherer struct {
	people, values []uint32 // the places of words in the alphabet, by number less 1
	patterns       map[string]*Pattern
	seen           map[uint32]bool // annotators
	all            []rating
	key            []byte
}

// add takes in what was said of an item, in the order of the annotators' names, if
// two or more gave a label before adjudication and did not contradict themselves.
func (g *gatherer) add(all []rating) {
	if len(all) < 2 {
		return
	}
	g.all = g.all[:0]
	for _, r := range all {
		if !r.settles() && !contradicts(all, r) {
			g.all = append(g.all, r)
		}
	}
	if len(g.all) < 2 {
		return
	}
	slices.SortFunc(g.all, func(a, b rating) int {
		return int(g.people[a.annotator-1]) - int(g.people[b.annotator-1])
	})
	g.key = g.key[:0]
	for _, r := range g.all {
		if !g.seen[r.annotator] {
			g.seen[r.annotator] = true
		}
		g.key = strconv.AppendUint(append(g.key, ' '), uint64(g.values[r.value()-1]), 10)
	}
	p := g.patterns[string(g.key)]
	if p == nil {
		p = &Pattern{}
		for _, r := range g.all {
			p.Labels = append(p.Labels, int(g.values[r.value()-1]))
		}
		g.patterns[string(g.key)] = p
	}
	p.Items++
}

// agreement computes the coefficients that the shape of the ratings allows:
// Cohen's kappa of two annotators, Fleiss' of as many labels for each item, and
// alpha always.
func agreement(r Ratings, annotators int) Agreement {
	a := Agreement{DoublyLabelled: r.Items()}
	if a.DoublyLabelled == 0 {
		return a
	}
	even := !slices.ContainsFunc(r, func(p Pattern) bool { return len(p.Labels) != len(r[0].Labels) })
	switch {
	case even && annotators == 2:
		a.KappaMethod = "cohen"
		a.Kappa, a.KappaInterval = defined(r, Cohen)
	case even:
		a.KappaMethod = "fleiss"
		a.Kappa, a.KappaInterval = defined(r, Fleiss)
	}
	a.Alpha, a.AlphaInterval = defined(r, Krippendorff)
	return a
}

// defined returns a coefficient with its interval, or nil where it has no value.
func defined(r Ratings, coefficient func(Ratings) float64) (*float64, *[2]float64) {
	v := coefficient(r)
	if math.IsNaN(v) {
		return nil, nil
	}
	i := Bootstrap(r, coefficient, rounds, Level)
	if math.IsNaN(i.Low) {
		return &v, nil
	}
	return &v, &[2]float64{i.Low, i.High}
}

// known lists values that the table has for the condition asked about, for whoever
// mistyped one; – if it has none.
func (t *Tally) known() string {
	if len(t.values.list) == 0 {
		return "–"
	}
	all := slices.Sorted(slices.Values(t.values.list))
	return strings.Join(all[:min(10, len(all))], ", ")
}
