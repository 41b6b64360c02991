package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"rempart"
	"rempart/returns"
	"rempart/store"
)

// A publicView is what an instance says to everybody: the figures of its last
// return to Parliament, the entries of the register that may be public, and how
// the figures are made. Nothing newer than a return is shown: the difference of
// two days would tell a single case.
type publicView struct {
	Edition  *returns.Edition
	Tables   []*returns.Table
	Services []publicService
}

type publicService struct {
	rempart.Service
	Gone     string
	Measures []rempart.ServiceFact
}

func (s *Server) publicFigures(w http.ResponseWriter, r *http.Request) {
	v, err := s.publicView(r.Context())
	if err != nil {
		s.fail(w, r, "person", err)
		return
	}
	s.render(w, r, http.StatusOK, "person/figures", s.newPage(r, "person", "public.title", v))
}

func (s *Server) publicView(ctx context.Context) (v publicView, err error) {
	ids, err := s.DB.FrozenReturns(ctx)
	if err != nil {
		return v, err
	}
	for _, id := range ids {
		var e returns.Edition
		if !strings.HasPrefix(id, string(returns.Parliament)+"/") {
			continue
		}
		if err := s.DB.Frozen(ctx, id, &e); err != nil {
			return v, err
		}
		if v.Edition == nil || e.Period.Until > v.Edition.Period.Until || e.Period == v.Edition.Period && e.Number > v.Edition.Number {
			v.Edition = &e
		}
	}
	if e := v.Edition; e != nil {
		var lines []rempart.Count
		if err := s.DB.Counts(ctx, e.Period.From, e.Period.Until, store.CountEdge{Seq: e.Seq, At: e.Before}, func(c rempart.Count) { lines = append(lines, c) }); err != nil {
			return v, err
		}
		f := returns.FiguresOf(e.Period, func(use func(rempart.Count)) {
			for _, c := range lines {
				use(c)
			}
		})
		v.Tables = slices.DeleteFunc(f.Tables(), func(t *returns.Table) bool { return t.Dropped || t.Total().N == 0 })
	}
	all, err := s.DB.Services(ctx)
	if err != nil {
		return v, err
	}
	for _, x := range all {
		if !x.Profile.Public {
			continue
		}
		p := publicService{Service: x, Gone: x.GoneSince()}
		for _, f := range x.Profile.Facts {
			if f.Kind == rempart.FactMeasure || f.Kind == rempart.FactGone || f.Kind == rempart.FactBack {
				p.Measures = append(p.Measures, f)
			}
		}
		v.Services = append(v.Services, p)
	}
	return v, nil
}

// Figure writes a figure of a return, which may be hidden.
func (p page) Figure(f returns.Figure) string {
	if f.Hidden {
		return p.T("public.hidden")
	}
	return grouped(p, float64(f.N))
}
