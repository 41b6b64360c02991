package web

import (
	"time"

	"rempart"
)

// recheckLines says in sentences what is known of whether the address of an item
// still answers; none as long as nobody asked.
func recheckLines(p page, i rempart.Item, on bool) []string {
	w := i.Rechecks
	if w == nil || w.Asked == 0 {
		return nil
	}
	var args []any
	if w.Last.Status != 0 {
		args = append(args, w.Last.Status)
	}
	out := []string{p.T("recheck.last."+string(w.Last.Reach), p.DateTime(w.Last.At), p.T("recheck.why."+w.Last.Why, args...))}
	if least, most, ok := w.Removal(); ok {
		if least == 0 {
			out = append(out, p.T("recheck.removal.most", roughly(p, most, true)))
		} else {
			out = append(out, p.T("recheck.removal", roughly(p, least, false), roughly(p, most, true)))
		}
	}
	if !w.Back.IsZero() {
		out = append(out, p.T("recheck.back", p.DateTime(w.Back)))
	} else if i.State == rempart.ItemRemoved && w.Last.Reach == rempart.ReachThere {
		out = append(out, p.T("recheck.removed.there"))
	}
	if on && !w.Next.IsZero() {
		out = append(out, p.T("recheck.next", p.DateTime(w.Next)))
	}
	return out
}

// roughly says a duration in whole hours, or days from three on; a bound from
// below is rounded down, one from above up.
func roughly(p page, d time.Duration, up bool) string {
	key, unit := "age.hours", time.Hour
	if d >= 72*time.Hour {
		key, unit = "age.days", 24*time.Hour
	}
	n := int(d / unit)
	if up && d%unit != 0 {
		n++
	}
	return p.N(key, n)
}
