package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rempart"
	"rempart/exchange"
	"rempart/flow"
)

// A redressState is what the code of a notifier, or of who is affected by a
// decision, opens: what its page shows.
type redressState struct {
	By         rempart.ComplaintBy       `json:"by" enum:"notifier,affected" doc:"whose code it is"`
	Number     string                    `json:"number,omitempty" doc:"of the notice; to its notifier only"`
	State      string                    `json:"state" enum:"received,decided" doc:"decided once every decision is carried out"`
	ReceivedAt time.Time                 `json:"received_at,omitzero" doc:"of the notice; to its notifier only"`
	Items      []redressItem             `json:"items" doc:"to who is affected, the one item that is theirs"`
	Complaints []exchange.ComplaintState `json:"complaints" doc:"of the code's holder"`
}

// A redressItem is an item with what was decided and until when one can complain.
type redressItem struct {
	ID            string            `json:"id"`
	Decision      *rempart.Decision `json:"decision,omitempty" doc:"with its statement of reasons (article 17); none yet, or not carried out yet"`
	ComplainUntil *time.Time        `json:"complain_until,omitempty" doc:"none: no complaint is open"`
}

// redressAPI registers what the holder of a code can ask and say without a key
// (DSA art. 16(5), 17 and 20), as on the pages under /redress.
func (s *Server) redressAPI(a huma.API) {
	type out struct{ Body redressState }
	type ask struct {
		Body struct {
			Code string `json:"code" doc:"as it was shown; spaces, dashes and case do not matter"`
		}
	}
	huma.Register(a, huma.Operation{OperationID: "redress", Method: http.MethodPost, Path: "/api/v1/redress", Tags: []string{"notices"},
		Summary: "What became of a notice, or of one's own content", Description: "Without a key: the code of a notice sent by form, or of a decision, opens it. It goes in the body, never in an address.", MaxBodyBytes: 4 << 10},
		func(ctx context.Context, i *ask) (*out, error) {
			h, err := s.intakeByCode(ctx, i.Body.Code)
			var v redressState
			if err == nil {
				v, err = s.redressState(ctx, h)
			}
			if err != nil {
				return nil, s.fault(ctx, err, "redress")
			}
			return &out{v}, nil
		})
	type complain struct {
		Body struct {
			Code string `json:"code" doc:"as it was shown; spaces, dashes and case do not matter"`
			exchange.Complaint
		}
	}
	huma.Register(a, huma.Operation{OperationID: "redress-complaint", Method: http.MethodPost, Path: "/api/v1/redress/complaints", Tags: []string{"notices"}, DefaultStatus: http.StatusAccepted,
		Summary: "Complain about a decision with its code (DSA article 20)", MaxBodyBytes: 64 << 10,
		Description: "Without a key, within six months. Another person than the one who decided decides on it; ask with the code what it came to. The same id gives the same complaint."},
		func(ctx context.Context, i *complain) (*out, error) {
			h, err := s.intakeByCode(ctx, i.Body.Code)
			if err == nil {
				err = s.forms.take(s.Now())
			}
			if err == nil {
				c := i.Body.Complaint
				if h.By == rempart.ByAffected {
					c.Items = []string{h.Item}
				}
				h.Intake, _, err = s.Flow.Complain(ctx, h.Intake, h.By, c)
			}
			var v redressState
			if err == nil {
				v, err = s.redressState(ctx, h)
			}
			if err != nil {
				return nil, s.fault(ctx, err, "redress-complaint")
			}
			return &out{v}, nil
		})
}

// redressState is what the holder of a code may see.
func (s *Server) redressState(ctx context.Context, h flow.Holder) (redressState, error) {
	i := h.Intake
	window, err := s.Flow.Window(ctx, i)
	if err != nil {
		return redressState{}, err
	}
	affected := h.By == rempart.ByAffected
	v := redressState{By: h.By, State: string(rempart.IntakeReceived), Items: []redressItem{}, Complaints: []exchange.ComplaintState{}}
	if i.Settled() {
		v.State = string(rempart.IntakeDecided)
	}
	if !affected { // who is affected reads nothing of the notice
		v.Number, v.ReceivedAt = i.Number, i.ReceivedAt
	}
	open := i.Complainable(h.By)
	for _, n := range i.Notice.Items {
		if affected && n.ID != h.Item {
			continue
		}
		x := redressItem{ID: n.ID}
		if d, ok := i.Decisions[n.ID]; ok && (i.Done(n.ID) || affected) {
			if affected {
				d.Unfounded = false // between the platform and who notified
			}
			x.Decision = &d
			until := i.ComplainUntil(n.ID, h.By, window)
			if slices.Contains(open, n.ID) && s.Now().Before(until) && !s.complained(i, h.By, n.ID) {
				x.ComplainUntil = &until
			}
		}
		v.Items = append(v.Items, x)
	}
	for k := range i.Complaints {
		c := exchange.NewComplaintState(i, &i.Complaints[k], h.By)
		if c.By == h.By && (!affected || slices.Contains(c.Items, h.Item)) {
			v.Complaints = append(v.Complaints, c)
		}
	}
	return v, nil
}
