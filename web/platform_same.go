package web

import (
	"context"

	"rempart"
	"rempart/flow"
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

// decideSame decides on an item and, if also is set, the same on the other notices
// about its address that wait: together, as one order to the platform's own
// system. Each notifier is told of its own; the facts name its own notice, unless
// the moderator wrote other ones. back says that the posting is there again.
func (s *Server) decideSame(ctx context.Context, i *rempart.Intake, item string, d rempart.Decision, also, back bool, by rempart.Actor) error {
	all := []flow.Ruling{{Intake: i.ID, Item: item, Decision: d}}
	var of rempart.NoticeItem
	for _, n := range i.Notice.Items {
		if n.ID == item {
			of = n
		}
	}
	if also {
		same, err := s.sameAddress(ctx, i, of)
		if err != nil {
			return err
		}
		for _, o := range same {
			if !o.Open {
				continue
			}
			its := d
			if d.Facts == s.firstDecision(i, of).Facts {
				its.Facts = s.firstDecision(o.Intake, of).Facts
			}
			all = append(all, flow.Ruling{Intake: o.Intake.ID, Item: o.Item, Decision: its})
		}
	}
	return s.Flow.DecideTogether(ctx, all, back, by)
}

// standingOver says in words the order that stands over an address already, and
// makes a second one needless; "" if there is none.
func (s *Server) standingOver(p page, same []sameView, address string) string {
	var all []*rempart.Intake
	for _, o := range same {
		all = append(all, o.Intake)
	}
	of, a := rempart.OrderAt(all, address)
	if a == nil || !a.InForce(a.Decision, s.Now()) {
		return ""
	}
	number := of.Number
	if a.With != nil {
		number = a.With.Number
	}
	return p.T("order.standing."+string(a.State), p.T("measure."+string(a.Decision.Measure)), number, p.DateTime(a.Since))
}
