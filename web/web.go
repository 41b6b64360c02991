// Package web holds the pages for people, the console of the staff, the
// platform's side and the JSON API. Every door is one line of the table in
// routes.go; start there.
package web

import (
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/idp"
	"rempart/law"
	"rempart/store"
)

// Config is what a Server needs.
type Config struct {
	Site       string // name of the instance, shown on every page
	Hub        bool   // the role hub: the person's pages, cases
	Platform   bool   // the role platform: notices received, upload check
	Matcher    bool   // nothing but lookups: no page
	Untold     bool   // no hub can be told of a stop
	Demo       bool   // fictional data: says so on every page, lets sign-in links be opened by GET
	DB         *store.DB
	Flow       *flow.Flow
	Law        *law.Pack
	Notifier   rempart.Notifier
	OIDC       *idp.Provider // where staff may sign in too; nil: nowhere
	Now        func() time.Time
	Log        *slog.Logger
	PauseAfter int                           // minors' cases of a day after which a pause is proposed; 0: 15
	Advance    func(time.Duration) time.Time // moves the demo's clock; nil outside the demo
}

// A Server answers HTTP for one instance.
type Server struct {
	Config
	pages      *pages
	keys       keys
	rates      rates
	lookups    chan struct{} // holds one for each code that is being looked up
	uploads    chan struct{} // holds one for each file that is being received or checked
	uploadTime time.Duration
	forms      bucket       // what anybody may send without a key
	refusals   bucket       // records of what anybody may have refused without a name
	busy       atomic.Int64 // when it was last logged that something was not available, in Unix seconds
}

// New returns the handler of an instance.
func New(c Config) (http.Handler, error) {
	s, err := newServer(c)
	if err != nil {
		return nil, err
	}
	return s.handler(), nil
}

func newServer(c Config) (*Server, error) {
	s := &Server{Config: c, lookups: make(chan struct{}, lookupsAtOnce), uploads: make(chan struct{}, uploadsAtOnce()), uploadTime: uploadTime}
	var err error
	if s.pages, err = loadPages(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) handler() http.Handler { return s.headers(s.recovered(s.routes())) }
