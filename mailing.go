package rempart

import (
	"slices"
	"time"
)

// Channels that an attempt went by; "" is an instance of Rempart.
const (
	ChannelMail = "mail"
	ChannelHTTP = "http" // an API of somebody else's
)

// NoticeTrying records that a notice is about to leave by a channel that has no
// key which makes a second try a repetition, before it does. try names the try:
// a Message-ID, or an API's key. send is false if it must not be sent now, because it was already, or because an earlier
// try began and nobody knows how it ended; then the notice is given to a human.
func (c *Case) NoticeTrying(id, channel, try string, at time.Time) (send bool, err error) {
	n := c.Notice(id)
	if n == nil {
		return false, notFound("notice")
	}
	if n.State != NoticeQueued {
		return false, nil
	}
	if k := len(n.Attempts) - 1; k >= 0 && n.Attempts[k].Begun {
		a := n.Attempts[k]
		a.Unclear, a.Answer = true, "we were stopped before the far side said whether it took the notice"
		return false, c.NoticeTried(id, a.MessageID, "", a, at)
	}
	n.Attempts = append(n.Attempts, Attempt{At: at, Channel: channel, MessageID: try, Begun: true})
	c.UpdatedAt = at
	c.event("notice.trying", c.ID, ActorSystem, at, "notice", id)
	return true, nil
}

// NoticeTried records how a try that NoticeTrying began has ended: taken (neither
// Unclear nor Failed), with the far side's number if it gave one, refused, or
// unclear. One that is
// refused for now has a next try; all else that was not taken is a human's.
// Recording it twice changes nothing.
func (c *Case) NoticeTried(id, try, number string, a Attempt, at time.Time) error {
	n := c.Notice(id)
	if n == nil {
		return notFound("notice")
	}
	k := len(n.Attempts) - 1
	for k >= 0 && n.Attempts[k].MessageID != try {
		k--
	}
	if k < 0 {
		return notFound("attempt")
	}
	was := n.Attempts[k]
	if !was.Begun && !was.Unclear {
		return nil
	}
	a.At, a.Channel, a.MessageID, a.Begun = was.At, was.Channel, try, false
	taken := !a.Unclear && !a.Failed
	if was.Unclear && !taken { // somebody has it already
		return nil
	}
	n.Attempts[k] = a
	c.UpdatedAt = at
	switch {
	case taken && (n.State == NoticeQueued || n.State == NoticeFailed):
		if err := n.move(NoticeSent, at); err != nil {
			return err
		}
		n.Number = number
		c.event("notice.sent", c.ID, ActorSystem, at, "notice", id, "number", number)
		c.insisted(n, at)
		return c.moveItems(n, ItemNotified, at)
	case taken || n.State != NoticeQueued: // the answer overtook us, or it was given up
		c.event("notice.attempt_failed", c.ID, ActorSystem, at, "notice", id, "status", itoa(a.Status))
		return nil
	case !a.Next.IsZero() && !a.Unclear:
		c.event("notice.attempt_failed", c.ID, ActorSystem, at, "notice", id, "status", itoa(a.Status))
		return nil
	}
	if err := n.move(NoticeFailed, at); err != nil {
		return err
	}
	if a.Unclear {
		c.event("notice.unclear", c.ID, ActorSystem, at, "notice", id)
	} else {
		c.event("notice.failed", c.ID, ActorSystem, at, "notice", id, "status", itoa(a.Status))
	}
	return c.moveItems(n, ItemFailed, at)
}

// GoesAfter returns how long a queued notice waits for another one of the case
// that was sent to the same service before it and has not left: a service is told
// in order. 0: it need not wait.
func (c *Case) GoesAfter(id string, now time.Time) time.Duration {
	at := slices.IndexFunc(c.Notices, func(n Notice) bool { return n.ID == id })
	if at < 0 {
		return 0
	}
	n := &c.Notices[at]
	for k := range c.Notices {
		o := &c.Notices[k]
		if k == at || o.State != NoticeQueued || o.ServiceID != n.ServiceID || o.Since.After(n.Since) || o.Since.Equal(n.Since) && k > at {
			continue
		}
		wait := 5 * time.Second
		if a := len(o.Attempts) - 1; a >= 0 {
			wait = max(wait, o.Attempts[a].Next.Sub(now)+time.Second)
		}
		return min(wait, 24*time.Hour)
	}
	return 0
}

// leaving tells whether the notice is on its way by a channel that cannot be
// asked to forget it.
func (n *Notice) leaving() bool {
	k := len(n.Attempts) - 1
	return n.State == NoticeQueued && k >= 0 && n.Attempts[k].Begun
}

// Unclear tells whether the last try at delivering the notice may have arrived:
// to send it again may tell the platform twice.
func (n *Notice) Unclear() bool {
	k := len(n.Attempts) - 1
	return n.State == NoticeFailed && k >= 0 && n.Attempts[k].Unclear
}

// Shown is the state of the notice as pages name it: "sent" is the platform's
// receipt, "mailed" the word of a mail server or of a member of the staff alone.
func (n *Notice) Shown() string {
	if n.State == NoticeSent && n.Number == "" {
		return "mailed"
	}
	return string(n.State)
}

// NoticeArrived records that a member of the staff found out that a try whose end
// was not known did arrive.
func (c *Case) NoticeArrived(id string, by Actor, at time.Time) error {
	n := c.Notice(id)
	if n == nil {
		return notFound("notice")
	}
	if !n.Unclear() {
		return conflict("notice.not_unclear", "It is known how the last try at sending this notice ended.")
	}
	if err := n.move(NoticeSent, at); err != nil {
		return err
	}
	c.event("notice.arrived", c.ID, by, at, "notice", id)
	c.insisted(n, at)
	if err := c.moveItems(n, ItemNotified, at); err != nil {
		return err
	}
	return c.act(at)
}

// Thread returns the Message-IDs of the e-mails that the service of a notice was
// sent about this case before, notice by notice, oldest first, each with the steps
// that followed it.
func (c *Case) Thread(id string) []string {
	n := c.Notice(id)
	if n == nil {
		return nil
	}
	var out []string
	for k := range c.Notices {
		if c.Notices[k].ServiceID != n.ServiceID {
			continue
		}
		for _, a := range c.Notices[k].Attempts {
			if a.Channel == ChannelMail && a.MessageID != "" && !a.Begun && !a.Failed {
				out = append(out, a.MessageID)
			}
		}
		for _, r := range c.Notices[k].Rungs {
			for _, a := range r.Attempts {
				if a.Channel == ChannelMail && a.MessageID != "" && !a.Begun && !a.Failed {
					out = append(out, a.MessageID)
				}
			}
		}
	}
	return out
}

// Mailed tells whether what the service has of the notice went by e-mail, and
// nothing but a mail server has confirmed it.
func (n *Notice) Mailed() bool {
	k := len(n.Attempts) - 1
	return n.State == NoticeSent && k >= 0 && n.Attempts[k].Channel == ChannelMail
}
