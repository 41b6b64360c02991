package rempart

import (
	"slices"
	"strings"
	"testing"
)

// TestStepTexts: each default passes the rules for what an operator writes, and
// what is wrong is one sentence in its field.
func TestStepTexts(t *testing.T) {
	from := Notifier{Name: "Association Exemple", Email: "contact@association.exemple.test"}
	d := DefaultTemplates()
	for _, id := range StepTextIDs {
		if _, err := d.WithStep(StepText{ID: id, Body: DefaultStepText(id)}, from); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	good := StepText{ID: StepComplaint, Body: Text{
		"Réclamation sur {notice}, motifs : {decisions} et {explanation}.", "A complaint on {notice}, reasons: {decisions} and {explanation}."}}
	for name, x := range map[string]struct {
		change      func(*StepText)
		field, code string
	}{
		"too short":           {func(s *StepText) { s.Body.FR = " {notice} " }, "body_fr", "steptext.length"},
		"too long":            {func(s *StepText) { s.Body.EN = strings.Repeat("a", maxTemplateBody) + "{notice}" }, "body_en", "steptext.length"},
		"unknown name":        {func(s *StepText) { s.Body.FR += " {personne}" }, "body_fr", "template.field"},
		"a name of elsewhere": {func(s *StepText) { s.Body.EN += " {steps}" }, "body_en", "template.field"},
		"not which notice":    {func(s *StepText) { s.Body.EN = strings.ReplaceAll(s.Body.EN, "{notice}", "a notice of ours") }, "body_en", "steptext.needs"},
		"an open brace":       {func(s *StepText) { s.Body.FR += " {notice" }, "body_fr", "steptext.brace"},
		"an address":          {func(s *StepText) { s.Body.FR += " Écrivez à a@exemple.test." }, "body_fr", "steptext.who"},
		"a name":              {func(s *StepText) { s.Body.EN += " Signed, ASSOCIATION exemple." }, "body_en", "steptext.who"},
	} {
		n := good
		x.change(&n)
		got, err := d.WithStep(n, from)
		p, ok := err.(Problems)
		if !ok || len(p) != 1 || p[0].Field != x.field || p[0].Code != x.code {
			t.Errorf("%s: %v", name, err)
		}
		if len(got.Steps) != 0 {
			t.Errorf("%s: changed all the same", name)
		}
	}
	more, err := d.WithStep(good, from)
	if body, changed := more.Step(StepComplaint); err != nil || changed == nil || body != good.Body {
		t.Fatalf("saved %+v, %v", body, err)
	}
	if _, changed := d.Step(StepComplaint); changed != nil {
		t.Error("the list before was changed too")
	}
	if body, changed := more.WithoutStep(StepComplaint).Step(StepComplaint); changed != nil || body != DefaultStepText(StepComplaint) {
		t.Errorf("back to the default: %q", body.FR)
	}
	for _, id := range StepTextIDs { // no name for anybody, nor for what the person wrote
		for _, field := range id.Fields() {
			if !slices.Contains([]string{"notice", "service", "reference", "number", "sent", "explanation", "decisions", "steps"}, field) {
				t.Errorf("%s: {%s} is filled with what nobody has looked at here", id, field)
			}
		}
	}

	got := FillStep("Sur {notice}.\n\n{decisions}\n\n{steps}\n\nVoici {inconnu} : {notice}", map[string]string{"notice": "N {steps}", "decisions": "", "steps": ""})
	if want := "Sur N {steps}.\n\nVoici {inconnu} : N {steps}"; got != want {
		t.Errorf("filled %q, want %q", got, want)
	}
}
