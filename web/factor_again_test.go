package web

import (
	"context"
	"net/http"
	"testing"
	"time"

	"rempart"
)

// TestReasonKept opens an identity with a session whose proof is old: the reason
// goes through the step, and nothing is opened before the button is pressed.
func TestReasonKept(t *testing.T) {
	d := newDesk(t, true, false)
	ctx := context.Background()
	d.must(d.db.PutStaff(ctx, rempart.Staff{ID: "analyst", Login: "analyst", Alias: "Alias-analyst", Role: rempart.RoleAnalyst, Grants: []rempart.Right{rempart.RightIdentity}, CreatedAt: d.now}, ""))
	c := d.open(rempart.AgeSaidAdult)
	s := d.sit(rempart.RoleAnalyst)
	key := enrol(t, s)
	at := "/console/cases/" + c.Ref + "/identity"
	s.changed(at, "action", "keep", "name", "Camille Exemple")
	for range 3 { // the session stays alive, its proof grows old
		d.now = d.now.Add(rempart.SessionIdle - time.Minute)
		s.page("/console/")
	}
	const reason = "La rappeler avant le <b>dépôt</b> de sa plainte."
	a := s.post(at+"/open", "reason", reason)
	if a.status != http.StatusForbidden {
		t.Fatalf("without a recent proof: %d", a.status)
	}
	wellFormed(t, "second", a.body)
	a.want(t, "seconde preuve récente", "La rappeler avant le &lt;b&gt;dépôt", `name="code"`)
	a.lacks(t, "Camille")
	again := field(t, a, "again")
	a = s.post("/console/verify", "code", "000000", "again", again)
	a.want(t, "La rappeler avant le", again) // a wrong code loses nothing
	a = s.post("/console/verify", "code", codeAt(t, key, d.now), "again", again)
	wellFormed(t, "again", a.body)
	a.want(t, "Reprendre où vous en étiez", "La rappeler avant le", `action="`+at+`/open"`)
	a.lacks(t, "Camille")
	if len(d.reload(c).Openings) != 0 {
		t.Fatal("the proof alone opened the identity")
	}
	a = s.post(at+"/open", "reason", reason)
	a.want(t, "Camille Exemple")
	if o := d.reload(c).Openings; len(o) != 1 || o[0].Reason != reason {
		t.Errorf("openings: %+v", o)
	}
	// What somebody else sent is not gone on with.
	other := d.sit(rempart.RoleLead)
	okey := enrol(t, other)
	d.now = d.now.Add(time.Minute)
	if a := other.post("/console/verify", "code", codeAt(t, okey, d.now), "again", again); a.status != http.StatusSeeOther {
		t.Errorf("another member's form: %d\n%s", a.status, mainOf(a.body))
	}
}
