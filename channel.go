package rempart

import (
	"slices"
	"time"
)

// Order returns the channels to a service, the preferred one first: those of the
// contact book, after the one that its peer is where the book does not have it. p
// is the peer that [Service.PeerID] names, zero if there is none.
func (s Service) Order(p Peer) []Channel {
	first := Channel{Kind: ChannelAPI}
	if p.Kind == PeerMail {
		first = Channel{Kind: ChannelEmail, To: p.Mailbox()}
	}
	if s.PeerID == "" || slices.ContainsFunc(s.Contact.Channels, func(c Channel) bool { return c.Kind == first.Kind }) {
		return s.Contact.Channels
	}
	return append([]Channel{first}, s.Contact.Channels...)
}

// Way returns the channel that a notice takes: the one that was chosen for it,
// else the first. ok is false if there is none.
func (n *Notice) Way(order []Channel) (c Channel, ok bool) {
	if n.Via != (Channel{}) {
		return n.Via, true
	}
	if len(order) == 0 {
		return Channel{}, false
	}
	return order[0], true
}

// Next returns the channels after the one that a notice took, in order.
func (n *Notice) Next(order []Channel) []Channel {
	way, ok := n.Way(order)
	k := slices.Index(order, way)
	if !ok || k < 0 {
		return nil
	}
	return order[k+1:]
}

// NotArrived tells whether each try at delivering a notice is known not to have
// been taken: it was refused, or its service was never reached.
func (n *Notice) NotArrived() bool {
	return !slices.ContainsFunc(n.Attempts, func(a Attempt) bool { return !a.Failed || a.Begun || a.Unclear })
}

// SendNoticeBy sends a notice that could not be delivered by another channel of
// the contact book, which its steps then take too. by is ActorSystem where the
// book says that the next one is used by itself; then no try may have arrived.
func (c *Case) SendNoticeBy(id string, way Channel, window time.Duration, by Actor, at time.Time) error {
	n := c.Notice(id)
	if n == nil {
		return notFound("notice")
	}
	switch {
	case n.State != NoticeFailed:
		return conflict("notice.channel", "Only a notice that could not be delivered takes another channel. Look at it again.")
	case way.Kind == ChannelForm:
		return &Error{Kind: Invalid, Field: "way", Code: "notice.channel_form", Public: "A form is filled in by hand: send the notice there, then record it."}
	case by == ActorSystem && !n.NotArrived():
		return conflict("notice.channel_unclear", "A try may have arrived: somebody looks before the notice is sent again.")
	}
	if err := c.SendNoticeIn(id, window, by, at); err != nil {
		return err
	}
	n.Via = way
	c.event("notice.channel", c.ID, by, at, "notice", id, "channel", string(way.Kind))
	return nil
}
