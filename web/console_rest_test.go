package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart"
)

// TestRest counts what somebody opens, proposes a pause by the stricter of two
// numbers, spares her what she does not want, and ends her day.
func TestRest(t *testing.T) {
	d := newDesk(t, true, false)
	d.srv.PauseAfter = 3
	var minors []*rempart.Case
	for range 4 {
		minors = append(minors, d.open(rempart.AgeSaidUnder15))
	}
	adult := d.open(rempart.AgeSaidAdult)
	s, other := d.sit(rempart.RoleAnalyst), d.sit(rempart.RoleLead)
	at := func(c *rempart.Case) string { return "/console/cases/" + c.Ref }
	first := s.page("/console/rest")
	wellFormed(t, "rest", first.body)
	first.want(t, "Vide : 3", counted("Tous", 0, 0))
	for range 2 { // each counts once
		s.page(at(minors[0]))
	}
	s.page(at(adult))
	s.page("/console/rest").want(t, counted("Tous", 2, 2), counted("Avec un mineur", 1, 1))
	other.page("/console/rest").want(t, counted("Tous", 0, 0))
	for _, n := range []string{"4", "0", "-1", "beaucoup", "1.5"} {
		if a := s.post("/console/rest", "minors", n); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "pas plus large") || !strings.Contains(a.body, `value="`+n+`"`) {
			t.Errorf("a limit of %s: %d", n, a.status)
		}
	}
	s.page("/console/").lacks(t, "Une pause")
	s.changed("/console/rest", "minors", "2", "without", "minors", "without", "anything").want(t, "Vos réglages sont gardés", `value="2"`, `value="minors" checked`)
	s.page("/console/").lacks(t, "Une pause")
	s.page(at(minors[1])).want(t, "Vous avez ouvert 2 dossiers de mineurs aujourd’hui", "/console/rest")
	s.page("/console/").want(t, "Vous avez ouvert 2 dossiers")
	other.page("/console/").lacks(t, "Une pause")
	for _, c := range minors[:3] { // the association's number holds for who set nothing
		other.page(at(c))
	}
	other.page("/console/").want(t, "Vous avez ouvert 3 dossiers")

	// The queue begins with minors; she is led to the adult's, and still may open them.
	if a := s.get("/console/next"); a.head.Get("Location") != at(adult) {
		t.Errorf("she is offered %q, want %q", a.head.Get("Location"), at(adult))
	}
	if a := other.get("/console/next"); strings.Contains(a.head.Get("Location"), adult.Ref) {
		t.Errorf("another is offered %q", a.head.Get("Location"))
	}
	s.page("/console/").lacks(t, minors[3].Ref)
	s.page("/console/?sort=clock").lacks(t, minors[3].Ref)
	s.page(at(minors[3])) // she may still open it
	events, err := d.db.Events(context.Background(), "analyst")
	d.must(err)
	for _, e := range events {
		if strings.Contains(e.Kind, "rest") {
			t.Errorf("what she set is in the ledger: %+v", e)
		}
	}

	s.changed(at(adult)+"/assign", "action", "take")
	if a := s.post(at(minors[0])+"/assign", "action", "take"); a.status != http.StatusForbidden {
		t.Errorf("she takes what she left out: %d", a.status)
	}
	s.changed("/console/rest", "minors", "2")
	s.changed(at(minors[0])+"/assign", "action", "take")
	s.page("/console/rest").want(t, "Rendre les 2 dossiers que j’ai")
	elsewhere := d.sit(rempart.RoleAnalyst)
	if a := s.post("/console/rest/end", "back", "yes"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.head.Get("Location"), "/console/sign-in") {
		t.Errorf("the end of the day: %d to %q", a.status, a.head.Get("Location"))
	}
	for _, gone := range []*seat{s, elsewhere} {
		if a := gone.get("/console/"); !strings.HasPrefix(a.head.Get("Location"), "/console/sign-in") {
			t.Errorf("a session goes on: %d", a.status)
		}
	}
	if d.reload(adult).Assigned != nil || d.reload(minors[0]).Assigned != nil {
		t.Error("she still has cases")
	}
	d.now = d.now.Add(24 * time.Hour) // Monday
	again := d.sit(rempart.RoleAnalyst)
	again.page("/console/rest").want(t, counted("Tous", 0, 0))
	again.page("/console/").lacks(t, "Une pause")
	// Without the tick, cases stay with her.
	again.changed(at(adult)+"/assign", "action", "take")
	again.post("/console/rest/end")
	if d.reload(adult).Assigned == nil {
		t.Error("given back without having been asked")
	}
}

// counted is a row of what was opened, today and this week.
func counted(what string, today, week int) string {
	return fmt.Sprintf("%s</th><td data-label=\"Aujourd’hui\">%d</td><td data-label=\"Cette semaine\">%d</td>", what, today, week)
}
