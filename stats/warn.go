package stats

import (
	"fmt"
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
	if c.Numerator == 0 && t.values.number[t.positive.Value] == 0 {
		say("no_row", t.positive, t.known())
	}
	if other := t.spellings(); n.numerator > 0 && len(other) > 0 {
		say("spelling", strings.Join(other, ", "), t.positive)
	}
	if n.unlabelled > 0 {
		say("unlabelled", n.unlabelled, t.positive.Label)
	}
	if n.ties > 0 {
		say("tied", n.ties, n.low[0], n.low[1], n.high[0], n.high[1])
	}
	if n.adjudicated > 0 {
		say("adjudicated", n.adjudicated)
	}
	if t.repeated > 0 {
		say("repeated", t.repeated)
	}
	if t.contradicted > 0 {
		say("contradicted", t.contradicted)
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

// spellings lists the values of the table that differ from the one counted in
// nothing but small and capital letters.
func (t *Tally) spellings() []string {
	var out []string
	for _, v := range t.values.list {
		if v != t.positive.Value && strings.EqualFold(v, t.positive.Value) {
			out = append(out, strconv.Quote(v))
		}
	}
	return out
}

// machines lists the methods that are neither a human nor an adjudication; a
// method that is not given is not counted as one.
func (t *Tally) machines() []string {
	var out []string
	for _, m := range slices.Sorted(slices.Values(t.methods.list)) {
		if m != "" && m != MethodAdjudication && !strings.HasPrefix(strings.ToLower(m), "human") {
			out = append(out, m)
		}
	}
	return out
}
