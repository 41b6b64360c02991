package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// A needle is something that must be nowhere.
type needle struct {
	what  string
	forms [][]byte // as it may be written, in lower case
}

// needleOf returns a needle in the forms in which it may be kept: as it is, as
// hexadecimal, and as base64, which has three forms after what comes before it.
func needleOf(what string, b []byte) needle {
	n := needle{what, [][]byte{b, []byte(hex.EncodeToString(b))}}
	for shift := range 3 {
		s := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), b...))
		from, to := (shift*8+5)/6, len(s)-1
		if (shift+len(b))%3 == 0 {
			to = len(s)
		}
		n.forms = append(n.forms, []byte(s[from:to]))
	}
	for i, f := range n.forms {
		n.forms[i] = bytes.ToLower(f)
	}
	return n
}

func textNeedle(what, text string) needle { return needleOf(what, []byte(text)) }

// A place is something that is searched.
type place struct {
	name string
	data []byte // in lower case
}

func placeOf(name string, data []byte) place { return place{name, bytes.ToLower(data)} }

// find returns where a needle is.
func find(n needle, places []place) []string {
	var at []string
	for _, p := range places {
		for _, form := range n.forms {
			if bytes.Contains(p.data, form) {
				at = append(at, p.name)
				break
			}
		}
	}
	return at
}

// mustFind fails unless a needle is in at least one place: the same search finds
// what is there.
func mustFind(t *testing.T, n needle, places []place) {
	t.Helper()
	if len(find(n, places)) == 0 {
		t.Errorf("%s is not found in %d places, and is there: the search is worth nothing", n.what, len(places))
	}
}

func mustNotFind(t *testing.T, needles []needle, places []place) {
	t.Helper()
	if len(needles) == 0 || len(places) == 0 {
		t.Fatalf("%d needles, %d places", len(needles), len(places))
	}
	for _, n := range needles {
		if at := find(n, places); len(at) > 0 {
			t.Errorf("%s is in %s", n.what, strings.Join(at, ", "))
		}
	}
}

// files reads every file under dir.
func files(t *testing.T, dir string) []place {
	t.Helper()
	var all []place
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(all, placeOf(strings.TrimPrefix(path, dir), b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// count returns how many files end so and are not empty.
func count(places []place, suffix string) int {
	n := 0
	for _, p := range places {
		if strings.HasSuffix(p.name, suffix) && len(p.data) > 0 {
			n++
		}
	}
	return n
}

// requests returns what left the browser: each request's line, headers and body,
// the body also as the server reads it. keep says which.
func requests(j *journey, keep func(method, path string) bool) []place {
	var all []place
	for _, q := range j.sent.Requests() {
		u, err := url.Parse(q.URL)
		if err != nil || !keep(q.Method, u.Path) {
			continue
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, "%s %s\n", q.Method, q.URL)
		q.Header.Write(&b)
		b.Write(q.Body)
		if plain, err := url.QueryUnescape(string(q.Body)); err == nil {
			b.WriteString("\n" + plain)
		}
		all = append(all, placeOf(q.Method+" "+u.Path, b.Bytes()))
	}
	return all
}

// codeForms are the case code as people and programs write it.
func (j *journey) codeForms() []needle {
	bare := strings.ReplaceAll(j.code, "-", "")
	return []needle{textNeedle("the case code", j.code), textNeedle("the case code without dashes", bare),
		textNeedle("the case code with spaces", strings.ReplaceAll(j.code, "-", " ")), textNeedle("three groups of the case code", j.code[:14])}
}

// secrets searches what was kept and sent for what must be nowhere.
func (j *journey) secrets(t *testing.T) {
	picture := []needle{
		textNeedle("the file's name", pictureName), textNeedle("the start of the file's name", pictureName[:16]),
		textNeedle("the EXIF description", exifWords), textNeedle("the EXIF comment", exifComment),
		needleOf("the GPS latitude", latitude), needleOf("the GPS longitude", longitude),
	}
	for _, text := range placeText[:2] {
		picture = append(picture, textNeedle("the place as "+text, text))
	}
	chunks := func(what string, b []byte) {
		scan := bytes.Index(b, []byte{0xFF, 0xDA}) // before it, every JPEG has the same tables
		for k := range 24 {
			at := scan + k*(len(b)-scan-32)/23
			picture = append(picture, needleOf(fmt.Sprintf("%s from byte %d", what, at), b[at:at+32]))
		}
	}
	chunks("the picture's file", j.photo)
	person := []needle{textNeedle("the person's IP address", personIP), textNeedle("the forwarded IP address", personForwarded),
		textNeedle("the user agent", personAgent), textNeedle("the start of the user agent", personAgent[:18])}
	kept := [][]needle{picture, person, j.codeForms()}
	for k, c := range j.copies {
		sent := len(picture)
		chunks(fmt.Sprintf("uploaded copy %d", k+1), c)
		kept = append(kept, picture[sent:])
	}

	search := func(t *testing.T, when string) {
		all := files(t, j.dir)
		for _, needles := range kept {
			mustNotFind(t, needles, append(all, placeOf("the log", []byte(j.log.String()))))
		}
		t.Logf("%s: %d files, %d databases, %d write-ahead logs", when, len(all), count(all, ".db"), count(all, "-wal"))
		if count(all, "rempart.db") != 3 {
			t.Errorf("%s: %d databases, want those of the three instances", when, count(all, "rempart.db"))
		}
		// What people wrote is sealed; the reference, which is not, shows that the
		// search finds what is there.
		mustNotFind(t, []needle{textNeedle("the person's words", personWords), textNeedle("the address that she reported", personAddress),
			textNeedle("the decision at the platform", "il est retiré.")}, all)
		mustFind(t, textNeedle("the reference of the case", j.ref), all)
	}
	t.Run("kept while running", func(t *testing.T) {
		if n := count(files(t, j.dir), "-wal"); n == 0 {
			t.Error("no write-ahead log to search: the databases were checkpointed already")
		}
		search(t, "running")
	})
	t.Run("kept after the end", func(t *testing.T) {
		j.stop()
		search(t, "ended")
		mustFind(t, textNeedle("the first word of the log", "rempart: preparing"), []place{placeOf("the log", []byte(j.log.String()))})
	})
	t.Run("sent", j.sentSecrets(picture))
	t.Run("answered", j.answered)
}

// sentSecrets searches every request that left the person's browser.
func (j *journey) sentSecrets(picture []needle) func(*testing.T) {
	return func(t *testing.T) {
		all := requests(j, func(string, string) bool { return true })
		mustNotFind(t, picture, all)
		mustFind(t, textNeedle("the person's words", personWords), all)
		mustFind(t, textNeedle("the user agent", personAgent), all) // which the browser sends and nobody keeps

		// Her code leaves in the body of the two forms that ask for it, and nowhere else.
		asked := func(method, path string) bool {
			return method == "POST" && (path == "/report/confirm" || path == "/follow")
		}
		mustNotFind(t, j.codeForms(), requests(j, func(m, p string) bool { return !asked(m, p) }))
		for _, n := range j.codeForms()[:2] { // the page sends it with dashes; she typed it with spaces
			if n.what == "the case code" {
				mustFind(t, n, requests(j, asked))
			}
		}
		for _, q := range j.sent.Requests() {
			mustNotFind(t, j.codeForms(), []place{placeOf(q.URL, []byte(q.URL+"\n"+fmt.Sprint(q.Header)))})
		}
		if other := j.sent.Elsewhere(j.home); len(other) > 0 {
			t.Errorf("%d requests to others, the first one %s %s", len(other), other[0].Method, other[0].URL)
		}
	}
}

// answered looks at what the hub answered to the person: no cookie, nothing that
// her browser keeps, and the code only where it is shown.
func (j *journey) answered(t *testing.T) {
	all := j.front.all()
	if len(all) == 0 {
		t.Fatal("no answers")
	}
	shown := 0
	for _, a := range all {
		if c := a.header.Values("Set-Cookie"); len(c) > 0 {
			t.Errorf("%s sets a cookie: %v", a.url, c)
		}
		if a.header.Get("Cache-Control") != "no-store" && !strings.HasPrefix(a.url, "/static/") {
			t.Errorf("%s may be kept: Cache-Control %q", a.url, a.header.Get("Cache-Control"))
		}
		if !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: Content-Security-Policy %q", a.url, a.header.Get("Content-Security-Policy"))
		}
		if len(find(j.codeForms()[0], []place{placeOf(a.url, []byte(a.body))})) == 0 {
			continue
		}
		shown++
		if a.url != "/report" && a.url != "/report/confirm" {
			t.Errorf("%s answers with the code", a.url)
		}
	}
	if shown == 0 {
		t.Error("the code is in no answer, and one page shows it: the search is worth nothing")
	}
	var cookies network.GetCookiesResult
	j.tab.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) (err error) {
		cookies, err = cdp.Call(ctx, target, network.GetCookies, network.GetCookiesParams{URLs: []string{j.home + "/", j.home + "/console/", j.Hub + "/"}})
		return err
	}))
	if len(cookies.Cookies) > 0 {
		t.Errorf("her browser keeps %d cookies", len(cookies.Cookies))
	}
	kept := evaluate[string](j.tab, `(async () => [localStorage.length, sessionStorage.length,
		(await caches.keys()).length, (await indexedDB.databases()).length].join(' '))()`)
	if kept != "0 0 0 0" {
		t.Errorf("her browser keeps local, session, cache, database: %s", kept)
	}
}
