package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"rempart"
)

func TestSearch(t *testing.T) {
	d := newDesk(t, true, false)
	ctx := context.Background()
	c := d.open(rempart.AgeSaidAdult)
	s := d.sit(rempart.RoleAnalyst)
	opened := func(what, typed string) {
		t.Helper()
		a := s.post("/console/search", "q", typed)
		if to := a.head.Get("Location"); a.status != http.StatusSeeOther || to != "/console/cases/"+c.Ref {
			t.Errorf("%s %q: %d %q", what, typed, a.status, to)
		}
	}
	none := func(typed string, want ...string) answer {
		t.Helper()
		a := s.post("/console/search", "q", typed)
		if a.status != http.StatusOK {
			t.Errorf("%q: %d", typed, a.status)
		}
		sober(t, "search", a.body)
		a.want(t, want...)
		return a
	}
	opened("reference", strings.ToLower(strings.ReplaceAll(c.Ref, "-", "")))
	opened("address", "forum.exemple.test/page/1")
	opened("address", " https://ailleurs.exemple.test/3 ")
	opened("fingerprint", strings.ToUpper(prints()[0].Value))
	opened("fingerprint", "sha256: "+prints()[1].Value)
	opened("receipt", "rempart receipt v1\r\nreference "+c.Ref+"\r\nreceived 2026-11-22 10h UTC\r\n")
	none("0000-0000", "Aucun dossier trouvé", "effacé")
	none("https://forum.exemple.test/page/1/", "au caractère près")
	none(strings.Repeat("00", 16), "Aucune empreinte semblable")
	none("N-1", "Si c’est une adresse")
	none("", "Cherchez par numéro")
	s.page("/console/search").want(t, "Cherchez par numéro")
	code := rempart.NewCaseCode().String()
	none(code, "code d’une personne").lacks(t, code)

	// The same address in two cases: both are listed.
	second := d.open(rempart.AgeSaidUnder15)
	none("https://forum.exemple.test/page/1", "2 dossiers trouvés", c.Ref, second.Ref)

	// A listed picture that comes near.
	s.changed("/console/cases/"+c.Ref+"/qualifications/"+c.Quals[0].ID, "action", "confirm")
	s.changed("/console/cases/"+c.Ref+"/items/"+c.Items[3].ID, "action", "confirm")
	none("6"+prints()[0].Value[1:], "2 bits d’écart", c.Ref)

	// What was searched is not in the ledger; that it was, is.
	events, _, err := d.db.EventsOf(ctx, []string{"case.searched"}, "", 100)
	d.must(err)
	if len(events) != 13 {
		t.Errorf("%d searches in the ledger, want 13", len(events))
	}
	for _, e := range events {
		if e.Actor != "Alias-analyst" || e.Subject != "search" || e.Data["what"] == "" {
			t.Errorf("%+v", e)
		}
		for _, v := range e.Data {
			if strings.Contains(v, "exemple.test") {
				t.Errorf("%+v", e)
			}
		}
	}
	if a := d.sit(rempart.RoleAdmin).post("/console/search", "q", c.Ref); a.status != http.StatusForbidden {
		t.Errorf("an administrator searches: %d", a.status)
	}
	d.sit(rempart.RoleAdmin).page("/console/admin").lacks(t, `id="search"`)
	d.sit(rempart.RoleAuditor).page("/console/audit").want(t, "a cherché un dossier", ">address<")
}
