package web

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/flow"
	"rempart/store"
)

// shownCode finds the code on the page, as a person reads it.
func shownCode(t *testing.T, a answer) string {
	t.Helper()
	m := regexp.MustCompile(`name="code" value="([0-9A-Z]{4}(?:-[0-9A-Z]{4}){3})"`).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("no code on the page:\n%s", mainOf(a.body))
	}
	for _, group := range strings.Split(m[1], "-") {
		if !strings.Contains(a.body, "<span>"+group+"</span>") {
			t.Errorf("the group %s is not shown", group)
		}
	}
	return m[1]
}

func hidden(t *testing.T, a answer, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("no hidden input %s:\n%s", name, mainOf(a.body))
	}
	return html.UnescapeString(m[1])
}

func mediumJSON(t *testing.T, prints []rempart.Fingerprint) string {
	t.Helper()
	b, err := json.Marshal(rempart.Medium{Fingerprints: prints})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestReportWay goes the whole way as a person without script: the form, the
// code, a slip in its last group, the receipt, the follow-up.
func TestReportWay(t *testing.T) {
	for _, lang := range langs {
		d := newDesk(t, true, false)
		s := d.sit("")
		s.lang = lang
		key := hidden(t, s.get("/report"), "key")
		send := func() answer {
			return s.post("/report", "key", key, "depicted", "self", "age", "adult", "made", "fake_sexual", "seen", "online_public",
				"threat", "money", "repeated", "1", "addresses", "https://forum.exemple.test/page/1\r\nailleurs.exemple.test/2\r\n",
				"words", "Bonjour.\r\nVoici <b>ce qui</b> se passe.", "media", mediumJSON(t, prints()))
		}
		a := send()
		if a.status != http.StatusOK {
			t.Fatalf("%s: POST /report: %d\n%s", lang, a.status, mainOf(a.body))
		}
		wellFormed(t, "code "+lang, a.body)
		personPage(t, "code "+lang, a)
		code := shownCode(t, a)
		if title, _, _ := strings.Cut(a.body, "</title>"); strings.Contains(title, code[:4]) {
			t.Error("the code is in the title")
		}
		if strings.Contains(a.body, `class="switch"`) {
			t.Error("the language switch would lose the code")
		}
		if again := shownCode(t, send()); again != code {
			t.Errorf("sent twice, the form gives %s after %s", again, code)
		}

		confirm := func(last string) answer {
			return s.post("/report/confirm", "code", code, "receipt", strings.ReplaceAll(hidden(t, a, "receipt"), "\n", "\r\n"), "flat", "2", "threat", "1", "last", last)
		}
		wrong := confirm("UUUU")
		if wrong.status != http.StatusUnprocessableEntity || shownCode(t, wrong) != code {
			t.Errorf("%s: a slip gives %d", lang, wrong.status)
		}
		wrong.want(t, `id="e-last"`)
		wellFormed(t, "slip "+lang, wrong.body)
		for _, last := range []string{code[15:], strings.ToLower(code[15:]), " " + code[15:17] + "-" + code[17:], code,
			strings.NewReplacer("0", "o", "1", "l").Replace(code[15:])} {
			done := confirm(last)
			if done.status != http.StatusOK {
				t.Errorf("%s: %q for %s: %d", lang, last, code, done.status)
			}
			if receipt := hidden(t, a, "receipt"); !strings.Contains(html.UnescapeString(done.body), receipt) || !strings.HasPrefix(receipt, "rempart receipt v1\n") {
				t.Errorf("%s: the receipt %q is not shown as it was signed", lang, receipt)
			}
			done.want(t, map[string]string{"fr": "2 images ont", "en": "2 pictures have"}[lang], `href="/follow"`)
			done.lacks(t, code)
			wellFormed(t, "receipt "+lang, done.body)
			personPage(t, "receipt "+lang, done)
		}

		d.work()
		f := s.post("/follow", "code", strings.ToLower(strings.ReplaceAll(code, "-", " ")))
		if f.status != http.StatusOK {
			t.Fatalf("%s: POST /follow: %d", lang, f.status)
		}
		f.want(t, "https://forum.exemple.test/page/1", "https://ailleurs.exemple.test/2")
		f.lacks(t, `href="https://forum`, code)
		wellFormed(t, "followed "+lang, f.body)
		personPage(t, "followed "+lang, f)

		saved := d.only()
		if want := "Bonjour.\nVoici <b>ce qui</b> se passe."; saved.Words != want {
			t.Errorf("words saved as %q, want %q", saved.Words, want)
		}
		if saved.Lang != lang || saved.Facts.Threat != rempart.ThreatMoney || !saved.Facts.Repetition.Yes() || len(saved.Items) != 3 {
			t.Errorf("saved: lang %s, threat %s, repeated %v, %d items", saved.Lang, saved.Facts.Threat, saved.Facts.Repetition, len(saved.Items))
		}
	}
}

// only returns the one case of the desk.
func (d *desk) only() *rempart.Case {
	d.t.Helper()
	rows, _, err := d.db.Queue(context.Background(), store.QueueFilter{States: []rempart.CaseState{rempart.CaseNew, rempart.CaseOpen, rempart.CaseActive}})
	d.must(err)
	if len(rows) != 1 {
		d.t.Fatalf("%d cases, want 1", len(rows))
	}
	c, err := d.db.CaseByRef(context.Background(), rows[0].Ref)
	d.must(err)
	return c
}

// TestMinorAddress checks that the follow-up of a minor's case names the site
// and not the page.
func TestMinorAddress(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit("")
	a := s.post("/report", "for", "minor", "age", "15_17", "depicted", "self", "addresses", "https://forum.exemple.test/secret/page", "media", mediumJSON(t, prints()))
	f := s.post("/follow", "code", shownCode(t, a))
	f.want(t, "forum.exemple.test")
	f.lacks(t, "secret/page", "tel:116006", "116 006", "116\u00a0006")
	if n := len(d.only().Items); n != 2 {
		t.Errorf("%d items, want the address and the fingerprints that came with it", n)
	}
}

// TestMinorForm checks that nothing on the path for under 18 asks for a file,
// and that the other form takes its picker away once that age is chosen.
func TestMinorForm(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit("")
	for _, lang := range langs {
		s.lang = lang
		a := s.get("/report?for=minor")
		a.lacks(t, `type="file"`, "data-rempart-picker", "report.js", `value="adult"`)
		a.want(t, `name="for" value="minor"`, d.srv.pages.sentences[lang]["report.minor_box.what"])
		m := s.get("/minor")
		m.lacks(t, `type="file"`)
		m.want(t, d.srv.pages.sentences[lang]["minor.never.what"], "tel:119", "tel:3018", `href="/report?for=minor"`)
		again := s.post("/report", "for", "minor", "media", mediumJSON(t, prints()), "addresses", "data:text/html,x")
		if again.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", lang, again.status)
		}
		again.lacks(t, `type="file"`)
		again.want(t, `name="for" value="minor"`, `name="media"`)
		wellFormed(t, "minor again "+lang, again.body)
	}
}

// TestReportKept sends what cannot be saved and checks that every value is in
// the form again, with a summary that leads to each field.
func TestReportKept(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit("")
	long := strings.Repeat("é", rempart.MaxWords+1)
	key := hidden(t, s.get("/report"), "key")
	a := s.post("/report", "key", key, "depicted", "child", "age", "unknown", "made", "real_sexual", "seen", "private", "threat", "images",
		"relation", "same_school", "repeated", "1", "several_authors", "1", "words", long,
		"addresses", "javascript:alert(1)\r\nhttps://exemple.test/\"quoted\"", "media", mediumJSON(t, prints()))
	if a.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d, want 422", a.status)
	}
	for _, v := range []string{"child", "unknown", "real_sexual", "private", "images", "same_school"} {
		if !strings.Contains(a.body, `value="`+v+`" checked`) {
			t.Errorf("%s is not chosen any more", v)
		}
	}
	a.want(t, `name="repeated" value="1" checked`, `name="several_authors" value="1" checked`, ">"+long+"</textarea>",
		"javascript:alert(1)\r\nhttps://exemple.test/&#34;quoted&#34;</textarea>", `href="#f-words"`, `href="#f-addresses"`,
		`aria-describedby="h-words e-words" aria-invalid="true"`, "10\u202f001", key, `<li data-state="ready">`)
	if got := hidden(t, a, "media"); got != mediumJSON(t, prints()) {
		t.Errorf("media %s", got)
	}
	wellFormed(t, "kept", a.body)
	personPage(t, "kept", a)

	empty := s.post("/report", "words", "  ")
	if empty.status != http.StatusUnprocessableEntity {
		t.Errorf("an empty report: %d", empty.status)
	}
	empty.want(t, `href="#f-addresses"`)
	odd := s.post("/report", "age", "<b>", "words", "x")
	odd.want(t, `href="#f-age"`, `id="e-age"`)
	odd.lacks(t, "<b>")
}

// TestReportAgain sends another report from a form that was used: it is kept,
// and has a new key.
func TestReportAgain(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit("")
	key := hidden(t, s.get("/report"), "key")
	first := shownCode(t, s.post("/report", "key", key, "words", "un"))
	a := s.post("/report", "key", key, "words", "deux")
	if a.status != http.StatusConflict {
		t.Fatalf("%d, want 409", a.status)
	}
	a.want(t, ">deux</textarea>", "second signalement")
	fresh := hidden(t, a, "key")
	if fresh == key {
		t.Fatal("the key is the same")
	}
	if second := shownCode(t, s.post("/report", "key", fresh, "words", "deux")); second == first {
		t.Error("the second report has the code of the first")
	}
}

// TestReadMedia checks what is taken from the hidden inputs.
func TestReadMedia(t *testing.T) {
	good := mediumJSON(t, prints())
	for _, c := range []struct {
		values []string
		n      int
		ok     bool
	}{
		{nil, 0, true},
		{[]string{good}, 1, true},
		{[]string{good, "{", good}, 2, false},
		{[]string{`{"fingerprints":[]}`}, 0, false},
		{[]string{`{"fingerprints":[{"type":"pdq","value":"00"}]}`}, 0, false},
		{[]string{`{"fingerprints":[{"type":"jpeg","value":"00"}]}`}, 0, false},
		{[]string{`{"fingerprints":[],"file":"x"}`}, 0, false},
		{[]string{good + good}, 0, false},
		{[]string{`[]`, `null`, `""`, `data:image/png;base64,xx`}, 0, false},
	} {
		media, ok := readMedia(c.values)
		if len(media) != c.n || ok != c.ok {
			t.Errorf("%.60q: %d media, %v; want %d, %v", c.values, len(media), ok, c.n, c.ok)
		}
	}
	media, _ := readMedia([]string{good})
	if diff := cmp.Diff([]rempart.Medium{{Fingerprints: prints()}}, media); diff != "" {
		t.Error(diff)
	}

	d := newDesk(t, true, false)
	a := d.sit("").post("/report", "words", "un", "media", "{", "media", good)
	if a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d, want 422", a.status)
	}
	a.want(t, `href="#f-media"`, `id="e-media"`)
	if n := strings.Count(a.body, `name="media"`); n != 1 {
		t.Errorf("%d media in the form again, want the one that arrived whole", n)
	}
}

// TestTooLarge sends more than a report holds.
func TestTooLarge(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit("")
	for _, to := range []string{"/report", "/report/confirm", "/follow"} {
		a := s.post(to, "words", strings.Repeat("x", maxForm))
		if a.status != http.StatusRequestEntityTooLarge {
			t.Errorf("POST %s: %d, want 413", to, a.status)
		}
		a.want(t, "10\u202f000")
		wellFormed(t, to, a.body)
	}
	most := "é€" + strings.Repeat("字", rempart.MaxWords-2)
	if a := s.post("/report", "words", most); a.status != http.StatusOK {
		t.Errorf("a report with as many words as it holds: %d", a.status)
	}
}

// TestFollowRefused checks each thing that can be wrong with a code.
func TestFollowRefused(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit("")
	other := rempart.NewCaseCode().String()
	for _, c := range []struct {
		typed, key string
		status     int
	}{
		{"UUUU-UUUU-UUUU-UUUU", "code.character", 422},
		{"7F3K", "code.length", 422},
		{"", "code.length", 422},
		{"0000-0000-0000-0001", "code.check", 422},
		{other, "code.unknown", 404},
	} {
		a := s.post("/follow", "code", c.typed)
		if a.status != c.status {
			t.Errorf("%q: %d, want %d", c.typed, a.status, c.status)
		}
		a.want(t, html.EscapeString(d.srv.pages.sentences["fr"]["err."+c.key]), `value="`+c.typed+`"`, `aria-invalid="true"`)
		wellFormed(t, c.key, a.body)
	}
	if a := s.get("/follow?code=" + url.QueryEscape(other)); strings.Contains(a.body, other) {
		t.Error("a code in the address is shown")
	}
}

// TestConfirmForged sends the second step without the first.
func TestConfirmForged(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit("")
	if a := s.post("/report/confirm", "code", "<script>", "last", "AAAA"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d, want 422", a.status)
	}
	code := rempart.NewCaseCode()
	a := s.post("/report/confirm", "code", string(code), "last", code.LastGroup(), "receipt", "<b>forged</b>", "flat", "-99999999999999999999")
	a.want(t, "&lt;b&gt;forged")
	if a := s.get("/report/confirm"); a.status != http.StatusNotFound && a.status != http.StatusMethodNotAllowed {
		t.Errorf("GET /report/confirm: %d", a.status)
	}
}

// TestItemSentences checks that every state of an item is told in full, in both
// languages, with and without the name of a service.
func TestItemSentences(t *testing.T) {
	d := newDesk(t, true, false)
	states := rempart.ItemStates()
	if len(states) < 13 {
		t.Fatalf("%d states", len(states))
	}
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, lang := range langs {
		p := page{Lang: lang, pages: d.srv.pages}
		told := map[string]rempart.ItemState{}
		for _, st := range states {
			if itemTones[st] == "" {
				t.Errorf("%s has no tone", st)
			}
			for _, service := range []string{"", "Forum Exemple"} {
				kind := rempart.ItemAddress
				switch st {
				case rempart.ItemFiled, rempart.ItemUnlisted, rempart.ItemProtected, rempart.ItemWithdrawn:
					kind = rempart.ItemMedium
				}
				v := newFollowedItem(p, flow.FollowItem{Number: 1, Kind: kind, State: st, Since: at, Service: service, Address: "https://forum.exemple.test/1", Stops: 2, LastStop: at}, false)
				if v.State == "" || v.Next == "" || strings.Contains(v.Sentence+v.Stops+v.LastStop, "%!") || !strings.HasSuffix(v.Sentence, ".") {
					t.Errorf("%s in %s: %+v", st, lang, v)
				}
				if service == "" {
					if other, twice := told[v.Sentence]; twice {
						t.Errorf("%s and %s are told alike: %s", st, other, v.Sentence)
					}
					told[v.Sentence] = st
				}
				if kind == rempart.ItemMedium && (v.Where != "" || v.Stops == "" || v.LastStop == "") {
					t.Errorf("%s: %+v", st, v)
				}
			}
		}
		for _, st := range []rempart.CaseState{rempart.CaseNew, rempart.CaseOpen, rempart.CaseActive, rempart.CaseClosed} {
			if s := d.srv.nextSentence(lang, &flow.Follow{State: st}); strings.HasPrefix(s, "follow.") {
				t.Errorf("%s: no sentence", st)
			}
		}
	}
	en := page{Lang: "en", pages: d.srv.pages}
	v := newFollowedItem(en, flow.FollowItem{Number: 2, Kind: rempart.ItemAddress, State: rempart.ItemRemoved, Since: at, Service: "Forum Exemple", Address: "https://forum.exemple.test/1"}, true)
	want := followedItem{Title: "Address 2", Where: "Page on forum.exemple.test (the whole address is not shown)", Tone: "success", State: "Removed, says the platform",
		Sentence: "On 22\u00a0November\u00a02026, Forum Exemple told us that it has removed this page.", Next: "if the page appears again, you can give its address below."}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Error(diff)
	}
}

// TestAnswers checks that the form offers exactly the answers that a report
// takes.
func TestAnswers(t *testing.T) {
	for _, q := range questions {
		for _, a := range q.answers {
			r := rempart.Report{Words: "x"}
			switch q.name {
			case "depicted":
				r.Depicted = rempart.Depicted(a)
			case "age":
				r.Age = rempart.Age(a)
			case "made":
				r.Made = rempart.Made(a)
			case "seen":
				r.Seen = rempart.Seen(a)
			case "threat":
				r.Threat = rempart.Threat(a)
			case "relation":
				r.Relation = rempart.Relation(a)
			default:
				t.Fatalf("unknown question %s", q.name)
			}
			if _, err := r.Normal(time.Now()); err != nil {
				t.Errorf("%s=%s: %v", q.name, a, err)
			}
		}
	}
}

// TestYoungReport holds what nobody under 18 is asked: a picture, or to go back
// for an address.
func TestYoungReport(t *testing.T) {
	d := newDesk(t, true, false)
	for i, form := range []url.Values{{"for": {"minor"}}, {"age": {"15_17"}}} {
		form.Set("key", strings.Repeat(string(rune('a'+i)), 26))
		post := func() (int, string) {
			resp, err := http.PostForm(d.url+"/report", form)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode, string(b)
		}
		if code, body := post(); code != http.StatusUnprocessableEntity || !strings.Contains(body, "donnez une adresse ou quelques mots") || strings.Contains(body, "donnez une adresse, une image") {
			t.Errorf("%v: %d, without the sentence for someone under 18", form, code)
		}
		form.Set("addresses", "insta @leo_2010\nhttps://galerie.exemple.test/1")
		if code, _ := post(); code != http.StatusOK {
			t.Errorf("%v: a line that is no address is refused: %d", form, code)
		}
	}
	rows, _, err := d.db.Queue(t.Context(), store.QueueFilter{})
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d cases, %v", len(rows), err)
	}
	c, err := d.db.Case(t.Context(), rows[0].ID)
	if err != nil || len(c.Items) != 1 || !strings.Contains(c.Words, "@leo_2010") {
		t.Errorf("%v, %d items, words %q", err, len(c.Items), c.Words)
	}
}
