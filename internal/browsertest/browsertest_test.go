package browsertest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"rempart/internal/browsertest"
)

// TestRecord lets a page send in every way that the report page's policy forbids,
// and checks that the recorder sees each: a recorder that misses one would let
// the privacy tests pass for nothing.
func TestRecord(t *testing.T) {
	ctx := browsertest.New(t)
	complaints, err := browsertest.Complaints(ctx)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<!DOCTYPE html><title>Sender</title>`)
	})
	mux.HandleFunc("/worker.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		io.WriteString(w, `fetch('/from-worker', {method: 'POST', body: 'w'}).then(() => postMessage(1))`)
	})
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	browsertest.Alias(ctx, "exemple.test", srv.Listener.Addr().String())

	rec := browsertest.Record(ctx)
	if err := chromedp.Do(ctx, chromedp.Navigate("http://exemple.test/")); err != nil {
		t.Fatal(err)
	}
	_, err = chromedp.Run(ctx, chromedp.Evaluate[bool](`(async () => {
		await fetch('/from-page', {method: 'POST', body: 'sent by fetch'});
		navigator.sendBeacon('/from-beacon', 'b');
		await new Promise((done) => { new Worker('/worker.js').onmessage = done; });
		await new Promise((done) => { const i = new Image(); i.onerror = done; i.src = '/from-image'; });
		await fetch('http://other.exemple.test/third-party').catch(() => {});
		await fetch('https://other.exemple.test/third-party').catch(() => {});
		console.error('a complaint');
		return true;
	})()`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]browsertest.Request{}
	for _, q := range rec.Requests() {
		seen[q.URL] = q
	}
	for _, want := range []string{
		"http://exemple.test/", "http://exemple.test/from-page", "http://exemple.test/from-beacon",
		"http://exemple.test/from-worker", "http://exemple.test/from-image",
		"http://other.exemple.test/third-party", "other.exemple.test:443",
	} {
		if _, ok := seen[want]; !ok {
			t.Errorf("no request for %s was recorded", want)
		}
	}
	page := seen["http://exemple.test/from-page"]
	if got := string(page.Body); page.Method != "POST" || got != "sent by fetch" {
		t.Errorf("recorded %s with body %q, want POST with %q", page.Method, got, "sent by fetch")
	}
	if !strings.Contains(page.Header.Get("User-Agent"), "Chrome") {
		t.Errorf("User-Agent = %q, want the browser's", page.Header.Get("User-Agent"))
	}
	for _, q := range rec.Elsewhere("http://exemple.test") {
		if !strings.Contains(q.URL, "other.exemple.test") {
			t.Errorf("the browser itself sent %s %s", q.Method, q.URL)
		}
	}
	if got := strings.Join(complaints(), "\n"); !strings.Contains(got, "a complaint") {
		t.Errorf("complaints = %q, want the console's error", got)
	}
}
