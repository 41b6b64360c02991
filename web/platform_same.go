package web

import (
	"context"

	"rempart"
)

// A sameView is another notice about an address.
type sameView struct {
	Intake *rempart.Intake
	Item   string // the item at the address, in that notice
	Open   bool   // it has no decision yet
}

// sameAddress returns the other notices about the address of an item, the newest
// first, at most 50.
func (s *Server) sameAddress(ctx context.Context, i *rempart.Intake, item rempart.NoticeItem) ([]sameView, error) {
	if item.Address == "" {
		return nil, nil
	}
	found, err := s.DB.IntakesAt(ctx, item.Address, 50)
	if err != nil {
		return nil, err
	}
	var out []sameView
	for _, o := range found {
		if o.ID == i.ID {
			continue
		}
		for _, n := range o.Notice.Items {
			if n.Address == item.Address {
				_, decided := o.Decisions[n.ID]
				out = append(out, sameView{o, n.ID, !decided})
				break
			}
		}
	}
	return out, nil
}

// decideSame decides the same on the other notices about an item's address that
// wait. Each notifier is told of its own; the facts name its own notice, unless
// the moderator wrote other ones.
func (s *Server) decideSame(ctx context.Context, i *rempart.Intake, item string, d rempart.Decision, by rempart.Actor) error {
	var of rempart.NoticeItem
	for _, n := range i.Notice.Items {
		if n.ID == item {
			of = n
		}
	}
	same, err := s.sameAddress(ctx, i, of)
	if err != nil {
		return err
	}
	for _, o := range same {
		if !o.Open {
			continue
		}
		also := d
		if d.Facts == s.firstDecision(i, of).Facts {
			also.Facts = s.firstDecision(o.Intake, of).Facts
		}
		err := s.Flow.Decide(ctx, o.Intake.ID, o.Item, also, by)
		if err != nil && rempart.KindOf(err) != rempart.Conflict { // somebody decided meanwhile
			return err
		}
	}
	return nil
}
