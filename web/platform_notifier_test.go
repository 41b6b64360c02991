package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart"
)

// TestFlaggers: the notices of a trusted flagger come first within its area only,
// and not once it is suspended.
func TestFlaggers(t *testing.T) {
	d := newDesk(t, false, true)
	ctx := context.Background()
	entry := rempart.Flagger{ID: "fr-1", Name: "Association fictive", Country: "FR", Expertise: "images intimes", Categories: []string{"3"}, Status: rempart.FlaggerActive,
		From: "2026-01-01", Source: "liste fictive", SourceDate: "2026-11-01"}
	list := func(f rempart.Flagger) {
		d.must(d.db.PutFlaggers(ctx, []rempart.Flagger{f}, rempart.Event{Kind: "flaggers.imported", Subject: "flaggers", Actor: "admin", At: d.now}))
	}
	list(entry)
	d.must(d.db.PutPeer(ctx, rempart.Peer{ID: "aulne", Name: "Aulne", Kind: rempart.PeerFlagger, TrustedFlagger: true, Flagger: "fr-1", CreatedAt: d.now}, "key-aulne", nil))
	send := func(id, category string) string {
		status, _, text := d.call("POST", "/api/v1/notices", "application/json", strings.NewReader(`{"id":"`+id+`","lang":"fr","good_faith":true,"category":"`+category+`",
			"explanation":"Le contenu est illicite, pour ces raisons.","items":[{"id":"i1","address":"https://forum.exemple.test/`+id+`"}],
			"notifier":{"name":"Aulne","email":"a@aulne.exemple.test","trusted_flagger":true}}`), "Authorization", "Bearer key-aulne")
		if status != http.StatusAccepted {
			t.Fatalf("%d %s", status, text)
		}
		all, _, err := d.db.Intakes(ctx, "", "", 0)
		d.must(err)
		for _, i := range all {
			if strings.Contains(text, i.ID) {
				if i.Entity != "fr-1" {
					t.Errorf("%s: entity %q", id, i.Entity)
				}
				return i.NoPriority + ":" + map[bool]string{true: "trusted", false: "not"}[i.Trusted]
			}
		}
		t.Fatal("not saved")
		return ""
	}
	for _, c := range []struct{ id, category, want string }{{"n1", "3f", ":trusted"}, {"n2", "7", "expertise:not"}, {"n3", "", "expertise:not"}} {
		if got := send(c.id, c.category); got != c.want {
			t.Errorf("category %q: %s, want %s", c.category, got, c.want)
		}
	}
	entry.Status = rempart.FlaggerSuspended
	list(entry)
	if got := send("n4", "3f"); got != "status:not" {
		t.Errorf("suspended: %s", got)
	}
	entry.Status, entry.Until = rempart.FlaggerActive, "2026-11-21"
	list(entry)
	if got := send("n5", "3f"); got != "dates:not" {
		t.Errorf("after its dates: %s", got)
	}
	entry.ID = "another"
	list(entry)
	if got := send("n6", "3f"); got != "status:not" {
		t.Errorf("no longer in the list: %s", got)
	}
	m := d.sit(rempart.RoleModerator)
	all, _, err := d.db.Intakes(ctx, "", "", 0)
	d.must(err)
	if !all[0].Trusted || all[1].Trusted {
		t.Error("the one within the area is not first, alone")
	}
	for _, i := range all {
		if i.NoPriority == rempart.FlaggerOtherArea {
			m.page("/console/notices/"+i.Number).want(t, "hors de son domaine")
		}
	}
}

// TestMisuse counts manifestly unfounded notices of somebody without a key, warns,
// suspends and lifts; a notice about a minor is taken all the same.
func TestMisuse(t *testing.T) {
	d := newDesk(t, false, true)
	s, m := d.sit(""), d.sit(rempart.RoleModerator)
	ctx := context.Background()
	refused := append([]string{"measure", "refused", "unfounded", "yes"}, decided[2:]...)
	send := func(k int, want int) (string, answer) {
		pairs := noticeForm(strings.Repeat(string(rune('A'+k)), 26))
		pairs[5], pairs[11] = "https://forum.exemple.test/m/"+string(rune('a'+k)), []string{"ada@exemple.test", "ADA@exemple.test "}[k%2]
		a := s.postForm("/notify", want, pairs...)
		if want != 200 {
			return "", a
		}
		return codeOf(t, a.body), a
	}
	code, at := "", ""
	for k := range 5 {
		code, _ = send(k, 200)
		all, _, err := d.db.Intakes(ctx, rempart.IntakeReceived, "", 0)
		d.must(err)
		at = "/console/notices/" + all[0].Number
		m.page(at).lacks(t, "un avertissement peut se justifier")
		m.changed(at+"/items/item-1", refused...)
	}
	a := m.page(at)
	a.want(t, "5 notifications, 5 décidées, 5 manifestement infondées", "un avertissement peut se justifier")
	a.lacks(t, `value="suspend"`)
	wellFormed(t, at, a.body)
	if a := m.post(at+"/notifier", "action", "suspend", "reason", "Cela continue.", "days", "30"); a.status != http.StatusConflict {
		t.Errorf("suspended without a warning: %d", a.status)
	} else {
		a.want(t, "Cela continue.", "Un avertissement vient")
		wellFormed(t, at, a.body)
	}
	d.now = d.now.Add(time.Minute)
	m.changed(at+"/notifier", "action", "warn", "reason", "Cinq notifications sans objet.")
	s.postForm("/redress", 200, "code", code).want(t, "Cinq notifications sans objet.")
	d.now = d.now.Add(time.Minute)
	since, _ := send(5, 200)
	s.postForm("/redress", 200, "code", since).lacks(t, "Cinq notifications sans objet.")
	m.changed(at+"/notifier", "action", "suspend", "reason", "Cela continue.", "days", "30").want(t, "Suspendu jusqu’au 22 décembre 2026")
	_, a = send(6, 403)
	a.want(t, "2026-12-22", "/m/g")
	a.lacks(t, "Cela continue.") // anybody may type this address
	s.postForm("/redress", 200, "code", code).want(t, "Cela continue.", "22 décembre 2026")
	minor := noticeForm(strings.Repeat("Z", 26))
	minor[3] = "minor"
	later := codeOf(t, s.postForm("/notify", 200, minor...).body)
	s.postForm("/redress", 200, "code", later).lacks(t, "Cela continue.")
	other := noticeForm(strings.Repeat("Y", 26))
	other[11] = "grace@exemple.test"
	s.postForm("/notify", 200, other...)
	m.changed(at+"/notifier", "action", "lift")
	send(6, 200)
	d.now = d.now.Add(366 * 24 * time.Hour)
	got, err := d.db.Misuse(ctx, "", rempart.Notice{Notifier: rempart.Notifier{Email: "ada@exemple.test"}})
	if err != nil || got != (rempart.Misuse{}) {
		t.Errorf("a year later: %+v, %v", got, err)
	}
}

// TestReferral: a suspicion opens a task with a text; nothing is sent, and a
// person says what she did.
func TestReferral(t *testing.T) {
	for _, lang := range langs {
		t.Run(lang, func(t *testing.T) {
			d := newDesk(t, false, true)
			i := d.receive("a", false, d.flagger("aulne", true))
			m := d.sit(rempart.RoleModerator)
			m.lang = lang
			at := "/console/notices/" + i.Number
			if a := m.post(at+"/referral", "action", "open", "reason", " "); a.status != http.StatusUnprocessableEntity {
				t.Errorf("without a reason: %d", a.status)
			}
			if a := m.post(at+"/referral", "action", "sent", "reason", "PHAROS, à 10 h"); a.status != http.StatusConflict {
				t.Errorf("sent before it is open: %d", a.status)
			}
			a := m.changed(at+"/referral", "action", "open", "reason", "La personne dit vouloir <b>mourir</b>.")
			wellFormed(t, at, a.body)
			a.want(t, "https://forum.exemple.test/page/2", "article 18", "La personne dit vouloir &lt;b&gt;mourir&lt;/b&gt;.")
			d.work()
			m.page("/console/?state=tasks").want(t, i.Number)
			a = m.changed(at+"/referral", "action", "sent", "reason", "Le procureur, par téléphone, à 10 h.")
			wellFormed(t, at, a.body)
			a.want(t, "Le procureur")
			m.page("/console/?state=tasks").lacks(t, i.Number)
			got, err := d.db.Intake(context.Background(), i.ID)
			d.must(err)
			if r := got.Referral; r == nil || !r.Sent || r.ClosedBy != "Alias-moderator" {
				t.Errorf("%+v", r)
			}
		})
	}
}
