package e2e

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rempart/internal/browsertest"
	"rempart/pdq"
)

// A tour visits every page there is, on a demo in which each has something to
// show.
type tour struct {
	tab
	*demo
	born time.Time // of the browser
	dir  string    // pictures to choose

	analyst, admin, lead, moderator *staff // the moderator is the one of the platform that is silent

	adult, minor, fresh, waiting reported // four cases
	joined                       reported // one that was merged into fresh
	sent, draft                  string   // paths of two notices
	number, decided, minorNumber string   // of notices received: one that waits, one decided, one of a minor
}

// A stopover is one page of the tour, or one state of it.
type stopover struct {
	name string
	as   string // who is signed in: "", "analyst", "lead", "admin", "moderator"
	open func(v *tour, lang string)
	main string // what one comes for: a keyboard must reach it
	code int    // not 0: the status that the page must have, instead of 200
}

// newTour starts a demo and prepares the cases that the pages show.
func newTour(t *testing.T) *tour {
	d := startDemo(t)
	v := &tour{demo: d, dir: t.TempDir(), analyst: signIn(t, d.AnalystLogin), admin: signIn(t, d.AdminLogin), lead: signIn(t, d.LeadLogin), moderator: signIn(t, d.Platforms[miroir].Login)}
	v.t = t
	galerieModerator := signIn(t, d.Platforms[galerie].Login)
	print := func(kind int) map[string]any {
		r := pdq.FromImage(scene(320, 240, kind))
		return map[string]any{"fingerprints": []map[string]any{{"type": "pdq", "value": r.Hash.String(), "quality": r.Quality}}}
	}
	grey := map[string]any{"fingerprints": []map[string]any{{"type": "pdq", "value": strings.Repeat("0", 64), "quality": 0}}}
	adult := map[string]any{"depicted": "self", "age": "adult", "made": "fake_sexual", "seen": "online_public", "relation": "partner",
		"words": "Une amie m’a prévenue hier. Je n’ai jamais posé pour cette image.", "media": []any{print(4), grey},
		"addresses": []string{"https://galerie.exemple.test/photo/5150", "https://galerie.exemple.test/album/7/photo/5150-une-adresse-longue-comme-il-y-en-a-souvent?taille=grande", "https://galerie.exemple.test/photo/5151"}}
	v.adult = report(t, d.Hub, adult, "")
	var number string
	v.sent, number = v.analyst.notify(v.adult.ref, "galerie")
	galerieModerator.decide(number, "removed", "refused")
	followUntil(t, d.Hub, v.adult.code, "decided", func(f followed) bool { return f.has("removed", "refused") })

	v.minor = report(t, d.Hub, map[string]any{"depicted": "self", "age": "15_17", "made": "fake_sexual", "seen": "online_public", "relation": "same_school",
		"words": "L’adresse circule dans la classe.", "addresses": []string{"https://miroir.exemple.test/p/lycee"}}, "")
	_, v.minorNumber = v.analyst.notify(v.minor.ref, "miroir")

	adult["addresses"], adult["media"] = []string{"https://galerie.exemple.test/photo/6001"}, []any{print(5)}
	v.fresh = report(t, d.Hub, adult, "")
	v.draft = v.analyst.draft(v.fresh.ref, "galerie")
	adult["addresses"], adult["media"] = []string{"https://annonces.exemple.test/offre/12", "https://miroir.exemple.test/p/12"}, []any{print(6)}
	v.waiting = report(t, d.Hub, adult, "")
	adult["addresses"], adult["media"] = []string{"https://galerie.exemple.test/photo/6001", "https://annonces.exemple.test/offre/14"}, []any{print(8)}
	v.joined = report(t, d.Hub, adult, "")
	v.analyst.until("/console/cases/"+v.joined.ref, `(/qualifications/)`)
	v.analyst.post("/console/cases/"+v.joined.ref+"/merge", url.Values{"action": {"merge"}, "into": {v.fresh.ref}, "reason": {"La même adresse, les mêmes faits."}})

	// The platform's own moderator leaves the notices with an even number alone.
	for try := 0; v.number == "" || v.number[len(v.number)-1]%2 != 0; try++ {
		if try == 20 {
			t.Fatal("no notice with an even number in 20")
		}
		adult["addresses"], adult["media"] = []string{"https://miroir.exemple.test/p/20", "https://miroir.exemple.test/p/21"}, []any{print(7)}
		_, v.number = v.analyst.notify(report(t, d.Hub, adult, "").ref, "miroir")
	}
	adult["addresses"] = []string{"https://miroir.exemple.test/p/30"}
	_, v.decided = v.analyst.notify(report(t, d.Hub, adult, "").ref, "miroir")
	v.moderator.decide(v.decided, "restricted")

	photo := jpegOf(t, scene(320, 240, 1), 80)
	save(t, v.dir, "paysage.jpg", photo)
	save(t, v.dir, "gris.png", pngOf(t, flat()))
	save(t, v.dir, "notes.txt", []byte("Some notes."))
	save(t, v.dir, "coupee.jpg", photo[:len(photo)/2])
	save(t, v.dir, "copie.jpg", jpegOf(t, shrink(scene(640, 480, 7), 2), 60))
	v.freshBrowser()
	return v
}

// freshBrowser goes on with a new browser, as none may be used for long.
func (v *tour) freshBrowser() {
	v.t.Helper()
	v.tab, v.born = tab{v.t, browsertest.New(v.t)}, time.Now()
}

// visit opens a page in a language, as who may see it.
func (v *tour) visit(p stopover, lang string) {
	v.t.Helper()
	if time.Since(v.born) > 2*time.Minute {
		v.freshBrowser()
	}
	who := map[string]*staff{"": nil, "analyst": v.analyst, "admin": v.admin, "lead": v.lead, "moderator": v.moderator}
	v.signedInAs(who[p.as])
	p.open(v, lang)
	if got := v.eval("document.documentElement.lang"); got != lang {
		v.t.Errorf("%s is in %q, want %q", p.name, got, lang)
	}
	if want := max(p.code, 200); evaluate[int](v.tab, "performance.getEntriesByType('navigation')[0].responseStatus") != want {
		v.t.Errorf("%s: status %d, want %d", p.name, evaluate[int](v.tab, "performance.getEntriesByType('navigation')[0].responseStatus"), want)
	}
}

// at opens an address of an instance.
func at(base func(*tour) string, path func(*tour) string) func(*tour, string) {
	return func(v *tour, lang string) {
		v.t.Helper()
		to := path(v)
		sep := "?"
		if strings.Contains(to, "?") {
			sep = "&"
		}
		v.tab.open(base(v) + to + sep + "lang=" + lang)
	}
}

func onHub(v *tour) string    { return v.Hub }
func onMiroir(v *tour) string { return v.Platforms[miroir].URL }

func text(s string) func(*tour) string { return func(*tour) string { return s } }

func caseOf(r func(*tour) reported) func(*tour) string {
	return func(v *tour) string { return "/console/cases/" + r(v).ref }
}

// merging is the page on which one case is merged; with "?into=" the other one is
// chosen.
func merging(into string) func(*tour) string {
	return func(v *tour) string {
		to := "/console/cases/" + v.waiting.ref + "/merge"
		if into != "" {
			to += into + v.fresh.ref
		}
		return to
	}
}

func splitting(v *tour) string { return "/console/cases/" + v.waiting.ref + "/split" }

// filled opens the report form and fills it: with pictures that can and cannot
// be read, and a threat, so that all it can show is shown.
func filled(v *tour, lang string) {
	v.t.Helper()
	at(onHub, text("/report"))(v, lang)
	v.choose("depicted", "self")
	v.choose("age", "adult")
	v.choose("threat", "money")
	v.fill("[name=addresses]", "https://galerie.exemple.test/photo/7001")
	var all []string
	for _, name := range []string{"paysage.jpg", "gris.png", "notes.txt", "coupee.jpg"} {
		all = append(all, filepath.Join(v.dir, name))
	}
	v.pick(all...)
}

// coded goes on to the page with the code.
func coded(v *tour, lang string) {
	v.t.Helper()
	filled(v, lang)
	v.click(`form[action^="/report"] button[type=submit]`)
}

func confirmed(v *tour, lang string, right bool) {
	v.t.Helper()
	coded(v, lang)
	last := v.eval(`document.querySelector("[name=code]").value.slice(-4)`)
	if !right {
		last = swap(last)
	}
	v.fill("[name=last]", last)
	v.click(`form[action^="/report/confirm"] button[type=submit]`)
}

func followedBy(code func(*tour) string) func(*tour, string) {
	return func(v *tour, lang string) {
		v.t.Helper()
		at(onHub, text("/follow"))(v, lang)
		v.fill("[name=code]", code(v))
		v.click(`form[action^="/follow"] button[type=submit]`)
	}
}

// posted opens a page and sends the form that button is in.
func posted(open func(*tour, string), button string, before ...func(*tour)) func(*tour, string) {
	return func(v *tour, lang string) {
		v.t.Helper()
		open(v, lang)
		for _, f := range before {
			f(v)
		}
		v.click(button)
	}
}

func checked(name string) func(*tour, string) {
	return posted(at(onMiroir, text("/console/check")), `form[action^="/console/check"] button`, func(v *tour) {
		v.do(chromedp.SetUploadFiles(chromedp.CSS("[name=photo]"), []string{filepath.Join(v.dir, name)}))
	})
}

const send1 = `main button[type=submit]`

// pages is every page there is, and the states of it that look different.
var pages = []stopover{
	{name: "home", open: at(onHub, text("/")), main: `main a[href^="/report"]`},
	{name: "minor", open: at(onHub, text("/minor")), main: `main a[href*="for=minor"]`},
	{name: "report", open: at(onHub, text("/report")), main: send1},
	{name: "report-minor", open: at(onHub, text("/report?for=minor")), main: send1},
	{name: "report-filled", open: filled, main: send1},
	{name: "report-nothing", open: posted(at(onHub, text("/report")), send1), main: send1, code: 422},
	{name: "report-too-long", code: 413, main: `main a`, open: posted(at(onHub, text("/report")), send1, func(v *tour) {
		v.eval(`(() => { const w = document.querySelector("[name=words]"); w.hidden = true; w.removeAttribute("maxlength"); w.value = "x".repeat(600_000); return ""; })()`)
	})},
	{name: "code", open: coded, main: "[name=last]"},
	{name: "code-wrong", open: func(v *tour, lang string) { confirmed(v, lang, false) }, main: "[name=last]", code: 422},
	{name: "receipt", open: func(v *tour, lang string) { confirmed(v, lang, true) }, main: `main a[href^="/follow"]`},
	{name: "follow", open: at(onHub, text("/follow")), main: "[name=code]"},
	{name: "follow-wrong", open: followedBy(text("ABCD-0000-0000-0000")), main: "[name=code]", code: 422},
	{name: "followed", open: followedBy(func(v *tour) string { return v.adult.code }), main: `main a[href^="tel:"], main a[href^="https:"]`},
	{name: "followed-minor", open: followedBy(func(v *tour) string { return v.minor.code }), main: `main a[href^="tel:"], main a[href^="https:"]`},
	{name: "how", open: at(onHub, text("/how")), main: `main a[href$="worker.js"]`},
	{name: "withdraw", open: at(onHub, text("/withdraw")), main: "[name=code]"},
	{name: "figures", open: at(onHub, text("/figures")), main: `.site-nav a, header a`},
	{name: "missing", open: at(onHub, text("/nothing-here")), main: `main a`, code: 404},

	{name: "sign-in", open: at(onHub, text("/console/sign-in")), main: send1},
	{name: "sign-in-wrong", code: 401, main: send1, open: posted(at(onHub, text("/console/sign-in")), send1, func(v *tour) {
		v.fill("[name=login]", "personne")
		v.fill("[name=password]", "un mot de passe qui ne va pas")
	})},
	{name: "spent-link", code: 401, main: `main a[href^="/console/sign-in"]`, open: at(onHub, func(v *tour) string {
		u, err := url.Parse(v.AnalystLogin)
		if err != nil {
			v.t.Fatal(err)
		}
		return u.RequestURI()
	})},
	{name: "queue", as: "analyst", open: at(onHub, text("/console/")), main: `main a[href*="/console/cases/"]`},
	{name: "queue-open", as: "analyst", open: at(onHub, text("/console/?state=open")), main: `main a[href*="/console/cases/"]`},
	{name: "queue-active", as: "analyst", open: at(onHub, text("/console/?state=active")), main: `main a[href*="/console/cases/"]`},
	{name: "queue-closed", as: "analyst", open: at(onHub, text("/console/?state=closed")), main: `main a[href*="state=open"]`},
	{name: "queue-new", as: "analyst", open: at(onHub, text("/console/?state=new")), main: `main a[href*="state=open"]`},
	{name: "case-open", as: "analyst", open: at(onHub, caseOf(func(v *tour) reported { return v.waiting })), main: `main button[value=confirm]`},
	{name: "case-adult", as: "analyst", open: at(onHub, caseOf(func(v *tour) reported { return v.adult })), main: `main a[href*="/notices/"]`},
	{name: "case-minor", as: "analyst", open: at(onHub, caseOf(func(v *tour) reported { return v.minor })), main: `main a[href*="/notices/"]`},
	{name: "case-refused", as: "analyst", code: 422, main: `[name=reason]`, open: posted(at(onHub, caseOf(func(v *tour) reported { return v.waiting })), `main button[value=close]`, func(v *tour) {
		v.eval(`(() => { for (const d of document.querySelectorAll("details")) d.open = true; return ""; })()`)
	})},
	{name: "case-forms", as: "analyst", main: `main [name=age_class]`, open: func(v *tour, lang string) {
		v.t.Helper()
		at(onHub, caseOf(func(v *tour) reported { return v.waiting }))(v, lang)
		v.eval(`(() => { for (const d of document.querySelectorAll("details")) d.open = true; return ""; })()`)
	}},
	{name: "notice-draft", as: "analyst", open: at(onHub, func(v *tour) string { return v.draft }), main: `main button[value=send]`},
	{name: "notice-lacking", as: "analyst", code: 422, main: `main button[value=send]`,
		open: posted(at(onHub, func(v *tour) string { return v.draft }), `main button[value=send]`)},
	{name: "notice-sent", as: "analyst", open: at(onHub, func(v *tour) string { return v.sent }), main: `main a[href*="/console/cases/"]`},
	{name: "case-missing", as: "analyst", open: at(onHub, text("/console/cases/0000-0000")), main: `main a`, code: 404},
	{name: "merge", as: "analyst", open: at(onHub, merging("")), main: `main [name=into]`},
	{name: "merge-preview", as: "analyst", open: at(onHub, merging("?into=")), main: `main button[value=merge]`},
	{name: "merge-unknown", as: "analyst", code: 404, open: at(onHub, func(v *tour) string { return merging("")(v) + "?into=0000-0000" }), main: `main [name=into]`},
	{name: "merge-lacking", as: "analyst", code: 422, main: `main button[value=merge]`, open: posted(at(onHub, merging("?into=")), `main button[value=merge]`, func(v *tour) {
		v.fill("#merge-reason", " ")
	})},
	{name: "merge-undo", as: "analyst", open: at(onHub, func(v *tour) string { return "/console/cases/" + v.joined.ref + "/merge" }), main: `main button[value=undo]`},
	{name: "split", as: "analyst", open: at(onHub, splitting), main: `main [name=item]`},
	{name: "split-none", as: "analyst", code: 422, open: posted(at(onHub, splitting), `main form button`), main: `main [name=item]`},
	{name: "split-preview", as: "analyst", main: `main button[name=plan]`, open: posted(at(onHub, splitting), `main form button`, func(v *tour) {
		v.do(chromedp.Click(chromedp.CSS("main label:has([name=item])")))
	})},
	{name: "forbidden", as: "analyst", open: at(onHub, text("/console/admin")), main: `main a`, code: 403},
	{name: "queue-clock", as: "analyst", open: at(onHub, text("/console/?sort=clock")), main: `main a[href*="/console/cases/"]`},
	{name: "calendar", as: "analyst", open: at(onHub, text("/console/calendar")), main: `main a[href*="/console/cases/"]`},
	{name: "calendar-empty", as: "analyst", open: at(onHub, text("/console/calendar?month=2031-02")), main: `main a[href*="month="]`},
	{name: "calendar-agenda", as: "analyst", open: at(onHub, text("/console/calendar?view=agenda")), main: `main a[href*="/console/cases/"]`},
	{name: "calendar-wrong", as: "analyst", open: at(onHub, text("/console/calendar?month=hier")), main: `main a`, code: 422},
	{name: "dashboard", as: "analyst", open: at(onHub, text("/console/dashboard")), main: `main summary`},
	{name: "dashboard-year", as: "analyst", open: at(onHub, text("/console/dashboard?days=365")), main: `main summary`},
	{name: "places", as: "analyst", open: at(onHub, text("/console/places")), main: `main a[href*="/console/"]`},
	{name: "mails", as: "analyst", open: at(onHub, text("/console/mails")), main: `.site-nav a`},
	{name: "lists", as: "analyst", open: at(onHub, text("/console/lists")), main: `.site-nav a`},
	{name: "matches", as: "moderator", open: at(onMiroir, text("/console/matches")), main: `.site-nav a`},
	{name: "rest", as: "analyst", open: at(onHub, text("/console/rest")), main: `main button`},
	{name: "register", as: "analyst", open: at(onHub, text("/console/register")), main: `main a[href*="/console/register/"]`},
	{name: "register-service", as: "analyst", open: at(onHub, text("/console/register/galerie")), main: `main summary`},
	{name: "campaigns", as: "analyst", open: at(onHub, text("/console/campaigns")), main: `.site-nav a`},
	{name: "campaign", as: "analyst", open: at(onHub, text("/console/campaigns/ai-forensics-2026-01")), main: `.site-nav a`},
	{name: "campaign-labelling", as: "lead", open: at(onHub, text("/console/campaigns/annonces-2026-11")), main: `main a[href*="/settle"]`},
	{name: "annotate", as: "analyst", open: at(onHub, text("/console/campaigns/annonces-2026-11/annotate")), main: `main button[value=label]`},
	{name: "annotate-lacking", as: "analyst", code: 422, main: `main button[value=label]`, open: posted(at(onHub, text("/console/campaigns/annonces-2026-11/annotate")), `main button[value=label]`)},
	{name: "annotate-none", as: "analyst", open: at(onHub, text("/console/campaigns/ccdh-2026-01/annotate")), main: `main a[href*="/console/campaigns/"]`},
	{name: "settle", as: "lead", open: at(onHub, text("/console/campaigns/annonces-2026-11/settle")), main: `main button[value=label]`},
	{name: "templates", as: "admin", open: at(onHub, text("/console/admin/templates")), main: `main summary`},
	{name: "templates-wrong", as: "admin", code: 422, main: `main summary`, open: posted(at(onHub, text("/console/admin/templates")), `main > form button[value=save]`, func(v *tour) {
		v.fill("#body-fr-new", "Bonjour {ailleurs}")
	})},
	{name: "templates-step", as: "admin", main: `main summary`, open: posted(at(onHub, text("/console/admin/templates")), `#step-complaint button[value=step_preview]`, func(v *tour) {
		v.eval(`(() => { document.querySelector("#step-complaint").open = true; return ""; })()`)
	})},
	{name: "templates-step-wrong", as: "admin", code: 422, main: `main summary`, open: posted(at(onHub, text("/console/admin/templates")), `#step-reminder button[value=step_save]`, func(v *tour) {
		v.eval(`(() => { document.querySelector("#step-reminder").open = true; return ""; })()`)
		v.fill("#body_fr-step-reminder", "Bonjour {ailleurs}, où en est notre demande sur {notice ?")
	})},
	{name: "contacts", as: "admin", open: at(onHub, text("/console/admin/services")), main: `main [type=file]`},
	{name: "delays", as: "admin", open: at(onHub, text("/console/admin/delays")), main: `main [name=local]`},
	{name: "delays-wrong", as: "admin", code: 422, main: `main [name=local]`, open: posted(at(onHub, text("/console/admin/delays")), `main form button`, func(v *tour) {
		v.fill(`[name="draft.within"]`, "bientôt")
	})},
	{name: "admin", as: "admin", open: at(onHub, text("/console/admin")), main: `main summary`},
	{name: "staff", as: "admin", open: at(onHub, text("/console/admin/staff")), main: `main [name=alias]`},
	{name: "audit", as: "admin", open: at(onHub, text("/console/audit")), main: `.site-nav a`},
	{name: "me", as: "analyst", open: at(onHub, text("/console/me")), main: `main [name=name]`},

	{name: "platform", open: at(onMiroir, text("/")), main: `main a[href^="/console/sign-in"]`},
	{name: "notify", open: at(onMiroir, text("/notify")), main: `main button`},
	{name: "notify-lacking", code: 422, main: `main button`, open: posted(at(onMiroir, text("/notify")), `main form button`)},
	{name: "redress", open: at(onMiroir, text("/redress")), main: `main button`},
	{name: "intakes", as: "moderator", open: at(onMiroir, text("/console/")), main: `main a[href*="/console/notices/"]`},
	{name: "intakes-decided", as: "moderator", open: at(onMiroir, text("/console/?state=decided")), main: `main a[href*="/console/notices/"]`},
	{name: "intake", as: "moderator", open: at(onMiroir, func(v *tour) string { return "/console/notices/" + v.number }), main: `[name=measure]`},
	{name: "intake-lacking", as: "moderator", code: 422, main: `[name=measure]`,
		open: posted(at(onMiroir, func(v *tour) string { return "/console/notices/" + v.number }), `form.decision-form button`)},
	{name: "intake-minor", as: "moderator", open: at(onMiroir, func(v *tour) string { return "/console/notices/" + v.minorNumber }), main: `main summary`},
	{name: "intake-decided", as: "moderator", open: at(onMiroir, func(v *tour) string { return "/console/notices/" + v.decided }), main: `main a[href^="/console/"]`},
	{name: "check", as: "moderator", open: at(onMiroir, text("/console/check")), main: `[name=photo]`},
	{name: "check-found", as: "moderator", open: checked("copie.jpg"), main: `[name=photo]`},
	{name: "check-nothing", as: "moderator", open: checked("gris.png"), main: `[name=photo]`},
	{name: "check-refused", as: "moderator", open: checked("notes.txt"), main: `[name=photo]`, code: 422},
}

// chosen returns the pages whose names have one of the words of REMPART_PAGES,
// for work on one page; all of them without it.
func chosen() []stopover {
	want := strings.Fields(os.Getenv("REMPART_PAGES"))
	if len(want) == 0 {
		return pages
	}
	var some []stopover
	for _, p := range pages {
		for _, w := range want {
			if strings.Contains(p.name, w) {
				some = append(some, p)
				break
			}
		}
	}
	return some
}
