package web

import (
	"strings"
	"testing"

	"rempart"
)

// TestByHand: a notice that went by e-mail is answered to people; the console
// takes down that it was received, then what was decided, item by item, and the
// person is told no more than that.
func TestByHand(t *testing.T) {
	d := newDesk(t, true, false)
	sub, err := d.flow.Submit(t.Context(), rempart.Report{Lang: "fr", Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic,
		Addresses: []string{"https://forum.exemple.test/page/1", "https://forum.exemple.test/page/2"}}, "")
	d.must(err)
	d.work()
	c, err := d.db.CaseByRef(t.Context(), sub.Ref)
	d.must(err)
	change := func(f func(c *rempart.Case) error) { t.Helper(); d.must(d.db.UpdateCase(t.Context(), c.ID, "", f)) }
	change(func(c *rempart.Case) error { return c.ConfirmQualification(c.Quals[0].ID, "Saule", d.now) })
	id, err := d.flow.Draft(t.Context(), c.ID, forum, []string{c.Items[0].ID, c.Items[1].ID}, "Saule")
	d.must(err)
	change(func(c *rempart.Case) error {
		if err := c.EditNotice(id, c.Notice(id).Explanation, true, "Saule", d.now); err != nil {
			return err
		}
		if err := c.SendNotice(id, "Saule", d.now); err != nil {
			return err
		}
		if _, err := c.NoticeTrying(id, rempart.ChannelMail, id+".1@association.exemple.test", d.now); err != nil {
			return err
		}
		return c.NoticeTried(id, id+".1@association.exemple.test", "", rempart.Attempt{Unclear: true}, d.now)
	})
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + c.Ref + "/notices/" + id
	if page := s.page(at).body; !strings.Contains(page, "value=\"arrived\"") || !strings.Contains(page, "peut-être arrivée") || !strings.Contains(page, "Message-ID</code> "+id) {
		t.Error("the page does not offer to say that it arrived")
	}
	s.post(at, "action", "arrived")
	said := func(k int) string {
		f, err := d.flow.FollowUp(t.Context(), string(sub.Code))
		d.must(err)
		return newFollowView(page{Lang: "fr", pages: d.srv.pages}, f).Items[k].Sentence
	}
	if got := said(0); !strings.Contains(got, "par courriel") || !strings.Contains(got, "pas encore confirmée") {
		t.Errorf("the person is told %q", got)
	}
	if page := s.page(at).body; !strings.Contains(page, "value=\"acknowledged\"") || !strings.Contains(page, "Consigner sa décision") {
		t.Error("the page does not offer to record an answer")
	}
	s.post(at, "action", "acknowledged", "number", "T-4711")
	if n := d.reload(c).Notice(id); n.State != rempart.NoticeAcknowledged || n.Number != "T-4711" {
		t.Fatalf("notice %s, number %q", n.State, n.Number)
	}
	s.post(at+"/items/"+c.Items[0].ID, "measure", "removed", "ground", "law") // it lacks elements
	if i := d.reload(c).Items[0]; i.State != rempart.ItemAcknowledged {
		t.Errorf("item %s after a decision that lacks elements", i.State)
	}
	whole := []string{"measure", "removed", "ground", "law", "reference", "Code pénal, art. 226-8-1", "facts", "Notification examinée.",
		"explanation", "Le contenu a été comparé aux faits décrits.", "redress", "court"}
	for k := range 2 {
		if got := d.reload(c).Notice(id).State; got != rempart.NoticeAcknowledged {
			t.Errorf("notice %s before its last decision", got)
		}
		s.post(at+"/items/"+c.Items[k].ID, whole...)
	}
	got := d.reload(c)
	if n := got.Notice(id); n.State != rempart.NoticeDecided || got.Items[0].State != rempart.ItemRemoved || got.Items[1].State != rempart.ItemRemoved {
		t.Errorf("notice %s, items %s %s", n.State, got.Items[0].State, got.Items[1].State)
	}
	if !strings.Contains(s.page("/console/cases/"+c.Ref).body, "Alias-analyst") {
		t.Error("the history does not say who recorded it")
	}
	// A platform of ours answers by itself.
	change(func(c *rempart.Case) error {
		err := c.AcknowledgeByHand(id, "", "Saule", d.now)
		if rempart.KindOf(err) != rempart.Conflict {
			t.Errorf("recorded twice: %v", err)
		}
		return nil
	})
}
