package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// plain is a client without cookies, as a program of the person.
var plain = &http.Client{Timeout: time.Minute}

// answer is what a server answered.
type answer struct {
	status int
	header http.Header
	body   string
	url    string // after redirects
}

func send(t testing.TB, c *http.Client, q *http.Request) answer {
	t.Helper()
	r, err := c.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{r.StatusCode, r.Header, string(b), r.Request.URL.String()}
}

func request(t testing.TB, method, url, kind string, body io.Reader) *http.Request {
	t.Helper()
	q, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		q.Header.Set("Content-Type", kind)
	}
	return q
}

// postJSON sends v, or v itself if it is a string. headers are names and values.
func postJSON(t testing.TB, url string, v any, headers ...string) answer {
	t.Helper()
	body, isText := v.(string)
	if !isText {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		body = string(b)
	}
	q := request(t, "POST", url, "application/json", strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	return send(t, plain, q)
}

// into reads a JSON answer of the status that is wanted.
func into[T any](t testing.TB, a answer, status int) T {
	t.Helper()
	var v T
	if a.status != status {
		t.Fatalf("%s: status %d, want %d: %s", a.url, a.status, status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%s: %v: %s", a.url, err, a.body)
	}
	return v
}

// A staff is a member of the staff who works with a program in place of a
// browser.
type staff struct {
	t      testing.TB
	base   string // http://host:port
	client *http.Client
}

// signIn spends a one-time link.
func signIn(t testing.TB, link string) *staff {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	s := &staff{t, u.Scheme + "://" + u.Host, &http.Client{Jar: jar, Timeout: time.Minute}}
	if a := s.get(u.RequestURI()); a.status != 200 || len(s.cookies()) != 1 {
		t.Fatalf("signing in: status %d, %d cookies: %s", a.status, len(s.cookies()), a.body)
	}
	return s
}

func (s *staff) cookies() []*http.Cookie {
	u, err := url.Parse(s.base + "/console/")
	if err != nil {
		s.t.Fatal(err)
	}
	return s.client.Jar.Cookies(u)
}

func (s *staff) get(path string) answer {
	s.t.Helper()
	return send(s.t, s.client, request(s.t, "GET", s.base+path, "", nil))
}

// post sends a form and ends the test unless the answer is a page with status 200.
func (s *staff) post(path string, form url.Values) answer {
	s.t.Helper()
	a := send(s.t, s.client, request(s.t, "POST", s.base+path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode())))
	if a.status != 200 {
		s.t.Fatalf("POST %s: status %d: %s", path, a.status, words(a.body))
	}
	return a
}

// until asks for a page until it holds what a pattern finds, and returns what
// its group holds.
func (s *staff) until(path, pattern string) string {
	s.t.Helper()
	re := regexp.MustCompile(pattern)
	var a answer
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		a = s.get(path)
		if m := re.FindStringSubmatch(a.body); m != nil {
			return m[len(m)-1]
		}
	}
	s.t.Fatalf("%s: no %s after %v: %s", path, pattern, patience, words(a.body))
	return ""
}

// cases returns the references of all cases, by reading every page of the queue.
func (s *staff) cases() map[string]bool {
	s.t.Helper()
	ref := regexp.MustCompile(`/console/cases/([0-9A-Z]{4}-[0-9A-Z]{4})"`)
	next := regexp.MustCompile(`href="(/console/\?[^"]*after=[^"]*)"`)
	all := map[string]bool{}
	for _, page := range []string{"/console/", "/console/?state=closed"} {
		for seen := map[string]bool{}; page != "" && !seen[page]; {
			seen[page] = true
			a := s.get(page)
			for _, m := range ref.FindAllStringSubmatch(a.body, -1) {
				all[m[1]] = true
			}
			page = ""
			for _, m := range next.FindAllStringSubmatch(a.body, -1) {
				page = strings.ReplaceAll(m[1], "&amp;", "&")
			}
		}
	}
	if len(all) == 0 {
		s.t.Fatal("no cases in the console")
	}
	return all
}

// A reported is a report that was sent by a program.
type reported struct{ code, receipt, ref string }

var refInReceipt = regexp.MustCompile(`reference ([0-9A-Z]{4}-[0-9A-Z]{4})`)

// report sends a report by the API, under a key of its own unless one is given.
func report(t testing.TB, hub string, body map[string]any, key string) reported {
	t.Helper()
	var headers []string
	if key != "" {
		headers = []string{"Idempotency-Key", key}
	}
	a := into[struct{ Code, Receipt string }](t, postJSON(t, hub+"/api/v1/reports", body, headers...), 201)
	ref := refInReceipt.FindStringSubmatch(a.Receipt)
	if a.Code == "" || ref == nil {
		t.Fatalf("no code or no reference: %+v", a)
	}
	return reported{a.Code, a.Receipt, ref[1]}
}

// followed is what the API says of a report.
type followed struct {
	Status  string
	Stopped int
	Items   []struct {
		Kind, State, Sentence string
		Stopped               int
	}
}

func follow(t testing.TB, hub, code string) followed {
	t.Helper()
	return into[followed](t, postJSON(t, hub+"/api/v1/follow-up", map[string]string{"code": code}), 200)
}

// followUntil asks until done says so.
func followUntil(t testing.TB, hub, code, what string, done func(followed) bool) followed {
	t.Helper()
	var f followed
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if f = follow(t, hub, code); done(f) {
			return f
		}
	}
	t.Fatalf("not %s after %v: %+v", what, patience, f)
	return f
}

// states tells whether items of each of these states are there.
func (f followed) has(states ...string) bool {
	for _, state := range states {
		found := false
		for _, i := range f.Items {
			found = found || i.State == state
		}
		if !found {
			return false
		}
	}
	return true
}

// draft confirms the first qualification of a case, and each fingerprint, and
// prepares a notice of all its addresses on a service. It returns the notice's
// path.
func (s *staff) draft(ref, service string) string {
	s.t.Helper()
	at := "/console/cases/" + ref
	qualification := s.until(at, `(/console/cases/`+ref+`/qualifications/[^"?]*)`)
	s.post(qualification, url.Values{"action": {"confirm"}})
	page := s.get(at).body
	for _, form := range regexp.MustCompile(`(?s)<form method="post" action="(`+at+`/items/[^"?]*)"[^>]*>.{0,40}<button[^>]*value="confirm"`).FindAllStringSubmatch(page, -1) {
		s.post(form[1], url.Values{"action": {"confirm"}})
	}
	items := url.Values{"service": {service}}
	for _, m := range regexp.MustCompile(`name="item" value="([^"]*)"`).FindAllStringSubmatch(s.get(at).body, -1) {
		items.Add("item", m[1])
	}
	if len(items["item"]) == 0 {
		s.t.Fatalf("case %s has no address to notify: %s", ref, words(page))
	}
	u, err := url.Parse(s.post(at+"/notices", items).url)
	if err != nil || !strings.HasPrefix(u.Path, at+"/notices/") {
		s.t.Fatalf("no draft: %v %v", u, err)
	}
	return u.Path
}

// notify drafts and sends a notice, and waits for the platform's receipt. It
// returns the notice's path and the number that the platform gave it.
func (s *staff) notify(ref, service string) (path, number string) {
	s.t.Helper()
	path = s.draft(ref, service)
	s.post(path, url.Values{"action": {"send"}, "good_faith": {"yes"}})
	return path, s.until(path, `(N-[0-9A-Z]{4}-[0-9A-Z]{4})`)
}

// decide decides the items of a notice received, in order, one measure each.
func (s *staff) decide(number string, measures ...string) {
	s.t.Helper()
	at := "/console/notices/" + number
	forms := regexp.MustCompile(`action="(`+at+`/items/[^"?]*)`).FindAllStringSubmatch(s.get(at).body, -1)
	if len(forms) < len(measures) {
		s.t.Fatalf("%s has %d items to decide, want %d", at, len(forms), len(measures))
	}
	for k, measure := range measures {
		form := url.Values{
			"measure": {measure}, "ground": {"law"}, "reference": {"Code pénal, art. 226-8-1"}, "scope": {"EU"}, "redress": {"complaint", "court"},
			"facts":       {"Notification d’un signaleur, examinée par une personne."},
			"explanation": {"Le contenu a été comparé aux faits décrits dans la notification."},
		}
		if measure == "restricted" {
			form.Set("restriction", "visibility.demoted")
		}
		s.post(forms[k][1], form)
	}
}

// multipartFile is a form with one file.
func multipartFile(t testing.TB, name string, data []byte) (body *bytes.Buffer, kind string) {
	t.Helper()
	body = new(bytes.Buffer)
	w := multipart.NewWriter(body)
	part, err := w.CreateFormFile("photo", name)
	if err != nil {
		t.Fatal(err)
	}
	part.Write(data)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return body, w.FormDataContentType()
}

// matched is what POST /api/v1/match answers.
type matched struct {
	Results []struct {
		Type, Value, Note string
		Quality           int
		Matches           []struct {
			List, Type, Form, Class, Action string
			Distance                        int
		}
	}
}

// upload asks a platform whether a file is listed, as its own upload path would.
func upload(t testing.TB, platform, apiKey, idempotencyKey string, data []byte) answer {
	t.Helper()
	body, kind := multipartFile(t, "depot.jpg", data)
	q := request(t, "POST", platform+"/api/v1/match", kind, body)
	q.Header.Set("Authorization", "Bearer "+apiKey)
	q.Header.Set("Idempotency-Key", idempotencyKey)
	return send(t, plain, q)
}
