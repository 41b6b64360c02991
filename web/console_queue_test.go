package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"rempart"
)

// TestAssign takes a case, hands it over with a note, gives it back, and holds
// what others see of it.
func TestAssign(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	at := "/console/cases/" + c.Ref
	analyst, lead, reader := d.sit(rempart.RoleAnalyst), d.sit(rempart.RoleLead), d.sit(rempart.RoleReader)
	reader.page(at).lacks(t, at+"/assign")
	analyst.page(at).want(t, "Personne n’a pris ce dossier", "Vu à l’instant par Alias-reader")
	analyst.changed(at+"/assign", "action", "take").want(t, "Ce dossier est avec vous")
	lead.page("/console/").want(t, "Alias-analyst", "Vu à l’instant par Alias-")
	if a := lead.post(at+"/assign", "action", "take"); a.status != http.StatusConflict || !strings.Contains(spaces.Replace(a.body), "est avec Alias-analyst") {
		t.Errorf("taken from another: %d", a.status)
	}
	if a := analyst.post(at+"/assign", "action", "hand", "to", "lead", "reason", ""); a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest || !strings.Contains(a.body, "Écrivez en quelques mots") {
		t.Errorf("handed over without a note: %d", a.status)
	}
	for _, to := range []string{"reader", "nobody", ""} {
		if a := analyst.post(at+"/assign", "action", "hand", "to", to, "reason", "Mot gardé"); !strings.Contains(a.body, "Choisissez quelqu’un") || !strings.Contains(a.body, "Mot gardé</textarea>") {
			t.Errorf("handed over to %q: %d", to, a.status)
		}
	}
	analyst.changed(at+"/assign", "action", "hand", "to", "lead", "reason", "Reste à notifier.")
	lead.page(at).want(t, "Ce dossier est avec vous", "Note de Alias-analyst", "Reste à notifier.", "Dossier confié à Alias-lead")
	lead.changed(at+"/assign", "action", "back").want(t, "Personne n’a pris")
	events, err := d.db.Events(context.Background(), c.ID)
	d.must(err)
	for _, e := range events {
		for _, v := range e.Data {
			if strings.Contains(v, "notifier.") {
				t.Errorf("the note is in the ledger: %+v", e)
			}
		}
	}
}

// TestQueueFilters narrows the queue by its address alone, keeps a view, and
// folds what is about the same.
func TestQueueFilters(t *testing.T) {
	d := newDesk(t, true, false)
	adult, minor := d.open(rempart.AgeSaidAdult), d.open(rempart.AgeSaidUnder15)
	s := d.sit(rempart.RoleAnalyst)
	s.changed("/console/cases/"+adult.Ref+"/assign", "action", "take")
	rows := func(query string, want ...string) answer {
		t.Helper()
		a := s.page("/console/" + query)
		for _, c := range []*rempart.Case{adult, minor} {
			in := false
			for _, ref := range want {
				in = in || ref == c.Ref
			}
			if got := strings.Contains(a.body, `href="/console/cases/`+c.Ref+`"`); got != in {
				t.Errorf("%s: case %s is there: %v, want %v", query, c.Ref, got, in)
			}
		}
		return a
	}
	rows("", adult.Ref, minor.Ref).want(t, "Mêmes éléments dans 1 autre", `class="folded"`)
	for _, text := range adult.Because {
		s.page("/console/").want(t, text.FR)
	}
	rows("?who=me", adult.Ref)
	rows("?who=nobody", minor.Ref)
	rows("?minor=1", minor.Ref)
	rows("?minor=1&who=me").want(t, "Aucun dossier ne répond", "Tout montrer")
	rows("?late=1")
	rows("?priority=1", minor.Ref)
	rows("?service=FORUM.exemple.test", adult.Ref, minor.Ref)
	rows("?service=exemple.test")
	rows("?priority=9&who=x&minor=oui&state=y", adult.Ref, minor.Ref)
	s.changed("/console/views", "action", "save", "name", "Mes <b>urgents</b>", "query", "who=me&state=open&after=x&x=y").want(t, "Vue gardée", `/console/?state=open&amp;who=me`, "Mes &lt;b&gt;urgents")
	d.sit(rempart.RoleLead).page("/console/").lacks(t, "urgents")
	s.changed("/console/views", "action", "drop", "name", "Mes <b>urgents</b>").lacks(t, "urgents")
}
