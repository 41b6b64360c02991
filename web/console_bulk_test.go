package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart"
)

// TestBulk previews an act on four cases, plans it, undoes it, plans it again and
// has it carried out once its window has ended, with what was refused said why.
func TestBulk(t *testing.T) {
	d := newDesk(t, true, false)
	var refs []string
	var cases []*rempart.Case
	for range 4 {
		c := d.open(rempart.AgeSaidAdult)
		cases, refs = append(cases, c), append(refs, c.Ref)
	}
	lead, analyst := d.sit(rempart.RoleLead), d.sit(rempart.RoleAnalyst)
	analyst.page("/console/").lacks(t, `form="bulk"`, `id="bulk"`)
	lead.page("/console/").want(t, `form="bulk"`, `action="/console/bulk"`, "Agir sur les dossiers cochés")
	analyst.changed("/console/cases/"+refs[3]+"/assign", "action", "take")
	hand := []string{"act", "hand", "to", "analyst", "reason", "À finir avant vendredi."}
	for _, ref := range append(refs, "0000-0000") {
		hand = append(hand, "case", ref)
	}
	seen := lead.post("/console/bulk", hand...)
	wellFormed(t, "bulk", seen.body)
	seen.want(t, "L’action s’appliquera à 3 dossiers.", "sera fait", "refusé", "À finir avant vendredi.", refs[3], "avec Alias-analyst", "Confirmer pour 3 dossiers")
	if strings.Contains(seen.body, `name="case" value="`+refs[3]+`"`) {
		t.Error("what is refused goes along")
	}
	for _, c := range cases {
		if d.reload(c).Planned != nil {
			t.Error("a preview plans")
		}
	}
	a := lead.post("/console/bulk", append(hand, "plan", "yes")...)
	at, _, _ := strings.Cut(a.head.Get("Location"), "?")
	if a.status != http.StatusSeeOther || !strings.HasPrefix(at, "/console/bulk/") {
		t.Fatalf("planned: %d to %q", a.status, at)
	}
	b := lead.page(at)
	wellFormed(t, "bulk planned", b.body)
	b.want(t, "3 dossiers attendent", "11 h 01 min 00 s", "Annuler")
	lead.page("/console/cases/"+refs[0]).want(t, "Alias-lead a prévu une action groupée", "Action groupée prévue : confier")
	d.work()
	if d.reload(cases[0]).Assigned != nil {
		t.Error("carried out before its window ends")
	}
	if a := analyst.post(at + "/undo"); a.status != http.StatusForbidden {
		t.Errorf("undone by an analyst: %d", a.status)
	}
	lead.changed(at+"/undo").want(t, "Action annulée", "0 dossier", "annulé")
	if a := lead.post(at + "/undo"); a.status != http.StatusConflict {
		t.Errorf("undone twice: %d", a.status)
	}
	d.now = d.now.Add(rempart.BulkWindow + time.Second)
	d.work()
	if d.reload(cases[0]).Assigned != nil {
		t.Error("carried out though it was undone")
	}
	lead.page("/console/cases/"+refs[0]).want(t, "Action groupée annulée : confier")

	a = lead.post("/console/bulk", append(hand, "plan", "yes")...)
	at, _, _ = strings.Cut(a.head.Get("Location"), "?")
	analyst.changed("/console/cases/"+refs[1]+"/assign", "action", "take") // meanwhile
	again := lead.post("/console/bulk", "act", "hold", "reason", "Une procédure.", "case", refs[0])
	again.want(t, "Une autre action groupée va s’appliquer")
	d.now = d.now.Add(rempart.BulkWindow + time.Second)
	d.work()
	for k, want := range []string{"Alias-lead", "Alias-analyst", "Alias-lead", "Alias-analyst"} {
		c := d.reload(cases[k])
		if c.Assigned == nil || c.Planned != nil || string(c.Assigned.By) != want {
			t.Errorf("case %d: %+v by %s wanted, planned %+v", k, c.Assigned, want, c.Planned)
		}
	}
	lead.page(at).want(t, "L’action a été faite sur 2 dossiers.", "Ce dossier est déjà")
	lead.page("/console/cases/"+refs[0]).want(t, "Action groupée faite : confier", "Dossier confié à Alias-analyst")
	lead.page("/console/cases/"+refs[1]).want(t, "Action groupée impossible : confier")
	events, err := d.db.Events(context.Background(), cases[0].ID)
	d.must(err)
	for _, e := range events {
		for _, v := range e.Data {
			if strings.Contains(v, "vendredi") {
				t.Errorf("the note is in the ledger: %+v", e)
			}
		}
	}
}

// TestBulkRefused holds what can be asked of many cases: never to open, take out
// or erase, never by who lacks one of both rights, never too many.
func TestBulkRefused(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	lead := d.sit(rempart.RoleLead)
	for _, act := range []string{"", "identity", "export", "erase", "lift", "confirm", "send"} {
		if a := lead.post("/console/bulk", "act", act, "case", c.Ref, "plan", "yes", "reason", "un motif"); a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest {
			t.Errorf("act %q: %d", act, a.status)
		}
	}
	if a := lead.post("/console/bulk", "act", "take"); a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest {
		t.Errorf("no case: %d", a.status)
	}
	many := []string{"act", "take"}
	for k := range rempart.MaxBulk + 1 {
		many = append(many, "case", strings.Repeat("0", 1+k%3)+"x"+time.Unix(int64(k), 0).String())
	}
	if a := lead.post("/console/bulk", many...); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("too many: %d", a.status)
	}
	lead.post("/console/bulk", "act", "close", "case", c.Ref, "reason", "fini", "plan", "yes").want(t, "possible sur aucun de ces dossiers", "attend encore")
	if a := lead.get("/console/bulk/nothing"); a.status != http.StatusNotFound {
		t.Errorf("an act that is none: %d", a.status)
	}
	d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "reader", Login: "reader", Alias: "Alias-reader", Role: rempart.RoleReader, Grants: []rempart.Right{rempart.RightBulk}, CreatedAt: d.now}, ""))
	if a := d.sit(rempart.RoleReader).post("/console/bulk", "act", "take", "case", c.Ref); a.status != http.StatusForbidden {
		t.Errorf("by a reader with the right: %d", a.status)
	}
	// Who loses the right meanwhile has nothing done in her name.
	lead.changed("/console/bulk", "act", "take", "case", c.Ref, "plan", "yes")
	d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "lead", Login: "lead", Alias: "Alias-lead", Role: rempart.RoleLead, CreatedAt: d.now, DisabledAt: d.now}, ""))
	d.now = d.now.Add(rempart.BulkWindow + time.Second)
	d.work()
	if got := d.reload(c); got.Assigned != nil || got.Planned != nil {
		t.Errorf("done for who is disabled: %+v, %+v", got.Assigned, got.Planned)
	}
}
