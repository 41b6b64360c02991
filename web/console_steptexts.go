package web

import (
	"strings"
	"time"

	"rempart"
	"rempart/flow"
)

// A stepForm is the text of a step after a notice, as its form shows it.
type stepForm struct {
	ID       rempart.StepTextID
	Body     rempart.Text
	Changed  bool   // somebody has changed the program's own
	Who      string // who, and when
	Open     bool   // it comes back with what is wrong, or with its preview
	Minor    bool   // the preview is of a notice in a minor's case
	Bodies   []stepBody
	Previews []stepBody
}

// A stepBody is such a text in one language.
type stepBody struct {
	Name, Lang, Text string
	Wrong            []remark
}

// Fields are the names that the text may have between braces.
func (f stepForm) Fields() []string { return f.ID.Fields() }

func (f stepForm) text() rempart.StepText { return rempart.StepText{ID: f.ID, Body: f.Body} }

// in is the text in one language; what is empty stays so.
func (f stepForm) in(lang string) string {
	if lang == "en" {
		return f.Body.EN
	}
	return f.Body.FR
}

// stepForms returns a form for each text, the one that comes back as typed.
func stepForms(p page, list rempart.Templates, typed *stepForm, wrong error) (out []stepForm) {
	for _, id := range rempart.StepTextIDs {
		f := stepForm{ID: id}
		body, changed := list.Step(id)
		f.Body = body
		var remarks []remark
		if typed != nil && typed.ID == id {
			f = *typed
			remarks = remarksOf(p, wrong)
		}
		if changed != nil {
			f.Changed, f.Who = true, p.T("steps.changed.by", string(changed.By), p.DateTime(changed.At))
		}
		for _, lang := range langs {
			b := stepBody{Name: "body_" + lang, Lang: lang, Text: f.in(lang)}
			for _, x := range remarks {
				if x.Field == b.Name {
					b.Wrong = append(b.Wrong, x)
				}
			}
			f.Bodies = append(f.Bodies, b)
		}
		out = append(out, f)
	}
	return out
}

// stepPreviews fills a text as typed from a notice that is made up.
func stepPreviews(f *stepForm, at time.Time) (out []stepBody) {
	for _, lang := range langs {
		if text := strings.TrimSpace(f.in(lang)); text != "" {
			out = append(out, stepBody{Lang: lang, Text: flow.StepExample(f.ID, f.Body, lang, f.Minor, at)})
		}
	}
	return out
}

// StepForm returns what the form of a step's text needs.
func (p page) StepForm(f stepForm) map[string]any { return map[string]any{"Page": p, "Form": f} }
