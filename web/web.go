// Package web holds the pages for people, the console of the staff, the
// platform's side and the JSON API. Every door is one line of the table in
// routes.go; start there.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"rempart"
	"rempart/flow"
	"rempart/law"
	"rempart/store"
)

// Config is what a Server needs.
type Config struct {
	Site     string // name of the instance, shown on every page
	Hub      bool   // the role hub: the person's pages, cases
	Platform bool   // the role platform: notices received, upload check
	Demo     bool   // fictional data: says so on every page, lets sign-in links be opened by GET
	DB       *store.DB
	Flow     *flow.Flow
	Law      *law.Pack
	Notifier rempart.Notifier
	Now      func() time.Time
	Log      *slog.Logger
	Advance  func(time.Duration) time.Time // moves the demo's clock; nil outside the demo
}

// A Server answers HTTP for one instance.
type Server struct {
	Config
	pages   *pages
	guesses *rate.Limiter // codes tried, over everybody
}

// guessRate and guessBurst are how many codes a second the whole instance lets
// people try, and how many at once. A code has 75 random bits, so this is not
// what protects it; it keeps a flood of guesses from taking the machine away
// from others. Nobody's address is asked for it.
const (
	guessRate  = 50
	guessBurst = 200
)

// guess lets one code be tried, waiting up to two seconds for its turn.
func (s *Server) guess(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := s.guesses.Wait(ctx); err != nil {
		return &rempart.Error{Kind: rempart.Unavailable, Code: "code.busy", Public: "Many codes are being tried at this moment. Please try again in a minute."}
	}
	return nil
}

// New returns the handler of an instance.
func New(c Config) (http.Handler, error) {
	s := &Server{Config: c, guesses: rate.NewLimiter(guessRate, guessBurst)}
	var err error
	if s.pages, err = loadPages(); err != nil {
		return nil, err
	}
	return s.headers(s.routes()), nil
}
