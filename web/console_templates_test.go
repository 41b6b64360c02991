package web

import (
	"net/http"
	"testing"
	"time"

	"rempart"
)

// TestMessageTemplates changes the templates as an administrator and begins messages
// with them as an analyst.
func TestMessageTemplates(t *testing.T) {
	d := newDesk(t, true, false)
	admin, analyst := d.sit(rempart.RoleAdmin), d.sit(rempart.RoleAnalyst)
	const at = "/console/admin/templates"
	if a := analyst.get(at); a.status != http.StatusForbidden {
		t.Errorf("an analyst opens the templates: %d", a.status)
	}
	page := admin.get(at)
	page.want(t, "Signalement lu", "{services}")
	wellFormed(t, "templates", page.body)

	bad := admin.post(at, "action", "save", "was", "0", "title_fr", "Un", "title_en", "One", "body_fr", "Chez {ailleurs}, <b>.", "body_en", "Text.")
	if bad.status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown name: %d", bad.status)
	}
	bad.want(t, "Chez {ailleurs}, &lt;b&gt;.</textarea>", "{ailleurs}")
	if a := admin.post(at, "action", "save", "was", "0", "title_fr", "Un <i>", "title_en", "One", "body_fr", "Dossier {reference}, services : {services}.", "body_en", "Text."); a.status != http.StatusSeeOther {
		t.Fatalf("saved: %d\n%s", a.status, mainOf(a.body))
	}
	late := admin.post(at, "action", "save", "was", "0", "title_fr", "Deux", "title_en", "Two", "body_fr", "Texte perdu ?", "body_en", "Text.")
	if late.status != http.StatusConflict {
		t.Errorf("over another one's change: %d", late.status)
	}
	late.want(t, "Texte perdu ?</textarea>")
	list, err := d.db.Templates(t.Context())
	d.must(err)
	mine := list.List[len(list.List)-1]
	if list.Version != 1 || list.By != "Alias-admin" || mine.Title.FR != "Un <i>" {
		t.Fatalf("kept %+v", list)
	}

	d.must(d.flow.Prepare(t.Context()))
	c := d.open("adult")
	console := "/console/cases/" + c.Ref
	filled := analyst.post(console+"/messages", "action", "fill", "template", mine.ID, "text", "Bonjour.")
	filled.want(t, "Bonjour.\n\nDossier "+c.Ref+", services : {services}.</textarea>", "Un &lt;i&gt;</option>", "{services}")
	wellFormed(t, "a template filled in", filled.body)
	left := analyst.post(console+"/messages", "action", "send", "text", "Services : {services}.")
	if left.status != http.StatusUnprocessableEntity || len(d.reload(c).Messages) != 0 {
		t.Errorf("sent with a name left in: %d", left.status)
	}
	left.want(t, "Services : {services}.</textarea>")
	d.sendNotice(c)
	filled = analyst.post(console+"/messages", "action", "fill", "template", mine.ID)
	filled.want(t, "services : Forum Exemple.</textarea>")

	if a := admin.post(at, "action", "drop", "was", "1", "id", mine.ID); a.status != http.StatusSeeOther {
		t.Errorf("removed: %d", a.status)
	}
	if list, err := d.db.Templates(t.Context()); err != nil || list.Version != 2 || list.Get(mine.ID) != nil {
		t.Errorf("still there: %v, %+v", err, list)
	}
}

// TestStepTexts changes the text of a step: previewed, refused with its words
// kept, saved, shown in the step, and back to the default.
func TestStepTexts(t *testing.T) {
	d, c, step := refusal(t)
	admin, analyst := d.sit(rempart.RoleAdmin), d.sit(rempart.RoleAnalyst)
	const at = "/console/admin/templates"
	form := func(action, was, fr string) []string {
		return []string{"action", action, "was", was, "id", "complaint", "body_fr", fr, "body_en", "A complaint of ours on {notice}, for {explanation}.", "example", "minor"}
	}
	if a := analyst.post(at, form("step_save", "0", "Notre réclamation, mise à notre façon, sur {notice}.")...); a.status != http.StatusForbidden {
		t.Errorf("an analyst changes a step: %d", a.status)
	}
	page := admin.get(at)
	page.want(t, "Étapes après une notification", "{decisions}", "Nous déposons une réclamation")
	wellFormed(t, "templates of steps", page.body)
	seen := admin.post(at, form("step_preview", "0", "Notre réclamation, mise à notre façon, sur {notice}. {decisions}")...)
	seen.want(t, "mise à notre façon, sur une notification au titre de l’article 16", "F-0001", "Contenu 1\u00a0: refus de retirer", "mise à notre façon, sur {notice}. {decisions}</textarea>")
	if seen.status != http.StatusOK {
		t.Errorf("preview: %d", seen.status)
	}
	wellFormed(t, "a preview", seen.body)
	wrong := admin.post(at, form("step_save", "0", "Notre réclamation sur {notice} pour {personne}, <b>.")...)
	if wrong.status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown name: %d", wrong.status)
	}
	wrong.want(t, "pour {personne}, &lt;b&gt;.</textarea>", "Rien ne remplace {personne} ici.")
	wellFormed(t, "an unknown name", wrong.body)
	admin.post(at, form("step_save", "0", "Écrit par Association Exemple, sur {notice}, à relire.")...).want(t, "N’écrivez ni nom ni adresse électronique")
	if list, err := d.db.Templates(t.Context()); err != nil || list.Version != 0 {
		t.Fatalf("version %d saved, %v", list.Version, err)
	}

	admin.changed(at, form("step_save", "0", "Notre réclamation, mise à notre façon, sur {notice}.\n\n{decisions}")...).want(t, "Le texte de cette étape est enregistré.", "Modifié par Alias-admin")
	if a := admin.post(at, form("step_save", "0", "Par-dessus le texte d’une autre, sur {notice}.")...); a.status != http.StatusConflict {
		t.Errorf("over another one's change: %d", a.status)
	} else {
		a.want(t, "Par-dessus le texte d’une autre, sur {notice}.</textarea>")
	}
	analyst.page(step).want(t, "Notre réclamation, mise à notre façon, sur une notification", "présenté comme une parodie")
	admin.changed(at, "action", "step_default", "was", "1", "id", "complaint").want(t, "reprend le texte fourni")
	analyst.page(step).want(t, "Nous déposons une réclamation")
	if a := admin.post(at, "action", "step_default", "was", "2", "id", "ailleurs"); a.status == http.StatusSeeOther {
		t.Error("a step that is none was changed")
	}

	analyst.changed(step, "action", "record", "text", "Ce qui a été déposé.", "day", d.now.Format(time.DateOnly), "channel", "form", "proof", "R-77")
	admin.changed(at, form("step_save", "2", "Notre réclamation, écrite après coup, sur {notice}.")...)
	analyst.page(step).want(t, "Ce qui a été déposé.")
	if text := d.reload(c).Notices[0].Rungs[0].Text; text != "Ce qui a été déposé." {
		t.Errorf("what was sent became %q", text)
	}
}
