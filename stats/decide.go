package stats

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// mainTimes is how many times as many items the annotator whose label stands in a
// tie must have labelled as each of those who say otherwise. Our choice: it tells
// who labelled the sample from who labelled a part of it again, to measure
// agreement. To leave out what those two disagree on would leave out items of that
// part alone, by what they are.
const mainTimes = 2

// settled is how an item came to its value.
type settled int

const (
	unlabelled settled = iota
	agreed             // by all, by most, or by adjudication
	leaning            // tied, and the label of the main annotator stands
	undecided          // tied, or contradicted by each who labelled it
)

// decide says from its ratings what an item is: what most adjudicators said if
// there is one, else what most annotators said, where nobody who contradicted
// herself has a say. In a tie of annotators the label of the main one stands, who
// labelled mainTimes as many items as any who says otherwise; any other tie is
// undecided. could is appended to, and says which values a tie leaves possible.
// Nothing of it depends on the order of the ratings but that of could.
func (t *Tally) decide(all []rating, label int, could []uint32) (uint32, settled, []uint32) {
	switch len(all) {
	case 0:
		return 0, unlabelled, nil
	case 1:
		return all[0].value(), agreed, nil
	}
	judged := slices.ContainsFunc(all, rating.settles)
	most := 0
	for i, r := range all {
		if r.settles() != judged || contradicts(all, r) || slices.ContainsFunc(all[:i], func(x rating) bool {
			return x.settles() == judged && x.value() == r.value() && !contradicts(all, x)
		}) {
			continue
		}
		votes := 0
		for _, x := range all[i:] {
			if x.settles() == judged && x.value() == r.value() && !contradicts(all, x) {
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
	switch {
	case len(could) == 1:
		return could[0], agreed, nil
	case most == 0: // all contradicted themselves
		for _, r := range all {
			if r.settles() == judged && !slices.Contains(could, r.value()) {
				could = append(could, r.value())
			}
		}
		return 0, undecided, could
	case judged:
		return 0, undecided, could
	}
	best, value, second := -1, uint32(0), -1
	for _, v := range could {
		weight := 0
		for _, r := range all {
			if r.value() == v && !contradicts(all, r) {
				weight = max(weight, t.said[label][r.annotator-1])
			}
		}
		switch {
		case weight > best:
			best, value, second = weight, v, best
		case weight > second:
			second = weight
		}
	}
	if best >= mainTimes*second {
		return value, leaning, could
	}
	return 0, undecided, could
}

// verdict is what an item's ratings say of one condition.
type verdict struct {
	labelled bool
	yes      bool // as it is decided
	doubt    bool // a tie could make it so, or not so
	open     bool // nothing decides the tie
}

// verdict decides whether an item's label has a value, by its number; 0 is one
// that the table has not.
func (t *Tally) verdict(all []rating, label int, value uint32, room []uint32) verdict {
	is, how, could := t.decide(all, label, room)
	switch how {
	case unlabelled:
		return verdict{}
	case agreed:
		return verdict{labelled: true, yes: is == value}
	}
	doubt := slices.Contains(could, value)
	return verdict{labelled: true, yes: how == leaning && is == value, doubt: doubt, open: doubt && how == undecided}
}

// contradicts says whether who gave a rating gave another value as well.
func contradicts(all []rating, r rating) bool {
	return slices.ContainsFunc(all, func(x rating) bool { return x.by(r) && x.worth != r.worth })
}

// adjudications are the words that begin or end a method, or an annotator's name,
// and say that the label settles what others disagree on.
var adjudications = []string{"adjudication", "adjudicated", "adjudicator", "adjudicators", "arbitration", "arbitrated", "arbitrator", "arbitrage", "arbitre"}

// adjudicates says whether a method, or the name of an annotator, is that of an
// adjudication: "adjudication", "human adjudication", "Adjudicator 2", "arbitrage";
// not "before adjudication".
func adjudicates(s string) bool {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) })
	if len(words) == 0 {
		return false
	}
	for _, w := range words {
		switch w {
		case "no", "not", "non", "without", "before", "pre", "sans", "avant", "pending":
			return false
		}
	}
	return slices.Contains(adjudications, words[0]) || slices.Contains(adjudications, words[len(words)-1])
}

// people are the words with which a method begins that is no machine's.
var people = []string{"human", "humain", "manual", "manuel"}

// byPerson says whether a method is a person's; one that is not given is.
func byPerson(method string) bool {
	m := strings.ToLower(strings.TrimSpace(method))
	return m == "" || adjudicates(m) || slices.ContainsFunc(people, func(p string) bool { return strings.HasPrefix(m, p) })
}

// ascii says whether a text has no accents.
func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
