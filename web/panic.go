package web

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
)

// recovered answers for a handler that panics, and logs where. Of the value only
// the type is logged: it may hold what was sent.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &begun{ResponseWriter: w}
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			err := fmt.Errorf("the handler panicked with a %T:\n%s", p, debug.Stack())
			switch {
			case a.wrote:
				s.note(r.Context(), r.Pattern, err)
				panic(http.ErrAbortHandler) // so that half an answer does not pass for a whole one
			case strings.HasPrefix(r.URL.Path, "/api/"), strings.HasPrefix(r.URL.Path, "/demo/"):
				s.writeProblem(a, r, err)
			case strings.HasPrefix(r.URL.Path, "/console"):
				s.fail(a, r, "console", err)
			default:
				s.fail(a, r, "person", err)
			}
		}()
		next.ServeHTTP(a, r)
	})
}

// begun knows whether the answer has begun.
type begun struct {
	http.ResponseWriter
	wrote bool
}

// Write writes on.
func (b *begun) Write(p []byte) (int, error) {
	b.wrote = true
	return b.ResponseWriter.Write(p)
}

// WriteHeader begins the answer.
func (b *begun) WriteHeader(status int) {
	b.wrote = true
	b.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (b *begun) Unwrap() http.ResponseWriter { return b.ResponseWriter }
