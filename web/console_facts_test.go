package web

import (
	"context"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rempart"
	"rempart/law"
)

// factsIn returns the facts form of a page as the browser would send it.
func factsIn(t *testing.T, body string) map[string]string {
	t.Helper()
	_, form, found := strings.Cut(body, `/facts`)
	form, _, ok := strings.Cut(form, "</form>")
	if !found || !ok {
		t.Fatal("the page has no form for the facts")
	}
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`(?s)<select [^>]*name="([a-z_]+)">(.*?)</select>`).FindAllStringSubmatch(form, -1) {
		chosen := regexp.MustCompile(`value="([a-z0-9_]*)" selected`).FindAllStringSubmatch(m[2], -1)
		if len(chosen) != 1 {
			t.Fatalf("%s has %d words chosen, want 1", m[1], len(chosen))
		}
		out[m[1]] = chosen[0][1]
	}
	for name, re := range map[string]string{"was": `name="was" value="([^"]*)"`, "date": `name="date" value="([^"]*)"`} {
		m := regexp.MustCompile(re).FindStringSubmatch(form)
		if m == nil {
			t.Fatalf("the form lacks %s", name)
		}
		out[name] = html.UnescapeString(m[1])
	}
	if len(out) < len(factOrder)+2 {
		t.Fatalf("the form has %d fields: %v", len(out), out)
	}
	return out
}

func pairs(form map[string]string) (out []string) {
	for name, value := range form {
		out = append(out, name, value)
	}
	return out
}

// TestFacts corrects the age of a case by its form: the case becomes a minor's.
func TestFacts(t *testing.T) {
	for _, lang := range langs {
		d := newDesk(t, true, false)
		c := d.open(rempart.AgeSaidAdult)
		s := d.sit(rempart.RoleAnalyst)
		s.lang = lang
		at := "/console/cases/" + c.Ref
		first := c.Quals[0].ID
		s.changed(at+"/qualifications/"+first, "action", "confirm")
		a := s.changed(at+"/notices", "service", forum, "item", c.Items[0].ID)
		form := factsIn(t, s.page(at).body)

		a = s.changed(at+"/facts", pairs(form)...)
		a.want(t, map[string]string{"fr": "rien n’a changé", "en": "nothing changed"}[lang])
		if got := d.reload(c); got.Facts != c.Facts || got.Notices[0].State != rempart.NoticeDraft {
			t.Errorf("the form as it was given changed the case: %+v, draft %s", got.Facts, got.Notices[0].State)
		}

		form["age_class"], form["repetition"], form["date"] = "under_15", "true", "2026-11-20"
		a = s.changed(at+"/facts", pairs(form)...)
		a.want(t, map[string]string{"fr": "Faits corrigés : âge, date des faits, répétition.", "en": "Facts corrected: age, date of the acts, repetition."}[lang],
			"227-23", map[string]string{"fr": "Afficher l’adresse", "en": "Show the address"}[lang])
		rest := regexp.MustCompile(`(?s)<pre class="words".*?</pre>|<details>.*?</details>`).ReplaceAllString(a.body, "")
		if strings.Contains(rest, "exemple.test/page") {
			t.Error("an address of what is now a minor's case shows openly")
		}
		got := d.reload(c)
		want := c.Facts
		want.AgeClass, want.Repetition, want.Date = rempart.AgeUnder15, rempart.FlagYes, "2026-11-20"
		if got.Facts != want || got.Item(c.Items[3].ID).List != "ncii-minor" || got.Notices[0].State != rempart.NoticeCancelled {
			t.Errorf("facts %+v, list %s, draft %s", got.Facts, got.Item(c.Items[3].ID).List, got.Notices[0].State)
		}
		if len(got.Confirmed()) != 1 || got.Confirmed()[0].ID != first || got.Confirmed()[0].By != "Alias-analyst" {
			t.Errorf("confirmed: %v", got.Confirmed())
		}

		// The form of the old page: somebody corrected the facts meanwhile.
		form["threat"] = "money"
		b := s.post(at+"/facts", pairs(form)...)
		if b.status != http.StatusConflict {
			t.Fatalf("a form of other facts: %d, want 409", b.status)
		}
		sober(t, at, b.body)
		again := factsIn(t, b.body)
		if again["threat"] != "money" || again["was"] == form["was"] {
			t.Error("the form that comes back lost what was typed, or still is of the old facts")
		}
		again["date"] = "2027-01-01"
		b = s.post(at+"/facts", pairs(again)...)
		if b.status != http.StatusUnprocessableEntity {
			t.Fatalf("acts to come: %d, want 422", b.status)
		}
		b.want(t, `id="fact-date-error"`, `value="2027-01-01"`, `aria-invalid="true"`)
		again["date"], again["threat"] = "2026-11-20", "shout"
		if b = s.post(at+"/facts", pairs(again)...); b.status != http.StatusUnprocessableEntity {
			t.Errorf("a word that is none: %d, want 422", b.status)
		}
		if b = s.post(at+"/facts", "was", "nothing"); b.status != http.StatusUnprocessableEntity {
			t.Errorf("a form that is none: %d, want 422", b.status)
		}
		if now := d.reload(c); now.Version != got.Version {
			t.Error("a refused form changed the case")
		}
	}
}

func TestAddQualification(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + c.Ref
	choices := func(body string) []string {
		_, form, _ := strings.Cut(body, `id="offence"`)
		form, _, _ = strings.Cut(form, "</select>")
		var out []string
		for _, m := range regexp.MustCompile(`<option value="([^"]+)"`).FindAllStringSubmatch(form, -1) {
			out = append(out, m[1])
		}
		return out
	}
	before := choices(s.page(at).body)
	if !slices.Contains(before, "fr-312-10") || slices.Contains(before, c.Quals[0].ID) {
		t.Fatalf("offences to choose from: %v", before)
	}
	a := s.post(at+"/qualifications", "offence", "fr-312-10", "reason", "  ")
	if a.status != http.StatusUnprocessableEntity {
		t.Fatalf("without a reason: %d, want 422", a.status)
	}
	sober(t, at, a.body)
	a.want(t, `id="reason-add-error"`, `value="fr-312-10" selected`, "pourquoi cette qualification s’applique")
	if a := s.post(at+"/qualifications", "offence", "fr-nothing", "reason", "pour voir"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("an offence that is none: %d, want 422", a.status)
	}
	a = s.changed(at+"/qualifications", "offence", "fr-312-10", "reason", "on lui demande <b>de l’argent</b>")
	a.want(t, "Qualification ajoutée et confirmée.", "Qualification ajoutée : art. 312-10.", "Ajoutée par un analyste : on lui demande &lt;b&gt;de l’argent&lt;/b&gt;")
	if slices.Contains(choices(a.body), "fr-312-10") {
		t.Error("what was added can be added again")
	}
	if a := s.post(at+"/qualifications", "offence", "fr-312-10", "reason", "encore"); a.status != http.StatusConflict {
		t.Errorf("twice: %d, want 409", a.status)
	}
	q := d.reload(c).Confirmed()
	if len(q) != 1 || q[0].PrisonYears != 5 || q[0].FineEUR != 75000 || q[0].By != "Alias-analyst" || q[0].Verified != true {
		t.Errorf("confirmed: %+v", q)
	}
}

// TestPlatformAnswers goes on after a platform that refused, and one that restricted.
func TestPlatformAnswers(t *testing.T) {
	for _, m := range []rempart.Measure{rempart.MeasureRefused, rempart.MeasureRestricted} {
		d := newDesk(t, true, false)
		c := d.open(rempart.AgeSaidAdult)
		s := d.sit(rempart.RoleAnalyst)
		at := "/console/cases/" + c.Ref
		s.changed(at+"/qualifications/"+c.Quals[0].ID, "action", "confirm")
		s.changed(at+"/items/"+c.Items[2].ID, "action", "drop", "reason", "hors du registre")
		send := func(items ...string) string {
			t.Helper()
			form := []string{"service", forum}
			for _, i := range items {
				form = append(form, "item", i)
			}
			s.changed(at+"/notices", form...)
			all := d.reload(c).Notices
			s.changed(at+"/notices/"+all[len(all)-1].ID, "action", "send", "good_faith", "yes")
			return all[len(all)-1].ID
		}
		n := send(c.Items[0].ID, c.Items[1].ID)
		d.decided(d.reload(c), n, m)
		for _, lang := range langs {
			s.lang = lang
			s.page(at).want(t, map[string]string{"fr": "à examiner", "en": "to look at"}[lang], map[string]string{"fr": "notifiez de nouveau", "en": "notify again"}[lang])
		}
		s.lang = "fr"
		send(c.Items[0].ID)
		a := s.changed(at+"/items/"+c.Items[1].ID, "action", "drop", "reason", "décision acceptée")
		a.lacks(t, "à examiner")
		got := d.reload(c)
		if got.Items[0].State != rempart.ItemQueued || got.Items[1].State != rempart.ItemDropped {
			t.Errorf("%s: items are %s and %s", m, got.Items[0].State, got.Items[1].State)
		}
		if _, _, step := steps(got); step != "waiting" {
			t.Errorf("%s: step %q, want waiting", m, step)
		}
	}
}

// TestStepOfAnswers checks that what a platform refused is never "done", and
// that what an analyst has to do comes before what a platform has.
func TestStepOfAnswers(t *testing.T) {
	for _, test := range []struct {
		states []rempart.ItemState
		want   step
	}{
		{[]rempart.ItemState{rempart.ItemRemoved, rempart.ItemDropped}, "done"},
		{[]rempart.ItemState{rempart.ItemRefused}, "review"},
		{[]rempart.ItemState{rempart.ItemRemoved, rempart.ItemRestricted}, "review"},
		{[]rempart.ItemState{rempart.ItemRestricted, rempart.ItemNotified}, "review"},
		{[]rempart.ItemState{rempart.ItemNotified, rempart.ItemRefused}, "review"},
		{[]rempart.ItemState{rempart.ItemRemoved, rempart.ItemNotified}, "waiting"},
		{[]rempart.ItemState{rempart.ItemRefused, rempart.ItemReported}, "todo"},
		{[]rempart.ItemState{rempart.ItemFailed, rempart.ItemRefused}, "todo"},
	} {
		c := new(rempart.Case)
		for _, s := range test.states {
			c.Items = append(c.Items, rempart.Item{Kind: rempart.ItemAddress, State: s})
		}
		if _, _, got := steps(c); got != test.want {
			t.Errorf("%v: %q, want %q", test.states, got, test.want)
		}
	}
}

// TestFactsOfEvents corrects facts as the history tells it of a qualification
// that the case no longer has.
func TestFactsOfEvents(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	f := c.Facts
	f.Sexual, f.Communication, f.Origin, f.Online = rempart.SexualNone, rempart.CommunicationNone, rempart.OriginReal, rempart.FlagNo
	d.must(d.flow.Correct(context.Background(), c.ID, c.Facts, f, "Alias-analyst"))
	a := d.sit(rempart.RoleAnalyst).page("/console/cases/" + c.Ref)
	a.want(t, "Qualification qui n’est plus proposée : art. "+c.Quals[0].Article+".")
}

// TestAsking answers the one question of a case on its page: the answer is the
// only fact that changes, and the case is qualified with it.
func TestAsking(t *testing.T) {
	for _, lang := range langs {
		d := newDesk(t, true, false)
		c := d.open(rempart.AgeSaidAdult)
		f := c.Facts
		f.Origin = ""
		d.must(d.flow.Correct(context.Background(), c.ID, c.Facts, f, "Alias-analyst"))
		c = d.reload(c)
		if len(c.Missing) == 0 || c.Missing[0].Fact != "origin" {
			t.Fatalf("missing: %+v", c.Missing)
		}
		s := d.sit(rempart.RoleAnalyst)
		s.lang = lang
		at := "/console/cases/" + c.Ref
		a := s.page(at)
		a.want(t, html.EscapeString(c.Missing[0].Ask.In(lang)), map[string]string{"fr": "Confiance faible", "en": "Low confidence"}[lang], "226-2-1", c.Pack)
		_, form, _ := strings.Cut(a.body, `id="asking-origin"`)
		head, _, _ := strings.Cut(a.body, `id="asking-origin"`)
		head = head[strings.LastIndex(head, "<form"):]
		options, _, _ := strings.Cut(form, "</select>")
		if strings.Count(options, "<option") != len(rempart.FactValues["origin"]) {
			t.Errorf("options: %s", options)
		}
		sent := []string{"origin", "ai_generated"}
		for _, m := range regexp.MustCompile(`name="([a-z_]+)" value="([^"]*)"`).FindAllStringSubmatch(head, -1) {
			sent = append(sent, m[1], html.UnescapeString(m[2]))
		}
		s.changed(at+"/facts", sent...)
		got := d.reload(c)
		want := c.Facts
		want.Origin = rempart.OriginAIGenerated
		if got.Facts != want {
			t.Errorf("facts %+v, want %+v", got.Facts, want)
		}
		for _, q := range got.Quals {
			if q.ID == "fr-226-2-1" || q.Confidence == rempart.ConfidenceLow {
				t.Errorf("still proposed: %s, %s", q.ID, q.Confidence)
			}
		}
	}
}

// TestNewerPack requalifies a case of an older law pack, from a page that says
// what would change.
func TestNewerPack(t *testing.T) {
	d := newDesk(t, true, false)
	now := d.flow.Law
	older, err := law.Version("fr-2026-04-02.1")
	d.must(err)
	d.flow.Law = older
	c := d.open(rempart.AgeSaidAdult)
	d.flow.Law = now
	if c.Pack != older.Version {
		t.Fatalf("the case has pack %s", c.Pack)
	}
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + c.Ref
	s.page(at).want(t, at+"/pack", older.Version, now.Version, "Les mêmes infractions et les mêmes peines.")
	if a := s.post(at+"/pack", "was", "fr-2020-01-01.1"); a.status != http.StatusConflict {
		t.Errorf("from a page of another pack: %d, want 409", a.status)
	}
	a := s.changed(at+"/pack", "was", older.Version)
	a.want(t, "Dossier requalifié", "par le corpus juridique "+now.Version+", au lieu de "+older.Version)
	a.lacks(t, at+"/pack")
	if got := d.reload(c); got.Pack != now.Version || len(got.Quals) != len(c.Quals) || got.Quals[0].Confidence == "" {
		t.Errorf("pack %s, %+v", got.Pack, got.Quals)
	}

	// What would change, each in its sentence.
	c.Quals[0].PrisonYears = 1
	c.Quals = append(c.Quals, rempart.Qualification{ID: "fr-old", Article: "999"})
	c.Facts.Threat = rempart.ThreatMoney
	if v := d.srv.newerPack(page{}, c); v == nil || !slices.Equal(v.Lines, []string{"pack.added", "pack.penalty", "pack.gone"}) {
		t.Errorf("changes: %+v", v)
	}
}
