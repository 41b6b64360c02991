package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"rempart"
)

// factsTried and addTried say, in [caseView.Tried], that the form which comes
// back is the one of the facts, or the one that adds a qualification.
const (
	factsTried = "facts"
	addTried   = "add"
)

// A factsForm is the form that corrects the facts of a case.
type factsForm struct {
	Open   bool // it comes back
	Fields []factField
	Date   string // of the acts, YYYY-MM-DD
	Today  string
	Was    string  // the facts that the form was made from
	Wrong  *remark // with the date
}

// A factField is one fact with the words that it takes.
type factField struct {
	Name, Label string
	Options     []option
}

// An option is one choice of a list.
type option struct {
	Value, Text string
	Chosen      bool
}

// An addForm is the form that adds a qualification.
type addForm struct {
	Open    bool
	Choices []option // offences of the law pack that are not in the case
	Typed   string
	Wrong   *remark // with the reason
}

// factsFormOf returns the form filled with now, for a case whose facts are was.
func (s *Server) factsFormOf(p page, was, now rempart.Facts) (factsForm, error) {
	b, err := json.Marshal(was)
	if err != nil {
		return factsForm{}, err
	}
	v := factsForm{Date: now.Date, Today: s.Now().In(paris).Format(time.DateOnly), Was: string(b)}
	for _, name := range factOrder {
		f := factField{Name: name, Label: p.T("fact." + name)}
		said := now.Word(name)
		for _, w := range rempart.FactValues[name] {
			if w != "unknown" {
				f.Options = append(f.Options, option{w, p.T("fact." + name + "." + w), said == w})
			}
		}
		nobody := "fact.unsaid"
		if name == "ai" { // empty, it is what the origin says
			nobody = "fact.ai.unsaid"
		}
		f.Options = append(f.Options, option{"", p.T(nobody), said == ""})
		v.Fields = append(v.Fields, f)
	}
	return v, nil
}

// typedFacts returns the facts of the form as it was sent. A field that the form
// lacks is not known.
func typedFacts(r *http.Request) rempart.Facts {
	var f rempart.Facts
	for _, name := range factOrder {
		f.Say(name, r.PostForm.Get(name))
	}
	f.Date = strings.TrimSpace(r.PostForm.Get("date"))
	return f
}

// factsPost corrects the facts of a case.
func (s *Server) factsPost(w http.ResponseWriter, r *http.Request) {
	c, ok := s.postedCase(w, r)
	if !ok {
		return
	}
	var was rempart.Facts
	if err := json.Unmarshal([]byte(r.PostForm.Get("was")), &was); err != nil {
		s.fail(w, r, "console", &rempart.Error{Kind: rempart.Invalid, Field: "was", Code: "form.unreadable", Public: "This form could not be read. Go back and send it again."})
		return
	}
	facts, code := typedFacts(r), "facts_corrected"
	if len(was.Changed(facts)) == 0 {
		code = "facts_same"
	}
	m, _ := staffOf(r)
	if err := s.Flow.Correct(r.Context(), c.ID, was, facts, m.Alias); err != nil {
		s.caseRefused(w, r, err)
		return
	}
	done(w, r, "/console/cases/"+c.Ref, code)
}

// qualificationAdd adds an offence of the law pack that was not proposed.
func (s *Server) qualificationAdd(w http.ResponseWriter, r *http.Request) {
	c, ok := s.postedCase(w, r)
	if !ok {
		return
	}
	m, _ := staffOf(r)
	if err := s.Flow.AddQualification(r.Context(), c.ID, r.PostForm.Get("offence"), plainText(r.PostForm.Get("reason")), m.Alias); err != nil {
		s.caseRefused(w, r, err)
		return
	}
	done(w, r, "/console/cases/"+c.Ref, "qualification_added")
}

// factsForms fills the two forms of a case page: as they were sent where one
// comes back with what is wrong.
func (s *Server) factsForms(r *http.Request, p page, v *caseView) error {
	c := v.Case
	shown := c.Facts
	if v.Tried == factsTried {
		shown = typedFacts(r)
	}
	var err error
	if v.Correct, err = s.factsFormOf(p, c.Facts, shown); err != nil {
		return err
	}
	if v.Tried == factsTried {
		v.Correct.Open, v.Correct.Wrong = true, remarkOn(v.Remarks, "date")
	}
	has := map[string]bool{}
	for _, q := range c.Quals {
		has[q.ID] = true
	}
	chosen := ""
	if v.Tried == addTried {
		chosen, v.Add.Open, v.Add.Typed, v.Add.Wrong = r.PostForm.Get("offence"), true, v.Typed, remarkOn(v.Remarks, "reason")
	}
	for _, o := range s.Law.Offences() {
		if !has[o.ID] {
			v.Add.Choices = append(v.Add.Choices, option{o.ID, p.T("facts.flag", p.T("qualification.article", o.Article), o.Label.In(p.Lang)), o.ID == chosen})
		}
	}
	return nil
}

// tried says what a form that comes back was about: the identifier in its
// address, the facts, an addition, or "state".
func tried(r *http.Request) string {
	switch {
	case r.PathValue("id") != "":
		return r.PathValue("id")
	case strings.HasSuffix(r.Pattern, "/facts"):
		return factsTried
	case strings.HasSuffix(r.Pattern, "/assign"):
		return "assign"
	case strings.HasSuffix(r.Pattern, "/qualifications"):
		return addTried
	case strings.HasSuffix(r.Pattern, "/clocks"):
		return clocksTried
	case strings.HasSuffix(r.Pattern, "/messages"):
		return talkTried
	case strings.HasSuffix(r.Pattern, "/hold"):
		return holdTried
	case strings.HasSuffix(r.Pattern, "/identity"), strings.HasSuffix(r.Pattern, "/identity/open"):
		return identityTried
	}
	return "state"
}
