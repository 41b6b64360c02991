package rempart

import "time"

// A Referral is information for an authority: a suspicion of a criminal offence
// involving a threat to the life or safety of a person (DSA article 18). Nothing
// is sent by the program: it prepares the text, a person sends it and says so.
type Referral struct {
	Reason   string    `json:"reason"` // what gives rise to the suspicion
	By       Actor     `json:"by"`
	At       time.Time `json:"at"`
	ClosedAt time.Time `json:"closed_at,omitzero"`
	ClosedBy Actor     `json:"closed_by,omitempty"`
	Sent     bool      `json:"sent,omitempty"` // to the authority; else it was dropped
	Note     string    `json:"note,omitempty"` // to which authority and when, or why it was dropped
}

// OpenReferral notes the suspicion, and opens a task until somebody informed the
// authority or dropped it.
func (i *Intake) OpenReferral(reason string, by Actor, at time.Time) error {
	reason, err := written(reason, "referral.reason", "Say in a few words what gives rise to the suspicion.")
	if err != nil {
		return err
	}
	if i.Referral != nil && i.Referral.ClosedAt.IsZero() {
		return conflict("referral.open", "A referral of this notice is already being prepared.")
	}
	i.Referral = &Referral{Reason: reason, By: by, At: at}
	i.UpdatedAt = at
	i.event("referral.opened", i.ID, by, at)
	return nil
}

// CloseReferral records that a person informed the authority, or dropped the
// referral; note says which authority and when, or why not.
func (i *Intake) CloseReferral(sent bool, note string, by Actor, at time.Time) error {
	note, err := written(note, "referral.note", "Say which authority was informed and when, or why not.")
	if err != nil {
		return err
	}
	if i.Referral == nil || !i.Referral.ClosedAt.IsZero() {
		return conflict("referral.none", "No referral of this notice is being prepared.")
	}
	i.Referral.ClosedAt, i.Referral.ClosedBy, i.Referral.Sent, i.Referral.Note = at, by, sent, note
	i.UpdatedAt = at
	if sent {
		i.event("referral.sent", i.ID, by, at)
		return nil
	}
	i.event("referral.dropped", i.ID, by, at)
	return nil
}
