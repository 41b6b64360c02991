package web

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"rempart"
)

// slow sets what the forum's key may ask.
func (d *desk) slow(r rempart.Rates) {
	d.t.Helper()
	d.must(d.db.PutPeer(context.Background(), rempart.Peer{ID: forum, Name: "Forum Exemple", Kind: rempart.PeerPlatform, CreatedAt: d.now, Rates: r}, "", nil))
}

// TestRates asks each shape more often than the key may, and holds the answer to
// the shape's own form.
func TestRates(t *testing.T) {
	pdq := picture(1)
	for _, x := range []struct{ name, method, path, body, kind string }{
		{"match", "POST", "/api/v1/match", `{"fingerprints":[{"type":"pdq","value":"` + pdq.Value + `"}]}`, "application/problem+json"},
		{"feed", "GET", "/api/v1/feed", "", "application/problem+json"},
		{"opinions", "POST", "/api/v1/opinions", `{"opinions":[]}`, "application/problem+json"},
		{"hma", "GET", "/m/raw_lookup?signal_type=pdq&signal=" + pdq.Value, "", "application/json"},
		{"stopncii", "GET", "/v1/FetchHashes", "", "application/problem+json"},
		{"ncmec", "GET", "/v2/status", "", "application/problem+json"},
	} {
		t.Run(x.name, func(t *testing.T) {
			d := newDesk(t, true, true)
			d.slow(rempart.Rates{RequestsDay: 2})
			ask := func() (int, http.Header, string) {
				r, err := http.NewRequest(x.method, d.url+x.path, strings.NewReader(x.body))
				d.must(err)
				r.Header.Set("Content-Type", "application/json")
				switch x.name {
				case "stopncii":
					r.Header.Set("X-Functions-Key", "key-of-the-forum")
				case "ncmec":
					r.SetBasicAuth("any", "key-of-the-forum")
				default:
					r.Header.Set("Authorization", "Bearer key-of-the-forum")
				}
				a, err := http.DefaultClient.Do(r)
				d.must(err)
				defer a.Body.Close()
				b, err := io.ReadAll(a.Body)
				d.must(err)
				return a.StatusCode, a.Header, string(b)
			}
			for range 2 {
				if got, _, text := ask(); got == http.StatusTooManyRequests || got >= 500 {
					t.Fatalf("within its rate: %d %s", got, text)
				}
			}
			got, h, text := ask()
			after, err := strconv.Atoi(h.Get("Retry-After"))
			if got != http.StatusTooManyRequests || err != nil || after < 1 || after > 86400 || h.Get("Content-Type") != x.kind {
				t.Fatalf("over its rate: %d, Retry-After %q, %q: %s", got, h.Get("Retry-After"), h.Get("Content-Type"), text)
			}
			var said struct{ Code, Message, Detail string }
			if err := json.Unmarshal([]byte(text), &said); err != nil || said.Message+said.Code == "" || x.name != "hma" && (said.Code != "rate.requests_day" || said.Detail == "") {
				t.Errorf("over its rate: %s %v", text, err)
			}
		})
	}
}

// TestRatesOfValues counts what is looked up, by the second and by the day, refuses
// a batch whole, and lets a rate that was raised count at once.
func TestRatesOfValues(t *testing.T) {
	var all rates
	const burst = 2 * mostValues
	p := rempart.Peer{ID: "one", Rates: rempart.Rates{Requests: 10, Values: burst, RequestsDay: 100, ValuesDay: 3*burst - 1}}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	take := func(want string, requests, values int) {
		t.Helper()
		err := all.take(p, requests, values, now)
		got := ""
		if err != nil {
			got = problem(err).Code
			h := http.Header{}
			if retry(h, err); h.Get("Retry-After") == "" || rempart.KindOf(err) != rempart.Limited {
				t.Errorf("%v: Retry-After %q", err, h.Get("Retry-After"))
			}
		}
		if got != want {
			t.Errorf("%d requests, %d values: %q, want %q", requests, values, got, want)
		}
	}
	take("", 10, 0)
	take("rate.requests", 1, 0)
	take("", 0, burst)
	take("rate.values", 0, mostValues)
	now = now.Add(time.Second)
	take("", 1, 0)
	take("", 0, burst)
	now = now.Add(time.Second)
	take("rate.values_day", 0, burst)
	take("", 0, mostValues)
	p.Rates.ValuesDay = 10 * burst
	take("", 0, burst)
	now = now.Add(12 * time.Hour)
	p.Rates.ValuesDay = burst
	take("", 0, burst)
	other := rempart.Peer{ID: "two", LookupOnly: true}
	if err := all.take(other, 1, 1000, now); err != nil {
		t.Errorf("another key pays for the first: %v", err)
	}
}

// TestRatesAreBounded holds that no more peers are remembered than keys.
func TestRatesAreBounded(t *testing.T) {
	var all rates
	for k := range keysKept + 10 {
		if err := all.take(rempart.Peer{ID: strconv.Itoa(k)}, 1, 1, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	all.peers.Range(func(any, any) bool { n++; return true })
	if n == 0 || n > keysKept {
		t.Errorf("%d peers are remembered", n)
	}
}

// BenchmarkRates is what a lookup pays for being counted.
func BenchmarkRates(b *testing.B) {
	var all rates
	p := rempart.Peer{ID: "one"}
	b.ReportAllocs()
	for b.Loop() {
		now := time.Now()
		if all.take(p, 1, 0, now) != nil || all.take(p, 0, 1, now) != nil {
			p.Rates.Requests = rempart.MaxRate // faster than any node answers
			p.Rates.Values = rempart.MaxRate
			p.Rates.RequestsDay = rempart.MaxRate
			p.Rates.ValuesDay = rempart.MaxRate
		}
	}
}
