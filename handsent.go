package rempart

import "time"

// RecordNotice records that a member of the staff brought a notice to a service
// that no channel of ours reaches, such as by its web form, with the proof. It
// is for a notice whose delivery was given to a human.
func (c *Case) RecordNotice(id string, p Proof, by Actor, at time.Time) error {
	n := c.Notice(id)
	if n == nil {
		return notFound("notice")
	}
	if n.State != NoticeFailed {
		return conflict("notice.handsent", "Only a notice that could not be delivered from here is recorded as sent by hand.")
	}
	p, err := p.normal(c.OpenedAt, by, at)
	if err != nil {
		return err
	}
	n.Proof = &p
	c.event("notice.recorded", c.ID, by, at, "notice", id)
	// What a member wrote goes to the case and not to the ledger.
	if err := c.NoticeAccepted(id, "", Attempt{At: at, Answer: "sent by hand", Channel: string(ChannelForm)}, at); err != nil {
		return err
	}
	n.Number = p.Reference
	return c.act(at)
}
