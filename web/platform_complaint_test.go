package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"rempart"
	"rempart/exchange"
)

// TestComplaintPage: who decided first sees the complaint and cannot decide on
// it; somebody else reverses it, is told what lacks, and what was typed stays.
func TestComplaintPage(t *testing.T) {
	for _, lang := range langs {
		t.Run(lang, func(t *testing.T) {
			d := newDesk(t, false, true)
			i := d.receive("a", false, d.flagger("aulne", true))
			d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "second", Login: "second", Alias: "Deuxième", Role: rempart.RoleModerator, CreatedAt: d.now}, ""))
			first, second := d.sit(rempart.RoleModerator), d.sit("second")
			first.lang, second.lang = lang, lang
			at := "/console/notices/" + i.Number
			refused := append([]string{"measure", "refused"}, decided[2:]...)
			for _, item := range []string{"i1a", "i2a"} {
				first.changed(at+"/items/"+item, refused...)
			}
			i, err := d.db.Intake(context.Background(), i.ID)
			d.must(err)
			_, c, err := d.flow.Complain(context.Background(), i, rempart.ByNotifier, exchange.Complaint{ID: "c1", Reasons: "La personne n’a <b>jamais</b> donné son accord."})
			d.must(err)
			to := at + "/complaints/" + c.Number
			a := first.page(at)
			a.want(t, c.Number, "&lt;b&gt;jamais&lt;/b&gt;")
			a.lacks(t, `action="`+to)
			if a := first.post(to, "answer", "Nous maintenons cette décision."); a.status != http.StatusConflict {
				t.Errorf("decided by who decided first: %d, want 409", a.status)
			}
			first.page("/console/?state=tasks").want(t, i.Number)
			a = second.page(at)
			a.want(t, `action="`+to)
			wellFormed(t, at+" "+lang, a.body)
			a = second.post(to, "answer", "Court.", "measure.i1a", "removed", "measure.i2a", "keep", "explanation.i1a", "une raison", "reference.i1a", "art. 226-8-1", "ground.i1a", "law")
			if a.status != http.StatusUnprocessableEntity {
				t.Errorf("an answer that lacks: %d", a.status)
			}
			wellFormed(t, to+" "+lang, a.body)
			a.want(t, "une raison", "Court.", `value="removed" checked`)
			if a := second.post(at+"/complaints/C-0000-0000", "answer", "x"); a.status != http.StatusNotFound {
				t.Errorf("no such complaint: %d", a.status)
			}
			a = second.changed(to, "answer", "Après examen, cet élément est retiré.", "measure.i1a", "removed", "measure.i2a", "keep",
				"explanation.i1a", "Le montage montre une personne sans son accord.", "reference.i1a", "art. 226-8-1", "ground.i1a", "law")
			a.want(t, "Deuxième", "Après examen")
			wellFormed(t, at+" "+lang, a.body)
			got, err := d.db.Intake(context.Background(), i.ID)
			d.must(err)
			if got.Complaints[0].Outcome != rempart.OutcomePartly || got.Decisions["i1a"].Measure != rempart.MeasureRemoved || got.Decisions["i2a"].Measure != rempart.MeasureRefused {
				t.Errorf("%+v", got.Complaints[0])
			}
			_, _, text := d.call("GET", "/api/v1/notices/"+i.ID+"/complaints/"+c.Number, "", nil, "Authorization", "Bearer key-aulne")
			if !strings.Contains(text, `"outcome":"partially_reversed"`) || !strings.Contains(text, "Après examen") {
				t.Errorf("%s", text)
			}
		})
	}
}
