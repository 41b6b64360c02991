package exchange

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"rempart"
)

// A SourcePage is one answer of a source.
type SourcePage struct {
	Records []rempart.SourceRecord
	Refused []rempart.RefusedRecord // by their place in the page
	Other   int                     // records of types or lists that are not taken here
	Count   int                     // records in all
	Next    string                  // checkpoint to go on from, once this page is saved
	More    bool                    // there is more now
	Afresh  bool                    // the source holds the checkpoint no more: this is the first page of all it has
}

func (p *SourcePage) refuse(why string) {
	p.Refused = append(p.Refused, rempart.RefusedRecord{Place: p.Count, Why: why})
}

// take adds a record of a PDQ or an MD5, if it is one.
func (p *SourcePage) take(id, list string, f rempart.Fingerprint, gone bool) {
	n, err := f.Normal()
	switch {
	case err != nil && f.Type == rempart.MD5:
		p.refuse("the md5 has not 32 hexadecimal digits")
	case err != nil:
		p.refuse("the pdq has not 64 hexadecimal digits")
	default:
		p.Records = append(p.Records, rempart.SourceRecord{ID: id, List: list, Fingerprint: n, Gone: gone})
	}
}

// maxPull is what is read of one answer, uncompressed.
const maxPull = 64 << 20

// pullIdle is how long an answer may say nothing.
const pullIdle = 30 * time.Second

// PullClient returns a client for one source. It opens connections to the public
// network alone, looked at after names were resolved, unless the source may be on
// another one, or is this machine by its address. It follows no redirect, as the
// keys would go with it. Behind the operator's proxy it is the proxy that
// connects, and must refuse the rest.
func PullClient(s rempart.Source) (*http.Client, error) {
	u, err := url.Parse(s.URL)
	if err != nil {
		return nil, fmt.Errorf("exchange: source: %w", err)
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: ssrf.New(ssrf.WithAnyPort()).Safe}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	if err != nil {
		return nil, fmt.Errorf("exchange: proxy: %w", err)
	}
	switch {
	case proxy != nil, s.Private:
		dialer.Control = nil
	case rempart.Loopback(u.Hostname()):
		dialer.Control = thisMachine
	}
	return &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second,
			ResponseHeaderTimeout: pullIdle, MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

func thisMachine(_, address string, _ syscall.RawConn) error {
	if a, err := netip.ParseAddrPort(address); err != nil || !a.Addr().IsLoopback() {
		return errors.New("exchange: this name does not lead to this machine")
	}
	return nil
}

// PullSource asks a source for what comes after a checkpoint ("" is the
// beginning). An answer that does not count is a *Failure. The same checkpoint
// may be asked again: what a page says is so now, and saving it twice changes
// nothing. c is of [PullClient].
func PullSource(ctx context.Context, c *http.Client, s rempart.Source, cred rempart.Credentials, checkpoint string, now time.Time) (SourcePage, error) {
	p := puller{c: c, s: s, header: http.Header{}}
	switch s.Kind {
	case rempart.SourceStopNCII:
		p.header.Set("x-functions-key", cred.Key)
		p.header.Set("Ocp-Apim-Subscription-Key", cred.Secret)
		return p.stopncii(ctx, checkpoint)
	case rempart.SourceNCMEC:
		p.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(cred.Key+":"+cred.Secret)))
		return p.ncmec(ctx, checkpoint, now)
	case rempart.SourceFeed:
		p.bearer(cred.Key)
		return p.feed(ctx, checkpoint)
	}
	return SourcePage{}, fmt.Errorf("exchange: a source of the kind %s has no pages", s.Kind)
}

// PullFile asks for the file of a source, unless it is of the version that was
// read before; body is nil then. The version may be "".
func PullFile(ctx context.Context, c *http.Client, s rempart.Source, cred rempart.Credentials, had string) (body io.ReadCloser, version string, err error) {
	p := puller{c: c, s: s, header: http.Header{}}
	p.bearer(cred.Key)
	if name, value, ok := strings.Cut(had, " "); ok {
		p.header.Set(name, value)
	}
	resp, err := p.get(ctx, s.URL)
	if err != nil {
		return nil, "", err
	}
	if resp.StatusCode == http.StatusNotModified {
		return nil, had, resp.Body.Close()
	}
	if v := resp.Header.Get("ETag"); v != "" {
		version = "If-None-Match " + v
	} else if v := resp.Header.Get("Last-Modified"); v != "" {
		version = "If-Modified-Since " + v
	}
	return resp.Body, version, nil
}

// A puller asks one source.
type puller struct {
	c      *http.Client
	s      rempart.Source
	header http.Header
}

func (p *puller) bearer(key string) {
	if key != "" {
		p.header.Set("Authorization", "Bearer "+key)
	}
}

// get asks for an address. The body ends with an error when nothing comes of it
// for pullIdle.
func (p *puller) get(ctx context.Context, u string) (*http.Response, error) {
	ctx, cancel := context.WithCancel(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		cancel()
		return nil, &Failure{Answer: "the address of the source cannot be used", Permanent: true, Err: err}
	}
	req.Header = p.header.Clone()
	req.Header.Set("User-Agent", "rempart")
	resp, err := p.c.Do(req)
	if err != nil {
		cancel()
		var not *url.Error
		if errors.As(err, &not) && errors.Is(err, ssrf.ErrProhibitedIP) {
			return nil, &Failure{Answer: "the address of the source is not on the public network", Permanent: true, Err: err}
		}
		return nil, &Failure{Answer: networkText(err), Err: err}
	}
	resp.Body = &idleBody{ReadCloser: resp.Body, cancel: cancel, timer: time.AfterFunc(pullIdle, cancel), wait: pullIdle}
	asked := p.header.Get("If-None-Match") != "" || p.header.Get("If-Modified-Since") != ""
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNotModified && asked {
		return resp, nil
	}
	f := &Failure{Status: resp.StatusCode, Answer: http.StatusText(resp.StatusCode), Permanent: true, RetryAfter: retryAfter(resp.Header.Get("Retry-After"))}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		f.Permanent = false
	}
	f.Permanent = f.Permanent && resp.StatusCode < 500
	return nil, errors.Join(f, resp.Body.Close())
}

// read decodes an answer as JSON.
func (p *puller) read(ctx context.Context, u string, out any) error {
	resp, err := p.get(ctx, u)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxPull)).Decode(out); err != nil {
		return unreadable(err)
	}
	return nil
}

// unreadable is the failure of an answer that broke off or is not as its format
// says.
func unreadable(err error) error {
	text := "the answer is not as the format says"
	var n net.Error
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) || errors.As(err, &n) {
		text = "the answer broke off"
	}
	return &Failure{Status: http.StatusOK, Answer: text, Err: err}
}

// An idleBody is given up when nothing comes of it.
type idleBody struct {
	io.ReadCloser
	cancel context.CancelFunc
	timer  *time.Timer
	wait   time.Duration
}

// Read reads on.
func (b *idleBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.wait)
	return b.ReadCloser.Read(p)
}

// Close closes it.
func (b *idleBody) Close() error {
	b.timer.Stop()
	b.cancel()
	return b.ReadCloser.Close()
}

// again tells whether a refusal may be of a token or an address of a page that is
// too old, so that the pages are begun again without it.
func again(err error) bool {
	var f *Failure
	return errors.As(err, &f) && (f.Status == http.StatusBadRequest || f.Status == http.StatusNotFound || f.Status == http.StatusGone)
}

// place reads a checkpoint; "" leaves v as it is.
func place(checkpoint string, v any) error {
	if checkpoint == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(checkpoint), v); err != nil {
		return fmt.Errorf("exchange: checkpoint of a source: %w", err)
	}
	return nil
}

func placed(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // of numbers and texts: cannot be
	}
	return string(b)
}
