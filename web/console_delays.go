package web

import (
	"net/http"
	"strconv"
	"strings"

	"rempart"
)

// A delaysView is the policy that clocks take their terms from, as a form.
type delaysView struct {
	Version  int
	Pack     string
	By       string // alias, "" for the defaults
	At       string
	Rules    []delayView
	Units    []option
	Local    bool
	Holidays []rempart.Holiday
	DaysFrom string
	Remarks  []remark
	Versions []versionLine
	Steps    []ladderStepView
}

// A delayView is one rule of the form.
type delayView struct {
	ID, Name, Source                  string
	Law                               bool
	Off                               bool
	Within, WarnBefore, EscalateAfter spanView
	Words                             string
	Wrong                             *remark
}

// A spanView is one length of time, as typed.
type spanView struct {
	Name, N string
	Unit    string
}

// A versionLine is an earlier policy.
type versionLine struct {
	Version  int
	By, When string
}

func viewSpan(name string, s rempart.Span) spanView {
	if s.IsZero() {
		return spanView{Name: name, Unit: string(rempart.Hours)}
	}
	return spanView{Name: name, N: strings.TrimSuffix(s.String(), string(s.Unit)), Unit: string(s.Unit)}
}

func (s *Server) delays(w http.ResponseWriter, r *http.Request) {
	policy, _, err := s.DB.ClockPolicy(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.delaysPage(w, r, http.StatusOK, policy, nil)
}

func (s *Server) delaysPage(w http.ResponseWriter, r *http.Request, status int, policy rempart.ClockPolicy, wrong error) {
	p := s.consolePage(r)
	v := delaysView{Version: policy.Version, Pack: policy.Pack, Local: policy.Local, Holidays: policy.Holidays, DaysFrom: policy.DaysFrom, Remarks: remarksOf(p, wrong)}
	for _, u := range []rempart.Unit{rempart.Hours, rempart.Days, rempart.BusinessDays, rempart.Months} {
		v.Units = append(v.Units, option{Value: string(u), Text: p.T("unit." + string(u))})
	}
	for _, id := range rempart.ClockRules {
		rule := policy.Rule(id)
		if rule == nil {
			continue
		}
		d := delayView{ID: id, Name: p.T("rule." + id), Source: rule.Source, Law: rule.Basis == rempart.BasisLaw, Off: rule.Off, Words: spanWords(p, rule.Within),
			Within: viewSpan(id+".within", rule.Within), WarnBefore: viewSpan(id+".warn", rule.WarnBefore), EscalateAfter: viewSpan(id+".escalate", rule.EscalateAfter)}
		if wrong != nil { // what was typed comes back, readable or not
			d.Off = r.PostForm.Get(id+".off") != ""
			for _, x := range []*spanView{&d.Within, &d.WarnBefore, &d.EscalateAfter} {
				if r.PostForm.Has(x.Name) {
					x.N, x.Unit = r.PostForm.Get(x.Name), r.PostForm.Get(x.Name+".unit")
				}
			}
		}
		for k := range v.Remarks {
			if v.Remarks[k].Field == id || strings.HasPrefix(v.Remarks[k].Field, id+".") {
				d.Wrong = &v.Remarks[k]
				v.Remarks[k].Text = d.Name + p.T("list.colon") + v.Remarks[k].Text
			}
		}
		v.Rules = append(v.Rules, d)
	}
	v.Steps = ladderSteps(p, policy, r.PostForm, wrong)
	all, err := s.DB.ClockPolicies(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	for _, x := range all {
		by := string(x.By)
		if x.By == rempart.ActorSystem {
			by = p.T("delays.default", x.Pack)
		}
		v.Versions = append(v.Versions, versionLine{x.Version, by, p.DateTime(x.At)})
	}
	p.Title, p.Data = p.T("delays.title"), v
	s.render(w, r, status, "console/delays", p)
}

func (s *Server) delaysPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	policy, _, err := s.DB.ClockPolicy(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	was := policy
	policy.Rules = append([]rempart.ClockRule(nil), policy.Rules...)
	m, _ := staffOf(r)
	policy.By, policy.Local = m.Alias, r.PostForm.Get("local") != ""
	var wrong rempart.Problems
	for k := range policy.Rules {
		rule := &policy.Rules[k]
		rule.Off = rule.Basis != rempart.BasisLaw && r.PostForm.Get(rule.ID+".off") != ""
		for name, to := range map[string]*rempart.Span{".within": &rule.Within, ".warn": &rule.WarnBefore, ".escalate": &rule.EscalateAfter} {
			if rule.Basis == rempart.BasisLaw && name == ".within" {
				continue
			}
			n := strings.TrimSpace(r.PostForm.Get(rule.ID + name))
			if n == "" {
				*to = rempart.Span{}
				continue
			}
			span, err := rempart.ParseSpan(n + r.PostForm.Get(rule.ID+name+".unit"))
			if err != nil {
				wrong = append(wrong, &rempart.Error{Kind: rempart.Invalid, Field: rule.ID + name, Code: "clock.span", Public: "Give a length of time as a number and its unit, two years at most."})
				continue
			}
			*to = span
		}
	}
	policy.Ladder, wrong = ladderOf(policy.Ladder, r.PostForm, wrong)
	if len(wrong) > 0 {
		s.delaysPage(w, r, statusOf(wrong), was, wrong)
		return
	}
	seen := was.Version
	if r.PostForm.Get("was") != strconv.Itoa(was.Version) {
		seen = -1 // somebody saved another version since the form was shown
	}
	if _, err = s.DB.SaveClockPolicy(r.Context(), policy, seen); err != nil {
		switch rempart.KindOf(err) {
		case rempart.Invalid, rempart.Conflict:
			s.delaysPage(w, r, statusOf(err), was, err)
		default:
			s.fail(w, r, "console", err)
		}
		return
	}
	done(w, r, "/console/admin/delays", "delays_saved")
}

// Span returns what the field of a length of time needs.
func (p page) Span(s spanView, label string, units []option) map[string]any {
	return map[string]any{"span": s, "label": label, "unit": p.T("delays.unit", label), "units": units}
}
