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

	"rempart"
	"rempart/exchange"
	"rempart/flow"
)

const sorToken = "1|of-a-sandbox"

// A sorServer is the transparency database, with teeth: it fails the test when
// it is told a statement that it said it has, something that it would refuse,
// more than it takes, or anything that names somebody.
type sorServer struct {
	t   *testing.T
	url string

	mu    sync.Mutex
	has   map[string]bool // puids it took
	said  map[string]bool // puids that it told the other side it has
	never []string        // words that must not reach it
	next  []func(w http.ResponseWriter, took func()) bool
	sizes []int // statements in each call that it took
	asked int   // questions about a puid
}

func newSorServer(t *testing.T, never ...string) *sorServer {
	d := &sorServer{t: t, has: map[string]bool{}, said: map[string]bool{}, never: never}
	srv := httptest.NewServer(d)
	t.Cleanup(srv.Close)
	d.url = srv.URL
	return d
}

func (d *sorServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+sorToken || r.Header.Get("Accept") != "application/json" || r.Header.Get("Content-Type") != "application/json" {
		d.t.Errorf("%s: headers %v", r.URL.Path, r.Header)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	for _, word := range append(d.never, "@") {
		if strings.Contains(string(b)+r.URL.Path, word) {
			d.t.Errorf("%s was told %q", r.URL.Path, word)
		}
	}
	if puid, ok := strings.CutPrefix(r.URL.Path, "/api/v1/statement/existing-puid/"); ok && r.Method == http.MethodGet {
		d.asked++
		d.said[puid] = d.has[puid]
		if d.has[puid] {
			answer(w, http.StatusFound, map[string]any{"message": "statement of reason found", "puid": puid})
			return
		}
		answer(w, http.StatusNotFound, map[string]any{"message": "statement of reason not found", "puid": puid})
		return
	}
	var batch struct {
		Statements []json.RawMessage `json:"statements"`
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /api/v1/statement":
		batch.Statements = []json.RawMessage{b}
	case "POST /api/v1/statements":
		if err := json.Unmarshal(b, &batch); err != nil {
			d.t.Errorf("batch: %v", err)
		}
	default:
		d.t.Errorf("%s %s", r.Method, r.URL.Path)
		return
	}
	d.take(w, batch.Statements, r.URL.Path == "/api/v1/statement")
}

func (d *sorServer) take(w http.ResponseWriter, list []json.RawMessage, single bool) {
	if len(list) == 0 || len(list) > 100 {
		d.t.Errorf("%d statements in a call", len(list))
	}
	var existing []string
	var out []map[string]any
	for _, raw := range list {
		var s map[string]any
		if err := json.Unmarshal(raw, &s); err != nil {
			d.t.Errorf("statement: %v", err)
			return
		}
		puid := fmt.Sprint(s["puid"])
		if faults := exchange.CheckStatement(raw); len(faults) > 0 {
			d.t.Errorf("statement %s: %v", puid, faults)
		}
		if d.said[puid] {
			d.t.Errorf("statement %s was sent again although the database had said that it has it", puid)
		}
		if d.has[puid] {
			existing = append(existing, puid)
		}
		s["uuid"] = "uuid-of-" + puid
		out = append(out, s)
	}
	took := func() {
		for _, s := range out {
			d.has[s["puid"].(string)] = true
		}
		d.sizes = append(d.sizes, len(out))
	}
	if len(d.next) > 0 {
		f := d.next[0]
		d.next = d.next[1:]
		if f(w, took) {
			return
		}
	}
	for _, puid := range existing {
		d.said[puid] = true
	}
	switch {
	case len(existing) > 0 && single:
		answer(w, http.StatusUnprocessableEntity, map[string]any{"message": "The identifier given is not unique within this platform.",
			"errors": map[string]any{"puid": []string{"not unique"}}, "existing": map[string]any{"puid": existing[0]}})
	case len(existing) > 0:
		answer(w, http.StatusUnprocessableEntity, map[string]any{"message": "The platform identifier(s) are not all unique within this call.",
			"errors": map[string]any{"puid": []string{"not unique"}, "existing_puids": existing}})
	default:
		took()
		for _, s := range out {
			d.said[s["puid"].(string)] = true
		}
		if single {
			answer(w, http.StatusCreated, out[0])
			return
		}
		answer(w, http.StatusCreated, map[string]any{"statements": out})
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

// Answers other than its own: nothing taken, and taken although it does not say
// so.
func sorBusy(w http.ResponseWriter, _ func()) bool {
	w.Header().Set("Retry-After", "7200")
	http.Error(w, "Limit Reached. Please do not overload the API", http.StatusTooManyRequests)
	return true
}

func sorBroken(w http.ResponseWriter, _ func()) bool {
	http.Error(w, "away", http.StatusBadGateway)
	return true
}

func sorTookAndBroke(w http.ResponseWriter, took func()) bool {
	took()
	http.Error(w, "away", http.StatusBadGateway)
	return true
}

func sorTookAndCut(_ http.ResponseWriter, took func()) bool {
	took()
	panic(http.ErrAbortHandler)
}

func sorRefuses(w http.ResponseWriter, _ func()) bool {
	answer(w, http.StatusUnprocessableEntity, map[string]any{"message": "The selected category is invalid.", "errors": map[string]any{"category": []string{"x"}}})
	return true
}

func sorTokenRefused(w http.ResponseWriter, _ func()) bool {
	answer(w, http.StatusUnauthorized, map[string]any{"message": "Unauthenticated."})
	return true
}

var restricting = rempart.Decision{Measure: rempart.MeasureRemoved, Ground: "law", Reference: "Code pénal, art. 226-8-1", Scope: "EU",
	Facts:       "Signalé par Jeanne Exemple, qui écrit à jeanne@exemple.test ; publié par @pseudo_42.",
	Explanation: "Le montage montre Jeanne Exemple sans son accord.", Redress: []string{"complaint"}, ContentTypes: []string{"image", "synthetic_media"}, PostedOn: "2026-02-27"}

// decidedNotice is a platform, and a notice to it whose every item is decided.
func decidedNotice(t *testing.T, d *sorServer, items int, decide func(k int) rempart.Decision) (*side, *rempart.Intake) {
	t.Helper()
	s, hub := platformOf(t, "")
	if d != nil {
		s.Transparency = flow.Transparency{URL: d.url, Token: sorToken}
	}
	n := travelling()
	n.Category = "3f"
	n.Items = nil
	for k := range items {
		n.Items = append(n.Items, rempart.NoticeItem{ID: fmt.Sprintf("i%d", k), Address: fmt.Sprintf("https://forum.exemple.test/p/%d", k)})
	}
	i, err := s.Receive(t.Context(), hub, n, "")
	if err != nil {
		t.Fatal(err)
	}
	for k := range items {
		if err := s.Decide(t.Context(), i.ID, fmt.Sprintf("i%d", k), decide(k), "Wren"); err != nil {
			t.Fatal(err)
		}
	}
	if i, err = s.DB.Intake(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	return s, i
}

func all(int) rempart.Decision { return restricting }

// noPerson are words of the notice and of the moderator.
var noPerson = []string{"Jeanne", "pseudo_42", association.Name, "forum.exemple.test", "notice-1", "7F3K"}

// TestStatementsDryRun: without an address and a token each statement is made
// and checked, and nothing leaves.
func TestStatementsDryRun(t *testing.T) {
	d := newSorServer(t, noPerson...)
	for _, to := range []flow.Transparency{{}, {URL: d.url}, {Token: sorToken}} {
		s, i := decidedNotice(t, nil, 2, all)
		s.Transparency = to
		for s.step() > 0 {
		}
		if n := s.count(i.ID, flow.StatementDryRun); n != 2 || len(s.left(rempart.JobStatements)) > 0 {
			t.Errorf("%d statements made, %d jobs left", n, len(s.left(rempart.JobStatements)))
		}
		for _, p := range s.Statements(i) {
			if len(p.Faults) > 0 {
				t.Errorf("%s: %v", p.Item, p.Faults)
			}
		}
		s.check()
	}
	if len(d.sizes) > 0 || d.asked > 0 {
		t.Error("a dry run spoke with the database")
	}
}

// TestStatementsLate sends what was only made, when it is asked for: each once,
// however often it is asked, and nothing that the database has.
func TestStatementsLate(t *testing.T) {
	d := newSorServer(t, noPerson...)
	s, i := decidedNotice(t, nil, 3, all)
	for s.step() > 0 {
	}
	late := func() (got []flow.DryRun) {
		t.Helper()
		if err := s.DryRuns(t.Context(), func(d flow.DryRun) error { got = append(got, d); return nil }); err != nil {
			t.Fatal(err)
		}
		return got
	}
	ask := func(d flow.DryRun) {
		t.Helper()
		if err := s.SendLate(t.Context(), d, "admin:command-line"); err != nil {
			t.Fatal(err)
		}
	}
	got := late()
	if len(got) != 1 || got[0].Number != i.Number || got[0].Items != 3 || got[0].Faulty != 0 || got[0].Asked {
		t.Fatalf("made and not sent: %+v", got)
	}
	ask(got[0])
	ask(got[0])
	if n := len(s.left(rempart.JobStatements)); n != 1 {
		t.Errorf("asked twice, %d jobs wait", n)
	}
	if again := late(); len(again) != 1 || !again[0].Asked {
		t.Errorf("while they wait: %+v", again)
	}
	for s.step() > 0 { // nothing is sent from here yet
	}
	if len(d.sizes) > 0 {
		t.Error("sent without an address")
	}
	s.Transparency = flow.Transparency{URL: d.url, Token: sorToken}
	got = late()
	if len(got) != 1 || got[0].Asked {
		t.Fatalf("after another dry run: %+v", got)
	}
	ask(got[0])
	for s.step() > 0 {
	}
	if n := s.count(i.ID, flow.StatementSent); n != 3 || len(s.left(rempart.JobStatements)) > 0 {
		t.Errorf("%d of 3 statements were sent, %d jobs left", n, len(s.left(rempart.JobStatements)))
	}
	if got := late(); len(got) > 0 {
		t.Errorf("the database has them: %+v", got)
	}
	s.check()
}

// TestStatementsSent sends single statements and batches through each fault:
// each reaches the database once, and each is noted once.
func TestStatementsSent(t *testing.T) {
	type fault = func(http.ResponseWriter, func()) bool
	refusedFirst := func(k int) rempart.Decision {
		d := restricting
		if k == 0 {
			d.Measure = rempart.MeasureRefused
		}
		return d
	}
	for name, x := range map[string]struct {
		items  int
		decide func(int) rempart.Decision
		next   []fault
		has    int // statements that it has from the start, as after a crash
		want   []int
		asked  bool
	}{
		"one":                         {items: 1, want: []int{1}},
		"some":                        {items: 3, want: []int{3}},
		"a refusal has none":          {items: 3, decide: refusedFirst, want: []int{2}},
		"more than a call takes":      {items: 130, want: []int{100, 30}},
		"busy":                        {items: 1, next: []fault{sorBusy}, want: []int{1}, asked: true},
		"busy, several":               {items: 3, next: []fault{sorBusy, sorBroken, sorTokenRefused}, want: []int{3}, asked: true},
		"broken":                      {items: 1, next: []fault{sorBroken}, want: []int{1}, asked: true},
		"taken, then broken":          {items: 1, next: []fault{sorTookAndBroke}, want: []int{1}, asked: true},
		"taken, then cut":             {items: 3, next: []fault{sorTookAndCut}, want: []int{3}, asked: true},
		"the second call cut":         {items: 130, next: []fault{func(http.ResponseWriter, func()) bool { return false }, sorTookAndCut}, want: []int{100, 30}, asked: true},
		"it has it":                   {items: 1, has: 1},
		"it has one of three":         {items: 3, has: 1, want: []int{2}},
		"it has all":                  {items: 3, has: 3},
		"it has some of the first of": {items: 130, has: 20, want: []int{100, 10}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newSorServer(t, noPerson...)
			decide := x.decide
			if decide == nil {
				decide = all
			}
			s, i := decidedNotice(t, d, x.items, decide)
			prepared := s.Statements(i)
			for _, p := range prepared[:x.has] {
				d.has[p.Statement.PUID] = true
			}
			d.next = x.next
			for range 8 {
				s.step()
				s.clock.advance(3 * time.Hour)
			}
			if jobs := s.left(rempart.JobStatements); len(jobs) > 0 {
				t.Errorf("left: %+v", jobs)
			}
			if fmt.Sprint(d.sizes) != fmt.Sprint(x.want) || (x.asked && d.asked == 0) {
				t.Errorf("calls of %v statements, want %v; %d questions", d.sizes, x.want, d.asked)
			}
			for _, p := range prepared {
				if !d.has[p.Statement.PUID] {
					t.Errorf("the statement of %s never reached the database", p.Item)
				}
			}
			if n := s.count(i.ID, flow.StatementSent); n != len(prepared) {
				t.Errorf("%d statements noted as sent, want %d", n, len(prepared))
			}
			s.check()
		})
	}
}

// TestStatementsWait: Retry-After is honoured, and a refused statement goes to a
// human at once.
func TestStatementsWait(t *testing.T) {
	d := newSorServer(t, noPerson...)
	s, _ := decidedNotice(t, d, 1, all)
	d.next = []func(http.ResponseWriter, func()) bool{sorBusy, sorRefuses}
	s.step()
	jobs := s.left(rempart.JobStatements)
	if len(jobs) != 1 || jobs[0].Due.Before(s.clock.now().Add(2*time.Hour)) {
		t.Fatalf("after 429 with Retry-After 7200: %+v at %v", jobs, s.clock.now())
	}
	s.clock.advance(2*time.Hour + time.Second)
	s.step()
	if jobs := s.left(rempart.JobStatements); len(jobs) != 1 || jobs[0].State != "dead" || len(d.sizes) > 0 {
		t.Errorf("after a refusal: %+v", jobs)
	}
}

// TestStatementsWithheld: what names a person, or would be refused, stays here,
// and a human has it; the others are sent.
func TestStatementsWithheld(t *testing.T) {
	for _, x := range []struct {
		name   string
		change func(*rempart.Decision)
		field  string
	}{
		{"an e-mail address", func(d *rempart.Decision) { d.Reference = "voir jeanne@exemple.test" }, "illegal_content_legal_ground"},
		{"an account", func(d *rempart.Decision) { d.Ground, d.Reference = "terms", "clause 4 (@pseudo_42)" }, "incompatible_content_ground"},
		{"an address", func(d *rempart.Decision) { d.Reference = "https://forum.exemple.test/p/1" }, "illegal_content_legal_ground"},
		{"a telephone number", func(d *rempart.Decision) {
			d.Restrictions, d.Other = []rempart.Restriction{rempart.Removed, "visibility.other"}, "rappeler le 06 12 34 56 78"
		}, "decision_visibility_other"},
		{"who notified", func(d *rempart.Decision) { d.Reference = "selon " + strings.ToUpper(association.Name) }, "illegal_content_legal_ground"},
		{"no day", func(d *rempart.Decision) { d.PostedOn = "" }, "content_date"},
		{"no kind of content", func(d *rempart.Decision) { d.ContentTypes = nil }, "content_type"},
	} {
		t.Run(x.name, func(t *testing.T) {
			d := newSorServer(t, noPerson...)
			s, i := decidedNotice(t, d, 2, func(k int) rempart.Decision {
				dec := restricting
				if k == 1 {
					x.change(&dec)
				}
				return dec
			})
			s.step()
			p := s.Statements(i)
			if len(p[0].Faults) > 0 || len(p[1].Faults) == 0 || p[1].Faults[0].Field != x.field {
				t.Errorf("faults %v and %v, want none and one of %s", p[0].Faults, p[1].Faults, x.field)
			}
			if jobs := s.left(rempart.JobStatements); len(jobs) != 1 || jobs[0].State != "dead" {
				t.Errorf("jobs: %+v", jobs)
			}
			if fmt.Sprint(d.sizes) != "[1]" || s.count(i.ID, flow.StatementWithheld) != 1 || s.count(i.ID, flow.StatementSent) != 1 {
				t.Errorf("calls of %v statements", d.sizes)
			}
		})
	}
}
