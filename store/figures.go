package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // days are those of Paris wherever the server runs

	"rempart"
)

// A Day is a day in Paris, counted from 1970-01-01.
type Day int64

var paris = func() *time.Location {
	l, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic("store: time zone of Paris: " + err.Error())
	}
	return l
}()

// DayOf returns the day in which a time is.
func DayOf(t time.Time) Day {
	y, m, d := t.In(paris).Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Noon returns a time within the day.
func (d Day) Noon() time.Time {
	return time.Date(1970, 1, 1+int(d), 12, 0, 0, 0, paris)
}

// tallyParts is in how many rows a count is kept, so that two changes seldom wait
// for each other. What is read grows with it.
const tallyParts = 4

// What day_counts counts.
const (
	countOpened = "opened"
	countClosed = "closed"
	countLive   = "live:"
	countClock  = "clock:"
)

// A tallied is one thing that day_counts counts.
type tallied struct {
	what string
	day  Day
}

// dayTally returns what a case counts for.
func dayTally(c *rempart.Case) map[tallied]int {
	opened := DayOf(c.OpenedAt)
	out := map[tallied]int{{countOpened, opened}: 1}
	if c.State == rempart.CaseClosed {
		out[tallied{countClosed, DayOf(c.Closed())}]++
	} else {
		out[liveOf(c.Priority, opened)]++
	}
	for i := range c.Clocks {
		if k := &c.Clocks[i]; k.Live() {
			out[clockOf(k.Await, k.State)]++
		}
	}
	return out
}

func liveOf(p rempart.Priority, opened Day) tallied {
	return tallied{fmt.Sprintf("%s%d", countLive, p), opened}
}

func clockOf(a rempart.Await, s rempart.ClockState) tallied {
	return tallied{countClock + string(a) + ":" + string(s), 0}
}

// saveTally counts what a case has come to count for. Rows are taken in one
// order, so that two transactions never wait for each other.
func (t *tx) saveTally(id string, before, after map[tallied]int) error {
	change := maps.Clone(after)
	if change == nil {
		change = map[tallied]int{}
	}
	for k, n := range before {
		change[k] -= n
	}
	keys := slices.SortedFunc(maps.Keys(change), func(a, b tallied) int {
		return cmp.Or(strings.Compare(a.what, b.what), cmp.Compare(a.day, b.day))
	})
	for _, k := range keys {
		if change[k] == 0 {
			continue
		}
		if _, err := t.exec("INSERT INTO day_counts (what, day, part, n) VALUES ($1, $2, $3, $4) ON CONFLICT (what, day, part) DO UPDATE SET n = day_counts.n + excluded.n",
			k.what, int64(k.day), int64(id[len(id)-1]%tallyParts), change[k]); err != nil {
			return fmt.Errorf("store: figures of case %s: %w", id, err)
		}
	}
	return nil
}

// untally stops counting an erased case among those that are live, and its
// clocks: from the columns, as its document may not open any more. That it was
// opened, and closed, stays counted.
func (t *tx) untally(id string) error {
	var state rempart.CaseState
	var priority rempart.Priority
	var opened int64
	if err := t.row("SELECT state, priority, opened_at FROM cases WHERE id = $1", id).Scan(&state, &priority, &opened); err != nil {
		return missing(err, "case")
	}
	was, err := t.clockTally(id)
	if err != nil {
		return err
	}
	if state != rempart.CaseClosed {
		was[liveOf(priority, DayOf(fromMicros(opened)))]++
	}
	return t.saveTally(id, was, nil)
}

// clockTally is what the live clocks of a case count for, from their table.
func (t *tx) clockTally(id string) (map[tallied]int, error) {
	out := map[tallied]int{}
	rows, err := t.Tx.QueryContext(t.ctx, "SELECT await, state FROM clocks WHERE case_id = $1 AND live = 1", id)
	_, err = collect(rows, err, func(s scanner) (_ bool, err error) {
		var await rempart.Await
		var state rempart.ClockState
		err = s.Scan(&await, &state)
		out[clockOf(await, state)]++
		return true, err
	})
	if err != nil {
		return nil, fmt.Errorf("store: figures of case %s: %w", id, err)
	}
	return out, nil
}

// A served is one thing that service_sums counts.
type served struct {
	day     Day
	service string
	what    string
	minutes int64
}

// An itemPlace is where an item stood, for what became of it.
type itemPlace map[string]rempart.ItemState

// places returns where each item stands, and under its notice's identifier
// whether each notice was taken by its service.
func places(c *rempart.Case) (items itemPlace, taken map[string]bool) {
	items, taken = itemPlace{}, map[string]bool{}
	for _, i := range c.Items {
		items[i.ID] = i.State
	}
	for k := range c.Notices {
		taken[c.Notices[k].ID] = !c.Notices[k].SentAt().IsZero()
	}
	return items, taken
}

// service returns what services did in a change: which notices they took, and
// what they decided about items that were in the case before.
func service(c *rempart.Case, items itemPlace, taken map[string]bool) map[served]int {
	out := map[served]int{}
	for k := range c.Notices {
		n := &c.Notices[k]
		if !taken[n.ID] && n.CaseRef == c.Ref && !n.SentAt().IsZero() { // not one that came from another case
			out[served{DayOf(n.SentAt()), n.ServiceID, "notified", 0}] += len(n.Items)
		}
	}
	for k := range c.Items {
		i := &c.Items[k]
		if was, known := items[i.ID]; !known || was == i.State {
			continue
		}
		if s, ok := decided(c, i); ok {
			out[s]++
		}
	}
	return out
}

// decided says how a decision on an item counts.
func decided(c *rempart.Case, i *rempart.Item) (s served, ok bool) {
	switch i.State {
	case rempart.ItemRemoved, rempart.ItemRestricted, rempart.ItemRefused:
	default:
		return s, false
	}
	n := c.Notice(i.NoticeID)
	if n == nil || n.SentAt().IsZero() {
		return s, false
	}
	return served{DayOf(i.Since), n.ServiceID, string(i.State), int64(max(0, i.Since.Sub(n.SentAt())) / time.Minute)}, true
}

// addFigures counts a case that comes whole from elsewhere.
func (t *tx) addFigures(c *rempart.Case) error {
	if err := t.saveTally(c.ID, nil, dayTally(c)); err != nil {
		return err
	}
	did := map[served]int{}
	for k := range c.Notices {
		if n := &c.Notices[k]; !n.SentAt().IsZero() {
			did[served{DayOf(n.SentAt()), n.ServiceID, "notified", 0}] += len(n.Items)
		}
	}
	for k := range c.Items {
		if s, ok := decided(c, &c.Items[k]); ok {
			did[s]++
		}
	}
	return t.saveService(did)
}

// figuresOld counts the cases of an older version: each as it now stands, so that
// a decision which a later one replaced is not among them.
func (t *tx) figuresOld() error {
	done, err := t.meta("figures", "")
	if err != nil || done != "" {
		return err
	}
	err = t.each("cases", func(id string) error {
		c, _, err := t.loadCase(id, "", decode)
		if err != nil {
			return err
		}
		return t.addFigures(c)
	})
	if err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	return t.setMeta("figures", "1")
}

// Figures are those of the dashboard.
type Figures struct {
	Opened, Closed map[Day]int // cases, erased ones included; a case that was reopened is not closed
	Live           []LiveCases // cases that are not closed, now
	Services       []ServiceFigures
	Clocks         map[rempart.Await]map[rempart.ClockState]int // live, now
}

// LiveCases are those opened on one day, with one priority.
type LiveCases struct {
	Day      Day
	Priority rempart.Priority
	N        int
}

// ServiceFigures are what one service did in a period: items in notices that it
// took, items that it decided on.
type ServiceFigures struct {
	Service                                string // its identifier
	Notified, Removed, Restricted, Refused int
	Took                                   Times // from its receipt of the notice to each removal
}

// Times are durations, the shortest first.
type Times []MinutesCount

// MinutesCount is how often something took so many whole minutes.
type MinutesCount struct {
	Minutes int64
	N       int
}

// N is how many durations there are.
func (t Times) N() (n int) {
	for _, m := range t {
		n += m.N
	}
	return n
}

// Quantile returns the duration below which a part q of all lie, between 0 and 1,
// with linear interpolation between two (type 7 of Hyndman and Fan, as
// spreadsheets do), cut to the minute; 0 if there are none.
func (t Times) Quantile(q float64) time.Duration {
	n := t.N()
	if n == 0 {
		return 0
	}
	at := q * float64(n-1)
	low, part := int(at), at-float64(int(at))
	a, b := t.at(low), t.at(min(low+1, n-1))
	return time.Duration(float64(a)+part*float64(b-a)) * time.Minute
}

func (t Times) at(k int) int64 {
	for _, m := range t {
		if k -= m.N; k < 0 {
			return m.Minutes
		}
	}
	return 0
}

// Figures returns those of the days from one to another, both included. Its time
// grows with the days and services in the period, not with the cases.
func (db *DB) Figures(ctx context.Context, from, to Day) (f Figures, err error) {
	f.Opened, f.Closed = map[Day]int{}, map[Day]int{}
	f.Clocks = map[rempart.Await]map[rempart.ClockState]int{}
	rows, err := db.r.QueryContext(ctx, "SELECT what, day, sum(n) FROM day_counts WHERE what IN ('opened', 'closed') AND day BETWEEN $1 AND $2 OR what >= 'live:' AND what < 'live;' OR what >= 'clock:' AND what < 'clock;' GROUP BY what, day HAVING sum(n) <> 0 ORDER BY what, day",
		int64(from), int64(to))
	_, err = collect(rows, err, func(s scanner) (_ bool, err error) {
		var what string
		var day Day
		var n int
		if err := s.Scan(&what, &day, &n); err != nil {
			return false, err
		}
		if p, ok := strings.CutPrefix(what, countLive); ok {
			f.Live = append(f.Live, LiveCases{day, rempart.Priority(p[0] - '0'), n})
			return true, nil
		}
		if k, ok := strings.CutPrefix(what, countClock); ok {
			await, state, _ := strings.Cut(k, ":")
			if f.Clocks[rempart.Await(await)] == nil {
				f.Clocks[rempart.Await(await)] = map[rempart.ClockState]int{}
			}
			f.Clocks[rempart.Await(await)][rempart.ClockState(state)] = n
			return true, nil
		}
		if what == countOpened {
			f.Opened[day] = n
		} else {
			f.Closed[day] = n
		}
		return true, nil
	})
	if err != nil {
		return Figures{}, db.explain(fmt.Errorf("store: figures: %w", err))
	}
	if f.Services, err = db.serviceFigures(ctx, from, to); err != nil {
		return Figures{}, err
	}
	return f, nil
}
