package exchange_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"rempart"
	"rempart/exchange"
)

// says answers every request with the same bytes.
type says []byte

func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(s)), Request: r}, nil
}

const seedPDQ = "dadb999c25266273529cadac89cb52c22324ad3bce99726c38668d93c799f07c"

// FuzzFeed reads any bytes as a hub's feed: only clean fingerprints come out, an
// active one is fit for a list, and what is written again is read the same.
func FuzzFeed(f *testing.F) {
	end := `{"end":true,"cursor":"7.12"}` + "\n"
	f.Add([]byte(`{"id":"e1","list":"ncii-adult","type":"pdq","value":"` + seedPDQ + `","quality":90,"state":"active","case_ref":"7F3K-9QXM","item":"i1","since":"2026-03-02T10:00:00Z"}` + "\n" + end))
	f.Add([]byte(`{"id":"e2","type":"sha256","value":"` + strings.ToUpper(seedPDQ) + `","state":"withdrawn"}` + "\n" + end + "more"))
	f.Add([]byte(`{"type":"pdq","value":"` + strings.Repeat("0", 64) + `","quality":100,"state":"active"}` + "\n" + end))
	f.Add([]byte(`{"type":"vpdq","value":"0,100"}`))
	f.Add([]byte(end))
	f.Fuzz(func(t *testing.T, body []byte) {
		entries, end, err := exchange.ReadFeed(context.Background(), &http.Client{Transport: says(body)}, "https://hub.exemple.test", "key", "", 0)
		if err != nil {
			if len(entries) > 0 || end != (exchange.FeedEnd{}) {
				t.Errorf("%d entries and %+v beside %v", len(entries), end, err)
			}
			return
		}
		for _, e := range entries {
			if again, err := e.Fingerprint.Normal(); err != nil || !cmp.Equal(again, e.Fingerprint) {
				t.Errorf("%+v is not clean: %v", e.Fingerprint, err)
			}
			if e.State == rempart.EntryActive && !e.Fingerprint.Listable() {
				t.Errorf("active and not fit for a list: %+v", e.Fingerprint)
			}
		}
		var back bytes.Buffer
		if err := exchange.WriteFeed(&back, entries, end); err != nil {
			if strings.Contains(err.Error(), "year outside of range") {
				return
			}
			t.Fatal(err)
		}
		again, end2, err := exchange.ReadFeed(context.Background(), &http.Client{Transport: says(back.Bytes())}, "https://hub.exemple.test", "key", "", 0)
		if err != nil || end2 != end {
			t.Fatalf("read again: %+v, want %+v, %v", end2, end, err)
		}
		if diff := cmp.Diff(entries, again); diff != "" {
			t.Error(diff)
		}
	})
}

// FuzzNotice reads any JSON as a notice: what is taken has clean addresses and
// fingerprints and identifiers that are no path, each once, and what is sent on
// is taken the same.
func FuzzNotice(f *testing.F) {
	f.Add([]byte(`{"id":"n1","case_ref":"7F3K-9QXM","lang":"fr","explanation":"Motif fictif.","grounds":[{"id":"fr-cp-226-8"}],"items":[{"id":"i1","address":"https://forum.exemple.test/p/1","fingerprints":[{"type":"pdq","value":"` + seedPDQ + `","quality":90}]}],"notifier":{"name":"Association fictive"},"good_faith":true}`))
	f.Add([]byte(`{"items":[{"address":"HTTPS://Forum.Exemple.TEST:443/a/../b#c"},{"address":"javascript:alert(1)"},{"id":"item-1"}]}`))
	f.Add([]byte(`{"id":"../../etc","items":[{"id":"a"},{"id":"a"},{"fingerprints":[{"type":"md5","value":"00"}]}]}`))
	f.Add([]byte(`{"items":null,"minor":true,"do_not_disclose":true}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var n exchange.Notice
		if json.Unmarshal(body, &n) != nil {
			return
		}
		got, err := n.Domain()
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, i := range got.Items {
			if seen[i.ID] || i.ID == "" || strings.ContainsAny(i.ID, "/. ") {
				t.Errorf("identifier %q", i.ID)
			}
			seen[i.ID] = true
			if i.Address != "" {
				if again, err := rempart.CleanAddress(i.Address); err != nil || again != i.Address {
					t.Errorf("address %q: %q, %v", i.Address, again, err)
				}
			}
			for _, p := range i.Fingerprints {
				if again, err := p.Normal(); err != nil || !cmp.Equal(again, p) {
					t.Errorf("fingerprint %+v: %v", p, err)
				}
			}
		}
		sent, err := json.Marshal(exchange.FromNotice(got))
		if err != nil {
			t.Fatal(err)
		}
		var back exchange.Notice
		if err := json.Unmarshal(sent, &back); err != nil {
			t.Fatal(err)
		}
		again, err := back.Domain()
		if err != nil {
			t.Fatalf("what was taken is not taken again: %v", err)
		}
		if diff := cmp.Diff(asJSON(t, got), asJSON(t, again)); diff != "" {
			t.Error(diff)
		}
	})
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// FuzzCallback signs any bytes as a platform does: what is taken has a number
// that fits, and the same bytes are refused when one of them has changed.
func FuzzCallback(f *testing.F) {
	f.Add([]byte(`{"type":"notice.acknowledged","at":"2026-03-02T10:00:00Z","notice_id":"n1","number":"P-1"}`), uint(3))
	f.Add([]byte(`{"type":"notice.decided","notice_id":"n1","number":"P-1","items":{"i1":{"action":"removed"}}}`), uint(0))
	f.Add([]byte(`{"type":"match.stopped","stop":{"case_ref":"7F3K-9QXM","item":"i1","distance":4}}`), uint(9))
	f.Add([]byte(`{"type":"notice.decided","number":"\u0000"}`), uint(1))
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, at uint) {
		now := time.Now()
		sig, err := wh.Sign("msg_1", now, body)
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		h.Set(standardwebhooks.HeaderWebhookID, "msg_1")
		h.Set(standardwebhooks.HeaderWebhookTimestamp, fmt.Sprint(now.Unix()))
		h.Set(standardwebhooks.HeaderWebhookSignature, sig)
		cb, id, err := exchange.ReadCallback(secret, h, body)
		switch {
		case err != nil:
			if rempart.KindOf(err) != rempart.Invalid || id != "" {
				t.Errorf("%q, %v", id, err)
			}
		case id != "msg_1":
			t.Errorf("identifier %q", id)
		case cb.Type == rempart.CallbackDecided && (cb.Number == "" || len(cb.Number) > 400):
			t.Errorf("number %q", cb.Number)
		}
		if len(body) == 0 {
			return
		}
		changed := bytes.Clone(body)
		changed[at%uint(len(body))] ^= 1
		if _, _, err := exchange.ReadCallback(secret, h, changed); rempart.KindOf(err) != rempart.Unauthorized {
			t.Errorf("changed on its way: %v", err)
		}
	})
}
