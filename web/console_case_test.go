package web

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
)

func TestQueue(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit(rempart.RoleAnalyst)
	s.page("/console/").want(t, "Aucun dossier ici.", "0 dossier en cours")
	c := d.open(rempart.AgeSaidAdult)
	for _, lang := range langs {
		s.lang = lang
		a := s.page("/console/")
		a.want(t, `href="/console/cases/`+c.Ref+`"`, "226-8-1", "<span>forum.</span><wbr><span>exemple.</span><wbr><span>test</span>")
		if n := strings.Count(a.body, "/console/cases/"+c.Ref); n != 1 {
			t.Errorf("the row has %d links, want 1", n)
		}
		s.page("/console/?state=closed").lacks(t, c.Ref)
	}
	s.lang = "fr"
	s.page("/console/?state=open").want(t, c.Ref)
	if a := s.get("/console/?after=ailleurs"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a cursor that is not ours: %d, want 422", a.status)
	}
}

func TestQueuePages(t *testing.T) {
	d := newDesk(t, true, false)
	for range 53 {
		d.open(rempart.AgeSaidAdult)
	}
	s := d.sit(rempart.RoleAnalyst)
	refs := map[string]bool{}
	link := regexp.MustCompile(`/console/cases/([0-9A-Z-]+)"`)
	first := s.page("/console/?lang=en")
	next := regexp.MustCompile(`href="(/console/\?after=[^"]+)"`).FindStringSubmatch(first.body)
	if next == nil {
		t.Fatalf("no next page:\n%s", mainOf(first.body))
	}
	second := s.page(strings.ReplaceAll(next[1], "&amp;", "&"))
	second.want(t, "Back to the start")
	for _, a := range []answer{first, second} {
		for _, m := range regexp.MustCompile(`/console/cases/([0-9A-Z-]+)\?lang=en"`).FindAllStringSubmatch(a.body, -1) {
			refs[m[1]] = true
		}
	}
	if len(refs) != 53 {
		t.Errorf("two pages show %d cases, want 53 (links %v)", len(refs), link)
	}
}

// TestCaseWork goes through the three steps of a case by its forms.
func TestCaseWork(t *testing.T) {
	for _, lang := range langs {
		t.Run(lang, func(t *testing.T) {
			d := newDesk(t, true, false)
			c := d.open(rempart.AgeSaidAdult)
			s := d.sit(rempart.RoleAnalyst)
			s.lang = lang
			at := "/console/cases/" + c.Ref
			a := s.page(at)
			a.want(t, "https://forum.exemple.test/page/1", "&lt;b&gt;voici&lt;/b&gt;", "5a5a33cc…5a5a33cc", c.Quals[0].Source)
			a.lacks(t, `href="https://forum`, "<b>voici</b>")

			q := c.Quals[0].ID
			s.changed(at+"/qualifications/"+q, "action", "confirm")
			if got := d.reload(c).Quals[0]; got.State != rempart.QualificationConfirmed || got.By != "Alias-analyst" {
				t.Errorf("qualification is %s by %s", got.State, got.By)
			}

			medium := c.Items[len(c.Items)-1].ID
			s.changed(at+"/items/"+medium, "action", "confirm")
			if got := d.reload(c).Item(medium); got.State != rempart.ItemProtected {
				t.Errorf("picture is %s", got.State)
			}

			s.changed(at+"/items/"+c.Items[2].ID, "action", "drop", "reason", "hors du registre")
			a = s.changed(at+"/notices", "service", forum, "item", c.Items[0].ID, "item", c.Items[1].ID)
			a.want(t, "(a)", "(b)", "(c)", "(d)", "16(2)(d)", "Association Exemple", "226-8-1")
			a.lacks(t, `href="https://forum`)
			n := d.reload(c).Notices[0]
			notice := at + "/notices/" + n.ID

			a = s.post(notice, "action", "send", "explanation", "trop court")
			if a.status != http.StatusUnprocessableEntity {
				t.Fatalf("an incomplete notice: %d, want 422", a.status)
			}
			sober(t, notice, a.body)
			a.want(t, "trop court", "16(2)(a)", "16(2)(d)", `id="explanation-error"`)
			if got := d.reload(c).Notices[0]; got.State != rempart.NoticeDraft || got.Explanation != n.Explanation {
				t.Error("a refused form changed the notice")
			}

			text := "Ces pages montrent une personne reconnaissable sans son accord.\r\nNous demandons leur retrait."
			s.changed(notice, "action", "save", "explanation", text)
			if got := d.reload(c).Notices[0]; got.GoodFaith || got.Explanation != strings.ReplaceAll(text, "\r\n", "\n") {
				t.Errorf("saved: %v %q", got.GoodFaith, got.Explanation)
			}
			s.changed(notice, "action", "send", "explanation", text, "good_faith", "yes")
			if got := d.reload(c); got.Notices[0].State != rempart.NoticeQueued || !got.Notices[0].GoodFaith || got.Items[0].State != rempart.ItemQueued {
				t.Errorf("notice is %s, item %s", got.Notices[0].State, got.Items[0].State)
			}
			if a := s.post(notice, "action", "save", "explanation", text); a.status != http.StatusConflict {
				t.Errorf("editing what was sent: %d, want 409", a.status)
			}

			d.work() // the forum has no address: the delivery is given to a human
			a = s.page(notice)
			a.want(t, "the channel to this service is closed", `value="send"`)
			if got := d.reload(c).Notices[0].State; got != rempart.NoticeFailed {
				t.Errorf("notice is %s, want failed", got)
			}
			s.page("/console/").want(t, `class="pill danger"`)
			s.changed(notice, "action", "send")
			s.page(at)
		})
	}
}

// receipt has the forum take the notice of a case and decide on it.
func (d *desk) decided(c *rempart.Case, n string, m rempart.Measure) {
	d.t.Helper()
	decisions := map[string]rempart.Decision{}
	for _, i := range c.Notice(n).Items {
		decisions[i.ID] = rempart.Decision{Measure: m, Ground: "law", Reference: "Code pénal, art. 226-8-1", Facts: "Contenu consulté le jour même.",
			Explanation: "Le contenu correspond à la notification.", Redress: []string{"complaint", "court"}, Scope: "ailleurs", At: d.now}
	}
	d.must(d.db.UpdateCase(context.Background(), c.ID, "", func(c *rempart.Case) error {
		if err := c.NoticeAccepted(n, "N-1234-5678", rempart.Attempt{At: d.now, Status: 202, Answer: "reçu"}, d.now); err != nil {
			return err
		}
		return c.NoticeDecided(n, "N-1234-5678", forum, decisions, d.now)
	}))
}

func TestCaseAnswered(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + c.Ref
	s.changed(at+"/qualifications/"+c.Quals[0].ID, "action", "confirm")
	s.changed(at+"/items/"+c.Items[3].ID, "action", "confirm")
	s.changed(at+"/notices", "service", forum, "item", c.Items[0].ID)
	n := d.reload(c).Notices[0].ID
	s.changed(at+"/notices/"+n, "action", "send", "good_faith", "yes")
	d.decided(d.reload(c), n, rempart.MeasureRemoved)
	d.must(d.db.UpdateCase(context.Background(), c.ID, "", func(c *rempart.Case) error { return c.Stopped(c.Items[3].ID, forum, 12, d.now) }))
	for _, lang := range langs {
		s.lang = lang
		s.page(at).want(t, "N-1234-5678", "Forum Exemple")
		s.page(at+"/notices/"+n).want(t, "N-1234-5678", "HTTP", "202", "Le contenu correspond à la notification.", "ailleurs")
	}
	s.lang = "fr"
	s.page(at).want(t, "arrêtée 1 fois", "Copie arrêtée à l’envoi : Image 1, distance 12 sur 256.", "retiré selon la plateforme")

	a := s.post(at+"/state", "action", "close", "reason", "réglé")
	if a.status != http.StatusConflict {
		t.Fatalf("closing an unsettled case: %d, want 409", a.status)
	}
	sober(t, at, a.body)
	a.want(t, "attend encore", "réglé")
	s.changed(at+"/items/"+c.Items[1].ID, "action", "drop", "reason", "déjà hors ligne")
	s.changed(at+"/items/"+c.Items[2].ID, "action", "drop", "reason", "déjà hors ligne")
	s.changed(at+"/state", "action", "close", "reason", "tout est réglé").want(t, "Dossier clos.", "tout est réglé", `value="reopen"`)
	s.changed(at+"/state", "action", "reopen").want(t, "Dossier rouvert.")
}

func TestReasonsAreAskedFor(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + c.Ref
	for path, sentence := range map[string]string{
		"/qualifications/" + c.Quals[0].ID + "?action=reject": "pourquoi cette qualification ne s’applique pas",
		"/items/" + c.Items[3].ID + "?action=reject":          "pourquoi cette empreinte ne doit pas entrer",
		"/items/" + c.Items[0].ID + "?action=drop":            "pourquoi rien n’est fait",
		"/state?action=close":                                 "pourquoi le dossier est clos",
	} {
		path, action, _ := strings.Cut(path, "?action=")
		a := s.post(at+path, "action", action)
		if a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s %s without a reason: %d, want 422", path, action, a.status)
		}
		a.want(t, sentence, "<details open>")
	}
	if got := d.reload(c); got.Version != c.Version {
		t.Error("a form without a reason changed the case")
	}
	s.changed(at+"/qualifications/"+c.Quals[0].ID, "action", "reject", "reason", "la personne n’est pas reconnaissable").want(t, "la personne n’est pas reconnaissable")
	for _, path := range []string{"/qualifications/" + c.Quals[0].ID, "/items/" + c.Items[0].ID, "/state"} {
		if a := s.post(at+path, "action", "effacer"); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s with an unknown action: %d, want 422", path, a.status)
		}
	}
	for _, path := range []string{"/console/cases/0000-0000", at + "/notices/inconnu"} {
		if a := s.get(path); a.status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, a.status)
		}
	}
}

// TestConflict sends the form of a page that is no longer true.
func TestConflict(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + c.Ref
	item := c.Items[3].ID
	s.changed(at+"/qualifications/"+c.Quals[0].ID, "action", "confirm")
	s.changed(at+"/items/"+item, "action", "reject", "reason", "image sans rapport")
	a := s.post(at+"/items/"+item, "action", "confirm")
	if a.status != http.StatusConflict {
		t.Fatalf("confirming what was rejected: %d, want 409", a.status)
	}
	sober(t, at, a.body)
	a.want(t, "L’état de cet élément ne permet pas cette action", c.Ref)
}

func TestMinor(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaid15To17)
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + c.Ref
	closed := regexp.MustCompile(`(?s)<details>.*?</details>`)
	hidden := func(path string, a answer) {
		t.Helper()
		rest := closed.ReplaceAllString(a.body, "")
		rest = regexp.MustCompile(`(?s)<pre class="words".*?</pre>`).ReplaceAllString(rest, "") // her own words
		if strings.Contains(rest, "exemple.test/page") || strings.Contains(rest, "ailleurs.exemple.test/3") {
			t.Errorf("%s shows an address of a minor's case openly:\n%s", path, rest)
		}
		if !strings.Contains(a.body, "Afficher l’adresse") {
			t.Errorf("%s does not offer to show the address", path)
		}
	}
	hidden(at, s.page(at))
	for _, q := range c.Quals {
		s.changed(at+"/qualifications/"+q.ID, "action", "confirm")
	}
	a := s.changed(at+"/notices", "service", forum, "item", c.Items[0].ID)
	notice := at + "/notices/" + d.reload(c).Notices[0].ID
	hidden(notice, a)
	a.want(t, "Identité non demandée pour ce contenu")
	a = s.changed(notice, "action", "send", "good_faith", "yes")
	hidden(notice, a)
	hidden(at, s.page(at))
}

// TestViews checks that looking at a case is written down each time, and is one
// line of the history.
func TestViews(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	s := d.sit(rempart.RoleAnalyst)
	count := func() (n int) {
		events, err := d.db.Events(context.Background(), c.ID)
		d.must(err)
		for _, e := range events {
			if e.Kind == "case.viewed" && e.Actor == "Alias-analyst" {
				n++
			}
		}
		return n
	}
	at := "/console/cases/" + c.Ref
	s.page(at)
	s.page(at)
	if n := count(); n != 2 {
		t.Errorf("two looks are %d events", n)
	}
	for range 2 {
		d.now = d.now.Add(61 * time.Minute)
		s = d.sit(rempart.RoleAnalyst)
		s.page(at)
	}
	if n := count(); n != 4 {
		t.Errorf("four looks are %d events", n)
	}
	a := s.page(at)
	a.want(t, "Dossier consulté. (5\u00a0fois)")
	if n := strings.Count(a.body, "Dossier consulté."); n != 1 {
		t.Errorf("the history has %d lines for them, want 1", n)
	}
}

// TestEventSentences holds the sentences of the history against the kinds of
// event that the root package writes.
func TestEventSentences(t *testing.T) {
	files, err := filepath.Glob("../*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources of package rempart: %v", err)
	}
	kinds := map[string]bool{"notifier.warn": true, "notifier.suspend": true, "notifier.lift": true, "case.viewed": true, "case.skipped": true, "intake.viewed": true, "intake.told": true,
		flow.StatementSent: true, flow.StatementWithheld: true, flow.StatementDryRun: true, flow.StatementsLate: true}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\.(?:event|clockEvent)\("([^"]+)"`).FindAllSubmatch(b, -1) {
			kinds[string(m[1])] = true
		}
	}
	if len(kinds) < 20 {
		t.Fatalf("%d kinds found; the sources are not read right", len(kinds))
	}
	c, err := loadCatalogues(embedded)
	if err != nil {
		t.Fatal(err)
	}
	for kind := range kinds {
		words, ok := eventWords[kind]
		if !ok {
			t.Errorf("eventWords lacks %s", kind)
		}
		for _, lang := range langs {
			if got := strings.Count(c[lang]["event."+kind], "%"); c[lang]["event."+kind] == "" || got != len(words) {
				t.Errorf("%s: event.%s takes %d words, want %d", lang, kind, got, len(words))
			}
		}
	}
	for kind := range eventWords {
		if !kinds[kind] {
			t.Errorf("eventWords has %s, which nothing writes", kind)
		}
	}
}

// TestWordsOfStates holds the catalogues against every state, fact and choice
// that a page of the console can name.
func TestWordsOfStates(t *testing.T) {
	var keys []string
	for name, values := range rempart.FactValues {
		keys = append(keys, "fact."+name)
		for _, v := range values {
			keys = append(keys, "fact."+name+"."+v)
		}
	}
	for _, s := range rempart.ItemStates() {
		keys = append(keys, "pill.item."+string(s))
	}
	for _, s := range append([]rempart.CaseState{rempart.CaseClosed}, live...) {
		keys = append(keys, "pill.case."+string(s), "queue.tab."+string(s))
	}
	for _, s := range []rempart.NoticeState{rempart.NoticeDraft, rempart.NoticeQueued, rempart.NoticeFailed, rempart.NoticeSent, rempart.NoticeAcknowledged, rempart.NoticeDecided, rempart.NoticeCancelled} {
		keys = append(keys, "pill.notice."+string(s), "notice.state."+string(s))
	}
	for _, p := range []string{"1", "2", "3", "4"} {
		keys = append(keys, "pill.priority."+p)
	}
	for _, code := range flashes {
		keys = append(keys, "ok."+code)
	}
	for _, m := range measures {
		keys = append(keys, "measure."+string(m), "pill.item."+string(m))
	}
	for _, x := range grounds {
		keys = append(keys, "ground."+x)
	}
	for _, x := range scopes {
		keys = append(keys, "scope."+x)
	}
	for _, x := range redress {
		keys = append(keys, "redress."+x)
	}
	for _, x := range restrictionGroups {
		keys = append(keys, "restrictions."+x.Name)
	}
	for _, x := range rempart.Restrictions {
		keys = append(keys, "restriction."+string(x))
	}
	for _, x := range rempart.ContentTypes {
		keys = append(keys, "content."+x)
	}
	for _, x := range rempart.AllMeans {
		keys = append(keys, "means."+string(x))
	}
	for _, x := range []string{"waiting", "sent", "withheld", "dry_run"} {
		keys = append(keys, "statement."+x)
	}
	for _, m := range measures {
		for _, x := range grounds {
			keys = append(keys, "decision.written."+string(m)+"."+x, "decision.written."+string(m)+"."+x+".named")
		}
	}
	c, err := loadCatalogues(embedded)
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range langs {
		for _, key := range keys {
			if c[lang][key] == "" {
				t.Errorf("%s lacks %s", lang, key)
			}
		}
	}
}

// TestConsoleKeys checks that each sentence the console's sources ask for is in
// both languages.
func TestConsoleKeys(t *testing.T) {
	c, err := loadCatalogues(embedded)
	if err != nil {
		t.Fatal(err)
	}
	asked := regexp.MustCompile(`\.(T|N) "([a-z][a-z0-9_.]*)"|\.(T|N)\("([a-z][a-z0-9_.]*)"[,)]`)
	n := 0
	for _, glob := range []string{"templates/console/*.html", "templates/platform/*.html", "console*.go", "platform*.go", "session.go"} {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files (%v)", glob, err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range asked.FindAllStringSubmatch(string(b), -1) {
				key, forms := m[2]+m[4], []string{""}
				if m[1]+m[3] == "N" {
					forms = []string{".one", ".other"}
				}
				for _, form := range forms {
					n++
					for _, lang := range langs {
						if c[lang][key+form] == "" {
							t.Errorf("%s asks for %s%s, which %s lacks", f, key, form, lang)
						}
					}
				}
			}
		}
	}
	if n < 150 {
		t.Errorf("only %d sentences found", n)
	}
}

func TestAdmin(t *testing.T) {
	d := newDesk(t, true, false)
	d.open(rempart.AgeSaidAdult)
	_, err := d.db.Seal(context.Background())
	d.must(err)
	s := d.sit(rempart.RoleAdmin)
	if a := s.get("/console/"); a.status != http.StatusSeeOther || a.head.Get("Location") != "/console/admin" {
		t.Errorf("the administrator's first page: %d %q", a.status, a.head.Get("Location"))
	}
	note, _, err := d.db.Checkpoint(context.Background())
	d.must(err)
	root := readCheckpoint(note).Root
	if len(root) != 44 {
		t.Fatalf("root %q of checkpoint %q", root, note)
	}
	for _, lang := range langs {
		s.lang = lang
		a := s.page("/console/admin")
		a.want(t, "Forum Exemple", "forum.exemple.test", "Alias-moderator", `href="/console/admin/staff"`, "rempart admin peer add", "rempart admin service add", "rempart verify", strings.ReplaceAll(root, "+", "&#43;"))
		a.lacks(t, "key-of-the-forum")
	}
}

// TestGiveUp holds that a platform's silence is no dead end: an analyst can stop
// waiting, with a reason.
func TestGiveUp(t *testing.T) {
	d := newDesk(t, true, false)
	c := d.open(rempart.AgeSaidAdult)
	s := d.sit(rempart.RoleAnalyst)
	at := "/console/cases/" + c.Ref
	s.changed(at+"/qualifications/"+c.Quals[0].ID, "action", "confirm")
	item := c.Items[0].ID
	id, err := d.flow.Draft(t.Context(), c.ID, forum, []string{item}, "Saule")
	d.must(err)
	d.must(d.db.UpdateCase(t.Context(), c.ID, "", func(c *rempart.Case) error {
		if err := c.EditNotice(id, c.Notice(id).Explanation, true, "Saule", d.now); err != nil {
			return err
		}
		if err := c.SendNotice(id, "Saule", d.now); err != nil {
			return err
		}
		return c.NoticeAccepted(id, "N-1234-5678", rempart.Attempt{At: d.now, Status: 202, Answer: "reçu"}, d.now)
	}))
	s.get(at).want(t, d.srv.pages.sentences["fr"]["item.giveup.do"])
	s.changed(at+"/items/"+item, "action", "drop", "reason", "La plateforme ne répond pas.")
	if i := d.reload(c).Item(item); i.State != rempart.ItemDropped || i.Reason == "" {
		t.Errorf("%s, reason %q", i.State, i.Reason)
	}
}
