package web

import (
	"net/http"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"rempart"
	"rempart/store"
)

// clockName says what a clock of a case waits for.
func clockName(p page, c *rempart.Case, k *rempart.Clock) string {
	if k.Await == rempart.AwaitOwn {
		return k.Label
	}
	service := "–"
	if n := c.Notice(k.NoticeID); n != nil {
		service = n.ServiceName
	}
	return p.T("clock."+string(k.Await), service)
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// spanWords says a span in words, such as "3 business days".
func spanWords(p page, s rempart.Span) string {
	if s.IsZero() {
		return "–"
	}
	return p.N("span."+string(s.Unit), s.N)
}

// clockLeft says how much time is left of a clock, or how late it is.
func clockLeft(p page, s rempart.ClockState, due, now time.Time) string {
	switch {
	case s == rempart.ClockPaused:
		return p.T("clock.left.paused")
	case now.Before(due):
		return p.T("clock.left.in", ago(p, now, due))
	}
	return p.T("clock.left.late", ago(p, due, now))
}

// endsDay tells whether a clock ends with a day in Paris, and not within it.
func endsDay(due time.Time) bool {
	due = due.In(paris)
	return due.Hour() == 0 && due.Minute() == 0 && due.Second() == 0
}

// clockDay is the last day of a clock in Paris.
func clockDay(due time.Time) time.Time { return due.Add(-time.Microsecond).In(paris) }

// A clockView is one clock of a case, in words.
type clockView struct {
	rempart.Clock
	Name  string
	Left  string
	When  string
	Basis string
	Pause *rempart.Pause // while it lasts
}

// A clocksView is the clocks of a case.
type clocksView struct {
	Live, Over          []clockView
	Tomorrow            string // as a form's date
	LastPause, LastDate string
	Label, Due          string // of the form that comes back
}

func (s *Server) clocksView(r *http.Request, p page, c *rempart.Case) (v clocksView, err error) {
	policy, _, err := s.DB.ClockPolicy(r.Context())
	if err != nil {
		return v, err
	}
	now := s.Now()
	for _, k := range c.Clocks {
		kv := clockView{Clock: k, Name: upperFirst(clockName(p, c, &k)), When: p.DateTime(k.DueAt)}
		if k.Live() {
			kv.Left = clockLeft(p, k.State, k.DueAt, now)
		}
		if endsDay(k.DueAt) {
			kv.When = p.T("clock.until_day", p.Date(clockDay(k.DueAt)))
		}
		switch {
		case k.Await == rempart.AwaitBack:
			kv.Basis = p.T("clock.basis.back")
		case k.Await == rempart.AwaitMail:
			kv.Basis = p.T("clock.basis.mail")
		case k.Basis == rempart.BasisLaw:
			source := ""
			if rule := policy.Rule(k.Rule); rule != nil {
				source = rule.Source
			}
			kv.Basis = p.T("clock.basis.law", spanWords(p, k.Within), source)
		case k.Basis == rempart.BasisPolicy:
			kv.Basis = p.T("clock.basis.policy", spanWords(p, k.Within))
		default:
			kv.Basis = p.T("clock.basis.own")
		}
		if k.State == rempart.ClockPaused {
			kv.Pause = &k.Pauses[len(k.Pauses)-1]
		}
		if k.Live() {
			v.Live = append(v.Live, kv)
		} else {
			v.Over = append(v.Over, kv)
		}
	}
	slices.SortStableFunc(v.Live, func(a, b clockView) int { return a.DueAt.Compare(b.DueAt) })
	slices.SortStableFunc(v.Over, func(a, b clockView) int { return b.StateAt.Compare(a.StateAt) })
	today := now.In(paris)
	v.Tomorrow = today.AddDate(0, 0, 1).Format(time.DateOnly)
	v.LastPause = today.AddDate(0, 3, 0).Format(time.DateOnly)
	v.LastDate = today.AddDate(2, 0, -1).Format(time.DateOnly)
	return v, nil
}

// dayField reads a form's date as an hour of that day in Paris; the zero time if
// it is none.
func dayField(value string, hour int) time.Time {
	d, err := time.ParseInLocation(time.DateOnly, value, paris)
	if err != nil {
		return time.Time{}
	}
	return time.Date(d.Year(), d.Month(), d.Day(), hour, 0, 0, 0, paris).UTC()
}

// clocksTried marks a form for a new clock that comes back.
const clocksTried = "clocks"

// ownHour is the hour of the day at which a clock set by hand is due.
const ownHour = 9

func (s *Server) clockAdd(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.change(w, r, "clock_added", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
		return c.AddClock(plainText(r.PostForm.Get("label")), dayField(r.PostForm.Get("due"), ownHour), by, at)
	})
}

func (s *Server) clockPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	_, cal, err := s.DB.ClockPolicy(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	id, reason := r.PathValue("id"), plainText(r.PostForm.Get("reason"))
	switch r.PostForm.Get("action") {
	case "pause":
		s.change(w, r, "clock_paused", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
			return c.PauseClock(id, reason, dayField(r.PostForm.Get("until"), 0), by, at)
		})
	case "resume":
		s.change(w, r, "clock_resumed", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
			return c.ResumeClock(id, cal, by, at)
		})
	case "stop":
		s.change(w, r, "clock_stopped", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
			return c.StopClock(id, reason, by, at)
		})
	case "done":
		s.change(w, r, "task_done", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
			return c.DoTask(id, cal, by, at)
		})
	default:
		s.unknownAction(w, r)
	}
}

// A queueClock is the next clock of a case in the queue.
type queueClock struct {
	Name, Left string
	State      rempart.ClockState
	DueAt      time.Time
}

// queueClocks gives the rows of the queue their next clocks.
func (s *Server) queueClocks(r *http.Request, p page, rows []queueRow) error {
	ids := make([]string, len(rows))
	for k := range rows {
		ids[k] = rows[k].ID
	}
	near, err := s.DB.NearestClocks(r.Context(), ids)
	if err != nil {
		return err
	}
	for k := range rows {
		if n, ok := near[rows[k].ID]; ok {
			rows[k].Clock = &queueClock{clockShort(p, n), clockLeft(p, n.State, n.DueAt, s.Now()), n.State, n.DueAt}
		}
	}
	return nil
}

// clockShort names a clock where its service is not known.
func clockShort(p page, k store.ClockRow) string { return p.T("clock.short." + string(k.Await)) }

// sortClock is the value of ?sort= for the queue by next clock.
const sortClock = "clock"
