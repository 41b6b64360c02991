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

// BackAgain records that a member of the staff saw that what was removed is there
// again: the case and the item are taken up again, and the next notice, which
// cites the first, is drafted by itself.
func (c *Case) BackAgain(itemID string, by Actor, at time.Time) error {
	i := c.Item(itemID)
	if i == nil || i.Kind != ItemAddress {
		return notFound("item")
	}
	if i.State != ItemRemoved {
		return conflict("item.not_removed", "Only what was removed can be there again.")
	}
	if c.State == CaseClosed {
		if err := c.Reopen(by, at); err != nil {
			return err
		}
	}
	if err := i.move(ItemReported, at); err != nil {
		return err
	}
	i.keepDecision(at)
	c.looked(i, by, at)
	c.event("item.reappeared", c.ID, by, at, "item", i.ID)
	c.job(Job{Kind: JobAgain, Subject: c.ID, Key: "again:" + i.ID + ":" + itoa(len(i.Past)), Payload: i.ID, RunAt: at})
	return c.act(at)
}

// looked ends what asked a human to look whether an item is there.
func (c *Case) looked(i *Item, by Actor, at time.Time) {
	for k := range c.Clocks {
		if x := &c.Clocks[k]; x.Await == AwaitBack && x.ItemID == i.ID && x.Live() {
			c.endClock(x, ClockMet, by, at)
		}
	}
}

// JobAgain drafts the next notice on the item Payload of the case Subject.
const JobAgain = "notice.again"
