package flow

import (
	"context"
	"errors"

	"rempart"
	"rempart/exchange"
	"rempart/store"
)

// Receive saves a notice that a peer sent to this platform, and answers with
// its receipt. The same key from the same peer gives the same receipt.
func (f *Flow) Receive(ctx context.Context, from rempart.Peer, n exchange.Notice, key string) (*rempart.Intake, error) {
	notice, err := n.Domain()
	if err != nil {
		return nil, err
	}
	if key == "" {
		key = n.ID
	}
	if key == "" {
		return nil, &rempart.Error{Kind: rempart.Invalid, Field: "Idempotency-Key", Code: "notice.key",
			Public: "Give the notice an identifier, in its field id or in the header Idempotency-Key, so that sending it twice makes one notice."}
	}
	why, err := f.covers(ctx, from, notice)
	if err == nil {
		from, err = f.admit(ctx, from, notice)
	}
	if err != nil {
		return nil, err
	}
	i, err := rempart.Receive(notice, key, from, f.Now())
	if err != nil {
		return nil, err
	}
	i.NoPriority = why
	i, _, err = f.DB.CreateIntake(ctx, i)
	if err != nil {
		return nil, err
	}
	f.at("intake.saved")
	f.Wake()
	return i, nil
}

// Answer acts on a platform's callback, once for each identifier: a message
// that comes again is accepted and changes nothing.
func (f *Flow) Answer(ctx context.Context, from rempart.Peer, id string, cb exchange.Callback) error {
	f.at("answer.before")
	now := f.Now()
	var c *rempart.Case
	var err error
	var change func(*rempart.Case) error
	switch cb.Type {
	case rempart.CallbackAcknowledged, rempart.CallbackDecided, rempart.CallbackComplaint:
		if c, err = f.DB.CaseByNotice(ctx, cb.NoticeID); rempart.KindOf(err) == rempart.NotFound {
			return noNotice()
		} else if err != nil {
			return err
		}
		if err := f.mayAnswer(ctx, from, c.Notice(cb.NoticeID)); err != nil {
			return err
		}
		change = func(c *rempart.Case) error {
			if cb.Type == rempart.CallbackComplaint {
				return complaintDecided(c, from, cb, now)
			}
			if cb.Type == rempart.CallbackDecided {
				return c.NoticeDecided(cb.NoticeID, cb.Number, from.ID, cb.Items, now)
			}
			return c.NoticeAcknowledged(cb.NoticeID, cb.Number, from.ID, now)
		}
	case rempart.CallbackStopped:
		if cb.Stop == nil {
			return &rempart.Error{Kind: rempart.Invalid, Field: "stop", Code: "callback.stop", Public: "A match.stopped message says in stop what was stopped."}
		}
		if c, err = f.DB.CaseByRef(ctx, cb.Stop.CaseRef); rempart.KindOf(err) == rempart.NotFound {
			return &rempart.Error{Kind: rempart.NotFound, Code: "stop.missing", Public: "No listed picture of ours fits this message."}
		}
		if err != nil {
			return err
		}
		change = func(c *rempart.Case) error { return c.Stopped(cb.Stop.Item, from.ID, cb.Stop.Distance, now) }
	case rempart.CallbackPublished:
		return f.heardPublished(ctx, from, id, cb, now)
	default:
		return &rempart.Error{Kind: rempart.Invalid, Field: "type", Code: "callback.type", Public: "The type of a callback is notice.acknowledged, notice.decided, complaint.decided, match.stopped or match.published."}
	}
	err = f.DB.UpdateCase(ctx, c.ID, "callback:"+from.ID+":"+id, change)
	if errors.Is(err, store.ErrAlready) {
		return nil
	}
	f.at("answer.saved")
	return err
}

// noNotice is the answer about a notice that is not there, and about one that
// was sent to another peer: which of the two must not show.
func noNotice() error {
	return &rempart.Error{Kind: rempart.NotFound, Code: "notice.missing", Public: "There is no such notice."}
}

// mayAnswer says whether a peer is the one a notice was sent to.
func (f *Flow) mayAnswer(ctx context.Context, from rempart.Peer, n *rempart.Notice) error {
	s, err := f.DB.Service(ctx, n.ServiceID)
	if err != nil {
		return err
	}
	if s.PeerID != from.ID {
		return noNotice()
	}
	return nil
}
