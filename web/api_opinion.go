package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"rempart"
	"rempart/exchange"
	"rempart/flow"
)

// opinionAPI registers what platforms and partners say of matches.
func (s *Server) opinionAPI(a huma.API) {
	type in struct {
		Body exchange.Opinions
	}
	type out struct {
		Body exchange.OpinionsTaken
	}
	huma.Register(a, huma.Operation{OperationID: "opinions", Method: http.MethodPost, Path: "/api/v1/opinions", Tags: []string{"lists"}, Security: withKey,
		Summary:     "What a platform says of entries that matched",
		Description: "With the key of a platform or a partner. Blocked: it met the picture and blocked it. NotBlocked: it met it and saw no reason to. NotSame: what matched is not the same picture. The last two stop the matching of the entry until an analyst decides. A newer opinion of one key replaces it, so that sending it again changes nothing. What is said of entries that the key's lists do not hold is passed over. On an instance that follows a hub, that hub is told.",
		Middlewares: s.keyed(a, readers...), MaxBodyBytes: maxMatchJSON}, func(ctx context.Context, i *in) (*out, error) {
		p := ctx.Value(peerKey{}).(rempart.Peer)
		var all []flow.Remark
		for _, o := range i.Body.Opinions {
			all = append(all, flow.Remark{Num: o.Entry, ID: o.ID, Opinion: rempart.Opinion{Fingerprint: rempart.Fingerprint{Type: o.Type, Value: o.Value}, Value: o.Opinion, Tags: o.Tags, Seen: o.Seen}})
		}
		n, err := s.Flow.Opine(ctx, p, all)
		if err != nil {
			return nil, s.fault(ctx, err, "opinions")
		}
		o := &out{}
		o.Body.Taken = n
		return o, nil
	})
}
