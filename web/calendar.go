package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"rempart"
	"rempart/store"
)

// A calendarView is the clocks of all cases, by day.
type calendarView struct {
	Tabs                      []tab
	Month                     bool // a month; else the agenda
	Name                      string
	Prev, Next, Today, File   string // addresses
	Weeks                     [][]dayView
	Days                      []dayView // with something in it
	Late                      []clockLine
	Warned, Missed, Escalated int
	More                      bool // there are more than are shown
}

// A dayView is one day.
type dayView struct {
	Date    string // YYYY-MM-DD
	Number  int
	Name    string // whole
	Outside bool   // of another month
	Rest    bool   // not worked
	Holiday string
	Today   bool
	Clocks  []clockLine // the first of them, those that are over left out
	Further []clockLine // the others
	Over    int
}

// A clockLine is one clock in a day.
type clockLine struct {
	store.ClockRow
	Name, Hour, Left string
}

// dayLines is how many clocks of a day a month shows before the others are folded.
const dayLines = 6

// agendaDays is how far the agenda looks ahead.
const agendaDays = 60

func (s *Server) calendar(w http.ResponseWriter, r *http.Request) {
	p, now := s.consolePage(r), s.Now().In(paris)
	v, err := s.calendarView(r, p, now)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	p.Title, p.Data = p.T("calendar.title"), v
	s.render(w, r, http.StatusOK, "console/calendar", p)
}

func (s *Server) calendarView(r *http.Request, p page, now time.Time) (v calendarView, err error) {
	ctx := r.Context()
	m, _ := staffOf(r)
	not, err := s.DB.Spared(ctx, m)
	if err != nil {
		return v, err
	}
	risk, err := s.DB.ClocksAtRisk(ctx)
	if err != nil {
		return v, err
	}
	v.Warned, v.Missed, v.Escalated = risk[rempart.ClockWarned], risk[rempart.ClockMissed], risk[rempart.ClockEscalated]
	_, cal, err := s.DB.ClockPolicy(ctx)
	if err != nil {
		return v, err
	}
	v.Month = r.URL.Query().Get("view") != "agenda"
	v.Tabs = []tab{{Label: p.T("calendar.month"), URL: p.URL("/console/calendar"), Count: -1, Current: v.Month},
		{Label: p.T("calendar.agenda"), URL: p.URL("/console/calendar?view=agenda"), Count: -1, Current: !v.Month}}
	v.File = p.URL("/console/calendar.ics")
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, paris)
	from, to := today, today.AddDate(0, 0, agendaDays)
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, paris)
	if v.Month {
		if asked := r.URL.Query().Get("month"); asked != "" {
			m, err := time.ParseInLocation("2006-01", asked, paris)
			if err != nil || m.Year() < 2000 || m.Year() > 2100 {
				return v, &rempart.Error{Kind: rempart.Invalid, Field: "month", Code: "calendar.month", Public: "Give the month as YYYY-MM."}
			}
			month = m
		}
		v.Name = upperFirst(monthName(p, month))
		at := func(m time.Time) string { return p.URL("/console/calendar?month=" + m.Format("2006-01")) }
		v.Prev, v.Next = at(month.AddDate(0, -1, 0)), at(month.AddDate(0, 1, 0))
		if month.Month() != now.Month() || month.Year() != now.Year() {
			v.Today = p.URL("/console/calendar")
		}
		from = month.AddDate(0, 0, -(int(month.Weekday())+6)%7) // the Monday on or before the 1st
		end := month.AddDate(0, 1, 0)
		to = end.AddDate(0, 0, (8-int(end.Weekday()))%7)
	} else {
		late, more, err := s.DB.Clocks(ctx, store.ClockFilter{To: now, Live: true, Not: not})
		if err != nil {
			return v, err
		}
		v.More = more
		for _, k := range late {
			v.Late = append(v.Late, s.clockLine(p, k))
		}
		from = now
	}
	f := store.ClockFilter{From: from, To: to.Add(time.Microsecond), Live: !v.Month, Not: not, Limit: 2000}
	rows, more, err := s.DB.Clocks(ctx, f)
	if err != nil {
		return v, err
	}
	v.More = v.More || more
	byDay, over := map[string][]clockLine{}, map[string]int{}
	for _, k := range rows {
		day := clockDay(k.DueAt).Format(time.DateOnly)
		switch k.State {
		case rempart.ClockCancelled:
			continue
		case rempart.ClockMet:
			over[day]++
			continue
		}
		byDay[day] = append(byDay[day], s.clockLine(p, k))
	}
	if !v.Month {
		from = today
	}
	for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
		dv := dayView{Date: d.Format(time.DateOnly), Number: d.Day(), Name: upperFirst(p.T("weekday."+strings.ToLower(d.Weekday().String()))) + " " + p.Date(d),
			Outside: v.Month && d.Month() != month.Month(), Rest: !cal.Working(d), Today: d.Equal(today)}
		if h, ok := cal.Holiday(d); ok {
			dv.Holiday = h.Name.In(p.Lang)
		}
		dv.Clocks, dv.Over = byDay[dv.Date], over[dv.Date]
		if n := len(dv.Clocks); v.Month && n > dayLines+1 {
			dv.Clocks, dv.Further = dv.Clocks[:dayLines], dv.Clocks[dayLines:]
		}
		if v.Month {
			if d.Weekday() == time.Monday {
				v.Weeks = append(v.Weeks, nil)
			}
			last := len(v.Weeks) - 1
			v.Weeks[last] = append(v.Weeks[last], dv)
		}
		if (len(dv.Clocks) > 0 || dv.Over > 0) && !dv.Outside {
			v.Days = append(v.Days, dv)
		}
	}
	return v, nil
}

func (s *Server) clockLine(p page, k store.ClockRow) clockLine {
	l := clockLine{ClockRow: k, Name: clockShort(p, k)}
	l.Hour = p.T("clock.day_end")
	if !endsDay(k.DueAt) {
		l.Hour = p.Hour(k.DueAt)
	}
	if k.Live {
		l.Left = clockLeft(p, k.State, k.DueAt, s.Now())
	}
	return l
}

// monthName is a month and its year.
func monthName(p page, m time.Time) string {
	if p.Lang == "en" {
		return m.Format("January\u00a02006")
	}
	return months[m.Month()-1] + m.Format("\u00a02006")
}

// Hour returns the time of the day in Paris.
func (p page) Hour(t time.Time) string {
	if p.Lang == "en" {
		return t.In(paris).Format("15:04")
	}
	t = t.In(paris)
	return fmt.Sprintf("%d\u00a0h\u00a0%02d", t.Hour(), t.Minute())
}

// calendarFile answers with the live clocks as an iCalendar file: references,
// what they wait for and when, and nothing of what anybody wrote.
func (s *Server) calendarFile(w http.ResponseWriter, r *http.Request) {
	p := s.consolePage(r)
	m, _ := staffOf(r)
	not, err := s.DB.Spared(r.Context(), m)
	var rows []store.ClockRow
	if err == nil {
		rows, _, err = s.DB.Clocks(r.Context(), store.ClockFilter{Live: true, Not: not, Limit: 2000})
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	if err := s.DB.Commit(r.Context(), "", rempart.Consequences{Events: []rempart.Event{{Kind: "calendar.exported", Subject: m.ID, Actor: m.Alias, At: s.Now()}}}); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	cal := ics.NewCalendarFor("Rempart")
	cal.SetXWRCalName(p.T("calendar.file", s.Site))
	for _, k := range rows {
		e := cal.AddEvent(k.ID + "@rempart")
		e.SetDtStampTime(s.Now())
		if endsDay(k.DueAt) {
			e.SetAllDayStartAt(clockDay(k.DueAt))
		} else {
			e.SetStartAt(k.DueAt)
			e.SetEndAt(k.DueAt)
		}
		e.SetSummary(k.Ref + " – " + clockShort(p, k))
		e.SetClass(ics.ClassificationConfidential)
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="rempart.ics"`)
	cal.SerializeTo(w)
}

// Weekdays are the heads of a month's columns: short, and whole.
func (p page) Weekdays() []option {
	var out []option
	for _, d := range []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
		out = append(out, option{Text: p.T("weekday.short." + d), Value: p.T("weekday." + d)})
	}
	return out
}
