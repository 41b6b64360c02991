package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"rempart/internal/browsertest"
)

// A mistake is one demo that people give wrong things to.
type mistake struct {
	*demo
	analyst *staff
	known   map[string]bool // the cases so far
	ctx     context.Context // of the browser
}

// grown fails unless n cases were added since it was last asked, and returns
// their references.
func (m *mistake) grown(t *testing.T, n int) []string {
	t.Helper()
	var added []string
	for ref := range m.analyst.cases() {
		if !m.known[ref] {
			m.known[ref] = true
			added = append(added, ref)
		}
	}
	if len(added) != n {
		t.Errorf("%d new cases, want %d: %v", len(added), n, added)
	}
	return added
}

// TestWrong gives wrong, broken and hostile things to the pages and the API:
// each is answered by a clear sentence, and nothing is lost or doubled.
func TestWrong(t *testing.T) {
	notShort(t)
	m := &mistake{demo: startDemo(t), ctx: browsertest.New(t)}
	m.analyst = signIn(t, m.AnalystLogin)
	m.known = m.analyst.cases()
	t.Run("pictures", m.pictures)
	t.Run("fields", m.fields)
	t.Run("codes", m.codes)
	t.Run("too long", m.tooLong)
	t.Run("twice", m.twice)
	t.Run("without scripts", m.withoutScripts)
	t.Run("API", m.api)
	t.Run("uploads", m.uploads)
	if log := m.log.String(); strings.Contains(log, "MARQUE") {
		t.Errorf("the log holds what was typed:\n%s", log)
	}
}

// pictures chooses what is no picture, is broken, too large, moving or flat.
func (m *mistake) pictures(t *testing.T) {
	b := tab{t, m.ctx}
	dir := t.TempDir()
	photo := jpegOf(t, scene(320, 240, 1), 80)
	names := []string{"notes.txt", "cut.jpg", "header.png", "moving.gif", "grey.png", "fine.jpg", "fine-again.jpg"}
	var paths []string
	for k, data := range [][]byte{[]byte("Some notes, and no picture.\n"), photo[:len(photo)/2], pngHeader(50_000, 50_000), animation(t), pngOf(t, flat()), photo, photo} {
		paths = append(paths, save(t, dir, names[k], data))
	}
	b.open(m.Hub + "/report?lang=fr")
	want := []string{"not_picture", "truncated", "too_many_pixels", "animated", "low_quality", "ready", "duplicate"}
	if got := b.pick(paths...); got != strings.Join(want, " ") {
		t.Errorf("states %s, want %s", got, want)
	}
	for k, state := range want {
		row := b.text(fmt.Sprintf("[data-picker-list] > li:nth-child(%d)", k+1))
		mustSay(t, row, strings.ReplaceAll(say(t, "fr", "say."+state), "{n}", fmt.Sprint(k+1)))
	}
	b.choose("depicted", "self")
	b.choose("made", "fake_sexual")
	b.click(`form[action^="/report"] button[type=submit]`)
	code := b.eval(`document.querySelector("[name=code]").value`)
	b.fill("[name=last]", code[len(code)-4:])
	b.click(`form[action^="/report/confirm"] button[type=submit]`)
	flatPictures := strings.Split(say(t, "fr", "receipt.flat.one"), "%d")
	for _, part := range flatPictures {
		mustSay(t, b.text("main"), part)
	}
	ref := m.grown(t, 1)[0]
	if f := follow(t, m.Hub, code); len(f.Items) != 3 {
		t.Errorf("the case has %d items, want the three pictures that can be read: %+v", len(f.Items), f)
	}
	page := m.analyst.get("/console/cases/" + ref).body
	if n := len(regexp.MustCompile(`sha256 <span`).FindAllString(page, -1)); n < 3 {
		t.Errorf("the console shows %d SHA-256, want at least 3", n)
	}
}

// fields sends a report with a mistake: what was typed and chosen stays.
func (m *mistake) fields(t *testing.T) {
	b := tab{t, m.ctx}
	b.open(m.Hub + "/report?lang=fr")
	b.click(`form[action^="/report"] button[type=submit]`)
	mustSay(t, b.text(".problems"), say(t, "fr", "err.report.nothing"))
	b.focused(".problems")
	if got := b.pick(save(t, t.TempDir(), "fine.jpg", jpegOf(t, scene(320, 240, 2), 80))); got != "ready" {
		t.Errorf("the picture is %s, want ready", got)
	}
	typed := "MARQUE-CHAMP pas une adresse"
	b.fill("[name=addresses]", typed)
	b.fill("[name=words]", "Ces mots restent.\nSur deux lignes.")
	b.choose("seen", "private")
	b.choose("repeated", "1")
	b.click(`form[action^="/report"] button[type=submit]`)
	b.must(`.problems a[href="#f-addresses"]`)
	mustSay(t, b.text(".problems"), fmt.Sprintf(say(t, "fr", "err.report.address"), typed))
	state := b.eval(`[document.querySelector("[name=addresses]").value, document.querySelector("[name=words]").value,
		document.querySelector("[name=seen]:checked").value, document.querySelector("[name=repeated]").checked,
		document.querySelectorAll("[name=media]").length].join("|")`)
	if want := typed + "|Ces mots restent.\nSur deux lignes.|private|true|1"; state != want {
		t.Errorf("after the mistake the form holds %q, want %q", state, want)
	}
	m.grown(t, 0)
	b.fill("[name=addresses]", "https://miroir.exemple.test/p/corrige")
	b.click(`form[action^="/report"] button[type=submit]`)
	if f := follow(t, m.Hub, b.eval(`document.querySelector("[name=code]").value`)); len(f.Items) != 2 {
		t.Errorf("%d items, want the address and the picture: %+v", len(f.Items), f)
	}
	m.grown(t, 1)
}

// codes types codes as people do, right and wrong.
func (m *mistake) codes(t *testing.T) {
	var right reported
	sent := 0
	for !strings.Contains(right.code, "0") { // so that O can be typed for it
		if sent++; sent > 40 {
			t.Fatal("no code with a zero in 40 reports")
		}
		right = report(t, m.Hub, map[string]any{"words": "Un code avec un zéro."}, "")
	}
	m.grown(t, sent)
	b := tab{t, m.ctx}
	for _, lang := range []string{"fr", "en"} {
		for _, wrong := range []struct{ typed, key string }{
			{right.code[:15], "err.code.length"},
			{swap(right.code), "err.code.check"},
			{"U" + right.code[1:], "err.code.character"},
			{"0000-0000-0000-0000", "err.code.unknown"},
		} {
			b.open(m.Hub + "/follow?lang=" + lang)
			b.fill("[name=code]", wrong.typed)
			b.click(`form[action^="/follow"] button[type=submit]`)
			mustSay(t, b.text("main"), say(t, lang, wrong.key))
			if got := b.eval(`document.querySelector("[name=code]").value`); got != wrong.typed {
				t.Errorf("after a wrong code the field holds %q, want what was typed, %q", got, wrong.typed)
			}
			b.focused("[name=code]")
		}
	}
	b.open(m.Hub + "/follow?lang=fr")
	b.fill("[name=code]", " "+strings.ReplaceAll(strings.ToLower(right.code), "0", "o"))
	b.click(`form[action^="/follow"] button[type=submit]`)
	mustSay(t, b.text("h1"), say(t, "fr", "follow.shown.title"))
}

// tooLong sends a text of ten megabytes, as a browser whose page was altered.
func (m *mistake) tooLong(t *testing.T) {
	b := tab{t, m.ctx}
	b.open(m.Hub + "/report?lang=fr")
	b.eval(`(() => {
		const words = document.querySelector("[name=words]");
		words.removeAttribute("maxlength");
		words.hidden = true; // ten megabytes take long to lay out
		words.value = "MARQUE-LONG ".repeat(900_000);
		return "";
	})()`)
	if r := b.click(`form[action^="/report"] button[type=submit]`); r.Status != 413 {
		t.Errorf("status %d, want 413", r.Status)
	}
	mustSay(t, b.text("main"), say(t, "fr", "err.report.too_large"))
	mustSay(t, b.text("h1"), say(t, "fr", "fail.too_large.title"))
	in := send(t, plain, request(t, "POST", m.Hub+"/report?lang=en", "application/x-www-form-urlencoded", strings.NewReader("words="+strings.Repeat("MARQUE-LONG ", 900_000))))
	if in.status != 413 || strings.Contains(in.body, "MARQUE") {
		t.Errorf("ten megabytes by a program: status %d: %.300s", in.status, in.body)
	}
	mustSay(t, in.body, say(t, "en", "err.report.too_large"))
	// A text that is too long for a report but not for the form is shown again.
	long := strings.Repeat("é", 12_000)
	a := send(t, plain, request(t, "POST", m.Hub+"/report?lang=fr", "application/x-www-form-urlencoded", strings.NewReader(url.Values{"words": {long}}.Encode())))
	if a.status != 422 || !strings.Contains(a.body, long) {
		t.Errorf("12 000 characters: status %d, and the text is in the answer: %v", a.status, strings.Contains(a.body, long))
	}
	mustSay(t, a.body, strings.Split(say(t, "fr", "err.report.words"), "%d")[2])
	m.grown(t, 0)
}

var codeInPage = regexp.MustCompile(`name="code" value="([^"]*)"`)

// twice sends one form several times: one case, and the same code each time.
func (m *mistake) twice(t *testing.T) {
	page := send(t, plain, request(t, "GET", m.Hub+"/report", "", nil)).body
	key := regexp.MustCompile(`name="key" value="([^"]*)"`).FindStringSubmatch(page)
	if key == nil {
		t.Fatal("the form has no key")
	}
	form := url.Values{"key": {key[1]}, "words": {"Envoyé plusieurs fois."}}
	codes := make([]string, 6)
	var all sync.WaitGroup
	for k := range codes {
		all.Go(func() {
			q, err := http.NewRequest("POST", m.Hub+"/report", strings.NewReader(form.Encode()))
			if err != nil {
				t.Error(err)
				return
			}
			q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r, err := plain.Do(q)
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Body.Close()
			b, _ := io.ReadAll(r.Body)
			if found := codeInPage.FindSubmatch(b); found != nil {
				codes[k] = string(found[1])
			} else {
				t.Errorf("status %d, and no code: %s", r.StatusCode, words(string(b)))
			}
		})
	}
	all.Wait()
	for _, code := range codes {
		if code == "" || code != codes[0] {
			t.Errorf("codes %q, want the same one", codes)
			break
		}
	}
	m.grown(t, 1)

	// The same key with another report is not silently lost.
	form.Set("words", "Un autre texte, MARQUE-AUTRE.")
	a := send(t, plain, request(t, "POST", m.Hub+"/report?lang=fr", "application/x-www-form-urlencoded", strings.NewReader(form.Encode())))
	if a.status < 400 || !strings.Contains(a.body, "MARQUE-AUTRE") {
		t.Errorf("another report under the same key: status %d, and its words are kept: %v", a.status, strings.Contains(a.body, "MARQUE-AUTRE"))
	}
	mustSay(t, a.body, say(t, "fr", "err.report.key_reused"))
	m.grown(t, 0)

	// As an impatient person does.
	b := tab{t, m.ctx}
	b.open(m.Hub + "/report?lang=fr")
	b.fill("[name=words]", "Deux clics sur le bouton.")
	b.eval(`(() => { const f = document.querySelector('form[action^="/report"]'); f.requestSubmit(); f.requestSubmit(); return ""; })()`)
	b.do(chromedp.WaitVisible(chromedp.CSS(".case-code")))
	m.grown(t, 1)
	b.do(chromedp.Reload()) // sends the form again
	b.must(".case-code")
	m.grown(t, 0)
}

// withoutScripts reports and follows with scripts switched off.
func (m *mistake) withoutScripts(t *testing.T) {
	b := tab{t, m.ctx}
	scripts := func(off bool) {
		b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off})
			return err
		}))
	}
	scripts(true)
	defer scripts(false)
	b.open(m.Hub + "/report?lang=en")
	if b.eval(`getComputedStyle(document.querySelector("[data-rempart-picker]")).display`) != "none" {
		t.Error("the choice of pictures is shown, and can do nothing without scripts")
	}
	mustSay(t, b.text("main"), say(t, "en", "report.picture.noscript"))
	b.choose("depicted", "self")
	b.choose("age", "adult")
	b.fill("[name=addresses]", "https://miroir.exemple.test/p/sans-script\nhttps://galerie.exemple.test/p/sans-script")
	b.click(`form[action^="/report"] button[type=submit]`)
	code := b.eval(`document.querySelector("[name=code]").value`)
	b.fill("[name=last]", code[len(code)-4:])
	b.click(`form[action^="/report/confirm"] button[type=submit]`)
	b.click(`main a[href^="/follow"]`)
	b.fill("[name=code]", code)
	b.click(`form[action^="/follow"] button[type=submit]`)
	mustSay(t, b.text("main"), "https://miroir.exemple.test/p/sans-script")
	mustSay(t, b.text("main"), "https://galerie.exemple.test/p/sans-script")
	mustSay(t, b.text("main"), say(t, "en", "follow.state.reported"))
	m.grown(t, 1)
}

// problem is an RFC 9457 document.
type problem struct {
	Type, Title, Detail, Code string
	Status                    int
	Errors                    []struct{ Field, Detail, Code string }
}

// refused fails unless an answer is a problem document of a status, that says
// something and repeats nothing of what was sent.
func refused(t *testing.T, what string, a answer, status int) {
	t.Helper()
	var p problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Errorf("%s: %v: %.300s", what, err, a.body)
		return
	}
	if kind := a.header.Get("Content-Type"); a.status != status || p.Status != status || kind != "application/problem+json" {
		t.Errorf("%s: status %d and %d, %s, want %d: %s", what, a.status, p.Status, kind, status, a.body)
	}
	if p.Type == "" || p.Title == "" || len(p.Detail) < 10 {
		t.Errorf("%s: the problem says too little: %s", what, a.body)
	}
	if strings.Contains(a.body, "MARQUE") {
		t.Errorf("%s: the answer repeats what was sent: %s", what, a.body)
	}
}

// api sends broken things to the JSON API.
func (m *mistake) api(t *testing.T) {
	reports, p := m.Hub+"/api/v1/reports", m.Platforms[galerie]
	for _, c := range []struct {
		what, url, body string
		status          int
		headers         []string
	}{
		{"no JSON", reports, `{"words": "MARQUE-API`, 400, nil},
		{"not an object", reports, `["MARQUE-API"]`, 422, nil},
		{"an unknown property", reports, `{"words": "x", "age_of": "MARQUE-API"}`, 422, nil},
		{"an unknown answer", reports, `{"words": "x", "age": "MARQUE-API"}`, 422, nil},
		{"a number for a text", reports, `{"words": 12, "addresses": "MARQUE-API"}`, 422, nil},
		{"nothing to act on", reports, `{}`, 422, nil},
		{"a fingerprint that is none", reports, `{"media": [{"fingerprints": [{"type": "pdq", "value": "MARQUE-API"}]}]}`, 422, nil},
		{"ten megabytes", reports, `{"words": "` + strings.Repeat("MARQUE-API", 1<<20) + `"}`, 413, nil},
		{"a wrong code", m.Hub + "/api/v1/follow-up", `{"code": "0000-0000-0000-0000"}`, 404, nil},
		{"a code that is none", m.Hub + "/api/v1/follow-up", `{"code": "MARQUE-API"}`, 422, nil},
		{"a notice without a key", p.URL + "/api/v1/notices", `{"id": "MARQUE-API"}`, 401, nil},
		{"a notice with a key for uploads", p.URL + "/api/v1/notices", `{"id": "MARQUE-API"}`, 403, []string{"Authorization", "Bearer " + p.APIKey}},
		{"a callback without a key", m.Hub + "/api/v1/callbacks", `{"type": "MARQUE-API"}`, 401, nil},
		{"a match without a key", p.URL + "/api/v1/match", `{"fingerprints": []}`, 401, nil},
		{"a match with a wrong key", p.URL + "/api/v1/match", `{"fingerprints": []}`, 401, []string{"Authorization", "Bearer MARQUE-API"}},
		{"a match of nothing", p.URL + "/api/v1/match", `{"fingerprints": []}`, 422, []string{"Authorization", "Bearer " + p.APIKey}},
		{"a match of no fingerprint", p.URL + "/api/v1/match", `{"fingerprints": [{"type": "pdq", "value": "MARQUE-API"}]}`, 422, []string{"Authorization", "Bearer " + p.APIKey}},
		{"a match of no JSON", p.URL + "/api/v1/match", `{"MARQUE-API`, 422, []string{"Authorization", "Bearer " + p.APIKey}},
		{"an address where nothing is", m.Hub + "/api/v1/MARQUE-API", `{}`, 404, nil},
	} {
		refused(t, c.what, postJSON(t, c.url, c.body, c.headers...), c.status)
	}
	// A platform's key that is right, and signatures that are not.
	key := m.newPeer(t)
	now := fmt.Sprint(time.Now().Unix())
	for what, headers := range map[string][]string{
		"a callback that is not signed":         {},
		"a callback with a wrong signature":     {"webhook-id", "msg_1", "webhook-timestamp", now, "webhook-signature", "v1,TUFSUVVFLUFQSQ=="},
		"a callback signed long ago":            {"webhook-id", "msg_1", "webhook-timestamp", "1700000000", "webhook-signature", "v1,TUFSUVVFLUFQSQ=="},
		"a callback whose signature is no such": {"webhook-id", "msg_1", "webhook-timestamp", now, "webhook-signature", "MARQUE-API"},
	} {
		refused(t, what, postJSON(t, m.Hub+"/api/v1/callbacks", `{"type": "MARQUE-API"}`, append(headers, "Authorization", "Bearer "+key)...), 401)
	}
	m.grown(t, 0)
}

// newPeer has an administrator of the hub add a platform, and returns the key
// that the platform presents.
func (m *mistake) newPeer(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(rempart(t), "admin", "peer", "add", "-data", filepath.Join(m.dir, "data", "hub"), "-id", "essai-signature", "-name", "Plateforme à l’essai", "-kind", "platform")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("rempart admin peer add: %v\n%s", err, out)
	}
	key := regexp.MustCompile(`(?m)key[^A-Za-z0-9]+([A-Za-z0-9_-]{20,})`).FindStringSubmatch(string(out))
	if key == nil {
		t.Fatalf("no key in %s", out)
	}
	return key[1]
}

// uploads sends what is no picture, or a broken or hostile one, to the check of
// uploads.
func (m *mistake) uploads(t *testing.T) {
	p := m.Platforms[galerie]
	photo := jpegOf(t, scene(320, 240, 3), 80)
	for what, c := range map[string]struct {
		data   []byte
		status int
	}{
		"no picture":              {[]byte("MARQUE-DEPOT some notes, and no picture"), 422},
		"an empty file":           {nil, 422},
		"a truncated JPEG":        {photo[:len(photo)/2], 422},
		"50 000 by 50 000 pixels": {pngHeader(50_000, 50_000), 413},
		"more than 64 MiB":        {append(append([]byte{}, photo...), make([]byte, 65<<20)...), 413},
	} {
		refused(t, what, upload(t, p.URL, p.APIKey, "", c.data), c.status)
	}
	q := request(t, "POST", p.URL+"/api/v1/match", "multipart/form-data; boundary=x", strings.NewReader("--x--\r\n"))
	q.Header.Set("Authorization", "Bearer "+p.APIKey)
	refused(t, "a form without a file", send(t, plain, q), 422)

	grey := into[matched](t, upload(t, p.URL, p.APIKey, "", pngOf(t, flat())), 200)
	if last := grey.Results[len(grey.Results)-1]; last.Type != "pdq" || last.Note == "" || len(last.Matches) != 0 {
		t.Errorf("a flat picture: %+v, want no match and a note that says why", grey)
	}
	if moving := into[matched](t, upload(t, p.URL, p.APIKey, "", animation(t)), 200); len(moving.Results) != 2 {
		t.Errorf("an animation: %+v, want its sha256 and its pdq", moving)
	}
	left, err := filepath.Glob(filepath.Join(m.dir, "tmp", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("uploads left %v on the disk", left)
	}
}
