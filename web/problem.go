package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rempart"
)

// status is the one table from kinds of error to HTTP statuses.
var status = map[rempart.Kind]int{
	rempart.Internal:     http.StatusInternalServerError,
	rempart.Invalid:      http.StatusUnprocessableEntity,
	rempart.NotFound:     http.StatusNotFound,
	rempart.Conflict:     http.StatusConflict,
	rempart.Unauthorized: http.StatusUnauthorized,
	rempart.Forbidden:    http.StatusForbidden,
	rempart.TooLarge:     http.StatusRequestEntityTooLarge,
	rempart.Unavailable:  http.StatusServiceUnavailable,
	rempart.Unknown:      http.StatusGatewayTimeout,
	rempart.Limited:      http.StatusTooManyRequests,
}

// A Problem is an error as the API answers it (RFC 9457). It never repeats what
// was sent.
type Problem struct {
	Type   string  `json:"type" doc:"about:blank"`
	Title  string  `json:"title" doc:"the HTTP status in words"`
	Status int     `json:"status"`
	Detail string  `json:"detail,omitempty" doc:"what is wrong and what to do"`
	Code   string  `json:"code,omitempty" doc:"the same for programs, such as report.nothing"`
	Errors []Fault `json:"errors,omitempty" doc:"each fault found"`
}

// A Fault is one thing wrong with a request.
type Fault struct {
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
	Code   string `json:"code,omitempty"`
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType names the media type of problem documents.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// problem turns an error into what is answered. An internal error's cause is
// not in it.
func problem(err error) *Problem {
	var all rempart.Problems
	var one *rempart.Error
	switch {
	case errors.As(err, &all):
		p := newProblem(status[all[0].Kind], all[0].Public, all[0].Code)
		for _, e := range all {
			p.Errors = append(p.Errors, Fault{e.Field, e.Public, e.Code})
		}
		return p
	case errors.As(err, &one):
		p := newProblem(status[one.Kind], one.Public, one.Code)
		if one.Field != "" {
			p.Errors = []Fault{{one.Field, one.Public, one.Code}}
		}
		return p
	}
	return newProblem(http.StatusInternalServerError, "Something went wrong on our side; it has been noted. Please try again later.", "internal")
}

func newProblem(status int, detail, code string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
}

// hide replaces the library's error document by ours: the library's repeats the
// values that were refused, and for an unknown property the whole body.
func init() {
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		p := newProblem(status, msg, "request")
		for _, err := range errs {
			if err == nil {
				continue
			}
			var d *huma.ErrorDetail
			if errors.As(err, &d) {
				p.Errors = append(p.Errors, Fault{Field: d.Location, Detail: d.Message})
			} else {
				p.Errors = append(p.Errors, Fault{Detail: err.Error()})
			}
		}
		return p
	}
	huma.NewErrorWithContext = func(c huma.Context, status int, msg string, errs ...error) huma.StatusError {
		e := huma.NewError(status, msg, errs...)
		p, ok := e.(*Problem)
		if !ok || c == nil || c.Operation() == nil || c.Operation().OperationID != "report" {
			return e
		}
		for i := range p.Errors {
			if p.Errors[i].Field == "header.Idempotency-Key" {
				p.Errors[i].Code, p.Errors[i].Detail = "report.key", "Choose the Idempotency-Key at random, of 22 to 200 characters: who sends the same one gets the same case code."
			}
		}
		return e
	}
}

// writeProblem answers an error of a handler that the library does not serve.
func (s *Server) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := problem(err)
	s.note(r.Context(), r.Pattern, err)
	retry(w.Header(), err)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

// fault turns an error of a handler into what the library answers, and notes
// those that are ours.
func (s *Server) fault(ctx context.Context, err error, route string) error {
	s.note(ctx, route, err)
	p := problem(err)
	if h := (http.Header{}); p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		retry(h, err)
		return huma.ErrorWithHeaders(p, h)
	}
	return p
}

// retryAfter is how many seconds to wait when something is not available.
const retryAfter = "5"

// note logs an error that is ours. That something is not available is the
// answer to a flood, which must not flood the log as well: it is said once a
// minute.
func (s *Server) note(ctx context.Context, route string, err error) {
	switch rempart.KindOf(err) {
	case rempart.Internal, rempart.Unknown:
		s.Log.ErrorContext(ctx, "request failed", "route", route, "err", err)
	case rempart.Unavailable:
		last, now := s.busy.Load(), s.Now().Unix()
		if now-last >= 60 && s.busy.CompareAndSwap(last, now) {
			s.Log.WarnContext(ctx, "not available; said at most once a minute", "route", route, "err", err)
		}
	}
}
