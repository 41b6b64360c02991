package law

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rempart"
)

// A Condition is a question to the facts. Exactly one of All, Any, Not and
// Fact is set: all of them hold, one of them holds, it does not hold, or the
// fact has one of the words of In.
//
// It maps one to one on an expression language, should the rules outgrow it:
// All is &&, Any is ||, Not is !, and a fact is `facts.origin in ["montage"]`.
type Condition struct {
	All  []Condition `json:"all,omitempty"`
	Any  []Condition `json:"any,omitempty"`
	Not  *Condition  `json:"not,omitempty"`
	Fact string      `json:"fact,omitempty"` // JSON name of a field of [rempart.Facts]
	In   []string    `json:"in,omitempty"`   // its words; "true" and "false" for the facts that are yes or no

	// Because is the sentence to say when the condition holds; that of a group
	// replaces those of its parts. "{value}" stands for the words of the pack
	// for the fact's value. A condition nobody reads aloud has none.
	Because rempart.Text `json:"because,omitzero"`
}

// flags are the facts that are yes or no.
var flags = []string{"online", "repetition", "multiple_authors"}

// word returns the word of f's fact called name; f is filled. It is "" for a
// name that is no fact, which no condition of a loaded pack has.
func word(f rempart.Facts, name string) string {
	switch name {
	case "sexual":
		return string(f.Sexual)
	case "depicts":
		return string(f.Depicts)
	case "age_class":
		return string(f.AgeClass)
	case "origin":
		return string(f.Origin)
	case "capture_consent":
		return string(f.CaptureConsent)
	case "diffusion_consent":
		return string(f.DiffusionConsent)
	case "disclosed_as_fake":
		return string(f.DisclosedAsFake)
	case "communication":
		return string(f.Communication)
	case "threat":
		return string(f.Threat)
	case "author_relation":
		return string(f.AuthorRelation)
	case "aggravation":
		return string(f.Aggravation)
	case "online":
		return strconv.FormatBool(f.Online)
	case "repetition":
		return strconv.FormatBool(f.Repetition)
	case "multiple_authors":
		return strconv.FormatBool(f.MultipleAuthors)
	}
	return ""
}

// A Vocabulary is what a pack calls the words of the facts in a sentence, by
// fact and word.
type Vocabulary map[string]map[string]rempart.Text

// holds tells whether f, filled, meets c, and the sentences that say why.
func (c Condition) holds(f rempart.Facts, v Vocabulary) (bool, []rempart.Text) {
	var because []rempart.Text
	switch {
	case len(c.All) > 0:
		for _, part := range c.All {
			ok, b := part.holds(f, v)
			if !ok {
				return false, nil
			}
			because = append(because, b...)
		}
	case len(c.Any) > 0:
		found := false
		for _, part := range c.Any {
			if ok, b := part.holds(f, v); ok {
				found = true
				because = append(because, b...)
			}
		}
		if !found {
			return false, nil
		}
	case c.Not != nil:
		if ok, _ := c.Not.holds(f, v); ok {
			return false, nil
		}
	default:
		value := word(f, c.Fact)
		if !slices.Contains(c.In, value) {
			return false, nil
		}
		if c.Because != (rempart.Text{}) {
			return true, []rempart.Text{fillIn(c.Because, v[c.Fact][value])}
		}
		return true, nil
	}
	if c.Because != (rempart.Text{}) {
		return true, []rempart.Text{c.Because}
	}
	return true, because
}

// fillIn puts value in the place kept for it.
func fillIn(t, value rempart.Text) rempart.Text {
	return rempart.Text{
		FR: strings.ReplaceAll(t.FR, "{value}", value.FR),
		EN: strings.ReplaceAll(t.EN, "{value}", value.EN),
	}
}

// check returns what makes c unusable: no question or several, an unknown
// fact or word, a sentence in one language only, no sentence at all where
// aloud asks for one, or a value that the vocabulary has no words for.
func (c Condition) check(v Vocabulary, aloud bool) error {
	kinds := 0
	for _, set := range []bool{len(c.All) > 0, len(c.Any) > 0, c.Not != nil, c.Fact != ""} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		return fmt.Errorf("a condition has exactly one of all, any, not and fact, this one has %d", kinds)
	}
	spoken := c.Because != (rempart.Text{})
	if spoken {
		if err := checkText(c.Because); err != nil {
			return fmt.Errorf("because: %w", err)
		}
	}
	if c.Fact != "" {
		return c.checkFact(v, aloud)
	}
	if len(c.In) > 0 {
		return fmt.Errorf("only a condition on a fact has words")
	}
	if c.Not != nil {
		if aloud && !spoken {
			return fmt.Errorf("not: no sentence says why")
		}
		return c.Not.check(v, false)
	}
	for _, part := range slices.Concat(c.All, c.Any) {
		if err := part.check(v, aloud && !spoken); err != nil {
			return err
		}
	}
	return nil
}

func (c Condition) checkFact(v Vocabulary, aloud bool) error {
	values, ok := rempart.FactValues[c.Fact]
	if slices.Contains(flags, c.Fact) {
		values, ok = []string{"true", "false"}, true
	}
	if !ok {
		return fmt.Errorf("%q is not a fact", c.Fact)
	}
	if len(c.In) == 0 {
		return fmt.Errorf("%s: no words", c.Fact)
	}
	for _, w := range c.In {
		if !slices.Contains(values, w) {
			return fmt.Errorf("%q is not a word of %s; the words are %v", w, c.Fact, values)
		}
		if strings.Contains(c.Because.FR+c.Because.EN, "{value}") && v[c.Fact][w] == (rempart.Text{}) {
			return fmt.Errorf("%s: the vocabulary has no words for %q", c.Fact, w)
		}
	}
	if aloud && c.Because == (rempart.Text{}) {
		return fmt.Errorf("%s: no sentence says why", c.Fact)
	}
	return nil
}
