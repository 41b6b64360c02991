package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"rempart"
)

// An Order is what a platform's own system is asked to do, by a POST to the
// address registered for it, signed as the Standard Webhooks convention says. The
// webhook-id is the order's identifier, the same at every attempt: the system
// does it once and answers the same again.
type Order struct {
	Type     string             `json:"type"` // "decision.apply": impose these restrictions and no others; "decision.lift": take them back; "complaint.decided": tell who put the item there
	ID       string             `json:"id"`
	At       time.Time          `json:"at"`      // when it was decided
	Notice   string             `json:"notice"`  // the number of the notice, for people
	Notices  []string           `json:"notices"` // of all the notices about the item that were decided in this moment, the one above first: none of the others has an order of its own
	Item     rempart.NoticeItem `json:"item"`    // its address is the content's
	Measure  rempart.Measure    `json:"measure"`
	Decision rempart.Decision   `json:"decision"` // the statement of reasons (DSA article 17), for who put the content there
	Redress  Redress            `json:"redress"`  // to be given to that person, and to nobody else

	Complaint *ComplaintState `json:"complaint,omitempty"` // of complaint.decided: what that person's complaint came to
}

// A Redress is how who is affected by a decision reads its reasons and complains
// (DSA articles 17(3)(f) and 20).
type Redress struct {
	Code string `json:"code"` // opens the page below; a secret of who put the content there
	URL  string `json:"url"`
}

// Types of an order.
const (
	OrderApply = "decision.apply"
	OrderLift  = "decision.lift"
	OrderTell  = "complaint.decided"
)

// Outcomes of an order.
const (
	OutcomeDone    = "done"    // it is so now
	OutcomePending = "pending" // taken, not done yet: ask again
	OutcomeFailed  = "failed"  // it cannot be done: a human must look
)

// An Outcome is what the platform's system answers to an order.
type Outcome struct {
	Outcome string `json:"outcome"`
	Reason  string `json:"reason,omitempty"` // of failed: in a few words, for the staff
}

// SendOrder delivers an order to the whole address u, and returns once the system
// confirmed that it is done. Any other outcome is a *Failure: an answer that does
// not say so is no confirmation and is asked for again, under the same
// identifier.
func SendOrder(ctx context.Context, c *http.Client, u, secret string, o Order) (status int, err error) {
	body, err := json.Marshal(o)
	if err != nil {
		return 0, fmt.Errorf("exchange: write order %s: %w", o.ID, err)
	}
	h, err := signed(secret, o.ID, body)
	if err != nil {
		return 0, err
	}
	var out Outcome
	status, answer, err := postTo(ctx, c, u, body, h, &out)
	if err != nil {
		return status, err
	}
	switch out.Outcome {
	case OutcomeDone:
		return status, nil
	case OutcomePending:
		return status, &Failure{Status: status, Answer: "taken, and not done yet"}
	case OutcomeFailed:
		return status, &Failure{Status: status, Answer: "it cannot be done: " + oneLine([]byte(out.Reason)), Permanent: true}
	}
	return status, &Failure{Status: status, Answer: "the answer does not say whether it is done: " + answer}
}
