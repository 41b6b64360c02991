package rempart

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Unit is what a [Span] is counted in.
type Unit string

// Units.
const (
	Hours        Unit = "h"  // elapsed hours
	Days         Unit = "d"  // days of the calendar: the same hour of another day, whatever daylight saving does
	BusinessDays Unit = "bd" // days that are worked, midnight to midnight; the others stop the count
	Months       Unit = "mo" // months of the calendar, to the end of the day
)

// A Span is a length of time as people count it. As a text it is a number and a
// unit: "48h", "7d", "3bd", "6mo". The zero Span is none, "" as a text.
type Span struct {
	N    int
	Unit Unit
}

// maxSpan bounds N by unit: two years.
var maxSpan = map[Unit]int{Hours: 17520, Days: 730, BusinessDays: 500, Months: 24}

// ParseSpan reads a span.
func ParseSpan(s string) (Span, error) {
	if s == "" {
		return Span{}, nil
	}
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz")
	n, err := strconv.Atoi(digits)
	v := Span{n, Unit(s[len(digits):])}
	if err != nil || n < 1 || n > maxSpan[v.Unit] {
		return Span{}, &Error{Kind: Invalid, Code: "clock.span", Public: "Give a length of time as a number and a unit, at most two years: 48h, 7d, 3bd for business days, 6mo."}
	}
	return v, nil
}

// IsZero tells whether the span is none.
func (s Span) IsZero() bool { return s.N == 0 }

// String returns the span as ParseSpan reads it.
func (s Span) String() string {
	if s.IsZero() {
		return ""
	}
	return itoa(s.N) + string(s.Unit)
}

// MarshalText writes the span as String does.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Span) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSpan(string(b))
	return err
}

// A Holiday is a public holiday of every year.
type Holiday struct {
	Name   Text   `json:"name"`
	Date   string `json:"date,omitempty"`   // "MM-DD"; empty for a day that follows Easter
	Easter int    `json:"easter,omitempty"` // days after Easter Sunday
	Local  bool   `json:"local,omitempty"`  // in Alsace and Moselle only
	Source string `json:"source"`           // the article that names it
}

// A Calendar says which days are worked in one time zone: those that are no
// Saturday, Sunday or public holiday.
type Calendar struct {
	Zone     *time.Location
	Holidays []Holiday
	Local    bool // the local holidays count too
}

// Easter returns Easter Sunday of a year of the Gregorian calendar, by the
// algorithm that Butcher's Ecclesiastical Calendar (1876) gives.
func Easter(year int) (time.Month, int) {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Month(n / 31), n%31 + 1
}

// Holiday returns the public holiday that t's date is, if it is one. Only the
// date of t matters, as t's own zone has it.
func (c Calendar) Holiday(t time.Time) (Holiday, bool) {
	y, m, d := t.Date()
	date := fmt.Sprintf("%02d-%02d", m, d)
	em, ed := Easter(y)
	for _, h := range c.Holidays {
		if h.Local && !c.Local {
			continue
		}
		if h.Date == date {
			return h, true
		}
		if h.Date == "" {
			if _, hm, hd := time.Date(y, em, ed+h.Easter, 0, 0, 0, 0, time.UTC).Date(); hm == m && hd == d {
				return h, true
			}
		}
	}
	return Holiday{}, false
}

// Working tells whether t's date, as t's own zone has it, is a business day.
func (c Calendar) Working(t time.Time) bool {
	if w := t.Weekday(); w == time.Saturday || w == time.Sunday {
		return false
	}
	_, holiday := c.Holiday(t)
	return !holiday
}

// Add returns the instant s after from. Months end with the day that has from's
// date, or with the last day of a month without it (Regulation 1182/71, art.
// 3(2)(c)): Add then returns the first instant of the day after.
func (c Calendar) Add(from time.Time, s Span) time.Time { return c.add(from, s, 0) }

// add returns the instant s after from, of which paused (in the time of s's
// unit) does not count.
func (c Calendar) add(from time.Time, s Span, paused time.Duration) time.Time {
	switch s.Unit {
	case Days:
		return c.instant(c.wall(from).Add(time.Duration(s.N)*day + paused))
	case BusinessDays:
		return c.instant(c.work(c.wall(from), time.Duration(s.N)*day+paused))
	case Months:
		return c.instant(months(c.wall(from), s.N).Add(day + paused))
	}
	return from.Add(time.Duration(s.N)*time.Hour + paused)
}

// Before returns the instant s before due.
func (c Calendar) Before(due time.Time, s Span) time.Time {
	w := c.wall(due)
	switch s.Unit {
	case Days:
		return c.instant(w.Add(-time.Duration(s.N) * day))
	case BusinessDays:
		return c.instant(c.work(w, -time.Duration(s.N)*day))
	case Months:
		midnight := months(w, -s.N)
		return c.instant(midnight.Add(w.Sub(midnightOf(w))))
	}
	return due.Add(-time.Duration(s.N) * time.Hour)
}

// Elapsed returns how much of the time from a to b counts for a unit: all of it
// in hours, as the clock on the wall shows it in days and months, and in
// business days only the days that are worked. It is 0 if b is before a.
func (c Calendar) Elapsed(a, b time.Time, u Unit) time.Duration {
	if !b.After(a) {
		return 0
	}
	if u == Hours {
		return b.Sub(a)
	}
	wa, wb := c.wall(a), c.wall(b)
	if u != BusinessDays {
		return max(0, wb.Sub(wa))
	}
	var sum time.Duration
	for wa.Before(wb) {
		next := midnightOf(wa).Add(day)
		if next.After(wb) {
			next = wb
		}
		if c.Working(wa) {
			sum += next.Sub(wa)
		}
		wa = next
	}
	return sum
}

const day = 24 * time.Hour

// wall returns what the clock on the wall shows at t, as if it were UTC, so that
// all days have 24 hours; instant is its inverse. An hour that the wall skips is
// read as the one after, and of one that it shows twice the first counts.
func (c Calendar) wall(t time.Time) time.Time {
	t = t.In(c.Zone)
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

func (c Calendar) instant(w time.Time) time.Time {
	y, m, d := w.Date()
	t := time.Date(y, m, d, w.Hour(), w.Minute(), w.Second(), w.Nanosecond(), c.Zone)
	if skipped := w.Sub(c.wall(t)); skipped > 0 { // time.Date may read a skipped hour as the one before
		t = t.Add(skipped)
	}
	return t.UTC()
}

func midnightOf(w time.Time) time.Time { return w.Truncate(day) } // w is UTC

// months returns the midnight that begins the same date n months later, or the
// last day of a month without it.
func months(w time.Time, n int) time.Time {
	y, m, d := w.Date()
	last := time.Date(y, m+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC)
	return time.Date(last.Year(), last.Month(), min(d, last.Day()), 0, 0, 0, 0, time.UTC)
}

// work returns the wall time when d of time on business days has passed since w;
// before w if d is negative. Of the moments that fit it returns the first, which
// is never later than it must be.
func (c Calendar) work(w time.Time, d time.Duration) time.Time {
	for d > 0 {
		left := midnightOf(w).Add(day).Sub(w)
		if c.Working(w) {
			if d <= left {
				return w.Add(d)
			}
			d -= left
		}
		w = w.Add(left)
	}
	for d < 0 {
		since := w.Sub(midnightOf(w))
		if since == 0 {
			since = day
		}
		if c.Working(w.Add(-1)) {
			if -d <= since {
				return w.Add(d)
			}
			d += since
		}
		w = w.Add(-since)
	}
	return w
}
