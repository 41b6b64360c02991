package web

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"rempart"
)

// A listsView is what somebody has to decide about fingerprints, what was decided,
// and the lists with their policies.
type listsView struct {
	At    string // the page's own address
	May   bool
	Lacks []lackView
	Open  []listTaskView
	Done  []listTaskView
	Lists []policyView
}

type listTaskView struct {
	rempart.ListTask
	List      string
	Short     string // the fingerprint's first digits
	Cases     []string
	Elsewhere bool // entries of others' lists have it
	Who       string
	Said      []saidView
	Can       []rempart.TaskDecision
	Opened    string
	Decided   string
}

// A lackView is a list of others that waits for somebody before most of it is
// withdrawn.
type lackView struct {
	rempart.SourceLack
	Name, Day string
}

// lackPrefix begins what stands in an address for such a list.
const lackPrefix = "lack."

type saidView struct {
	Name, Value, Day string
	Tags             []string
}

type policyView struct {
	Name, Threshold, Share, Flood string
	Action                        rempart.Action
	Days                          int
	LookupOnly                    bool
}

// listTasksShown is how many tasks a page shows, and how many of those decided.
const (
	listTasksShown = 50
	listTasksDone  = 10
)

// listTasks shows the fingerprints that wait for a decision: on a hub at
// /console/lists, on a platform at /console/matches.
func (s *Server) listTasks(w http.ResponseWriter, r *http.Request) {
	p := s.consolePage(r)
	hub := r.URL.Path == "/console/lists"
	right := rempart.RightModerate
	if hub {
		right = rempart.RightWork
	}
	v := listsView{At: r.URL.Path, May: p.Staff.May(right)}
	peers, err := s.DB.Peers(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	names := map[string]string{}
	for _, x := range peers {
		names[x.ID] = x.Name
	}
	lacks, err := s.DB.HeldSweeps(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	for _, l := range lacks {
		name := cmp.Or(names[l.Of], strings.TrimPrefix(l.Of, rempart.Source{}.ID()))
		v.Lacks = append(v.Lacks, lackView{l, name, p.Date(l.Since)})
	}
	for _, part := range []struct {
		open bool
		n    int
		to   *[]listTaskView
	}{{true, listTasksShown, &v.Open}, {false, listTasksDone, &v.Done}} {
		tasks, err := s.DB.ListTasks(r.Context(), part.open, part.n)
		if err != nil {
			s.fail(w, r, "console", err)
			return
		}
		for _, k := range tasks {
			row, err := s.listTask(r, p, k, names, hub)
			if err != nil {
				s.fail(w, r, "console", err)
				return
			}
			*part.to = append(*part.to, row)
		}
	}
	set, err := s.DB.ListPolicies(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	for _, l := range append(rempart.Lists[:len(rempart.Lists):len(rempart.Lists)], rempart.Harmless) {
		l = l.Under(set[l.ID])
		x := policyView{Name: l.Name.In(p.Lang), Threshold: strconv.Itoa(l.Threshold), Action: l.Action, Days: l.Policy.ExpiryDays, LookupOnly: l.Policy.LookupOnly, Share: hundredths(1), Flood: hundredths(l.Flood())}
		if l.ID == rempart.ListHarmless {
			x.LookupOnly, x.Flood = true, "0"
		}
		if l.Policy.Share != nil {
			x.Share = hundredths(*l.Policy.Share)
		}
		v.Lists = append(v.Lists, x)
	}
	p.Title, p.Data = p.T("lists.title"), v
	s.render(w, r, http.StatusOK, "console/lists", p)
}

// hundredths writes a share as a number of percent.
func hundredths(share float64) string { return strconv.FormatFloat(share*100, 'g', 4, 64) }

func (s *Server) listTask(r *http.Request, p page, k rempart.ListTask, names map[string]string, hub bool) (v listTaskView, err error) {
	v = listTaskView{ListTask: k, List: k.List, Short: k.Fingerprint.Value, Who: k.Peer, Opened: p.Date(k.OpenedAt)}
	if l, ok := rempart.ListByID(k.List); ok {
		v.List = l.Name.In(p.Lang)
	}
	if k.Fingerprint.Type == rempart.VPDQ {
		v.Short = k.Fingerprint.Key()
	}
	v.Short = v.Short[:min(16, len(v.Short))]
	if n := names[k.Peer]; n != "" {
		v.Who = n
	}
	if k.Decision != "" {
		v.Decided = p.Date(k.DecidedAt)
		return v, nil
	}
	_, entries, err := s.DB.ListTask(r.Context(), k.ID)
	if err != nil {
		return v, err
	}
	seen := map[string]bool{}
	for _, c := range entries {
		if v.Elsewhere = v.Elsewhere || c.Peer != ""; hub && c.Peer == "" && c.Entry.CaseRef != "" && !seen[c.Entry.CaseRef] {
			seen[c.Entry.CaseRef] = true
			v.Cases = append(v.Cases, c.Entry.CaseRef)
		}
	}
	opinions, err := s.DB.Opinions(r.Context(), []rempart.Fingerprint{k.Fingerprint})
	if err != nil {
		return v, err
	}
	for _, o := range opinions {
		v.Said = append(v.Said, saidView{o.Name, o.Value, p.Date(o.At), o.Tags})
	}
	silence, err := s.Flow.SeenOf(r.Context(), k)
	v.Can = k.Decisions(len(silence) > 0)
	return v, err
}

// listTaskPost decides on a fingerprint.
func (s *Server) listTaskPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	id, what := r.PathValue("id"), rempart.TaskDecision(r.PostForm.Get("decision"))
	said := "list_task_decided"
	var err error
	if of, ok := strings.CutPrefix(id, lackPrefix); ok {
		said = "lack_" + string(what)
		err = s.decideLack(r, of, what, m.Alias)
	} else {
		err = s.Flow.DecideListTask(r.Context(), id, what, m.Alias)
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	to := "/console/lists"
	if r.Pattern == "POST /console/matches/{id}" {
		to = "/console/matches"
	}
	done(w, r, to, said)
}

// decideLack withdraws what a list of others lacks, or lets it match.
func (s *Server) decideLack(r *http.Request, of string, what rempart.TaskDecision, by rempart.Actor) error {
	lacking, err := strconv.Atoi(r.PostForm.Get("lacking"))
	if err != nil || what != rempart.TaskKeep && what != rempart.TaskOff {
		return &rempart.Error{Kind: rempart.Invalid, Field: "decision", Code: "sweep.decision", Public: "What a source lacks is withdrawn, or goes on matching."}
	}
	return s.DB.DecideSweep(r.Context(), of, lacking, what == rempart.TaskOff, by)
}
