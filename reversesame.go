package rempart

import "slices"

// FollowReversal has a notice take what a complaint on another one about the same
// posting came to: one restriction lies on the posting, so that who reverses it
// does so for all who notified it (DSA articles 17 and 20(4)). It is done when the
// order of the other notice is, and then its notifier is told; who is affected,
// and the transparency database, are told by the other one alone. It changes only
// a decision that imposed the same, and tells whether it did.
func (i *Intake) FollowReversal(item string, lead *Intake, c Complaint, of DecisionChange) bool {
	was, ok := i.Decisions[item]
	now, by, at := lead.Decisions[of.Item], c.DecidedBy, c.DecidedAt
	if !ok || was.Measure == MeasureRefused || !sameRestriction(was, of.Was) || c.State != ComplaintDecided {
		return false
	}
	if i.DecidedBy == nil {
		i.DecidedBy = map[string]Actor{}
	}
	outcome := OutcomeReversed
	if now.Measure == MeasureRestricted {
		outcome = OutcomePartly
	}
	i.Complaints = append(i.Complaints, Complaint{Number: c.Number, By: c.By, Items: []string{item}, State: ComplaintDecided, ReceivedAt: c.ReceivedAt,
		Outcome: outcome, Changed: []DecisionChange{{item, was, i.DecidedBy[item]}}, DecidedBy: by, DecidedAt: at, Of: lead.Number})
	i.Decisions[item], i.DecidedBy[item], i.UpdatedAt = now, by, at
	i.event("complaint.followed", i.ID, by, at, "item", item, "measure", string(now.Measure), "number", lead.Number)
	if a := lead.LastOrder(of.Item); lead.Acts && a != nil && a.State != OrderDone {
		x := Order{ID: NewID(at), Item: item, Do: a.Do, Decision: now, State: OrderPending, At: at, Since: at, With: &OrderRef{Intake: lead.ID, Order: a.ID, Number: lead.Number}}
		a.Also = append(slices.Clip(a.Also), OrderRef{Intake: i.ID, Order: x.ID, Number: i.Number})
		i.Orders = append(i.Orders, x)
		i.event("order.shared", i.ID, ActorSystem, at, "item", item, "number", lead.Number)
		lead.event("order.joined", lead.ID, ActorSystem, at, "item", of.Item, "number", i.Number)
	}
	i.settle(at)
	return true
}
