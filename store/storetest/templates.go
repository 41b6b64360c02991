package storetest

import (
	"github.com/google/go-cmp/cmp"

	"rempart"
)

// templates: the program's own until somebody changes them; of several who
// change the same version one does.
func templates(e *env) {
	got, err := e.db.Templates(e.ctx)
	if diff := cmp.Diff(rempart.DefaultTemplates(), got); err != nil || diff != "" {
		e.Fatalf("at first: %v %s", err, diff)
	}
	next, err := got.With(rempart.Template{ID: "x", Title: rempart.Text{FR: "Un", EN: "One"}, Body: rempart.Text{FR: "Bonjour.", EN: "Hello."}})
	if err != nil {
		e.Fatal(err)
	}
	next.By = "lune"
	saved := 0
	for _, err := range together(4, func(int) error { return e.db.SaveTemplates(e.ctx, next) }) {
		if err == nil {
			saved++
		} else {
			e.kind(err, rempart.Conflict)
		}
	}
	got, err = e.db.Templates(e.ctx)
	if err != nil || saved != 1 || got.Version != 1 || got.By != "lune" || got.At.IsZero() || got.Get("x") == nil {
		e.Errorf("%d of 4 saved version 1: %+v, %v", saved, got, err)
	}

	mine := rempart.Text{FR: "Nous vous rappelons {notice}, à laquelle rien n’a répondu.", EN: "We remind you of {notice}, which nothing has answered."}
	got, err = got.WithStep(rempart.StepText{ID: rempart.StepReminder, Body: mine}, rempart.Notifier{})
	if err != nil {
		e.Fatal(err)
	}
	got.By = "saule"
	if err := e.db.SaveTemplates(e.ctx, got); err != nil {
		e.Fatal(err)
	}
	got, err = e.db.Templates(e.ctx)
	body, changed := got.Step(rempart.StepReminder)
	if err != nil || body != mine || changed == nil || changed.By != "saule" || changed.At.IsZero() || got.Get("x") == nil {
		e.Errorf("the text of a step: %+v by %+v, %v", body, changed, err)
	}
	got = got.WithoutStep(rempart.StepReminder)
	got.By = "lune"
	if err := e.db.SaveTemplates(e.ctx, got); err != nil {
		e.Fatal(err)
	}
	if got, err = e.db.Templates(e.ctx); err != nil || got.Version != 3 {
		e.Fatalf("version %d, %v", got.Version, err)
	}
	if body, changed := got.Step(rempart.StepReminder); changed != nil || body != rempart.DefaultStepText(rempart.StepReminder) {
		e.Errorf("back to the default: %+v", body)
	}
	events, err := e.db.Events(e.ctx, "templates")
	if err != nil || len(events) != 3 {
		e.Fatalf("%d events, %v", len(events), err)
	}
	for k, want := range []struct {
		what string
		by   rempart.Actor
	}{{"template:x", "lune"}, {"step:reminder", "saule"}, {"default:reminder", "lune"}} {
		if events[k].Data["what"] != want.what || events[k].Actor != want.by {
			e.Errorf("event %d: %+v, want %+v", k, events[k], want)
		}
	}
}
