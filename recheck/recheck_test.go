package recheck_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rempart"
	"rempart/recheck"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// public is the one address that the tests let count as public; 127.0.0.1 and all
// others stay what they are.
const public = "127.0.0.2"

// A site is a fake server that fails the test if it is asked with anything that
// tells who asks, or if more than a little of a body can be pushed to who asks.
type site struct {
	t      *testing.T
	srv    *httptest.Server
	port   string
	mu     sync.Mutex
	asked  []string // method and path, in order
	answer func(w http.ResponseWriter, r *http.Request)
}

func newSite(t *testing.T, at string, answer func(w http.ResponseWriter, r *http.Request)) *site {
	t.Helper()
	s := &site{t: t, answer: answer}
	ln, err := net.Listen("tcp", at+":0")
	if err != nil {
		t.Fatal(err)
	}
	s.srv = httptest.NewUnstartedServer(http.HandlerFunc(s.take))
	s.srv.Listener.Close()
	s.srv.Listener = ln
	s.srv.Start()
	t.Cleanup(s.srv.Close)
	_, s.port, _ = net.SplitHostPort(ln.Addr().String())
	return s
}

func (s *site) take(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	for _, h := range []string{"Referer", "Cookie", "Authorization", "From", "Origin"} {
		if r.Header.Get(h) != "" {
			s.t.Errorf("asked with the header %s", h)
		}
	}
	if strings.Contains(strings.ToLower(r.UserAgent()), "rempart") || r.UserAgent() == "" {
		s.t.Errorf("user agent %q", r.UserAgent())
	}
	if r.Method != http.MethodHead && r.Method != http.MethodGet {
		s.t.Errorf("asked by %s", r.Method)
	}
	s.answer(w, r)
}

func (s *site) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.asked, ", ")
}

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
}

// names is a fake name server: it answers each question for a name with the next
// of its addresses, the last one for ever.
type names struct {
	t     *testing.T
	conn  net.PacketConn
	mu    sync.Mutex
	addrs map[string][]string
}

func newNames(t *testing.T, addrs map[string][]string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &names{t: t, conn: conn, addrs: addrs}
	done := make(chan struct{})
	go func() { defer close(done); n.serve() }()
	t.Cleanup(func() { conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (n *names) serve() {
	b := make([]byte, 1500)
	for {
		k, from, err := n.conn.ReadFrom(b)
		if err != nil {
			return
		}
		if a := n.answer(b[:k]); a != nil {
			n.conn.WriteTo(a, from)
		}
	}
}

// answer answers a question as RFC 1035, section 4, writes it.
func (n *names) answer(q []byte) []byte {
	name, end := "", 12
	for end < len(q) && q[end] != 0 {
		l := int(q[end])
		name += string(q[end+1:end+1+l]) + "."
		end += l + 1
	}
	end += 5 // the root, type and class
	kind := binary.BigEndian.Uint16(q[end-4:])
	out := append([]byte{}, q[:end]...)
	out[2], out[3] = 0x81, 0x80
	for k := 6; k < 12; k++ {
		out[k] = 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	addrs := n.addrs[strings.TrimSuffix(strings.ToLower(name), ".")]
	if len(addrs) == 0 {
		out[3] |= 3 // no such name
		return out
	}
	addr := netip.MustParseAddr(addrs[0])
	want := uint16(1)
	if addr.Is6() {
		want = 28
	}
	if kind != want {
		return out
	}
	if len(addrs) > 1 {
		n.addrs[strings.TrimSuffix(strings.ToLower(name), ".")] = addrs[1:]
	}
	out[7] = 1
	out = append(out, 0xc0, 12)
	out = binary.BigEndian.AppendUint16(out, want)
	out = append(out, 0, 1, 0, 0, 0, 0)
	out = binary.BigEndian.AppendUint16(out, uint16(addr.BitLen()/8))
	return append(out, addr.AsSlice()...)
}

// asking returns a Checker that may reach the sites at public and nothing else
// that is not public.
func asking(t *testing.T, r *net.Resolver, sites ...*site) *recheck.Checker {
	o := recheck.Options{Resolver: r, Allow: []netip.Prefix{netip.MustParsePrefix(public + "/32")}, Patience: 2 * time.Second}
	for _, s := range sites {
		var p uint16
		fmt.Sscan(s.port, &p)
		o.Ports = append(o.Ports, p)
	}
	return recheck.New(o)
}

func want(t *testing.T, got rempart.Recheck, reach rempart.Reach, status int, why string) {
	t.Helper()
	if got.Reach != reach || got.Status != status || got.Why != why || got.At.IsZero() {
		t.Errorf("found %+v, want %s, status %d, %s", got, reach, status, why)
	}
}

// TestStatus reads each status: only three say gone, and only a success says
// there.
func TestStatus(t *testing.T) {
	for _, x := range []struct {
		status int
		reach  rempart.Reach
		asked  string
	}{
		{200, rempart.ReachThere, "HEAD /p/1"},
		{204, rempart.ReachThere, "HEAD /p/1"},
		{404, rempart.ReachGone, "HEAD /p/1, GET /p/1"},
		{410, rempart.ReachGone, "HEAD /p/1, GET /p/1"},
		{451, rempart.ReachGone, "HEAD /p/1"},
		{401, rempart.ReachUnknown, "HEAD /p/1"},
		{403, rempart.ReachUnknown, "HEAD /p/1, GET /p/1"},
		{429, rempart.ReachUnknown, "HEAD /p/1"},
		{500, rempart.ReachUnknown, "HEAD /p/1"},
		{503, rempart.ReachUnknown, "HEAD /p/1"},
		{304, rempart.ReachUnknown, "HEAD /p/1"},
	} {
		t.Run(fmt.Sprint(x.status), func(t *testing.T) {
			s := newSite(t, public, status(x.status))
			want(t, asking(t, nil, s).Check(t.Context(), "http://"+public+":"+s.port+"/p/1#part", false), x.reach, x.status, recheck.WhyStatus)
			if s.log() != x.asked {
				t.Errorf("asked %s, want %s", s.log(), x.asked)
			}
		})
	}
}

// TestNoHead asks a server that does not know HEAD by GET, and takes nothing of a
// body of a gigabyte; where only HEAD may be sent, it says that it does not know.
func TestNoHead(t *testing.T) {
	taken := make(chan int, 1)
	s := newSite(t, public, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		if r.Header.Get("Range") != "bytes=0-0" {
			t.Errorf("range %q", r.Header.Get("Range"))
		}
		n, block := 0, make([]byte, 64<<10)
		for n < 1<<30 {
			k, err := w.Write(block)
			n += k
			if err != nil {
				break
			}
		}
		taken <- n
	})
	address := "http://" + public + ":" + s.port + "/p/1"
	c := asking(t, nil, s)
	want(t, c.Check(t.Context(), address, false), rempart.ReachThere, 200, recheck.WhyStatus)
	select {
	case n := <-taken: // what the two kernels' buffers hold, and then a reset
		if n > 16<<20 {
			t.Errorf("the server could write %d bytes", n)
		}
	case <-time.After(5 * time.Second):
		t.Error("the connection was not closed")
	}
	want(t, c.Check(t.Context(), address, true), rempart.ReachUnknown, 405, recheck.WhyMethod)
	if s.log() != "HEAD /p/1, GET /p/1, HEAD /p/1" {
		t.Errorf("asked %s", s.log())
	}
}

// TestNotPublic asks what must never be asked: no connection is opened, and it
// says so.
func TestNotPublic(t *testing.T) {
	inside := newSite(t, "127.0.0.1", status(200))
	r := newNames(t, map[string][]string{
		"inside.exemple.test": {"127.0.0.1"}, "metadata.exemple.test": {"169.254.169.254"}, "six.exemple.test": {"::1"},
		"mapped.exemple.test": {"::ffff:7f00:1"}, "nat64.exemple.test": {"64:ff9b::7f00:1"}, "private.exemple.test": {"10.1.2.3"},
		"shared.exemple.test": {"100.64.0.1"}, "unique.exemple.test": {"fd00::1"}, "link.exemple.test": {"fe80::1"}, "none.exemple.test": {"0.0.0.0"},
	})
	c := asking(t, r, inside)
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "169.254.169.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "192.0.2.1", "224.0.0.1", "255.255.255.255",
		"[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[64:ff9b::7f00:1]", "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]", "[ff02::1]", "[2002:7f00:1::]", "[2001:db8::1]",
		"localhost", "LOCALHOST", "localhost.", "a.localhost", "printer", "nas.local", "db.internal", "router.home.arpa", "2130706433", "0x7f000001", "127.1", "0177.0.0.1",
		"inside.exemple.test", "metadata.exemple.test", "six.exemple.test", "mapped.exemple.test", "nat64.exemple.test", "private.exemple.test",
		"shared.exemple.test", "unique.exemple.test", "link.exemple.test", "none.exemple.test",
	} {
		want(t, c.Check(t.Context(), "http://"+host+":"+inside.port+"/p/1", false), rempart.ReachRefused, 0, recheck.WhyPrivate)
	}
	want(t, c.Check(t.Context(), "http://"+public+":22/", false), rempart.ReachRefused, 0, recheck.WhyPort)
	for _, address := range []string{"file:///etc/passwd", "gopher://" + public + "/", "ftp://" + public + "/", "javascript:1", "", "::"} {
		want(t, c.Check(t.Context(), address, false), rempart.ReachRefused, 0, recheck.WhyScheme)
	}
	if inside.log() != "" {
		t.Errorf("a server that is not public was asked: %s", inside.log())
	}
}

// TestRebinding has a name be public at its first question and private at its
// second: the second check is refused, and so is a redirect to it.
func TestRebinding(t *testing.T) {
	inside := newSite(t, "127.0.0.1", status(200))
	outside := newSite(t, public, status(200))
	r := newNames(t, map[string][]string{"twice.exemple.test": {public, "127.0.0.1"}, "again.exemple.test": {public, "127.0.0.1"}})
	c := asking(t, r, inside, outside)
	want(t, c.Check(t.Context(), "http://twice.exemple.test:"+outside.port+"/", false), rempart.ReachThere, 200, recheck.WhyStatus)
	want(t, c.Check(t.Context(), "http://twice.exemple.test:"+inside.port+"/", false), rempart.ReachRefused, 0, recheck.WhyPrivate)
	// Within one check: HEAD goes to the public address, GET to the private one.
	again := newSite(t, public, status(404))
	c = asking(t, r, inside, again)
	want(t, c.Check(t.Context(), "http://again.exemple.test:"+again.port+"/", false), rempart.ReachRefused, 0, recheck.WhyPrivate)
	if inside.log() != "" || again.log() != "HEAD /" {
		t.Errorf("asked inside: %q, outside: %q", inside.log(), again.log())
	}
}

// TestRedirects follows a few, holds each to the same rules, and calls only the
// address that was asked there.
func TestRedirects(t *testing.T) {
	inside := newSite(t, "127.0.0.1", status(200))
	r := newNames(t, map[string][]string{"www.forum.exemple.test": {public}, "forum.exemple.test": {public}, "evil.exemple.test": {"127.0.0.1"}})
	var s *site
	s = newSite(t, public, func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{
			"/loopback": "http://127.0.0.1:" + inside.port + "/", "/metadata": "http://169.254.169.254/latest/", "/name": "http://evil.exemple.test:" + inside.port + "/",
			"/file": "file:///etc/passwd", "/round": "/round", "/home": "/", "/missing": "/gone", "/slash": "/slash/", "/www": "http://www.forum.exemple.test:" + s.port + "/there",
		}[r.URL.Path]
		switch {
		case r.URL.Path == "/gone":
			w.WriteHeader(404)
		case to != "" && (r.URL.Path != "/www" || r.Host != "www.forum.exemple.test:"+s.port):
			http.Redirect(w, r, to, http.StatusFound)
		}
	})
	c := asking(t, r, inside, s)
	for path, x := range map[string]struct {
		reach  rempart.Reach
		status int
		why    string
	}{
		"/loopback": {rempart.ReachRefused, 0, recheck.WhyPrivate},
		"/metadata": {rempart.ReachRefused, 0, recheck.WhyPrivate},
		"/name":     {rempart.ReachRefused, 0, recheck.WhyPrivate},
		"/file":     {rempart.ReachRefused, 0, recheck.WhyScheme},
		"/round":    {rempart.ReachUnknown, 0, recheck.WhyRedirects},
		"/home":     {rempart.ReachUnknown, 200, recheck.WhyElsewhere},
		"/www":      {rempart.ReachUnknown, 200, recheck.WhyElsewhere},
		"/missing":  {rempart.ReachGone, 404, recheck.WhyStatus},
		"/slash":    {rempart.ReachThere, 200, recheck.WhyStatus},
	} {
		t.Run(path, func(t *testing.T) {
			want(t, c.Check(t.Context(), "http://forum.exemple.test:"+s.port+path, false), x.reach, x.status, x.why)
		})
	}
	if inside.log() != "" {
		t.Errorf("a server that is not public was asked: %s", inside.log())
	}
}

// TestFaults meets servers that do not answer as they should: none of it is gone.
func TestFaults(t *testing.T) {
	r := newNames(t, map[string][]string{"forum.exemple.test": {public}})
	cut := func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			c.Close()
		}
	}
	for name, x := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		why    string
	}{
		"never": {func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, recheck.WhyTimeout},
		"cut":   {cut, recheck.WhyBroken},
		"a header of a megabyte": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		}, recheck.WhyBroken},
		"not HTTP": {func(w http.ResponseWriter, r *http.Request) {
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				fmt.Fprint(c, "220 mail.exemple.test ESMTP\r\n")
				c.Close()
			}
		}, recheck.WhyBroken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, public, x.answer)
			want(t, asking(t, r, s).Check(t.Context(), "http://forum.exemple.test:"+s.port+"/p/1", false), rempart.ReachUnknown, 0, x.why)
		})
	}
	s := newSite(t, public, status(200))
	c := asking(t, r, s)
	want(t, c.Check(t.Context(), "http://nowhere.exemple.test:"+s.port+"/p/1", false), rempart.ReachUnknown, 0, recheck.WhyName)
	s.srv.Close()
	want(t, c.Check(t.Context(), "http://forum.exemple.test:"+s.port+"/p/1", false), rempart.ReachUnknown, 0, recheck.WhyBroken)
	secure := httptest.NewUnstartedServer(http.HandlerFunc(status(404)))
	secure.Config.ErrorLog = nil
	ln, err := net.Listen("tcp", public+":0")
	if err != nil {
		t.Fatal(err)
	}
	secure.Listener.Close()
	secure.Listener = ln
	secure.StartTLS()
	defer secure.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	want(t, asking(t, r, &site{port: port}).Check(t.Context(), "https://forum.exemple.test:"+port+"/p/1", false), rempart.ReachUnknown, 0, recheck.WhyTLS)
}

// TestProxy sends everything to the operator's proxy, which resolves; what an
// address shows of itself is refused before.
func TestProxy(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.Method+" "+r.RequestURI)
		w.WriteHeader(404)
	}))
	defer proxy.Close()
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := recheck.New(recheck.Options{Proxy: u, Patience: 2 * time.Second})
	want(t, c.Check(t.Context(), "http://forum.exemple.test/p/1", false), rempart.ReachGone, 404, recheck.WhyStatus)
	for _, host := range []string{"127.0.0.1", "[::1]", "169.254.169.254", "localhost", "2130706433", "0x7f.1", "printer", "[64:ff9b::7f00:1]"} {
		want(t, c.Check(t.Context(), "http://"+host+"/p/1", false), rempart.ReachRefused, 0, recheck.WhyPrivate)
	}
	for _, host := range []string{"１２７.0.0.1", "127。0。0。1", "①②⑦.⓪.⓪.①", "x.ｌｏｃａｌｈｏｓｔ", "base.ｉｎｔｅｒｎａｌ", "⑩.1.2.3"} { // what net/http makes of them is what the proxy would get
		want(t, c.Check(t.Context(), "http://"+host+"/p/1", false), rempart.ReachRefused, 0, recheck.WhyPrivate)
		want(t, c.Check(t.Context(), "https://"+host+"/p/1", true), rempart.ReachRefused, 0, recheck.WhyPrivate)
	}
	for _, address := range []string{"http://forum.exemple.test:22/", "https://forum.exemple.test:6379/", "http://192.88.98.1:25/"} {
		want(t, c.Check(t.Context(), address, false), rempart.ReachRefused, 0, recheck.WhyPort)
	}
	if got := strings.Join(asked, ", "); got != "HEAD http://forum.exemple.test/p/1, GET http://forum.exemple.test/p/1" {
		t.Errorf("the proxy was asked: %s", got)
	}
}
