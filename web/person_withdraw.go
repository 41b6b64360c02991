package web

import "net/http"

// withdrawView is the page on which a person takes her report back.
type withdrawView struct {
	Problem string // what is wrong with the code that was typed
	Done    bool   // the report is erased
	Held    bool   // it must be kept; its pictures are recognised no more
}

func (s *Server) withdrawForm(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, "person/withdraw", s.newPage(r, "person", "withdraw.title", withdrawView{}))
}

// withdrawPost erases the report of the holder of a code. The code is typed
// again, whole, so that nobody does this by a slip.
func (s *Server) withdrawPost(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		s.fail(w, r, "person", err)
		return
	}
	held, err := s.Flow.Withdraw(r.Context(), r.PostForm.Get("code"))
	if err != nil {
		found := faults(err)
		if len(found) == 0 || found[0].Field != "code" {
			s.fail(w, r, "person", err)
			return
		}
		p := s.newPage(r, "person", "withdraw.title", nil)
		p.Data = withdrawView{Problem: p.Problem(found[0])}
		s.render(w, r, statusOf(err), "person/withdraw", p)
		return
	}
	title := "withdraw.done.title"
	if held {
		title = "withdraw.held.title"
	}
	s.render(w, r, http.StatusOK, "person/withdraw", s.newPage(r, "person", title, withdrawView{Done: !held, Held: held}))
}
