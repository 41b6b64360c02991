package web

import (
	"context"
	"net/http"
	"testing"
	"time"

	"rempart"
	"rempart/store"
)

// TestNext goes through the queue case by case without a script: what others
// have and what she skipped is left out, and the end is said.
func TestNext(t *testing.T) {
	d := newDesk(t, true, false)
	for range 4 {
		d.open(rempart.AgeSaidAdult)
	}
	rows, _, err := d.db.Queue(context.Background(), store.QueueFilter{States: live})
	d.must(err)
	at := func(k int) string { return "/console/cases/" + rows[k].Ref }
	s := d.sit(rempart.RoleAnalyst)
	d.sit(rempart.RoleLead).changed(at(1)+"/assign", "action", "take")
	to := func(path, want string) {
		t.Helper()
		if a := s.get(path); a.status != http.StatusSeeOther || a.head.Get("Location") != want {
			t.Errorf("%s leads to %q, want %q", path, a.head.Get("Location"), want)
		}
	}
	to("/console/next", at(0))
	to("/console/next?from="+rows[0].Ref, at(2))
	if a := s.post(at(2)+"/skip", "reason", "parce que"); a.status == http.StatusSeeOther {
		t.Error("skipped for a reason that is none")
	}
	a := s.post(at(2)+"/skip", "reason", "waiting")
	to(a.head.Get("Location"), at(3)+"?ok=case_skipped")
	s.page(at(2)).want(t, "Dossier passé : il attend une réponse.")
	to("/console/next?from="+rows[0].Ref, at(3))
	to("/console/next?from="+rows[3].Ref, "/console/?ok=queue_end")
	to("/console/next?minor=1", "/console/?minor=1&ok=queue_end")
	a = s.post(at(0)+"/assign?then=next", "action", "take")
	to(a.head.Get("Location"), at(3)+"?ok=case_taken")
	if a := s.get("/console/next?from=0000-0000"); a.status != http.StatusNotFound {
		t.Errorf("behind a case that is none: %d", a.status)
	}
	d.now = d.now.Add(13 * time.Hour)
	s = d.sit(rempart.RoleAnalyst)
	to("/console/next?from="+rows[0].Ref, at(2))
}
