package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata"

	"rempart"
	"rempart/store"
)

// clockPolicy has the same terms for everything: 48 hours, a warning 12 before,
// a lead 24 after.
func clockPolicy() rempart.ClockPolicy {
	p := rempart.ClockPolicy{Pack: "pack", By: rempart.ActorSystem, Zone: "Europe/Paris"}
	for _, id := range rempart.ClockRules {
		p.Rules = append(p.Rules, rempart.ClockRule{ID: id, Basis: rempart.BasisPolicy, Within: rempart.Span{N: 48, Unit: rempart.Hours},
			WarnBefore: rempart.Span{N: 12, Unit: rempart.Hours}, EscalateAfter: rempart.Span{N: 24, Unit: rempart.Hours}})
	}
	return p
}

func clockPolicies(e *env) {
	if p, cal, err := e.db.ClockPolicy(e.ctx); err != nil || p.Version != 0 || cal.Zone != time.UTC {
		e.Errorf("a store without a policy: %+v, %v", p, err)
	}
	bad := clockPolicy()
	bad.Rules[0].Within = rempart.Span{}
	_, err := e.db.SaveClockPolicy(e.ctx, bad, 0)
	e.kind(err, rempart.Invalid)
	bad = clockPolicy()
	bad.Zone = "Europe/Nulle part"
	_, err = e.db.SaveClockPolicy(e.ctx, bad, 0)
	e.kind(err, rempart.Invalid)
	// Of eight that change the same version, one does.
	won := 0
	for _, err := range together(8, func(i int) error {
		p := clockPolicy()
		p.By = rempart.Actor(fmt.Sprint("admin-", i))
		_, err := e.db.SaveClockPolicy(e.ctx, p, 0)
		return err
	}) {
		if err == nil {
			won++
		} else {
			e.kind(err, rempart.Conflict)
		}
	}
	all, err := e.db.ClockPolicies(e.ctx)
	e.ok(err)
	if won != 1 || len(all) != 1 || all[0].Version != 1 || !all[0].At.Equal(e.now()) {
		e.Errorf("%d won, versions %+v", won, all)
	}
	next := clockPolicy()
	next.Local = true
	v, err := e.db.SaveClockPolicy(e.ctx, next, 1)
	e.ok(err)
	p, cal, err := e.db.ClockPolicy(e.ctx)
	e.ok(err)
	if v != 2 || p.Version != 2 || !cal.Local || cal.Zone.String() != "Europe/Paris" {
		e.Errorf("version %d, then %+v", v, p)
	}
	events, err := e.db.Events(e.ctx, "clock-policy")
	e.ok(err)
	if len(events) != 1 || events[0].Kind != "clock_policy.changed" || events[0].Data["version"] != "2" {
		e.Errorf("events %+v", events)
	}
	e.check()
}

// clocks: each change winds the clocks of its case; the tables follow the
// document.
func clocks(e *env) {
	_, err := e.db.SaveClockPolicy(e.ctx, clockPolicy(), 0)
	e.ok(err)
	var ids []string
	for range 7 {
		c := e.submitted()
		e.update(c.ID, func(c *rempart.Case) error { return e.propose(c, 2) })
		ids = append(ids, c.ID)
		e.advance(time.Hour)
	}
	near, err := e.db.NearestClocks(e.ctx, ids)
	e.ok(err)
	c, err := e.db.Case(e.ctx, ids[0])
	e.ok(err)
	if len(near) != 7 || len(c.Clocks) != 1 || near[ids[0]].ID != c.Clocks[0].ID || !near[ids[0]].DueAt.Equal(c.OpenedAt.Add(48*time.Hour)) {
		e.Fatalf("clocks %+v, nearest %+v", c.Clocks, near[ids[0]])
	}
	// The queue by clock has each case once, over its pages.
	var got []string
	for f := (store.QueueFilter{Limit: 3, States: []rempart.CaseState{rempart.CaseOpen, rempart.CaseActive}}); ; {
		rows, next, err := e.db.QueueByClock(e.ctx, f)
		e.ok(err)
		for _, r := range rows {
			got = append(got, r.ID)
		}
		if f.After = next; next == "" {
			break
		}
	}
	if !slices.Equal(got, ids) {
		e.Errorf("queue by clock: %v, want %v", got, ids)
	}
	if rows, _, err := e.db.QueueByClock(e.ctx, store.QueueFilter{States: []rempart.CaseState{rempart.CaseClosed}}); err != nil || len(rows) != 0 {
		e.Errorf("closed cases by clock: %v, %v", rows, err)
	}
	// A clock set by hand that ends before the others takes their place.
	soon := e.now().Add(time.Hour)
	e.update(ids[6], func(c *rempart.Case) error { return c.AddClock("rappeler", soon, "analyst-1", e.now()) })
	rows, _, err := e.db.QueueByClock(e.ctx, store.QueueFilter{Limit: 1})
	e.ok(err)
	if len(rows) != 1 || rows[0].ID != ids[6] {
		e.Errorf("the first by clock is %+v", rows)
	}
	// What is due is found, once it is, and no more once it has happened.
	if due, err := e.db.DueClocks(e.ctx, 10); err != nil || len(due) != 0 {
		e.Errorf("due already: %v, %v", due, err)
	}
	e.advance(36 * time.Hour)
	due, err := e.db.DueClocks(e.ctx, 10)
	e.ok(err)
	if len(due) != 7 {
		e.Errorf("%d cases have clocks due, want 7", len(due))
	}
	_, cal, err := e.db.ClockPolicy(e.ctx)
	e.ok(err)
	// Eight at once let the same clock run down: it is warned of once.
	for _, err := range together(8, func(int) error {
		return e.db.UpdateCase(e.ctx, ids[0], "", func(c *rempart.Case) error { c.Tick(cal, e.now()); return nil })
	}) {
		e.ok(err)
	}
	warned := 0
	events, err := e.db.Events(e.ctx, ids[0])
	e.ok(err)
	for _, ev := range events {
		if ev.Kind == "clock.warned" {
			warned++
		}
	}
	if warned != 1 {
		e.Errorf("warned %d times", warned)
	}
	risk, err := e.db.ClocksAtRisk(e.ctx)
	e.ok(err)
	if risk[rempart.ClockWarned] != 1 || len(risk) != 1 {
		e.Errorf("at risk: %v", risk)
	}
	list, more, err := e.db.Clocks(e.ctx, store.ClockFilter{From: e.now(), Live: true, Limit: 2})
	e.ok(err)
	if len(list) != 2 || !more || list[0].DueAt.Before(e.now()) {
		e.Errorf("clocks from now: %+v, more %v", list, more)
	}
	list, _, err = e.db.Clocks(e.ctx, store.ClockFilter{AtRisk: true})
	e.ok(err)
	if len(list) != 1 || list[0].CaseID != ids[0] || list[0].Ref == "" {
		e.Errorf("clocks at risk: %+v", list)
	}
	// An act ends the first look, and its row is no longer live.
	e.update(ids[0], func(c *rempart.Case) error { return c.DropItem(c.Items[0].ID, "a reason", "analyst-1", e.now()) })
	if near, err := e.db.NearestClocks(e.ctx, ids[:1]); err != nil || len(near) != 0 {
		e.Errorf("after the act: %+v, %v", near, err)
	}
	// Nothing is left of a case that is erased.
	e.update(ids[0], func(c *rempart.Case) error {
		for _, i := range c.Items {
			if !i.State.Settled() {
				if err := c.DropItem(i.ID, "a reason", "analyst-1", e.now()); err != nil {
					return err
				}
			}
		}
		if err := c.AddClock("rappeler", soon.Add(99*time.Hour), "analyst-1", e.now()); err != nil {
			return err
		}
		return c.Close("a reason", "analyst-1", e.now())
	})
	e.ok(e.db.EraseCase(e.ctx, ids[0], rempart.Erasure{Why: rempart.EraseOrdered, By: "admin-1", At: e.now(), Reason: "a reason"}))
	all, _, err := e.db.Clocks(e.ctx, store.ClockFilter{})
	e.ok(err)
	for _, r := range all {
		if r.CaseID == ids[0] {
			e.Errorf("a clock outlives its case: %+v", r)
		}
	}
	e.ok(e.db.DropClocks(e.ctx, ids[0]))
	// A change that fails leaves no clock behind.
	stop := errors.New("stop")
	if err := e.db.UpdateCase(e.ctx, ids[1], "", func(c *rempart.Case) error {
		if err := c.AddClock("rien", soon.Add(99*time.Hour), "analyst-1", e.now()); err != nil {
			return err
		}
		return stop
	}); !errors.Is(err, stop) {
		e.Errorf("a change that fails: %v", err)
	}
	if c, err := e.db.Case(e.ctx, ids[1]); err != nil || len(c.Clocks) != 1 {
		e.Errorf("clocks %+v, %v", c.Clocks, err)
	}
	e.check()
}
