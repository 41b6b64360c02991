package web

import (
	"net/http"
	"time"

	"rempart"
)

// A keepView is how long a case is kept, and who it is about.
type keepView struct {
	Says   string // until when it is kept, and why
	Until  time.Time
	Policy string // that the delay is the association's
	Asked  string // that the person withdrew it; "" if she did not
	Opened *rempart.Identity
	Name   string // as they were typed, when the form comes back
	Reach  string
	Note   string
}

// keepTried names the forms of this part when they come back.
const (
	holdTried     = "hold"
	identityTried = "identity"
)

// keeping says until when a case is kept.
func (s *Server) keeping(r *http.Request, p page, c *rempart.Case) keepView {
	days := int(s.Flow.Retention[c.RetentionClass()] / (24 * time.Hour))
	v := keepView{Policy: p.T("keep.policy", p.T("keep.class."+string(c.RetentionClass())))}
	if !c.Withdrawn.IsZero() {
		v.Asked = p.T("keep.withdrawn", p.Date(c.Withdrawn))
	}
	at, ok := c.EraseAt(s.Flow.Retention)
	switch {
	case c.Hold != nil:
		v.Says = p.T("keep.held")
	case c.Following():
		v.Says = p.T("keep.follows")
	case days <= 0:
		v.Says = p.T("keep.endless")
	case !ok:
		v.Says = p.N("keep.open", days)
	case !at.After(s.Now()):
		v.Says = p.T("keep.due")
	default:
		left := int((at.Sub(s.Now()) + 24*time.Hour - 1) / (24 * time.Hour))
		v.Says, v.Until = p.N("keep.closed", left, p.Date(at)), at
	}
	if r.Method == http.MethodPost {
		v.Name, v.Reach, v.Note = r.PostForm.Get("name"), r.PostForm.Get("contact"), r.PostForm.Get("note")
	}
	return v
}

func (s *Server) holdPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	reason := r.PostForm.Get("reason")
	switch r.PostForm.Get("action") {
	case "place":
		s.change(w, r, "hold_placed", func(c *rempart.Case, by rempart.Actor, at time.Time) error { return c.PlaceHold(reason, by, at) })
	case "lift":
		s.change(w, r, "hold_lifted", func(c *rempart.Case, by rempart.Actor, at time.Time) error { return c.LiftHold(reason, by, at) })
	default:
		s.unknownAction(w, r)
	}
}

// identityOpen shows the identity of a case, in the answer to this request and
// on no other page. The door asks for the right and for a recent second proof.
func (s *Server) identityOpen(w http.ResponseWriter, r *http.Request) {
	c, ok := s.postedCase(w, r)
	if !ok {
		return
	}
	m, _ := staffOf(r)
	i, err := s.DB.OpenIdentity(r.Context(), c.ID, r.PostForm.Get("reason"), m.Alias)
	if err != nil {
		s.caseRefused(w, r, err)
		return
	}
	if c, err = s.caseOf(r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.casePageWith(w, r, http.StatusOK, c, nil, &i)
}

// identityPost keeps or erases the identity of a case.
func (s *Server) identityPost(w http.ResponseWriter, r *http.Request) {
	c, ok := s.postedCase(w, r)
	if !ok {
		return
	}
	m, _ := staffOf(r)
	var code string
	var err error
	switch r.PostForm.Get("action") {
	case "keep":
		code = "identity_kept"
		err = s.DB.PutIdentity(r.Context(), c.ID, rempart.Identity{Name: r.PostForm.Get("name"), Contact: r.PostForm.Get("contact"), Note: r.PostForm.Get("note")}, m.Alias)
	case "erase":
		code = "identity_erased"
		err = s.DB.EraseIdentity(r.Context(), c.ID, m.Alias)
	default:
		s.unknownAction(w, r)
		return
	}
	if err != nil {
		s.caseRefused(w, r, err)
		return
	}
	done(w, r, "/console/cases/"+c.Ref, code)
}
