package e2e

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// Where the person seems to come from: an address of this machine that nothing
// else uses, and what a proxy in front would say.
const (
	personIP        = "127.77.66.55"
	personForwarded = "203.0.113.77"
	personAgent     = "MARQUE-AGENT-91f0c2/7.7 (telephone de Camille)"
)

// A front is the proxy that an operator puts before a hub: it tells where each
// request comes from, in every header that is usual. It keeps the answers.
type front struct {
	addr string

	mu      sync.Mutex // guards answers
	answers []answer
}

// startFront puts a front before hub.
func startFront(t testing.TB, hub string) *front {
	t.Helper()
	target, err := url.Parse(hub)
	if err != nil {
		t.Fatal(err)
	}
	f := new(front)
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(personIP)}}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableCompression: true}
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "True-Client-Ip"} {
				r.Out.Header.Set(name, personForwarded)
			}
			r.Out.Header.Set("Forwarded", "for="+personForwarded)
		},
		ModifyResponse: func(r *http.Response) error {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			r.Body.Close()
			r.Body = io.NopCloser(bytes.NewReader(b))
			f.mu.Lock()
			defer f.mu.Unlock()
			f.answers = append(f.answers, answer{r.StatusCode, r.Header.Clone(), string(b), r.Request.URL.Path})
			return nil
		},
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(func() {
		server.Close()
		transport.CloseIdleConnections()
	})
	f.addr = server.Listener.Addr().String()
	return f
}

// all returns the answers so far.
func (f *front) all() []answer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]answer(nil), f.answers...)
}
