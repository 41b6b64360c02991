package rempart

import (
	"strings"
	"time"
	"unicode/utf8"
)

// MaxHandOverNote is the longest note of a hand-over, in runes.
const MaxHandOverNote = 500

// An Assignment says who works on a case. It bars nobody: it tells the others.
type Assignment struct {
	StaffID string    `json:"staff_id"`
	Alias   Actor     `json:"alias"`
	Since   time.Time `json:"since"`
	By      Actor     `json:"by"`             // who assigned it, herself when she took it
	Note    string    `json:"note,omitempty"` // what the one before wrote to her
}

// Take assigns the case to a member who asks for it. A case that somebody else
// has is handed over, not taken.
func (c *Case) Take(m Staff, at time.Time) error {
	if err := c.assignable(); err != nil {
		return err
	}
	if c.Assigned != nil {
		if c.Assigned.StaffID == m.ID {
			return nil
		}
		return &Error{Kind: Conflict, Code: "case.assigned", Args: []any{string(c.Assigned.Alias)},
			Public: "This case is with " + string(c.Assigned.Alias) + ". Ask for it to be handed over, or hand it over yourself with a note."}
	}
	c.Assigned = &Assignment{StaffID: m.ID, Alias: m.Alias, Since: at, By: m.Alias}
	c.event("case.taken", c.ID, m.Alias, at)
	c.UpdatedAt = at
	return nil
}

// HandOver assigns the case to another member, with a note to her.
func (c *Case) HandOver(to Staff, note string, by Actor, at time.Time) error {
	note = strings.TrimSpace(note)
	switch {
	case c.assignable() != nil:
		return c.assignable()
	case !to.May(RightWork) || !to.DisabledAt.IsZero():
		return &Error{Kind: Invalid, Field: "to", Code: "assign.to", Public: "Choose somebody who works on cases."}
	case note == "":
		return &Error{Kind: Invalid, Field: "reason", Code: "assign.note", Public: "Write in a few words where the case stands, for whoever takes it over."}
	case utf8.RuneCountInString(note) > MaxHandOverNote:
		return &Error{Kind: Invalid, Field: "reason", Code: "assign.long", Args: []any{MaxHandOverNote}, Public: "Write at most " + itoa(MaxHandOverNote) + " characters."}
	case c.Assigned != nil && c.Assigned.StaffID == to.ID:
		return &Error{Kind: Conflict, Code: "assign.same", Public: "This case is with her already."}
	}
	c.Assigned = &Assignment{StaffID: to.ID, Alias: to.Alias, Since: at, By: by, Note: note}
	c.event("case.handed_over", c.ID, by, at, "to", string(to.Alias))
	c.UpdatedAt = at
	return nil
}

// GiveBack leaves the case to whoever takes it next.
func (c *Case) GiveBack(by Actor, at time.Time) error {
	if c.Assigned == nil {
		return nil
	}
	c.event("case.given_back", c.ID, by, at, "from", string(c.Assigned.Alias))
	c.Assigned, c.UpdatedAt = nil, at
	return nil
}

func (c *Case) assignable() error {
	if c.State == CaseClosed {
		return conflict("assign.closed", "This case is closed. Reopen it first.")
	}
	return nil
}

// Late tells whether a clock of the case that still waits has passed its end.
func (c *Case) Late() bool {
	for i := range c.Clocks {
		if k := &c.Clocks[i]; k.Live() && (k.State == ClockMissed || k.State == ClockEscalated) {
			return true
		}
	}
	return false
}
