package storetest

import (
	"time"

	"rempart"
	"rempart/store"
)

// rest holds what somebody opened, each case once and from a time on, and what
// she set for herself.
func rest(e *env) {
	m := rempart.Staff{ID: "saule", Login: "saule", Alias: "Saule", Role: rempart.RoleAnalyst, CreatedAt: e.now()}
	e.ok(e.db.PutStaff(e.ctx, m, ""))
	if r, err := e.db.Rest(e.ctx, m.ID); err != nil || r.Minors != 0 || r.Without != 0 {
		e.Errorf("nothing was set: %+v, %v", r, err)
	}
	e.ok(e.db.SaveRest(e.ctx, m.ID, store.Rest{Minors: 5, Without: rempart.ThemesOf("anything", "minors")}))
	e.ok(e.db.SaveRest(e.ctx, m.ID, store.Rest{Minors: 4, Without: rempart.ThemesOf("anything", "minors")}))
	if r, err := e.db.Rest(e.ctx, m.ID); err != nil || r.Minors != 4 || r.Without != rempart.ThemesOf(rempart.ThemeMinors) {
		e.Errorf("set: %+v, %v", r, err)
	}
	adult := e.submitted()
	r := e.report()
	r.ID, r.CaseID, r.Age = rempart.NewID(e.now()), rempart.NewID(e.now()), rempart.AgeSaidUnder15
	minor := rempart.OpenCase(r)
	_, _, _, err := e.db.Submit(e.ctx, store.Submission{Report: r, Case: minor})
	e.ok(err)
	look := func(who rempart.Actor, id string) {
		e.ok(e.db.Commit(e.ctx, "", rempart.Consequences{Events: []rempart.Event{{Kind: "case.viewed", Subject: id, Actor: who, At: e.now()}}}))
	}
	start := e.now()
	look("Saule", adult.ID)
	look("Saule", minor.ID)
	look("Aulne", minor.ID)
	e.advance(time.Hour)
	look("Saule", minor.ID)
	for _, c := range []struct {
		who  rempart.Actor
		from time.Time
		want store.Exposure
	}{
		{"Saule", start, store.Exposure{Cases: 2, Minors: 1}}, {"Saule", start.Add(time.Minute), store.Exposure{Cases: 1, Minors: 1}},
		{"Saule", e.now().Add(time.Minute), store.Exposure{}}, {"Aulne", start, store.Exposure{Cases: 1, Minors: 1}}, {"Orme", start, store.Exposure{}},
	} {
		if got, err := e.db.Exposure(e.ctx, c.who, c.from); err != nil || got != c.want {
			e.Errorf("%s from %v: %+v, %v, want %+v", c.who, c.from, got, err, c.want)
		}
	}
}
