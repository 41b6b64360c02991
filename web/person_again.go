package web

import (
	"net/http"
	"strings"

	"rempart"
)

// An elsewhereView is the form of a person for another address of what she reported.
type elsewhereView struct {
	Pass    string // as of a message; "" where nothing can be added
	Typed   string // the address, when the form comes back
	Problem string // what is wrong with it
	Added   bool   // it was just taken
	Max     int    // its longest length, in bytes
}

// againPost takes another address from the page that a code opened, or with a
// code typed anew where that page was too old.
func (s *Server) againPost(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		s.fail(w, r, "person", err)
		return
	}
	typed, address := r.PostForm.Get("code"), strings.TrimSpace(r.PostForm.Get("address"))
	if typed != "" {
		if _, err := rempart.ParseCaseCode(typed); err != nil {
			s.againAsk(w, r, typed, address, err)
			return
		}
	}
	free, err := s.lookup(r.Context())
	if err != nil {
		s.fail(w, r, "person", err)
		return
	}
	f, err := s.Flow.AddAddress(r.Context(), typed, r.PostForm.Get("pass"), address)
	free()
	if f == nil {
		s.againAsk(w, r, typed, address, err)
		return
	}
	p := s.newPage(r, "person", "follow.shown.title", nil)
	v := newFollowView(p, f)
	v.Again.Added = err == nil
	answer := http.StatusOK
	if err != nil {
		answer, v.Again.Typed = statusOf(err), address
		for _, e := range faults(err) {
			v.Again.Problem = p.Problem(e)
		}
	}
	p.Data = v
	s.render(w, r, answer, "person/followed", p)
}

// againAsk asks for the code, with what is wrong with it; the address is kept.
func (s *Server) againAsk(w http.ResponseWriter, r *http.Request, typed, address string, err error) {
	found := faults(err)
	if len(found) == 0 || found[0].Field != "code" {
		s.fail(w, r, "person", err)
		return
	}
	p := s.newPage(r, "person", "follow.title", nil)
	if len(typed) > 64 {
		typed = ""
	}
	p.Data = askView{Typed: typed, Problem: p.Problem(found[0]), Adding: true, Text: address}
	s.render(w, r, statusOf(err), "person/follow", p)
}
