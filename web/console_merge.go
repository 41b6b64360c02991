package web

import (
	"net/http"
	"slices"
	"strings"

	"rempart"
)

// A mergeView is what merging a case into another would do, or did.
type mergeView struct {
	Case    *rempart.Case
	Into    string   // number of the other case, as typed
	Alike   []string // numbers of open cases with an address or fingerprint that is the same
	Plan    bool     // what would happen is shown, and can be done
	Closes  bool
	Common  bool // something is in both
	Rows    []mergeRow
	Remarks []remark
	Typed   string // the reason, as it was typed
}

// A mergeRow says what becomes of an item of the case.
type mergeRow struct {
	ID, Label, Address string
	State              rempart.ItemState
	Then               string // same, taken, stay
	Chosen             bool
}

// rowsOf are the items of a case, of which then says what becomes; in a minor's
// case without their addresses.
func rowsOf(p page, c *rempart.Case, then func(id string) string) (out []mergeRow) {
	addresses, media := items(p, c)
	for _, i := range append(addresses, media...) {
		row := mergeRow{ID: i.ID, Label: i.Label, State: i.State, Then: then(i.ID)}
		if !c.Facts.Minor() {
			row.Address = i.Address
		}
		out = append(out, row)
	}
	return out
}

func (s *Server) mergeShow(w http.ResponseWriter, r *http.Request) {
	c, err := s.caseOf(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.mergePage(w, r, http.StatusOK, c, r.URL.Query().Get("into"), nil)
}

// mergePage shows what merging a case into the one of a number would do, or asks
// for the number, or how a merge is undone; with what went wrong, if something did.
func (s *Server) mergePage(w http.ResponseWriter, r *http.Request, status int, c *rempart.Case, into string, wrong error) {
	p := s.consolePage(r)
	v := mergeView{Case: c, Into: strings.TrimSpace(into), Typed: r.PostForm.Get("reason")}
	alike, err := s.DB.Alike(r.Context(), []string{c.ID}, staffBarred(r))
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	v.Alike = alike[c.ID]
	if v.Into != "" && c.Merged == nil {
		other, plan, err := s.mergePlan(r, c, v.Into)
		switch {
		case err == nil:
			v.Into, v.Plan, v.Closes, v.Common = other.Ref, true, plan.Closes, len(plan.Same) > 0
			v.Rows = rowsOf(p, c, func(id string) string {
				switch {
				case slices.Contains(plan.Same, id):
					return "same"
				case slices.Contains(plan.Taken, id):
					return "taken"
				}
				return "stay"
			})
		case rempart.KindOf(err) == rempart.Internal:
			s.fail(w, r, "console", err)
			return
		case wrong == nil:
			wrong, status = err, statusOf(err)
		}
	}
	if wrong != nil {
		v.Remarks = remarksOf(p, wrong)
	}
	p.Title, p.Data = p.T("merge.title", c.Ref), v
	s.render(w, r, status, "console/merge", p)
}

// otherCase returns the case of a number that was typed, under the same rules as
// one that an address names.
func (s *Server) otherCase(r *http.Request, number string) (*rempart.Case, error) {
	r = r.Clone(r.Context())
	r.SetPathValue("ref", rempart.ParseRef(number))
	return s.caseOf(r)
}

// mergePlan finds the case of a number and says what merging into it would do.
func (s *Server) mergePlan(r *http.Request, c *rempart.Case, into string) (*rempart.Case, rempart.MergePlan, error) {
	other, err := s.otherCase(r, into)
	if err != nil {
		return nil, rempart.MergePlan{}, err
	}
	if other.ID != c.ID {
		if err := s.viewed(r, "case.viewed", other.ID, other.Ref); err != nil {
			return nil, rempart.MergePlan{}, err
		}
	}
	plan, err := c.PlanMerge(other)
	return other, plan, err
}

// mergePost merges a case into another, or undoes it: action=merge|undo, into,
// reason.
func (s *Server) mergePost(w http.ResponseWriter, r *http.Request) {
	c, ok := s.postedCase(w, r)
	if !ok {
		return
	}
	m, _ := staffOf(r)
	reason, into := r.PostForm.Get("reason"), r.PostForm.Get("into")
	code, to := "case_merged", c.Ref
	var err error
	switch r.PostForm.Get("action") {
	case "merge":
		var other *rempart.Case
		if other, err = s.otherCase(r, into); err == nil {
			to = other.Ref
			err = s.Flow.Merge(r.Context(), c.ID, other.ID, reason, m.Alias)
		}
	case "undo":
		code = "case_unmerged"
		err = s.Flow.Unmerge(r.Context(), c, reason, m.Alias)
	default:
		s.unknownAction(w, r)
		return
	}
	if err != nil {
		s.joinRefused(w, r, err, func(c *rempart.Case) { s.mergePage(w, r, statusOf(err), c, into, err) })
		return
	}
	s.Flow.Wake()
	done(w, r, "/console/cases/"+to, code)
}

// joinRefused shows the case as it is now by page, if she can do something about
// what went wrong.
func (s *Server) joinRefused(w http.ResponseWriter, r *http.Request, why error, page func(*rempart.Case)) {
	switch rempart.KindOf(why) {
	case rempart.Invalid, rempart.Conflict, rempart.NotFound:
		if c, err := s.caseOf(r); err == nil {
			page(c)
			return
		}
	}
	s.fail(w, r, "console", why)
}

// A splitView is which items of a case can be moved to one of their own.
type splitView struct {
	Case    *rempart.Case
	Rows    []mergeRow // those that can
	Stay    []mergeRow // those that can't
	Plan    bool       // what would happen is shown, and can be done
	Remarks []remark
	Typed   string
}

func (s *Server) splitShow(w http.ResponseWriter, r *http.Request) {
	c, err := s.caseOf(r)
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.splitPage(w, r, http.StatusOK, c, false, nil)
}

func (s *Server) splitPage(w http.ResponseWriter, r *http.Request, status int, c *rempart.Case, plan bool, wrong error) {
	p := s.consolePage(r)
	v := splitView{Case: c, Plan: plan, Typed: r.PostForm.Get("reason")}
	movable := c.Splittable()
	for _, row := range rowsOf(p, c, func(string) string { return "" }) {
		row.Chosen = slices.Contains(r.PostForm["item"], row.ID)
		if slices.Contains(movable, row.ID) {
			v.Rows = append(v.Rows, row)
		} else {
			v.Stay = append(v.Stay, row)
		}
	}
	if wrong != nil {
		v.Remarks = remarksOf(p, wrong)
	}
	p.Title, p.Data = p.T("split.title", c.Ref), v
	s.render(w, r, status, "console/split", p)
}

// splitPost says what moving items to a new case would do, or does it: item…,
// reason, plan=yes.
func (s *Server) splitPost(w http.ResponseWriter, r *http.Request) {
	c, ok := s.postedCase(w, r)
	if !ok {
		return
	}
	m, _ := staffOf(r)
	chosen := r.PostForm["item"]
	if r.PostForm.Get("plan") != "yes" {
		if err := c.PlanSplit(chosen); err != nil {
			s.splitPage(w, r, statusOf(err), c, false, err)
			return
		}
		s.splitPage(w, r, http.StatusOK, c, true, nil)
		return
	}
	ref, err := s.Flow.Split(r.Context(), c.ID, chosen, r.PostForm.Get("reason"), m.Alias)
	if err != nil {
		s.joinRefused(w, r, err, func(c *rempart.Case) { s.splitPage(w, r, statusOf(err), c, c.PlanSplit(chosen) == nil, err) })
		return
	}
	done(w, r, "/console/cases/"+ref, "case_split")
}
