package web

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rempart"
)

var codeShown = regexp.MustCompile(`(?s)<p class="case-code"[^>]*>(.*?)</p>`)

// codeOf reads the code that a page shows.
func codeOf(t *testing.T, body string) string {
	t.Helper()
	m := codeShown.FindStringSubmatch(body)
	if m == nil {
		t.Fatal("no code is shown")
	}
	code := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m[1], "")
	if _, err := rempart.ParseCaseCode(code); err != nil {
		t.Fatalf("%q: %v", code, err)
	}
	return code
}

// postForm sends a form and holds its page to what is true of all.
func (s *seat) postForm(path string, want int, pairs ...string) answer {
	s.t.Helper()
	a := s.post(path, pairs...)
	if a.status != want {
		s.t.Fatalf("POST %s: %d, want %d\n%s", path, a.status, want, mainOf(a.body))
	}
	wellFormed(s.t, path, a.body)
	personPage(s.t, path, a)
	return a
}

const bad = "https://forum.exemple.test/p/1"

// noticeForm is a notice that lacks nothing, as the form sends it.
func noticeForm(key string, more ...string) []string {
	return append([]string{"key", key, "about", "montage", "addresses", bad + "\r\nhttps://forum.exemple.test/p/2", "why", "Cette image est fausse et montre une personne sans son accord.",
		"name", "Ada Exemple", "email", "ada@exemple.test", "good_faith", "yes", "discreet", "yes"}, more...)
}

// TestNotifyForm walks a notice by the form from its first fault to a complaint
// that is answered, without script, account or cookie.
func TestNotifyForm(t *testing.T) {
	for _, lang := range langs {
		t.Run(lang, func(t *testing.T) {
			d := newDesk(t, false, true)
			s := d.sit("")
			s.lang = lang
			a := s.page("/notify")
			wellFormed(t, "/notify", a.body)
			a.lacks(t, "<script")
			key := regexp.MustCompile(`name="key" value="([A-Z2-7]+)"`).FindStringSubmatch(a.body)[1]
			a = s.postForm("/notify", 422, "key", key, "addresses", "chez moi", "why", "Non <b>", "name", "Ada <i>", "email", "pas une adresse")
			a.want(t, "chez moi", "Non &lt;b&gt;", "Ada &lt;i&gt;", key, `href="#about"`, `href="#addresses"`, `href="#why"`, `href="#good_faith"`, `href="#email"`)
			if all, _, err := d.db.Intakes(context.Background(), "", "", 0); err != nil || len(all) != 0 {
				t.Fatalf("a notice that lacks was saved: %d, %v", len(all), err)
			}
			a = s.postForm("/notify", 200, noticeForm(key)...)
			code := codeOf(t, a.body)
			if again := s.postForm("/notify", 200, noticeForm(key)...); codeOf(t, again.body) != code {
				t.Error("the same form sent twice has two codes")
			}
			other := noticeForm(key)
			other[7] += " Et encore."
			a = s.postForm("/notify", 409, other...)
			a.want(t, "Et encore.")
			if strings.Contains(a.body, key) {
				t.Error("the form keeps the key of another notice, under which it can never be sent")
			}
		})
	}
}

// TestNotifyThrough follows one notice through.
func TestNotifyThrough(t *testing.T) {
	d := newDesk(t, false, true)
	s := d.sit("")
	code := codeOf(t, s.postForm("/notify", 200, noticeForm(strings.Repeat("A", 26))...).body)
	all, _, err := d.db.Intakes(context.Background(), "", "", 0)
	d.must(err)
	if len(all) != 1 || len(all[0].Notice.Items) != 2 || !all[0].Notice.DoNotTell || all[0].Trusted || all[0].Notice.Category != "3f" {
		t.Fatalf("%+v", all)
	}
	i := all[0]
	d.work()
	s.page("/redress")
	s.postForm("/redress", 422, "code", "ABC").want(t, "seize")
	s.postForm("/redress", 404, "code", rempart.NewCaseCode().String()).want(t, "n’ouvre ici")
	a := s.postForm("/redress", 200, "code", strings.ToLower(code))
	a.want(t, i.Number, bad)
	a.lacks(t, `action="/redress/complaint"`)
	s.postForm("/redress/complaint", 409, "code", code, "reasons", why).want(t, "pas encore de décision", why)

	m := d.sit(rempart.RoleModerator)
	m.page("/console/").want(t, "Ada Exemple")
	m.changed("/console/notices/"+i.Number+"/items/item-1", append([]string{"measure", "refused"}, decided[2:]...)...)
	m.changed("/console/notices/"+i.Number+"/items/item-2", decided...)
	d.work()
	a = s.postForm("/redress", 200, "code", code)
	a.want(t, `action="/redress/complaint"`, `value="item-1"`, "Le montage montre une personne sans son accord.", "23 mai 2027")
	a.lacks(t, `value="item-2"`)
	s.postForm("/redress/complaint", 422, "code", code, "reasons", "Non.", "item", "item-1").want(t, "Non.")
	a = s.postForm("/redress/complaint", 200, "code", code, "reasons", why, "item", "item-1")
	a.want(t, "Réclamation C-")
	a.lacks(t, `action="/redress/complaint"`)
	i, err = d.db.Intake(context.Background(), i.ID)
	d.must(err)
	d.must(d.flow.DecideComplaint(context.Background(), i.ID, i.Complaints[0].Number, nil, "Nous avons relu : la décision tient.", "Charme"))
	s.postForm("/redress", 200, "code", code).want(t, "Nous avons relu", "la première décision est maintenue")

	// who put the other item there has a code of their own, and reads nothing of who notified
	theirs := d.flow.RedressCode(i.ID, "item-2").String()
	a = s.postForm("/redress", 200, "code", theirs)
	a.want(t, "Décision sur votre contenu", "/p/2", "tribunal")
	a.lacks(t, bad, "Ada", i.Number, "Nous avons relu", "ada@")
	a = s.postForm("/redress/complaint", 200, "code", theirs, "reasons", "C’est une photo de mes vacances, et nous sommes d’accord.", "item", "item-1")
	a.want(t, "Réclamation C-")
	i, err = d.db.Intake(context.Background(), i.ID)
	d.must(err)
	if c := i.Complaints[1]; c.By != rempart.ByAffected || len(c.Items) != 1 || c.Items[0] != "item-2" {
		t.Errorf("%+v", c)
	}
	if a := s.postForm("/redress", 404, "code", d.flow.RedressCode(i.ID, "item-1").String()); strings.Contains(a.body, bad) {
		t.Error("the code of an item that was refused opens it")
	}
	d.now = d.now.Add(200 * 24 * time.Hour)
	s.postForm("/redress", 200, "code", theirs).lacks(t, `action="/redress/complaint"`)
}

const why = "La personne est identifiable et n’a pas donné son accord."

// TestNotifyMinor: nobody is asked for a name, and what was written there all the
// same is not kept.
func TestNotifyMinor(t *testing.T) {
	d := newDesk(t, false, true)
	s := d.sit("")
	pairs := noticeForm(strings.Repeat("B", 26))
	pairs[3] = "minor"
	code := codeOf(t, s.postForm("/notify", 200, pairs...).body)
	all, _, err := d.db.Intakes(context.Background(), "", "", 0)
	d.must(err)
	if n := all[0]; n.Notice.Notifier != (rempart.Notifier{}) || n.From != "" || !n.Notice.Minor || n.Priority != rempart.PriorityUrgent {
		t.Errorf("%+v", n)
	}
	a := s.postForm("/redress", 200, "code", code)
	a.want(t, "<details>")
	d.sit(rempart.RoleModerator).page("/console/").want(t, "le formulaire, sans nom")
}

// TestNotifyFlood: over everybody, so much in a row and then one after another;
// what was written stays.
func TestNotifyFlood(t *testing.T) {
	d := newDesk(t, false, true)
	s := d.sit("")
	for k := range formsAtOnce {
		if err := d.srv.forms.take(d.now); err != nil {
			t.Fatalf("%d: %v", k, err)
		}
	}
	a := s.postForm("/notify", http.StatusServiceUnavailable, noticeForm(strings.Repeat("C", 26))...)
	a.want(t, "Ada Exemple", "dans une minute", strings.Repeat("C", 26))
	d.now = d.now.Add(formsEvery)
	s.postForm("/notify", 200, noticeForm(strings.Repeat("C", 26))...)
}

// TestSameAddress folds notices about one address: seen together, decided
// together, each notifier told of its own.
func TestSameAddress(t *testing.T) {
	d := newDesk(t, false, true)
	s := d.sit("")
	var codes []string
	for k := range 3 {
		pairs := noticeForm(strings.Repeat(string(rune('A'+k)), 26))
		pairs[5] = bad
		codes = append(codes, codeOf(t, s.postForm("/notify", 200, pairs...).body))
	}
	all, _, err := d.db.Intakes(context.Background(), "", "", 0)
	d.must(err)
	m := d.sit(rempart.RoleModerator)
	at := "/console/notices/" + all[0].Number
	a := m.page(at)
	a.want(t, all[1].Number, all[2].Number, `name="also"`)
	wellFormed(t, at, a.body)
	m.changed(at+"/items/item-1", append(slices.Clone(decided), "also", "yes")...)
	read := ""
	for _, code := range codes {
		a := s.postForm("/redress", 200, "code", code)
		a.want(t, "Le montage montre")
		read += a.body
	}
	for _, i := range all {
		if !strings.Contains(read, i.Number+", reçue") {
			t.Errorf("nobody reads of %s", i.Number)
		}
	}
}
