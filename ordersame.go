package rempart

import "time"

// JobShared tells the orders of other notices that the order which does their
// work is done; Subject is its intake, Payload its identifier.
const JobShared = "order.shared"

// An OrderRef names an order of another notice about the same posting.
type OrderRef struct {
	Intake string `json:"intake"`
	Order  string `json:"order"`
	Number string `json:"number"`          // of the notice, for people
	Named  bool   `json:"named,omitempty"` // decided in the same moment: what the system is told names it
}

// Named returns the numbers of the notices that were decided in the same moment
// and for which the order is given too. It never changes, as an order is told in
// the same words at each attempt.
func (a *Order) Named() []string {
	var out []string
	for _, r := range a.Also {
		if r.Named {
			out = append(out, r.Number)
		}
	}
	return out
}

// OrderAt returns the newest order among intakes that does something with the
// posting at an address, and its intake; nil if there is none.
func OrderAt(all []*Intake, address string) (*Intake, *Order) {
	var of *Intake
	var newest *Order
	if address == "" {
		return nil, nil
	}
	for _, i := range all {
		for _, n := range i.Notice.Items {
			if n.Address != address {
				continue
			}
			a := i.LastOrder(n.ID)
			if a == nil || newest != nil && (a.At.Before(newest.At) || a.At.Equal(newest.At) && a.ID < newest.ID) {
				continue
			}
			of, newest = i, a
		}
	}
	return of, newest
}

// InForce tells whether an order imposes what a decision does, and still holds on
// a day: the posting needs no second one.
func (a *Order) InForce(d Decision, at time.Time) bool {
	return a.Do == OrderApply && sameRestriction(a.Decision, d) && (a.Decision.Until == "" || a.Decision.Until >= at.UTC().Format(time.DateOnly))
}

// A Standing is the order that imposes already what a decision does.
type Standing struct {
	Of    *Intake
	Order string // its identifier
	Done  bool
	Named bool // it was asked for in this same moment, and nobody was told of it yet
}

// StandingAt returns the order that makes another one needless for a decision on
// the posting at an address: the newest one, if it is in force. The intakes are
// those at the address, and those of orders that do the work of theirs. nil: a new
// order is needed.
func StandingAt(all []*Intake, address string, d Decision, at time.Time) *Standing {
	of, a := OrderAt(all, address)
	if a == nil || !a.InForce(d.Normal(), at) {
		return nil
	}
	if a.With == nil {
		return &Standing{Of: of, Order: a.ID, Done: a.State == OrderDone}
	}
	for _, i := range all {
		if i.ID != a.With.Intake {
			continue
		}
		lead := i.Order(a.With.Order)
		if lead == nil || !i.counts(lead) {
			return nil
		}
		return &Standing{Of: i, Order: lead.ID, Done: lead.State == OrderDone}
	}
	if a.State != OrderDone {
		return nil
	}
	return &Standing{Of: of, Order: a.ID, Done: true} // the notice that had it told was erased meanwhile
}

// share gives a decision an order that the one of another notice does the work of:
// the platform's system is told one for one posting. It is done when that is.
func (i *Intake) share(item string, d Decision, s *Standing, at time.Time) {
	if !i.Acts {
		return
	}
	a := Order{ID: NewID(at), Item: item, Do: OrderApply, Decision: d, State: OrderPending, At: at, Since: at,
		With: &OrderRef{Intake: s.Of.ID, Order: s.Order, Number: s.Of.Number}}
	if s.Done {
		a.State = OrderDone
	} else {
		lead := s.Of.Order(s.Order)
		lead.Also = append(lead.Also, OrderRef{Intake: i.ID, Order: a.ID, Number: i.Number, Named: s.Named})
		s.Of.UpdatedAt = at
		s.Of.event("order.joined", s.Of.ID, ActorSystem, at, "item", lead.Item, "number", i.Number)
	}
	i.Orders = append(i.Orders, a)
	i.event("order.shared", i.ID, ActorSystem, at, "item", item, "number", s.Of.Number)
}

// OrderShared records that the order which does the work of one is done. Recording
// it twice changes nothing.
func (i *Intake) OrderShared(id string, lead Order, at time.Time) error {
	a := i.Order(id)
	if a == nil {
		return notFound("order")
	}
	if a.State == OrderDone {
		return nil
	}
	by := ActorSystem
	if lead.ByHand != "" {
		a.ByHand, by = lead.ByHand, lead.ByHand
	}
	i.done(a, by, at)
	return nil
}
