package web

import (
	"net/http"
	"strings"
	"time"

	"rempart"
)

// addressAdd adds an address to a case. Where another case has it too, the queue
// and the case's own page name that case.
func (s *Server) addressAdd(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	address := strings.TrimSpace(r.PostForm.Get("address"))
	s.change(w, r, "address_added", func(c *rempart.Case, by rempart.Actor, at time.Time) error {
		_, err := c.AddAddress(address, by, at)
		return err
	})
}
