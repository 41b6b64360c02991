package exchange

import (
	"time"

	"rempart"
)

// A Complaint is what a notifier sends against decisions on its notice (DSA
// article 20): POST /api/v1/notices/{id}/complaints.
type Complaint struct {
	ID      string   `json:"id" required:"false" doc:"the complainant's identifier, the same at every attempt: 1 to 64 letters, digits, dashes or underscores"`
	Items   []string `json:"items" required:"false" maxItems:"200" doc:"identifiers of the items, as the notice named them; none: all that were refused or only restricted"`
	Reasons string   `json:"reasons" maxLength:"5000" doc:"why the decision is wrong, 20 to 5000 characters"`
}

// A ComplaintState is a complaint as both sides may see it.
type ComplaintState struct {
	ID         string              `json:"id" doc:"the complainant's identifier"`
	Number     string              `json:"number" doc:"number for people to quote, such as C-7F3K-9QXM"`
	By         rempart.ComplaintBy `json:"by" enum:"notifier,affected" doc:"who complained: the notifier, or who put the content there"`
	Items      []string            `json:"items"`
	State      string              `json:"state" enum:"received,decided" doc:"decided once what was reversed is carried out"`
	ReceivedAt time.Time           `json:"received_at"`
	Outcome    rempart.Outcome     `json:"outcome,omitempty" enum:"upheld,partially_reversed,reversed" doc:"upheld: the first decision stands"`
	Answer     string              `json:"answer,omitempty" doc:"why (article 20(5)); to who complained only"`
	DecidedAt  time.Time           `json:"decided_at,omitzero"`
}

// NewComplaintState returns what a party may see of a complaint. What is decided
// and not carried out yet is not told; the answer is for who complained.
func NewComplaintState(i *rempart.Intake, c *rempart.Complaint, to rempart.ComplaintBy) ComplaintState {
	s := ComplaintState{ID: c.ID, Number: c.Number, By: c.By, Items: c.Items, State: string(rempart.ComplaintReceived), ReceivedAt: c.ReceivedAt}
	if to != c.By { // another party's identifier is its own
		s.ID = ""
	}
	if c.State != rempart.ComplaintDecided || !c.Asked {
		return s
	}
	s.State, s.Outcome, s.DecidedAt = string(rempart.ComplaintDecided), c.Outcome, c.DecidedAt
	if to == c.By {
		s.Answer = c.Answer
	}
	return s
}
