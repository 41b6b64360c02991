package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"rempart"
)

// A templatesView is the templates of messages, each with its form.
type templatesView struct {
	Version int
	List    []templateForm
	New     templateForm
	Fields  []string // what may stand between braces
	Max     int
	Remarks []remark
	Who     string // who changed them last, and when; "" for the program's own
	Steps   []stepForm
}

// A templateForm is one template as its form shows it.
type templateForm struct {
	rempart.Template
	Open bool // it comes back with what is wrong
}

func (s *Server) templates(w http.ResponseWriter, r *http.Request) {
	list, err := s.DB.Templates(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	s.templatesPage(w, r, http.StatusOK, list, nil, nil, nil)
}

func (s *Server) templatesPage(w http.ResponseWriter, r *http.Request, status int, list rempart.Templates, typed *rempart.Template, step *stepForm, wrong error) {
	p := s.consolePage(r)
	v := templatesView{Version: list.Version, Fields: rempart.TemplateFields, Max: rempart.MaxTemplateTitle}
	if wrong != nil {
		v.Remarks = remarksOf(p, wrong)
	}
	if list.Version > 0 {
		v.Who = p.T("delays.version", p.DateTime(list.At), string(list.By))
	}
	for _, t := range list.List {
		f := templateForm{Template: t}
		if typed != nil && typed.ID == t.ID {
			f = templateForm{*typed, true}
		}
		v.List = append(v.List, f)
	}
	if typed != nil && list.Get(typed.ID) == nil {
		v.New = templateForm{*typed, true}
	}
	v.Steps = stepForms(p, list, step, wrong)
	p.Title, p.Data = p.T("templates.title"), v
	s.render(w, r, status, "console/templates", p)
}

func (s *Server) templatesPost(w http.ResponseWriter, r *http.Request) {
	if err := s.form(w, r); err != nil {
		s.fail(w, r, "console", err)
		return
	}
	list, err := s.DB.Templates(r.Context())
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	field := func(name string) string { return plainText(r.PostForm.Get(name)) }
	typed := rempart.Template{ID: r.PostForm.Get("id"), Title: rempart.Text{FR: field("title_fr"), EN: field("title_en")}, Body: rempart.Text{FR: field("body_fr"), EN: field("body_en")}}
	next, code := list, "template_saved"
	var step *stepForm
	switch r.PostForm.Get("action") {
	case "step_preview", "step_save", "step_default":
		step = &stepForm{ID: rempart.StepTextID(r.PostForm.Get("id")), Body: typed.Body, Open: true, Minor: r.PostForm.Get("example") == "minor"}
		if !slices.Contains(rempart.StepTextIDs, step.ID) {
			s.unknownAction(w, r)
			return
		}
	}
	switch r.PostForm.Get("action") {
	case "step_preview":
		step.Previews = stepPreviews(step, s.Now())
		_, err = list.WithStep(step.text(), s.Notifier)
		status := http.StatusOK
		if err != nil { // shown all the same: what is wrong is seen in its place
			status = statusOf(err)
		}
		s.templatesPage(w, r, status, list, nil, step, err)
		return
	case "step_save":
		code = "step_saved"
		next, err = list.WithStep(step.text(), s.Notifier)
	case "step_default":
		code, next = "step_default", list.WithoutStep(step.ID)
	case "save":
		if list.Get(typed.ID) == nil {
			typed.ID = rempart.NewID(s.Now())
		}
		next, err = list.With(typed)
	case "drop":
		next, code = list.Without(typed.ID), "template_dropped"
	default:
		s.unknownAction(w, r)
		return
	}
	if err == nil {
		m, _ := staffOf(r)
		next.By = m.Alias
		next.Version = -1
		if seen, wrong := strconv.Atoi(r.PostForm.Get("was")); wrong == nil {
			next.Version = seen
		}
		err = s.DB.SaveTemplates(r.Context(), next)
	}
	switch rempart.KindOf(err) {
	case rempart.Invalid, rempart.Conflict:
		if step != nil {
			s.templatesPage(w, r, statusOf(err), list, nil, step, err)
			return
		}
		s.templatesPage(w, r, statusOf(err), list, &typed, nil, err)
		return
	}
	if err != nil {
		s.fail(w, r, "console", err)
		return
	}
	done(w, r, "/console/admin/templates", code)
}

// filled is a template in the person's language, with what her case says in it,
// and the names that the case has nothing for.
func (s *Server) filled(c *rempart.Case, t *rempart.Template) (text string, lacking []string) {
	p := page{Lang: c.Lang, pages: s.pages}
	names := func(states ...rempart.ItemState) string {
		var out []string
		addresses, media := items(p, c)
		for _, i := range append(addresses, media...) {
			if slices.Contains(states, i.State) {
				out = append(out, lowerFirst(i.Label))
			}
		}
		return strings.Join(out, ", ")
	}
	var services []string
	for _, n := range c.Notices {
		switch n.State {
		case rempart.NoticeSent, rempart.NoticeAcknowledged, rempart.NoticeDecided: // nothing is said to be asked that did not arrive
			if !slices.Contains(services, n.ServiceName) {
				services = append(services, n.ServiceName)
			}
		}
	}
	return rempart.Fill(t.Body.In(c.Lang), map[string]string{
		"reference": c.Ref, "opened": p.Date(c.OpenedAt), "services": strings.Join(services, ", "),
		"removed": names(rempart.ItemRemoved), "waiting": names(rempart.ItemNotified, rempart.ItemAcknowledged),
	})
}

// Form returns what the form of a template needs.
func (p page) Form(f templateForm) map[string]any { return map[string]any{"Page": p, "Form": f} }
