package law

import (
	"encoding/json"
	"fmt"

	"rempart"
)

// ladderFile is the newest table of the steps after a notice. A released one is
// never edited: a change is a new file, named after its day.
const ladderFile = "ladder-eu-2026-11-22"

// DefaultLadder returns the steps after a notice that is not answered as asked,
// as an association finds them before it changes any. Each names the text that
// it rests on; all delays are our own choice, as no text gives one.
func DefaultLadder() []rempart.LadderStep {
	s, err := readLadder(ladderFile)
	if err != nil {
		panic("law: " + err.Error()) // an embedded file is broken, which the tests rule out
	}
	return s
}

func readLadder(name string) ([]rempart.LadderStep, error) {
	b, err := embedded.ReadFile("data/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("default ladder: %w", err)
	}
	var doc struct {
		Version string               `json:"version"`
		Steps   []rempart.LadderStep `json:"steps"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("default ladder %s: %w", name, err)
	}
	if doc.Version != name || len(doc.Steps) == 0 {
		return nil, fmt.Errorf("default ladder %s: it calls itself %q and has %d steps", name, doc.Version, len(doc.Steps))
	}
	for _, s := range doc.Steps {
		if s.Source == "" {
			return nil, fmt.Errorf("default ladder %s: step %s has no source", name, s.ID)
		}
	}
	return doc.Steps, nil
}
