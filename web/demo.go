package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"rempart"
)

// demoSteps are how far the buttons of the demo's pages move its clock.
var demoSteps = []string{"48h", "168h"}

// DemoSteps lists them, for templates; none where no clock can be moved.
func (p page) DemoSteps() []string {
	if !p.Moves {
		return nil
	}
	return demoSteps
}

// demoAdvance moves the demo's clock by a button, and goes back to the page. It
// exists in the demo only, for this machine only.
func (s *Server) demoAdvance(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if host != "localhost" && (err != nil || !ip.IsLoopback()) {
		s.fail(w, r, "person", &rempart.Error{Kind: rempart.Forbidden, Code: "demo.host", Public: "The demo's clock is moved from this machine only, by an address such as http://127.0.0.1."})
		return
	}
	if err := parseForm(w, r); err != nil {
		s.fail(w, r, "person", err)
		return
	}
	step := r.PostForm.Get("advance")
	if !slices.Contains(demoSteps, step) {
		s.fail(w, r, "person", &rempart.Error{Kind: rempart.Invalid, Field: "advance", Code: "demo.advance", Public: "Say how far to move the clock, such as 48h; at most 8760h, and never back."})
		return
	}
	d, _ := time.ParseDuration(step) // one of ours
	s.Advance(d)
	back := r.PostForm.Get("back")
	if !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.ContainsAny(back, "\\?#") {
		back = "/"
	}
	http.Redirect(w, r, withLang(r, back), http.StatusSeeOther)
}
