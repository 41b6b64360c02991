package web

import (
	"context"
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"rempart"
	"rempart/flow"
)

// removal is a decision's form with all that it can hold.
func removal(more ...string) []string {
	return append([]string{"measure", "removed", "ground", "law", "reference", "Code pénal, art. 226-8-1", "facts", "Signalé par Jeanne Exemple, jeanne@exemple.test.",
		"explanation", "Le montage montre Jeanne Exemple sans son accord.", "scope", "EU", "redress", "complaint", "means", "partially", "detected", "yes",
		"content", "image", "content", "synthetic_media", "posted_on", "2026-11-01", "restriction", "visibility.disabled", "restriction", "account.suspended", "until", "2027-01-31"}, more...)
}

// TestDecisionAsStatement decides with every field and follows it to the page,
// the statement of reasons and the export.
func TestDecisionAsStatement(t *testing.T) {
	for _, lang := range langs {
		d := newDesk(t, false, true)
		i := d.receive("a", false, d.flagger("aulne", true))
		s := d.sit(rempart.RoleModerator)
		s.lang = lang
		at := "/console/notices/" + i.Number
		s.page(at).want(t, `value="account.terminated"`, `value="synthetic_media"`, `name="posted_on"`, `value="fully"`)

		for _, x := range []struct{ name, value, want string }{
			{"restriction", "account.terminated", "17(3)(a)"}, {"restriction", "monetary.other", "17(3)(a)"},
			{"until", "2026-11-21", "17(3)(a)"}, {"posted_on", "2027-01-01", "17(3)(b)"},
		} {
			form := removal()
			for k := 0; k < len(form); k += 2 {
				if form[k] == x.name && x.name != "restriction" {
					form[k+1] = x.value
				}
			}
			if x.name == "restriction" {
				form = append(form, x.name, x.value)
			}
			a := s.post(at+"/items/i1a", form...)
			if a.status != http.StatusUnprocessableEntity {
				t.Errorf("%s=%s: %d, want 422", x.name, x.value, a.status)
			}
			a.want(t, x.want, "Le montage montre Jeanne Exemple sans son accord.")
			sober(t, at, a.body)
		}

		s.changed(at+"/items/i1a", removal()...)
		got, err := d.db.Intake(context.Background(), i.ID)
		d.must(err)
		if x := got.Decisions["i1a"]; len(x.Restrictions) != 2 || x.Until != "2027-01-31" || x.Means != rempart.MeansPartially || !x.Detected || !x.Automated || len(x.ContentTypes) != 2 || x.PostedOn != "2026-11-01" {
			t.Errorf("decision saved: %+v", x)
		}
		a := s.page(at)
		a.want(t, "DECISION_VISIBILITY_CONTENT_DISABLED", "DECISION_ACCOUNT_SUSPENDED", "AUTOMATED_DECISION_PARTIALLY", "2027-01-31", "SOURCE_TRUSTED_FLAGGER", "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE")
		if at, end := strings.Index(a.body, "<pre"), strings.Index(a.body, "</pre>"); at < 0 || strings.Contains(a.body[at:end], "Jeanne") {
			t.Error("the statement for the database holds what the moderator wrote")
		}
		s.changed(at+"/items/i2a", "measure", "refused", "ground", "law", "facts", "Contenu vu le 22 novembre.", "explanation", "Rien de ce que dit la notification n’y est.", "redress", "court", "scope", "EU")
		d.work()
		if a = s.page(at); lang == "fr" {
			a.want(t, "Cette instance n’en envoie aucun", "accès au contenu bloqué", "compte suspendu", "31 janvier 2027", "novembre 2026")
		}
		if n := strings.Count(a.body, "<pre"); n != 1 {
			t.Errorf("%d statements, want 1: a refusal restricts nobody", n)
		}

		a = s.page("/console/statements.csv")
		if got := a.head.Get("Content-Type"); got != "text/csv; charset=utf-8" {
			t.Errorf("the export is %s", got)
		}
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		if err != nil || len(rows) != 2 || rows[0][0] != "uuid" || strings.Contains(a.body, "Jeanne") || strings.Contains(a.body, "forum.exemple.test") {
			t.Errorf("%d rows, %v", len(rows), err)
		}
	}
}

// TestExplanationWritten: on request the explanation is written from what was
// chosen, in the notice's language; nothing is saved by it.
func TestExplanationWritten(t *testing.T) {
	d := newDesk(t, false, true)
	i := d.receive("a", false, d.flagger("aulne", true))
	s := d.sit(rempart.RoleModerator)
	s.lang = "en"
	at := "/console/notices/" + i.Number
	for _, x := range []struct {
		form []string
		want string
	}{
		{[]string{"measure", "removed", "ground", "law", "reference", "Code pénal, art. 226-8-1"}, "considérons comme illicite au regard du texte suivant\u00a0: Code pénal, art. 226-8-1."},
		{[]string{"measure", "restricted", "ground", "terms", "means", "fully", "until", "2027-01-31"}, "ne le permettent pas tel quel. La décision a été prise par des moyens automatisés. Les restrictions prennent fin le 31 janvier 2027."},
		{[]string{"measure", "refused", "ground", "law"}, "nous ne considérons pas ce contenu comme illicite au regard des textes qu’elle nomme."},
		{nil, "Nous avons retiré ce contenu"},
	} {
		a := s.post(at+"/items/i2a", append(x.form, "action", "write", "facts", "Ce que j’ai tapé.")...)
		if a.status != http.StatusOK {
			t.Fatalf("%v: %d", x.form, a.status)
		}
		a.want(t, x.want, "Ce que j’ai tapé.")
	}
	if got, err := d.db.Intake(context.Background(), i.ID); err != nil || len(got.Decisions) != 0 {
		t.Errorf("writing the explanation saved %v, %v", got.Decisions, err)
	}
}

// TestDatabaseAsksForMore: where statements are sent, a restriction needs the day
// and the kind of content; a refusal does not.
func TestDatabaseAsksForMore(t *testing.T) {
	d := newDesk(t, false, true)
	d.flow.Transparency = flow.Transparency{URL: "http://127.0.0.1:1", Token: "x"}
	i := d.receive("a", false, d.flagger("aulne", true))
	s := d.sit(rempart.RoleModerator)
	at := "/console/notices/" + i.Number
	short := []string{"ground", "law", "reference", "Code pénal, art. 226-8-1", "facts", "Contenu vu le 22 novembre.", "explanation", "Le montage montre une personne sans son accord.", "redress", "court", "scope", "EU"}
	a := s.post(at+"/items/i1a", append(short, "measure", "removed")...)
	if a.status != http.StatusUnprocessableEntity {
		t.Errorf("a removal without a day: %d, want 422", a.status)
	}
	a.want(t, "24(5)", "Donnez le jour de mise en ligne du contenu")
	s.changed(at+"/items/i1a", append(short, "measure", "refused")...)
	s.changed(at+"/items/i2a", removal()...)
}
