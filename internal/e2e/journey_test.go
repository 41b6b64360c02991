package e2e

import (
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rempart/internal/browsertest"
)

// What the person of the journey types: kept in clear today, so the search for
// what must not be kept has to find it.
const (
	personWords   = "MARQUE-MOTS-3e8a17 Une image fausse de moi circule depuis lundi."
	personAddress = "https://galerie.exemple.test/photo/MARQUE-ADRESSE-66d2"
	pictureName   = "MARQUE-NOM-a95f31-plage.jpg"
)

// A journey is one report, from the first screen to what the person reads once
// its picture's copies are stopped.
type journey struct {
	*demo
	front  *front
	tab    tab
	home   string // origin of the hub, as the person's browser knows it
	sent   *browsertest.Recorder
	photo  []byte   // the file that she chose
	copies [][]byte // what somebody uploads later
	code   string   // her case code
	ref    string   // reference of her case
}

// TestJourney follows a report through the whole chain, as three people do it in
// their browsers; then it searches everything that was kept and sent for what
// must be nowhere.
func TestJourney(t *testing.T) {
	notShort(t)
	j := &journey{demo: startDemo(t)}
	j.front = startFront(t, j.Hub)
	ctx := browsertest.New(t)
	j.tab = tab{t, ctx}
	hub, err := url.Parse(j.Hub)
	if err != nil {
		t.Fatal(err)
	}
	j.home = "http://localhost:" + hub.Port()
	browsertest.Alias(ctx, "localhost", j.front.addr)
	complaints, err := browsertest.Complaints(ctx)
	if err != nil {
		t.Fatal(err)
	}
	j.sent = browsertest.Record(ctx)
	j.tab.speaks("fr", personAgent)
	picture := scene(640, 480, 0)
	j.photo = withEXIF(jpegOf(t, picture, 90))
	j.copies = [][]byte{jpegOf(t, shrink(picture, 2), 55), jpegOf(t, mirror(picture), 70)}

	j.reports(t)
	j.notifies(t)
	j.stops(t)
	j.reads(t)
	for _, c := range complaints() {
		if !strings.Contains(c, "422") { // the wrong last group
			t.Errorf("the person's browser complains: %s", c)
		}
	}
	t.Run("secrets", j.secrets)
}

// reports is the person: from the first screen to the receipt.
func (j *journey) reports(t *testing.T) {
	b := j.tab
	b.open(j.home + "/")
	b.must(`main a[href^="/minor"]`)
	b.click(`main a[href^="/report"]`)
	for _, answer := range [][2]string{{"depicted", "self"}, {"age", "adult"}, {"made", "fake_sexual"}, {"seen", "online_public"}, {"threat", "none"}, {"relation", "unknown"}} {
		b.choose(answer[0], answer[1])
	}
	b.fill("[name=addresses]", personAddress)
	b.fill("[name=words]", personWords)
	if got := b.pick(save(t, t.TempDir(), pictureName, j.photo)); got != "ready" {
		t.Fatalf("the picture's row is %q, want ready", got)
	}
	mustSay(t, b.text("[data-picker-list]"), say(t, "fr", "say.ready"))
	if got := b.text("[data-row-name]"); got != pictureName {
		t.Errorf("the row shows %q, want the name of the file", got)
	}
	b.click(`form[action^="/report"] button[type=submit]`)

	j.code = strings.ReplaceAll(strings.TrimSpace(b.text(".case-code")), "\n", "")
	if !regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$`).MatchString(j.code) {
		t.Fatalf("the code is shown as %q", j.code)
	}
	if got := b.eval("document.title + location.href"); strings.Contains(got, j.code) {
		t.Errorf("the code is in the title or the address: %s", got)
	}
	last := j.code[len(j.code)-4:]
	b.fill("[name=last]", swap(last))
	b.click(`form[action^="/report/confirm"] button[type=submit]`)
	mustSay(t, b.text("main"), say(t, "fr", "code.confirm.wrong"))
	if got := strings.ReplaceAll(b.text(".case-code"), "\n", ""); got != j.code {
		t.Errorf("after a wrong group the page shows %q, want the code again", got)
	}
	b.fill("[name=last]", strings.ToLower(last))
	b.click(`form[action^="/report/confirm"] button[type=submit]`)

	receipt := b.eval(`document.querySelector("pre").textContent`)
	ref := refInReceipt.FindStringSubmatch(receipt)
	if ref == nil {
		t.Fatalf("no reference in the receipt: %s", receipt)
	}
	j.ref = ref[1]
	file := save(t, t.TempDir(), "receipt.txt", []byte(receipt))
	out, err := exec.Command(rempart(t), "verify", "-data", filepath.Join(j.dir, "data", "hub"), "-receipt", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), j.ref) {
		t.Errorf("rempart verify of the receipt: %v\n%s", err, out)
	}
}

// swap returns another group of a code.
func swap(group string) string {
	other := byte('7')
	if group[0] == other {
		other = '8'
	}
	return string(other) + group[1:]
}

// notifies is the analyst, then the platform's moderator.
func (j *journey) notifies(t *testing.T) {
	analyst, moderator := tab{t, browsertest.New(t)}, tab{t, browsertest.New(t)}
	analyst.speaks("fr", "")
	moderator.speaks("fr", "")
	moderator.open(j.Platforms[galerie].Login)
	moderator.must(`form[action^="/console/sign-out"]`)

	at := "/console/cases/" + j.ref
	analyst.open(j.AnalystLogin)
	analyst.click(`a[href^="` + at + `"]`)
	analyst.reloadUntil(`form[action^="` + at + `/qualifications/"] button[value=confirm]`)
	mustSay(t, analyst.text("main"), personWords)
	mustSay(t, analyst.text("main"), personAddress)
	if analyst.has("main img, main picture, main video, main canvas") {
		t.Error("the case shows a picture")
	}
	analyst.click(`form[action^="` + at + `/qualifications/fr-226-8-1"] button[value=confirm]`)
	mustSay(t, analyst.text("main"), say(t, "fr", "ok.qualification_confirmed"))
	analyst.click(`form[action^="` + at + `/items/"] button[value=confirm]`)
	mustSay(t, analyst.text("main"), say(t, "fr", "ok.fingerprint_confirmed"))
	analyst.click(`form[action^="` + at + `/notices"]:has([name=service][value=galerie]) button`)
	preview := analyst.text("main")
	mustSay(t, preview, personAddress)
	mustSay(t, preview, "226-8-1")
	analyst.click(`form[action^="` + at + `/notices/"] button[value=send]`) // without good faith: refused
	analyst.must(`.problems`)
	mustSay(t, analyst.text(".problems"), say(t, "fr", "err.notice.good_faith"))
	analyst.choose("good_faith", "yes")
	analyst.click(`form[action^="` + at + `/notices/"] button[value=send]`)
	var number string
	for end := time.Now().Add(patience); number == ""; {
		if time.Now().After(end) {
			t.Fatalf("no receipt from the platform: %s", words(analyst.text("main")))
		}
		time.Sleep(100 * time.Millisecond)
		analyst.do(chromedp.Reload())
		number = regexp.MustCompile(`N-[0-9A-Z]{4}-[0-9A-Z]{4}`).FindString(analyst.text("main"))
	}

	moderator.open(j.Platforms[galerie].URL + "/console/")
	moderator.click(`a[href^="/console/notices/` + number + `"]`)
	mustSay(t, moderator.text("main"), personAddress)
	if strings.Contains(moderator.text("main"), personWords) {
		t.Error("the platform is shown the person's own words")
	}
	form := `form[action^="/console/notices/` + number + `/items/"] `
	moderator.choose("measure", "removed")
	moderator.choose("ground", "law")
	moderator.fill(form+"[name=reference]", "Code pénal, art. 226-8-1")
	moderator.fill(form+"[name=facts]", "Notification d’un signaleur, examinée par une personne.")
	moderator.fill(form+"[name=explanation]", "Le contenu correspond aux faits décrits ; il est retiré.")
	if !moderator.has(form + "[name=redress][value=court]:checked") {
		moderator.choose("redress", "court")
	}
	moderator.click(form + "button:not([name])")
	if moderator.has(form) {
		t.Fatalf("the decision was not taken: %s", words(moderator.text("main")))
	}
	followUntil(t, j.Hub, j.code, "removed", func(f followed) bool { return f.has("removed", "protected") })
	analyst.open(j.Hub + at)
	mustSay(t, analyst.text("main"), "Le contenu correspond aux faits décrits ; il est retiré.")
}

// stops is somebody who uploads two changed copies of the picture.
func (j *journey) stops(t *testing.T) {
	p := j.Platforms[galerie]
	for k, forms := range [][]string{{"original"}, {"flipY"}} {
		key := "depot-" + string(rune('1'+k))
		var m matched
		found := -1
		for end := time.Now().Add(patience); found < 0 && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			m = into[matched](t, upload(t, p.URL, p.APIKey, key, j.copies[k]), 200)
			for i, r := range m.Results {
				if r.Type == "pdq" && len(r.Matches) > 0 {
					found = i
				}
			}
		}
		if found < 0 {
			t.Fatalf("copy %d is not found: %+v", k, m)
		}
		best := m.Results[found].Matches[0]
		t.Logf("copy %d: %+v", k, best)
		if best.Distance > 31 || best.List != "ncii-adult" || best.Action == "" {
			t.Errorf("copy %d: %+v, want a match within 31 bits in ncii-adult, and an action", k, best)
		}
		ok := false
		for _, form := range forms {
			ok = ok || best.Form == form
		}
		if !ok {
			t.Errorf("copy %d has the form %q, want one of %v", k, best.Form, forms)
		}
		upload(t, p.URL, p.APIKey, key, j.copies[k]) // the same upload, asked again, is the same stop
	}
}

// reads is the person again: with her code, in both languages.
func (j *journey) reads(t *testing.T) {
	f := followUntil(t, j.Hub, j.code, "stopped twice", func(f followed) bool { return f.Stopped >= 2 })
	if f.Stopped != 2 {
		t.Errorf("stopped %d times, want 2", f.Stopped)
	}
	b := j.tab
	for _, lang := range []string{"fr", "en"} {
		b.open(j.home + "/?lang=" + lang)
		b.click(`main a[href^="/follow"]`)
		b.fill("[name=code]", strings.ToLower(strings.ReplaceAll(j.code, "-", " ")))
		b.click(`form[action^="/follow"] button[type=submit]`)
		page := b.text("main")
		mustSay(t, page, say(t, lang, "follow.state.removed"))
		mustSay(t, page, say(t, lang, "follow.state.protected"))
		mustSay(t, page, strings.ReplaceAll(say(t, lang, "follow.stops.total.other"), "%d", "2"))
		mustSay(t, page, strings.ReplaceAll(say(t, lang, "follow.stops.other"), "%d", "2"))
		mustSay(t, page, personAddress)
		if got := b.eval("document.documentElement.lang"); got != lang {
			t.Errorf("the page is in %q, want %q", got, lang)
		}
		if b.has("main img, main a[href*='galerie.exemple.test']") {
			t.Error("the follow-up shows a picture, or links to the page")
		}
	}
}
