package rempart_test

import (
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"

	"rempart"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// testCalendar has the holidays that the tests below meet.
func testCalendar(l *time.Location) rempart.Calendar {
	return rempart.Calendar{Zone: l, Holidays: []rempart.Holiday{
		{Date: "01-01"}, {Easter: 1}, {Date: "05-01"}, {Date: "05-08"}, {Easter: 39}, {Easter: 50},
		{Date: "07-14"}, {Date: "08-15"}, {Date: "11-01"}, {Date: "11-11"}, {Date: "12-25"}}}
}

func TestSpanText(t *testing.T) {
	for _, s := range []string{"", "48h", "7d", "3bd", "6mo", "1h", "730d"} {
		v, err := rempart.ParseSpan(s)
		if err != nil || v.String() != s {
			t.Errorf("%q is read as %q, %v", s, v, err)
		}
	}
	for _, s := range []string{"0h", "-1d", "5", "h", "3 d", "3w", "731d", "1.5h", "99999999999999999999h", "17521h", "٣d"} {
		if v, err := rempart.ParseSpan(s); rempart.KindOf(err) != rempart.Invalid {
			t.Errorf("%q is read as %q, %v", s, v, err)
		}
	}
}

// TestCalendarAdd has the days on which counting goes wrong.
func TestCalendarAdd(t *testing.T) {
	for _, c := range []struct{ from, span, want, why string }{
		{"2026-08-31 15:00", "6mo", "2027-03-01 00:00", "31 August, and February has 28 days: to the end of the 28th"},
		{"2027-08-31 15:00", "6mo", "2028-03-01 00:00", "the same in a leap year: to the end of the 29th"},
		{"2027-08-29 15:00", "6mo", "2028-03-01 00:00", "29 August, and February has a 29th"},
		{"2026-04-30 23:59", "6mo", "2026-10-31 00:00", "30 October, not the month's end; across the end of summer time"},
		{"2026-10-25 02:30", "6mo", "2027-04-26 00:00", "the night with two half past two"},
		{"2026-03-28 12:00", "1d", "2026-03-29 12:00", "the same hour of a day that has 23"},
		{"2026-03-28 12:00", "24h", "2026-03-29 13:00", "24 hours are an hour later there"},
		{"2026-10-24 12:00", "1d", "2026-10-25 12:00", "a day of 25 hours"},
		{"2026-10-24 12:00", "24h", "2026-10-25 11:00", "24 hours end before"},
		{"2026-03-28 02:30", "1d", "2026-03-29 03:30", "half past two is skipped: not before it would have come"},
		{"2026-11-20 15:00", "1bd", "2026-11-23 15:00", "Friday to Monday"},
		{"2026-11-21 15:00", "1bd", "2026-11-24 00:00", "a Saturday does not count: all of Monday does"},
		{"2026-11-10 10:00", "1bd", "2026-11-12 10:00", "11 November"},
		{"2026-05-07 10:00", "2bd", "2026-05-12 10:00", "8 May is a Friday"},
		{"2026-05-13 10:00", "1bd", "2026-05-15 10:00", "Ascension"},
		{"2026-12-24 10:00", "5bd", "2027-01-04 10:00", "Christmas and New Year"},
		{"2028-02-28 10:00", "2bd", "2028-03-01 10:00", "29 February"},
		{"2026-03-27 10:00", "1bd", "2026-03-30 10:00", "over the start of summer time"},
	} {
		paris := zone(t, "Europe/Paris")
		from, err := time.ParseInLocation("2006-01-02 15:04", c.from, paris)
		if err != nil {
			t.Fatal(err)
		}
		s, err := rempart.ParseSpan(c.span)
		if err != nil {
			t.Fatal(err)
		}
		if got := testCalendar(paris).Add(from, s).In(paris).Format("2006-01-02 15:04"); got != c.want {
			t.Errorf("%s and %s: %s, want %s (%s)", c.from, c.span, got, c.want, c.why)
		}
	}
}

// TestCalendarProperties holds, for many instants in zones of both hemispheres
// and of odd rules, what counting must keep: adding never goes back, more is
// never sooner, and what has elapsed at the end is what was added.
func TestCalendarProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 26))
	for _, name := range []string{"Europe/Paris", "UTC", "America/New_York", "Australia/Lord_Howe", "America/Martinique", "Pacific/Apia", "Africa/Casablanca"} {
		l := zone(t, name)
		cal := testCalendar(l)
		for range 3000 {
			from := time.Unix(1_700_000_000+r.Int64N(200_000_000), 0)
			n := 1 + r.IntN(40)
			for _, u := range []rempart.Unit{rempart.Hours, rempart.Days, rempart.BusinessDays, rempart.Months} {
				k := n
				if u == rempart.Months {
					k = 1 + n%12
				}
				to, more := cal.Add(from, rempart.Span{N: k, Unit: u}), cal.Add(from, rempart.Span{N: k + 1, Unit: u})
				if !to.After(from) || !more.After(to) {
					t.Fatalf("%s: %s and %d%s is %s, one more is %s", name, from.In(l), k, u, to.In(l), more.In(l))
				}
				unit := time.Hour
				if u != rempart.Hours {
					unit = 24 * time.Hour
				}
				e := cal.Elapsed(from, to, u)
				if diff := (e - time.Duration(k)*unit).Abs(); u != rempart.Months && diff > time.Hour || u == rempart.Hours && diff > 0 {
					t.Fatalf("%s: of %s and %d%s, %s have elapsed at the end", name, from.In(l), k, u, e)
				}
				if cal.Elapsed(to, from, u) != 0 {
					t.Fatalf("%s: time elapsed backwards", name)
				}
			}
		}
	}
}
