package browsertest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Request is one that left the browser, as the proxy got it. For TLS the method
// is CONNECT and URL is host:port: what is inside the tunnel cannot be seen.
type Request struct {
	Method string
	URL    string
	Header http.Header
	Body   []byte
}

// A Recorder holds the requests that left the browser since [Record].
type Recorder struct {
	mu       sync.Mutex // guards requests
	requests []Request
}

// Requests returns the requests so far, in order of arrival.
func (r *Recorder) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// Elsewhere returns the requests so far whose address does not start with one of
// the origins, such as "http://127.0.0.1:8080".
func (r *Recorder) Elsewhere(origins ...string) []Request {
	return slices.DeleteFunc(r.Requests(), func(q Request) bool {
		return slices.ContainsFunc(origins, func(o string) bool { return strings.HasPrefix(q.URL, strings.TrimSuffix(o, "/")+"/") })
	})
}

// Record starts to record every request of every tab and worker. It panics if ctx is not from [New].
func Record(ctx context.Context) *Recorder {
	p := proxyOf(ctx)
	r := new(Recorder)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recorders = append(p.recorders, r)
	return r
}

// Alias makes plain http requests for host, such as "exemple.test", go to addr, a
// loopback host:port. It panics if ctx is not from [New].
func Alias(ctx context.Context, host, addr string) {
	p := proxyOf(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.aliases[host] = addr
}

type proxyKey struct{}

func proxyOf(ctx context.Context) *proxy {
	p, ok := ctx.Value(proxyKey{}).(*proxy)
	if !ok {
		panic("browsertest: this context is not from browsertest.New")
	}
	return p
}

// A proxy is the only way out of the browser.
type proxy struct {
	addr    string
	forward *httputil.ReverseProxy

	mu        sync.Mutex  // guards the fields below
	recorders []*Recorder // the first one since the start
	aliases   map[string]string
}

// startProxy listens on the loopback; stop ends it and what it started.
func startProxy() (p *proxy, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listening for the recording proxy: %w", err)
	}
	p = &proxy{addr: l.Addr().String(), aliases: map[string]string{}, recorders: []*Recorder{new(Recorder)}}
	transport := &http.Transport{DisableCompression: true}
	p.forward = &httputil.ReverseProxy{
		Rewrite:       func(*httputil.ProxyRequest) {},
		Transport:     transport,
		FlushInterval: -1, // event streams
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			http.Error(w, "browsertest: "+err.Error(), http.StatusBadGateway)
		},
	}
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	var running sync.WaitGroup
	running.Go(func() { server.Serve(l) })
	return p, func() {
		server.Close()
		running.Wait()
		transport.CloseIdleConnections()
	}, nil
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "browsertest: reading the request: "+err.Error(), http.StatusBadGateway)
		return
	}
	address := r.URL.String()
	if r.Method == http.MethodConnect {
		address = r.Host
	}
	p.record(Request{Method: r.Method, URL: address, Header: r.Header.Clone(), Body: body})

	target, ok := p.target(r.URL.Hostname(), r.Host)
	switch {
	case !ok:
		http.Error(w, "browsertest: only the loopback can be reached", http.StatusBadGateway)
	case r.Method == http.MethodConnect:
		tunnel(w, target)
	default:
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		r.URL.Host = target
		p.forward.ServeHTTP(w, r)
	}
}

func (p *proxy) record(q Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.recorders {
		r.mu.Lock()
		r.requests = append(r.requests, q)
		r.mu.Unlock()
	}
}

// target returns where a request for hostPort goes, and whether it may.
func (p *proxy) target(name, hostPort string) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if addr, ok := p.aliases[name]; ok {
		return addr, true
	}
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = hostPort
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return hostPort, host == "localhost" || err == nil && ip.IsLoopback()
}

// tunnel joins the browser to addr until either side ends.
func tunnel(w http.ResponseWriter, addr string) {
	far, err := net.Dial("tcp", addr)
	if err != nil {
		http.Error(w, "browsertest: "+err.Error(), http.StatusBadGateway)
		return
	}
	defer far.Close()
	near, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "browsertest: "+err.Error(), http.StatusInternalServerError)
		return
	}
	defer near.Close()
	if _, err := io.WriteString(near, "HTTP/1.1 200 Connection Established\r\n\r\n"); err != nil {
		return
	}
	var up sync.WaitGroup
	up.Go(func() {
		io.Copy(far, buf)
		far.Close()
	})
	io.Copy(near, far)
	near.Close()
	up.Wait()
}
