package web

import (
	"context"
	"errors"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	"rempart"
	"rempart/law"
	"rempart/store"
)

// A registerView is the register of services.
type registerView struct {
	Rows    []registerRow
	Kinds   []rempart.ServiceKind
	In      rempart.Service
	Remarks []remark
	Open    bool // the form to add one is unfolded
}

type registerRow struct {
	rempart.Service
	Gone    string
	Dossier int
}

func (s *Server) register(w http.ResponseWriter, r *http.Request) {
	s.registerPage(w, r, http.StatusOK, registerView{})
}

func (s *Server) registerPage(w http.ResponseWriter, r *http.Request, status int, v registerView) {
	all, err := s.DB.Services(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	for _, x := range all {
		row := registerRow{Service: x, Gone: x.GoneSince()}
		for _, f := range x.Profile.Facts {
			if f.Kind.Dossier() {
				row.Dossier++
			}
		}
		v.Rows = append(v.Rows, row)
	}
	v.Kinds = rempart.ServiceKinds
	p := s.consolePage(r)
	p.Title, p.Data = p.T("register.title"), v
	s.render(w, r, status, "console/register", p)
}

// registerAdd adds an entry, without peer or hosts: those, by which notices find
// their way, are the administrator's.
func (s *Server) registerAdd(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	in := rempart.Service{ID: strings.TrimSpace(r.PostForm.Get("id")), CheckedAt: s.day(), Lang: "fr"}
	profileForm(r, &in)
	err := in.Check()
	if err == nil {
		_, err = s.service(r.Context(), in.ID)
		switch {
		case err == nil:
			err = rempart.Problems{{Kind: rempart.Invalid, Field: "id", Code: "service.taken", Public: "The register has an entry with this identifier already."}}
		case rempart.KindOf(err) == rempart.NotFound:
			err = s.saveService(r, in, "service.added")
		}
	}
	if rempart.KindOf(err) == rempart.Invalid {
		s.registerPage(w, r, statusOf(err), registerView{In: in, Open: true, Remarks: remarksOf(s.consolePage(r), err)})
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	done(w, r, "/console/register/"+in.ID, "service_saved")
}

func (s *Server) day() string { return s.Now().UTC().Format("2006-01-02") }

// profileForm reads what a form says of a service into it.
func profileForm(r *http.Request, s *rempart.Service) {
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	s.Name, s.Kind, s.Provenance = get("name"), rempart.ServiceKind(get("kind")), get("provenance")
	p := &s.Profile
	p.Entity, p.Versions, p.Countries, p.AgeRating, p.Price = get("entity"), get("versions"), get("countries"), get("age_rating"), get("price")
	p.Payment, p.Host, p.Store, p.StoreID, p.StoreURL = get("payment"), get("host"), get("store"), get("store_id"), get("store_url")
	p.Repository, p.ReportedBy, p.Surfaces, p.Public = get("repository"), get("reported_by"), r.PostForm["surface"], get("public") == "yes"
}

// service returns an entry of the register.
func (s *Server) service(ctx context.Context, id string) (rempart.Service, error) {
	all, err := s.DB.Services(ctx)
	if err != nil {
		return rempart.Service{}, err
	}
	if k := slices.IndexFunc(all, func(x rempart.Service) bool { return x.ID == id }); k >= 0 {
		return all[k], nil
	}
	return rempart.Service{}, &rempart.Error{Kind: rempart.NotFound, Code: "service.missing", Public: "There is no such service in the register."}
}

// saveService saves an entry with the event that says so.
func (s *Server) saveService(r *http.Request, x rempart.Service, kind string, more ...rempart.Consequences) error {
	by, _ := staffOf(r)
	c := rempart.Consequences{Events: []rempart.Event{{Kind: kind, Subject: x.ID, Actor: by.Alias, At: s.Now()}}}
	for _, m := range more {
		c.Entries, c.Events = append(c.Entries, m.Entries...), append(c.Events, m.Events...)
	}
	return s.DB.SaveService(r.Context(), x, c)
}

// A serviceView is one entry with its time line.
type serviceView struct {
	Service  rempart.Service
	Gone     string
	Line     []lineView
	Dossier  []rempart.ServiceFact
	List     law.Checklist
	Applies  bool
	Answers  []lineAnswer
	Kinds    []rempart.ServiceKind
	Facts    []rempart.ServiceFactKind
	Surfaces []string
	In       rempart.ServiceFact
	Remarks  []remark
	Today    string
}

// Covers tells whether the service is on a surface, for the form.
func (v serviceView) Covers(surface string) bool {
	return slices.Contains(v.Service.Profile.Surfaces, surface)
}

// Article returns the article that a line of the checklist is of.
func (v serviceView) Article(rule string) string {
	for _, l := range v.List.Lines {
		if l.ID == rule {
			return l.Article
		}
	}
	return rule
}

// A lineView is one line of the time line: a fact, or the notices of a day.
type lineView struct {
	Date    string
	Fact    *rempart.ServiceFact
	Notices int
}

type lineAnswer struct {
	law.ChecklistLine
	Answer *rempart.ServiceFact
}

func (s *Server) serviceShow(w http.ResponseWriter, r *http.Request) {
	x, err := s.service(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.servicePage(w, r, http.StatusOK, serviceView{Service: x})
}

func (s *Server) servicePage(w http.ResponseWriter, r *http.Request, status int, v serviceView) {
	x := v.Service
	v.Gone, v.List, v.Applies = x.GoneSince(), law.AIAct(), law.AIAct().Applies(s.Now())
	v.Kinds, v.Facts, v.Surfaces, v.Today = rempart.ServiceKinds, slices.DeleteFunc(slices.Clone(rempart.ServiceFactKinds), func(k rempart.ServiceFactKind) bool { return k == rempart.FactAnswer }), rempart.Surfaces, s.day()
	for _, l := range v.List.Lines {
		v.Answers = append(v.Answers, lineAnswer{l, x.Answer(l.ID)})
	}
	days := map[string]int{}
	err := s.DB.Counts(r.Context(), "", "", store.CountEdge{Seq: math.MaxInt64}, func(c rempart.Count) {
		if c.Kind == rempart.CountNotice && c.Dims["service"] == x.Name {
			days[c.Of] += c.N
		}
	})
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		if days[day] > 0 {
			v.Line = append(v.Line, lineView{Date: day, Notices: days[day]})
		}
	}
	for k := range x.Profile.Facts { // of the entry, which nothing changes here
		f := &x.Profile.Facts[k]
		v.Line = append(v.Line, lineView{Date: f.Date, Fact: f})
		if f.Kind.Dossier() {
			v.Dossier = append(v.Dossier, *f)
		}
	}
	slices.SortStableFunc(v.Line, func(a, b lineView) int { return strings.Compare(a.Date, b.Date) })
	p := s.consolePage(r)
	p.Title, p.Data = x.Name, v
	s.render(w, r, status, "console/service", p)
}

// servicePost changes an entry: action=edit, fact, answer, weights or drop.
func (s *Server) servicePost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	x, err := s.service(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	by, _ := staffOf(r)
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	v, code := serviceView{}, "service_saved"
	switch get("action") {
	case "edit":
		profileForm(r, &x)
		x.CheckedAt = s.day()
		if err = x.Check(); err == nil {
			err = s.saveService(r, x, "service.changed")
		}
	case "fact", "answer":
		v.In = rempart.ServiceFact{Kind: rempart.ServiceFactKind(get("kind")), Date: get("date"), What: get("what"), Source: get("source"), Surfaces: r.PostForm["surface"]}
		if get("action") == "answer" {
			v.In.Kind, v.In.Rule, v.In.Answer = rempart.FactAnswer, get("rule"), get("answer")
			if !slices.ContainsFunc(law.AIAct().Lines, func(l law.ChecklistLine) bool { return l.ID == v.In.Rule }) {
				s.unknownAction(w, r)
				return
			}
		}
		code = "fact_added"
		if err = x.AddFact(v.In, by.Alias, s.Now()); err == nil {
			err = s.saveService(r, x, "service.fact")
		}
	case "weights", "drop":
		var c rempart.Consequences
		code = "weights_listed"
		if get("action") == "drop" {
			code = "weights_dropped"
			c, err = x.DropWeights(get("sha256"), by.Alias, s.Now())
		} else {
			c, err = x.AddWeights(get("sha256"), get("file"), by.Alias, s.Now())
		}
		if err == nil {
			err = s.saveService(r, x, "service.changed", c)
		}
	default:
		s.unknownAction(w, r)
		return
	}
	var e *rempart.Error
	var p rempart.Problems
	if errors.As(err, &p) || errors.As(err, &e) && e.Kind == rempart.Invalid {
		v.Service, v.Remarks = x, remarksOf(s.consolePage(r), err)
		s.servicePage(w, r, http.StatusUnprocessableEntity, v)
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	done(w, r, "/console/register/"+x.ID, code)
}
