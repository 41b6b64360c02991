package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
)

// A journal is a log that a test reads.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// listen has the instance log to a journal.
func (d *desk) listen() *journal {
	j := &journal{}
	d.srv.Log = slog.New(slog.NewTextHandler(j, nil))
	return j
}

// call asks the API, with the key of the forum and the headers given in pairs.
func (d *desk) call(method, path, kind string, body io.Reader, headers ...string) (status int, header http.Header, text string) {
	d.t.Helper()
	r, err := http.NewRequest(method, d.url+path, body)
	d.must(err)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Bearer key-of-the-forum")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if h := r.Header.Get("Host"); h != "" {
		r.Host = h
	}
	a, err := http.DefaultClient.Do(r)
	d.must(err)
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	d.must(err)
	return a.StatusCode, a.Header, string(b)
}

// photoForm returns a multipart body with one file.
func photoForm(t *testing.T, data []byte) (kind string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	p, err := m.CreateFormFile("photo", "a.png")
	if err != nil {
		t.Fatal(err)
	}
	p.Write(data)
	m.Close()
	return m.FormDataContentType(), b.Bytes()
}

// TestMatchTooMany asks for more than may be asked for, in a body that is too
// large and in one that is not: neither takes much memory.
func TestMatchTooMany(t *testing.T) {
	d := newDesk(t, false, true)
	list := func(n int) string {
		return `{"fingerprints":[` + strings.TrimSuffix(strings.Repeat("{},", n), ",") + `]}`
	}
	for _, c := range []struct {
		n    int
		code string
		most uint64
	}{{2_700_000, "match.large", 40 << 20}, {300_000, "match.too_many", 16 << 20}, {1001, "match.too_many", 8 << 20}} {
		body := list(c.n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		status, _, text := d.call("POST", "/api/v1/match", "application/json", strings.NewReader(body))
		runtime.ReadMemStats(&after)
		took := after.TotalAlloc - before.TotalAlloc
		t.Logf("%d fingerprints, %d bytes: %d, %d bytes allocated", c.n, len(body), status, took)
		if status != http.StatusRequestEntityTooLarge || !strings.Contains(text, c.code) || took > c.most {
			t.Errorf("%d fingerprints: %d %s, %d bytes allocated", c.n, status, text, took)
		}
	}
}

// TestUploadsAtOnce fills the places for files: the next one is asked to come
// again, and nothing of it is read.
func TestUploadsAtOnce(t *testing.T) {
	d := newDesk(t, false, true)
	log := d.listen()
	for range cap(d.srv.uploads) {
		d.srv.uploads <- struct{}{}
	}
	kind, body := photoForm(t, []byte("Bonjour."))
	for range 3 {
		status, header, text := d.call("POST", "/api/v1/match", kind, bytes.NewReader(body))
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !strings.Contains(text, "upload.busy") {
			t.Errorf("match: %d, Retry-After %q, %s", status, header.Get("Retry-After"), text)
		}
	}
	if a := d.sit(rempart.RoleModerator).check([]byte("Bonjour.")); a.status != http.StatusServiceUnavailable {
		t.Errorf("check: %d, want 503", a.status)
	}
	if s := log.String(); strings.Contains(s, "ERROR") || strings.Count(s, "\n") != 1 {
		t.Errorf("logged: %s", s)
	}
	<-d.srv.uploads
	if status, _, text := d.call("POST", "/api/v1/match", kind, bytes.NewReader(body)); status != http.StatusUnprocessableEntity {
		t.Errorf("with a place: %d %s", status, text)
	}
	if n := len(d.srv.uploads); n != cap(d.srv.uploads)-1 {
		t.Errorf("%d places are taken afterwards, want %d", n, cap(d.srv.uploads)-1)
	}
}

// TestUploadBreaksOff sends half a file and stalls, or hangs up: neither is our
// error, and the place is given back.
func TestUploadBreaksOff(t *testing.T) {
	for _, stall := range []bool{true, false} {
		d := newDesk(t, false, true)
		log := d.listen()
		if stall {
			d.srv.uploadTime = 300 * time.Millisecond
		}
		kind, body := photoForm(t, bytes.Repeat([]byte{7}, 100_000))
		c, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
		d.must(err)
		defer c.Close()
		fmt.Fprintf(c, "POST /api/v1/match HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer key-of-the-forum\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, len(body), body[:50_000])
		if stall {
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			b := make([]byte, 12)
			if _, err := io.ReadFull(c, b); err != nil || string(b) != "HTTP/1.1 422" {
				t.Errorf("a stalled upload: %q, %v", b, err)
			}
		} else {
			for len(d.srv.uploads) == 0 {
				time.Sleep(time.Millisecond)
			}
			c.Close()
		}
		for end := time.Now().Add(5 * time.Second); len(d.srv.uploads) > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("stall %v: the place is not given back", stall)
			}
		}
		time.Sleep(50 * time.Millisecond)
		if s := log.String(); s != "" {
			t.Errorf("stall %v: logged %s", stall, s)
		}
	}
}

// TestSlowUpload sends a picture in pieces, more slowly than its first deadline
// allows, on a server with a deadline of its own for other requests.
func TestSlowUpload(t *testing.T) {
	d := newDesk(t, false, true)
	d.srv.uploadTime = time.Second
	s := httptest.NewUnstartedServer(d.srv.handler())
	s.Config.ReadTimeout = 500 * time.Millisecond
	s.Start()
	defer s.Close()
	d.url = s.URL
	m := hills(640, 480, false)
	kind, body := photoForm(t, append(asPNG(t, m), make([]byte, 400_000)...))
	in, out := io.Pipe()
	go func() {
		for len(body) > 0 {
			n := min(len(body), 140_000)
			out.Write(body[:n])
			body = body[n:]
			time.Sleep(700 * time.Millisecond)
		}
		out.Close()
	}()
	begun := time.Now()
	if status, _, text := d.call("POST", "/api/v1/match", kind, in); status != http.StatusOK || time.Since(begun) < time.Second {
		t.Errorf("after %v: %d %s", time.Since(begun), status, text)
	}
}

// TestCodesAtOnce takes all look-ups: what is no code is answered all the same,
// and no line is logged for each that is not.
func TestCodesAtOnce(t *testing.T) {
	d := newDesk(t, true, false)
	log := d.listen()
	for range cap(d.srv.lookups) {
		d.srv.lookups <- struct{}{}
	}
	s := d.sit("")
	begun := time.Now()
	for range 50 {
		if a := s.post("/follow", "code", "MAUVAIS"); a.status != http.StatusUnprocessableEntity {
			t.Fatalf("page, no code: %d", a.status)
		}
		if a := s.post("/withdraw", "code", "MAUVAIS"); a.status != http.StatusUnprocessableEntity {
			t.Fatalf("withdrawal, no code: %d", a.status)
		}
		if status, _, text := d.call("POST", "/api/v1/follow-up", "application/json", strings.NewReader(`{"code": "MAUVAIS"}`)); status != 422 || !strings.Contains(text, "code.") {
			t.Fatalf("API, no code: %d %s", status, text)
		}
	}
	if took := time.Since(begun); took > lookupWait {
		t.Errorf("a hundred that are no codes waited: %v", took)
	}
	code := rempart.NewCaseCode().String()
	var wg sync.WaitGroup
	wg.Go(func() {
		if a := s.post("/withdraw", "code", code); a.status != http.StatusServiceUnavailable {
			t.Errorf("a withdrawal while all look-ups are taken: %d", a.status)
		}
	})
	for range 3 {
		wg.Go(func() {
			status, header, text := d.call("POST", "/api/v1/follow-up", "application/json", strings.NewReader(`{"code": "`+code+`"}`))
			if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !strings.Contains(text, "code.busy") {
				t.Errorf("a code while all look-ups are taken: %d %v %s", status, header, text)
			}
		})
	}
	wg.Wait()
	if s := log.String(); strings.Contains(s, "ERROR") || strings.Count(s, "\n") > 1 {
		t.Errorf("logged: %s", s)
	}
	<-d.srv.lookups
	if a := s.post("/follow", "code", code); a.status != http.StatusNotFound {
		t.Errorf("with a place: %d, want 404", a.status)
	}
}

// TestReportKey sends reports under keys that strangers may share.
func TestReportKey(t *testing.T) {
	d := newDesk(t, true, false)
	for key, want := range map[string]int{"": 201, "1": 422, "2026-11-22T10:00:00Z": 422, strings.Repeat("k", 21): 422, "0123456789abcdef012345": 201} {
		status, _, text := d.call("POST", "/api/v1/reports", "application/json", strings.NewReader(`{"words": "Texte fictif d’un essai."}`), "Idempotency-Key", key)
		if status != want || want == 422 && (!strings.Contains(text, "report.key") || !strings.Contains(text, "at random")) {
			t.Errorf("key of %d characters: %d %s", len(key), status, text)
		}
	}
}

// TestNoticeOfAnother asks for a notice of another peer and for one that is not:
// the answers do not tell which.
func TestNoticeOfAnother(t *testing.T) {
	d := newDesk(t, false, true)
	i := d.receive("a", false, d.flagger("aulne", false))
	d.flagger("bouleau", false)
	var answers []string
	for _, id := range []string{i.ID, "0000000000000"} {
		status, _, text := d.call("GET", "/api/v1/notices/"+id, "", nil, "Authorization", "Bearer key-bouleau")
		if status != http.StatusNotFound {
			t.Errorf("%s: %d", id, status)
		}
		answers = append(answers, text)
	}
	if answers[0] != answers[1] {
		t.Errorf("another's: %s\nnone: %s", answers[0], answers[1])
	}
}

// TestDemoHost moves the demo's clock by names that lead to this machine.
func TestDemoHost(t *testing.T) {
	d := newDesk(t, true, false)
	d.srv.Advance = func(time.Duration) time.Time { return d.now }
	s := httptest.NewServer(d.srv.handler())
	defer s.Close()
	d.url = s.URL
	for host, want := range map[string]int{"127.0.0.1:8080": 200, "localhost:8080": 200, "[::1]:8080": 200, "localhost": 200,
		"ailleurs.exemple.test:8080": 403, "127.0.0.1.exemple.test": 403, "192.0.2.7": 403} {
		if status, _, text := d.call("POST", "/demo/clock", "application/json", strings.NewReader(`{"advance": "1h"}`), "Host", host); status != want {
			t.Errorf("%s: %d, want %d: %s", host, status, want, text)
		}
	}
}

// TestDemoButton moves the demo's clock by a button of its pages, from this
// machine, and goes back to a page of ours; elsewhere there is no such door.
func TestDemoButton(t *testing.T) {
	d := newDesk(t, true, false)
	form := "application/x-www-form-urlencoded"
	for _, path := range []string{"/demo/advance", "/demo/clock"} {
		if status, _, _ := d.call("POST", path, form, strings.NewReader("advance=48h"), "Host", "localhost"); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			t.Errorf("%s outside the demo: %d", path, status)
		}
	}
	if _, _, text := d.call("GET", "/", "", nil); strings.Contains(text, "/demo/advance") {
		t.Error("the button is on a page outside the demo")
	}
	var moved time.Duration
	d.srv.Demo, d.srv.Advance = true, func(by time.Duration) time.Time { moved += by; return d.now }
	s := httptest.NewServer(d.srv.handler())
	defer s.Close()
	d.url = s.URL
	if _, _, text := d.call("GET", "/how", "", nil); !strings.Contains(text, `value="48h"`) || !strings.Contains(text, `name="back" value="/how"`) {
		t.Error("the page has no button")
	}
	if status, _, _ := d.call("POST", "/demo/advance", form, strings.NewReader("advance=48h"), "Host", "ailleurs.exemple.test"); status != http.StatusForbidden || moved != 0 {
		t.Errorf("from elsewhere: %d, moved %s", status, moved)
	}
	if status, _, _ := d.call("POST", "/demo/advance", form, strings.NewReader("advance=-48h"), "Host", "localhost"); status != http.StatusUnprocessableEntity || moved != 0 {
		t.Errorf("backwards: %d, moved %s", status, moved)
	}
	for back, want := range map[string]string{"/how": "/how", "//ailleurs.exemple.test": "/", "https://ailleurs.exemple.test": "/", `/\ailleurs.exemple.test`: "/"} {
		r := httptest.NewRequest("POST", "http://localhost/demo/advance", strings.NewReader("advance=48h&back="+url.QueryEscape(back)))
		r.Header.Set("Content-Type", form)
		w := httptest.NewRecorder()
		d.srv.handler().ServeHTTP(w, r)
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != want {
			t.Errorf("back to %s: %d, %q, want %q", back, w.Code, got, want)
		}
	}
	if moved != 4*48*time.Hour {
		t.Errorf("moved %s", moved)
	}
}

// TestPanic has handlers panic: the answer says so, the log says where, and
// neither says with what.
func TestPanic(t *testing.T) {
	d := newDesk(t, true, false)
	for _, path := range []string{"/report", "/api/v1/match", "/console/"} {
		log := d.listen()
		h := d.srv.headers(d.srv.recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("MARQUE") })))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", path, strings.NewReader("MARQUE")))
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "MARQUE") || w.Body.Len() == 0 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if s := log.String(); strings.Count(s, "\n") != 1 || !strings.Contains(s, "panicked with a string") || !strings.Contains(s, "TestPanic") || strings.Contains(s, "MARQUE") || strings.Contains(s, "192.0.2.1") {
			t.Errorf("%s: logged %s", path, s)
		}
	}
	s := httptest.NewServer(d.srv.recovered(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(make([]byte, 1<<20))
		panic("MARQUE")
	})))
	defer s.Close()
	a, err := http.Get(s.URL)
	if err == nil {
		_, err = io.ReadAll(a.Body)
		a.Body.Close()
	}
	if err == nil {
		t.Error("half an answer passes for a whole one")
	}
}

// TestAskWithoutStop asks for a listed picture twice: once without counting.
func TestAskWithoutStop(t *testing.T) {
	d := newDesk(t, false, true)
	photo := asPNG(t, hills(640, 480, false))
	found, err := d.flow.CheckFile(context.Background(), bytes.NewReader(photo), flow.Upload{})
	d.must(err)
	d.must(d.db.Commit(context.Background(), "", rempart.Consequences{Entries: []rempart.EntryChange{
		{Entry: rempart.Entry{ID: "e1", List: "ncii-adult", Fingerprint: rempart.Fingerprint{Type: rempart.SHA256, Value: found.SHA256}, State: rempart.EntryActive, CaseRef: "7F3K-9QXM", ItemID: "i1", Since: d.now}},
	}}))
	time.Sleep(20 * time.Millisecond) // a node answers from what it read at most 10 ms ago
	kind, body := photoForm(t, photo)
	for _, c := range []struct {
		query         string
		status, stops int
		says          bool // the operator noted that this platform stops what is to be stopped
	}{{"?stopped=false", 200, 0, true}, {"?stopped=peut-être", 422, 0, true}, {"", 200, 0, false}, {"", 200, 1, true}, {"?stopped=true", 200, 2, false}} {
		d.must(d.db.PutPeer(context.Background(), rempart.Peer{ID: forum, Name: "Forum", Kind: rempart.PeerPlatform, Stops: c.says, CreatedAt: d.now}, "", nil))
		status, _, text := d.call("POST", "/api/v1/match"+c.query, kind, bytes.NewReader(body))
		if status != c.status || status == 200 && !strings.Contains(text, "7F3K-9QXM") {
			t.Errorf("%q: %d %s", c.query, status, text)
		}
		events, err := d.db.Events(context.Background(), "e1")
		d.must(err)
		stops := 0
		for _, e := range events {
			if e.Kind == "upload.stopped" {
				stops++
			}
		}
		if stops != c.stops {
			t.Errorf("%q: %d stops, want %d", c.query, stops, c.stops)
		}
	}
}

// TestDocument reads the API's document as who writes a client does.
func TestDocument(t *testing.T) {
	d := newDesk(t, true, true)
	_, _, text := d.call("GET", "/api/openapi.json", "", nil)
	var doc struct {
		Paths map[string]map[string]struct {
			Description string
			Parameters  []struct{ Name, In string }
			Responses   map[string]struct {
				Content map[string]struct{ Schema map[string]any }
			}
		}
	}
	d.must(json.Unmarshal([]byte(text), &doc))
	operations := 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			operations++
			if !strings.Contains(op.Description, "key") {
				t.Errorf("%s %s: the description says nothing of a key: %q", method, path, op.Description)
			}
			if op.Responses["default"].Content["application/problem+json"].Schema == nil {
				t.Errorf("%s %s: no schema of problems", method, path)
			}
			names := ""
			for _, p := range op.Parameters {
				names += p.In + ":" + p.Name + " "
			}
			for _, want := range map[string][]string{"/api/v1/match": {"header:Idempotency-Key", "query:stopped"}, "/api/v1/reports": {"header:Idempotency-Key"}}[path] {
				if !strings.Contains(names, want+" ") {
					t.Errorf("%s %s: parameters %s, want %s", method, path, names, want)
				}
			}
			if path == "/api/v1/notices" && !strings.Contains(names, "header:Idempotency-Key ") {
				t.Errorf("%s: parameters %s", path, names)
			}
		}
	}
	if operations < 7 {
		t.Errorf("%d operations", operations)
	}
}
