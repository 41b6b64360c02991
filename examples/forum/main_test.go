package main

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// TestRun runs the example whole: a forum and its Rempart in one command.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts two programs")
	}
	for _, name := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing", name)
		}
		t.Skipf("%s is missing", name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "../run.sh")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends what it started
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "done: a changed copy refused, a notice received, the content gone") {
		t.Fatalf("%v\n%s", err, out)
	}
}

// A bench is a forum whose Rempart answers as told.
func bench(t *testing.T, rempart http.HandlerFunc) (f *forum, url string, client *http.Client) {
	r := httptest.NewServer(rempart)
	t.Cleanup(r.Close)
	hook, err := standardwebhooks.NewWebhook("whsec_b2Ygb3VyIG93biBzeXN0ZW0sIGF0IGxlYXN0IDI0IGJ5dGVz")
	if err != nil {
		t.Fatal(err)
	}
	f = &forum{rempart: r.URL, key: "k", hook: hook, posts: map[string]*post{}, seen: map[string][]byte{}}
	s := httptest.NewServer(f.routes())
	t.Cleanup(s.Close)
	return f, s.URL, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func publish(t *testing.T, c *http.Client, url string) *http.Response {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("words", "Bonjour <b>")
	part, err := form.CreateFormFile("photo", "x")
	if err != nil {
		t.Fatal(err)
	}
	part.Write([]byte("a picture"))
	form.Close()
	resp, err := c.Post(url+"/posts", form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

// TestPublish: a block refuses, a review does not, and a check that cannot be
// made stores nothing.
func TestPublish(t *testing.T) {
	for answer, want := range map[string]int{
		`{"results":[{"matches":[]},{"matches":[{"action":"block"}]}]}`: 422,
		`{"results":[{"matches":[{"action":"review"}]}]}`:               303,
		`{"results":[]}`: 303,
		`not json`:       503,
		`500`:            503,
	} {
		f, url, c := bench(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer k" || r.Header.Get("Idempotency-Key") == "" || r.URL.Query().Get("stopped") != "true" {
				t.Errorf("asked with %v at %s", r.Header, r.URL)
			}
			if answer == "500" {
				w.WriteHeader(500)
			}
			io.WriteString(w, answer)
		})
		if resp := publish(t, c, url); resp.StatusCode != want || (want == 303) != (len(f.posts) == 1) {
			t.Errorf("%s: %d with %d posts, want %d", answer, resp.StatusCode, len(f.posts), want)
		}
	}
}

// TestOrders signs orders as Rempart does, wrongly, too old and twice.
func TestOrders(t *testing.T) {
	f, url, c := bench(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"results":[]}`) })
	author := publish(t, c, url).Header.Get("Location")
	at, _, _ := strings.Cut(author, "?")
	order := func(id, kind, address string, when time.Time, hook *standardwebhooks.Webhook) (int, string) {
		body := `{"type":"` + kind + `","item":{"address":"` + address + `"},"decision":{"explanation":"Montage."},"redress":{"code":"ABCD","url":"https://x.exemple.test/redress"}}`
		sig, err := hook.Sign(id, when, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest("POST", url+"/hooks/rempart", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("webhook-id", id)
		r.Header.Set("webhook-timestamp", itoa(when.Unix()))
		r.Header.Set("webhook-signature", sig)
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	get := func(path string) (int, string) {
		resp, err := c.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	other, err := standardwebhooks.NewWebhook("whsec_YW5vdGhlciBzZWNyZXQgb2YgYXQgbGVhc3QgMjQgYnl0ZXM=")
	if err != nil {
		t.Fatal(err)
	}
	for what, call := range map[string]func() (int, string){
		"of somebody else": func() (int, string) { return order("o1", "decision.apply", url+at, time.Now(), other) },
		"too old":          func() (int, string) { return order("o1", "decision.apply", url+at, time.Now().Add(-time.Hour), f.hook) },
	} {
		if status, _ := call(); status != 401 {
			t.Errorf("an order %s: %d, want 401", what, status)
		}
		if status, _ := get(at + "/photo"); status != 200 {
			t.Errorf("an order %s was carried out", what)
		}
	}
	if status, text := order("o1", "decision.apply", url+at, time.Now(), f.hook); status != 200 || text != `{"outcome":"done"}` {
		t.Errorf("%d %s", status, text)
	}
	if status, text := get(at); status != 410 || strings.Contains(text, "ABCD") {
		t.Errorf("to anybody: %d %s", status, text)
	}
	if status, text := get(author); status != 410 || !strings.Contains(text, "ABCD") || !strings.Contains(text, "Montage.") {
		t.Errorf("to its author: %d %s", status, text)
	}
	if status, _ := get(at + "/photo"); status != 410 {
		t.Errorf("the picture is still there: %d", status)
	}
	if resp := publish(t, c, url); resp.StatusCode != 303 {
		t.Errorf("published again: %d", resp.StatusCode)
	}
	if status, _ := get(at + "/photo"); status != 410 {
		t.Errorf("publishing it again brought it back: %d", status)
	}
	if status, text := order("o2", "decision.lift", url+at, time.Now(), f.hook); status != 200 || text != `{"outcome":"done"}` {
		t.Errorf("%d %s", status, text)
	}
	if _, text := order("o1", "decision.apply", url+at, time.Now(), f.hook); text != `{"outcome":"done"}` {
		t.Errorf("the same order again: %s", text)
	}
	if status, _ := get(at + "/photo"); status != 200 {
		t.Errorf("an old order that came again took it away again: %d", status)
	}
	if _, text := order("o3", "decision.lift", url+"/posts/none", time.Now(), f.hook); !strings.Contains(text, "failed") {
		t.Errorf("to restore what is not there: %s", text)
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
