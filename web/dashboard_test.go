package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart"
)

// removed takes a case through one notice to the forum that removes its two
// addresses after some time; the third is dropped, and the case closed.
func (d *desk) removed(c *rempart.Case, after time.Duration) {
	d.t.Helper()
	d.removedBy(c, forum, after)
}

func (d *desk) removedBy(c *rempart.Case, service string, after time.Duration) {
	d.t.Helper()
	ctx := context.Background()
	change := func(f func(c *rempart.Case) error) { d.t.Helper(); d.must(d.db.UpdateCase(ctx, c.ID, "", f)) }
	var notice string
	change(func(c *rempart.Case) (err error) {
		if err := c.ConfirmQualification(c.Quals[0].ID, "Alias-analyst", d.now); err != nil {
			return err
		}
		if notice, err = c.PrepareNotice(rempart.Service{ID: service, Name: service, Lang: "fr"}, []string{c.Items[0].ID, c.Items[1].ID},
			"Une explication de plus de quarante caractères, pour un test.", d.srv.Notifier, "Alias-analyst", d.now); err != nil {
			return err
		}
		if err := c.EditNotice(notice, "Une explication de plus de quarante caractères, relue.", true, "Alias-analyst", d.now); err != nil {
			return err
		}
		if err := c.SendNotice(notice, "Alias-analyst", d.now); err != nil {
			return err
		}
		return c.NoticeAccepted(notice, "N-1", rempart.Attempt{At: d.now, Status: 201}, d.now)
	})
	d.now = d.now.Add(after)
	ok := rempart.Decision{Measure: rempart.MeasureRemoved, Ground: "law", Reference: "226-8-1", Facts: "une page de test", Explanation: "une explication assez longue", Redress: []string{"court"}}
	change(func(c *rempart.Case) error {
		return c.NoticeDecided(notice, "N-1", service, map[string]rempart.Decision{c.Items[0].ID: ok, c.Items[1].ID: ok}, d.now)
	})
	change(func(c *rempart.Case) error {
		for _, i := range c.Items {
			if !i.State.Settled() {
				if err := c.DropItem(i.ID, "test", "Alias-analyst", d.now); err != nil {
					return err
				}
			}
		}
		return c.Close("test", "Alias-analyst", d.now)
	})
}

// TestDashboard looks at the figures of five cases in both languages.
func TestDashboard(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit(rempart.RoleReader)
	empty := s.page("/console/dashboard")
	wellFormed(t, "dashboard", empty.body)
	empty.want(t, "0 dossier ouvert dans la période.", "Aucun dossier en cours.", "Aucun élément notifié ni décidé", "Aucune échéance en cours.")
	d.must(d.flow.Prepare(context.Background()))
	for _, hours := range []int{1, 2, 50} {
		d.removed(d.open(rempart.AgeSaidAdult), time.Duration(hours)*time.Hour)
	}
	d.open(rempart.AgeSaidUnder15)
	d.now = d.now.Add(4 * 24 * time.Hour)
	d.open(rempart.AgeSaidAdult)
	d.now = d.now.Add(72 * time.Hour)
	d.work()
	s = d.sit(rempart.RoleReader)
	a := s.page("/console/dashboard")
	wellFormed(t, "dashboard", a.body)
	a.want(t, "5 dossiers ouverts dans la période.", "3 dossiers clos.", "2 dossiers en cours.", "La moitié a au plus 3 jours.",
		"Forum Exemple", "2 h 00 (6 retraits)", // 1 1 2 2 50 50 hours: quartiles 1.25, 2, 38
		`<td class="time" data-label="1er quartile">1 h 15</td><td class="time" data-label="Médiane"><strong>2 h 00</strong></td><td class="time" data-label="3e quartile">1 j 14 h</td>`,
		"2 échéances proches ou dépassées.", "un premier regard", "Voir l’agenda", `<svg class="chart"`, "<title id=", "<desc id=")
	if n := strings.Count(a.body, `class="bar tone-2"`); n < 30 {
		t.Errorf("%d bars for thirty days", n)
	}
	s.page("/console/dashboard?days=7").want(t, "1 dossier ouvert dans la période.", "Aucun élément notifié ni décidé")
	for _, days := range []string{"90", "365"} {
		s.page("/console/dashboard?days="+days).want(t, "5 dossiers ouverts dans la période.", "Semaine du")
	}
	for _, days := range []string{"0", "-7", "8", "hier", "9999999999999999999"} {
		if a := s.get("/console/dashboard?days=" + days); a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest {
			t.Errorf("days=%s: %d", days, a.status)
		}
	}
	auditor := d.sit(rempart.RoleAuditor)
	auditor.lang = "en"
	b := auditor.page("/console/dashboard")
	wellFormed(t, "dashboard", b.body)
	b.want(t, "5 cases opened in the period.", "Time to removal by platform")
	b.lacks(t, "See the agenda", "/console/cases/")
	for _, role := range []rempart.StaffRole{rempart.RoleAdmin, rempart.RoleModerator} {
		if a := d.sit(role).get("/console/dashboard"); a.status != http.StatusForbidden {
			t.Errorf("%s: %d", role, a.status)
		}
	}
}
