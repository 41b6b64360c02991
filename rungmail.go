package rempart

import (
	"slices"
	"time"
)

// RungTrying records that a step is about to leave by a channel that does not know
// repetitions (e-mail, somebody else's API), before it does, as
// [Case.NoticeTrying] does of a notice. send is false if it must not be sent now:
// it was already, or an earlier try began and nobody knows how it ended; then the
// step is given to a human.
func (c *Case) RungTrying(id, channel, try string, cal Calendar, at time.Time) (send bool, err error) {
	n, r := c.RungOf(id)
	if r == nil {
		return false, notFound("rung")
	}
	if r.State != RungQueued {
		return false, nil
	}
	if k := len(r.Attempts) - 1; k >= 0 && r.Attempts[k].Begun {
		a := r.Attempts[k]
		a.Unclear, a.Answer = true, "we were stopped before the far side said whether it took the message"
		return false, c.RungTried(id, a.MessageID, a, cal, at)
	}
	r.Attempts = append(slices.Clip(r.Attempts), Attempt{At: at, Channel: channel, MessageID: try, Begun: true})
	c.UpdatedAt = at
	c.event("rung.trying", c.ID, ActorSystem, at, "notice", n.ID, "rung", r.ID, "step", string(r.Kind))
	return true, nil
}

// RungTried records how a try that RungTrying began has ended: taken, refused, or
// unclear. One that is refused for now has a next try; all else that was not taken
// is a human's. Recording it twice changes nothing.
func (c *Case) RungTried(id, try string, a Attempt, cal Calendar, at time.Time) error {
	n, r := c.RungOf(id)
	if r == nil {
		return notFound("rung")
	}
	k := slices.IndexFunc(r.Attempts, func(x Attempt) bool { return x.MessageID == try })
	if k < 0 {
		return notFound("attempt")
	}
	was := r.Attempts[k]
	taken := !a.Unclear && !a.Failed
	if !was.Begun && !was.Unclear || was.Unclear && !taken { // recorded, or somebody has it already
		return nil
	}
	a.At, a.Channel, a.MessageID, a.Begun = was.At, was.Channel, try, false
	r.Attempts[k] = a
	c.UpdatedAt = at
	switch {
	case taken && slices.Contains(rungNext[r.State], RungSent):
		if err := c.moveRung(n, r, RungSent, ActorSystem, at); err != nil {
			return err
		}
		c.climbed(r, cal, ActorSystem, at)
		return nil
	case taken || r.State != RungQueued || !a.Next.IsZero() && !a.Unclear:
		c.event("rung.attempt_failed", c.ID, ActorSystem, at, "notice", n.ID, "rung", r.ID, "step", string(r.Kind), "status", itoa(a.Status))
		return nil
	}
	if err := c.moveRung(n, r, RungAsked, ActorSystem, at); err != nil {
		return err
	}
	c.askRung(r, at)
	return nil
}

// askRung opens the task of a step that a human has now.
func (c *Case) askRung(r *Rung, at time.Time) {
	if k := c.clock(r.Clock); k != nil && k.Live() {
		k.Task, k.TaskAt = r.Kind.Task(), at
		c.clockEvent("task.opened", k, ActorSystem, at, "task", string(k.Task), "round", itoa(k.Round))
	}
}

// Unread tells whether an e-mail about a notice waits for somebody to read it:
// who may have answered is not pressed.
func (c *Case) Unread(noticeID string) bool {
	return slices.ContainsFunc(c.Clocks, func(k Clock) bool { return k.Await == AwaitMail && k.NoticeID == noticeID && k.Live() })
}
