package web

import (
	"net/http"

	"rempart"
)

// A place is a page of the console that can be gone to from anywhere.
type place struct {
	Label, URL string
	Key        string // the key that goes there on its own page, "" for none
}

// placeTable lists the places, each with the sentence that names it, its role of
// the instance and the right that opens it; a test holds it against doors.
var placeTable = []struct {
	key, path     string
	hub, platform bool
	right         rempart.Right
}{
	{"queue.title", "/console/", true, false, rempart.RightRead},
	{"places.next", "/console/next", true, false, rempart.RightRead},
	{"places.mine", "/console/?who=me", true, false, rempart.RightWork},
	{"places.nobody", "/console/?who=nobody", true, false, rempart.RightRead},
	{"places.late", "/console/?late=1", true, false, rempart.RightRead},
	{"places.minor", "/console/?minor=1", true, false, rempart.RightRead},
	{"places.closed", "/console/?state=closed", true, false, rempart.RightRead},
	{"search.title", "/console/search", true, false, rempart.RightRead},
	{"mails.title", "/console/mails", true, false, rempart.RightRead},
	{"calendar.title", "/console/calendar", true, false, rempart.RightRead},
	{"places.agenda", "/console/calendar?view=agenda", true, false, rempart.RightRead},
	{"rest.title", "/console/rest", true, false, rempart.RightRead},
	{"dash.title", "/console/dashboard", true, false, rempart.RightFigures},
	{"lists.title", "/console/lists", true, false, rempart.RightRead},
	{"lists.title", "/console/matches", false, true, rempart.RightModerate},
	{"places.notices", "/console/", false, true, rempart.RightModerate},
	{"check.title", "/console/check", false, true, rempart.RightModerate},
	{"admin.title", "/console/admin", true, true, rempart.RightAdmin},
	{"staff.title", "/console/admin/staff", true, true, rempart.RightAdmin},
	{"delays.title", "/console/admin/delays", true, false, rempart.RightAdmin},
	{"audit.title", "/console/audit", true, true, rempart.RightAudit},
	{"me.title", "/console/me", true, true, everybody},
}

// Places lists where who is signed in can go, for templates.
func (p page) Places() (out []place) {
	if p.Staff == nil {
		return nil
	}
	for _, x := range placeTable {
		if (x.hub && p.Hub || x.platform && !p.Hub) && (x.right == everybody || p.Staff.May(x.right)) {
			out = append(out, place{Label: p.T(x.key), URL: p.URL(x.path)})
		}
	}
	return out
}

// places lists them on a page, for who has no script.
func (s *Server) places(w http.ResponseWriter, r *http.Request) {
	p := s.consolePage(r)
	p.Title = p.T("places.title")
	s.render(w, r, http.StatusOK, "console/places", p)
}
