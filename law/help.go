package law

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"rempart"
)

// A HelpLine is somewhere a person can turn to at once.
type HelpLine struct {
	Number    string       `json:"number"`        // as people read it: "116 006", or a name when there is no number
	Tel       []string     `json:"tel"`           // each number of Number, as a phone dials it
	URL       string       `json:"url,omitempty"` // "" when there is none
	Label     rempart.Text `json:"label"`
	For       rempart.Text `json:"for"`
	Source    string       `json:"source"`
	ForMinors bool         `json:"for_minors"` // shown to someone under 18
}

// Help returns the French help lines, the most urgent first. Opening hours are
// given only where a source gives them.
func Help() []HelpLine { return slices.Clone(help()) }

var help = sync.OnceValue(func() []HelpLine {
	b, err := embedded.ReadFile("data/help-fr.json")
	if err != nil {
		panic("law: reading the help lines: " + err.Error())
	}
	lines, err := readHelp(b)
	if err != nil {
		panic("law: help lines: " + err.Error())
	}
	return lines
})

func readHelp(b []byte) ([]HelpLine, error) {
	var lines []HelpLine
	if err := decode(b, &lines); err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, errors.New("there are none")
	}
	for _, l := range lines {
		if l.Number == "" || len(l.Tel) == 0 && l.URL == "" {
			return nil, fmt.Errorf("%q: nothing to dial or open", l.Number)
		}
		if err := errors.Join(checkText(l.Label), checkText(l.For), checkSource(l.Source)); err != nil {
			return nil, fmt.Errorf("%s: %w", l.Number, err)
		}
	}
	return lines, nil
}
