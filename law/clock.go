package law

import (
	"slices"
	"sync"
	"time"

	"rempart"
)

// A Clock is how long something may take before it is called late.
type Clock struct {
	ID     string
	Label  rempart.Text
	Within time.Duration // 0 when it is counted in months
	Months int           // calendar months
	Policy bool          // our own default, which an operator may change; false: the law's
	Source string
}

// Clocks returns the default clocks of the Digital Services Act, as the newest
// pack of the European Union has them. Those marked Policy are alerts that we
// chose: the law says "without undue delay" and gives no number.
func Clocks() []Clock { return slices.Clone(clocks()) }

var clocks = sync.OnceValue(func() []Clock {
	var out []Clock
	for _, c := range Europe().ClockList {
		d, _ := time.ParseDuration(c.Within) // a pack whose clock cannot be read does not load
		out = append(out, Clock{ID: c.ID, Label: c.Label, Within: d, Months: c.Months, Policy: c.Policy, Source: c.Source})
	}
	return out
})

// clock returns the default clock called id. It panics when the pack has none,
// which the tests rule out.
func clock(id string) Clock {
	for _, c := range clocks() {
		if c.ID == id {
			return c
		}
	}
	panic("law: no clock " + id)
}

// Acknowledgement returns how long after a notice was sent its acknowledgement
// is expected, by default.
func Acknowledgement(f rempart.Facts) time.Duration {
	switch {
	case f.Sexualised() && f.Minor():
		return clock("acknowledgement-minor").Within
	case f.Sexualised():
		return clock("acknowledgement-sexual").Within
	}
	return clock("acknowledgement-other").Within
}

// ComplaintUntil returns the end of the complaint window of a decision that
// the person was informed of at informed: the first instant of the day after
// the same day six calendar months later, in informed's zone, or after the
// last day of that month when it has no such day. The law gives at least six
// months and does not say how to count them; ending with the day, and not
// within it, is our reading.
func ComplaintUntil(informed time.Time) time.Time {
	return monthsAfter(informed, clock("complaint").Months)
}
