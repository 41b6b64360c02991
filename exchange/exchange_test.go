package exchange_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"rempart"
	"rempart/exchange"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "whsec_c2VjcmV0IHNoYXJlZCBieSBodWIgYW5kIHBsYXRmb3Jt"

var at = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func client(t *testing.T) *http.Client {
	c := exchange.NewClient()
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// answering starts a server that answers every request in the same way, and
// keeps the last one.
func answering(t *testing.T, status int, header map[string]string, body string) (url string, last *http.Request, sent *[]byte) {
	last, sent = new(http.Request), new([]byte)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		*last, *sent = *r, b
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL, last, sent
}

func domainNotice() rempart.Notice {
	return rempart.Notice{ID: "n1", CaseRef: "7F3K-9QXM", ServiceID: "forum", ServiceName: "Forum", State: rempart.NoticeQueued, Since: at, Lang: "fr",
		Explanation: "Le contenu montre une personne identifiée.", Grounds: []rempart.Ground{{Article: "226-8-1", Code: "Code pénal", Label: "Montage"}},
		Items:    []rempart.NoticeItem{{ID: "i1", Address: "https://forum.exemple.test/p/1", Fingerprints: []rempart.Fingerprint{{Type: rempart.MD5, Value: strings.Repeat("0f", 16)}}}},
		Notifier: rempart.Notifier{Name: "Association Exemple", Email: "contact@association.exemple.test"}, GoodFaith: true, Category: "3f", DoNotTell: true,
		Attempts: []rempart.Attempt{{At: at, Answer: "what the platform said"}}}
}

// TestNoticeTravels sends a notice and reads it as the platform does: what was
// said is there, and nothing of how the hub works on it.
func TestNoticeTravels(t *testing.T) {
	url, last, body := answering(t, 202, nil, `{"id":"x","number":"N-1","state":"received","received_at":"2026-03-02T10:00:00Z"}`)
	n := domainNotice()
	r, status, _, err := exchange.SendNotice(t.Context(), client(t), url+"/base/", "rk_key", exchange.FromNotice(n))
	if err != nil || status != 202 || r.Number != "N-1" {
		t.Fatalf("receipt %+v, status %d, %v", r, status, err)
	}
	if last.URL.Path != "/base/api/v1/notices" || last.Header.Get("Idempotency-Key") != "n1" || last.Header.Get("Authorization") != "Bearer rk_key" {
		t.Errorf("asked %s with %v", last.URL, last.Header)
	}
	if bytes.Contains(*body, []byte("what the platform said")) || bytes.Contains(*body, []byte("queued")) {
		t.Errorf("what travelled tells how the hub works: %s", *body)
	}
	var got exchange.Notice
	if err := json.Unmarshal(*body, &got); err != nil {
		t.Fatal(err)
	}
	kept, err := got.Domain()
	if err != nil {
		t.Fatal(err)
	}
	n.ServiceID, n.ServiceName, n.State, n.Since, n.Attempts = "", "", "", time.Time{}, nil
	if d := cmp.Diff(n, kept); d != "" {
		t.Errorf("what the platform keeps:\n%s", d)
	}
}

// TestDomain checks that each fault of a notice received is named by its field.
func TestDomain(t *testing.T) {
	n := exchange.FromNotice(domainNotice())
	n.Items = []rempart.NoticeItem{
		{ID: "a", Address: "javascript:alert(1)"},
		{ID: "a", Address: "forum.exemple.test/p/2", Fingerprints: []rempart.Fingerprint{{Type: "pdq", Value: "zz"}}},
		{Address: "https://forum.exemple.test/p/3"},
	}
	got, err := n.Domain()
	var p rempart.Problems
	if !errors.As(err, &p) {
		t.Fatalf("error %v, want problems", err)
	}
	var fields []string
	for _, e := range p {
		fields = append(fields, e.Field)
	}
	if d := cmp.Diff([]string{"items[0].address", "items[1].id", "items[1].fingerprints[0]"}, fields); d != "" {
		t.Errorf("fields at fault:\n%s", d)
	}
	if got.Items[1].Address != "https://forum.exemple.test/p/2" || got.Items[2].ID != "item-3" {
		t.Errorf("items %+v", got.Items)
	}
}

// TestOutcomes holds each answer of a far side against what is to be done next.
func TestOutcomes(t *testing.T) {
	day := 24 * time.Hour
	for _, x := range []struct {
		name      string
		status    int
		header    map[string]string
		body      string
		permanent bool
		wait      time.Duration
		answer    string
	}{
		{"database away", 500, nil, "line one\r\n\tline two", false, 0, "line one line two"},
		{"no UTF-8", 502, nil, "a\xffb", false, 0, "a\uFFFDb"},
		{"long", 503, nil, strings.Repeat("é", 400), false, 0, strings.Repeat("é", 299) + "…"},
		{"wait seconds", 429, map[string]string{"Retry-After": "90"}, "", false, 90 * time.Second, ""},
		{"wait for ever", 429, map[string]string{"Retry-After": "9223372036854775807"}, "", false, day, ""},
		{"wait less than nothing", 503, map[string]string{"Retry-After": "-5"}, "", false, 0, ""},
		{"wait for a date", 503, map[string]string{"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}, "", false, day, ""},
		{"wait for what is no time", 503, map[string]string{"Retry-After": "soon"}, "", false, 0, ""},
		{"too early", 425, nil, "", false, 0, ""},
		{"refused", 422, nil, "no", true, 0, "no"},
		{"moved", 307, map[string]string{"Location": "/elsewhere"}, "", true, 0, ""},
		{"too long", 200, nil, strings.Repeat(" ", exchange.MaxAnswer+1), true, 0, "the answer is too long to be a receipt"},
		{"no number", 200, nil, `{}`, false, 0, "the answer holds no number: {}"},
		{"a number with a line break", 200, nil, `{"number":"N\n1"}`, false, 0, `the answer holds no number: {"number":"N\n1"}`},
	} {
		url, _, _ := answering(t, x.status, x.header, x.body)
		_, _, _, err := exchange.SendNotice(t.Context(), client(t), url, "rk_key", exchange.FromNotice(domainNotice()))
		var f *exchange.Failure
		if !errors.As(err, &f) || f.Status != x.status || f.Permanent != x.permanent || f.RetryAfter != x.wait || f.Answer != x.answer {
			t.Errorf("%s: %+v, want permanent %t, wait %v, answer %q", x.name, f, x.permanent, x.wait, x.answer)
		}
	}
}

// TestNowhere sends to addresses that nobody answers at; no address is in the text.
func TestNowhere(t *testing.T) {
	for base, want := range map[string]struct {
		permanent bool
		answer    string
	}{
		"http://127.0.0.1:1": {false, "the service does not accept connections"},
		"http://[::1":        {true, "the peer's address cannot be read"},
	} {
		_, _, _, err := exchange.SendNotice(t.Context(), client(t), base, "rk_key", exchange.FromNotice(domainNotice()))
		var f *exchange.Failure
		if !errors.As(err, &f) || f.Permanent != want.permanent || f.Error() != want.answer {
			t.Errorf("%s: %v, want %s", base, err, want.answer)
		}
	}
}

func TestCallback(t *testing.T) {
	url, last, body := answering(t, 204, nil, "")
	cred := rempart.Credentials{Key: "rk_key", Secret: secret}
	cb := exchange.Callback{Type: rempart.CallbackAcknowledged, At: at, NoticeID: "n1", Number: "N-1"}
	if _, _, err := exchange.SendCallback(t.Context(), client(t), url, cred, "msg_1", cb); err != nil {
		t.Fatal(err)
	}
	got, id, err := exchange.ReadCallback(secret, last.Header, *body)
	if err != nil || id != "msg_1" || cmp.Diff(cb, got) != "" {
		t.Errorf("read %+v under %q, %v", got, id, err)
	}
	altered := bytes.Replace(*body, []byte("N-1"), []byte("N-2"), 1)
	if _, _, err := exchange.ReadCallback(secret, last.Header, altered); rempart.KindOf(err) != rempart.Unauthorized {
		t.Errorf("altered: %v, want unauthorized", err)
	}
	// A clock that is an hour off is named; what is altered as well is not told that.
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, off := range []time.Duration{-time.Hour, time.Hour} {
		signed := time.Now().Add(off)
		sig, err := wh.Sign("msg_1", signed, *body)
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		h.Set(standardwebhooks.HeaderWebhookID, "msg_1")
		h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(signed.Unix(), 10))
		h.Set(standardwebhooks.HeaderWebhookSignature, sig)
		var e *rempart.Error
		if _, _, err := exchange.ReadCallback(secret, h, *body); !errors.As(err, &e) || e.Kind != rempart.Unauthorized || e.Code != "callback.clock" {
			t.Errorf("signed %v from now: %v, want the clock named", off, err)
		}
		if _, _, err := exchange.ReadCallback(secret, h, altered); !errors.As(err, &e) || e.Code != "callback.signature" {
			t.Errorf("signed %v from now and altered: %v", off, err)
		}
	}
	// What is signed and yet cannot be used.
	for name, bad := range map[string]exchange.Callback{
		"no number":             {Type: rempart.CallbackAcknowledged, NoticeID: "n1"},
		"a number like a novel": {Type: rempart.CallbackDecided, NoticeID: "n1", Number: strings.Repeat("N", exchange.MaxNumber+1)},
	} {
		if _, _, err := exchange.SendCallback(t.Context(), client(t), url, cred, "msg_2", bad); err != nil {
			t.Fatal(err)
		}
		if _, _, err := exchange.ReadCallback(secret, last.Header, *body); rempart.KindOf(err) != rempart.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	var f *exchange.Failure
	if _, _, err := exchange.SendCallback(t.Context(), client(t), url, rempart.Credentials{Secret: "whsec_*"}, "msg_3", cb); !errors.As(err, &f) || !f.Permanent {
		t.Errorf("a secret that cannot be used: %v, want given to a human", err)
	}
}

func TestFeed(t *testing.T) {
	entries := []rempart.Entry{
		{ID: "e1", List: "ncii-adult", Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: strings.Repeat("5a", 32), Quality: 90}, State: rempart.EntryActive, CaseRef: "7F3K-9QXM", ItemID: "i1", Since: at},
		{ID: "e2", List: "ncii-minor", Fingerprint: rempart.Fingerprint{Type: rempart.SHA256, Value: strings.Repeat("a5", 32)}, State: rempart.EntryWithdrawn, CaseRef: "7F3K-9QXM", ItemID: "i2", Since: at},
	}
	secretly := entries[0]
	secretly.CaseID = "the case's identifier"
	var b bytes.Buffer
	if err := exchange.WriteFeed(&b, []rempart.Entry{secretly, entries[1]}, exchange.FeedEnd{Cursor: "1-0-2", Whole: true}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), secretly.CaseID) {
		t.Errorf("the feed tells the case's identifier: %s", &b)
	}
	url, last, _ := answering(t, 200, nil, b.String())
	got, end, err := exchange.ReadFeed(t.Context(), client(t), url, "rk_key", "1-0-0", 3*time.Second)
	if err != nil || end != (exchange.FeedEnd{Cursor: "1-0-2", Whole: true}) {
		t.Fatalf("end %+v, %v", end, err)
	}
	if d := cmp.Diff(entries, got); d != "" {
		t.Errorf("entries:\n%s", d)
	}
	if q := last.URL.Query(); q.Get("after") != "1-0-0" || q.Get("wait") != "3" {
		t.Errorf("asked %s", last.URL)
	}
	// Cut anywhere, nothing of it counts.
	whole := b.String()
	for n := range len(whole) - 1 {
		if n%7 != 0 {
			continue
		}
		url, _, _ := answering(t, 200, nil, whole[:n])
		if got, _, err := exchange.ReadFeed(t.Context(), client(t), url, "rk_key", "", 0); err == nil || got != nil {
			t.Errorf("cut after %d of %d bytes: %d entries, %v", n, len(whole), len(got), err)
		}
	}
	away, _, _ := answering(t, 503, nil, whole)
	if _, _, err := exchange.ReadFeed(t.Context(), client(t), away, "rk_key", "", 0); err == nil {
		t.Error("a feed answered 503 was read")
	}
}

// TestNoticeIdentifiers refuses identifiers that would be a path on our pages or
// words in the ledger.
func TestNoticeIdentifiers(t *testing.T) {
	for _, id := range []string{"../items/b", "..", "x?y", "a/b", "Marie Exemple", strings.Repeat("a", 65), "\u202ea"} {
		n := exchange.Notice{ID: "n", Items: []rempart.NoticeItem{{ID: id, Address: "https://exemple.test/a"}}}
		if _, err := n.Domain(); rempart.KindOf(err) != rempart.Invalid {
			t.Errorf("item %q: %v", id, err)
		}
		n = exchange.Notice{ID: id, Items: []rempart.NoticeItem{{ID: "a", Address: "https://exemple.test/a"}}}
		if _, err := n.Domain(); rempart.KindOf(err) != rempart.Invalid {
			t.Errorf("notice %q: %v", id, err)
		}
	}
	n := exchange.Notice{ID: rempart.NewID(time.Now()), Items: []rempart.NoticeItem{{ID: "item-1_A", Address: "https://exemple.test/a"}, {Address: "https://exemple.test/b"}}}
	if _, err := n.Domain(); err != nil {
		t.Error(err)
	}
}
