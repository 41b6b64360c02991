package rempart

import (
	"slices"
	"strconv"
	"time"
)

// PrepareNotice drafts a notice to a service with the given items, which must
// be addresses that may still be notified. The grounds are the confirmed
// qualifications that concern content; explanation is the text proposed to the analyst. It returns
// the identifier of the draft.
func (c *Case) PrepareNotice(s Service, items []string, explanation string, from Notifier, by Actor, at time.Time) (string, error) {
	n := c.newNotice(s, explanation, from, at)
	cites, alike := "", true
	for _, id := range items {
		i := c.Item(id)
		if i == nil || i.Kind != ItemAddress {
			return "", notFound("item")
		}
		if !i.State.Notifiable() {
			return "", &Error{Kind: Conflict, Code: "item.state", Args: []any{string(i.State), string(ItemQueued)},
				Public: "This item is " + string(i.State) + "; it cannot be notified now."}
		}
		if old := c.Notice(i.NoticeID); old != nil && old.State == NoticeFailed {
			return "", conflict("item.held", "A notice with this address could not be delivered; send that one again, or cancel it first.")
		}
		if slices.ContainsFunc(n.Items, func(in NoticeItem) bool { return in.ID == id }) {
			continue
		}
		n.Items = append(n.Items, NoticeItem{ID: i.ID, Address: i.Address})
		earlier := ""
		if old := c.Notice(i.NoticeID); old != nil && old.ServiceID == s.ID && old.Number != "" {
			earlier = old.ID
		}
		alike = alike && (len(n.Items) == 1 || earlier == cites)
		cites = earlier
	}
	if alike { // a second notice on the same items cites the first
		n.Cites = cites
	}
	c.addPrints(&n)
	if len(n.Items) == 0 {
		return "", &Error{Kind: Invalid, Field: "items", Code: "notice.items", Public: "Give at least one exact address."}
	}
	c.Notices = append(c.Notices, n)
	c.event("notice.prepared", c.ID, by, at, "notice", n.ID, "service", s.ID, "items", itoa(len(n.Items)))
	return n.ID, c.act(at)
}

// EditNotice changes the text of a draft, and whether the good-faith belief was
// confirmed.
func (c *Case) EditNotice(id, explanation string, goodFaith bool, by Actor, at time.Time) error {
	n := c.Notice(id)
	if n == nil {
		return notFound("notice")
	}
	if n.State != NoticeDraft {
		return conflict("notice.sealed", "This notice has been sent; its text cannot change any more.")
	}
	n.Explanation, n.GoodFaith = explanation, goodFaith
	c.event("notice.edited", c.ID, by, at, "notice", id)
	return c.act(at)
}

// CancelNotice gives a notice up before it is sent.
func (c *Case) CancelNotice(id string, by Actor, at time.Time) error {
	n := c.Notice(id)
	if n == nil {
		return notFound("notice")
	}
	if n.leaving() {
		return conflict("notice.leaving", "This notice is leaving at this moment. Look again in a minute.")
	}
	failed := n.State == NoticeFailed
	if err := n.move(NoticeCancelled, at); err != nil {
		return err
	}
	if failed {
		for _, ni := range n.Items {
			if i := c.Item(ni.ID); i != nil && i.NoticeID == id && i.State == ItemFailed {
				i.NoticeID = ""
			}
		}
	}
	c.event("notice.cancelled", c.ID, by, at, "notice", id)
	c.insisted(n, at)
	return c.act(at)
}

// SendNotice seals a complete draft, or takes up a failed one, and asks for its
// delivery. Delivery goes through the outbox: the job is saved with the
// decision.
func (c *Case) SendNotice(id string, by Actor, at time.Time) error {
	return c.SendNoticeIn(id, 0, by, at)
}

// send is SendNotice; nothing leaves before the instant leaves, zero for at once.
func (c *Case) send(n *Notice, leaves time.Time, by Actor, at time.Time) error {
	id := n.ID
	if n.State == NoticeFailed && c.outdated(n) {
		return conflict("notice.outdated", "The facts have been corrected since this notice was written. Give it up, then prepare another.")
	}
	if missing := n.Missing(); len(missing) > 0 {
		var p Problems
		for _, m := range missing {
			p.add(m.Field, m.Code, m.Public)
		}
		return p
	}
	if err := n.move(NoticeQueued, at); err != nil {
		return err
	}
	for _, ni := range n.Items {
		i := c.Item(ni.ID)
		if i == nil {
			return notFound("item")
		}
		if i.beside(n) && !i.State.Notifiable() { // it waits for the first notice, and goes on doing so
			continue
		}
		if err := i.move(ItemQueued, at); err != nil {
			return err
		}
		i.NoticeID = id
	}
	// A retry by hand is another job for the same notice: the platform still
	// sees one notice, as the notice's identifier is the idempotency key.
	key := "send:" + id + ":" + itoa(len(n.Attempts))
	if n.Recalls > 0 { // the job that was called back has spent the key
		key += ":" + itoa(n.Recalls)
	}
	run := at
	n.LeavesAt, n.Left, n.Job = leaves, time.Time{}, ""
	if !leaves.IsZero() {
		run, n.Job = leaves, key
		n.Recalls++
	}
	c.event("notice.queued", c.ID, by, at, "notice", id, "service", n.ServiceID)
	c.job(Job{Kind: JobSend, Subject: c.ID, Key: key, Payload: id, RunAt: run})
	return c.act(at)
}

// NoticeAccepted records the platform's receipt. Recording it twice, or after
// the platform's acknowledgement overtook it, changes nothing.
func (c *Case) NoticeAccepted(id, number string, a Attempt, at time.Time) error {
	n := c.Notice(id)
	if n == nil {
		return notFound("notice")
	}
	switch n.State {
	case NoticeSent, NoticeAcknowledged, NoticeDecided:
		return nil
	}
	n.Attempts = append(n.Attempts, a)
	n.Number = number
	if err := n.move(NoticeSent, at); err != nil {
		return err
	}
	c.event("notice.sent", c.ID, ActorSystem, at, "notice", id, "number", number)
	c.insisted(n, at)
	return c.moveItems(n, ItemNotified, at)
}

// NoticeAttemptFailed records a try that failed. With a next try planned the
// notice stays queued; without one it is given to a human.
func (c *Case) NoticeAttemptFailed(id string, a Attempt, at time.Time) error {
	n := c.Notice(id)
	if n == nil {
		return notFound("notice")
	}
	if n.State != NoticeQueued {
		return nil
	}
	n.Attempts = append(n.Attempts, a)
	c.UpdatedAt = at
	if !a.Next.IsZero() {
		c.event("notice.attempt_failed", c.ID, ActorSystem, at, "notice", id, "status", itoa(a.Status))
		return nil
	}
	if err := n.move(NoticeFailed, at); err != nil {
		return err
	}
	c.event("notice.failed", c.ID, ActorSystem, at, "notice", id, "status", itoa(a.Status))
	return c.moveItems(n, ItemFailed, at)
}

// NoticeAcknowledged records the platform's confirmation of receipt.
func (c *Case) NoticeAcknowledged(id, number, peer string, at time.Time) error {
	n := c.Notice(id)
	if n == nil {
		return notFound("notice")
	}
	if n.State == NoticeAcknowledged || n.State == NoticeDecided {
		return nil
	}
	// The acknowledgement can overtake our own record of the receipt: the
	// notice was accepted, and we were killed before we wrote it down.
	if n.State == NoticeQueued || n.State == NoticeFailed || n.State == NoticeCancelled {
		if err := c.NoticeAccepted(id, number, Attempt{At: at, Answer: "acknowledged before the receipt was recorded"}, at); err != nil {
			return err
		}
	}
	if err := n.move(NoticeAcknowledged, at); err != nil {
		return err
	}
	c.event("notice.acknowledged", c.ID, ActorPlatform+Actor(peer), at, "notice", id, "number", number)
	return c.moveItems(n, ItemAcknowledged, at)
}

// NoticeDecided records the platform's decision on each item, by the item's
// identifier. Every item of the notice must have one.
func (c *Case) NoticeDecided(id, number, peer string, decisions map[string]Decision, at time.Time) error {
	n := c.Notice(id)
	if n == nil {
		return notFound("notice")
	}
	if n.State == NoticeDecided {
		return nil
	}
	for _, ni := range n.Items {
		d, ok := decisions[ni.ID]
		if !ok {
			return &Error{Kind: Invalid, Field: "items", Code: "decision.items", Public: "The decision must cover every item of the notice."}
		}
		if m := d.Missing(); len(m) > 0 {
			return &Error{Kind: Invalid, Field: m[0].Field, Code: m[0].Code, Public: m[0].Public}
		}
	}
	if err := c.NoticeAcknowledged(id, number, peer, at); err != nil {
		return err
	}
	for _, ni := range n.Items {
		d := decisions[ni.ID]
		i := c.Item(ni.ID)
		if i == nil {
			return notFound("item")
		}
		if !i.heldBy(n) && (!i.beside(n) || !slices.Contains(itemNext[i.State], d.itemState())) {
			continue
		}
		if err := i.move(d.itemState(), at); err != nil {
			return err
		}
		i.keepDecision(at)
		i.Decision, i.NoticeID = &d, n.ID
		c.event("item.decided", c.ID, ActorPlatform+Actor(peer), at, "notice", id, "item", i.ID, "measure", string(d.Measure))
	}
	if err := n.move(NoticeDecided, at); err != nil {
		return err
	}
	c.UpdatedAt = at
	return nil
}

// heldBy tells whether n is the notice that an item waits for, and makes it so
// when none is. An answer to an older notice must not move an item that has gone
// on to another one.
func (i *Item) heldBy(n *Notice) bool {
	if i.NoticeID == "" {
		i.NoticeID = n.ID
	}
	return i.NoticeID == n.ID
}

// moveItems moves the items that wait for a notice, but for those that an
// analyst dropped meanwhile.
func (c *Case) moveItems(n *Notice, to ItemState, at time.Time) error {
	c.UpdatedAt = at
	for _, ni := range n.Items {
		i := c.Item(ni.ID)
		if i == nil {
			return notFound("item")
		}
		if i.beside(n) { // its answer counts as the first's; its failure and its way do not show on the item
			if to == ItemAcknowledged && i.State == ItemNotified {
				if err := i.move(to, at); err != nil {
					return err
				}
			}
			continue
		}
		if i.State == ItemDropped || !i.heldBy(n) {
			continue
		}
		if err := i.move(to, at); err != nil {
			return err
		}
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
