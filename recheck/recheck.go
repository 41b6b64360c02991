// Package recheck asks whether an address still answers, and learns nothing else
// of it. It sends HEAD, or GET where the server does not know HEAD, looks at the
// status and closes the connection: no body is read, kept or logged.
//
// It never asks anything that is not on the public network. The check is made by
// code.dny.dev/ssrf when a connection is opened, after the name was resolved, so
// that a name which resolves to something else the second time, and each
// redirect, is held to it too. Behind an operator's proxy it is the proxy that
// resolves names: then only what can be seen from the address itself is refused
// here, and the proxy must refuse the rest.
//
// It says nothing of who asks: a neutral user agent, no referrer, no cookie. It
// does not read robots.txt, which is for programs that seek pages: this one asks
// about single addresses that a notice named, a few times each.
package recheck

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"code.dny.dev/ssrf"
	"golang.org/x/net/idna"

	"rempart"
)

// Words for why an answer is what it is; each has a sentence in the catalogues.
const (
	WhyStatus    = "status"    // the status says so
	WhyElsewhere = "elsewhere" // it leads to another address, which answers
	WhyRedirects = "redirects" // it leads on and on
	WhyMethod    = "method"    // the server answers no HEAD, and nothing else may be asked
	WhyTimeout   = "timeout"
	WhyName      = "name" // the name is not found
	WhyTLS       = "tls"  // its certificate does not hold
	WhyBroken    = "broken"
	WhyPrivate   = "private" // not on the public network
	WhyPort      = "port"    // not a port of the web
	WhyScheme    = "scheme"  // neither http nor https
)

// Whys lists all of them, so that a test can check that each has a sentence.
var Whys = []string{WhyStatus, WhyElsewhere, WhyRedirects, WhyMethod, WhyTimeout, WhyName, WhyTLS, WhyBroken, WhyPrivate, WhyPort, WhyScheme}

// agent is what the far side sees. It names neither us nor our reason: a site
// that was notified must not learn from it who did.
const agent = "Mozilla/5.0 (compatible; LinkCheck/1.0)"

// Limits of one check.
const (
	patience     = 15 * time.Second // for everything, redirects included
	maxHeader    = 32 << 10
	maxRedirects = 4
	readAhead    = 1 << 10 // bytes taken from a connection at a time: as little as holds a status
)

// Options says how addresses are reached. The zero value is right for most.
type Options struct {
	Proxy    *url.URL         // http, https or socks5; nil for none
	Resolver *net.Resolver    // nil for the system's
	TLS      *tls.Config      // nil for the system's certificates
	Allow    []netip.Prefix   // of IPv4, reached although they are not public: for tests
	Ports    []uint16         // beside 80 and 443: for tests
	Patience time.Duration    // default: 15 s
	Now      func() time.Time // default: time.Now
}

// A Checker asks. It is safe for concurrent use and keeps no connection.
type Checker struct {
	client   *http.Client
	guard    *ssrf.Guardian
	ports    []uint16
	now      func() time.Time
	patience time.Duration
}

// New returns a Checker.
func New(o Options) *Checker {
	ports := append([]uint16{80, 443}, o.Ports...)
	guard := ssrf.New(ssrf.WithAllowedV4Prefixes(o.Allow...), ssrf.WithPorts(ports...))
	dialer := &net.Dialer{Timeout: 5 * time.Second, Resolver: o.Resolver, Control: guard.Safe, KeepAlive: -1}
	proxy := func(*http.Request) (*url.URL, error) { return nil, nil }
	if o.Proxy != nil {
		dialer.Control = nil // all connections go to the proxy, wherever the operator has it
		proxy = http.ProxyURL(o.Proxy)
	}
	only1 := new(http.Protocols) // HTTP/2 would take in a body that nobody asked to read
	only1.SetHTTP1(true)
	c := &Checker{guard: guard, ports: ports, now: o.Now, patience: o.Patience, client: &http.Client{
		Transport: &http.Transport{
			Proxy: proxy, DialContext: dialer.DialContext, Protocols: only1, TLSClientConfig: o.TLS,
			TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 10 * time.Second,
			MaxResponseHeaderBytes: maxHeader, ReadBufferSize: readAhead,
			DisableKeepAlives: true, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if c.now == nil {
		c.now = time.Now
	}
	if c.patience <= 0 {
		c.patience = patience
	}
	return c
}

// Check asks whether an address answers. With headOnly nothing but HEAD is ever
// sent, so that no byte of a body can come.
func (c *Checker) Check(ctx context.Context, address string, headOnly bool) rempart.Recheck {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	r := c.check(ctx, address, headOnly)
	r.At = c.now()
	return r
}

func (c *Checker) check(ctx context.Context, address string, headOnly bool) rempart.Recheck {
	first, err := url.Parse(address)
	if err != nil {
		return refused(WhyScheme)
	}
	u := first
	for range maxRedirects + 1 {
		if why := c.unfit(u); why != "" {
			return refused(why)
		}
		status, to, err := c.ask(ctx, http.MethodHead, u)
		if err == nil && !headOnly && mayAnswerGet(status) {
			status, to, err = c.ask(ctx, http.MethodGet, u)
		}
		if err != nil {
			return failed(err)
		}
		if to == nil {
			return answered(status, headOnly, same(first, u))
		}
		u = to
	}
	return rempart.Recheck{Reach: rempart.ReachUnknown, Why: WhyRedirects}
}

// mayAnswerGet tells whether a status to HEAD may be another one to GET: servers
// that do not know HEAD say so in several ways, and a page is only called gone
// when GET says so too.
func mayAnswerGet(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusGone, http.StatusNotImplemented:
		return true
	}
	return false
}

// ask sends one request and closes what comes. to is where a redirect leads, nil
// for none.
func (c *Checker) ask(ctx context.Context, method string, u *url.URL) (status int, to *url.URL, err error) {
	clean := *u
	clean.User, clean.Fragment = nil, ""
	req, err := http.NewRequestWithContext(ctx, method, clean.String(), nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("User-Agent", agent)
	if method == http.MethodGet {
		req.Header.Set("Range", "bytes=0-0") // a server that can sends one byte, which is not read either
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	resp.Body.Close() // unread: the connection is closed with what is still in it
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if to, err := resp.Location(); err == nil {
			return resp.StatusCode, to, nil
		}
	}
	return resp.StatusCode, nil, nil
}

// answered reads a final status. there tells whether it is the address that was
// asked for, and not one that it led to.
func answered(status int, headOnly, there bool) rempart.Recheck {
	r := rempart.Recheck{Reach: rempart.ReachUnknown, Status: status, Why: WhyStatus}
	switch {
	case status == http.StatusNotFound, status == http.StatusGone, status == http.StatusUnavailableForLegalReasons:
		r.Reach = rempart.ReachGone
	case (status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented) && headOnly:
		r.Why = WhyMethod
	case status >= 200 && status < 300, status == http.StatusRequestedRangeNotSatisfiable:
		r.Reach = rempart.ReachThere
		if !there {
			r.Reach, r.Why = rempart.ReachUnknown, WhyElsewhere
		}
	}
	return r
}

// same tells whether a redirect only changed how the same page is written: its
// scheme, "www.", or a slash at its end.
func same(a, b *url.URL) bool {
	form := func(u *url.URL) string {
		return strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.") + strings.TrimSuffix(u.EscapedPath(), "/") + "?" + u.RawQuery
	}
	return form(a) == form(b)
}

// unfit says why an address is never asked, as far as it shows from the address
// itself; "" if it may be.
func (c *Checker) unfit(u *url.URL) string {
	if u.Scheme != "http" && u.Scheme != "https" {
		return WhyScheme
	}
	host := u.Hostname()
	if ascii, err := idna.Lookup.ToASCII(host); err == nil { // as net/http writes it to a proxy: "１２７.0.0.1" is 127.0.0.1
		host = ascii
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	ip, err := netip.ParseAddr(host)
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch {
	case err == nil:
		if c.guard.SafeAddr(ip.Unmap().WithZone("")) != nil {
			return WhyPrivate
		}
	case host == last, // a name of the local network, or none
		last == "localhost", last == "local", last == "internal", last == "lan", strings.HasSuffix(host, ".home.arpa"),
		strings.Trim(last, "0123456789") == "", strings.HasPrefix(last, "0x"): // an address written as a number, which a proxy may read as one
		return WhyPrivate
	}
	if port := u.Port(); port != "" { // behind a proxy nothing else looks at it
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || !slices.Contains(c.ports, uint16(n)) {
			return WhyPort
		}
	}
	return ""
}

func refused(why string) rempart.Recheck {
	return rempart.Recheck{Reach: rempart.ReachRefused, Why: why}
}

// failed says what kept an answer from coming. Only what the guard refused is
// refused: the rest is not known.
func failed(err error) rempart.Recheck {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork), errors.Is(err, ssrf.ErrInvalidHostPort):
		return refused(WhyPrivate)
	case errors.Is(err, ssrf.ErrProhibitedPort):
		return refused(WhyPort)
	case errors.As(err, &dns) && !dns.IsTimeout:
		return rempart.Recheck{Reach: rempart.ReachUnknown, Why: WhyName}
	case errors.As(err, &cert):
		return rempart.Recheck{Reach: rempart.ReachUnknown, Why: WhyTLS}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return rempart.Recheck{Reach: rempart.ReachUnknown, Why: WhyTimeout}
	}
	return rempart.Recheck{Reach: rempart.ReachUnknown, Why: WhyBroken}
}
