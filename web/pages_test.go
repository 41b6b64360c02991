package web

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rempart"
)

// void are the elements without an end tag.
var void = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "path"}

var (
	tagForm  = regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[^\s=>/]+(?:="[^"]*")?)*)\s*(/?)>`)
	attrForm = regexp.MustCompile(`([^\s=>/]+)(?:="([^"]*)")?`)
)

// wellFormed checks what a page must be for every reader: elements closed in
// order, identifiers unique, labels, descriptions and fragments that lead
// somewhere, one first heading and no level left out, each field named.
func wellFormed(t *testing.T, name, body string) {
	t.Helper()
	if !strings.HasPrefix(body, "<!doctype html>\n<html lang=\"") {
		t.Errorf("%s: no doctype and language first", name)
	}
	var open []string
	ids, refs := map[string]int{}, map[string]string{}
	level := 0
	for _, m := range tagForm.FindAllStringSubmatch(body, -1) {
		end, tag := m[1] == "/", strings.ToLower(m[2])
		attr := map[string]string{}
		for _, a := range attrForm.FindAllStringSubmatch(m[3], -1) {
			attr[a[1]] = a[2]
		}
		if id := attr["id"]; id != "" {
			ids[id]++
		}
		for _, by := range []string{"for", "aria-describedby", "aria-labelledby"} {
			for _, id := range strings.Fields(attr[by]) {
				refs[id] = by
			}
		}
		if id, ok := strings.CutPrefix(attr["href"], "#"); ok {
			refs[id] = "href"
		}
		if len(tag) == 2 && tag[0] == 'h' && tag[1] >= '1' && tag[1] <= '6' && !end {
			n := int(tag[1] - '0')
			if n > level+1 || n == 1 && level != 0 {
				t.Errorf("%s: heading %s after level %d", name, tag, level)
			}
			level = n
		}
		if tag == "input" && attr["type"] == "file" && (attr["name"] != "" || strings.Contains(m[3], " name")) {
			t.Errorf("%s: the file input has a name, so the browser would send the file", name)
		}
		switch {
		case slices.Contains(void, tag):
		case !end:
			open = append(open, tag)
		case len(open) == 0 || open[len(open)-1] != tag:
			t.Fatalf("%s: </%s> closes %v", name, tag, open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 || level == 0 {
		t.Errorf("%s: left open: %v; last heading level %d", name, open, level)
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s: %d elements have the id %q", name, n, id)
		}
	}
	for id, by := range refs {
		if ids[id] == 0 {
			t.Errorf("%s: %s names %q, which is not there", name, by, id)
		}
	}
}

// TestPersonPages holds every page of the person, in both languages, to what is
// true of all of them.
func TestPersonPages(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit("")
	for _, to := range []string{"/", "/minor", "/report", "/report?for=minor", "/follow", "/withdraw", "/how", "/nowhere"} {
		for _, lang := range langs {
			s.lang = lang
			a := s.get(to)
			want := http.StatusOK
			if to == "/nowhere" {
				want = http.StatusNotFound
			}
			if a.status != want {
				t.Errorf("GET %s in %s: %d, want %d", to, lang, a.status, want)
			}
			name := to + " " + lang
			wellFormed(t, name, a.body)
			personPage(t, name, a)
			a.want(t, `<html lang="`+lang+`"`, "data-leave")
		}
	}
}

// personPage checks what no page of the person may do.
func personPage(t *testing.T, name string, a answer) {
	t.Helper()
	for what, re := range never {
		if what == "a link out of the console" {
			continue // the way out, and the help lines
		}
		if at := re.FindStringIndex(a.body); at != nil {
			t.Errorf("%s holds %s: %s", name, what, a.body[max(0, at[0]-40):min(len(a.body), at[1]+60)])
		}
	}
	if a.head.Get("Set-Cookie") != "" {
		t.Errorf("%s sets a cookie", name)
	}
}

// TestHeaders holds the headers on the wire to the letter: of a page, an error,
// a static file with and without its version, and the API.
func TestHeaders(t *testing.T) {
	d := newDesk(t, true, false)
	s := d.sit("")
	p := page{pages: d.srv.pages}
	all := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; worker-src 'self'; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"Referrer-Policy":              "same-origin",
		"X-Content-Type-Options":       "nosniff",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Set-Cookie":                   "",
		"Server":                       "",
	}
	for _, c := range []struct {
		path, cache, kind string
		status            int
	}{
		{"/", "no-store", "text/html; charset=utf-8", 200},
		{"/nowhere", "no-store", "text/html; charset=utf-8", 404},
		{"/report", "no-store", "text/html; charset=utf-8", 200},
		{"/report?for=minor", "no-store", "text/html; charset=utf-8", 200},
		{"/api/v1/nowhere", "no-store", "application/problem+json", 404},
		{p.Asset("css/rempart.css"), "public, max-age=31536000, immutable", "text/css; charset=utf-8", 200},
		{p.Asset("js/report.js"), "public, max-age=31536000, immutable", "text/javascript; charset=utf-8", 200},
		{"/static/js/fingerprint.js", "no-cache", "text/javascript; charset=utf-8", 200},
		{"/static/0123456789ab/js/worker.js", "no-cache", "text/javascript; charset=utf-8", 200},
		{p.Asset("img/rempart.svg"), "public, max-age=31536000, immutable", "image/svg+xml", 200},
		{"/static/", "no-store", "text/html; charset=utf-8", 404},
		{"/static/js", "no-store", "text/html; charset=utf-8", 404},
		{"/static/%2e%2e/templates/layout.html", "no-store", "text/html; charset=utf-8", 404},
	} {
		a := s.get(c.path)
		if a.status != c.status || a.head.Get("Cache-Control") != c.cache || a.head.Get("Content-Type") != c.kind {
			t.Errorf("GET %s: %d, %s, %s; want %d, %s, %s", c.path, a.status, a.head.Get("Cache-Control"), a.head.Get("Content-Type"), c.status, c.cache, c.kind)
		}
		for name, want := range all {
			if name == "Content-Security-Policy" && c.path == "/report" {
				want += "; media-src blob:" // images of a video that was chosen on that page
			}
			if got := a.head.Get(name); got != want {
				t.Errorf("GET %s: %s is %q, want %q", c.path, name, got, want)
			}
		}
		denied := a.head.Get("Permissions-Policy")
		for _, f := range []string{"camera=()", "microphone=()", "geolocation=()", "display-capture=()"} {
			if !strings.Contains(denied, f) {
				t.Errorf("GET %s: Permissions-Policy lacks %s", c.path, f)
			}
		}
	}
}

// TestTemplates looks at the sources of all pages, console and platform too: a
// branch that no test renders may hold nothing that the policy forbids.
func TestTemplates(t *testing.T) {
	n := 0
	err := fs.WalkDir(embedded, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		n++
		for what, re := range map[string]*regexp.Regexp{
			"a style":          regexp.MustCompile(`(?i)<style\b|\sstyle\s*=`),
			"an event handler": regexp.MustCompile(`(?i)\son[a-z]+\s*=`),
			"an inline script": regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>\s*[^<\s]`),
			"a script address": regexp.MustCompile(`(?i)javascript:`),
			"bare words":       regexp.MustCompile(`>[^<{}]*[a-zàéè]{3,}[^<{}]*<`), // every sentence is in the catalogues
		} {
			text := regexp.MustCompile(`{{[^}]*}}|<(?:code|pre|kbd|span translate="no"|span class="mono")[^>]*>[^<]*</(?:code|pre|kbd|span)>|pdq |<a href="/[a-z/.]+">[a-z/]+\.js(on)?</a>`).ReplaceAllString(string(b), "")
			if what != "bare words" {
				text = string(b)
			}
			if at := re.FindString(text); at != "" {
				t.Errorf("%s holds %s: %s", name, what, at)
			}
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Fatalf("%d templates, %v", n, err)
	}
}

// verbs returns the verbs of a sentence, sorted by the argument they take.
func verbs(sentence string) string {
	var out []string
	next := 1
	for _, m := range regexp.MustCompile(`%(?:\[(\d+)\])?([a-z%])`).FindAllStringSubmatch(sentence, -1) {
		if m[2] == "%" {
			continue
		}
		if m[1] != "" {
			next, _ = strconv.Atoi(m[1])
		}
		out = append(out, fmt.Sprintf("%d%s", next, m[2]))
		next++
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}

// TestCatalogues checks that both languages have the same keys, once, with the
// same verbs, and are written as each language is.
func TestCatalogues(t *testing.T) {
	c, err := loadCatalogues(embedded)
	if err != nil {
		t.Fatal(err)
	}
	if len(c["fr"]) < 200 {
		t.Fatalf("%d sentences", len(c["fr"]))
	}
	for _, lang := range langs {
		other := langs[0]
		if lang == other {
			other = langs[1]
		}
		for key, sentence := range c[lang] {
			translated, ok := c[other][key]
			if !ok {
				t.Errorf("%s: in %s, not in %s", key, lang, other)
				continue
			}
			if verbs(sentence) != verbs(translated) && !strings.HasSuffix(key, ".one") {
				t.Errorf("%s: verbs %q in %s, %q in %s", key, verbs(sentence), lang, verbs(translated), other)
			}
			if joint := strings.HasSuffix(key, ".separator") || strings.HasSuffix(key, ".colon"); strings.TrimSpace(sentence) == "" || !joint && sentence != strings.TrimSpace(sentence) {
				t.Errorf("%s (%s): empty, or space around it: %q", key, lang, sentence)
			}
			for what, re := range wrongType[lang] {
				if at := re.FindString(regexp.MustCompile(`https?://\S*|\{[a-z]+\}`).ReplaceAllString(sentence, "x")); at != "" {
					t.Errorf("%s (%s): %s in %q", key, lang, what, sentence)
				}
			}
		}
	}
}

// wrongType is what each language's typography forbids.
var wrongType = map[string]map[string]*regexp.Regexp{
	"fr": {
		"a straight quote":          regexp.MustCompile(`["'“”]`),
		"no hard space before":      regexp.MustCompile(`[^\x{a0}\x{202f}?!][;?!»]|[^\x{a0}\x{202f}0-9h]:(?:\s|$)`),
		"no hard space after":       regexp.MustCompile(`«[^\x{a0}\x{202f}]`),
		"three dots":                regexp.MustCompile(`\.\.\.`),
		"two spaces":                regexp.MustCompile(`  `),
		"an exclamation mark":       regexp.MustCompile(`!`),
		"thousands without a space": regexp.MustCompile(`\b\d{5,}\b`),
	},
	"en": {
		"a straight quote":     regexp.MustCompile(`["']`),
		"a space before":       regexp.MustCompile(`\s[;:?!,.](?:\s|$)`),
		"three dots":           regexp.MustCompile(`\.\.\.`),
		"two spaces":           regexp.MustCompile(`  `),
		"an exclamation mark":  regexp.MustCompile(`!`),
		"French quotation":     regexp.MustCompile(`[«»]`),
		"a French hard space":  regexp.MustCompile(`\x{202f}`),
		"thousands without, a": regexp.MustCompile(`\b\d{5,}\b`),
	},
}

// TestCatalogueKeysOnce reads the files token by token, as a key written twice
// in one object would hide the first.
func TestCatalogueKeysOnce(t *testing.T) {
	files, err := fs.Glob(embedded, "i18n/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d catalogues, %v", len(files), err)
	}
	for _, name := range files {
		f, err := embedded.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		d, seen, isKey := json.NewDecoder(f), map[string]bool{}, true
		for {
			tok, err := d.Token()
			if err != nil {
				break
			}
			s, ok := tok.(string)
			if !ok {
				continue
			}
			if isKey && seen[s] {
				t.Errorf("%s: %q twice", path.Base(name), s)
			}
			if isKey {
				seen[s] = true
			}
			isKey = !isKey
		}
		f.Close()
	}
}

// TestErrorSentences finds the codes of errors in the sources of the domain,
// the flow and the store, and checks that each has its sentence.
func TestErrorSentences(t *testing.T) {
	c, err := loadCatalogues(embedded)
	if err != nil {
		t.Fatal(err)
	}
	codes := errorCodes(t, "..")
	if len(codes) < 40 {
		t.Fatalf("found %d codes in the domain's sources; the search is broken", len(codes))
	}
	for _, code := range codes {
		for _, lang := range langs {
			if c[lang]["err."+code] == "" {
				t.Errorf("%s: no sentence err.%s", lang, code)
			}
		}
	}
}

// errorCodes returns the codes in a folder's sources: the field Code of an
// Error, the arguments of add, conflict and notFound, and the third value of a
// Missing.
func errorCodes(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d sources in %s, %v", len(files), dir, err)
	}
	var out []string
	note := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && s != "" {
				out = append(out, s)
			}
		}
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				kind, _ := n.Type.(*ast.Ident)
				if kind == nil {
					break
				}
				for i, e := range n.Elts {
					kv, keyed := e.(*ast.KeyValueExpr)
					switch {
					case keyed && kind.Name == "Error":
						if id, ok := kv.Key.(*ast.Ident); ok && id.Name == "Code" {
							note(kv.Value)
						}
					case !keyed && kind.Name == "Missing" && i == 2:
						note(e)
					}
				}
			case *ast.CallExpr:
				switch f := n.Fun.(type) {
				case *ast.SelectorExpr:
					if f.Sel.Name == "add" && len(n.Args) >= 3 {
						note(n.Args[1])
					}
				case *ast.Ident:
					if len(n.Args) == 0 {
						break
					}
					if f.Name == "conflict" {
						note(n.Args[0])
					}
					if lit, ok := n.Args[0].(*ast.BasicLit); f.Name == "notFound" && ok {
						note(&ast.BasicLit{Kind: token.STRING, Value: strings.TrimSuffix(lit.Value, `"`) + `.missing"`})
					}
				}
			}
			return true
		})
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestLanguage checks which language answers: the switch, then the browser's,
// then French; and that links keep a switch that was used.
func TestLanguage(t *testing.T) {
	d := newDesk(t, true, false)
	for _, c := range []struct{ accept, query, want string }{
		{"", "", "fr"}, {"en-GB,en;q=0.9", "", "en"}, {"fr-CA", "", "fr"}, {"de,en;q=0.5", "", "en"}, {"de", "", "fr"},
		{"en", "?lang=fr", "fr"}, {"fr", "?lang=en", "en"}, {"fr", "?lang=xx", "fr"}, {";;;", "", "fr"},
	} {
		s := d.sit("")
		s.lang = c.accept
		a := s.get("/" + c.query)
		a.want(t, `<html lang="`+c.want+`"`)
		if kept := strings.Contains(a.body, `href="/report?lang=`+c.want+`"`); kept != (c.query != "" && c.query != "?lang=xx") {
			t.Errorf("%+v: the links keep the language: %v", c, kept)
		}
	}
}

// TestSentences checks numbers, plurals and dates in both languages.
func TestSentences(t *testing.T) {
	ps, err := loadPages()
	if err != nil {
		t.Fatal(err)
	}
	fr, en := page{Lang: "fr", pages: ps}, page{Lang: "en", pages: ps}
	at := time.Date(2026, 7, 31, 22, 5, 0, 0, time.UTC) // already August in Paris
	for _, c := range []struct{ got, want string }{
		{fr.Date(at), "1er\u00a0août\u00a02026"},
		{en.Date(at), "1\u00a0August\u00a02026"},
		{fr.DateTime(at), "1er\u00a0août\u00a02026 à\u00a00\u00a0h\u00a005"},
		{en.DateTime(at), "1\u00a0August\u00a02026 at\u00a000:05"},
		{fr.Date(time.Time{}), ""},
		{fr.N("follow.stops", 1), "D’après les plateformes, une copie a été arrêtée au moment de l’envoi."},
		{fr.N("follow.stops", 1200), "D’après les plateformes, 1\u202f200 copies ont été arrêtées au moment de l’envoi."},
		{en.N("follow.stops", 1200), "According to platforms, 1,200 copies were stopped as they were being uploaded."},
		{fr.N("follow.stops", 0), "D’après les plateformes, une copie a été arrêtée au moment de l’envoi."}, // 0 is singular in French
		{en.N("follow.stops", 0), "According to platforms, 0 copies were stopped as they were being uploaded."},
		{fr.T("no.such.key"), "no.such.key"},
		{fmt.Sprint(number{-1234567, "en"}), "-1,234,567"},
		{fmt.Sprint(number{-123, "en"}), "-123"},
		{fr.Problem(&rempart.Error{Code: "none.such", Public: "In English."}), "In English."},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// TestTone checks that the person is told nothing in words that blame or label.
func TestTone(t *testing.T) {
	for _, lang := range langs {
		b, err := embedded.ReadFile("i18n/person." + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"invalid", "victim", "erreur", "error", "échec", "failed", "échoué", "urgent"} {
			var m map[string]string
			if err := json.Unmarshal(b, &m); err != nil || len(m) == 0 {
				t.Fatalf("%d sentences, %v", len(m), err)
			}
			for key, sentence := range m {
				if strings.Contains(strings.ToLower(sentence), word) {
					t.Errorf("%s (%s) says %q: %s", key, lang, word, sentence)
				}
			}
		}
	}
}
