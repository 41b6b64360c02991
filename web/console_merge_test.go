package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"rempart"
)

// TestMergePages previews a merge, does it, shows it on both cases and to the
// person, and undoes it; and refuses it to who does not work on cases.
func TestMergePages(t *testing.T) {
	d := newDesk(t, true, false)
	person := d.sit("")
	code := shownCode(t, person.post("/report", "age", "adult", "depicted", "self", "made", "fake_sexual", "seen", "online_public",
		"addresses", "https://forum.exemple.test/page/1\nhttps://forum.exemple.test/zq-only-hers", "words", "zq-her-words"))
	d.work()
	a := d.only()
	b := d.open(rempart.AgeSaidAdult)
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + a.Ref + "/merge"
	s.page("/console/cases/"+a.Ref).want(t, `href="`+at+`"`, `data-key="M"`, `data-key="S"`)
	s.page(at).want(t, b.Ref, "Numéro du dossier qui portera le travail")
	preview := s.page(at + "?into=" + strings.ToLower(b.Ref))
	wellFormed(t, "merge", preview.body)
	preview.want(t, "Déjà dans "+b.Ref, "Ajouté à "+b.Ref, "garde son code", "Le dossier "+a.Ref+" est clos")
	if d.reload(a).Merged != nil {
		t.Error("a preview merges")
	}
	for _, wrong := range []string{"0000-0000", a.Ref} {
		if x := s.get(at + "?into=" + wrong); x.status < 400 || x.status > 499 || !strings.Contains(x.body, `class="problems"`) {
			t.Errorf("into %s: %d", wrong, x.status)
		}
	}
	x := s.post(at, "action", "merge", "into", b.Ref, "reason", "x")
	if x.status != http.StatusUnprocessableEntity && x.status != http.StatusBadRequest {
		t.Errorf("without a reason: %d", x.status)
	}
	x.want(t, "Dites en quelques mots pourquoi il s’agit des mêmes faits.", "Ajouté à "+b.Ref)
	for _, role := range []rempart.StaffRole{rempart.RoleAdmin, rempart.RoleAuditor} {
		if x := d.sit(role).post(at, "action", "merge", "into", b.Ref, "reason", "les mêmes faits"); x.status != http.StatusForbidden || d.reload(a).Merged != nil {
			t.Errorf("%s: %d", role, x.status)
		}
	}
	x = s.post(at, "action", "merge", "into", b.Ref, "reason", "zq-why les mêmes faits")
	if x.status != http.StatusSeeOther || !strings.Contains(x.head.Get("Location"), b.Ref) {
		t.Fatalf("merged: %d to %s", x.status, x.head.Get("Location"))
	}
	s.page(x.head.Get("Location")).want(t, "Les dossiers sont fusionnés", `class="notice success"`)
	carries := s.page("/console/cases/" + b.Ref)
	carries.want(t, "porte aussi le travail de "+a.Ref, "zq-only-hers", "Vient d’un autre signalement", "Porte désormais le travail de "+a.Ref)
	carries.lacks(t, "zq-her-words", "zq-why")
	s.page("/console/cases/"+a.Ref).want(t, "Ce dossier suit "+b.Ref, "zq-why", "Traité dans "+b.Ref, "zq-her-words", "Fusionné avec "+b.Ref, "Gardé aussi longtemps")
	followed := person.post("/follow", "code", code)
	followed.want(t, "zq-only-hers", "page/1")
	followed.lacks(t, "page/2", "ailleurs.exemple.test", b.Ref, "zq-why", "Bonjour")

	s.page(at).want(t, "Défaire la fusion")
	if x := s.post(at, "action", "undo", "reason", "deux personnes différentes"); x.status != http.StatusSeeOther || d.reload(a).Merged != nil {
		t.Fatalf("undone: %d %+v", x.status, d.reload(a).Merged)
	}
	s.page("/console/cases/"+b.Ref).lacks(t, "zq-only-hers")
}

// TestSplitPages previews a split, does it and shows it on both cases.
func TestSplitPages(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + c.Ref + "/split"
	s.page(at).want(t, "Éléments à déplacer", "https://ailleurs.exemple.test/3")
	if x := s.post(at); x.status < 400 || !strings.Contains(x.body, "Choisissez au moins un élément") {
		t.Errorf("nothing chosen: %d", x.status)
	}
	seen := s.post(at, "item", c.Items[2].ID)
	wellFormed(t, "split", seen.body)
	seen.want(t, "passe dans un nouveau dossier", `name="plan" value="yes"`)
	if len(d.reload(c).Parts) != 0 {
		t.Error("a preview splits")
	}
	s.post(at, "item", c.Items[2].ID, "plan", "yes").want(t, "Dites en quelques mots pourquoi il s’agit d’autres faits.")
	x := s.post(at, "item", c.Items[2].ID, "plan", "yes", "reason", "un autre auteur")
	if x.status != http.StatusSeeOther {
		t.Fatalf("split: %d", x.status)
	}
	d.work()
	to, _, _ := strings.Cut(x.head.Get("Location"), "?")
	part := s.page(to)
	part.want(t, "Dossier scindé de "+c.Ref, "https://ailleurs.exemple.test/3")
	part.lacks(t, "voici", "un autre auteur", `id="talk-text"`, "Vient d’un autre signalement")
	s.page("/console/cases/"+c.Ref).want(t, "Des éléments de ce dossier sont dans", "un autre auteur", "Scindé\u00a0: dossier")
}

// TestMergeScreens merges by keyboard alone and looks at the pages on the way.
func TestMergeScreens(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	d := newDesk(t, true, false)
	a, b := d.open(rempart.AgeSaidAdult), d.open(rempart.AgeSaidAdult)
	l := d.looker(rempart.RoleAnalyst)
	l.look("merge", "/console/cases/"+a.Ref+"/merge?into="+b.Ref)
	visit(t, l.ctx, chromedp.Navigate(l.url+"/console/cases/"+a.Ref), chromedp.WaitReady(chromedp.CSS(`[data-key="M"]`)),
		chromedp.KeyEvent("M"), chromedp.WaitVisible(chromedp.CSS("#merge-into")), chromedp.Click(chromedp.CSS(`main a[href*="into="]`)),
		chromedp.WaitVisible(chromedp.CSS("#merge-reason")), chromedp.SendKeys(chromedp.CSS("#merge-reason"), "les mêmes faits"), chromedp.KeyEvent("\x1b"), chromedp.KeyEvent("y"),
		chromedp.WaitReady(chromedp.CSS("#facts")))
	if d.reload(a).Merged == nil {
		t.Fatal("not merged")
	}
	l.look("case-carries", "/console/cases/"+b.Ref)
	l.look("case-follows", "/console/cases/"+a.Ref)
	l.look("split", "/console/cases/"+b.Ref+"/split")
	l.look("unmerge", "/console/cases/"+a.Ref+"/merge")
}
