package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart"
)

// TestAddressAdded has the person of a case, then an analyst, add addresses to
// it: from the page that a code opened, with one that is too old, and in the
// console, where a reader may not.
func TestAddressAdded(t *testing.T) {
	for _, lang := range langs {
		d := newDesk(t, true, false)
		sub, err := d.flow.Submit(context.Background(), rempart.Report{Lang: lang, Words: "Bonjour."}, "")
		d.must(err)
		d.work()
		c := d.only()
		at := "/console/cases/" + c.Ref
		person, analyst := d.sit(""), d.sit(rempart.RoleAnalyst)
		person.lang, analyst.lang = lang, lang
		say := page{Lang: lang, pages: d.srv.pages}
		if a := analyst.post(at+"/state", "action", "close", "reason", "Rien à faire."); a.status != http.StatusSeeOther {
			t.Fatalf("%s: closed: %d", lang, a.status)
		}

		shown := person.post("/follow", "code", sub.Code.String())
		shown.want(t, say.T("elsewhere.title"), `action="/follow/address`)
		pass := hidden(t, shown, "pass")
		took := person.post("/follow/address", "pass", pass, "address", " Forum.exemple.test/page/9 ")
		if took.status != http.StatusOK {
			t.Fatalf("%s: %d\n%s", lang, took.status, mainOf(took.body))
		}
		took.want(t, say.T("elsewhere.added"), "https://forum.exemple.test/page/9")
		took.lacks(t, `href="https://forum`, sub.Code.String())
		wellFormed(t, "added "+lang, took.body)
		personPage(t, "added "+lang, took)
		if c = d.reload(c); c.State != rempart.CaseActive || len(c.Items) != 1 || c.Items[0].Since.Minute() != 0 {
			t.Fatalf("%s: case %s, %d items", lang, c.State, len(c.Items))
		}
		twice := person.post("/follow/address", "pass", pass, "address", "https://forum.exemple.test/page/9")
		if twice.status != http.StatusConflict || len(d.reload(c).Items) != 1 {
			t.Errorf("%s: twice: %d", lang, twice.status)
		}
		twice.want(t, `id="e-address"`, say.T("err.address.known"))
		odd := person.post("/follow/address", "pass", pass, "address", `data:image/png;base64,"><script>x`)
		if odd.status != http.StatusUnprocessableEntity || len(d.reload(c).Items) != 1 {
			t.Errorf("%s: no address: %d", lang, odd.status)
		}
		odd.want(t, `id="e-address"`)
		odd.lacks(t, "<script>x")
		wellFormed(t, "refused "+lang, odd.body)

		d.now = d.now.Add(2 * time.Hour)
		late := person.post("/follow/address", "pass", pass, "address", "https://ailleurs.exemple.test/3")
		late.want(t, say.T("err.address.pass"), `value="https://ailleurs.exemple.test/3"`, `action="/follow/address`)
		wellFormed(t, "late "+lang, late.body)
		personPage(t, "late "+lang, late)
		for _, forged := range []string{"", "AAAA", pass[:len(pass)-4] + "AAAA", strings.Repeat("A", 4000)} {
			if a := person.post("/follow/address", "pass", forged, "address", "https://ailleurs.exemple.test/3"); a.status != http.StatusUnprocessableEntity {
				t.Errorf("the pass %.20q: %d", forged, a.status)
			}
		}
		person.post("/follow/address", "code", "0000-0000", "address", "https://ailleurs.exemple.test/3").want(t, "0000-0000", "https://ailleurs.exemple.test/3")
		if n := len(d.reload(c).Items); n != 1 {
			t.Fatalf("%s: %d items by pages that open nothing", lang, n)
		}
		if a := person.post("/follow/address", "code", sub.Code.String(), "address", "https://ailleurs.exemple.test/3"); a.status != http.StatusOK || len(d.reload(c).Items) != 2 {
			t.Errorf("%s: with the code: %d", lang, a.status)
		}

		analyst = d.sit(rempart.RoleAnalyst) // signed out meanwhile
		reader := d.sit(rempart.RoleReader)
		analyst.lang = lang
		reader.get(at).lacks(t, at+"/addresses")
		if a := reader.post(at+"/addresses", "address", "https://ailleurs.exemple.test/4"); a.status != http.StatusForbidden || len(d.reload(c).Items) != 2 {
			t.Errorf("%s: a reader adds an address: %d", lang, a.status)
		}
		analyst.get(at).want(t, at+"/addresses", say.T("readd.open"))
		if a := analyst.post(at+"/addresses", "address", "ailleurs.exemple.test/4"); a.status != http.StatusSeeOther || len(d.reload(c).Items) != 3 {
			t.Errorf("%s: an analyst adds an address: %d\n%s", lang, a.status, mainOf(a.body))
		}
		back := analyst.post(at+"/addresses", "address", "pas une adresse")
		if back.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: no address: %d", lang, back.status)
		}
		back.want(t, `value="pas une adresse"`)
		wellFormed(t, "console "+lang, back.body)
	}
}
