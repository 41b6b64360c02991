package flow

import (
	"context"
	"errors"
	"strconv"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/store"
)

// sendRequest delivers a notice to an API of somebody else's that does not know
// repetitions: as with e-mail, what has begun is on the case before it is asked,
// and what may have arrived is a human's, never sent again by itself.
func (f *Flow) sendRequest(ctx context.Context, claim store.Claim, c *rempart.Case, n *rempart.Notice, cred rempart.Credentials, p rempart.Peer) (*exchange.Failure, error) {
	key := n.ID + "." + strconv.Itoa(len(n.Attempts)+1)
	begun := false
	now := f.Now()
	if err := f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) (err error) {
		begun, err = c.NoticeTrying(n.ID, rempart.ChannelHTTP, key, now)
		return err
	}); err != nil || !begun {
		return nil, err
	}
	f.at("notice.http.begun")
	number, status, answer, err := exchange.SendRequest(ctx, f.Client, p.URL, *p.Request, cred.Headers, key, *n)
	f.at("notice.http.delivered")
	now = f.Now()
	a, fail := tried(claim, status, answer, err, now)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return fail, f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error { return c.NoticeTried(n.ID, key, number, a, now) })
}

// tried is what is noted of one try at an API that does not know repetitions, and
// how it failed, nil if it did not: whatever may have arrived is not tried again.
func tried(claim store.Claim, status int, answer string, err error, now time.Time) (a rempart.Attempt, fail *exchange.Failure) {
	if err == nil {
		return rempart.Attempt{Status: status, Answer: answer}, nil
	}
	if !errors.As(err, &fail) {
		fail = &exchange.Failure{Answer: "an answer that cannot be told", Err: err}
	}
	a = rempart.Attempt{Status: fail.Status, Answer: fail.Answer, Failed: fail.NotTaken(), Unclear: !fail.NotTaken()}
	fail.Permanent = fail.Permanent || a.Unclear
	if !fail.Permanent && claim.Attempt <= len(backoff) {
		a.Next = now.Add(wait(claim.Attempt, fail))
	}
	return a, fail
}
