package rempart

import (
	"slices"
	"strings"
	"time"
)

// AnsweredByHand tells whether what the service answers to a notice reaches us by
// people only: it went by e-mail or to somebody else's API, and waits.
func (n *Notice) AnsweredByHand() bool {
	return (n.State == NoticeSent || n.State == NoticeAcknowledged) && slices.ContainsFunc(n.Attempts, func(a Attempt) bool { return a.Channel != "" })
}

// AcknowledgeByHand records that the service confirmed reception, as a member of
// the staff read it; number is the service's, "" if it gave none.
func (c *Case) AcknowledgeByHand(id, number string, by Actor, at time.Time) error {
	n := c.Notice(id)
	if n == nil {
		return notFound("notice")
	}
	if !n.AnsweredByHand() || n.State != NoticeSent {
		return conflict("notice.answers_itself", "Nothing is to be recorded by hand here: the platform answers by itself, or its answer is recorded already.")
	}
	if number = oneLine(number); len(number) > 100 {
		return &Error{Kind: Invalid, Field: "number", Code: "notice.number", Public: "The platform's number has at most 100 characters."}
	}
	if number != "" {
		n.Number = number
	}
	if err := n.move(NoticeAcknowledged, at); err != nil {
		return err
	}
	c.event("notice.acknowledged", c.ID, by, at, "notice", id)
	if err := c.moveItems(n, ItemAcknowledged, at); err != nil {
		return err
	}
	return c.act(at)
}

// DecideByHand records what the service decided on one item, as a member of the
// staff read it. With the last item the notice is decided.
func (c *Case) DecideByHand(id, itemID string, d Decision, by Actor, at time.Time) error {
	n, i := c.Notice(id), c.Item(itemID)
	if n == nil || i == nil || i.NoticeID != id {
		return notFound("item")
	}
	if err := d.problems(); err != nil {
		return err
	}
	if !n.AnsweredByHand() {
		return conflict("notice.answers_itself", "Nothing is to be recorded by hand here: the platform answers by itself, or its answer is recorded already.")
	}
	if n.State == NoticeSent {
		if err := c.AcknowledgeByHand(id, "", by, at); err != nil {
			return err
		}
	}
	d.At = at
	if err := i.move(d.itemState(), at); err != nil {
		return err
	}
	i.keepDecision(at)
	i.Decision = &d
	c.event("item.decided", c.ID, by, at, "notice", id, "item", i.ID, "measure", string(d.Measure))
	if !c.holds(n, ItemNotified, ItemAcknowledged) {
		if err := n.move(NoticeDecided, at); err != nil {
			return err
		}
	}
	return c.act(at)
}

// oneLine is s without line ends and double spaces.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
