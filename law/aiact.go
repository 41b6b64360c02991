package law

import (
	"encoding/json"
	"sync"
	"time"

	"rempart"
)

// A Checklist is the AI Act's prohibition of nudification as dated questions
// about a service: article 5(1)(ba), (bb) and (1a). An answer is a fact that
// somebody established; no qualification follows from it here.
type Checklist struct {
	Title       rempart.Text    `json:"title"`
	AppliesFrom string          `json:"applies_from"` // YYYY-MM-DD
	TextDate    string          `json:"text_date"`    // of the text that it was read from
	Verified    bool            `json:"verified"`     // false: never shown to the public as a fact
	Source      string          `json:"source"`
	Caveat      rempart.Text    `json:"caveat"`
	Lines       []ChecklistLine `json:"lines"`
}

// A ChecklistLine is one question.
type ChecklistLine struct {
	ID       string       `json:"id"`
	Article  string       `json:"article"`
	Question rempart.Text `json:"question"`
}

// Applies tells whether the prohibition applies on the day of a moment.
func (c Checklist) Applies(at time.Time) bool {
	return at.UTC().Format(time.DateOnly) >= c.AppliesFrom
}

// AIAct returns the checklist.
var AIAct = sync.OnceValue(func() Checklist {
	var c Checklist
	b, err := embedded.ReadFile("data/ai-act-2026-11-22.json")
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || len(c.Lines) == 0 {
		panic("law: the checklist of the AI Act cannot be read") // an embedded file is broken, which the tests rule out
	}
	return c
})
