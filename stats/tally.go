package stats

import (
	"fmt"
	"slices"
	"strings"
	"time"
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

func (c Condition) String() string { return c.Label + "=" + c.Value }

// A Tally gathers the rows of a labelled table that bear on one card: for each
// item, what each annotator said of the two labels. It holds about 80 bytes an
// item, and 16 for each of its labels after the first.
type Tally struct {
	positive Condition
	among    *Condition

	items      items
	more       []further // ratings of an item after its first; 0 is none
	values     words
	annotators words
	surfaces   words
	methods    words // of the rows of the positive label

	rows, repeated, contradicted int
	from, until                  time.Time
}

// rating is one label given by one annotator, by its number; the zero value is
// none. The number of the value is negative if it settles between annotators.
type rating struct {
	annotator uint32
	worth     int32
	line      uint32
}

func (r rating) value() uint32 { return uint32(max(r.worth, -r.worth)) }
func (r rating) settles() bool { return r.worth < 0 }

// further is a rating after the first of an item's label, and where the one after
// it is, 0 if there is none.
type further struct {
	rating
	next uint32
}

// words numbers strings, from 1.
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
		w.list = append(w.list, s)
		n = uint32(len(w.list))
		w.number[s] = n
	}
	w.last = n
	return n
}

// NewTally starts the tally of the items for which positive holds, among those
// for which among holds; among nil is every item that has the label.
func NewTally(positive Condition, among *Condition) *Tally {
	return &Tally{positive: positive, among: among, items: newItems(), more: make([]further, 1)}
}

// Add counts a row. It returns an error, and does not count the row, if the row
// contradicts an earlier one (the same item with another url_hash, or the same
// annotator saying something else of it) or says it again.
func (t *Tally) Add(r Row) *RowError {
	t.rows++
	it, fresh := t.items.of(r.Item)
	if fresh {
		it.line, it.surface = uint32(r.Line), t.surfaces.of(r.Surface)
	}
	if r.URLHash != "" {
		url := max(1, t.items.hash(r.URLHash))
		switch {
		case it.url == 0:
			it.url = url
		case it.url != url:
			t.contradicted++
			return &RowError{r.Line, "url_hash", fmt.Sprintf("item %q has another address than before (first seen on line %d); the row is not counted", r.Item, it.line)}
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
	var err *RowError
	if r.Label == t.positive.Label {
		t.methods.of(r.Method)
		err = t.rate(it, 0, r)
	}
	if t.among != nil && r.Label == t.among.Label && err == nil {
		err = t.rate(it, 1, r)
	}
	return err
}

// rate records a rating of a label of an item, once an annotator.
func (t *Tally) rate(it *item, label int, r Row) *RowError {
	now := rating{t.annotators.of(r.Annotator), int32(t.values.of(r.Value)), uint32(r.Line)}
	if r.Method == MethodAdjudication {
		now.worth = -now.worth
	}
	if it.first[label].annotator == 0 {
		it.first[label] = now
		return nil
	}
	end := &it.more[label]
	for before := it.first[label]; ; {
		if before.annotator == now.annotator && before.settles() == now.settles() {
			return t.again(before, now, r)
		}
		if *end == 0 {
			break
		}
		x := &t.more[*end]
		before, end = x.rating, &x.next
	}
	*end = uint32(len(t.more)) // before the slice may move
	t.more = append(t.more, further{now, 0})
	return nil
}

// again says why a second label of one annotator is not counted.
func (t *Tally) again(before, now rating, r Row) *RowError {
	if before.value() == now.value() {
		t.repeated++
		return &RowError{r.Line, "", fmt.Sprintf("%q said the same of item %q on line %d; counted once", r.Annotator, r.Item, before.line)}
	}
	t.contradicted++
	return &RowError{r.Line, "label_value", fmt.Sprintf("%q said %s=%s of item %q on line %d; the later label is not counted",
		r.Annotator, r.Label, t.values.list[before.value()-1], r.Item, before.line)}
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

// settled is how an item came to its value.
type settled int

const (
	unlabelled settled = iota
	agreed             // by all, by most, or by adjudication
	tied               // the first label of the file stands
)

// value decides from its ratings what an item is: the last adjudication, else
// what most annotators said, else (tied) what the first of those tied said. could
// is appended to, and says which values a tie leaves possible.
func value(all []rating, could []uint32) (uint32, settled, []uint32) {
	if len(all) == 0 {
		return 0, unlabelled, nil
	}
	if len(all) == 1 {
		return all[0].value(), agreed, nil
	}
	for _, r := range slices.Backward(all) {
		if r.settles() {
			return r.value(), agreed, nil
		}
	}
	most := 0
	for i, r := range all {
		if slices.ContainsFunc(all[:i], func(x rating) bool { return x.value() == r.value() }) {
			continue
		}
		votes := 1
		for _, x := range all[i+1:] {
			if x.value() == r.value() {
				votes++
			}
		}
		if votes > most {
			most, could = votes, could[:0]
		}
		if votes == most {
			could = append(could, r.value())
		}
	}
	if len(could) == 1 {
		return could[0], agreed, nil
	}
	return could[0], tied, could
}
