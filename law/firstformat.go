package law

import (
	"fmt"
	"slices"
	"strings"

	"rempart"
)

// firstFormat is a condition as the packs before fr-2026-04-02.2 write it: a tree
// of which exactly one of All, Any, Not and Fact is set. It is read as the CEL
// that means the same. In those packs what nobody had said counted as a word:
// see [fillFirst].
type firstFormat struct {
	All     []firstFormat `json:"all,omitempty"`
	Any     []firstFormat `json:"any,omitempty"`
	Not     *firstFormat  `json:"not,omitempty"`
	Fact    string        `json:"fact,omitempty"`
	In      []string      `json:"in,omitempty"` // words of Fact
	Because rempart.Text  `json:"because,omitzero"`
}

// elements returns the parts of an All as elements of their own.
func (t firstFormat) elements() Elements {
	if len(t.All) == 0 || t.Because != (rempart.Text{}) {
		return Elements{t.element()}
	}
	var out Elements
	for _, part := range t.All {
		out = append(out, part.elements()...)
	}
	return out
}

func (t firstFormat) element() Element {
	e := Element{Because: t.Because}
	if len(t.Any) > 0 && t.Because == (rempart.Text{}) {
		for _, part := range t.Any {
			e.Or = append(e.Or, part.element())
		}
		return e
	}
	e.If = compile(t.src(), true)
	e.Because.FR = strings.ReplaceAll(e.Because.FR, "{value}", "{"+t.Fact+"}")
	e.Because.EN = strings.ReplaceAll(e.Because.EN, "{value}", "{"+t.Fact+"}")
	return e
}

// src writes the tree in CEL.
func (t firstFormat) src() string {
	switch {
	case len(t.All) > 0:
		return join(t.All, " && ")
	case len(t.Any) > 0:
		return join(t.Any, " || ")
	case t.Not != nil:
		return "!(" + t.Not.src() + ")"
	case isFlag(t.Fact):
		if slices.Equal(t.In, []string{"true"}) {
			return t.Fact
		}
		return "!" + t.Fact
	}
	words := make([]string, len(t.In))
	for k, w := range t.In {
		words[k] = fmt.Sprintf("'%s'", w)
	}
	return t.Fact + " in [" + strings.Join(words, ", ") + "]"
}

func join(parts []firstFormat, with string) string {
	out := make([]string, len(parts))
	for k, p := range parts {
		out[k] = "(" + p.src() + ")"
	}
	return strings.Join(out, with)
}

// fillFirst gives what nobody has said the word that it had for packs of the
// first format.
func fillFirst(f rempart.Facts) rempart.Facts {
	for name, word := range map[string]string{
		"sexual": "none", "depicts": "unidentified", "disclosed_as_fake": "no", "communication": "none", "threat": "none",
		"aggravation": "none", "online": "false", "repetition": "false", "multiple_authors": "false",
	} {
		if f.Word(name) == "" {
			f.Say(name, word)
		}
	}
	f.Fill()
	return f
}
