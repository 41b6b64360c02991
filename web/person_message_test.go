package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart"
)

// TestMessages has the person and an analyst write to each other: from the page
// that a code opened, with a page that is too old, by program, and in the console.
func TestMessages(t *testing.T) {
	for _, lang := range langs {
		d := newDesk(t, true, false)
		sub, err := d.flow.Submit(context.Background(), rempart.Report{Lang: lang, Words: "Bonjour.", Addresses: []string{"https://forum.exemple.test/page/1"}}, "")
		d.must(err)
		d.work()
		c := d.only()
		person, analyst, reader := d.sit(""), d.sit(rempart.RoleAnalyst), d.sit(rempart.RoleReader)
		person.lang = lang
		say := page{Lang: lang, pages: d.srv.pages}

		page := person.post("/follow", "code", sub.Code.String())
		pass := hidden(t, page, "pass")
		asked := "Une <b>question</b> : <script>x</script> & https://forum.exemple.test/page/1"
		took := person.post("/follow/message", "pass", pass, "text", asked)
		if took.status != http.StatusOK {
			t.Fatalf("%s: %d\n%s", lang, took.status, mainOf(took.body))
		}
		took.want(t, "Une &lt;b&gt;question&lt;/b&gt;", say.T("message.sent"), say.T("message.you"))
		took.lacks(t, "<script>x", `href="https://forum`, sub.Code.String())
		wellFormed(t, "message "+lang, took.body)
		personPage(t, "message "+lang, took)
		person.post("/follow/message", "pass", pass, "text", asked) // a reload
		if c = d.reload(c); len(c.Messages) != 1 {
			t.Fatalf("%s: %d messages", lang, len(c.Messages))
		}

		empty := person.post("/follow/message", "pass", pass, "text", "  ")
		if empty.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: an empty message: %d", lang, empty.status)
		}
		empty.want(t, `id="e-text"`, say.T("err.message.empty"))
		wellFormed(t, "refused message "+lang, empty.body)

		// The console: the queue, the case, a preview, an answer.
		queue := analyst.get("/console/?message=1")
		queue.want(t, c.Ref)
		at := "/console/cases/" + c.Ref
		shown := analyst.get(at)
		shown.want(t, "Une &lt;b&gt;question&lt;/b&gt;", `id="talk-text"`)
		shown.lacks(t, `href="https://forum`)
		if a := reader.post(at+"/messages", "action", "send", "text", "Bonjour."); a.status != http.StatusForbidden {
			t.Errorf("a reader writes to the person: %d", a.status)
		}
		preview := analyst.post(at+"/messages", "action", "preview", "text", "Réponse <i>une</i>.")
		if preview.status != http.StatusOK || len(d.reload(c).Messages) != 1 {
			t.Errorf("a preview: %d, %d messages", preview.status, len(d.reload(c).Messages))
		}
		preview.want(t, `<p class="said" lang="`+lang+`">Réponse &lt;i&gt;une&lt;/i&gt;.`)
		wellFormed(t, "preview", preview.body)
		if a := analyst.post(at+"/messages", "action", "send", "text", "Réponse <i>une</i>."); a.status != http.StatusSeeOther {
			t.Errorf("an answer: %d\n%s", a.status, mainOf(a.body))
		}
		if queue := analyst.get("/console/?message=1"); strings.Contains(queue.body, c.Ref) {
			t.Error("answered, the case still waits in the queue")
		}
		d.now = d.now.Add(30 * time.Minute)
		again := person.post("/follow", "code", sub.Code.String())
		again.want(t, "Réponse &lt;i&gt;une&lt;/i&gt;.", say.T("message.team"))
		again.lacks(t, "Alias-")

		// A page left open too long asks for the code, and keeps the text.
		d.now = d.now.Add(2 * time.Hour)
		late := person.post("/follow/message", "pass", pass, "text", "Une seconde question.")
		late.want(t, "Une seconde question.</textarea>", say.T("err.message.pass"))
		wellFormed(t, "late message", late.body)
		personPage(t, "late message", late)
		if n := len(d.reload(c).Messages); n != 2 {
			t.Errorf("%d messages after an old page", n)
		}
		typo := person.post("/follow/message", "code", "0000-0000", "text", "Une seconde question.")
		typo.want(t, "Une seconde question.</textarea>", "0000-0000")
		if a := person.post("/follow/message", "code", sub.Code.String(), "text", "Une seconde question."); a.status != http.StatusOK {
			t.Errorf("with the code: %d", a.status)
		}
		for _, forged := range []string{"", "AAAA", pass[:len(pass)-4] + "AAAA", strings.Repeat("A", 4000)} {
			if a := person.post("/follow/message", "pass", forged, "text", "Faux."); a.status != http.StatusUnprocessableEntity {
				t.Errorf("the pass %.20q: %d", forged, a.status)
			}
		}
		analyst = d.sit(rempart.RoleAnalyst) // signed out meanwhile
		if a := analyst.post(at+"/messages", "action", "settle"); a.status != http.StatusSeeOther {
			t.Errorf("settled: %d", a.status)
		}

		// By program.
		body := `{"code":"` + sub.Code.String() + `","text":"Par programme."}`
		status, _, text := d.call("POST", "/api/v1/messages", "application/json", strings.NewReader(body))
		if status != http.StatusOK || !strings.Contains(text, `"from":"person"`) || !strings.Contains(text, `"from":"team"`) || !strings.Contains(text, "Par programme.") || strings.Contains(text, "Alias-") {
			t.Errorf("by program: %d %s", status, text)
		}
		if status, _, text := d.call("POST", "/api/v1/messages", "application/json", strings.NewReader(`{"code":"","text":"Rien."}`)); status != http.StatusUnprocessableEntity {
			t.Errorf("without a code: %d %s", status, text)
		}

		// An erased case opens for no pass.
		pass = hidden(t, person.post("/follow", "code", sub.Code.String()), "pass")
		if a := person.post("/withdraw", "code", sub.Code.String()); a.status != http.StatusOK {
			t.Fatalf("withdrawn: %d", a.status)
		}
		if a := person.post("/follow/message", "pass", pass, "text", "Encore."); a.status != http.StatusNotFound {
			t.Errorf("to an erased case: %d", a.status)
		}
	}
}
