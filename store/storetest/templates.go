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
}
