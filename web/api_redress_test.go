package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart"
)

// TestRedressAPI follows a notice sent by form through the API, by its code alone:
// what a code does not open is answered as on the page, and each code opens what
// is its holder's and nothing of the other.
func TestRedressAPI(t *testing.T) {
	d := newDesk(t, false, true)
	s := d.sit("")
	code := codeOf(t, s.postForm("/notify", 200, noticeForm(strings.Repeat("A", 26))...).body)
	all, _, err := d.db.Intakes(context.Background(), "", "", 0)
	d.must(err)
	i := all[0]
	d.work()
	ask := func(path string, want int, body map[string]any) (redressState, string) {
		t.Helper()
		b, err := json.Marshal(body)
		d.must(err)
		status, _, text := d.call("POST", path, "application/json", strings.NewReader(string(b)))
		if status != want {
			t.Errorf("%s: status %d, want %d: %s", path, status, want, text)
		}
		var v redressState
		if status < 300 {
			d.must(json.Unmarshal([]byte(text), &v))
		}
		return v, text
	}
	const at, complain = "/api/v1/redress", "/api/v1/redress/complaints"
	if _, text := ask(at, http.StatusUnprocessableEntity, map[string]any{"code": "ABC"}); strings.Contains(text, "ABC") {
		t.Errorf("what was typed comes back: %s", text)
	}
	unknown := rempart.NewCaseCode().String()
	_, one := ask(at, http.StatusNotFound, map[string]any{"code": unknown})
	_, two := ask(at, http.StatusNotFound, map[string]any{"code": d.flow.RedressCode(i.ID, "item-1").String()}) // not decided yet
	if one != two {
		t.Errorf("a code that exists is told from one that does not: %s, %s", one, two)
	}
	ask(complain, http.StatusNotFound, map[string]any{"code": unknown, "reasons": why})
	if v, _ := ask(at, http.StatusOK, map[string]any{"code": strings.ToLower(code)}); v.By != rempart.ByNotifier || v.Number != i.Number || v.State != "received" || len(v.Items) != 2 || v.Items[0].Decision != nil {
		t.Errorf("%+v", v)
	}
	ask(complain, http.StatusConflict, map[string]any{"code": code, "reasons": why})

	m := d.sit(rempart.RoleModerator)
	m.changed("/console/notices/"+i.Number+"/items/item-1", append([]string{"measure", "refused"}, decided[2:]...)...)
	m.changed("/console/notices/"+i.Number+"/items/item-2", decided...)
	d.work()
	v, _ := ask(at, http.StatusOK, map[string]any{"code": code})
	if v.State != "decided" || v.Items[0].Decision == nil || v.Items[0].Decision.Measure != rempart.MeasureRefused || v.Items[0].ComplainUntil == nil || v.Items[1].ComplainUntil != nil {
		t.Errorf("%+v", v)
	}
	ask(complain, http.StatusUnprocessableEntity, map[string]any{"code": code, "reasons": "Non."})
	for range 2 { // the same twice is one
		if v, _ = ask(complain, http.StatusAccepted, map[string]any{"code": code, "id": "c-1", "items": []string{"item-1"}, "reasons": why}); len(v.Complaints) != 1 || v.Items[0].ComplainUntil != nil {
			t.Errorf("%+v", v)
		}
	}
	theirs := d.flow.RedressCode(i.ID, "item-2").String()
	v, text := ask(at, http.StatusOK, map[string]any{"code": theirs})
	if v.By != rempart.ByAffected || len(v.Items) != 1 || v.Items[0].ID != "item-2" || len(v.Complaints) != 0 {
		t.Errorf("%+v", v)
	}
	for _, secret := range []string{"Ada", "ada@", i.Number, bad, "item-1", "c-1"} {
		if strings.Contains(text, secret) {
			t.Errorf("who is affected reads %q: %s", secret, text)
		}
	}
	if v, _ = ask(complain, http.StatusAccepted, map[string]any{"code": theirs, "items": []string{"item-1"}, "reasons": "C’est une photo de mes vacances, et nous sommes d’accord."}); len(v.Complaints) != 1 || v.Complaints[0].Items[0] != "item-2" {
		t.Errorf("%+v", v)
	}
	d.now = d.now.Add(200 * 24 * time.Hour)
	if v, _ = ask(at, http.StatusOK, map[string]any{"code": code}); v.Items[0].ComplainUntil != nil {
		t.Error("a complaint is offered after six months")
	}
}
