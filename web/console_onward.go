package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"rempart"
	"rempart/store"
)

// skips are why somebody leaves a case to others; no words of hers are asked.
var skips = []string{"later", "waiting", "skill", "known", "other"}

// skippedFor is how long a case that somebody skipped is not offered to her.
const skippedFor = 12 * time.Hour

// Skips lists them, for templates.
func (p page) Skips() []string { return skips }

// selected copies what selects the queue from one set of values to another.
func selected(to, from url.Values) {
	for _, name := range queueNames {
		if x := from.Get(name); x != "" && name != "sort" {
			to.Set(name, x)
		}
	}
}

// next goes to the next case of a selection: behind the one it comes from, with
// nobody else, and not skipped by her today. At the end it goes to the queue.
func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	m, _ := staffOf(r)
	q := r.URL.Query()
	f, _ := queueFilter(q, m)
	f.Behind = rempart.ParseRef(q.Get("from"))
	ok := q.Get("ok")
	var err error
	if f.Not, err = s.DB.Spared(r.Context(), m); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	for pages := 0; pages < 20; pages++ { // a thousand cases that are with others
		rows, after, err := s.DB.Queue(r.Context(), f)
		if err != nil {
			s.fail(w, r, "console", err)
			return
		}
		ids := make([]string, len(rows))
		for k := range rows {
			ids[k] = rows[k].ID
		}
		skipped, err := s.DB.SkippedBy(r.Context(), m.Alias, ids, s.Now().Add(-skippedFor))
		if err != nil {
			s.fail(w, r, "console", err)
			return
		}
		i := slices.IndexFunc(rows, func(c store.CaseRow) bool {
			return !skipped[c.ID] && (c.Assigned == "" || c.Assigned == m.Alias)
		})
		if i >= 0 {
			to := "/console/cases/" + rows[i].Ref
			if ok != "" {
				to += "?ok=" + url.QueryEscape(ok)
			}
			http.Redirect(w, r, withLang(r, to), http.StatusSeeOther)
			return
		}
		if f.Behind, f.After = "", after; after == "" {
			break
		}
	}
	back := url.Values{"ok": {"queue_end"}}
	selected(back, q)
	http.Redirect(w, r, withLang(r, "/console/?"+back.Encode()), http.StatusSeeOther)
}

// skipPost records that a member leaves a case to others, and why, and goes on.
func (s *Server) skipPost(w http.ResponseWriter, r *http.Request) {
	c, ok := s.postedCase(w, r)
	if !ok {
		return
	}
	reason := r.PostForm.Get("reason")
	if !slices.Contains(skips, reason) {
		s.fail(w, r, "console", &rempart.Error{Kind: rempart.Invalid, Field: "reason", Code: "skip.reason", Public: "Choose why you skip this case."})
		return
	}
	m, _ := staffOf(r)
	err := s.DB.Commit(r.Context(), "", rempart.Consequences{Events: []rempart.Event{{Kind: "case.skipped", Subject: c.ID, Actor: m.Alias, At: s.Now(), Data: map[string]string{"skip": reason}}}})
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	q := url.Values{"from": {c.Ref}, "ok": {"case_skipped"}}
	selected(q, r.Form)
	http.Redirect(w, r, withLang(r, "/console/next?"+q.Encode()), http.StatusSeeOther)
}
