package web

import (
	"net/http"
	"strings"
	"time"

	"rempart"
	"rempart/law"
)

// An askingForm asks for the one fact that would decide most, with the others
// below it.
type askingForm struct {
	Fact, Question string
	Decides        string   // articles that hang on it
	Options        []option // none where the case cannot be changed
	Kept           []option // every other fact as it is: name and word
	More           []string // the other questions
}

// asking returns the question of a case that the law pack puts first, as a form
// that corrects this one fact; nil when nothing is missing. facts is the form of
// all facts.
func asking(p page, c *rempart.Case, facts factsForm) *askingForm {
	if len(c.Missing) == 0 {
		return nil
	}
	first := c.Missing[0]
	v := &askingForm{Fact: first.Fact, Question: first.Ask.In(p.Lang), Decides: articles(p, first.Decides)}
	for _, m := range c.Missing[1:] {
		v.More = append(v.More, m.Ask.In(p.Lang))
	}
	if c.State == rempart.CaseClosed {
		return v
	}
	for _, f := range facts.Fields {
		if f.Name == first.Fact {
			v.Options = f.Options
			continue
		}
		v.Kept = append(v.Kept, option{Value: f.Name, Text: c.Facts.Word(f.Name)})
	}
	return v
}

// articles names articles in one line.
func articles(p page, names []string) string {
	out := make([]string, len(names))
	for k, n := range names {
		out[k] = p.T("qualification.article", n)
	}
	return strings.Join(out, ", ")
}

// A newerPack is the law pack of this program where a case has another, with what
// it would change.
type newerPack struct {
	Version string
	Lines   []string
}

// newerPack returns what this program's law pack would change in a case that was
// qualified with another; nil where there is nothing to do.
func (s *Server) newerPack(p page, c *rempart.Case) *newerPack {
	if c.State == rempart.CaseNew || c.State == rempart.CaseClosed || c.Pack == s.Law.Version {
		return nil
	}
	v := &newerPack{Version: s.Law.Version}
	now := map[string]rempart.Qualification{}
	for _, q := range s.Law.Qualify(c.Facts, s.Now().Format(time.DateOnly)).Qualifications {
		now[q.ID] = q
		had := false
		for _, old := range c.Quals {
			had = had || old.ID == q.ID
		}
		if !had {
			v.Lines = append(v.Lines, p.T("pack.added", p.T("facts.flag", p.T("qualification.article", q.Article), q.Label.In(p.Lang))))
		}
	}
	for _, old := range c.Quals {
		q, ok := now[old.ID]
		article := p.T("qualification.article", old.Article)
		switch was, is := law.PenaltyOf(old).In(p.Lang), law.PenaltyOf(q).In(p.Lang); {
		case !ok:
			v.Lines = append(v.Lines, p.T("pack.gone", p.T("facts.flag", article, old.Label.In(p.Lang))))
		case was != is:
			v.Lines = append(v.Lines, p.T("pack.penalty", article, is, was))
		}
	}
	if len(v.Lines) == 0 {
		v.Lines = []string{p.T("pack.same")}
	}
	return v
}

// packPost qualifies a case with the law pack of this program.
func (s *Server) packPost(w http.ResponseWriter, r *http.Request) {
	c, ok := s.postedCase(w, r)
	if !ok {
		return
	}
	m, _ := staffOf(r)
	if err := s.Flow.Requalify(r.Context(), c.ID, r.PostForm.Get("was"), m.Alias); err != nil {
		s.caseRefused(w, r, err)
		return
	}
	done(w, r, "/console/cases/"+c.Ref, "case_requalified")
}

// Penalty puts the penalty of a qualification in a sentence.
func (p page) Penalty(q rempart.Qualification) string {
	return p.T("penalty.max", law.PenaltyOf(q).In(p.Lang))
}
