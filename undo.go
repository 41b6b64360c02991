package rempart

import "time"

// A Before is an item as it was before a notice took it.
type Before struct {
	ID       string    `json:"id"`
	State    ItemState `json:"state"`
	Since    time.Time `json:"since"`
	NoticeID string    `json:"notice_id,omitempty"`
}

// SendNoticeIn is [Case.SendNotice] with a time in which it can be called back:
// until it has passed nothing leaves.
func (c *Case) SendNoticeIn(id string, window time.Duration, by Actor, at time.Time) error {
	n := c.Notice(id)
	if n == nil {
		return notFound("notice")
	}
	var before []Before
	for _, ni := range n.Items {
		if i := c.Item(ni.ID); i != nil {
			before = append(before, Before{i.ID, i.State, i.Since, i.NoticeID})
		}
	}
	was := n.State
	leaves := time.Time{}
	if window > 0 {
		leaves = at.Add(window)
	}
	if err := c.send(n, leaves, by, at); err != nil {
		return err
	}
	n.Before, n.From = nil, ""
	if window > 0 {
		n.Before, n.From = before, was
	}
	return nil
}

// Recallable tells whether the notice can still be called back.
func (n *Notice) Recallable(at time.Time) bool {
	return n.State == NoticeQueued && n.Left.IsZero() && at.Before(n.LeavesAt)
}

// RecallNotice calls back a notice that has not left: it and its items are as
// they were before it was sent.
func (c *Case) RecallNotice(id string, by Actor, at time.Time) error {
	n := c.Notice(id)
	if n == nil {
		return notFound("notice")
	}
	if !n.Recallable(at) {
		return conflict("notice.left", "This notice has left, or is leaving: it can no longer be called back.")
	}
	for _, b := range n.Before {
		if i := c.Item(b.ID); i != nil && i.State == ItemQueued && i.NoticeID == id {
			i.State, i.Since, i.NoticeID = b.State, b.Since, b.NoticeID
		}
	}
	n.State, n.Since = n.From, at
	n.LeavesAt, n.Before, n.From = time.Time{}, nil, ""
	c.event("notice.recalled", c.ID, by, at, "notice", id)
	return c.act(at)
}

// NoticeLeaves records that the delivery that job asks for begins: from now on
// the notice cannot be called back. ok is false when it must not begin: the
// notice was called back, was taken back by the person, or another job sends it.
func (c *Case) NoticeLeaves(id, job string, at time.Time) (ok bool) {
	n := c.Notice(id)
	if n == nil || n.State != NoticeQueued || n.LeavesAt.IsZero() || n.Job != "" && n.Job != job {
		return n != nil && n.State == NoticeQueued && n.LeavesAt.IsZero()
	}
	if n.Left.IsZero() {
		n.Left, n.Before, n.From = at, nil, ""
		c.UpdatedAt = at
		c.event("notice.leaves", c.ID, ActorSystem, at, "notice", id)
	}
	return true
}
