package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"

	"rempart"
	"rempart/idp"
	"rempart/law"
)

// page is what every template gets as dot.
type page struct {
	Lang  string         // "fr" or "en"
	Other string         // the other language
	Area  string         // "person", "console", "platform"
	Title string         // already in the page's language
	Path  string         // request path, for the language switch; "" hides it
	Staff *rempart.Staff // who is signed in, nil on the person's pages
	Site  string         // the instance's name
	Demo  bool
	Moves bool   // the demo's clock can be moved here
	Hub   bool   // the instance has the role hub, so the person's pages
	Pause string // proposes a pause, "" if there is no reason to
	Flash string // one sentence to show on top ("", or already translated)
	Data  any    // the page's own view struct

	pages  *pages
	chosen bool // the reader chose the language by the switch
}

// newPage returns the page that answers r in an area, with the title of key.
func (s *Server) newPage(r *http.Request, area, titleKey string, data any) page {
	p := page{Area: area, Data: data}
	s.fill(r, &p)
	if titleKey != "" {
		p.Title = p.T(titleKey)
	}
	return p
}

// fill gives p what all pages share. The language switch leads to the same path
// by GET, so the answer to a POST has none: it would lose what was sent. So has
// what came back from the identity provider, which counts once.
func (s *Server) fill(r *http.Request, p *page) {
	if p.Lang == "" {
		p.Lang = s.lang(r)
	}
	p.Other = "en"
	if p.Lang == "en" {
		p.Other = "fr"
	}
	if p.Path == "" && r.Method == http.MethodGet && r.URL.Path != idp.CallbackPath {
		p.Path = r.URL.EscapedPath() // "/%2fexemple.test" is here, "//exemple.test" elsewhere
		q := r.URL.Query()
		q.Del("lang")
		if len(q) > 0 && p.Area != "person" {
			p.Path += "?" + q.Encode()
		} else if q.Get("for") == "minor" {
			p.Path += "?for=minor"
		}
	}
	_, p.chosen = chosenLang(r)
	p.Site, p.Demo, p.Moves, p.Hub, p.pages = s.Site, s.Demo, s.Advance != nil, s.Hub, s.pages
}

// pages are the templates and sentences of the server.
type pages struct {
	version   string                        // of the static files
	templates map[string]*template.Template // by name, such as "person/home"
	sentences catalogues
	missing   func(lang, key string) // if set, is told of each key without a sentence
}

// loadPages parses the embedded templates and catalogues. Each page is the
// layout, the parts of all areas (templates/parts.html), those of its own
// (templates/<area>/parts.html) and its file.
func loadPages() (*pages, error) {
	version, err := assetVersion()
	if err != nil {
		return nil, err
	}
	c, err := loadCatalogues(embedded)
	if err != nil {
		return nil, fmt.Errorf("web: reading catalogues: %w", err)
	}
	ps := &pages{version: version, templates: map[string]*template.Template{}, sentences: c}
	files, err := fs.Glob(embedded, "templates/*/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		dir, base := path.Split(file)
		if base == "parts.html" {
			continue
		}
		from := []string{"templates/layout.html", "templates/parts.html"}
		if _, err := fs.Stat(embedded, dir+"parts.html"); err == nil {
			from = append(from, dir+"parts.html")
		}
		t, err := template.ParseFS(embedded, append(from, file)...)
		if err != nil {
			return nil, fmt.Errorf("web: parsing page %s: %w", file, err)
		}
		ps.templates[path.Base(dir)+"/"+strings.TrimSuffix(base, ".html")] = t
	}
	if len(ps.templates) == 0 {
		return nil, errors.New("web: no pages")
	}
	return ps, nil
}

// sentence returns the sentence of a key, and the key itself if there is none.
func (ps *pages) sentence(lang, key string) (string, bool) {
	s, ok := ps.sentences[lang][key]
	if !ok {
		if ps.missing != nil {
			ps.missing(lang, key)
		}
		return key, false
	}
	return s, true
}

// URL returns path with the language that the reader chose by the switch, if
// she did. A path may have a query and a fragment.
func (p page) URL(to string) string {
	if !p.chosen {
		return to
	}
	return p.withLang(to, p.Lang)
}

// SwitchURL returns the address of this page in the other language, "" if it
// cannot be had by a link.
func (p page) SwitchURL() string {
	if p.Path == "" {
		return ""
	}
	return p.withLang(p.Path, p.Other)
}

func (p page) withLang(to, lang string) string {
	u, err := url.Parse(to)
	if err != nil {
		return to
	}
	q := u.Query()
	q.Set("lang", lang)
	u.RawQuery = q.Encode()
	return u.String()
}

// Asset returns the address of a static file, such as "css/rempart.css".
func (p page) Asset(name string) string { return "/static/" + p.pages.version + "/" + name }

// A helpLine is a help line as it is shown.
type helpLine struct {
	Number, Label, For string
	Tel                []telLink
	URL                string
}

type telLink struct {
	Number string
	Href   template.URL // tel:…
}

// Urgent returns the help line for immediate danger.
func (p page) Urgent() []helpLine { return p.Help(true)[:1] }

// Help returns the help lines, or only those for someone under 18.
func (p page) Help(minor bool) []helpLine {
	var out []helpLine
	for _, l := range law.Help() {
		if minor && !l.ForMinors {
			continue
		}
		h := helpLine{Number: l.Number, Label: l.Label.In(p.Lang), For: l.For.In(p.Lang), URL: l.URL}
		for _, t := range l.Tel {
			shown := t
			if len(l.Tel) == 1 {
				shown = strings.ReplaceAll(l.Number, " ", "\u00a0")
			}
			h.Tel = append(h.Tel, telLink{shown, template.URL("tel:" + t)})
		}
		out = append(out, h)
	}
	return out
}

// Problem returns the sentence of an error in the page's language, or its
// English sentence if the catalogue has none.
func (p page) Problem(e *rempart.Error) string {
	public := e.Public
	if public == "" {
		public = p.T("fail.internal.what")
	}
	return p.sentence("err."+e.Code, public, e.Args...)
}

// sentence returns the sentence of key as [page.T] does, or fallback if the
// catalogue has none.
func (p page) sentence(key, fallback string, args ...any) string {
	if p.pages == nil || p.pages.sentences[p.Lang][key] == "" {
		return fallback
	}
	return p.T(key, args...)
}

// Problems returns the sentences of all faults in err.
func (p page) Problems(err error) []string {
	var out []string
	for _, e := range faults(err) {
		out = append(out, p.Problem(e))
	}
	return out
}

// faults returns each [rempart.Error] that err holds.
func faults(err error) []*rempart.Error {
	var many rempart.Problems
	if errors.As(err, &many) {
		return many
	}
	var one *rempart.Error
	if errors.As(err, &one) {
		return []*rempart.Error{one}
	}
	return nil
}

// render answers with a page. It renders into memory first, so that a fault in
// a template gives a whole error page instead of half a page.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	s.fill(r, &p)
	t := s.pages.templates[name]
	var b bytes.Buffer
	err := fmt.Errorf("no page %q", name)
	if t != nil {
		err = t.ExecuteTemplate(&b, "layout.html", p)
	}
	if err != nil {
		s.Log.ErrorContext(r.Context(), "rendering a page", slog.String("page", name), slog.String("error", err.Error()))
		http.Error(w, p.T("fail.internal.what")+" "+p.T("fail.internal.next"), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Add("Vary", "Accept-Language")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// failView is the view of an error page.
type failView struct {
	Sentences []string // what is known of the fault
	Next      string   // what the reader can do
	Back      string   // where the way back leads
	BackText  string
}

// fail answers with a whole page for an error, in an area, with the status of
// its kind. An error of our own is logged, without what was sent.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, area string, err error) {
	k := rempart.KindOf(err)
	s.note(r.Context(), r.Pattern, err)
	if k == rempart.Unavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	name := "fail." + strings.ReplaceAll(k.String(), " ", "_")
	p := s.newPage(r, area, name+".title", nil)
	v := failView{Next: p.T(name + ".next"), Back: "/", BackText: p.T("fail.back")}
	if area == "console" {
		v.Back, v.BackText = "/console/", p.T("fail.back.console")
	}
	if k != rempart.Internal {
		v.Sentences = p.Problems(err)
	}
	if len(v.Sentences) == 0 {
		v.Sentences = []string{p.T(name + ".what")}
	}
	p.Data = v
	s.render(w, r, statusOf(err), "person/fail", p)
}

func statusOf(err error) int { return status[rempart.KindOf(err)] }

// notFound answers for an address where there is nothing, in its area.
func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	err := &rempart.Error{Kind: rempart.NotFound, Code: "page.missing", Public: "There is nothing at this address."}
	switch {
	case strings.HasPrefix(r.URL.Path, "/api/"):
		s.writeProblem(w, r, err)
	case strings.HasPrefix(r.URL.Path, "/console"):
		s.fail(w, r, "console", err)
	default:
		s.fail(w, r, "person", err)
	}
}
