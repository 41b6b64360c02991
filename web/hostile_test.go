package web

import (
	"context"
	"net/http"
	"regexp"
	"testing"

	"rempart"
)

// TestPathsStayHere: an address of ours that reads as another site's once it is
// unescaped is no link to that site.
func TestPathsStayHere(t *testing.T) {
	d := newDesk(t, true, true)
	away := regexp.MustCompile(`(?:href|action|value)="(?:/[/\\]|\\|https?://ailleurs)[^"]*"`)
	for _, path := range []string{"/%2failleurs.exemple.test/", "/%2f%2failleurs.exemple.test", "/%5cailleurs.exemple.test", "/console/%2f%2fx", "/%09/ailleurs.exemple.test", "/a%3Fb"} {
		for _, s := range []*seat{d.sit(""), d.sit(rempart.RoleLead)} {
			a := s.get(path)
			if a.status != http.StatusNotFound {
				t.Errorf("%s: %d", path, a.status)
			}
			if got := away.FindString(a.body); got != "" {
				t.Errorf("%s holds %s", path, got)
			}
		}
	}
	d.sit("").get("/a%3Fb").want(t, `href="/a%3Fb?lang=en"`)
}

// TestBulkNeedsBoth: who may act on many cases and work on none neither sees nor
// undoes what others planned.
func TestBulkNeedsBoth(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	lead := d.sit(rempart.RoleLead)
	a := lead.post("/console/bulk", "act", "close", "case", c.Ref, "plan", "yes", "reason", "Motif à ne pas montrer.")
	if a.status != http.StatusSeeOther {
		a = lead.post("/console/bulk", "act", "hold", "case", c.Ref, "plan", "yes", "reason", "Motif à ne pas montrer.")
	}
	at := regexp.MustCompile(`\?.*`).ReplaceAllString(a.head.Get("Location"), "")
	d.must(d.db.PutStaff(context.Background(), rempart.Staff{ID: "reader", Login: "reader", Alias: "Alias-reader", Role: rempart.RoleReader, Grants: []rempart.Right{rempart.RightBulk}, CreatedAt: d.now}, ""))
	reader := d.sit(rempart.RoleReader)
	if a := reader.post(at + "/undo"); a.status != http.StatusForbidden {
		t.Errorf("undone by a reader: %d", a.status)
	}
	if d.reload(c).Planned == nil {
		t.Error("a reader undid it")
	}
	if a := reader.get(at); a.status != http.StatusForbidden {
		t.Errorf("shown to a reader: %d", a.status)
	}
	events, err := d.db.Events(context.Background(), "page")
	d.must(err)
	if len(events) != 2 || events[0].Kind != "access.refused" || events[0].Actor != "Alias-reader" {
		t.Errorf("the refusals are recorded as %+v", events)
	}
}
