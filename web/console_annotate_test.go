package web

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"rempart"
	"rempart/stats"
)

var hiddenItem = regexp.MustCompile(`name="item" value="([0-9a-f]+)"`)

// labelling registers a campaign with items at a desk.
func labelling(t *testing.T, items ...string) *desk {
	d := newDesk(t, true, false)
	p := stats.Protocol{ID: "annonces", Title: "Annonces", Service: "Boutique", Surfaces: []string{"app"}, From: "2026-11-01", Until: "2026-11-30", Frame: "f", Rule: "r",
		Definitions: map[string]string{"offer=yes": "une offre"}, Codebook: map[string][]string{"offer": {"yes", "no"}, "tone": {"plain", "pressing"}},
		Ratios: []stats.Ratio{{ID: "offers", Positive: "offer=yes"}}, StopRule: "s", Ethics: "e", NoMinors: true, Annotation: &stats.Annotation{Double: 1, Seed: "graine"}}
	d.must(p.Check())
	event := rempart.Event{Kind: "campaign.registered", Subject: p.ID, Actor: "admin", At: d.now}
	d.must(d.db.SaveCampaign(context.Background(), p.ID, stats.Campaign{Protocol: p, Registered: true, At: d.now, Digest: p.Digest()}, true, event))
	var all []rempart.Sampled
	for _, name := range items {
		all = append(all, rempart.Sampled{Name: name, Surface: "app", Collected: "2026-11-20", Fields: []rempart.Field{{Name: "texte", Text: "Une annonce <" + name + ">."}}})
	}
	if len(all) > 0 {
		_, err := d.db.AddSampled(context.Background(), p.ID, p.Annotation.Drawing(), all, rempart.Event{Kind: "campaign.items", Subject: p.ID, Actor: "admin", At: d.now})
		d.must(err)
	}
	return d
}

// TestAnnotate labels, passes, settles and ends a campaign as three people do in
// the console: none sees what another said before the end.
func TestAnnotate(t *testing.T) {
	d := labelling(t, "i1", "i2")
	const at = "/console/campaigns/annonces"
	// The first two are an analyst and a lead; a second lead settles.
	third := rempart.Staff{ID: "third", Login: "third", Alias: "Troisième", Role: rempart.RoleLead, CreatedAt: d.now}
	d.must(d.db.PutStaff(context.Background(), third, ""))
	a, b, c := d.sit(rempart.RoleAnalyst), d.sit(rempart.RoleLead), d.sit("third")
	item := func(s *seat, path string) string {
		t.Helper()
		page := s.page(at + path).body
		wellFormed(t, path, page)
		m := hiddenItem.FindStringSubmatch(page)
		if m == nil {
			return ""
		}
		return m[1]
	}
	first := item(a, "/annotate")
	if first == "" || item(a, "/annotate") != first || item(b, "/annotate") != first {
		t.Fatalf("the first item of the order is not the first of everybody: %q", first)
	}
	if n := item(c, "/annotate"); n == "" || n == first {
		t.Errorf("the third is shown %q, the first two have %q", n, first)
	}
	if x := a.post(at+"/annotate", "item", first, "action", "label", "label.offer", "yes"); x.status != http.StatusUnprocessableEntity ||
		!strings.Contains(x.body, `value="yes" checked`) || !strings.Contains(x.body, "Choisissez une des réponses") {
		t.Errorf("a label missing: %d\n%s", x.status, mainOf(x.body))
	}
	if x := a.post(at+"/annotate", "item", first, "action", "label", "label.offer", "perhaps", "label.tone", "plain"); x.status != http.StatusUnprocessableEntity {
		t.Errorf("a value that is not of the codebook: %d", x.status)
	}
	if x := a.post(at+"/annotate", "item", first, "action", "skip"); x.status != http.StatusUnprocessableEntity || !strings.Contains(x.body, "pourquoi vous passez") {
		t.Errorf("passed without a reason: %d", x.status)
	}
	say := func(s *seat, id, offer string) answer {
		return s.post(at+"/annotate", "item", id, "action", "label", "label.offer", offer, "label.tone", "plain")
	}
	if x := say(a, first, "yes"); x.status != http.StatusSeeOther {
		t.Fatalf("labelled: %d\n%s", x.status, mainOf(x.body))
	}
	if x := say(c, first, "yes"); x.status != http.StatusConflict || !strings.Contains(x.body, "confié à quelqu’un d’autre") {
		t.Errorf("a third label: %d", x.status)
	}
	if body := b.page(at + "/annotate").body; hiddenItem.FindStringSubmatch(body)[1] != first || strings.Contains(body, "checked") {
		t.Error("the second sees something of the first's answer")
	}
	say(b, first, "no")
	second := item(a, "/annotate")
	say(a, second, "yes")
	if x := b.post(at+"/annotate", "item", item(b, "/annotate"), "action", "skip", "reason", "text"); x.status != http.StatusConflict && x.status != http.StatusSeeOther {
		t.Errorf("passed: %d", x.status)
	}
	say(c, second, "yes")
	for who, s := range map[string]*seat{"the analyst": a, "the lead": b} {
		if body := s.page(at + "/annotate").body; hiddenItem.MatchString(body) || !strings.Contains(body, "attend d’autres personnes") {
			t.Errorf("%s is given more, or not told that her work is done", who)
		}
	}
	if x := a.get(at + "/labels.csv"); x.status != http.StatusConflict {
		t.Errorf("labels before the end: %d", x.status)
	}
	if x := a.get(at + "/settle"); x.status != http.StatusForbidden {
		t.Errorf("an analyst settles: %d", x.status)
	}
	if body := b.page(at + "/settle").body; hiddenItem.MatchString(body) || !strings.Contains(body, "une autre personne les départage") {
		t.Error("one of the two is shown their difference")
	}
	if x := b.post(at+"/settle", "item", first, "action", "label", "label.offer", "yes"); x.status != http.StatusForbidden {
		t.Errorf("one of the two settles: %d", x.status)
	}
	body := c.page(at + "/settle").body
	if m := hiddenItem.FindStringSubmatch(body); m == nil || m[1] != first || strings.Count(body, "une des deux réponses") != 2 || strings.Contains(body, `name="label.tone"`) {
		t.Fatalf("the difference as the third sees it:\n%s", mainOf(body))
	}
	main := mainOf(body)
	for _, alias := range []rempart.StaffRole{rempart.RoleAnalyst, rempart.RoleLead} {
		if m, err := d.db.Member(context.Background(), string(alias)); err != nil || strings.Contains(main, string(m.Alias)) {
			t.Errorf("the third sees who it was: %v %v", m.Alias, err)
		}
	}
	if x := c.post(at+"/settle", "item", first); x.status != http.StatusUnprocessableEntity {
		t.Errorf("settled without an answer: %d", x.status)
	}
	if x := c.post(at+"/settle", "item", first, "label.offer", "no", "label.tone", "pressing"); x.status != http.StatusSeeOther {
		t.Errorf("settled: %d", x.status)
	}
	if x := c.post(at+"/settle", "item", first, "label.offer", "yes"); x.status != http.StatusConflict && x.status != http.StatusSeeOther && x.status != http.StatusForbidden {
		t.Errorf("settled twice: %d", x.status)
	}
	if x := a.post(at + "/end"); x.status != http.StatusForbidden {
		t.Errorf("an analyst ends the labelling: %d", x.status)
	}
	if x := b.post(at + "/end"); x.status != http.StatusSeeOther {
		t.Fatalf("ended: %d\n%s", x.status, mainOf(x.body))
	}
	if x := b.post(at + "/end"); x.status != http.StatusConflict {
		t.Errorf("ended twice: %d", x.status)
	}
	page := strings.ReplaceAll(mainOf(a.page(at).body), "\u00a0", " ")
	for _, want := range []string{"1 sur 2", "départagés par une tierce personne (1)", "labels.csv"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	csv := a.get(at + "/labels.csv")
	if csv.status != http.StatusOK || strings.Count(csv.body, "\n") != 1+8+1 || strings.Count(csv.body, ",adjudication,") != 1 || strings.Contains(csv.body, "annonce <") {
		t.Errorf("%d\n%s", csv.status, csv.body)
	}
	if body := a.page(at + "/annotate").body; !strings.Contains(body, "close") || hiddenItem.MatchString(body) {
		t.Error("the end is not said")
	}
	if body := labelling(t).sit(rempart.RoleAnalyst).page(at + "/annotate").body; !strings.Contains(body, "Aucun élément") {
		t.Error("a campaign without items does not say so")
	}
}
