package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"rempart"
)

// maxForm is the largest body of a report, a notice or a callback, in bytes.
const maxForm = 512 << 10 // 20 videos of 240 images, as a form writes them

// api registers the JSON API of the instance's roles, and the document that
// describes it at /api/openapi.json.
func (s *Server) api(mux *http.ServeMux) {
	c := huma.DefaultConfig("Rempart", "1")
	c.OpenAPIPath = "/api/openapi"
	c.DocsPath = "" // the library's page loads scripts from elsewhere
	c.SchemasPath = ""
	c.CreateHooks = nil // no $schema links, which would name the Host header
	c.Info.Description = "From a report to removal, and it stays removed. Errors are RFC 9457 problem documents. Writes take an Idempotency-Key."
	c.Info.License = &huma.License{Name: "EUPL-1.2", Identifier: "EUPL-1.2"}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key": {Type: "http", Scheme: "bearer", Description: "A key of the kind named in the operation."},
	}
	a := humago.New(mux, c)
	if s.Hub {
		s.reportAPI(a)
		s.callbackAPI(mux, a)
		s.feedAPI(mux, a)
		s.shapes(mux, a, "stopncii", stopnciiText, stopnciiRoutes)
		s.shapes(mux, a, "ncmec", ncmecText, ncmecRoutes)
	}
	if s.Platform {
		s.noticeAPI(a)
		s.complaintAPI(a)
		s.redressAPI(a)
		s.reminderAPI(a)
	}
	s.matchAPI(mux, a)
	s.opinionAPI(a)
	s.shapes(mux, a, "hma", hmaText, hmaRoutes)
	s.healthAPI(mux)
	if s.Advance != nil {
		s.demoAPI(a)
		mux.HandleFunc("POST /demo/advance", s.demoAdvance)
	}
}

// peerKey is where a request's context holds the peer whose key it came with.
type peerKey struct{}

// keyed lets an operation be reached only with the key of a peer of one of the
// kinds; it stands before the body is read.
func (s *Server) keyed(a huma.API, kinds ...rempart.PeerKind) huma.Middlewares {
	return huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		p, err := s.peer(ctx.Context(), ctx.Header("Authorization"), kinds...)
		if err != nil {
			s.note(ctx.Context(), ctx.Operation().OperationID, err)
			refuse(a, ctx, err)
			return
		}
		next(huma.WithValue(ctx, peerKey{}, p))
	}}
}

// refuse answers in the place of an operation.
func refuse(a huma.API, ctx huma.Context, err error) {
	e := problem(err)
	h := http.Header{}
	retry(h, err)
	for name := range h {
		ctx.SetHeader(name, h.Get(name))
	}
	ctx.SetHeader("Content-Type", "application/problem+json")
	ctx.SetStatus(e.Status)
	a.Marshal(ctx.BodyWriter(), "application/json", e)
}

var withKey = []map[string][]string{{"key": {}}}

// peer returns the peer that a bearer key belongs to, if it is of one of the
// kinds.
func (s *Server) peer(ctx context.Context, authorization string, kinds ...rempart.PeerKind) (rempart.Peer, error) {
	key, ok := strings.CutPrefix(authorization, "Bearer ")
	if !ok || key == "" {
		return rempart.Peer{}, &rempart.Error{Kind: rempart.Unauthorized, Code: "key.missing", Public: "Send your key in the header Authorization: Bearer KEY."}
	}
	p, err := s.peerByKey(ctx, strings.TrimSpace(key))
	if rempart.KindOf(err) == rempart.NotFound || err == nil && !p.DisabledAt.IsZero() {
		return rempart.Peer{}, &rempart.Error{Kind: rempart.Unauthorized, Code: "key.unknown", Public: "This key opens nothing here."}
	}
	if err != nil {
		return rempart.Peer{}, err
	}
	if !slices.Contains(kinds, p.Kind) {
		return rempart.Peer{}, &rempart.Error{Kind: rempart.Forbidden, Code: "key.kind", Public: "This key is not for this."}
	}
	return p, s.rates.take(p, 1, 0, time.Now())
}

// healthAPI answers the operator: alive, and ready to serve.
func (s *Server) healthAPI(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := s.DB.Ping(ctx); err != nil {
			s.Log.ErrorContext(r.Context(), "not ready", "err", err)
			w.WriteHeader(http.StatusServiceUnavailable)
			w.Write([]byte("the database does not answer\n"))
			return
		}
		if err := s.Flow.Whole(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			w.Write([]byte("the lists are being read\n"))
			return
		}
		w.Write([]byte("ready\n"))
	})
}

// loopbackOnly answers only to a name of this machine: a page elsewhere whose
// name was made to lead here sends its own.
func (s *Server) loopbackOnly(a huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		host := ctx.Host()
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if host != "localhost" && (err != nil || !ip.IsLoopback()) {
			refuse(a, ctx, &rempart.Error{Kind: rempart.Forbidden, Code: "demo.host", Public: "The demo's clock is moved from this machine only, by an address such as http://127.0.0.1."})
			return
		}
		next(ctx)
	}
}

// demoAPI moves the demo's clock.
func (s *Server) demoAPI(a huma.API) {
	type in struct {
		Body struct {
			Advance string `json:"advance" example:"48h" doc:"how far to move the clock, as Go writes durations; at most 8760h"`
		}
	}
	type out struct {
		Body struct {
			Now time.Time `json:"now"`
		}
	}
	huma.Register(a, huma.Operation{OperationID: "demo-clock", Method: http.MethodPost, Path: "/demo/clock", Tags: []string{"demo"},
		Summary: "Move the demo's clock", Middlewares: huma.Middlewares{s.loopbackOnly(a)}}, func(_ context.Context, i *in) (*out, error) {
		d, err := time.ParseDuration(i.Body.Advance)
		if err != nil || d < 0 || d > 8760*time.Hour {
			return nil, problem(&rempart.Error{Kind: rempart.Invalid, Field: "advance", Code: "demo.advance", Public: "Say how far to move the clock, such as 48h; at most 8760h, and never back."})
		}
		o := &out{}
		o.Body.Now = s.Advance(d)
		return o, nil
	})
}
