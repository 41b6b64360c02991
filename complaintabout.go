package rempart

import (
	"slices"
	"strings"
)

// AboutNoAction is what a complaint is about whose notice was refused; else it is
// about the field of the restrictions that were imposed: visibility, monetary,
// provision, account.
const AboutNoAction = "no_action"

// About returns the kinds of decision that a complaint is about, in the words of
// the harmonised templates: those that stood when it came, sorted. It may be about
// several.
func (i *Intake) About(c *Complaint) []string {
	var out []string
	for _, item := range c.Items {
		d := i.decisionBefore(item, c)
		switch {
		case d.Measure == MeasureRefused:
			out = append(out, AboutNoAction)
		case len(d.Restrictions) == 0:
			out = append(out, "visibility") // removed, or restricted without more
		}
		for _, r := range d.Restrictions {
			field, _, _ := strings.Cut(string(r), ".")
			out = append(out, field)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// decisionBefore returns the decision on an item that stood when a complaint came.
func (i *Intake) decisionBefore(item string, c *Complaint) Decision {
	out, at := i.Decisions[item], c.DecidedAt
	first := true
	for _, x := range i.Complaints {
		if x.State != ComplaintDecided || x.DecidedAt.Before(c.ReceivedAt) || !first && !x.DecidedAt.Before(at) {
			continue
		}
		for _, changed := range x.Changed {
			if changed.Item == item {
				out, at, first = changed.Was, x.DecidedAt, false
			}
		}
	}
	return out
}

// imposed returns how many items that nothing had been done about are restricted
// or removed after a complaint.
func (c *Complaint) imposed(i *Intake) int {
	n := 0
	for _, x := range c.Changed {
		if x.Was.Measure == MeasureRefused && i.decisionAfter(x.Item, c).Measure != MeasureRefused {
			n++
		}
	}
	return n
}

// decisionAfter returns the decision on an item that a complaint led to, whatever
// a later one made of it.
func (i *Intake) decisionAfter(item string, c *Complaint) Decision {
	for _, x := range i.Complaints {
		if x.State != ComplaintDecided || !x.DecidedAt.After(c.DecidedAt) {
			continue
		}
		for _, changed := range x.Changed {
			if changed.Item == item {
				return changed.Was
			}
		}
	}
	return i.Decisions[item]
}
