package browsertest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestQuiet: from its start, the browser sends nothing of its own accord through
// the window that is recorded: what a test finds there was sent by a page.
func TestQuiet(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<!DOCTYPE html><title>Quiet</title><p>Nothing more.</p>`)
	}))
	defer srv.Close()
	for range 3 {
		ctx := New(t)
		p := proxyOf(ctx)
		for range 5 {
			if err := chromedp.Do(ctx, chromedp.Navigate(srv.URL), chromedp.WaitReady(chromedp.CSS("p"))); err != nil {
				t.Fatal(err)
			}
		}
		all := p.recorders[0]
		if n := len(all.Requests()); n < 5 {
			t.Errorf("%d requests recorded, want one for each visit at least", n)
		}
		for _, q := range all.Elsewhere(srv.URL) {
			t.Errorf("the browser itself sent %s %s", q.Method, q.URL)
		}
	}
}
