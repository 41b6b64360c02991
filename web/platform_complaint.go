package web

// The form of a decision on a complaint, POST
// /console/notices/{number}/complaints/{complaint}. answer says why; for each item
// there is, behind a dot, its identifier:
//
//	measure      keep, removed, restricted or refused
//	restriction  of restricted: one of rempart.Restrictions
//	ground       law or terms
//	reference    the article of law or the clause of the terms
//	explanation  why the ground applies, or does not, at least 20 characters
//
// What the form does not ask for is as in the first decision.

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"rempart"
)

// A complaintView is one complaint, with its form while it waits for a decision
// and the reader may take it.
type complaintView struct {
	*rempart.Complaint
	Who     string
	Items   []complaintItem
	Open    bool   // it waits for a decision
	Mine    bool   // and the reader took the first one, so that another must decide
	Answer  string // as typed, or as given
	Remarks []remark
	Came    string // what it came to, in words
}

// A complaintItem is an item that a complaint is about.
type complaintItem struct {
	ID, Label   string
	Now         *rempart.Decision
	Keep        bool
	Form        rempart.Decision
	Restriction rempart.Restriction
}

// complaintDrops are the restrictions that leave an item where it is, for the
// form's one choice.
var complaintDrops = slices.DeleteFunc(slices.Clone(rempart.Restrictions), func(r rempart.Restriction) bool {
	return r == rempart.Removed || r == rempart.Disabled || strings.HasSuffix(string(r), ".other")
})

// Drops are the restrictions that the form of a complaint offers.
func (v complaintView) Drops() []rempart.Restriction { return complaintDrops }

// complaints are the complaints about an intake, the newest first. tried is the
// number of the one whose form came back.
func (s *Server) complaints(p page, i *rempart.Intake, names map[string]string, tried *complaintView) []complaintView {
	var out []complaintView
	for k := len(i.Complaints) - 1; k >= 0; k-- {
		c := &i.Complaints[k]
		v := complaintView{Complaint: c, Who: p.T("by." + string(c.By)), Open: c.State == rempart.ComplaintReceived}
		if v.Open && p.Staff != nil {
			v.Mine = i.MayDecide(c, p.Staff.Alias) != nil
		}
		if c.State == rempart.ComplaintDecided {
			v.Came, v.Answer = p.T("outcome."+string(c.Outcome)), c.Answer
		}
		for _, item := range c.Items {
			now := i.Decisions[item]
			form := now
			form.Explanation = ""
			v.Items = append(v.Items, complaintItem{ID: item, Label: names[item], Now: &now, Keep: true, Form: form})
		}
		if tried != nil && tried.Number == c.Number {
			v.Answer, v.Remarks = tried.Answer, tried.Remarks
			for k := range v.Items {
				for _, x := range tried.Items {
					if x.ID == v.Items[k].ID {
						x.Label, x.Now = v.Items[k].Label, v.Items[k].Now
						v.Items[k] = x
					}
				}
			}
		}
		out = append(out, v)
	}
	return out
}

func (s *Server) complaintPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	i, err := s.DB.IntakeByNumber(r.Context(), r.PathValue("number"))
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	c := i.Complaint(r.PathValue("complaint"))
	if c == nil {
		s.fail(w, r, "console", &rempart.Error{Kind: rempart.NotFound, Code: "complaint.missing", Public: "There is no such complaint."})
		return
	}
	tried := &complaintView{Complaint: c, Answer: plainText(r.PostForm.Get("answer"))}
	changes := map[string]rempart.Decision{}
	for _, item := range c.Items {
		x := complaintChange(r, i.Decisions[item], item)
		tried.Items = append(tried.Items, x)
		if !x.Keep {
			changes[item] = x.Form
		}
	}
	m, _ := staffOf(r)
	if err := s.Flow.DecideComplaint(r.Context(), i.ID, c.Number, changes, tried.Answer, m.Alias); err != nil {
		if k := rempart.KindOf(err); k != rempart.Invalid && k != rempart.Conflict {
			s.fail(w, r, "console", err)
			return
		}
		tried.Remarks = remarksOf(s.consolePage(r), err)
		s.intakeAgain(w, r, statusOf(err), i.Number, tried)
		return
	}
	done(w, r, "/console/notices/"+i.Number, "complaint_decided")
}

// complaintChange reads what the form says of one item.
func complaintChange(r *http.Request, was rempart.Decision, item string) complaintItem {
	f := func(name string) string { return r.PostForm.Get(name + "." + item) }
	d := was
	d.Measure, d.At, d.Until, d.Restrictions, d.Other = rempart.Measure(f("measure")), time.Time{}, "", nil, ""
	x := complaintItem{ID: item, Keep: d.Measure == "keep" || d.Measure == ""}
	d.Means, d.Automated = rempart.MeansNone, d.Detected
	d.Reference, d.Explanation = plainText(f("reference")), plainText(f("explanation"))
	if g := f("ground"); slices.Contains(grounds, g) {
		d.Ground = g
	}
	if rs := rempart.Restriction(f("restriction")); d.Measure == rempart.MeasureRestricted && slices.Contains(complaintDrops, rs) {
		d.Restrictions, x.Restriction = []rempart.Restriction{rs}, rs
	}
	x.Form = d
	return x
}

// intakeAgain shows a notice whose complaint's form came back.
func (s *Server) intakeAgain(w http.ResponseWriter, r *http.Request, status int, number string, tried *complaintView) {
	i, err := s.DB.IntakeByNumber(r.Context(), number)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.intakePage(w, r.WithContext(context.WithValue(r.Context(), triedKey{}, tried)), status, i, "", rempart.Decision{}, nil)
}

// triedKey is where a request holds the form of a complaint that came back.
type triedKey struct{}
