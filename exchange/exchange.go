// Package exchange holds the formats in which instances and partners speak to
// each other, one file each: notices (notice.go), signed callbacks
// (callback.go), the change feed of lists (feed.go). It turns them into the
// domain's types and back, and holds the client that sends them; it keeps
// nothing and decides nothing.
package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// MaxAnswer is how much of an answer is read: the far side may be hostile.
const MaxAnswer = 64 << 10

// A Failure is a delivery that did not succeed, with what is needed to decide
// what comes next.
type Failure struct {
	Status     int           // HTTP status, 0 when there was no answer
	Answer     string        // start of the answer, or what went wrong; without line breaks
	Permanent  bool          // trying again unchanged cannot help
	Turn       bool          // nothing was tried: something else goes first
	RetryAfter time.Duration // asked by the far side, 0 if not
	Err        error
}

// Error says what went wrong.
func (f *Failure) Error() string {
	if f.Status != 0 {
		return fmt.Sprintf("answered %d: %s", f.Status, f.Answer)
	}
	return f.Answer
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// NewClient returns an HTTP client for deliveries: it follows no redirect, gives
// up after 20 seconds, and uses no proxy from the environment but the
// operator's HTTPS_PROXY as Go does.
func NewClient() *http.Client {
	return &http.Client{
		Timeout: 20 * time.Second,
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: 15 * time.Second,
			MaxIdleConnsPerHost:   4,
			IdleConnTimeout:       30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends body to base+path and decodes a 2xx answer into out (nil: not
// read). Any other outcome is a *Failure.
func post(ctx context.Context, c *http.Client, base, path string, body []byte, header http.Header, out any) (status int, answer string, err error) {
	u, err := url.JoinPath(base, path)
	if err != nil {
		return 0, "", &Failure{Answer: "the peer's address cannot be read", Permanent: true, Err: err}
	}
	return postTo(ctx, c, u, body, header, out)
}

// postTo is post to a whole address.
func postTo(ctx context.Context, c *http.Client, u string, body []byte, header http.Header, out any) (status int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u, bytes.NewReader(body))
	if err != nil {
		return 0, "", &Failure{Answer: "the peer's address cannot be used", Permanent: true, Err: err}
	}
	req.Header = header
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", "rempart")
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", &Failure{Answer: networkText(err), Err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err != nil {
		return 0, "", &Failure{Status: resp.StatusCode, Answer: "the answer broke off", Err: err}
	}
	text := oneLine(b)
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		if len(b) > MaxAnswer {
			return 0, "", &Failure{Status: resp.StatusCode, Answer: "the answer is too long to be a receipt", Permanent: true}
		}
		if out != nil {
			if err := json.Unmarshal(b, out); err != nil {
				return 0, "", &Failure{Status: resp.StatusCode, Answer: "the answer is not a receipt: " + text, Err: err}
			}
		}
		return resp.StatusCode, text, nil
	case resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode == http.StatusTooEarly,
		resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode >= 500:
		return 0, "", &Failure{Status: resp.StatusCode, Answer: text, RetryAfter: retryAfter(resp.Header.Get("Retry-After"))}
	}
	return 0, "", &Failure{Status: resp.StatusCode, Answer: text, Permanent: true}
}

// retryAfter reads the header's seconds or date, at most a day.
func retryAfter(v string) time.Duration {
	d := time.Duration(0)
	if n, err := strconv.Atoi(v); err == nil {
		d = time.Duration(min(max(n, 0), 24*60*60)) * time.Second
	} else if t, err := http.ParseTime(v); err == nil {
		d = time.Until(t)
	}
	return min(max(d, 0), 24*time.Hour)
}

// networkText says in a few words what went wrong on the way, without the
// address.
func networkText(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &dns):
		return "the name of the service was not found"
	case errors.As(err, &op) && op.Op == "dial":
		return "the service does not accept connections"
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "no answer in time"
	}
	return "the connection broke"
}

// oneLine returns the first 300 characters of b on one line.
func oneLine(b []byte) string {
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(b), "�")), " ")
	if r := []rune(s); len(r) > 300 {
		return string(r[:299]) + "…"
	}
	return s
}
