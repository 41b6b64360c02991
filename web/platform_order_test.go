package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rempart"
)

// system registers a webhook that answers as told, and returns how often it was
// asked.
func (d *desk) system(answer func(w http.ResponseWriter)) *int {
	d.t.Helper()
	n := new(int)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*n++
		answer(w)
	}))
	d.t.Cleanup(srv.Close)
	d.must(d.db.PutPeer(context.Background(), rempart.Peer{ID: rempart.SystemID, Name: "own", Kind: rempart.PeerSystem, URL: srv.URL, CreatedAt: d.now}, "",
		&rempart.Credentials{Secret: "whsec_b2Ygb3VyIG93biBzeXN0ZW0sIGF0IGxlYXN0IDI0IGJ5dGVz"}))
	return n
}

// decided is a whole decision, as its form sends it.
var decided = []string{"measure", "removed", "ground", "law", "reference", "Code pénal, art. 226-8-1", "facts", "Contenu vu le 22 novembre.",
	"explanation", "Le montage montre une personne sans son accord.", "scope", "EU", "redress", "complaint", "redress", "court"}

// TestOrderPages decides on an item that the platform's system cannot take away,
// and sees it through by hand: until then neither the page nor the API says that
// it is gone.
func TestOrderPages(t *testing.T) {
	for _, lang := range langs {
		t.Run(lang, func(t *testing.T) {
			d := newDesk(t, false, true)
			d.system(func(w http.ResponseWriter) { w.Write([]byte(`{"outcome":"failed","reason":"no such <b>page</b>"}`)) })
			i := d.receive("a", false, d.flagger("aulne", true))
			s := d.sit(rempart.RoleModerator)
			s.lang = lang
			at := "/console/notices/" + i.Number
			s.page("/console/?state=tasks").lacks(t, i.Number)
			s.changed(at+"/items/i1a", decided...)
			d.work()
			a := s.page("/console/?state=tasks")
			a.want(t, i.Number)
			wellFormed(t, "tasks "+lang, a.body)
			a = s.page(at)
			wellFormed(t, at+" "+lang, a.body)
			a.want(t, "no such &lt;b&gt;page&lt;/b&gt;", `value="by_hand"`)
			_, _, text := d.call("GET", "/api/v1/notices/"+i.ID, "", nil, "Authorization", "Bearer key-aulne")
			if strings.Contains(text, "removed") {
				t.Errorf("the API says removed of what is not: %s", text)
			}
			got, err := d.db.Intake(context.Background(), i.ID)
			d.must(err)
			order := at + "/orders/" + got.Orders[0].ID
			if a := s.post(order, "action", "forget"); a.status != http.StatusUnprocessableEntity {
				t.Errorf("an action that is none: %d", a.status)
			}
			s.changed(order, "action", "retry")
			d.work()
			s.changed(order, "action", "by_hand").want(t, "Alias-moderator")
			if a := s.post(order, "action", "by_hand"); a.status != http.StatusConflict {
				t.Errorf("by hand twice: %d, want 409", a.status)
			}
			if _, _, text := d.call("GET", "/api/v1/notices/"+i.ID, "", nil, "Authorization", "Bearer key-aulne"); !strings.Contains(text, "removed") {
				t.Errorf("after it was done: %s", text)
			}
			s.page("/console/?state=tasks").lacks(t, i.Number)
		})
	}
}
