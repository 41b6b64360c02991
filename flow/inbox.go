package flow

import (
	"context"
	"errors"
	"strings"
	"time"

	"rempart"
	"rempart/store"
)

// An Inbox is the mailbox where answers to notices come in: a *mail.Mailbox.
type Inbox interface {
	Name() string
	Read(ctx context.Context, from rempart.MailPlace, now time.Time, take func(rempart.MailPlace, rempart.Mail) error) (rempart.MailPlace, error)
}

// How a mailbox is read: how long one process has it, and how long it is left alone
// after that; longer where it did not answer.
const (
	mailLease = 5 * time.Minute
	mailEvery = 30 * time.Second
	mailAway  = 5 * time.Minute
)

// FollowMail reads the mailbox again and again until ctx ends. Without one it
// returns at once.
func (f *Flow) FollowMail(ctx context.Context) error {
	if f.Inbox == nil {
		return nil
	}
	for {
		if _, err := f.ReadMail(ctx); err != nil && ctx.Err() == nil {
			f.Log.ErrorContext(ctx, "the mailbox of answers cannot be read; it is tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(mailEvery / 3):
		}
	}
}

// ReadMail reads what is new in the mailbox, if it is due and no other process
// does, and returns how many messages it took. Each is kept once, whatever becomes
// of this process between two steps.
func (f *Flow) ReadMail(ctx context.Context) (n int, err error) {
	if f.Inbox == nil {
		return 0, nil
	}
	name := f.Inbox.Name()
	place, ok, err := f.DB.ClaimMailbox(ctx, name, mailLease)
	if err != nil || !ok {
		return 0, err
	}
	f.at("mail.claimed")
	end, err := f.Inbox.Read(ctx, place, f.Now(), func(p rempart.MailPlace, m rempart.Mail) error {
		f.at("mail.read")
		if err := f.takeMail(ctx, m); err != nil {
			return err
		}
		f.at("mail.taken")
		n++
		err := f.DB.MailboxRead(ctx, name, p, f.Now().Add(mailLease))
		f.at("mail.noted")
		return err
	})
	wait := mailEvery
	if err != nil {
		wait = mailAway
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return n, errors.Join(err, f.DB.MailboxRead(ctx, name, end, f.Now().Add(wait)))
}

// takeMail keeps an e-mail where it belongs: on the notice that it answers, or
// among those of which somebody has to say what they are about.
func (f *Flow) takeMail(ctx context.Context, m rempart.Mail) error {
	m = m.Normal()
	once := "mail:" + m.Key()
	now := f.Now()
	m.ID = rempart.NewID(now)
	if m.At.IsZero() || m.At.After(now) {
		m.At = now
	}
	c, notice, err := f.answered(ctx, m)
	if err != nil {
		return err
	}
	if c != nil {
		err := f.DB.UpdateCase(ctx, c.ID, once, func(c *rempart.Case) error { return c.TakeMail(notice, m, now) })
		switch {
		case err == nil || errors.Is(err, store.ErrAlready):
			return nil
		case rempart.KindOf(err) != rempart.NotFound && rempart.KindOf(err) != rempart.Conflict: // else it was erased meanwhile, or has no room
			return err
		}
	}
	if err := f.DB.KeepMail(ctx, m, once, now); err != nil && !errors.Is(err, store.ErrAlready) {
		return err
	}
	return nil
}

// answered finds the notice that an e-mail is about: by the address that it was
// sent to, or by the messages that it answers, which only who had them can name.
func (f *Flow) answered(ctx context.Context, m rempart.Mail) (*rempart.Case, string, error) {
	seen := map[string]bool{}
	try := func(id string) (*rempart.Case, error) {
		if seen[id] || len(id) > 64 {
			return nil, nil
		}
		seen[id] = true
		c, err := f.DB.CaseByNotice(ctx, id)
		if rempart.KindOf(err) == rempart.NotFound && err != nil {
			return nil, nil
		}
		return c, err
	}
	for _, about := range m.About {
		id, _, _ := strings.Cut(about, "@")
		if at := strings.IndexByte(id, '.'); at > 0 {
			id = id[:at]
		}
		if c, err := try(id); err != nil || c != nil {
			return c, id, err
		}
	}
	for _, tag := range m.Tags {
		if c, err := try(tag); err != nil || c != nil {
			return c, tag, err
		}
	}
	return nil, "", nil
}
