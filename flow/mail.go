package flow

import (
	"context"
	"strings"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/mail"
	"rempart/store"
)

// A Mailer gives messages to a mail server: a *mail.Sender. Its errors are
// *mail.Fault.
type Mailer interface {
	Send(context.Context, mail.Message) (answer string, err error)
	MessageID(notice string, try int) string
}

// sendMail delivers a notice by e-mail. What has begun is on the case before the
// server is asked: if we are killed before its answer is recorded, the next try
// finds it, and a human decides; a second e-mail is never sent by itself.
func (f *Flow) sendMail(ctx context.Context, claim store.Claim, c *rempart.Case, n *rempart.Notice, p rempart.Peer) (*exchange.Failure, error) {
	to := strings.TrimPrefix(p.URL, "mailto:")
	if f.Mail == nil {
		return f.mailClosed(ctx, c, n, "no mail server is set up on this instance")
	}
	id := f.Mail.MessageID(n.ID, len(n.Attempts)+1)
	send := false
	now := f.Now()
	if err := f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) (err error) {
		send, err = c.NoticeTrying(n.ID, rempart.ChannelMail, id, now)
		return err
	}); err != nil || !send {
		return nil, err
	}
	f.at("notice.mail.begun")
	subject, text := exchange.NoticeText(*n)
	m := mail.Message{ID: id, To: to, Tag: n.ID, Subject: subject, Text: text, References: c.Thread(n.ID), Anonymous: n.Minor, At: now}
	return f.tryMail(ctx, claim, c.ID, m, "notice.mail.delivered", func(c *rempart.Case, a rempart.Attempt, at time.Time) error {
		return c.NoticeTried(n.ID, id, "", a, at)
	})
}

// tryMail sends an e-mail that has begun on its case, and records with tried what
// came of it. step is the place at which a test may stop it.
func (f *Flow) tryMail(ctx context.Context, claim store.Claim, caseID string, m mail.Message, step string, tried func(c *rempart.Case, a rempart.Attempt, at time.Time) error) (*exchange.Failure, error) {
	answer, err := f.Mail.Send(ctx, m)
	f.at(step)
	now := f.Now()
	a := rempart.Attempt{Status: 250, Answer: answer}
	var fail *exchange.Failure
	if err != nil {
		a, fail = mailFault(claim, err, now)
	}
	// We may be stopping; what the server said is recorded all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return fail, f.DB.UpdateCase(ctx, caseID, "", func(c *rempart.Case) error { return tried(c, a, now) })
}

// mailWait is how long a try by e-mail waits that a server refused for now: RFC
// 5321, section 4.5.4.1, asks for no less than half an hour in general, and a
// server that greylists takes the second try after some minutes.
func mailWait(attempt int) time.Duration { return max(wait(attempt, nil), 5*time.Minute) }

// mailClosed records that a notice cannot leave by e-mail.
func (f *Flow) mailClosed(ctx context.Context, c *rempart.Case, n *rempart.Notice, why string) (*exchange.Failure, error) {
	a := rempart.Attempt{At: f.Now(), Channel: rempart.ChannelMail, Failed: true, Answer: why}
	return &exchange.Failure{Answer: why, Permanent: true}, f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error {
		return c.NoticeAttemptFailed(n.ID, a, a.At)
	})
}
