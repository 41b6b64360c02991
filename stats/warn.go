package stats

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// warnings lists what a reader of the card must know with it.
func (t *Tally) warnings(c Card, n counted, o Options) []string {
	var w []string
	say := func(format string, args ...any) { w = append(w, fmt.Sprintf(format, args...)) }
	if !o.ProbabilitySample {
		say("not a probability sample: the interval covers chance in drawing the items, not how they were collected")
	}
	if c.Numerator == 0 && t.values.number[t.positive.Value] == 0 {
		say("no row has %s; is the value spelt as in the table? (%s)", t.positive, t.known())
	}
	if other := t.spellings(); n.numerator > 0 && len(other) > 0 {
		say("%s is in the table too: other letters than in %s, so not counted as it", strings.Join(other, ", "), t.positive)
	}
	if n.unlabelled > 0 {
		say("%d items without the label %s are not in the denominator", n.unlabelled, t.positive.Label)
	}
	if n.ties > 0 {
		say("%d items on which annotators tie, not adjudicated: the label given first stands; were every tie settled the other way, the numerator would lie between %d and %d", n.ties, n.numerator+n.low[0], n.numerator+n.high[0])
	}
	if t.repeated > 0 {
		say("%d rows say again what the same annotator said of the same item; counted once", t.repeated)
	}
	if t.contradicted > 0 {
		say("%d rows contradict an earlier row and are not counted", t.contradicted)
	}
	if o.Refused > 0 {
		say("%d rows could not be read and are not counted", o.Refused)
	}
	a := c.Agreement
	switch {
	case a.DoublyLabelled == 0:
		say("no item was labelled twice: how far annotators agree is not known")
	case a.Kappa == nil && a.Alpha == nil:
		say("all labels of the doubly labelled items are the same: agreement beyond chance is not defined")
	case a.Kappa == nil:
		say("the items were not all labelled the same number of times: kappa is not defined, see Krippendorff's alpha")
	}
	if k := a.Kappa; k != nil && *k < Unreliable || k == nil && a.Alpha != nil && *a.Alpha < Unreliable {
		say("unreliable: agreement between annotators is below %.1f", Unreliable)
	}
	if machine := t.machines(); len(machine) > 0 && o.Classifier == nil {
		say("labelled by %s, with no sensitivity and specificity given: the share is not corrected for its errors", strings.Join(machine, ", "))
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
