package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"rempart"
	"rempart/store"
)

// caseDoors is how the patterns of all doors to one case go on after the method.
const caseDoors = "/console/cases/{ref}"

// outside refuses every door to a case with a theme that is not among a member's
// groups, and records that it did. Lists leave such cases out by themselves, see
// [store.QueueFilter]. What she left out for her rest bars no door.
func (s *Server) outside(r *http.Request, m rempart.Staff) error {
	if m.Barred() == 0 || !strings.Contains(r.Pattern, caseDoors) {
		return nil
	}
	ref := rempart.ParseRef(r.PathValue("ref"))
	themes, err := s.DB.CaseThemes(r.Context(), ref)
	if rempart.KindOf(err) == rempart.NotFound && err != nil { // the page says so
		return nil
	}
	if err == nil && themes&m.Barred() != 0 {
		if err = s.viewed(r, "access.refused", "case", r.Pattern+" "+ref); err == nil {
			err = rempart.ErrOutside()
		}
	}
	return err
}

// staffBarred returns the themes outside the groups of who is signed in.
func staffBarred(r *http.Request) rempart.Themes {
	m, _ := staffOf(r)
	return m.Barred()
}

// within leaves out the cases that are not among a member's groups.
func within(r *http.Request, rows []store.CaseRow) []store.CaseRow {
	m, _ := staffOf(r)
	return slices.DeleteFunc(rows, func(c store.CaseRow) bool { return c.Themes&m.Barred() != 0 })
}

// A leastView is the form of the association's number.
type leastView struct {
	Value, Most int
	Loosen      bool // she may choose more than it is, up to the operator's
	Remarks     []remark
}

// least is the association's number, after which a pause is always proposed: the
// operator's, or a stricter one that was set in the console.
func (s *Server) least(ctx context.Context) (int, error) {
	n, err := s.DB.RestLeast(ctx)
	if n == 0 || err != nil {
		return s.mostLeast(), err
	}
	return min(n, s.mostLeast()), nil
}

// mostLeast is the operator's number.
func (s *Server) mostLeast() int {
	if s.PauseAfter > 0 {
		return s.PauseAfter
	}
	return defaultPause
}

// leastView is the form for who may set the number, nil for who may not.
func (s *Server) leastView(r *http.Request) (*leastView, error) {
	m, _ := staffOf(r)
	if !s.Hub || !m.May(rempart.RightRest) {
		return nil, nil
	}
	n, err := s.least(r.Context())
	v := &leastView{Value: n, Most: n, Loosen: m.May(rempart.RightAdmin)}
	if v.Loosen {
		v.Most = s.mostLeast()
	}
	return v, err
}

// leastPost sets the association's number. A lead makes it stricter; an
// administrator may take that back, up to the operator's.
func (s *Server) leastPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	m, _ := staffOf(r)
	n, err := strconv.Atoi(plainText(r.PostForm.Get("least")))
	if err != nil {
		n = 0 // refused, with the bounds
	}
	if err := s.DB.SaveRestLeast(r.Context(), n, s.mostLeast(), m.May(rempart.RightAdmin), m.Alias); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	to := "/console/rest"
	if !m.May(rempart.RightRead) {
		to = "/console/admin"
	}
	done(w, r, to, "least_saved")
}

// joined writes themes as words apart by spaces, for the ledger.
func joined(themes rempart.Themes) string {
	var out []string
	for _, t := range themes.List() {
		out = append(out, string(t))
	}
	return strings.Join(out, " ")
}
