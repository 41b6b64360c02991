package web

import (
	"net/http"
	"testing"

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
