package flow_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart/exchange"
	"rempart/store"
)

var store200 = store.QueueFilter{Limit: 200}

// A far is a platform or hub with teeth: it fails the test when it is told
// the same thing in two ways, or told what it already answered for or decided.
// How it answers is the test's to say: see faults.
type far struct {
	t *testing.T
	*httptest.Server

	mu      sync.Mutex
	told    map[string]*told // by notice, or by webhook identifier
	keys    map[string]string
	closed  map[string]bool // notices that were decided or cancelled
	answers []fault         // for the next requests; then all are answered well
	tries   int
}

// told is one thing that the far side was told.
type told struct {
	body     string
	times    int
	answered bool // with its receipt: telling it again would be a mistake
	number   string
}

func newFar(t *testing.T) *far {
	f := &far{t: t, told: map[string]*told{}, keys: map[string]string{}, closed: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/notices", f.notice)
	mux.HandleFunc("POST /api/v1/callbacks", f.callback)
	mux.HandleFunc("POST /api/v1/notices/{number}/reminders", f.reminder)
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("far side was asked %s %s", r.Method, r.URL.Path)
	})
	f.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		f.Server.CloseClientConnections()
		f.Server.Close()
	})
	return f
}

// will sets how the next requests are answered.
func (f *far) will(answers ...fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers = answers
}

// wasTold tells whether the far side was told anything.
func (f *far) wasTold() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.told) > 0
}

// decided says that a notice is over: nothing more may be said of it.
func (f *far) decided(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed[id] = true
}

func (f *far) notice(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // our side gave up
	}
	if got := r.Header.Get("Authorization"); got != "Bearer "+keyAtPlatform {
		f.t.Errorf("Authorization: %q", got)
	}
	var n exchange.Notice
	if err := json.Unmarshal(body, &n); err != nil || n.ID == "" {
		f.t.Errorf("notice %q: %v", body, err)
	}
	f.take(w, r, n.ID, r.Header.Get("Idempotency-Key"), string(body))
}

func (f *far) callback(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	_, id, err := exchange.ReadCallback(secret, r.Header, body)
	if err != nil {
		f.t.Errorf("callback: %v", err)
	}
	f.take(w, r, id, id, string(body))
}

// take holds what is told against what was told before, then answers as the
// test says.
func (f *far) take(w http.ResponseWriter, r *http.Request, id, key, body string) {
	f.mu.Lock()
	f.tries++
	if of, ok := f.keys[key]; key == "" || ok && of != id {
		f.t.Errorf("key %q for %s, before for %s", key, id, of)
	}
	for k, of := range f.keys {
		if of == id && k != key {
			f.t.Errorf("%s was told under the keys %q and %q", id, k, key)
		}
	}
	f.keys[key] = id
	if f.closed[id] {
		f.t.Errorf("%s was told after it was decided or cancelled", id)
	}
	x := f.told[id]
	if x != nil && x.body != body {
		f.t.Errorf("%s was told again with another body:\n%s\n%s", id, x.body, body)
	}
	if x != nil && x.answered {
		f.t.Errorf("%s was told again after its receipt", id)
	}
	answer := fine
	if len(f.answers) > 0 {
		answer, f.answers = f.answers[0], f.answers[1:]
	}
	if answer.stores {
		if x == nil {
			x = &told{body: body, number: fmt.Sprintf("N-%d", len(f.told)+1)}
			f.told[id] = x
		}
		x.times++
		x.answered = answer.name == "fine"
	}
	f.mu.Unlock()
	receipt := ""
	if x != nil {
		receipt = fmt.Sprintf(`{"id":"x","number":%q,"state":"received"}`, x.number)
	}
	answer.answer(w, r, receipt)
}

// A fault is a way for a delivery to go wrong. Where it stores, it happened all
// the same: the far side has what it was told.
type fault struct {
	name   string
	stores bool
	answer func(w http.ResponseWriter, r *http.Request, receipt string)

	human  bool          // trying again cannot help: given to a human at once
	after  time.Duration // the far side asked to be left alone so long
	taken  bool          // for a callback, which has no receipt, this is success
	pair   bool          // met together with each other one of these
	status int           // noted with the attempt; 0: no answer
}

func status(code int, body string) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

var fine = fault{name: "fine", stores: true, answer: func(w http.ResponseWriter, _ *http.Request, receipt string) {
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, receipt)
}}

// cut breaks the connection.
func cut(http.ResponseWriter, *http.Request, string) { panic(http.ErrAbortHandler) }

// silence says nothing until the other side gives up.
func silence(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() }

// drip answers so slowly that it never ends.
func drip(w http.ResponseWriter, r *http.Request, _ string) {
	w.WriteHeader(http.StatusOK)
	for r.Context().Err() == nil {
		if _, err := io.WriteString(w, " "); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		time.Sleep(20 * time.Millisecond)
	}
}

// flood answers a gigabyte.
func flood(w http.ResponseWriter, r *http.Request, _ string) {
	w.WriteHeader(http.StatusOK)
	chunk := strings.Repeat(`{"number":"`, 6<<10)
	for n := 0; n < 1<<30; n += len(chunk) {
		if _, err := io.WriteString(w, chunk); err != nil {
			return
		}
	}
	panic("the whole gigabyte was read")
}

func elsewhere(w http.ResponseWriter, r *http.Request, _ string) {
	http.Redirect(w, r, "/elsewhere", http.StatusFound)
}

func busy(w http.ResponseWriter, _ *http.Request, _ string) {
	w.Header().Set("Retry-After", "1800")
	w.WriteHeader(http.StatusTooManyRequests)
}

// faults come in pairs where both can be: it failed, and it failed but it
// happened.
var faults = []fault{
	{name: "500", pair: true, status: 500, answer: status(500, "our database is away")},
	{name: "500, but it happened", pair: true, stores: true, status: 500, answer: status(500, "our database is away")},
	{name: "cut", pair: true, answer: cut},
	{name: "cut, but it happened", pair: true, stores: true, answer: cut},
	{name: "no answer", answer: silence},
	{name: "no answer, but it happened", stores: true, answer: silence},
	{name: "503", status: 503, answer: status(503, "")},
	{name: "408", status: 408, answer: status(408, "")},
	{name: "429 with Retry-After", pair: true, status: 429, after: 30 * time.Minute, answer: busy},
	{name: "400", status: 400, human: true, answer: status(400, "no")},
	{name: "401", status: 401, human: true, answer: status(401, "who are you?")},
	{name: "404", status: 404, human: true, answer: status(404, "")},
	{name: "409, but it happened", status: 409, human: true, stores: true, answer: status(409, "")},
	{name: "302", status: 302, human: true, answer: elsewhere},
	{name: "a gigabyte", status: 200, human: true, answer: flood},
	{name: "a gigabyte, but it happened", status: 200, human: true, stores: true, answer: flood},
	{name: "an answer that never ends", status: 200, answer: drip},
	{name: "an answer that never ends, but it happened", status: 200, stores: true, answer: drip},
	{name: "garbage", status: 200, taken: true, answer: status(200, "<html>\n\n<b>maintenance")},
	{name: "garbage, but it happened", pair: true, status: 200, taken: true, stores: true, answer: status(200, "<html>\n\n<b>maintenance")},
	{name: "empty", status: 200, taken: true, answer: status(200, "")},
	{name: "empty, but it happened", status: 200, taken: true, stores: true, answer: status(200, "")},
	{name: "no number", status: 202, taken: true, stores: true, answer: status(202, `{"id":"x","state":"received"}`)},
	{name: "a number that is a novel", status: 202, taken: true, stores: true, answer: status(202, `{"number":"`+strings.Repeat("N", 5000)+`"}`)},
}
