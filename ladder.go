package rempart

import "slices"

// RungKind is what is done about a notice that was not answered as asked.
type RungKind string

// Kinds of rung, in the order of a ladder. Only a reminder goes out by itself;
// the others speak for the association, so somebody reads them first.
const (
	RungReminder    RungKind = "reminder"      // the platform is asked again
	RungSecond      RungKind = "second_notice" // a notice that cites the first
	RungComplaint   RungKind = "complaint"     // DSA art. 20: against a decision
	RungBody        RungKind = "out_of_court"  // art. 21: a body for settling disputes out of court
	RungCoordinator RungKind = "coordinator"   // the Digital Services Coordinator
)

// RungKinds lists every kind.
var RungKinds = []RungKind{RungReminder, RungSecond, RungComplaint, RungBody, RungCoordinator}

// Task is what a human is asked to do for a rung.
func (k RungKind) Task() TaskKind {
	switch k {
	case RungReminder:
		return TaskRemind
	case RungSecond:
		return TaskInsist
	case RungComplaint:
		return TaskComplain
	case RungBody:
		return TaskBody
	}
	return TaskEscalate
}

// A LadderStep is one step of a ladder, as the operator can edit it. No text
// gives a number for any of them: the delays are the association's.
type LadderStep struct {
	ID       string   `json:"id"` // "reminder-1"
	Kind     RungKind `json:"kind"`
	After    Span     `json:"after,omitzero"` // how long after the step before; the first one follows at once when the platform is late
	Off      bool     `json:"off,omitempty"`
	Source   string   `json:"source"`             // the text that it rests on
	Verified bool     `json:"verified,omitempty"` // the text was read at its source
}

// fits tells whether a step makes sense for what a clock waits for: one cannot
// complain against silence, nor remind of what was decided. exempt is a platform
// that owes no handling of complaints, as a micro or small enterprise (art. 19).
func (s LadderStep) fits(a Await, exempt bool) bool {
	switch s.Kind {
	case RungReminder, RungSecond:
		return !s.Off && a != AwaitRedress
	case RungComplaint, RungBody:
		return !s.Off && a == AwaitRedress && !exempt
	}
	return !s.Off
}

// Steps returns the steps of a ladder that fit what is waited for, in order.
func Steps(ladder []LadderStep, a Await, exempt bool) []LadderStep {
	return slices.DeleteFunc(slices.Clone(ladder), func(s LadderStep) bool { return !s.fits(a, exempt) })
}

// checkLadder names what is wrong with the ladder of a policy.
func (p *ClockPolicy) checkLadder(out *Problems) {
	seen := map[string]bool{}
	last := -1
	for _, s := range p.Ladder {
		at := slices.Index(RungKinds, s.Kind)
		switch {
		case s.ID == "" || seen[s.ID] || at < last:
			out.add("ladder", "policy.ladder", "The steps after a notice are in another order than the law gives them, or one is there twice.")
		case s.After.IsZero() && s.ID != p.Ladder[0].ID:
			out.add(s.ID, "policy.after", "Give how long after the step before this one follows.")
		}
		seen[s.ID], last = true, max(at, last)
	}
}
