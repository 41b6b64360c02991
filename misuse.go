package rempart

import (
	"strings"
	"time"
)

// Misuse is what a notifier sent in the last twelve months (DSA article 23(2) and
// (3)): absolute numbers, and so their proportion.
type Misuse struct {
	Notices   int
	Decided   int
	Unfounded int // of those decided: a moderator found at least one item manifestly unfounded, and none founded
}

// MisuseSpan is how far back misuse is counted.
const MisuseSpan = 365 * 24 * time.Hour

// Numbers from which a warning is proposed. They are this program's, not the
// law's, which gives none; a person decides.
const (
	MisuseFrom = 5 // manifestly unfounded notices in MisuseSpan
	MisusePart = 2 // and at least one in so many of those decided
)

// Frequent tells whether a warning is proposed.
func (m Misuse) Frequent() bool {
	return m.Unfounded >= MisuseFrom && m.Unfounded*MisusePart >= m.Decided
}

// A NotifierMeasure is what was done about a notifier's misuse: a warning first,
// then a suspension for a stated time.
type NotifierMeasure struct {
	WarnedAt  time.Time `json:"warned_at,omitzero"`
	WarnedBy  Actor     `json:"warned_by,omitempty"`
	Warning   string    `json:"warning,omitempty"`
	Until     time.Time `json:"until,omitzero"` // suspended until then
	Suspended Actor     `json:"suspended_by,omitempty"`
	Reason    string    `json:"reason,omitempty"`
}

// MaxSuspension is how many days a suspension has at most.
const MaxSuspension = 90

// IsSuspended tells whether notices are not taken at a time.
func (m NotifierMeasure) IsSuspended(at time.Time) bool { return at.Before(m.Until) }

// Warn records a warning, with its reason, which the notifier reads.
func (m *NotifierMeasure) Warn(reason string, by Actor, at time.Time) error {
	reason, err := written(reason, "misuse.reason", "Say in a few words why: the notifier reads it.")
	if err != nil {
		return err
	}
	m.WarnedAt, m.WarnedBy, m.Warning = at, by, reason
	return nil
}

// Suspend records a suspension of so many days. It takes a warning before it.
func (m *NotifierMeasure) Suspend(days int, reason string, by Actor, at time.Time) error {
	reason, err := written(reason, "misuse.reason", "Say in a few words why: the notifier reads it.")
	switch {
	case err != nil:
		return err
	case m.WarnedAt.IsZero():
		return conflict("misuse.warning_first", "A warning comes first: warn this notifier, and suspend only if it goes on.")
	case days < 1 || days > MaxSuspension:
		return &Error{Kind: Invalid, Field: "days", Code: "misuse.days", Args: []any{MaxSuspension}, Public: "Say for how many days, from 1 to " + itoa(MaxSuspension) + "."}
	}
	m.Until, m.Suspended, m.Reason = at.AddDate(0, 0, days), by, reason
	return nil
}

// Lift ends a suspension.
func (m *NotifierMeasure) Lift(at time.Time) error {
	if !m.IsSuspended(at) {
		return conflict("misuse.none", "This notifier is not suspended.")
	}
	m.Until = at
	return nil
}

// NotifierName is by what a notifier without a key is counted: the e-mail address
// of the notice, in one spelling; "" if it gave none.
func NotifierName(n Notice) string { return strings.ToLower(strings.TrimSpace(n.Notifier.Email)) }

// Unfounded tells whether a decided notice was manifestly unfounded.
func (i *Intake) Unfounded() bool {
	found := false
	for _, d := range i.Decisions {
		if d.Measure != MeasureRefused {
			return false
		}
		found = found || d.Unfounded
	}
	return found && i.State == IntakeDecided
}
