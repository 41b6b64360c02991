package web

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rempart"
	"rempart/exchange"
)

// noticeState is what GET /api/v1/notices/{id} answers.
type noticeState struct {
	exchange.Receipt
	Items map[string]rempart.Decision `json:"items" doc:"the decision on each item decided so far, by its identifier; of a removal or restriction, once it is carried out"`

	Warning        string    `json:"warning,omitempty" doc:"about notices of yours that were manifestly unfounded (article 23(2)): the reason, in the moderator's words"`
	SuspendedUntil time.Time `json:"suspended_until,omitzero" doc:"until then, your notices are not taken, but for those about a minor"`

	Complaints    []exchange.ComplaintState `json:"complaints,omitempty" doc:"against these decisions, in the order they came"`
	ComplainUntil map[string]time.Time      `json:"complain_until,omitempty" doc:"by item that can be complained about: until when, six months after the decision was told (article 20(1)); left out while it was not told"`
}

// noticeAPI registers the platform's intake of notices (DSA art. 16).
func (s *Server) noticeAPI(a huma.API) {
	keyed := s.keyed(a, rempart.PeerFlagger, rempart.PeerPartner)
	type in struct {
		Key  string `header:"Idempotency-Key" maxLength:"200" doc:"default: the notice's id. The same key gives the same receipt"`
		Body exchange.Notice
	}
	type out struct {
		Location string `header:"Location"`
		Body     exchange.Receipt
	}
	huma.Register(a, huma.Operation{OperationID: "notify", Method: http.MethodPost, Path: "/api/v1/notices", Tags: []string{"notices"}, Security: withKey,
		Summary: "Send a notice (DSA article 16)", Middlewares: keyed, Description: "With the key of a flagger or a partner. What the notice lacks is named with its article.", DefaultStatus: http.StatusAccepted, MaxBodyBytes: 1 << 20},
		func(ctx context.Context, i *in) (*out, error) {
			it, err := s.Flow.Receive(ctx, ctx.Value(peerKey{}).(rempart.Peer), i.Body, i.Key)
			if err != nil {
				return nil, s.fault(ctx, err, "notify")
			}
			return &out{Location: "/api/v1/notices/" + it.ID, Body: receiptOf(it)}, nil
		})

	type get struct {
		ID string `path:"id"`
	}
	type state struct{ Body noticeState }
	huma.Register(a, huma.Operation{OperationID: "notice", Method: http.MethodGet, Path: "/api/v1/notices/{id}", Tags: []string{"notices"}, Security: withKey,
		Summary: "The state of a notice, and its decisions", Description: "With the key of the flagger or partner who sent it.", Middlewares: keyed},
		func(ctx context.Context, i *get) (*state, error) {
			it, err := s.ownIntake(ctx, i.ID)
			var w rempart.Window
			if err == nil {
				w, err = s.Flow.Window(ctx, it)
			}
			if err != nil {
				return nil, s.fault(ctx, err, "notice")
			}
			out := stateOf(it, w)
			m, err := s.DB.Measure(ctx, it.PeerID, it.Notice)
			if err != nil {
				return nil, s.fault(ctx, err, "notice")
			}
			if out.Warning = m.Warning; m.IsSuspended(s.Now()) {
				out.SuspendedUntil = m.Until
			}
			return &state{out}, nil
		})
}

// ownIntake returns the intake with an identifier, if the peer whose key the
// request came with sent it.
func (s *Server) ownIntake(ctx context.Context, id string) (*rempart.Intake, error) {
	it, err := s.DB.Intake(ctx, id)
	if rempart.KindOf(err) == rempart.NotFound { // who kept the number only
		it, err = s.DB.IntakeByNumber(ctx, id)
	}
	if rempart.KindOf(err) == rempart.NotFound || err == nil && it.PeerID != ctx.Value(peerKey{}).(rempart.Peer).ID {
		err = &rempart.Error{Kind: rempart.NotFound, Code: "notice.missing", Public: "There is no such notice."}
	}
	return it, err
}

// stateOf is what a notifier may see of its notice.
func stateOf(it *rempart.Intake, w rempart.Window) noticeState {
	out := noticeState{Receipt: receiptOf(it), Items: it.Answered()}
	for k := range it.Complaints {
		out.Complaints = append(out.Complaints, exchange.NewComplaintState(it, &it.Complaints[k], rempart.ByNotifier))
	}
	for _, item := range it.Complainable(rempart.ByNotifier) {
		if until := it.ComplainUntil(item, rempart.ByNotifier, w); !until.IsZero() {
			if out.ComplainUntil == nil {
				out.ComplainUntil = map[string]time.Time{}
			}
			out.ComplainUntil[item] = until
		}
	}
	return out
}

func receiptOf(i *rempart.Intake) exchange.Receipt {
	state := rempart.IntakeReceived
	if i.Settled() { // decided is not done
		state = rempart.IntakeDecided
	}
	return exchange.Receipt{ID: i.ID, Number: i.Number, State: string(state), ReceivedAt: i.ReceivedAt}
}

// callbackAPI registers what a platform tells this hub. The signature is over
// the bytes, so the library does not read them.
func (s *Server) callbackAPI(mux *http.ServeMux, a huma.API) {
	a.OpenAPI().AddOperation(&huma.Operation{OperationID: "callback", Method: http.MethodPost, Path: "/api/v1/callbacks", Tags: []string{"notices"}, Security: withKey,
		Summary: "Tell what became of a notice, or that an upload was stopped",
		Description: "With the key of a platform. Signed as Standard Webhooks says: headers webhook-id, webhook-timestamp, webhook-signature over the body, with the secret of the peer whose key is in Authorization. " +
			"A message with a webhook-id seen before is accepted and changes nothing.",
		RequestBody: jsonBody(a, reflect.TypeFor[exchange.Callback]()),
		Responses:   map[string]*huma.Response{"204": {Description: "done"}, "default": problemResponse(a)}})
	mux.HandleFunc("POST /api/v1/callbacks", func(w http.ResponseWriter, r *http.Request) {
		if err := s.callback(r, http.MaxBytesReader(w, r.Body, 1<<20)); err != nil {
			s.writeProblem(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

func (s *Server) callback(r *http.Request, body io.Reader) error {
	p, err := s.peer(r.Context(), r.Header.Get("Authorization"), rempart.PeerPlatform)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return &rempart.Error{Kind: rempart.TooLarge, Code: "callback.size", Public: "This message is too long or broke off.", Err: err}
	}
	cred, err := s.DB.Credentials(r.Context(), p.ID)
	if rempart.KindOf(err) == rempart.NotFound {
		return &rempart.Error{Kind: rempart.Unauthorized, Code: "callback.secret", Public: "No secret is shared with you to sign messages with; ask the operator of this instance."}
	}
	if err != nil {
		return err
	}
	cb, id, err := exchange.ReadCallback(cred.Secret, r.Header, b)
	if err != nil {
		return err
	}
	return s.Flow.Answer(r.Context(), p, id, cb)
}

// feedAPI registers the change feed of the lists.
func (s *Server) feedAPI(mux *http.ServeMux, a huma.API) {
	a.OpenAPI().AddOperation(&huma.Operation{OperationID: "feed", Method: http.MethodGet, Path: "/api/v1/feed", Tags: []string{"lists"}, Security: withKey,
		Summary:     "What changed in the lists, as JSON Lines",
		Description: "With the key of a platform or a partner. One entry a line in commit order, then one line with end and the cursor to go on from, and whole where there was nothing more, and afresh where that cursor is held no more and all there is follows from the beginning: what is not given until whole must stop matching then. An entry that is no longer active must stop matching. Who asks from a cursor says that everything before it was applied: that confirms the withdrawals to the person. wait: seconds to wait for a change, at most 30.",
		Parameters: []*huma.Param{
			{Name: "after", In: "query", Description: "cursor of the answer before; empty for the beginning", Schema: &huma.Schema{Type: "string"}},
			{Name: "wait", In: "query", Schema: &huma.Schema{Type: "integer"}},
		},
		Responses: map[string]*huma.Response{"200": {Description: "lines of JSON", Content: map[string]*huma.MediaType{"application/jsonl": {Schema: schemaOf(a, reflect.TypeFor[exchange.FeedLine]())}}},
			"default": problemResponse(a)}})
	mux.HandleFunc("GET /api/v1/feed", func(w http.ResponseWriter, r *http.Request) {
		p, err := s.peer(r.Context(), r.Header.Get("Authorization"), rempart.PeerPlatform, rempart.PeerPartner)
		var lists []string
		if err == nil {
			lists, err = s.Flow.MayCopy(r.Context(), p)
		}
		if err != nil {
			s.writeProblem(w, r, err)
			return
		}
		if err := s.DB.NoteReader(r.Context(), p.ID, r.URL.Query().Get("after")); err != nil {
			if r.Context().Err() == nil {
				s.writeProblem(w, r, err)
			}
			return
		}
		wait, _ := strconv.Atoi(r.URL.Query().Get("wait"))
		entries, end, err := s.Flow.Feed(r.Context(), lists, r.URL.Query().Get("after"), time.Duration(min(max(wait, 0), 30))*time.Second)
		if err != nil {
			if r.Context().Err() == nil {
				s.writeProblem(w, r, err)
			}
			return
		}
		w.Header().Set("Content-Type", "application/jsonl")
		if err := exchange.WriteFeed(w, entries, end); err != nil && r.Context().Err() == nil {
			s.Log.WarnContext(r.Context(), "feed broke off", "err", err)
		}
	})
}

func schemaOf(a huma.API, t reflect.Type) *huma.Schema {
	return a.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
}

// problemResponse describes every answer that is an error.
func problemResponse(a huma.API) *huma.Response {
	return &huma.Response{Description: "a problem document (RFC 9457)", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schemaOf(a, reflect.TypeFor[Problem]())}}}
}

func jsonBody(a huma.API, t reflect.Type) *huma.RequestBody {
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schemaOf(a, t)}}}
}
