package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rempart"
	"rempart/exchange"
)

// complaintAPI registers the complaints of notifiers against decisions on their
// notices (DSA art. 20).
func (s *Server) complaintAPI(a huma.API) {
	keyed := s.keyed(a, rempart.PeerFlagger, rempart.PeerPartner)
	type in struct {
		Notice string `path:"id" doc:"identifier of the receipt"`
		Key    string `header:"Idempotency-Key" maxLength:"64" doc:"default: the complaint's id. The same key gives the same complaint"`
		Body   exchange.Complaint
	}
	type out struct {
		Location string `header:"Location"`
		Body     exchange.ComplaintState
	}
	huma.Register(a, huma.Operation{OperationID: "complain", Method: http.MethodPost, Path: "/api/v1/notices/{id}/complaints", Tags: []string{"notices"}, Security: withKey,
		Summary: "Complain about decisions on a notice (DSA article 20)", Middlewares: keyed, DefaultStatus: http.StatusAccepted, MaxBodyBytes: 64 << 10,
		Description: "With the key of the flagger or partner who sent the notice, within six months after it was told of the decision, about items that were refused or only restricted. " +
			"Another person than the one who decided decides on it. The outcome comes as a callback complaint.decided, once what was reversed is carried out, and can be asked for here."},
		func(ctx context.Context, i *in) (*out, error) {
			it, err := s.ownIntake(ctx, i.Notice)
			if err != nil {
				return nil, s.fault(ctx, err, "complain")
			}
			if i.Body.ID == "" {
				i.Body.ID = i.Key
			}
			it, c, err := s.Flow.Complain(ctx, it, rempart.ByNotifier, i.Body)
			if err != nil {
				return nil, s.fault(ctx, err, "complain")
			}
			return &out{"/api/v1/notices/" + it.ID + "/complaints/" + c.Number, exchange.NewComplaintState(it, c, rempart.ByNotifier)}, nil
		})

	type get struct {
		Notice string `path:"id"`
		Number string `path:"number" doc:"number of the complaint"`
	}
	type state struct{ Body exchange.ComplaintState }
	huma.Register(a, huma.Operation{OperationID: "complaint", Method: http.MethodGet, Path: "/api/v1/notices/{id}/complaints/{number}", Tags: []string{"notices"}, Security: withKey,
		Summary: "The state of a complaint, and what it came to", Description: "With the key of the flagger or partner who sent the notice.", Middlewares: keyed},
		func(ctx context.Context, i *get) (*state, error) {
			it, err := s.ownIntake(ctx, i.Notice)
			if err != nil {
				return nil, s.fault(ctx, err, "complaint")
			}
			c := it.Complaint(i.Number)
			if c == nil || c.By != rempart.ByNotifier {
				return nil, s.fault(ctx, &rempart.Error{Kind: rempart.NotFound, Code: "complaint.missing", Public: "There is no such complaint."}, "complaint")
			}
			return &state{exchange.NewComplaintState(it, c, rempart.ByNotifier)}, nil
		})
}
