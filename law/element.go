package law

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rempart"
)

// An Element is one thing that a rule asks of the facts, with what to say when it
// holds and when nobody has said. It has an If or an Or, not both.
type Element struct {
	If   Expr      `json:"if,omitzero"`
	Or   []Element `json:"or,omitempty"`   // one of them is enough; those that hold are all said
	From string    `json:"from,omitempty"` // since when the text asks or counts this, YYYY-MM-DD; empty: as the article
	Key  bool      `json:"key,omitempty"`  // without it, nothing else of the rule is worth a question

	// Because is said when the element holds; of an Or it replaces what its
	// parts say. "{origin}" and the like stand for the pack's words for the
	// value of that fact.
	Because rempart.Text `json:"because,omitzero"`
	// Open is said when nobody has said the fact. The offence is then proposed
	// all the same, with this left to be established. Without Open it is not
	// proposed, and the fact is asked for.
	Open rempart.Text `json:"open,omitzero"`
}

// Elements are all to hold. In JSON they are a list, one expression as a text,
// or a tree of the first format: see [firstFormat].
type Elements []Element

// UnmarshalJSON reads any of the three forms.
func (e *Elements) UnmarshalJSON(b []byte) error {
	switch b = bytes.TrimSpace(b); {
	case len(b) == 0:
		return errors.New("nothing is asked")
	case b[0] == '"':
		var one Expr
		err := one.UnmarshalJSON(b)
		*e = Elements{{If: one}}
		return err
	case b[0] == '{':
		var t firstFormat
		err := decode(b, &t)
		*e = t.elements()
		return err
	}
	return decode(b, (*[]Element)(e))
}

// MarshalJSON writes one expression without a sentence as a text.
func (e Elements) MarshalJSON() ([]byte, error) {
	if len(e) == 1 && e[0].Or == nil && e[0].From == "" && !e[0].Key && e[0].Because == (rempart.Text{}) && e[0].Open == (rempart.Text{}) {
		return json.Marshal(e[0].If)
	}
	return json.Marshal([]Element(e))
}

// holds answers one element. because says why it holds, facts which ones nobody
// has said.
func (e Element) holds(v view, words Vocabulary) (is truth, because []rempart.Text, facts []string) {
	if e.From != "" && v.day < e.From {
		return no, nil, nil
	}
	if e.Or == nil {
		is, facts = v.ask(e.If)
	}
	for _, part := range e.Or {
		t, b, f := part.holds(v, words)
		is = max(is, t)
		because, facts = append(because, b...), append(facts, f...)
	}
	switch {
	case is != yes:
		because = nil
	case e.Because != (rempart.Text{}):
		because = []rempart.Text{fillIn(e.Because, v.facts, words)}
	}
	if is != unknown {
		facts = nil
	}
	return is, because, facts
}

// A finding is what elements make of the facts.
type finding struct {
	is      truth          // yes also when all that is unknown is left open
	because []rempart.Text // why, in the order of the elements
	open    []rempart.Text // what is left to be established as nobody has said it
	ask     []string       // facts that nobody has said
	bar     []string       // those of them without which it stays unknown
	known   bool           // an element holds for sure, and so do all that are key
}

// find answers all elements together.
func (e Elements) find(v view, words Vocabulary) finding {
	r := finding{is: yes}
	keys, heard := true, false
	for _, el := range e {
		is, because, facts := el.holds(v, words)
		switch {
		case is == no:
			return finding{}
		case is == yes:
			heard = true
			r.because = append(r.because, because...)
		case el.Open == (rempart.Text{}):
			r.is = unknown
			r.bar = append(r.bar, facts...)
			fallthrough
		default:
			keys = keys && !el.Key
			r.ask = append(r.ask, facts...)
			if el.Open != (rempart.Text{}) {
				r.open = append(r.open, el.Open)
			}
		}
	}
	r.known = heard && keys
	return r
}

// fillIn puts the pack's words for the facts in the places kept for them.
func fillIn(t rempart.Text, f rempart.Facts, words Vocabulary) rempart.Text {
	if !strings.Contains(t.FR+t.EN, "{") {
		return t
	}
	for name := range rempart.FactValues {
		word := f.Word(name)
		if word == "" {
			word = string(rempart.OriginUnknown)
		}
		value := words[name][word]
		t.FR = strings.ReplaceAll(t.FR, "{"+name+"}", value.FR)
		t.EN = strings.ReplaceAll(t.EN, "{"+name+"}", value.EN)
	}
	return t
}

// A Vocabulary is what a pack calls the words of the facts in a sentence, by
// fact and word.
type Vocabulary map[string]map[string]rempart.Text

func (v Vocabulary) check() error {
	for fact, words := range v {
		for w, t := range words {
			if !slices.Contains(rempart.FactValues[fact], w) {
				return fmt.Errorf("words: %q is not a word of %s", w, fact)
			}
			if err := checkText(t); err != nil {
				return fmt.Errorf("words of %s, %s: %w", fact, w, err)
			}
		}
	}
	return nil
}

// check returns what makes the elements unusable: nothing asked, an expression
// that does not compile, a sentence in one language only, none at all where aloud
// asks for one, or a place that no value of the pack can fill.
func (e Elements) check(v Vocabulary, aloud bool) error {
	if len(e) == 0 {
		return errors.New("nothing is asked")
	}
	for _, el := range e {
		if err := el.check(v, aloud); err != nil {
			return err
		}
	}
	return nil
}

func (e Element) check(v Vocabulary, aloud bool) error {
	if (e.If.Src == "") == (e.Or == nil) {
		return errors.New("an element has an if or an or, and not both")
	}
	for _, t := range []rempart.Text{e.Because, e.Open} {
		if t == (rempart.Text{}) {
			continue
		}
		if err := checkText(t); err != nil {
			return fmt.Errorf("%s: %w", e.If.Src, err)
		}
	}
	if e.From != "" {
		if err := checkDate(e.From); err != nil {
			return fmt.Errorf("from: %w", err)
		}
	}
	spoken := e.Because != (rempart.Text{})
	if e.Or != nil {
		for _, part := range e.Or {
			if err := part.check(v, aloud && !spoken); err != nil {
				return err
			}
		}
		return nil
	}
	if e.If.err != nil {
		return e.If.err
	}
	if aloud && !spoken {
		return fmt.Errorf("%s: no sentence says why", e.If.Src)
	}
	return e.checkPlaces(v)
}

// checkPlaces wants words of the pack for every value that the expression lets
// through, of each fact that the sentence names.
func (e Element) checkPlaces(v Vocabulary) error {
	for name, values := range rempart.FactValues {
		if !strings.Contains(e.Because.FR+e.Because.EN, "{"+name+"}") {
			continue
		}
		for _, w := range values {
			if !strings.Contains(e.If.Src, "'"+w+"'") {
				continue
			}
			if v[name][w] == (rempart.Text{}) {
				return fmt.Errorf("%s: the vocabulary has no words for %q", name, w)
			}
		}
	}
	return nil
}
