package web

import (
	"net/http"
	"strings"
	"testing"

	"rempart"
)

// TestMails: an e-mail that answers nothing known is filed on the notice that
// somebody names, shown there as text, and gone from those that wait; another one
// is put aside.
func TestMails(t *testing.T) {
	d := newDesk(t, true, false)
	sub, err := d.flow.Submit(t.Context(), rempart.Report{Lang: "fr", Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic,
		Addresses: []string{"https://forum.exemple.test/page/1", "https://forum.exemple.test/page/2"}}, "")
	d.must(err)
	d.work()
	c, err := d.db.CaseByRef(t.Context(), sub.Ref)
	d.must(err)
	s := d.sit(rempart.RoleAnalyst)
	s.page("/console/mails").want(t, "Aucun courriel n’attend")
	keep := func(id, subject string) {
		t.Helper()
		m := rempart.Mail{ID: id, At: d.now, Kind: rempart.MailReply, From: "abus@forum.exemple.test", Subject: subject, Text: "Retiré. <script>alert(1)</script> https://forum.exemple.test/t/9",
			Files: []rempart.MailFile{{Name: "décision.pdf", Type: "application/pdf", Size: 4097}}}
		d.must(d.db.KeepMail(t.Context(), m, "mail:"+id, d.now))
	}
	keep("m1", "Votre demande "+c.Ref)
	keep("m2", "Publicité")
	s.page("/console/").want(t, "2 courriels à rattacher")
	page := s.page("/console/mails")
	page.want(t, `value="`+c.Ref+`"`, "décision.pdf", "5\u00a0ko", "&lt;script&gt;")
	if strings.Contains(page.body, `href="https://forum.exemple.test/t/9"`) {
		t.Error("an address of an e-mail is a link")
	}
	if a := s.post("/console/mails/m1", "action", "file", "ref", "AAAA-AAAA"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Aucun dossier n’a ce numéro") || !strings.Contains(a.body, `value="AAAA-AAAA"`) {
		t.Errorf("status %d", a.status)
	}
	if a := s.post("/console/mails/m1", "action", "file", "ref", c.Ref); a.status != http.StatusConflict || !strings.Contains(a.body, "n’est encore partie") {
		t.Errorf("status %d for a case without a notice", a.status)
	}
	change := func(f func(c *rempart.Case) error) { t.Helper(); d.must(d.db.UpdateCase(t.Context(), c.ID, "", f)) }
	change(func(c *rempart.Case) error { return c.ConfirmQualification(c.Quals[0].ID, "Saule", d.now) })
	var notices []string
	for _, i := range c.Items {
		id, err := d.flow.Draft(t.Context(), c.ID, forum, []string{i.ID}, "Saule")
		d.must(err)
		change(func(c *rempart.Case) error {
			if err := c.EditNotice(id, c.Notice(id).Explanation, true, "Saule", d.now); err != nil {
				return err
			}
			return c.SendNotice(id, "Saule", d.now)
		})
		notices = append(notices, id)
	}
	if a := s.post("/console/mails/m1", "action", "file", "ref", c.Ref); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `value="`+notices[1]+`"`) {
		t.Errorf("status %d: the notices are not offered", a.status)
	}
	if a := d.sit(rempart.RoleAdmin).post("/console/mails/m1", "action", "file", "ref", c.Ref, "notice", notices[1]); a.status != http.StatusForbidden {
		t.Errorf("status %d for an administrator", a.status)
	}
	s.changed("/console/mails/m1", "action", "file", "ref", strings.ToLower(c.Ref), "notice", notices[1]).want(t, "Courriels reçus", "Retiré.")
	if n := d.reload(c).Notice(notices[1]); len(n.Mails) != 1 || len(d.reload(c).Notice(notices[0]).Mails) != 0 {
		t.Errorf("%+v", n.Mails)
	}
	s.page("/console/cases/"+c.Ref).want(t, "Courriel de", "lire le courriel reçu")
	for _, id := range []string{"m3", "m4", "m5"} {
		keep(id, "Publicité "+id)
	}
	s.page("/console/mails").want(t, "Effacé d’ici dans 90 jours", `value="m4" form="aside"`, `id="aside"`)
	if a := s.post("/console/mails"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Cochez les courriels à écarter") {
		t.Errorf("status %d with none ticked", a.status)
	}
	if a := d.sit(rempart.RoleAdmin).post("/console/mails", "id", "m3"); a.status != http.StatusForbidden {
		t.Errorf("status %d for an administrator", a.status)
	}
	d.must(d.db.DropMail(t.Context(), "m4", "Noisetier", d.now)) // somebody else is faster
	s.changed("/console/mails", "id", "m3", "id", "m4", "id", "m5").want(t, "Les courriels cochés sont écartés", "Publicité")
	if n, err := d.db.CountMails(t.Context()); n != 1 || err != nil {
		t.Errorf("%d e-mails wait, %v, want the one that was not ticked", n, err)
	}
	s.changed("/console/mails/m2", "action", "drop").want(t, "Le courriel est écarté", "Aucun courriel n’attend")
	if a := s.post("/console/mails/m2", "action", "drop"); a.status != http.StatusNotFound {
		t.Errorf("put aside twice: status %d", a.status)
	}
}
