package rempart

import (
	"slices"
	"strings"
	"time"
)

// FlaggerStatus is what the list of trusted flaggers says of an entity.
type FlaggerStatus string

// Statuses of a trusted flagger.
const (
	FlaggerActive    FlaggerStatus = "active"
	FlaggerSuspended FlaggerStatus = "suspended" // under investigation (DSA article 22(6))
	FlaggerRevoked   FlaggerStatus = "revoked"   // article 22(7)
)

// A Flagger is an entity that a Digital Services Coordinator designated as a
// trusted flagger (DSA article 22), as a list with its source says it. Days are
// YYYY-MM-DD.
type Flagger struct {
	ID         string        `json:"id"`
	Name       string        `json:"name"`
	Country    string        `json:"country"`    // of the coordinator: two letters
	Expertise  string        `json:"expertise"`  // the area, in the list's words
	Categories []string      `json:"categories"` // the same as categories of Regulation (EU) 2024/2835, such as "3" or "9b": the operator's reading
	Status     FlaggerStatus `json:"status"`
	From       string        `json:"from"`            // first day of the designation
	Until      string        `json:"until,omitempty"` // last day; "" has no end
	Source     string        `json:"source"`
	SourceDate string        `json:"source_date"`
}

// Why a notice of an entity has no priority.
const (
	FlaggerCovers    = ""          // it has
	FlaggerNotNow    = "dates"     // not yet, or no longer designated
	FlaggerStopped   = "status"    // suspended or revoked
	FlaggerOtherArea = "expertise" // the notice is outside its area
)

// Covers tells whether a notice of the entity has priority: within its area only
// (DSA article 22(1)), while it is designated. It returns FlaggerCovers, or why
// not.
func (f Flagger) Covers(n Notice, at time.Time) string {
	today := at.UTC().Format(time.DateOnly)
	category := CategoryFor(n.Category, n.Minor)
	switch {
	case f.Status != FlaggerActive:
		return FlaggerStopped
	case today < f.From || f.Until != "" && today > f.Until:
		return FlaggerNotNow
	case category == "" || !slices.ContainsFunc(f.Categories, func(c string) bool { return strings.HasPrefix(category, c) && !isDigit(category[len(c):]) }):
		return FlaggerOtherArea
	}
	return FlaggerCovers
}

// isDigit tells whether s begins with a digit: "1" is not the beginning of "17".
func isDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// Check returns what is wrong with an entry, a problem for each field.
func (f Flagger) Check() error {
	var p Problems
	for _, x := range []struct{ field, text string }{{"id", f.ID}, {"name", f.Name}, {"expertise", f.Expertise}, {"source", f.Source}} {
		if strings.TrimSpace(x.text) == "" {
			p.add(x.field, "flagger.empty", "Give this: an entry without it is not taken.")
		}
	}
	if !slices.Contains([]FlaggerStatus{FlaggerActive, FlaggerSuspended, FlaggerRevoked}, f.Status) {
		p.add("status", "flagger.status", "The status is active, suspended or revoked.")
	}
	if !isDay(f.From) || !isDay(f.SourceDate) || f.Until != "" && (!isDay(f.Until) || f.Until < f.From) {
		p.add("from", "flagger.days", "Days are written YYYY-MM-DD, and the last is not before the first.")
	}
	if len(f.Categories) == 0 || slices.Contains(f.Categories, "") {
		p.add("categories", "flagger.categories", "Name at least one category, such as 3 or 9b.")
	}
	return p.err()
}
