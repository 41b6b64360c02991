package rempart

import "time"

// Undoing is the time in which a step that somebody sent can be called back.
type Undoing struct {
	LeavesAt time.Time `json:"leaves_at,omitzero"` // until then it can be called back
	Left     time.Time `json:"left,omitzero"`      // when its delivery began
	Job      string    `json:"job,omitempty"`      // that delivers it; one that was called back does not
	Recalls  int       `json:"recalls,omitempty"`  // how often it was sent with such a time
	TaskAt   time.Time `json:"task_at,omitzero"`   // since when the task stood that it came from
}

// Recallable tells whether the step can still be called back.
func (r *Rung) Recallable(at time.Time) bool {
	return r.State == RungQueued && r.Left.IsZero() && at.Before(r.LeavesAt)
}

// SendRungIn is [Case.SendRung] with a time in which it can be called back: until
// it has passed nothing leaves.
func (c *Case) SendRungIn(id, text string, window time.Duration, by Actor, at time.Time) error {
	_, r := c.RungOf(id)
	if r == nil {
		return notFound("rung")
	}
	var asked time.Time
	if k := c.clock(r.Clock); k != nil {
		asked = k.TaskAt
	}
	leaves := time.Time{}
	if window > 0 {
		leaves = at.Add(window)
	}
	if err := c.sendRung(id, text, leaves, by, at); err != nil {
		return err
	}
	r.TaskAt = asked
	return nil
}

// RecallRung calls back a step that has not left: it is a human's again, since
// when it was, with the text that was to be sent.
func (c *Case) RecallRung(id string, by Actor, at time.Time) error {
	n, r := c.RungOf(id)
	if r == nil {
		return notFound("rung")
	}
	if !r.Recallable(at) {
		return conflict("rung.left", "This step has left, or is leaving: it can no longer be called back.")
	}
	if err := c.moveRung(n, r, RungAsked, by, at); err != nil {
		return err
	}
	r.LeavesAt, r.Job = time.Time{}, ""
	c.event("rung.recalled", c.ID, by, at, "notice", n.ID, "rung", r.ID, "step", string(r.Kind))
	c.askRung(r, at)
	if k := c.clock(r.Clock); k != nil && k.Live() && !r.TaskAt.IsZero() {
		k.TaskAt = r.TaskAt
	}
	return c.act(at)
}

// RungLeaves records that the delivery that job asks for begins, with the text
// that leaves: from now on the step cannot be called back, and what it says stays
// what it was, whatever becomes of the text that it began with. ok is false when
// it must not begin: the step was called back, is done or without object, or
// another job sends it.
func (c *Case) RungLeaves(id, job, text string, at time.Time) (ok bool) {
	n, r := c.RungOf(id)
	if r == nil || r.State != RungQueued || r.Job != "" && r.Job != job {
		return false
	}
	if r.Text == "" {
		r.Text, r.Left = text, time.Time{}
	}
	if r.Left.IsZero() {
		r.Left, c.UpdatedAt = at, at
		c.event("rung.leaves", c.ID, ActorSystem, at, "notice", n.ID, "rung", r.ID, "step", string(r.Kind))
	}
	return true
}
