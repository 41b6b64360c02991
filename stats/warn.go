package stats

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// warnings lists what a reader of the card must know with it.
func (t *Tally) warnings(c Card, n counted, o Options) []Warning {
	var w []Warning
	say := func(code string, args ...any) { w = append(w, warn(code, args...)) }
	if !o.ProbabilitySample {
		say("not_probability")
	}
	if c.Denominator == 0 {
		say("empty")
	}
	if c.Numerator == 0 && t.values.number[t.positive.Value] == 0 {
		say("no_row", t.positive, t.known())
	}
	if other := t.spellings(t.positive); len(other) > 0 {
		say("spelling", strings.Join(other, ", "), t.positive)
	}
	if t.among != nil {
		if other := t.spellings(*t.among); len(other) > 0 {
			say("spelling", strings.Join(other, ", "), t.among)
		}
	}
	if len(t.spelt) > 0 {
		say("label_spelling", strings.Join(slices.Sorted(maps.Keys(t.spelt)), ", "))
	}
	if n.unlabelled > 0 {
		say("unlabelled", n.unlabelled, t.positive.Label)
	}
	if n.ties > 0 {
		say("undecided", n.ties, n.undecided, n.leaning, mainTimes, n.low[0], n.low[1], n.high[0], n.high[1])
	}
	if n.torn > 0 {
		say("two_addresses", n.torn)
	}
	if n.scattered > 0 {
		say("several_surfaces", n.scattered)
	}
	if n.adjudicated > 0 {
		say("adjudicated", n.adjudicated)
	}
	if t.repeated > 0 {
		say("repeated", t.repeated)
	}
	if t.contradicted > 0 {
		say("contradictory", t.contradicted)
	}
	if o.Refused > 0 {
		say("refused", o.Refused)
	}
	a := c.Agreement
	switch {
	case a.DoublyLabelled == 0:
		say("agreement_unknown")
	case a.Kappa == nil && a.Alpha == nil:
		say("agreement_undefined")
	case a.Kappa == nil:
		say("kappa_undefined")
	}
	if k := a.Kappa; k != nil && *k < Unreliable || k == nil && a.Alpha != nil && *a.Alpha < Unreliable {
		say("unreliable", fmt.Sprintf("%.1f", Unreliable))
	}
	if machine := t.machines(); len(machine) > 0 && o.Classifier == nil {
		say("machine", strings.Join(machine, ", "))
	}
	return w
}

// spellings lists the values of the table that differ from the one of a condition,
// which the table has too, in nothing but small and capital letters.
func (t *Tally) spellings(c Condition) []string {
	if t.values.number[c.Value] == 0 {
		return nil
	}
	var out []string
	for _, v := range t.values.list {
		asked := v == t.positive.Value || t.among != nil && v == t.among.Value
		if !asked && strings.EqualFold(v, c.Value) {
			out = append(out, strconv.Quote(v))
		}
	}
	slices.Sort(out)
	return out
}

// machines lists the methods of the positive label that are no person's.
func (t *Tally) machines() []string {
	var out []string
	for i, m := range t.methods.list {
		if t.ways[i].counted && !byPerson(m) {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return out
}
