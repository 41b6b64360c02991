package web

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"rempart"
)

// refusal brings a case to where the forum has refused its item, and the
// complaint is to be made.
func refusal(t *testing.T) (d *desk, c *rempart.Case, step string) {
	t.Helper()
	d = clocked(t)
	c = d.open(rempart.AgeSaidAdult)
	d.sendNotice(c)
	c = d.reload(c)
	n := c.Notices[0]
	d.must(d.db.UpdateCase(context.Background(), c.ID, "", func(c *rempart.Case) error {
		return c.NoticeDecided(n.ID, "F-1", forum, map[string]rempart.Decision{n.Items[0].ID: {Measure: rempart.MeasureRefused, Ground: "terms", Reference: "règle 4",
			Facts: "Notification lue par une personne.", Explanation: "Le contenu est présenté comme une parodie.", Redress: []string{"complaint"}}}, d.now)
	}))
	d.now = d.now.AddDate(0, 0, 4)
	d.work()
	a := d.sit(rempart.RoleAnalyst).page("/console/cases/" + c.Ref)
	step = regexp.MustCompile("/console/cases/" + c.Ref + "/steps/[0-9a-v]+").FindString(a.body)
	if step == "" {
		t.Fatal("no step against the refusal")
	}
	return d, d.reload(c), step
}

// TestComplaintByHand is refused, complaint, reversed: drafted from the case, sent
// by hand, recorded with its proof, answered, told to the person.
func TestComplaintByHand(t *testing.T) {
	d, c, step := refusal(t)
	s := d.sit(rempart.RoleAnalyst)
	s.page(step).want(t, "Réclamation – Forum Exemple", "article 20 du règlement (UE) 2022/2065", "présenté comme une parodie", "F-1", "pas un délai de la loi")
	item := "measure." + c.Items[0].ID
	if a := s.post(step, "action", "answer", item, "removed"); a.status != http.StatusUnprocessableEntity && a.status != http.StatusConflict && a.status != http.StatusNotFound {
		t.Errorf("an answer to what was never sent: %d", a.status)
	}
	s.changed(step, "action", "record", "text", "La réclamation.", "day", d.now.Format(time.DateOnly), "channel", "form", "proof", "R-77").want(t, "R-77", "Noter la réponse")
	answer := []string{"action", "answer", item, "removed", "ground", "law", "reference", "art. 226-8-1", "facts", "Réclamation relue par une autre personne.",
		"explanation", "La décision est revue et le contenu retiré.", "redress", "court"}
	s.changed(step, answer...).want(t, "La réponse est au dossier.")
	if i := d.reload(c).Items[0]; i.State != rempart.ItemRemoved || len(i.Past) != 1 {
		t.Errorf("the item is %s, %d decisions before", i.State, len(i.Past))
	}
	s.page("/console/cases/"+c.Ref).want(t, "après réclamation", "retiré")
	if a := s.post(step, answer...); a.status == http.StatusSeeOther && len(d.reload(c).Items[0].Past) != 1 {
		t.Error("the same answer was recorded twice")
	}
}

// TestCorrectDecisionForm corrects a decision as a new version; nothing typed is
// lost, and the one before stays to be read.
func TestCorrectDecisionForm(t *testing.T) {
	d, c, _ := refusal(t)
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + c.Ref + "/notices/" + c.Notices[0].ID + "/items/" + c.Items[0].ID
	form := []string{"measure", "restricted", "ground", "terms", "reference", "règle 9", "facts", "Appel de la plateforme.", "explanation", "La page est réservée aux adultes depuis hier.", "redress", "court"}
	a := s.post(at, form...)
	if a.status != http.StatusUnprocessableEntity {
		t.Fatalf("a correction without a reason: %d", a.status)
	}
	a.want(t, "La page est réservée aux adultes depuis hier.", "pourquoi la décision est corrigée")
	s.changed(at, append(form, "reason", "la plateforme a appelé")...).want(t, "la précédente reste au dossier", "Décision précédente", "présenté comme une parodie", "la plateforme a appelé")
	if i := d.reload(c).Items[0]; i.State != rempart.ItemRestricted {
		t.Errorf("the item is %s", i.State)
	}
	other := d.sit(rempart.RoleAdmin)
	if a := other.post(at, form...); a.status != http.StatusForbidden {
		t.Errorf("an administrator corrects a decision: %d", a.status)
	}
}

// TestLadderAdmin edits the ladder: a new version, and what cannot be read comes
// back.
func TestLadderAdmin(t *testing.T) {
	d := clocked(t)
	s := d.sit(rempart.RoleAdmin)
	a := s.page("/console/admin/delays")
	a.want(t, "Étapes après une notification", "Aucun texte ne donne de chiffre", "à vérifier", "Rappel n° 2")
	p, _, err := d.db.ClockPolicy(context.Background())
	d.must(err)
	form := []string{"was", "1"}
	for _, r := range p.Rules {
		for name, span := range map[string]rempart.Span{".within": r.Within, ".warn": r.WarnBefore, ".escalate": r.EscalateAfter} {
			if !span.IsZero() {
				form = append(form, r.ID+name, strings.TrimSuffix(span.String(), string(span.Unit)), r.ID+name+".unit", string(span.Unit))
			}
		}
	}
	bad := append([]string{"step.reminder-2", "beaucoup", "step.reminder-2.unit", "d"}, form...)
	if a := s.post("/console/admin/delays", bad...); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "beaucoup") {
		t.Errorf("a delay that is none: %d", a.status)
	}
	good := append([]string{"step.reminder-2", "5", "step.reminder-2.unit", "d", "step.out-of-court.off", "yes", "step.out-of-court", "14", "step.out-of-court.unit", "d"}, form...)
	s.changed("/console/admin/delays", good...)
	if p, _, err = d.db.ClockPolicy(context.Background()); err != nil || p.Version != 2 || p.Ladder[1].After != (rempart.Span{N: 5, Unit: rempart.Days}) || !p.Ladder[4].Off || p.Ladder[1].Source == "" {
		t.Errorf("version %d, ladder %+v, %v", p.Version, p.Ladder, err)
	}
}

// TestRungSentences holds what the person reads against each kind of step, in
// both languages.
func TestRungSentences(t *testing.T) {
	c, err := loadCatalogues(embedded)
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range langs {
		for _, k := range rempart.RungKinds {
			for _, key := range []string{"follow.step." + string(k), "rung." + string(k), "rung.what." + string(k), "task." + string(k.Task())} {
				if c[lang][key] == "" {
					t.Errorf("%s lacks %s", lang, key)
				}
			}
		}
	}
}

// TestRecall: the case and the notice say until when nothing leaves, and the
// button calls it back; afterwards there is no button.
func TestRecall(t *testing.T) {
	d := clocked(t)
	d.flow.Undo = time.Minute
	c := d.open(rempart.AgeSaidAdult)
	ctx := context.Background()
	d.must(d.db.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error { return c.ConfirmQualification(c.Quals[0].ID, "Saule", d.now) }))
	id, err := d.flow.Draft(ctx, c.ID, forum, []string{c.Items[0].ID}, "Saule")
	d.must(err)
	at := "/console/cases/" + c.Ref + "/notices/" + id
	s := d.sit(rempart.RoleAnalyst)
	s.changed(at, "action", "send", "good_faith", "yes").want(t, "Annuler l’envoi", "rien n’a quitté cette instance")
	s.page("/console/cases/"+c.Ref).want(t, "Annuler l’envoi")
	s.changed(at, "action", "recall").want(t, "L’envoi est annulé")
	s.changed(at, "action", "send", "good_faith", "yes")
	d.now = d.now.Add(time.Minute)
	if strings.Contains(s.page(at).body, `value="recall"`) {
		t.Error("the button is still there when the time has passed")
	}
	if a := s.post(at, "action", "recall"); a.status != http.StatusConflict {
		t.Errorf("called back too late: %d", a.status)
	}
}

// TestRecallRung: a step that was sent says until when nothing leaves, on its
// page and in the case, and is called back with its text; afterwards there is no
// button.
func TestRecallRung(t *testing.T) {
	d, c, step := refusal(t)
	d.flow.Undo = time.Minute
	s := d.sit(rempart.RoleAnalyst)
	const text = "Nous demandons que cette décision soit revue, comme le dit la notification."
	s.changed(step, "action", "send", "text", text).want(t, "L’envoi est demandé.", "Annuler l’envoi", "rien n’a quitté cette instance")
	s.page("/console/cases/"+c.Ref).want(t, "Annuler l’envoi<span class=\"visually-hidden\"> Réclamation</span>")
	if a := d.sit(rempart.RoleAdmin).post(step, "action", "recall"); a.status != http.StatusForbidden {
		t.Errorf("an administrator calls a step back: %d", a.status)
	}
	s.changed(step, "action", "recall").want(t, "L’envoi est annulé. L’étape est de nouveau à faire", text+"</textarea>")
	s.page("/console/cases/"+c.Ref).want(t, "annulé avant son départ")
	s.changed(step, "action", "send", "text", text)
	d.now = d.now.Add(time.Minute)
	if strings.Contains(s.page(step).body, `value="recall"`) {
		t.Error("the button is still there when the time has passed")
	}
	if a := s.post(step, "action", "recall"); a.status != http.StatusConflict {
		t.Errorf("called back too late: %d", a.status)
	}
}
