package storetest

import (
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/store"
)

// narrow holds every selection of the queue, in both orders and page by page,
// against the same selection made here of all cases.
func narrow(e *env) {
	saule := rempart.Staff{ID: "saule", Login: "saule", Alias: "Saule", Role: rempart.RoleAnalyst, CreatedAt: e.now()}
	e.ok(e.db.PutStaff(e.ctx, saule, ""))
	minors, late, mine := map[string]bool{}, map[string]bool{}, map[string]bool{}
	threats := map[string]bool{}
	for i := range 36 {
		s := e.submission()
		if i%3 == 0 {
			s.Report.Age = rempart.AgeSaidUnder15
			s.Case = rempart.OpenCase(s.Report)
		}
		_, c, _, err := e.db.Submit(e.ctx, s)
		e.ok(err)
		minors[c.Ref] = i%3 == 0
		threats[c.Ref] = i%7 == 0
		e.update(c.ID, func(c *rempart.Case) error {
			if i%7 == 0 {
				c.Facts.Threat = rempart.ThreatMoney
			}
			return e.propose(c, rempart.Priority(1+i%4))
		})
		e.update(c.ID, func(c *rempart.Case) error {
			c.Clocks = append(c.Clocks, rempart.Clock{ID: rempart.NewID(e.now()), Await: rempart.AwaitOwn, Basis: rempart.BasisOwn, State: rempart.ClockRunning, DueAt: e.now()})
			if i%5 == 0 {
				c.Clocks[0].State = rempart.ClockMissed
			}
			return c.Take(saule, e.now())
		})
		late[c.Ref], mine[c.Ref] = i%5 == 0, true
		if i%2 == 0 {
			e.update(c.ID, func(c *rempart.Case) error { return c.GiveBack("Saule", e.now()) })
			mine[c.Ref] = false
		}
	}
	all, _, err := e.db.Queue(e.ctx, store.QueueFilter{Limit: 200})
	e.ok(err)
	if len(all) != 36 {
		e.Fatalf("%d cases, want 36", len(all))
	}
	host := all[0].Services[0]
	tried := 0
	for bits := range 1 << 7 {
		on := func(n int) bool { return bits>>n&1 == 1 }
		f := store.QueueFilter{Limit: 2, Minor: on(0), Late: on(1), Nobody: on(2)}
		if on(3) {
			f.With = saule.ID
		}
		if on(4) {
			f.Priority = rempart.PriorityHigh
		}
		if on(5) {
			f.Service, f.States = " "+host+" ", []rempart.CaseState{rempart.CaseOpen}
		}
		if on(6) {
			f.Not = rempart.ThemesOf(rempart.ThemeMinors, rempart.ThemeThreat)
		}
		want := []string{}
		for _, r := range all {
			if (!on(0) || minors[r.Ref]) && (!on(1) || late[r.Ref]) && (!on(2) || !mine[r.Ref]) && (!on(3) || mine[r.Ref]) && (!on(4) || r.Priority == rempart.PriorityHigh) && (!on(6) || !minors[r.Ref] && !threats[r.Ref]) {
				want = append(want, r.Ref)
			}
		}
		for name, list := range map[string]func(store.QueueFilter) ([]store.CaseRow, string, error){
			"by priority": func(f store.QueueFilter) ([]store.CaseRow, string, error) { return e.db.Queue(e.ctx, f) },
			"by clock":    func(f store.QueueFilter) ([]store.CaseRow, string, error) { return e.db.QueueByClock(e.ctx, f) },
		} {
			got, want, f := []string{}, slices.Clone(want), f
			for {
				rows, next, err := list(f)
				e.ok(err)
				for _, r := range rows {
					got = append(got, r.Ref)
				}
				if f.After = next; next == "" {
					break
				}
			}
			if name == "by clock" { // another order
				slices.Sort(got)
				slices.Sort(want)
			}
			if d := cmp.Diff(want, got); d != "" {
				e.Errorf("%s, selection %07b (-want +got):\n%s", name, bits, d)
			}
			tried += len(got)
		}
	}
	if tried < 500 {
		e.Errorf("only %d rows came", tried)
	}
	for _, r := range all {
		if want := map[bool]rempart.Actor{true: "Saule", false: ""}[mine[r.Ref]]; r.Assigned != want {
			e.Errorf("%s is with %q, want %q", r.Ref, r.Assigned, want)
		}
	}
	// A change of priority or state moves a case in every selection.
	e.update(all[0].ID, func(c *rempart.Case) error {
		c.Priority = rempart.PriorityLow
		return c.Take(saule, e.now())
	})
	rows, _, err := e.db.Queue(e.ctx, store.QueueFilter{With: saule.ID, Priority: rempart.PriorityLow, Limit: 200})
	e.ok(err)
	if !slices.ContainsFunc(rows, func(r store.CaseRow) bool { return r.ID == all[0].ID }) {
		e.Errorf("a case that became less urgent is not among those")
	}
}

// alike finds cases about the same, and who looks at one.
func alike(e *env) {
	a, b, c := e.submission(), e.submission(), e.submission()
	b.Report.Addresses = a.Report.Addresses
	b.Case = rempart.OpenCase(b.Report)
	c.Report.Media = b.Report.Media
	c.Case = rempart.OpenCase(c.Report)
	lone := e.submission()
	var ids []string
	for _, s := range []store.Submission{a, b, c, lone} {
		_, saved, _, err := e.db.Submit(e.ctx, s)
		e.ok(err)
		ids = append(ids, saved.ID)
	}
	got, err := e.db.Alike(e.ctx, ids, 0)
	e.ok(err)
	both := []string{a.Case.Ref, c.Case.Ref}
	slices.Sort(both)
	if d := cmp.Diff(map[string][]string{ids[0]: {b.Case.Ref}, ids[1]: both, ids[2]: {b.Case.Ref}}, got); d != "" {
		e.Errorf("(-want +got):\n%s", d)
	}
	look := func(id string, who rempart.Actor) {
		e.ok(e.db.Commit(e.ctx, "", rempart.Consequences{Events: []rempart.Event{{Kind: "case.viewed", Subject: id, Actor: who, At: e.now()}}}))
	}
	look(ids[0], "Saule")
	e.advance(1e9)
	from := e.now()
	look(ids[0], "Aulne")
	look(ids[1], "Tilleul")
	e.advance(1e9)
	look(ids[0], "Frêne")
	look(ids[0], "Aulne")
	seen, err := e.db.Lookers(e.ctx, ids[:1], from)
	e.ok(err)
	if want := fmt.Sprint(map[string][]rempart.Actor{ids[0]: {"Aulne", "Frêne"}}); fmt.Sprint(seen) != want {
		e.Errorf("%v, want %s", seen, want)
	}
	// Views are each member's own.
	for _, id := range []string{"saule", "aulne"} {
		e.ok(e.db.PutStaff(e.ctx, rempart.Staff{ID: id, Login: id, Alias: rempart.Actor(id), Role: rempart.RoleAnalyst, CreatedAt: e.now()}, ""))
	}
	for i := range store.MaxViews {
		e.ok(e.db.SaveView(e.ctx, "saule", store.View{Name: fmt.Sprintf("vue %02d", i), Query: "who=me"}))
	}
	e.ok(e.db.SaveView(e.ctx, "saule", store.View{Name: "vue 00", Query: "late=1"}))
	e.kind(e.db.SaveView(e.ctx, "saule", store.View{Name: "une de trop", Query: "late=1"}), rempart.Conflict)
	e.kind(e.db.SaveView(e.ctx, "saule", store.View{Name: " ", Query: "late=1"}), rempart.Invalid)
	e.ok(e.db.DropView(e.ctx, "saule", "vue 01"))
	views, err := e.db.Views(e.ctx, "saule")
	e.ok(err)
	if len(views) != store.MaxViews-1 || views[0] != (store.View{Name: "vue 00", Query: "late=1"}) {
		e.Errorf("%v", views)
	}
	if views, err := e.db.Views(e.ctx, "aulne"); err != nil || len(views) != 0 {
		e.Errorf("another's: %v, %v", views, err)
	}
}
