package flow

import (
	"context"

	"rempart"
	"rempart/exchange"
	"rempart/store"
)

// credentials returns how to reach the service of a notice by the channel that it
// takes, or why it cannot be reached. What is missing from the register is a
// failure like any other: the notice must show it.
func (f *Flow) credentials(ctx context.Context, n *rempart.Notice) (cred rempart.Credentials, p rempart.Peer, fail *exchange.Failure, err error) {
	defer func() {
		if rempart.KindOf(err) == rempart.NotFound {
			fail, err = &exchange.Failure{Answer: "no channel to this service is known", Permanent: true, Err: err}, nil
		}
	}()
	s, p, err := f.reach(ctx, n.ServiceID)
	if err != nil {
		return cred, p, nil, err
	}
	way, ok := n.Way(s.Order(p))
	switch {
	case !ok || way.Kind == rempart.ChannelAPI && (p.ID == "" || p.Kind == rempart.PeerMail):
		return cred, p, &exchange.Failure{Answer: "no channel to this service is known", Permanent: true}, nil
	case way.Kind == rempart.ChannelForm:
		return cred, p, &exchange.Failure{Answer: "by the contact book this service is notified by its form: send it there by hand, and record it", Permanent: true}, nil
	case way.Kind == rempart.ChannelEmail && (p.Kind != rempart.PeerMail || p.Mailbox() != way.To):
		return cred, rempart.Peer{ID: s.ID, Name: s.Name, Kind: rempart.PeerMail, URL: "mailto:" + way.To}, nil, nil
	case p.URL == "" || !p.DisabledAt.IsZero():
		return cred, p, &exchange.Failure{Answer: "the channel to this service is closed", Permanent: true}, nil
	case p.Kind == rempart.PeerMail:
		return cred, p, nil, nil
	}
	cred, err = f.DB.Credentials(ctx, p.ID)
	return cred, p, nil, err
}

// reach returns a service and the peer that it names; none is a zero peer.
func (f *Flow) reach(ctx context.Context, serviceID string) (s rempart.Service, p rempart.Peer, err error) {
	if s, err = f.DB.Service(ctx, serviceID); err != nil || s.PeerID == "" {
		return s, p, err
	}
	p, err = f.DB.Peer(ctx, s.PeerID)
	if rempart.KindOf(err) == rempart.NotFound {
		return s, rempart.Peer{}, nil
	}
	return s, p, err
}

// Onward returns the channels that are left for a notice that could not be
// delivered, in the order of the contact book, and whether the first of them is to
// be used by itself. An e-mail address is none where no mail server is set up.
func (f *Flow) Onward(ctx context.Context, n *rempart.Notice) (left []rempart.Channel, byItself bool, err error) {
	s, p, err := f.reach(ctx, n.ServiceID)
	if rempart.KindOf(err) == rempart.NotFound {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for _, c := range n.Next(s.Order(p)) {
		if c.Kind != rempart.ChannelEmail || f.Mail != nil {
			left = append(left, c)
		}
	}
	return left, s.Contact.Onward && len(left) > 0 && left[0].Kind != rempart.ChannelForm && n.NotArrived(), nil
}

// sendOnward delivers a notice. Where its channel did not take it for good, the
// next one of the contact book is used, if the book says so and no try may have
// arrived; else the notice stays a human's, who is shown what is left. Killed in
// between, it is a human's too.
func (f *Flow) sendOnward(ctx context.Context, claim store.Claim) (*exchange.Failure, error) {
	fail, err := f.send(ctx, claim)
	if err != nil || fail == nil || fail.Turn {
		return fail, err
	}
	f.at("notice.send.failed")
	c, err := f.DB.Case(ctx, claim.Job.Subject)
	if err != nil {
		return fail, err
	}
	n := c.Notice(claim.Job.Payload)
	if n == nil || n.State != rempart.NoticeFailed {
		return fail, nil
	}
	left, byItself, err := f.Onward(ctx, n)
	if err != nil || !byItself {
		return fail, err
	}
	err = f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error {
		return c.SendNoticeBy(n.ID, left[0], 0, rempart.ActorSystem, f.Now())
	})
	switch rempart.KindOf(err) {
	case rempart.Conflict, rempart.Invalid: // somebody was first, or it is outdated: a human's
		return fail, nil
	}
	return fail, err
}
