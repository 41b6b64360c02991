package web

import (
	"net/http"
	"slices"
	"time"

	"rempart"
)

// An assignView is who works on a case, and who else is around.
type assignView struct {
	Assigned *rempart.Assignment
	Mine     bool
	Looking  []rempart.Actor
	Alike    []string // references of open cases with an address or fingerprint that is the same
	Others   []option // to whom it can be handed over
}

// assignView says who works on a case.
func (s *Server) assignView(r *http.Request, c *rempart.Case) (v assignView, err error) {
	m, _ := staffOf(r)
	v.Assigned = c.Assigned
	v.Mine = c.Assigned != nil && c.Assigned.StaffID == m.ID
	looking, err := s.DB.Lookers(r.Context(), []string{c.ID}, s.Now().Add(-lookingFor))
	if err != nil {
		return v, err
	}
	v.Looking = slices.DeleteFunc(looking[c.ID], func(a rempart.Actor) bool { return a == m.Alias })
	alike, err := s.DB.Alike(r.Context(), []string{c.ID}, m.Barred())
	if err != nil {
		return v, err
	}
	v.Alike = alike[c.ID]
	staff, err := s.DB.AllStaff(r.Context())
	if err != nil {
		return v, err
	}
	for _, o := range staff {
		if o.May(rempart.RightWork) && o.DisabledAt.IsZero() && (c.Assigned == nil || o.ID != c.Assigned.StaffID) && o.ID != m.ID {
			v.Others = append(v.Others, option{Value: o.ID, Text: string(o.Alias)})
		}
	}
	return v, nil
}

// assignPost changes who works on a case: action=take|hand|back, to, reason.
func (s *Server) assignPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	switch r.PostForm.Get("action") {
	case "take":
		s.change(w, r, "case_taken", func(c *rempart.Case, _ rempart.Actor, at time.Time) error { return c.Take(m, at) })
	case "hand":
		staff, err := s.DB.AllStaff(r.Context())
		if err != nil {
			s.fail(w, r, "console", err)
			return
		}
		var to rempart.Staff // without a role: nobody
		for _, o := range staff {
			if o.ID == r.PostForm.Get("to") {
				to = o
			}
		}
		note := plainText(r.PostForm.Get("reason"))
		s.change(w, r, "case_handed_over", func(c *rempart.Case, by rempart.Actor, at time.Time) error { return c.HandOver(to, note, by, at) })
	case "back":
		s.change(w, r, "case_given_back", func(c *rempart.Case, by rempart.Actor, at time.Time) error { return c.GiveBack(by, at) })
	default:
		s.unknownAction(w, r)
	}
}
