package web

import (
	"net/http"

	"rempart"
)

// routes joins the table of pages and the JSON API of the instance's roles. Where
// both roles have a page at one address, as the first one, it is the hub's.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	if s.Matcher {
		s.api(mux)
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			s.writeProblem(w, r, &rempart.Error{Kind: rempart.NotFound, Code: "route.none", Public: "This node answers lookups, and nothing else."})
		})
		return mux
	}
	tables := [][]route{consoleRoutes}
	if s.Hub {
		tables = append(tables, personRoutes, hubRoutes)
	}
	if s.Platform {
		tables = append(tables, platformRoutes)
	}
	taken := map[string]bool{}
	for _, table := range tables {
		for _, rt := range table {
			if !taken[rt.pattern] {
				mux.Handle(rt.pattern, s.door(rt))
			}
			taken[rt.pattern] = true
		}
	}
	s.staticFiles(mux)
	s.api(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.notFound(w, r) })
	// Browsers say where a request comes from; a form on another site can post
	// nothing here. Programs send no such header and are let through.
	p := http.NewCrossOriginProtection()
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, string(areaPerson), &rempart.Error{Kind: rempart.Forbidden, Code: "origin.other",
			Public: "This form came from another site, so nothing was saved. Open our page and fill it in there."})
	}))
	return p.Handler(mux)
}

// door puts the session rule of a route's area before its handler.
func (s *Server) door(rt route) http.Handler {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { rt.handle(s, w, r) })
	if rt.area == areaConsole {
		return s.staffOnly(h)
	}
	return h
}
