package flow

import (
	"context"
	"errors"
	"strings"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/mail"
	"rempart/store"
)

// mailRung delivers a step of the ladder by e-mail, in the thread of its notice.
// As with a notice, what has begun is on the case before the server is asked, and
// what may have arrived is a human's. Who may have answered by e-mail is not
// pressed by a program.
func (f *Flow) mailRung(ctx context.Context, claim store.Claim, c *rempart.Case, n *rempart.Notice, r *rempart.Rung, p rempart.Peer, text string) (*exchange.Failure, error) {
	_, cal, err := f.DB.ClockPolicy(ctx)
	if err != nil {
		return nil, err
	}
	now := f.Now()
	id := f.Mail.MessageID(n.ID+"."+r.ID, len(r.Attempts)+1)
	send, unread := false, false
	if err := f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) (err error) {
		if unread = c.Unread(n.ID) && r.Text == ""; unread {
			send = false
			return c.RungAttemptFailed(r.ID, rempart.Attempt{At: now, Channel: rempart.ChannelMail, Failed: true, Answer: "an e-mail about this notice waits to be read first"}, now)
		}
		send, err = c.RungTrying(r.ID, rempart.ChannelMail, id, cal, now)
		return err
	}); err != nil || !send {
		return nil, err
	}
	f.at("rung.mail.begun")
	subject, body := exchange.RungMail(*n, text)
	m := mail.Message{ID: id, To: strings.TrimPrefix(p.URL, "mailto:"), Tag: n.ID, Subject: subject, Text: body, References: c.Thread(n.ID), Anonymous: n.Minor, At: now}
	return f.tryMail(ctx, claim, c.ID, m, "rung.mail.delivered", func(c *rempart.Case, a rempart.Attempt, at time.Time) error {
		return c.RungTried(r.ID, id, a, cal, at)
	})
}

// mailFault says what a try at sending that did not end with the server's word
// came to.
func mailFault(claim store.Claim, err error, now time.Time) (rempart.Attempt, *exchange.Failure) {
	var fault *mail.Fault
	if !errors.As(err, &fault) {
		fault = &mail.Fault{Text: "an answer that cannot be told", Unclear: true, Err: err}
	}
	a := rempart.Attempt{Status: fault.Code, Answer: fault.Text, Failed: !fault.Unclear, Unclear: fault.Unclear}
	fail := &exchange.Failure{Status: fault.Code, Answer: fault.Text, Permanent: fault.Permanent || fault.Unclear, Err: err}
	if !fail.Permanent && claim.Attempt <= len(backoff) {
		a.Next = now.Add(mailWait(claim.Attempt))
		fail.RetryAfter = mailWait(claim.Attempt)
	}
	return a, fail
}
