package web

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"rempart"
	"rempart/flow"
)

// rates counts, in this process, what each key asks for. It holds a few numbers
// for each peer that came in with a good key, and for nobody else.
type rates struct {
	peers sync.Map // by identifier: *spent
	known int      // that peers holds; under mu
	mu    sync.Mutex
}

// spent is what one key has asked for.
type spent struct {
	mu               sync.Mutex // guards all below
	limits           rempart.Rates
	requests, values *rate.Limiter
	day              int64 // since 1970, UTC
	requestsDay      int
	valuesDay        int
}

// A limited is an Error of kind Limited with the time after which asking makes
// sense again.
type limited struct {
	told  *rempart.Error
	after time.Duration
}

// Error says what is refused.
func (l *limited) Error() string { return l.told.Error() }

// Unwrap returns the error that is told.
func (l *limited) Unwrap() error { return l.told }

func newLimited(code, public string, after time.Duration) error {
	return &limited{&rempart.Error{Kind: rempart.Limited, Code: code, Public: public}, after}
}

// of returns what a peer has asked for. Where more peers are known than keys are
// kept, which no instance has, it begins anew.
func (t *rates) of(peer string) *spent {
	if x, ok := t.peers.Load(peer); ok {
		return x.(*spent)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known >= keysKept {
		t.peers.Clear()
		t.known = 0
	}
	x, there := t.peers.LoadOrStore(peer, &spent{})
	if !there {
		t.known++
	}
	return x.(*spent)
}

// take counts one request, or a number of values looked up, of a peer; over its
// rates it is a Limited, and nothing is counted.
func (t *rates) take(p rempart.Peer, requests, values int, now time.Time) error {
	x, limits := t.of(p.ID), p.Limits()
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.limits != limits {
		x.limits = limits
		x.requests = rate.NewLimiter(rate.Limit(limits.Requests), limits.Requests)
		// A batch is let through whole: a rate below one makes the next wait.
		x.values = rate.NewLimiter(rate.Limit(limits.Values), max(limits.Values, mostValues))
	}
	if day := now.Unix() / 86400; day != x.day {
		x.day, x.requestsDay, x.valuesDay = day, 0, 0
	}
	midnight := time.Unix((x.day+1)*86400, 0).Sub(now)
	if x.requestsDay+requests > limits.RequestsDay {
		return newLimited("rate.requests_day", "This key has made all the requests of its day. Ask again after midnight UTC.", midnight)
	}
	if x.valuesDay+values > limits.ValuesDay {
		return newLimited("rate.values_day", "This key has looked up all the values of its day. Ask again after midnight UTC.", midnight)
	}
	if requests > 0 {
		if wait := pass(x.requests, requests, now); wait > 0 {
			return newLimited("rate.requests", "This key makes more requests a second than it may. Wait as Retry-After says.", wait)
		}
	}
	if values > 0 {
		if wait := pass(x.values, values, now); wait > 0 {
			return newLimited("rate.values", "This key looks up more values a second than it may. Wait as Retry-After says.", wait)
		}
	}
	x.requestsDay += requests
	x.valuesDay += values
	return nil
}

// mostValues is the most that one request looks up: each fingerprint of a batch,
// and the images of its videos.
const mostValues = flow.MaxQueries + 3*rempart.MaxFrames

// pass takes n places of a limiter, or says how long to wait for them.
func pass(l *rate.Limiter, n int, now time.Time) time.Duration {
	if l.AllowN(now, n) {
		return 0
	}
	r := l.ReserveN(now, n)
	defer r.CancelAt(now)
	return max(r.DelayFrom(now), time.Millisecond)
}

// takeValues counts what a request looks up.
func (s *Server) takeValues(p rempart.Peer, n int) error {
	return s.rates.take(p, 0, n, time.Now())
}

// retry sets after how many seconds what err refuses makes sense again; of other
// errors nothing is said.
func retry(h http.Header, err error) {
	var l *limited
	switch {
	case errors.As(err, &l):
		h.Set("Retry-After", strconv.FormatFloat(math.Ceil(max(l.after.Seconds(), 1)), 'f', 0, 64))
	case status[rempart.KindOf(err)] == http.StatusServiceUnavailable:
		h.Set("Retry-After", retryAfter)
	}
}
