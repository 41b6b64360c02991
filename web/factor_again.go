package web

import (
	"net/http"
	"net/url"
	"slices"

	"rempart"
)

// A kept is a form that was sent without a recent second factor: it is shown
// again after the proof, to be sent by one button. The proof alone does nothing.
type kept struct {
	Staff  string // identifier of who sent it, and alone may go on
	Path   string
	Values url.Values
}

// An againView is a form to go on with.
type againView struct {
	Action string
	Fields []option // name and value of each
	Typed  []string
	Back   string
}

// keep returns a form that was posted, as a ticket for the page that asks for the
// proof.
func (s *Server) keep(m rempart.Staff, r *http.Request) (string, error) {
	return s.ticket("again", kept{m.ID, r.URL.Path, r.PostForm})
}

// typed returns what of a form a person wrote, to be shown to her.
func typed(values url.Values) (out []string) {
	for _, name := range []string{"reason", "note"} {
		if x := plainText(values.Get(name)); x != "" {
			out = append(out, x)
		}
	}
	return out
}

// goOn shows what was kept, with the button that sends it.
func (s *Server) goOn(w http.ResponseWriter, r *http.Request, k kept) {
	p := s.consolePage(r)
	v := againView{Action: p.URL(k.Path), Typed: typed(k.Values), Back: p.URL("/console/")}
	names := make([]string, 0, len(k.Values))
	for name := range k.Values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, x := range k.Values[name] {
			v.Fields = append(v.Fields, option{Value: name, Text: x})
		}
	}
	p.Title, p.Data = p.T("again.title"), v
	s.render(w, r, http.StatusOK, "console/again", p)
}
