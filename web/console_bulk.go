package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"rempart"
)

// A bulkView is one act on many cases: before it is planned, what would happen to
// each; afterwards, what happened.
type bulkView struct {
	ID      string // "" before it is planned
	Act     rempart.BulkAct
	To      string // identifier
	ToAlias rempart.Actor
	Reason  string
	By      rempart.Actor
	RunAt   time.Time
	Rows    []bulkRow
	Good    int // cases it can be done to; afterwards, on which it waits or was done
	Waiting int
	Back    string
}

// A bulkRow is one case of it.
type bulkRow struct {
	Ref, Summary string
	State        string // "good", "refused"; then "waiting", "done", "undone", "refused"
	Why          string
}

// BulkActs lists the acts, for templates.
func (p page) BulkActs() []rempart.BulkAct { return rempart.BulkActs }

// mayBulk tells whether a member may act on many cases: the right to do so is
// worth nothing without that to work on one.
func mayBulk(m rempart.Staff) bool { return m.May(rempart.RightBulk) && m.May(rempart.RightWork) }

// bulkDoor lets pass who may act on many cases; the refusal of others is recorded.
func (s *Server) bulkDoor(w http.ResponseWriter, r *http.Request) bool {
	if m, _ := staffOf(r); mayBulk(m) {
		return true
	}
	if err := s.viewed(r, "access.refused", "page", r.Pattern); err != nil {
		s.fail(w, r, "console", err)
		return false
	}
	s.fail(w, r, "console", &rempart.Error{Kind: rempart.Forbidden, Code: "staff.role", Public: "Your role does not open this page."})
	return false
}

// bulkPost reads an act on the cases that were ticked: with plan=yes it is
// planned, else it is previewed.
func (s *Server) bulkPost(w http.ResponseWriter, r *http.Request) {
	m, _ := staffOf(r)
	if !s.bulkDoor(w, r) {
		return
	}
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	v, to, cases, err := s.bulkView(r, m)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	p := s.consolePage(r)
	if r.PostForm.Get("plan") != "yes" || v.Good == 0 {
		p.Title, p.Data = p.T("bulk.title"), v
		s.render(w, r, http.StatusOK, "console/bulk", p)
		return
	}
	now := s.Now()
	plan := rempart.Planned{ID: rempart.NewID(now), Act: v.Act, To: to.ID, Reason: v.Reason, ByID: m.ID, By: m.Alias, RunAt: now.Add(rempart.BulkWindow)}
	// The list first: whoever is killed half-way finds on the act's page which
	// cases it reached.
	what := rempart.Consequences{}
	for _, c := range cases {
		what.Events = append(what.Events, rempart.Event{Kind: "bulk.case", Subject: plan.ID, Actor: m.Alias, At: now,
			Data: map[string]string{"case": c.ID, "act": string(plan.Act), "until": plan.RunAt.UTC().Format(time.RFC3339Nano)}})
	}
	if err := s.DB.Commit(r.Context(), "", what); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	for _, c := range cases {
		err := s.DB.UpdateCase(r.Context(), c.ID, "", func(c *rempart.Case) error { return c.Plan(plan, now) })
		switch rempart.KindOf(err) {
		case rempart.Conflict, rempart.NotFound: // said on the act's page: nothing waits there
			continue
		}
		if err != nil {
			s.fail(w, r, "console", err)
			return
		}
	}
	http.Redirect(w, r, withLang(r, "/console/bulk/"+plan.ID+"?ok=bulk_planned"), http.StatusSeeOther)
}

// bulkView tries an act on each case that was ticked, and saves nothing. cases are
// those that it can be done to.
func (s *Server) bulkView(r *http.Request, m rempart.Staff) (v bulkView, to rempart.Staff, cases []*rempart.Case, err error) {
	p := s.consolePage(r)
	v = bulkView{Act: rempart.BulkAct(r.PostForm.Get("act")), To: r.PostForm.Get("to"), Reason: plainText(r.PostForm.Get("reason")), By: m.Alias, Back: p.URL("/console/")}
	refs := slices.Clone(r.PostForm["case"])
	slices.Sort(refs)
	refs = slices.Compact(refs)
	switch {
	case !slices.Contains(rempart.BulkActs, v.Act):
		return v, to, nil, &rempart.Error{Kind: rempart.Invalid, Field: "act", Code: "bulk.act", Public: "Choose what is to be done."}
	case len(refs) == 0:
		return v, to, nil, &rempart.Error{Kind: rempart.Invalid, Field: "case", Code: "bulk.none", Public: "Tick at least one case in the queue."}
	case len(refs) > rempart.MaxBulk:
		return v, to, nil, &rempart.Error{Kind: rempart.TooLarge, Code: "bulk.many", Args: []any{rempart.MaxBulk}, Public: "Tick at most 200 cases."}
	}
	if v.Act == rempart.BulkHand {
		staff, err := s.DB.AllStaff(r.Context())
		if err != nil {
			return v, to, nil, err
		}
		for _, o := range staff {
			if o.ID == v.To {
				to = o
			}
		}
		v.ToAlias = to.Alias
	}
	who := to
	if v.Act == rempart.BulkTake {
		who = m
	}
	not, err := s.DB.Spared(r.Context(), who)
	if err != nil {
		return v, to, nil, err
	}
	for _, ref := range refs {
		c, err := s.DB.CaseByRef(r.Context(), rempart.ParseRef(ref))
		if rempart.KindOf(err) == rempart.NotFound && err != nil {
			v.Rows = append(v.Rows, bulkRow{Ref: ref, State: "refused", Why: remarksOf(p, err)[0].Text})
			continue
		}
		if err != nil {
			return v, to, nil, err
		}
		if c.Facts.Themes()&m.Barred() != 0 {
			v.Rows = append(v.Rows, bulkRow{Ref: ref, State: "refused", Why: remarksOf(p, rempart.ErrOutside())[0].Text})
			continue
		}
		row := bulkRow{Ref: c.Ref, State: "good", Summary: p.Pill("case", c.State).Text + ", " + p.Pill("priority", c.Priority).Text}
		if c.Assigned != nil {
			row.Summary += ", " + p.T("bulk.with", c.Assigned.Alias)
		}
		if err = tryAct(*c, v.Act, m, to, v.Reason, s.Now()); err == nil && c.Facts.Themes()&not != 0 && (v.Act == rempart.BulkHand || v.Act == rempart.BulkTake) {
			err = rempart.ErrOutside()
		}
		if c.Planned != nil {
			err = (&rempart.Case{Planned: c.Planned}).Plan(rempart.Planned{Act: v.Act}, s.Now())
		}
		if err != nil {
			rs := remarksOf(p, err)
			if len(rs) == 0 {
				return v, to, nil, err
			}
			row.State, row.Why = "refused", rs[0].Text
		} else {
			cases = append(cases, c)
			v.Good++
		}
		v.Rows = append(v.Rows, row)
	}
	return v, to, cases, nil
}

// tryAct says whether an act could be done to a case, which it changes.
func tryAct(c rempart.Case, act rempart.BulkAct, by, to rempart.Staff, reason string, at time.Time) error {
	return c.Perform(act, by, to, reason, at)
}

// bulkShow says what became of an act on many cases.
func (s *Server) bulkShow(w http.ResponseWriter, r *http.Request) {
	if !s.bulkDoor(w, r) {
		return
	}
	v, err := s.planned(r, r.PathValue("id"))
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	p := s.consolePage(r)
	p.Title, p.Data = p.T("bulk.title"), v
	s.render(w, r, http.StatusOK, "console/bulk", p)
}

// planned reads an act from what the ledger says of it and from its cases.
func (s *Server) planned(r *http.Request, id string) (v bulkView, err error) {
	ctx, p := r.Context(), s.consolePage(r)
	events, err := s.DB.Events(ctx, id)
	if err != nil {
		return v, err
	}
	v = bulkView{ID: id, Back: p.URL("/console/")}
	for _, e := range events {
		if e.Kind != "bulk.case" {
			continue
		}
		v.Act, v.By = rempart.BulkAct(e.Data["act"]), e.Actor
		v.RunAt, _ = time.Parse(time.RFC3339Nano, e.Data["until"])
		row := bulkRow{State: "undone"}
		c, err := s.DB.Case(ctx, e.Data["case"])
		if err != nil && rempart.KindOf(err) == rempart.NotFound {
			row.Ref, row.State, row.Why = "–", "refused", remarksOf(p, err)[0].Text
			v.Rows = append(v.Rows, row)
			continue
		}
		if err != nil {
			return v, err
		}
		if m, _ := staffOf(r); c.Facts.Themes()&m.Barred() != 0 {
			row.Ref, row.State, row.Why = "–", "refused", remarksOf(p, rempart.ErrOutside())[0].Text
			v.Rows = append(v.Rows, row)
			continue
		}
		row.Ref, row.Summary = c.Ref, p.Pill("case", c.State).Text
		if c.Due(id) != nil {
			row.State, v.Reason, v.To = "waiting", c.Planned.Reason, c.Planned.To
			v.Waiting++
			v.Rows = append(v.Rows, row)
			continue
		}
		history, err := s.DB.Events(ctx, c.ID)
		if err != nil {
			return v, err
		}
		known := false
		for _, h := range history {
			if h.Data["bulk"] != id {
				continue
			}
			known = true
			switch h.Kind {
			case "bulk.done":
				row.State = "done"
			case "bulk.refused":
				row.State, row.Why = "refused", p.sentence("err."+h.Data["why"], p.T("bulk.refused.why"))
			}
		}
		if !known { // another act was planned on it first
			row.State, row.Why = "refused", p.T("err.bulk.planned")
		}
		if row.State == "done" {
			v.Good++
		}
		v.Rows = append(v.Rows, row)
	}
	if len(v.Rows) == 0 {
		return v, &rempart.Error{Kind: rempart.NotFound, Code: "bulk.missing", Public: "There is no such act on many cases."}
	}
	slices.SortFunc(v.Rows, func(a, b bulkRow) int { return strings.Compare(a.Ref, b.Ref) })
	return v, nil
}

// bulkUndo takes an act back on every case that it still waits on.
func (s *Server) bulkUndo(w http.ResponseWriter, r *http.Request) {
	if !s.bulkDoor(w, r) {
		return
	}
	m, _ := staffOf(r)
	id := r.PathValue("id")
	events, err := s.DB.Events(r.Context(), id)
	undone := 0
	for _, e := range events {
		if err != nil || e.Kind != "bulk.case" {
			break
		}
		err = s.DB.UpdateCase(r.Context(), e.Data["case"], "", func(c *rempart.Case) error {
			if c.Facts.Themes()&m.Barred() != 0 {
				return rempart.ErrOutside()
			}
			return c.Unplan(id, m.Alias, s.Now())
		})
		switch rempart.KindOf(err) {
		case rempart.Conflict, rempart.NotFound, rempart.Forbidden:
			err = nil
			continue
		}
		undone++
	}
	if err == nil && undone == 0 {
		err = (&rempart.Case{}).Unplan(id, m.Alias, s.Now())
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	http.Redirect(w, r, withLang(r, "/console/bulk/"+url.PathEscape(id)+"?ok=bulk_undone"), http.StatusSeeOther)
}

// Clock returns the time of the day in Paris to the second.
func (p page) Clock(t time.Time) string {
	if p.Lang == "en" {
		return t.In(paris).Format("15:04:05")
	}
	return t.In(paris).Format("15\u00a0h\u00a004\u00a0min\u00a005\u00a0s")
}
