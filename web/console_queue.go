package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"rempart"
	"rempart/store"
)

// A queueView is the queue of cases.
type queueView struct {
	Tabs    []tab
	Rows    []queueRow
	Next    string // address of the next page, "" on the last
	First   string // address of the first page, "" on it
	Open    int    // cases that are not closed
	Waiting int    // jobs that wait or are under way
	Dead    int    // jobs given to a human, such as a delivery that gave up
	Mails   int    // e-mails of which nobody knows yet what they are about
	Sorts   []tab  // the orders it can be in
	ByClock bool
	AtRisk  int // clocks whose end is near or past
	Lists   int // fingerprints that wait for a decision
	Filter  filterView
	Quick   []tab // views that everybody has
	Kept    []tab // views that she kept
	Start   string
	Bulk    bool           // she may act on many cases at once
	Not     rempart.Themes // themes that are not hers, and not in it
	Others  []option       // to whom cases can be handed over
}

// A filterView is what the queue is narrowed by, as the form shows it.
type filterView struct {
	Priority, Who, Service string
	Minor, Late, Heard     bool
	Any                    bool   // it is narrowed by something
	Query                  string // all of it, the state and order included, to be kept
	Hidden                 []option
	Clear                  string
}

// A queueRow is one case in the queue, in words.
type queueRow struct {
	store.CaseRow
	Age     string
	Clock   *queueClock     // nil: none
	Looking []rempart.Actor // others who opened it a moment ago
	Alike   []string        // references of cases with an address or fingerprint that is the same
	Folded  bool            // one of them stands above it
}

// lookingFor is how long after opening a case somebody is said to look at it.
const lookingFor = 10 * time.Minute

// live are the states of a case on which somebody is expected to act.
var live = []rempart.CaseState{rempart.CaseNew, rempart.CaseOpen, rempart.CaseActive}

// queueNames are the parameters that select the queue; each page keeps them.
var queueNames = []string{"state", "priority", "who", "service", "minor", "late", "message", "sort"}

// Values of ?who=.
const (
	whoMe     = "me"
	whoNobody = "nobody"
)

// queueURL is the queue's address with the present selection and pairs of names
// and values in place of what it has of them; "" leaves one out.
func queueURL(p page, q url.Values, pairs ...string) string {
	out := url.Values{}
	for _, name := range queueNames {
		if x := q.Get(name); x != "" {
			out.Set(name, x)
		}
	}
	for k := 0; k+1 < len(pairs); k += 2 {
		if out.Del(pairs[k]); pairs[k+1] != "" {
			out.Set(pairs[k], pairs[k+1])
		}
	}
	if len(out) == 0 {
		return p.URL("/console/")
	}
	return p.URL("/console/?" + out.Encode())
}

// queueFilter reads the selection of an address for a member. What it does not
// know it leaves out.
func queueFilter(q url.Values, m rempart.Staff) (f store.QueueFilter, v filterView) {
	f.States = live
	for _, state := range rempart.CaseStates {
		if q.Get("state") == string(state) {
			f.States = []rempart.CaseState{state}
		}
	}
	if n, err := strconv.Atoi(q.Get("priority")); err == nil && n >= int(rempart.PriorityUrgent) && n <= int(rempart.PriorityLow) {
		f.Priority, v.Priority = rempart.Priority(n), strconv.Itoa(n)
	}
	switch q.Get("who") {
	case whoMe:
		f.With, v.Who = m.ID, whoMe
	case whoNobody:
		f.Nobody, v.Who = true, whoNobody
	}
	f.Minor, f.Late = q.Get("minor") == "1", q.Get("late") == "1"
	f.Heard = q.Get("message") == "1"
	f.Service = strings.TrimSpace(q.Get("service"))
	v.Minor, v.Late, v.Heard, v.Service = f.Minor, f.Late, f.Heard, f.Service
	v.Any = v.Priority != "" || v.Who != "" || v.Service != "" || v.Minor || v.Late || v.Heard
	return f, v
}

func (s *Server) queue(w http.ResponseWriter, r *http.Request) {
	v, err := s.queueView(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	p := s.consolePage(r)
	if p.Pause, err = s.pause(r.Context(), p); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	p.Title, p.Data = p.T("queue.title"), v
	s.render(w, r, http.StatusOK, "console/queue", p)
}

func (s *Server) queueView(r *http.Request) (v queueView, err error) {
	ctx, p, q := r.Context(), s.consolePage(r), r.URL.Query()
	m, _ := staffOf(r)
	counts, err := s.DB.CaseCounts(ctx)
	if err != nil {
		return v, err
	}
	jobs, err := s.DB.JobCounts(ctx)
	if err != nil {
		return v, err
	}
	v.Waiting, v.Dead = jobs["waiting"]+jobs["running"], jobs["dead"]
	if v.Mails, err = s.DB.CountMails(ctx); err != nil {
		return v, err
	}
	for _, state := range live {
		v.Open += counts[state]
	}
	filter, shown := queueFilter(q, m)
	filter.After = q.Get("after")
	if filter.Not, err = s.DB.Spared(ctx, m); err != nil {
		return v, err
	}
	v.Not = filter.Not
	v.Filter = shown
	count := func(n int) int { // of all cases: untrue of fewer
		if shown.Any || filter.Not != 0 {
			return -1
		}
		return n
	}
	v.Tabs = []tab{{Label: p.T("queue.tab.live"), URL: queueURL(p, q, "state", ""), Count: count(v.Open), Current: len(filter.States) > 1}}
	for _, state := range append(slices.Clone(live), rempart.CaseClosed) {
		v.Tabs = append(v.Tabs, tab{Label: p.T("queue.tab." + string(state)), URL: queueURL(p, q, "state", string(state)), Count: count(counts[state]),
			Current: len(filter.States) == 1 && filter.States[0] == state})
	}
	v.ByClock = q.Get("sort") == sortClock
	v.Sorts = []tab{{Label: p.T("queue.sort.priority"), URL: queueURL(p, q, "sort", ""), Current: !v.ByClock},
		{Label: p.T("queue.sort.clock"), URL: queueURL(p, q, "sort", sortClock), Current: v.ByClock}}
	list := s.DB.Queue
	if v.ByClock {
		list = s.DB.QueueByClock
	}
	rows, next, err := list(ctx, filter)
	if err != nil {
		return v, err
	}
	if v.Rows, err = s.queueRows(r, p, rows); err != nil {
		return v, err
	}
	risk, err := s.DB.ClocksAtRisk(ctx)
	if err != nil {
		return v, err
	}
	for _, n := range risk {
		v.AtRisk += n
	}
	if v.Lists, err = s.DB.OpenListTasks(ctx); err != nil {
		return v, err
	}
	v.Next, v.First = turn(r, p, next)
	if v.Bulk = mayBulk(m) && len(v.Rows) > 0; v.Bulk {
		staff, err := s.DB.AllStaff(ctx)
		if err != nil {
			return v, err
		}
		for _, o := range staff {
			if o.May(rempart.RightWork) && o.DisabledAt.IsZero() {
				v.Others = append(v.Others, option{Value: o.ID, Text: string(o.Alias)})
			}
		}
	}
	return v, s.queueViews(r, p, &v)
}

// queueRows puts rows in words: next clock, who looks, which are about the same.
func (s *Server) queueRows(r *http.Request, p page, rows []store.CaseRow) (out []queueRow, err error) {
	now := s.Now()
	m, _ := staffOf(r)
	ids := make([]string, len(rows))
	for k, row := range rows {
		ids[k] = row.ID
		out = append(out, queueRow{CaseRow: row, Age: ago(p, row.OpenedAt, now)})
	}
	if err := s.queueClocks(r, p, out); err != nil {
		return nil, err
	}
	looking, err := s.DB.Lookers(r.Context(), ids, now.Add(-lookingFor))
	if err != nil {
		return nil, err
	}
	alike, err := s.DB.Alike(r.Context(), ids, m.Barred())
	if err != nil {
		return nil, err
	}
	above := map[string]bool{}
	for k := range out {
		row := &out[k]
		row.Looking = slices.DeleteFunc(looking[row.ID], func(a rempart.Actor) bool { return a == m.Alias })
		row.Alike = alike[row.ID]
		row.Folded = slices.ContainsFunc(row.Alike, func(ref string) bool { return above[ref] })
		above[row.Ref] = true
	}
	return out, nil
}

// queueViews fills what the queue offers to narrow it: the views that everybody
// has, and those that a member kept.
func (s *Server) queueViews(r *http.Request, p page, v *queueView) error {
	m, _ := staffOf(r)
	q := r.URL.Query()
	here := queueURL(p, q)
	_, v.Filter.Query, _ = strings.Cut(queueURL(page{}, q), "?")
	v.Filter.Clear = queueURL(p, q, "priority", "", "who", "", "service", "", "minor", "", "late", "", "message", "")
	for _, name := range []string{"state", "sort", "lang"} {
		if x := q.Get(name); x != "" {
			v.Filter.Hidden = append(v.Filter.Hidden, option{Value: name, Text: x})
		}
	}
	add := func(to *[]tab, label, query string) {
		at := p.URL("/console/")
		if query != "" {
			at = p.URL("/console/?" + query)
		}
		*to = append(*to, tab{Label: label, URL: at, Count: -1, Current: at == here})
	}
	add(&v.Quick, p.T("view.all"), "")
	if m.May(rempart.RightWork) {
		add(&v.Quick, p.T("view.mine"), "who=me")
	}
	add(&v.Quick, p.T("view.nobody"), "who=nobody")
	add(&v.Quick, p.T("view.late"), "late=1")
	add(&v.Quick, p.T("view.minor"), "minor=1")
	add(&v.Quick, p.T("view.heard"), "message=1")
	kept, err := s.DB.Views(r.Context(), m.ID)
	for _, view := range kept {
		add(&v.Kept, view.Name, view.Query)
	}
	return err
}

// viewsPost keeps a view of the queue, or removes one.
func (s *Server) viewsPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	name := plainText(r.PostForm.Get("name"))
	q, err := url.ParseQuery(r.PostForm.Get("query"))
	if err != nil {
		q = nil
	}
	_, query, _ := strings.Cut(queueURL(page{}, q), "?")
	code := "view_saved"
	switch r.PostForm.Get("action") {
	case "save":
		err = s.DB.SaveView(r.Context(), m.ID, store.View{Name: name, Query: query})
	case "drop":
		code, err = "view_dropped", s.DB.DropView(r.Context(), m.ID, name)
	default:
		s.unknownAction(w, r)
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	to := "/console/?"
	if query != "" {
		to += query + "&"
	}
	http.Redirect(w, r, withLang(r, to+"ok="+code), http.StatusSeeOther)
}

// Priorities lists the priorities, the first one first.
func (p page) Priorities() []rempart.Priority {
	return []rempart.Priority{rempart.PriorityUrgent, rempart.PriorityHigh, rempart.PriorityNormal, rempart.PriorityLow}
}

// Pieces cuts the name of a service after its spaces, or a host after its dots:
// where a line may end.
func (p page) Pieces(name string) (out []string) {
	for word := range strings.SplitAfterSeq(name, " ") {
		out = append(out, strings.SplitAfter(word, ".")...)
	}
	return out
}
