package rempart

import (
	"errors"
	"slices"
	"time"
)

// A BulkAct is what can be done to many cases at once. What opens, takes out or
// destroys is not among them: an identity, a case file, a case.
type BulkAct string

// Acts on many cases.
const (
	BulkTake  BulkAct = "take"  // who acts takes them
	BulkHand  BulkAct = "hand"  // they go to another member, with a note
	BulkBack  BulkAct = "back"  // they are given back to whoever takes them
	BulkClose BulkAct = "close" // they are closed, for one reason
	BulkHold  BulkAct = "hold"  // they are kept, for one reason
)

// BulkActs lists them.
var BulkActs = []BulkAct{BulkTake, BulkHand, BulkBack, BulkClose, BulkHold}

// MaxBulk is how many cases one bulk act may be about, and BulkWindow how long
// it waits before it is carried out, so that it can be undone.
const (
	MaxBulk    = 200
	BulkWindow = time.Minute
)

// JobBulk carries out what is planned for the case Subject by the bulk act whose
// identifier is Payload.
const JobBulk = "bulk.act"

// A Planned is an act on a case, and others with it, that is carried out when its
// window ends, unless it is undone before.
type Planned struct {
	ID     string    `json:"id"` // of the bulk act, the same in each of its cases
	Act    BulkAct   `json:"act"`
	To     string    `json:"to,omitempty"`     // identifier of a member, for BulkHand
	Reason string    `json:"reason,omitempty"` // or note
	ByID   string    `json:"by_id"`            // identifier of who planned it
	By     Actor     `json:"by"`
	RunAt  time.Time `json:"run_at"`
}

// Plan notes an act to be carried out later, and the job that does so. Whether
// it can be done is found out then; see [Case.Perform] to look before.
func (c *Case) Plan(p Planned, at time.Time) error {
	if !slices.Contains(BulkActs, p.Act) {
		return &Error{Kind: Invalid, Field: "act", Code: "bulk.act", Public: "Choose what is to be done."}
	}
	if c.Planned != nil && c.Planned.ID != p.ID {
		return conflict("bulk.planned", "Another act on many cases is about to be carried out on this one.")
	}
	c.Planned, c.UpdatedAt = &p, at
	c.event("bulk.planned", c.ID, p.By, at, "bulk", p.ID, "act", string(p.Act), "until", p.RunAt.UTC().Format(time.RFC3339))
	c.job(Job{Kind: JobBulk, Subject: c.ID, Key: "bulk:" + p.ID + ":" + c.ID, Payload: p.ID, RunAt: p.RunAt})
	return nil
}

// Unplan takes a bulk act back. It is too late once it was carried out: that is a
// conflict, and so is another act.
func (c *Case) Unplan(id string, by Actor, at time.Time) error {
	if c.Planned == nil || c.Planned.ID != id {
		return conflict("bulk.late", "This act was carried out or undone already.")
	}
	c.event("bulk.undone", c.ID, by, at, "bulk", id, "act", string(c.Planned.Act))
	c.Planned, c.UpdatedAt = nil, at
	return nil
}

// Perform does one act of a member, by and to being she and whom a hand-over goes
// to.
func (c *Case) Perform(act BulkAct, by, to Staff, reason string, at time.Time) error {
	switch act {
	case BulkTake:
		return c.Take(by, at)
	case BulkHand:
		return c.HandOver(to, reason, by.Alias, at)
	case BulkBack:
		if c.Assigned == nil {
			return conflict("bulk.nobody", "Nobody has this case.")
		}
		return c.GiveBack(by.Alias, at)
	case BulkClose:
		return c.Close(reason, by.Alias, at)
	case BulkHold:
		return c.PlaceHold(reason, by.Alias, at)
	}
	return &Error{Kind: Invalid, Field: "act", Code: "bulk.act", Public: "Choose what is to be done."}
}

// Due returns what is planned by a bulk act, nil if it was undone or done.
func (c *Case) Due(id string) *Planned {
	if c.Planned == nil || c.Planned.ID != id {
		return nil
	}
	return c.Planned
}

// Carried ends what was planned after it was performed.
func (c *Case) Carried(at time.Time) {
	p := c.Planned
	c.Planned, c.UpdatedAt = nil, at
	c.event("bulk.done", c.ID, p.By, at, "bulk", p.ID, "act", string(p.Act))
}

// Refused ends what was planned and could not be done, with the code of the
// error that says why.
func (c *Case) Refused(why error, at time.Time) {
	p, code := c.Planned, ""
	var e *Error
	if errors.As(why, &e) {
		code = e.Code
	}
	c.Planned, c.UpdatedAt = nil, at
	c.event("bulk.refused", c.ID, ActorSystem, at, "bulk", p.ID, "act", string(p.Act), "why", code)
}
