package flow

import (
	"context"
	"errors"
	"strings"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/store"
)

// rung delivers a step of the ladder that goes out by itself, or that somebody
// sent. The case is read just before: what the platform has answered meanwhile,
// or the person has withdrawn, is not asked for again.
func (f *Flow) rung(ctx context.Context, claim store.Claim) (*exchange.Failure, error) {
	c, err := f.DB.Case(ctx, claim.Job.Subject)
	if rempart.KindOf(err) == rempart.NotFound { // withdrawn, or erased
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	n, r := c.RungOf(claim.Job.Payload)
	if r == nil || r.State != rempart.RungQueued {
		return nil, nil // done, given to a human, or without object
	}
	texts, err := f.DB.Templates(ctx)
	if err != nil {
		return nil, err
	}
	text, ok := RungText(texts, c, n, r), false
	if err := f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error {
		if ok = c.RungLeaves(r.ID, claim.Job.Key, text, f.Now()); ok {
			_, now := c.RungOf(r.ID)
			text = now.Text
		}
		return nil
	}); err != nil || !ok {
		return nil, err
	}
	f.at("rung.send.leaves")
	cred, peer, fail, err := f.ladderOf(ctx, n)
	if err != nil {
		return nil, err
	}
	if fail == nil && peer.Kind == rempart.PeerMail {
		return f.mailRung(ctx, claim, c, n, r, peer, text)
	}
	if fail == nil && peer.Kind == rempart.PeerHTTP && !peer.Request.Repeatable {
		return f.requestRung(ctx, claim, c, n, r, cred, peer, text)
	}
	var number, answer string
	var status int
	if fail == nil {
		number, status, answer, err = f.sendRung(ctx, peer, cred, n, r, text)
		if err != nil && !errors.As(err, &fail) {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err() // we are stopping: the lease ends, another try follows
	}
	f.at("rung.send.delivered")
	_, cal, err := f.DB.ClockPolicy(ctx)
	if err != nil {
		return nil, err
	}
	now := f.Now()
	a := rempart.Attempt{At: now, Status: status, Answer: answer}
	if fail != nil {
		a.Status, a.Answer = fail.Status, fail.Answer
		if !fail.Permanent && claim.Attempt <= len(backoff) {
			a.Next = now.Add(wait(claim.Attempt, fail))
		}
	}
	return fail, f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error {
		if fail != nil {
			return c.RungAttemptFailed(r.ID, a, now)
		}
		return c.RungDelivered(r.ID, number, a, cal, now)
	})
}

// sendRung delivers what a rung is.
func (f *Flow) sendRung(ctx context.Context, p rempart.Peer, cred rempart.Credentials, n *rempart.Notice, r *rempart.Rung, text string) (number string, status int, answer string, err error) {
	if p.Kind == rempart.PeerHTTP {
		return exchange.SendFollowUp(ctx, f.Client, p.URL, *p.Request, cred.Headers, r.ID, *n, r.Kind, text)
	}
	if r.Kind == rempart.RungComplaint {
		state, status, answer, err := exchange.SendComplaint(ctx, f.Client, p.URL, cred.Key, n.Number, exchange.Complaint{ID: r.ID, Reasons: text})
		return state.Number, status, answer, err
	}
	receipt, status, answer, err := exchange.SendReminder(ctx, f.Client, p.URL, cred.Key, r.ID, n.Number, exchange.ReminderOf(*n, text))
	return receipt.Number, status, answer, err
}

// Reaches tells whether what follows a notice can leave by itself.
func (f *Flow) Reaches(ctx context.Context, n *rempart.Notice) (bool, error) {
	_, _, fail, err := f.ladderOf(ctx, n)
	return fail == nil && err == nil, err
}

// ladderOf is credentials for what follows a notice: the API of an instance takes
// reminders and complaints, and so does whoever reads a mailbox. Somebody else's
// API takes what its templates make: one that has none for what follows takes
// notices only, and the rest is a human's.
func (f *Flow) ladderOf(ctx context.Context, n *rempart.Notice) (rempart.Credentials, rempart.Peer, *exchange.Failure, error) {
	cred, p, fail, err := f.credentials(ctx, n)
	switch {
	case err != nil || fail != nil:
	case p.Kind == rempart.PeerMail && f.Mail == nil:
		fail = &exchange.Failure{Answer: "no mail server is set up on this instance", Permanent: true}
	case p.Kind == rempart.PeerHTTP && (p.Request == nil || p.Request.FollowUp == ""):
		fail = &exchange.Failure{Answer: "this service takes notices only: send this by hand, and record it", Permanent: true}
	}
	return cred, p, fail, err
}

// rungGivenUp gives a rung to a human whose delivery ended in a fault of ours.
func (f *Flow) rungGivenUp(ctx context.Context, c store.Claim, cause error) {
	a := rempart.Attempt{At: f.Now(), Answer: "our own records stand against it: " + rempart.KindOf(cause).String()}
	err := f.DB.UpdateCase(ctx, c.Job.Subject, "", func(k *rempart.Case) error { return k.RungAttemptFailed(c.Job.Payload, a, a.At) })
	if err != nil {
		f.Log.ErrorContext(ctx, "a step that failed is not shown as such", "job", c.ID, "err", err)
	}
}

// second drafts the second notice that a rung asks for.
func (f *Flow) second(ctx context.Context, claim store.Claim) error {
	err := f.DraftSecond(ctx, claim.Job.Subject, claim.Job.Payload, rempart.ActorSystem)
	if rempart.KindOf(err) == rempart.NotFound { // the case or the service is gone: the task stays, the page says so
		return nil
	}
	return err
}

// DraftSecond drafts the second notice that a rung asks for, if there is none
// yet.
func (f *Flow) DraftSecond(ctx context.Context, caseID, rungID string, by rempart.Actor) error {
	c, err := f.DB.Case(ctx, caseID)
	if err != nil {
		return err
	}
	n, r := c.RungOf(rungID)
	if r == nil {
		return nil
	}
	s, err := f.DB.Service(ctx, n.ServiceID)
	if err != nil {
		return err
	}
	texts, err := f.DB.Templates(ctx)
	if err != nil {
		return err
	}
	f.at("rung.draft")
	return f.DB.UpdateCase(ctx, caseID, "", func(c *rempart.Case) error {
		first, _ := c.RungOf(rungID)
		if first == nil {
			return nil
		}
		return c.PrepareSecond(rungID, s, secondText(texts, c, first, s.Lang), f.Notifier, by, f.Now())
	})
}

// Remind records that the notifier of an intake asks again, once for each key.
func (f *Flow) Remind(ctx context.Context, from rempart.Peer, id, key string, m exchange.Reminder) (*rempart.Intake, error) {
	i, err := f.DB.Intake(ctx, id)
	if rempart.KindOf(err) == rempart.NotFound {
		i, err = f.DB.IntakeByNumber(ctx, id)
	}
	if rempart.KindOf(err) == rempart.NotFound || err == nil && i.PeerID != from.ID {
		return nil, noNotice()
	}
	if err != nil {
		return nil, err
	}
	key = strings.TrimSpace(key)
	if key == "" {
		return nil, &rempart.Error{Kind: rempart.Invalid, Field: "Idempotency-Key", Code: "reminder.key", Public: "Give the reminder an identifier in the header Idempotency-Key, so that sending it twice makes one reminder."}
	}
	err = f.DB.UpdateIntake(ctx, i.ID, func(i *rempart.Intake) error { return i.Remind(key, m.Awaits, f.Now()) })
	if err != nil {
		return nil, err
	}
	f.at("reminder.saved")
	f.Wake()
	return f.DB.Intake(ctx, i.ID)
}

// complaintDecided records what a platform decided on a complaint: ours, or that
// of who put the content there, upon which it told us what holds now.
func complaintDecided(c *rempart.Case, from rempart.Peer, cb exchange.Callback, at time.Time) error {
	if cb.Complaint == nil || len(cb.Items) == 0 {
		return &rempart.Error{Kind: rempart.Invalid, Field: "complaint", Code: "callback.complaint", Public: "A complaint.decided message says in complaint what it came to, and in items what holds now."}
	}
	by := rempart.ActorPlatform + rempart.Actor(from.ID)
	if cb.Complaint.By != rempart.ByNotifier {
		return c.DecidedAnew(cb.NoticeID, cb.Items, by, at)
	}
	err := c.ComplaintAnswered(cb.NoticeID, cb.Complaint.ID, cb.Items, by, at)
	switch rempart.KindOf(err) {
	case rempart.NotFound, rempart.Conflict: // lodged by another way, and not recorded here
		return c.DecidedAnew(cb.NoticeID, cb.Items, by, at)
	}
	return err
}

// again drafts the next notice on an item that is there again, or that was added;
// one that is in a draft, that no service of the register serves, or of a case
// without a confirmed qualification is left to a human.
func (f *Flow) again(ctx context.Context, claim store.Claim) error {
	c, err := f.DB.Case(ctx, claim.Job.Subject)
	if rempart.KindOf(err) == rempart.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	i := c.Item(claim.Job.Payload)
	if i == nil || i.State != rempart.ItemReported {
		return nil
	}
	first := c.Notice(i.NoticeID)
	var s rempart.Service
	explain := func(c *rempart.Case) string { return Explain(c, s.Lang) }
	if first != nil && first.State != rempart.NoticeDraft && first.State != rempart.NoticeCancelled {
		if s, err = f.DB.Service(ctx, first.ServiceID); err == nil {
			var texts rempart.Templates
			texts, err = f.DB.Templates(ctx)
			explain = func(c *rempart.Case) string { return secondText(texts, c, first, s.Lang) }
		}
	} else if c.Merged == nil { // else the case that carries the work may have it too
		s, err = f.serving(ctx, i.Address)
	}
	if rempart.KindOf(err) == rempart.NotFound || err == nil && s.ID == "" {
		return nil
	}
	if err != nil {
		return err
	}
	f.at("notice.again.draft")
	return f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error {
		for k := range c.Notices {
			for _, ni := range c.Notices[k].Items {
				if c.Notices[k].State != rempart.NoticeDraft {
					continue
				}
				if ni.ID == i.ID {
					return nil
				}
				if other := c.Item(ni.ID); i.ToldBy != "" && c.Notices[k].ServiceID == s.ID && other != nil && other.ToldBy != "" {
					return nil // it waits with its task: a service that tells of many copies makes one draft
				}
			}
		}
		if now := c.Item(i.ID); now == nil || now.State != rempart.ItemReported || c.State == rempart.CaseClosed || len(c.Confirmed()) == 0 {
			return nil
		}
		_, err := c.PrepareNotice(s, []string{i.ID}, explain(c), f.Notifier, rempart.ActorSystem, f.Now())
		return err
	})
}
