package stats

import (
	"fmt"
	"hash/maphash"
	"maps"
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
// item, what each annotator said of the two labels. It holds about 100 bytes an
// item, whatever the number of rows.
type Tally struct {
	positive Condition
	among    *Condition

	seeds      [2]maphash.Seed
	ids        map[[2]uint64]uint32 // of the items; two independent 64-bit hashes
	items      []item
	more       map[slot][]rating // ratings of an item after its first
	values     words
	annotators words
	surfaces   words
	methods    map[string]int // rows of the positive label by method

	rows, repeated, contradicted int
	from, until                  time.Time
}

// item is one item: its first rating of each label, and what identifies it.
type item struct {
	first   [2]rating
	url     uint64 // hash of its url_hash, 0 if none was given
	line    uint32 // where it was first seen
	surface uint32
}

// slot is one label (0 the positive one, 1 the one it is among) of one item.
type slot struct{ item, label uint32 }

// rating is one label given by one annotator, by its number plus one; the zero
// value is none.
type rating struct {
	annotator, value, line uint32
	settles                bool // between annotators
}

// words numbers strings, from 1.
type words struct {
	number map[string]uint32
	list   []string
}

func (w *words) of(s string) uint32 {
	if n, ok := w.number[s]; ok {
		return n
	}
	if w.number == nil {
		w.number = map[string]uint32{}
	}
	s = strings.Clone(s)
	w.list = append(w.list, s)
	w.number[s] = uint32(len(w.list))
	return uint32(len(w.list))
}

// NewTally starts the tally of the items for which positive holds, among those
// for which among holds; among nil is every item that has the label.
func NewTally(positive Condition, among *Condition) *Tally {
	return &Tally{
		positive: positive, among: among,
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		ids:   map[[2]uint64]uint32{}, more: map[slot][]rating{}, methods: map[string]int{},
	}
}

// Add counts a row. It returns an error, and does not count the row, if the row
// contradicts an earlier one (the same item with another url_hash, or the same
// annotator saying something else of it) or says it again.
func (t *Tally) Add(r Row) *RowError {
	t.rows++
	id := [2]uint64{maphash.String(t.seeds[0], r.Item), maphash.String(t.seeds[1], r.Item)}
	n, known := t.ids[id]
	if !known {
		n = uint32(len(t.items))
		t.ids[id] = n
		t.items = append(t.items, item{line: uint32(r.Line), surface: t.surfaces.of(r.Surface)})
	}
	it := &t.items[n]
	if r.URLHash != "" {
		url := maphash.String(t.seeds[0], r.URLHash)
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
		t.methods[r.Method]++
		err = t.rate(n, 0, r)
	}
	if t.among != nil && r.Label == t.among.Label && err == nil {
		err = t.rate(n, 1, r)
	}
	return err
}

// rate records a rating of a label of item n, once an annotator.
func (t *Tally) rate(n, label uint32, r Row) *RowError {
	now := rating{t.annotators.of(r.Annotator), t.values.of(r.Value), uint32(r.Line), r.Method == MethodAdjudication}
	if t.items[n].first[label].annotator == 0 {
		t.items[n].first[label] = now
		return nil
	}
	for _, before := range t.ratings(n, label) {
		if before.annotator != now.annotator || before.settles != now.settles {
			continue
		}
		if before.value == now.value {
			t.repeated++
			return &RowError{r.Line, "", fmt.Sprintf("%q said the same of item %q on line %d; counted once", r.Annotator, r.Item, before.line)}
		}
		t.contradicted++
		return &RowError{r.Line, "label_value", fmt.Sprintf("%q said %s=%s of item %q on line %d; the later label is not counted",
			r.Annotator, r.Label, t.values.list[before.value-1], r.Item, before.line)}
	}
	t.more[slot{n, label}] = append(t.more[slot{n, label}], now)
	return nil
}

// ratings returns what was said of a label of item n, in the file's order.
func (t *Tally) ratings(n, label uint32) []rating {
	first := t.items[n].first[label]
	if first.annotator == 0 {
		return nil
	}
	return append([]rating{first}, t.more[slot{n, label}]...)
}

// settled is how an item came to its value.
type settled int

const (
	unlabelled settled = iota
	agreed             // by all, by most, or by adjudication
	tied               // the first label of the file stands
)

// value decides what an item is: the last adjudication, else what most
// annotators said, else (tied) what the first of those tied said. could says
// which values a tie leaves possible.
func (t *Tally) value(n, label uint32) (value uint32, how settled, could []uint32) {
	first := t.items[n].first[label]
	if first.annotator == 0 {
		return 0, unlabelled, nil
	}
	rest := t.more[slot{n, label}]
	if len(rest) == 0 {
		return first.value, agreed, nil
	}
	all := append([]rating{first}, rest...)
	votes := map[uint32]int{}
	for _, r := range slices.Backward(all) {
		if r.settles {
			return r.value, agreed, nil
		}
		votes[r.value]++
	}
	most := slices.Max(slices.Collect(maps.Values(votes)))
	for _, r := range all {
		if votes[r.value] == most && !slices.Contains(could, r.value) {
			could = append(could, r.value)
		}
	}
	if len(could) == 1 {
		return could[0], agreed, nil
	}
	return could[0], tied, could
}
