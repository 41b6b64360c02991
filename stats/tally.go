package stats

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// A Condition is one value of one label, written LABEL=VALUE.
type Condition struct{ Label, Value string }

// ParseCondition reads LABEL=VALUE; the value may hold further equal signs.
func ParseCondition(s string) (Condition, error) {
	label, value, ok := strings.Cut(s, "=")
	label, value = strings.TrimSpace(label), strings.TrimSpace(value)
	if !ok || label == "" || value == "" {
		return Condition{}, fmt.Errorf("%q: write LABEL=VALUE, such as attire=minimal", s)
	}
	return Condition{label, value}, nil
}

// composed is the condition with its accents in one encoding, as [words] has them.
func (c Condition) composed() Condition {
	return Condition{norm.NFC.String(c.Label), norm.NFC.String(c.Value)}
}

func (c Condition) String() string { return c.Label + "=" + c.Value }

// A Tally gathers the rows of a labelled table that bear on one card: for each
// item, what each annotator said of the two labels. It holds about 80 bytes an
// item, and 16 for each of its labels after the first. Its card does not depend on
// the order of the rows.
type Tally struct {
	positive Condition
	among    *Condition
	one      bool // both conditions are on one label

	items      items
	more       []further // ratings of an item after its first; 0 is none
	values     words
	annotators words
	surfaces   words
	methods    words
	ways       []way           // of methods, by number less 1
	settlers   []bool          // annotators whose name says that they adjudicate, by number less 1
	said       [2][]int        // how many items an annotator labelled, by number less 1
	spelt      map[string]bool // label names that are nearly the ones asked about

	rows, repeated int
	contradicted   int // labels of an item that an annotator gave several values
	from, until    time.Time
}

// way is what a method is.
type way struct{ settles, counted bool } // counted: used for the positive label

// rating is one label given by one annotator, by its number; the zero value is
// none. The number of the value is negative if it settles between annotators.
type rating struct {
	annotator uint32
	worth     int32
	line      uint32
}

func (r rating) value() uint32 { return uint32(max(r.worth, -r.worth)) }
func (r rating) settles() bool { return r.worth < 0 }

// by says whether two ratings are of one person in one role.
func (r rating) by(o rating) bool { return r.annotator == o.annotator && r.settles() == o.settles() }

// further is a rating after the first of an item's label, and where the one after
// it is, 0 if there is none.
type further struct {
	rating
	next uint32
}

// words numbers strings, from 1; what differs in nothing but how its accents are
// encoded (Unicode NFC, NFD) is one.
type words struct {
	number map[string]uint32
	list   []string
	last   uint32
}

func (w *words) of(s string) uint32 {
	if w.last > 0 && w.list[w.last-1] == s {
		return w.last
	}
	n, ok := w.number[s]
	if !ok {
		if w.number == nil {
			w.number = map[string]uint32{}
		}
		s = strings.Clone(s)
		composed := norm.NFC.String(s)
		if n = w.number[composed]; n == 0 {
			w.list = append(w.list, composed)
			n = uint32(len(w.list))
			w.number[composed] = n
		}
		w.number[s] = n
	}
	w.last = n
	return n
}

// ranks gives each word its place in the order of the alphabet, by number less 1.
func (w *words) ranks() []uint32 {
	order := make([]uint32, len(w.list))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return strings.Compare(w.list[a], w.list[b]) })
	ranks := make([]uint32, len(order))
	for rank, n := range order {
		ranks[n] = uint32(rank)
	}
	return ranks
}

// NewTally starts the tally of the items for which positive holds, among those
// for which among holds; among nil is every item that has the label.
func NewTally(positive Condition, among *Condition) *Tally {
	t := &Tally{positive: positive.composed(), items: newItems(), more: make([]further, 1), spelt: map[string]bool{}}
	if among != nil {
		a := among.composed()
		t.among, t.one = &a, a.Label == t.positive.Label
	}
	return t
}

// Add counts a row. It returns an error if the row is not counted: it says again
// what was said, contradicts another row of the same annotator (then neither is
// counted), or gives an item a second url_hash (then the item is not counted).
func (t *Tally) Add(r Row) *RowError {
	t.rows++
	it, fresh := t.items.of(r.Item)
	if fresh {
		it.line = uint32(r.Line)
	}
	if r.Surface != "" {
		switch n := t.surfaces.of(r.Surface); it.surface {
		case 0:
			it.surface = n
		case n:
		default:
			it.surface = several
		}
	}
	if !r.Collected.IsZero() {
		if t.from.IsZero() || r.Collected.Before(t.from) {
			t.from = r.Collected
		}
		if r.Collected.After(t.until) {
			t.until = r.Collected
		}
	}
	err := t.address(it, r)
	if t.is(r.Label, t.positive.Label) {
		if bad := t.rate(it, 0, r); err == nil {
			err = bad
		}
	}
	if t.among != nil && !t.one && t.is(r.Label, t.among.Label) {
		if bad := t.rate(it, 1, r); err == nil {
			err = bad
		}
	}
	return err
}

// address notes the url_hash of an item, and names a row of one that has two.
func (t *Tally) address(it *item, r Row) *RowError {
	if r.URLHash != "" && it.url != torn {
		url := min(max(1, t.items.hash(r.URLHash)), torn-1)
		switch it.url {
		case 0:
			it.url = url
		case url:
		default:
			it.url = torn
			var lines []string
			for label := range it.first {
				for _, x := range t.ratings(nil, it, label) {
					lines = append(lines, fmt.Sprint(x.line))
				}
			}
			also := ""
			if len(lines) > 0 {
				also = ", labels on line " + strings.Join(lines[:min(len(lines), 20)], ", ")
			}
			return &RowError{r.Line, "url_hash", fmt.Sprintf("item %q has another address than before (first seen on line %d%s); the item is not counted", r.Item, it.line, also)}
		}
	}
	if it.url == torn {
		return &RowError{r.Line, "", fmt.Sprintf("item %q has two addresses (first seen on line %d); the item is not counted", r.Item, it.line)}
	}
	return nil
}

// is says whether a cell names a label, and remembers it if only the case differs.
func (t *Tally) is(cell, label string) bool {
	if cell == label {
		return true
	}
	if !strings.EqualFold(cell, label) {
		if ascii(cell) {
			return false
		}
		if cell = norm.NFC.String(cell); cell == label {
			return true
		}
		if !strings.EqualFold(cell, label) {
			return false
		}
	}
	if !t.spelt[cell] {
		t.spelt[strings.Clone(cell)] = true
	}
	return false
}

// rate records a rating of a label of an item, once an annotator and value.
func (t *Tally) rate(it *item, label int, r Row) *RowError {
	who, how := t.annotators.of(r.Annotator), t.methods.of(r.Method)
	if int(who) > len(t.settlers) {
		t.settlers = append(t.settlers, adjudicates(r.Annotator))
		t.said[0], t.said[1] = append(t.said[0], 0), append(t.said[1], 0)
	}
	if int(how) > len(t.ways) {
		t.ways = append(t.ways, way{settles: adjudicates(r.Method)})
	}
	if label == 0 {
		t.ways[how-1].counted = true
	}
	now := rating{who, int32(t.values.of(r.Value)), uint32(r.Line)}
	if t.ways[how-1].settles || t.settlers[who-1] {
		now.worth = -now.worth
	}
	if it.first[label].annotator == 0 {
		it.first[label] = now
		t.labelled(label, now)
		return nil
	}
	var same, other rating // what she said of it before
	others := 0
	end := &it.more[label]
	for before := it.first[label]; ; {
		switch {
		case !before.by(now):
		case before.value() == now.value():
			same = before
		default:
			other, others = before, others+1
		}
		if *end == 0 {
			break
		}
		x := &t.more[*end]
		before, end = x.rating, &x.next
	}
	if same.annotator != 0 {
		t.repeated++
		if others > 0 {
			return &RowError{r.Line, "", fmt.Sprintf("%q said the same of item %q on line %d, and otherwise on line %d; none of it is counted", r.Annotator, r.Item, same.line, other.line)}
		}
		return &RowError{r.Line, "", fmt.Sprintf("%q said the same of item %q on line %d; counted once", r.Annotator, r.Item, same.line)}
	}
	*end = uint32(len(t.more)) // before the slice may move
	t.more = append(t.more, further{now, 0})
	switch others {
	case 0:
		t.labelled(label, now)
		return nil
	case 1:
		t.contradicted++
	}
	return &RowError{r.Line, "label_value", fmt.Sprintf("%q said %s=%s of item %q on line %d; neither label is counted",
		r.Annotator, r.Label, t.values.list[other.value()-1], r.Item, other.line)}
}

// labelled counts an item for who labelled it first-hand.
func (t *Tally) labelled(label int, r rating) {
	if !r.settles() {
		t.said[label][r.annotator-1]++
	}
}

// ratings appends what was said of a label of an item, in the file's order.
func (t *Tally) ratings(into []rating, it *item, label int) []rating {
	if it.first[label].annotator == 0 {
		return into
	}
	into = append(into, it.first[label])
	for n := it.more[label]; n != 0; n = t.more[n].next {
		into = append(into, t.more[n].rating)
	}
	return into
}
