package flow

import (
	"context"

	"rempart"
	"rempart/store"
)

// bulk carries out what is planned for a case, unless it was undone. What cannot
// be done any more is refused on the case, with why; the other cases of the same
// act go on.
func (f *Flow) bulk(ctx context.Context, claim store.Claim) error {
	c, err := f.DB.Case(ctx, claim.Job.Subject)
	if rempart.KindOf(err) == rempart.NotFound && err != nil { // erased meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	p := c.Due(claim.Job.Payload)
	if p == nil {
		return nil
	}
	by, err := f.member(ctx, p.ByID)
	if err != nil {
		return err
	}
	to, err := f.member(ctx, p.To)
	if err != nil {
		return err
	}
	now := f.Now()
	err = f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error {
		p := c.Due(claim.Job.Payload)
		if p == nil {
			return nil
		}
		if !by.May(rempart.RightBulk) || !by.May(rempart.RightWork) || !by.DisabledAt.IsZero() {
			return &rempart.Error{Kind: rempart.Forbidden, Code: "bulk.right", Public: "Who planned this may not act on many cases any more."}
		}
		if c.Facts.Themes()&by.Barred() != 0 {
			return rempart.ErrOutside()
		}
		if err := c.Perform(p.Act, by, to, p.Reason, now); err != nil {
			return err
		}
		c.Carried(now)
		return nil
	})
	switch rempart.KindOf(err) {
	case rempart.Conflict, rempart.Invalid, rempart.Forbidden, rempart.NotFound:
		why := err
		return f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error {
			if c.Due(claim.Job.Payload) != nil {
				c.Refused(why, now)
			}
			return nil
		})
	}
	return err
}

// member returns a member of the staff, and nobody for one who may not sign in.
func (f *Flow) member(ctx context.Context, id string) (rempart.Staff, error) {
	if id == "" {
		return rempart.Staff{}, nil
	}
	m, err := f.DB.Member(ctx, id)
	switch rempart.KindOf(err) {
	case rempart.NotFound, rempart.Forbidden: // gone, or disabled
		return rempart.Staff{}, nil
	}
	return m, err
}
