package flow

import (
	"context"
	"strconv"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/store"
)

// requestRung delivers a step of the ladder to an API of somebody else's that does
// not know repetitions: what has begun is on the case before it is asked, and what
// may have arrived is a human's, never sent again by itself.
func (f *Flow) requestRung(ctx context.Context, claim store.Claim, c *rempart.Case, n *rempart.Notice, r *rempart.Rung, cred rempart.Credentials, p rempart.Peer, text string) (*exchange.Failure, error) {
	_, cal, err := f.DB.ClockPolicy(ctx)
	if err != nil {
		return nil, err
	}
	key, now := r.ID+"."+strconv.Itoa(len(r.Attempts)+1), f.Now()
	send := false
	if err := f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) (err error) {
		send, err = c.RungTrying(r.ID, rempart.ChannelHTTP, key, cal, now)
		return err
	}); err != nil || !send {
		return nil, err
	}
	f.at("rung.http.begun")
	number, status, answer, err := exchange.SendFollowUp(ctx, f.Client, p.URL, *p.Request, cred.Headers, key, *n, r.Kind, text)
	f.at("rung.http.delivered")
	now = f.Now()
	a, fail := tried(claim, status, answer, err, now)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return fail, f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error {
		if _, x := c.RungOf(r.ID); x != nil && fail == nil {
			x.Number = number
		}
		return c.RungTried(r.ID, key, a, cal, now)
	})
}
