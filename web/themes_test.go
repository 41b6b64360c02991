package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"rempart"
)

// groups gives a member of the desk her themes as an administrator does.
func (d *desk) groups(role rempart.StaffRole, themes ...rempart.Theme) {
	d.t.Helper()
	m, err := d.db.Member(context.Background(), string(role))
	d.must(err)
	m.Groups = rempart.ThemesOf(themes...)
	d.must(d.db.PutStaff(context.Background(), m, ""))
	_, err = d.db.Release(context.Background(), m)
	d.must(err)
}

// TestGroups holds every door to a case, and every list, against a member's
// groups: what is outside them is in none.
func TestGroups(t *testing.T) {
	d := newDesk(t, true, false)
	minor, adult := d.open(rempart.AgeSaidUnder15), d.open(rempart.AgeSaidAdult)
	for _, role := range []rempart.StaffRole{rempart.RoleAnalyst, rempart.RoleLead, rempart.RoleReader} {
		d.groups(role, rempart.ThemeIntimate, rempart.ThemeAI)
		s := d.sit(role)
		fill := func(ref string) *strings.Replacer {
			return strings.NewReplacer("{ref}", ref, "{id}", "x", "{item}", "x")
		}
		seen := 0
		for _, rt := range hubRoutes {
			if !strings.Contains(rt.pattern, "{ref}") || doors[rt.pattern].fresh || !(rempart.Staff{Role: role}).May(doors[rt.pattern].right) {
				continue
			}
			seen++
			for _, c := range []*rempart.Case{minor, adult} {
				method, path, _ := strings.Cut(fill(c.Ref).Replace(rt.pattern), " ")
				r, err := http.NewRequest(method, d.url+path, nil)
				d.must(err)
				a := s.send(r)
				if refused := a.status == http.StatusForbidden && strings.Contains(a.body, "un thème que cette personne ne traite pas"); refused != (c == minor) {
					t.Errorf("%s by %s, minor's: %v: %d", rt.pattern, role, c == minor, a.status)
				}
				if c == minor && strings.Contains(a.body, "exemple.test") {
					t.Errorf("%s by %s tells of the case", rt.pattern, role)
				}
			}
		}
		if seen < 2 {
			t.Fatalf("%d doors to a case tried by %s", seen, role)
		}
		for _, list := range []string{"/console/", "/console/?sort=clock", "/console/?minor=1", "/console/?who=nobody", "/console/calendar", "/console/calendar?view=agenda", "/console/calendar.ics"} {
			a := s.get(list)
			if a.status != http.StatusOK || strings.Contains(a.body, "/cases/"+minor.Ref) || strings.Contains(a.body, minor.Ref+"<") {
				t.Errorf("%s by %s: %d, tells of the case", list, role, a.status)
			}
		}
		s.page("/console/").want(t, adult.Ref, "ne traitez pas", "les dossiers avec un mineur")
		for what, q := range map[string]string{"its reference": minor.Ref, "an address of both": "https://forum.exemple.test/page/1"} {
			a := s.post("/console/search", "q", q)
			if strings.Contains(a.head.Get("Location"), minor.Ref) || strings.Contains(a.body, "/cases/"+minor.Ref) {
				t.Errorf("%s finds it by %s: %d %s", role, what, a.status, a.head.Get("Location"))
			}
		}
	}
	lead := d.sit(rempart.RoleLead)
	lead.post("/console/bulk", "act", "take", "case", minor.Ref, "case", adult.Ref).want(t, "un thème que cette personne ne traite pas", "à 1 dossier")

	// Who has no groups sees all, and cannot give a case to who may not have it.
	d.groups(rempart.RoleLead)
	lead.page("/console/").want(t, minor.Ref, adult.Ref)
	if a := lead.post("/console/cases/"+minor.Ref+"/assign", "action", "hand", "to", "analyst", "reason", "À suivre."); a.status != http.StatusForbidden {
		t.Errorf("handed over outside her groups: %d", a.status)
	}
	lead.post("/console/bulk", "act", "hand", "to", "analyst", "reason", "À suivre.", "case", minor.Ref, "case", adult.Ref).want(t, "à 1 dossier")
	lead.changed("/console/cases/"+adult.Ref+"/assign", "action", "hand", "to", "analyst", "reason", "À suivre.")
	if d.reload(adult).Assigned == nil {
		t.Fatal("not handed over")
	}

	// A case whose theme becomes known later leaves her, and her queue.
	d.must(d.db.UpdateCase(context.Background(), adult.ID, "", func(c *rempart.Case) error {
		f := c.Facts
		f.AgeClass = rempart.Age15To17
		return c.CorrectFacts(c.Facts, f, func(rempart.Facts) rempart.Proposal {
			return rempart.Proposal{Pack: c.Pack, Priority: c.Priority, Because: c.Because}
		}, "Alias-lead", d.now)
	}))
	if d.reload(adult).Assigned != nil {
		t.Error("she still has a case of a theme that is not hers")
	}
	d.sit(rempart.RoleAnalyst).page("/console/").lacks(t, adult.Ref)
	lead.page("/console/").want(t, adult.Ref)
}

// TestLeast sets the association's minimum: a lead only makes it stricter, an
// administrator goes back up to the operator's, an analyst does neither, and
// nobody weakens it for herself.
func TestLeast(t *testing.T) {
	d := newDesk(t, true, false)
	d.srv.PauseAfter = 9
	lead, admin, analyst := d.sit(rempart.RoleLead), d.sit(rempart.RoleAdmin), d.sit(rempart.RoleAnalyst)
	set := func(s *seat, n string, want int) {
		t.Helper()
		if a := s.post("/console/rest/least", "least", n); a.status != want {
			t.Errorf("%s: %d, want %d", n, a.status, want)
		}
	}
	set(analyst, "3", http.StatusForbidden)
	for _, n := range []string{"10", "0", "-1", "", "peu"} {
		set(lead, n, http.StatusUnprocessableEntity)
		set(admin, n, http.StatusUnprocessableEntity)
	}
	lead.page("/console/rest").want(t, "De 1 à 9", "seule l’administration")
	set(lead, "5", http.StatusSeeOther)
	lead.page("/console/rest").want(t, "De 1 à 5", "Vide : 5")
	set(lead, "6", http.StatusUnprocessableEntity)
	analyst.page("/console/rest").want(t, "Vide : 5")
	analyst.page("/console/rest").lacks(t, "least")
	if a := analyst.post("/console/rest", "minors", "6"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("weaker for herself: %d", a.status)
	}
	admin.page("/console/admin").want(t, "De 1 à 9", `value="5"`)
	set(admin, "9", http.StatusSeeOther)
	analyst.page("/console/rest").want(t, "Vide : 9")
}
