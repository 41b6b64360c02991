package flow_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/exchange"
)

var refusal = rempart.Decision{Measure: rempart.MeasureRefused, Ground: "terms", Facts: "Notification examinée par une personne.", Scope: "EU",
	Explanation: "Le contenu est présenté comme une parodie.", Redress: []string{"complaint"}}

const why = "La personne est identifiable et n’a pas donné son accord."

// ask calls a platform with the key of its hub.
func ask(t *testing.T, method, url, key string, body any) (int, string) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := getter(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(out)
}

// TestComplaint walks the complaint of a notifier through the API: refused, late,
// twice, by the wrong person; then reversed, carried out, and only then told.
func TestComplaint(t *testing.T) {
	hub := newFar(t)
	s, peer := platformOf(t, hub.URL)
	s.knows("other", rempart.PeerFlagger, "", "rk_other", "")
	url := s.serve(false, true)
	f := newForumSystem(t, s)
	i, err := s.Receive(t.Context(), peer, travelling(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.step()
	at := url + "/api/v1/notices/" + i.ID
	complain := func(key, id, reasons string, items ...string) (int, string) {
		return ask(t, "POST", at+"/complaints", key, map[string]any{"id": id, "reasons": reasons, "items": items})
	}
	want := func(what string, status int, text string, wantStatus int, contains string) {
		t.Helper()
		if status != wantStatus || !strings.Contains(text, contains) {
			t.Errorf("%s: %d %s, want %d with %q", what, status, text, wantStatus, contains)
		}
	}
	status, text := complain(keyAtPlatform, "c1", why)
	want("before the decision", status, text, 409, "complaint.nothing")
	if err := s.Decide(t.Context(), i.ID, "i1", refusal, "Noisetier"); err != nil {
		t.Fatal(err)
	}
	s.step() // told
	status, text = ask(t, "GET", at, keyAtPlatform, nil)
	want("the state", status, text, 200, `"complain_until":{"i1":"2026-09-02T22:00:00Z"}`) // the end of that day in Paris (Regulation (EEC, Euratom) No 1182/71, art. 3(2)(c))
	for what, c := range map[string]struct {
		key, id, reasons, item string
		status                 int
		code                   string
	}{
		"too short":           {keyAtPlatform, "c1", "Non.", "", 422, "complaint.reasons"},
		"too long":            {keyAtPlatform, "c1", strings.Repeat("é", 5001), "", 422, "expected length"},
		"no such item":        {keyAtPlatform, "c1", why, "i9", 404, "item.missing"},
		"an identifier":       {keyAtPlatform, "../c1", why, "", 422, "notice.id"},
		"of somebody else":    {"rk_other", "c1", why, "", 404, "notice.missing"},
		"without a key of it": {"rk_nobody", "c1", why, "", 401, "key"},
	} {
		var items []string
		if c.item != "" {
			items = []string{c.item}
		}
		status, text := complain(c.key, c.id, c.reasons, items...)
		want(what, status, text, c.status, c.code)
	}
	s.clock.set(time.Date(2026, 9, 2, 22, 0, 1, 0, time.UTC))
	status, text = complain(keyAtPlatform, "c1", why)
	want("a second after the last day", status, text, 409, "complaint.late")
	s.clock.set(time.Date(2026, 9, 2, 22, 0, 0, 0, time.UTC))
	status, text = complain(keyAtPlatform, "c1", why)
	want("at its end", status, text, 202, `"state":"received"`)
	var c exchange.ComplaintState
	if err := json.Unmarshal([]byte(text), &c); err != nil || c.ID != "c1" || len(c.Items) != 1 || c.By != rempart.ByNotifier {
		t.Fatalf("%s: %v", text, err)
	}
	status, text = complain(keyAtPlatform, "c1", why)
	want("sent again", status, text, 202, c.Number)
	status, text = complain(keyAtPlatform, "c1", why+" Encore.")
	want("another under its identifier", status, text, 409, "complaint.key_reused")
	status, text = complain(keyAtPlatform, "c2", why)
	want("a second one", status, text, 409, "complaint.open")
	if tasks, err := s.DB.IntakeTasks(t.Context(), 10); err != nil || len(tasks) != 1 || tasks[0].Kind != rempart.IntakeComplaint {
		t.Errorf("tasks %+v, %v", tasks, err)
	}

	change := map[string]rempart.Decision{"i1": removal}
	if err := kindIs(s.DecideComplaint(t.Context(), i.ID, c.Number, change, why, "Noisetier"), rempart.Conflict); err != nil {
		t.Errorf("decided by who decided first: %v", err)
	}
	fully := removal
	fully.Means = rempart.MeansFully
	for what, bad := range map[string]struct {
		changes map[string]rempart.Decision
		answer  string
	}{
		"no answer":              {change, "Oui."},
		"by machine alone":       {map[string]rempart.Decision{"i1": fully}, why},
		"the same decision":      {map[string]rempart.Decision{"i1": refusal}, why},
		"a decision that lacks":  {map[string]rempart.Decision{"i1": {Measure: rempart.MeasureRemoved}}, why},
		"an item of another one": {map[string]rempart.Decision{"i9": removal}, why},
	} {
		if err := s.DecideComplaint(t.Context(), i.ID, c.Number, bad.changes, bad.answer, "Charme"); rempart.KindOf(err) != rempart.Invalid && rempart.KindOf(err) != rempart.NotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
	f.will(status503)
	if err := s.DecideComplaint(t.Context(), i.ID, c.Number, change, why, "Charme"); err != nil {
		t.Fatal(err)
	}
	s.step()
	status, text = ask(t, "GET", at+"/complaints/"+c.Number, keyAtPlatform, nil)
	want("decided and not carried out", status, text, 200, `"state":"received"`)
	if strings.Contains(text, why) {
		t.Errorf("the answer is told before the system confirmed: %s", text)
	}
	if n := s.count(i.ID, "intake.told"); n != 2 {
		t.Errorf("told %d times before the system confirmed, want 2", n)
	}
	s.clock.advance(time.Hour)
	for range 3 {
		s.step()
	}
	s.check()
	status, text = ask(t, "GET", at+"/complaints/"+c.Number, keyAtPlatform, nil)
	want("carried out", status, text, 200, `"outcome":"reversed"`)
	status, text = ask(t, "GET", at, keyAtPlatform, nil)
	want("the notice", status, text, 200, `"measure":"removed"`)
	told := 0
	for id, x := range hub.told {
		if strings.Contains(x.body, `"complaint.decided"`) {
			told += x.times
			var cb exchange.Callback
			if err := json.Unmarshal([]byte(x.body), &cb); err != nil || !strings.HasPrefix(id, "complaint:") || cb.Complaint == nil || cb.Complaint.ID != "c1" || cb.Complaint.Answer != why ||
				cb.Items["i1"].Measure != rempart.MeasureRemoved || cb.NoticeID != "notice-1" || cb.Number != i.Number {
				t.Errorf("callback %s under %s: %v", x.body, id, err)
			}
		}
	}
	if told != 1 || s.count(i.ID, "intake.told") != 3 || !f.gone["https://forum.exemple.test/p/1"] {
		t.Errorf("told %d times, noted %d, gone %v", told, s.count(i.ID, "intake.told"), f.gone)
	}
	if n := s.count(i.ID, "statement.dry_run"); n != 1 {
		t.Errorf("%d statements of reasons, want the one of the removal", n)
	}
	status, text = complain(keyAtPlatform, "c3", why)
	want("against a removal", status, text, 409, "complaint.nothing")
	if err := kindIs(s.DecideComplaint(t.Context(), i.ID, c.Number, change, why, "Orme"), rempart.Conflict); err != nil {
		t.Errorf("decided twice: %v", err)
	}
}

func status503(w http.ResponseWriter, _ *http.Request, _ string) { w.WriteHeader(503) }

// TestComplaintOfAffected has who put the item there complain: the restriction is
// lifted, that person and the notifier are told, in this order, and the statement
// that stands at the database is not sent again.
func TestComplaintOfAffected(t *testing.T) {
	hub := newFar(t)
	s, peer := platformOf(t, hub.URL)
	f := newForumSystem(t, s)
	i, err := s.Receive(t.Context(), peer, travelling(), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Decide(t.Context(), i.ID, "i1", removal, "Noisetier"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.step()
	}
	if i, err = s.DB.Intake(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	if f.codes["https://forum.exemple.test/p/1"] != s.RedressCode(i.ID, "i1").String() {
		t.Errorf("code %q", f.codes)
	}
	complain := func(id string) (*rempart.Complaint, error) {
		_, c, err := s.Complain(t.Context(), i, rempart.ByAffected, exchange.Complaint{ID: id, Items: []string{"i1"}, Reasons: "Cette image est une œuvre dont tous sont d’accord."})
		return c, err
	}
	first, err := complain("")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DecideComplaint(t.Context(), i.ID, first.Number, nil, "Le montage montre une personne identifiée.", "Charme"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.step()
	}
	if len(f.bodies) != 2 || !f.gone["https://forum.exemple.test/p/1"] && len(hub.told) != 2 {
		t.Errorf("%d orders, hub told %d messages: a complaint that changes nothing is told to who complained alone", len(f.bodies), len(hub.told))
	}
	if _, err := complain("again"); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("a second complaint about the same decision: %v", err)
	}

	other := travelling()
	other.ID, other.Items[0].Address = "notice-2", "https://forum.exemple.test/p/2"
	if i, err = s.Receive(t.Context(), peer, other, ""); err != nil {
		t.Fatal(err)
	}
	if err := s.Decide(t.Context(), i.ID, "i1", removal, "Noisetier"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.step()
	}
	second, err := complain("")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DecideComplaint(t.Context(), i.ID, second.Number, map[string]rempart.Decision{"i1": refusal}, "Les personnes montrées sont d’accord.", "Charme"); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		s.step()
	}
	s.check()
	if f.gone["https://forum.exemple.test/p/2"] || len(f.bodies) != 5 {
		t.Errorf("gone %v after %d orders", f.gone, len(f.bodies))
	}
	if i, err = s.DB.Intake(t.Context(), i.ID); err != nil || i.Complaints[0].Outcome != rempart.OutcomeReversed || !i.Settled() || s.count(i.ID, "statement.dry_run") != 1 {
		t.Errorf("%+v, %v, %d statements", i.Complaints, err, s.count(i.ID, "statement.dry_run"))
	}
	found := false
	for _, x := range hub.told {
		if strings.Contains(x.body, `"complaint.decided"`) {
			found = true
			if strings.Contains(x.body, "Les personnes montrées") {
				t.Errorf("the notifier reads the answer to somebody else: %s", x.body)
			}
		}
	}
	if !found {
		t.Error("the notifier was not told that the decision changed")
	}
}
