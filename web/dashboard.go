package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart"
	"rempart/store"
)

// A dashView is the dashboard. Each of its charts stands beside a table with the
// same figures.
type dashView struct {
	Tabs           []tab
	From, To       time.Time
	Opened, Closed int
	Inflow         columnChart
	Live           int
	Median         int // age of the cases that are not closed, in days
	Ages           rowChart
	AgeTable       []ageLine
	Services       []serviceLine
	Took           rangeChart
	Clocks         rowChart
	ClockTable     []clockCount
	AtRisk         int
}

// An ageLine is the cases of one age, by priority.
type ageLine struct {
	Name string
	By   []int // by Priorities
	All  int
}

// A serviceLine is one service in the period.
type serviceLine struct {
	store.ServiceFigures
	Name           string
	Q1, Median, Q3 string // in words; "" without a removal
	q1, median, q3 float64
}

// A clockCount is the live clocks of one kind, by state.
type clockCount struct {
	Name                                       string
	Running, Paused, Warned, Missed, Escalated int
	All                                        int
}

// dashPeriods are the periods that can be chosen, in days; the second is the one
// that is shown without a choice.
var dashPeriods = []int{7, 30, 90, 365}

// ageSteps are the first days of each age of a case.
var ageSteps = []int{0, 1, 3, 7, 30, 90}

// dashServices is how many services the chart has; the table has all.
const dashServices = 12

func (s *Server) dashboard(w http.ResponseWriter, r *http.Request) {
	p := s.consolePage(r)
	days := dashPeriods[1]
	if asked := r.URL.Query().Get("days"); asked != "" {
		n, err := strconv.Atoi(asked)
		if err != nil || !slices.Contains(dashPeriods, n) {
			s.fail(w, r, "console", &rempart.Error{Kind: rempart.Invalid, Field: "days", Code: "dashboard.days", Public: "Choose a period of 7, 30, 90 or 365 days."})
			return
		}
		days = n
	}
	v, err := s.dashView(r, p, days)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	p.Title, p.Data = p.T("dash.title"), v
	s.render(w, r, http.StatusOK, "console/dashboard", p)
}

func (s *Server) dashView(r *http.Request, p page, days int) (v dashView, err error) {
	today := store.DayOf(s.Now())
	from := today - store.Day(days) + 1
	v.From, v.To = from.Noon(), today.Noon()
	for _, n := range dashPeriods {
		v.Tabs = append(v.Tabs, tab{Label: p.N("dash.days", n), URL: p.URL("/console/dashboard?days=" + strconv.Itoa(n)), Count: -1, Current: n == days})
	}
	f, err := s.DB.Figures(r.Context(), from, today)
	if err != nil {
		return v, err
	}
	names := map[string]string{}
	services, err := s.DB.Services(r.Context())
	if err != nil {
		return v, err
	}
	for _, x := range services {
		names[x.ID] = x.Name
	}
	v.inflow(p, f, from, today, days)
	v.ages(p, f, today)
	v.services(p, f, names)
	v.clocks(p, f)
	return v, nil
}

// inflow draws the cases opened and closed, by day, or by week if the days are
// many. The last week ends today.
func (v *dashView) inflow(p page, f store.Figures, from, today store.Day, days int) {
	step := store.Day(1)
	if days > 31 {
		step = 7
		from = today - (today-from)/7*7 - 6
	}
	v.Inflow.Weeks = step > 1
	for d := from; d <= today; d += step {
		c := column{Name: p.Date(d.Noon())}
		for x := d; x < d+step; x++ {
			if int(today-x) < days { // the first week may begin before the period
				c.A += f.Opened[x]
				c.B += f.Closed[x]
			}
		}
		if step > 1 {
			c.Name = p.T("dash.week", c.Name)
		}
		v.Opened += c.A
		v.Closed += c.B
		v.Inflow.Columns = append(v.Inflow.Columns, c)
	}
	v.Inflow.draw()
}

// ages draws how long ago the cases that are not closed were opened.
func (v *dashView) ages(p page, f store.Figures, today store.Day) {
	slices.SortFunc(f.Live, func(a, b store.LiveCases) int { return int(b.Day - a.Day) }) // youngest first
	priorities := p.Priorities()
	for k, first := range ageSteps {
		name := p.T("dash.age." + strconv.Itoa(first))
		line := ageLine{Name: name, By: make([]int, len(priorities))}
		for _, l := range f.Live {
			age := int(max(0, today-l.Day))
			if age < first || k+1 < len(ageSteps) && age >= ageSteps[k+1] {
				continue
			}
			line.By[slices.Index(priorities, l.Priority)] += l.N
			line.All += l.N
		}
		v.AgeTable = append(v.AgeTable, line)
		v.Live += line.All
		v.Ages.Rows = append(v.Ages.Rows, row{Name: name, Value: p.T("dash.n", line.All), Parts: slicesOf(line.By, "tone-1", "tone-2", "tone-3", "tone-4")})
	}
	for _, pr := range priorities {
		v.Ages.Legend = append(v.Ages.Legend, p.Pill("priority", pr).Text)
	}
	seen := 0
	for _, l := range f.Live {
		if seen += l.N; seen*2 >= v.Live {
			v.Median = int(max(0, today-l.Day))
			break
		}
	}
	v.Ages.draw()
}

// services draws, for each, the quartiles of the time from its receipt of a
// notice to each removal.
func (v *dashView) services(p page, f store.Figures, names map[string]string) {
	for _, x := range f.Services {
		l := serviceLine{ServiceFigures: x, Name: names[x.Service]}
		if l.Name == "" {
			l.Name = x.Service
		}
		if x.Took.N() > 0 {
			q1, q2, q3 := x.Took.Quantile(0.25), x.Took.Quantile(0.5), x.Took.Quantile(0.75)
			l.Q1, l.Median, l.Q3 = tookWords(p, q1), tookWords(p, q2), tookWords(p, q3)
			l.q1, l.median, l.q3 = q1.Hours(), q2.Hours(), q3.Hours()
		}
		v.Services = append(v.Services, l)
	}
	slices.SortStableFunc(v.Services, func(a, b serviceLine) int {
		if a.Removed != b.Removed {
			return b.Removed - a.Removed
		}
		return strings.Compare(a.Name, b.Name)
	})
	for _, l := range v.Services {
		if l.Took.N() > 0 && len(v.Took.Rows) < dashServices {
			v.Took.Rows = append(v.Took.Rows, rangeRow{Name: clipped(l.Name, 22), Value: p.T("dash.took.value", l.Median, p.N("dash.removals", l.Took.N())), q1: l.q1, q2: l.median, q3: l.q3})
		}
	}
	v.Took.draw(func(hours float64) string { return tookWords(p, time.Duration(hours*float64(time.Hour))) })
}

// clocks draws those that wait, by what for.
func (v *dashView) clocks(p page, f store.Figures) {
	for _, a := range []rempart.Await{rempart.AwaitLook, rempart.AwaitSending, rempart.AwaitRepair, rempart.AwaitAcknowledgement, rempart.AwaitDecision, rempart.AwaitComplaint, rempart.AwaitOwn} {
		by := f.Clocks[a]
		c := clockCount{Name: p.T("dash.clock." + string(a)), Running: by[rempart.ClockRunning], Paused: by[rempart.ClockPaused], Warned: by[rempart.ClockWarned], Missed: by[rempart.ClockMissed], Escalated: by[rempart.ClockEscalated]}
		c.All = c.Running + c.Paused + c.Warned + c.Missed + c.Escalated
		if c.All == 0 {
			continue
		}
		v.ClockTable = append(v.ClockTable, c)
		risk := c.Warned + c.Missed + c.Escalated
		v.AtRisk += risk
		v.Clocks.Rows = append(v.Clocks.Rows, row{Name: c.Name, Value: p.T("dash.clock.value", risk, c.All), Parts: slicesOf([]int{c.Escalated, c.Missed, c.Warned, c.Running + c.Paused}, "tone-1", "tone-2", "tone-3", "tone-4")})
	}
	v.Clocks.Legend = []string{p.Pill("clock", rempart.ClockEscalated).Text, p.Pill("clock", rempart.ClockMissed).Text, p.Pill("clock", rempart.ClockWarned).Text, p.T("dash.clock.calm")}
	v.Clocks.draw()
}

// tookWords says a duration in its two largest units.
func tookWords(p page, d time.Duration) string {
	m := int(d / time.Minute)
	switch {
	case m < 60:
		return p.T("dash.took.minutes", m)
	case m < 24*60:
		return p.T("dash.took.hours", m/60, fmt.Sprintf("%02d", m%60))
	}
	return p.T("dash.took.days", m/(24*60), m/60%24)
}

// clipped returns the first n runes of a text that is longer.
func clipped(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return strings.TrimSpace(string(r[:n-1])) + "…"
	}
	return text
}
