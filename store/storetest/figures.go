package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"rempart"
	"rempart/store"

	"github.com/google/go-cmp/cmp"
)

// figures lives a hundred days of cases, notices, answers, reopenings and
// erasures at random, and holds the figures against a recount: of what is, from
// the cases themselves; of what happened, from the ledger.
func figures(e *env) {
	_, err := e.db.SaveClockPolicy(e.ctx, clockPolicy(), 0)
	e.ok(err)
	rnd := rand.New(rand.NewPCG(2026, 11))
	services := []rempart.Service{{ID: "forum", Name: "Forum Exemple", Lang: "fr"}, {ID: "miroir", Name: "Miroir Exemple", Lang: "fr"}}
	first := store.DayOf(e.now())
	opened, closed := map[store.Day]int{}, map[store.Day]int{} // erased cases too: noted as they go
	var ids []string
	answered := func(m rempart.Measure) rempart.Decision {
		return rempart.Decision{Measure: m, Ground: "law", Reference: "226-8-1", Facts: "une page de test", Explanation: "une explication assez longue", Redress: []string{"court"}}
	}
	happened := map[string][]rempart.Event{}
	for range 400 {
		if rnd.IntN(2) == 0 { // else in the same minute, so that a day has several of a kind
			e.advance(time.Duration(rnd.IntN(24*60)) * time.Minute)
		}
		now := e.now()
		if len(ids) < 5 || rnd.IntN(4) == 0 {
			c := e.submitted()
			opened[store.DayOf(c.OpenedAt)]++
			e.update(c.ID, func(c *rempart.Case) error { return e.propose(c, rempart.Priority(1+rnd.IntN(4))) })
			ids = append(ids, c.ID)
			continue
		}
		id := ids[rnd.IntN(len(ids))]
		c := e.load(id)
		switch n := len(c.Notices); {
		case c.State == rempart.CaseClosed && rnd.IntN(3) == 0:
			closed[store.DayOf(c.ClosedAt)]-- // reopened: it is not closed any more
			e.update(id, func(c *rempart.Case) error { return c.Reopen("analyst-1", now) })
		case rnd.IntN(16) == 0:
			happened[id], err = e.db.Events(e.ctx, id)
			e.ok(err)
			e.ok(e.db.EraseCase(e.ctx, id, rempart.Erasure{Why: rempart.EraseOrdered, By: "admin-1", Reason: "test of the figures", At: now}))
			ids = slices.DeleteFunc(ids, func(x string) bool { return x == id })
		case c.State == rempart.CaseClosed:
		case n == 0:
			e.update(id, func(c *rempart.Case) error {
				notice, err := c.PrepareNotice(services[rnd.IntN(2)], []string{c.Items[0].ID}, "Une explication de plus de quarante caractères, pour un test.",
					rempart.Notifier{Name: "Association Exemple", Email: "contact@exemple.test"}, "analyst-1", now)
				if err != nil {
					return err
				}
				if err := c.EditNotice(notice, "Une explication de plus de quarante caractères, relue.", true, "analyst-1", now); err != nil {
					return err
				}
				return c.SendNotice(notice, "analyst-1", now)
			})
		case c.Notices[0].State == rempart.NoticeQueued:
			e.update(id, func(c *rempart.Case) error {
				return c.NoticeAccepted(c.Notices[0].ID, "N-1", rempart.Attempt{At: now, Status: 201}, now)
			})
		case c.Notices[0].State == rempart.NoticeSent:
			m := []rempart.Measure{rempart.MeasureRemoved, rempart.MeasureRemoved, rempart.MeasureRestricted, rempart.MeasureRefused}[rnd.IntN(4)]
			e.update(id, func(c *rempart.Case) error {
				return c.NoticeDecided(c.Notices[0].ID, "N-1", "forum", map[string]rempart.Decision{c.Items[0].ID: answered(m)}, now)
			})
		default:
			for _, i := range c.Items {
				if !i.State.Settled() {
					e.update(id, func(c *rempart.Case) error { return c.DropItem(i.ID, "test", "analyst-1", now) })
				}
			}
			e.update(id, func(c *rempart.Case) error { return c.Close("test", "analyst-1", now) })
			closed[store.DayOf(now)]++
		}
		due, err := e.db.DueClocks(e.ctx, 50)
		e.ok(err)
		_, cal, err := e.db.ClockPolicy(e.ctx)
		e.ok(err)
		for _, id := range due {
			e.update(id, func(c *rempart.Case) error { c.Tick(cal, e.now()); return nil })
		}
	}
	last := store.DayOf(e.now())
	for _, id := range ids {
		happened[id], err = e.db.Events(e.ctx, id)
		e.ok(err)
	}
	for _, period := range [][2]store.Day{{first, last}, {last - 29, last}, {first + 10, first + 10}, {last + 1, last + 30}} {
		from, to := period[0], period[1]
		within := func(m map[store.Day]int) map[store.Day]int {
			m = maps.Clone(m)
			maps.DeleteFunc(m, func(d store.Day, n int) bool { return d < from || d > to || n == 0 })
			return m
		}
		want := store.Figures{Opened: within(opened), Closed: within(closed), Clocks: map[rempart.Await]map[rempart.ClockState]int{}}
		live := map[store.LiveCases]int{}
		for _, id := range ids {
			c := e.load(id)
			if c.State != rempart.CaseClosed {
				live[store.LiveCases{Day: store.DayOf(c.OpenedAt), Priority: c.Priority}]++
			}
			for _, k := range c.Clocks {
				if k.Live() {
					if want.Clocks[k.Await] == nil {
						want.Clocks[k.Await] = map[rempart.ClockState]int{}
					}
					want.Clocks[k.Await][k.State]++
				}
			}
		}
		for k, n := range live {
			k.N = n
			want.Live = append(want.Live, k)
		}
		slices.SortFunc(want.Live, func(a, b store.LiveCases) int {
			return int(a.Priority-b.Priority)*1_000_000 + int(a.Day-b.Day)
		})
		minutes := map[string][]int{}
		days, again := map[string]bool{}, 0 // removals of a service that had one on that day already
		by := map[string]*store.ServiceFigures{}
		of := func(id string) *store.ServiceFigures {
			if by[id] == nil {
				by[id] = &store.ServiceFigures{Service: id}
			}
			return by[id]
		}
		for _, events := range happened {
			service, sent := "", time.Time{}
			for _, ev := range events {
				in := store.DayOf(ev.At) >= from && store.DayOf(ev.At) <= to
				switch ev.Kind {
				case "notice.queued":
					service = ev.Data["service"]
				case "notice.sent":
					if sent = ev.At; in {
						of(service).Notified++
					}
				case "item.decided":
					if !in {
						continue
					}
					switch ev.Data["measure"] {
					case "removed":
						of(service).Removed++
						if day := fmt.Sprint(service, store.DayOf(ev.At)); days[day] {
							again++
						} else {
							days[day] = true
						}
						minutes[service] = append(minutes[service], int(ev.At.Sub(sent)/time.Minute))
					case "restricted":
						of(service).Restricted++
					case "refused":
						of(service).Refused++
					}
				}
			}
		}
		for _, id := range slices.Sorted(maps.Keys(by)) {
			slices.Sort(minutes[id])
			for _, m := range minutes[id] {
				if k := len(by[id].Took); k > 0 && by[id].Took[k-1].Minutes == int64(m) {
					by[id].Took[k-1].N++
					continue
				}
				by[id].Took = append(by[id].Took, store.MinutesCount{Minutes: int64(m), N: 1})
			}
			want.Services = append(want.Services, *by[id])
		}
		got, err := e.db.Figures(e.ctx, from, to)
		e.ok(err)
		if d := cmp.Diff(want, got); d != "" {
			e.Errorf("figures of %v (-recount +got):\n%s", period, d)
		}
		if from == first && (len(want.Services) != 2 || again == 0 || want.Services[0].Removed < 5 || len(want.Clocks) < 2 || len(happened) == len(ids)) {
			e.Errorf("too little happened to count: %+v, %d cases of which %d are erased", want.Services, len(happened), len(happened)-len(ids))
		}
	}
	e.quantiles()
}

// quantiles holds Quantile against values that Python gives
// (statistics.quantiles, method inclusive).
func (e *env) quantiles() {
	e.Helper()
	for _, c := range []struct {
		times store.Times
		want  [3]time.Duration
	}{
		{nil, [3]time.Duration{}},
		{store.Times{{Minutes: 7, N: 1}}, [3]time.Duration{7 * time.Minute, 7 * time.Minute, 7 * time.Minute}},
		{store.Times{{Minutes: 1, N: 1}, {Minutes: 2, N: 1}, {Minutes: 3, N: 1}, {Minutes: 10, N: 1}}, [3]time.Duration{1 * time.Minute, 2 * time.Minute, 4 * time.Minute}}, // 1.75 2.5 4.75
		{store.Times{{Minutes: 10, N: 3}, {Minutes: 100, N: 2}}, [3]time.Duration{10 * time.Minute, 10 * time.Minute, 100 * time.Minute}},
		{store.Times{{Minutes: 60, N: 2}, {Minutes: 600, N: 4}, {Minutes: 6000, N: 1}}, [3]time.Duration{330 * time.Minute, 600 * time.Minute, 600 * time.Minute}},
	} {
		got := [3]time.Duration{c.times.Quantile(0.25), c.times.Quantile(0.5), c.times.Quantile(0.75)}
		if got != c.want {
			e.Errorf("quartiles of %s: %v, want %v", fmt.Sprint(c.times), got, c.want)
		}
	}
}
