package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rempart"
	"rempart/exchange"
)

// reminderAPI registers the platform's door for who asks again.
func (s *Server) reminderAPI(a huma.API) {
	type in struct {
		ID   string `path:"id" maxLength:"100" doc:"the receipt's id, or its number"`
		Key  string `header:"Idempotency-Key" maxLength:"200" doc:"the same key reminds once"`
		Body exchange.Reminder
	}
	type out struct{ Body exchange.Receipt }
	huma.Register(a, huma.Operation{OperationID: "remind", Method: http.MethodPost, Path: "/api/v1/notices/{id}/reminders", Tags: []string{"notices"}, Security: withKey,
		Summary: "Ask again for what a notice waits for", Middlewares: s.keyed(a, rempart.PeerFlagger, rempart.PeerPartner), DefaultStatus: http.StatusOK, MaxBodyBytes: 1 << 17,
		Description: "With the key of the flagger or partner who sent the notice. Answers the notice's receipt as it stands. A callback whose delivery was given up is sent again."},
		func(ctx context.Context, i *in) (*out, error) {
			it, err := s.Flow.Remind(ctx, ctx.Value(peerKey{}).(rempart.Peer), i.ID, i.Key, i.Body)
			if err != nil {
				return nil, s.fault(ctx, err, "remind")
			}
			return &out{receiptOf(it)}, nil
		})
}
