package rempart

import (
	"slices"
	"time"
)

// JobOrder has an order of the intake Subject carried out; Payload is the
// order's identifier.
const JobOrder = "order.send"

// OrderDo is what the platform's own system is asked to do with an item.
type OrderDo string

// What can be asked for.
const (
	OrderApply OrderDo = "apply" // impose the restrictions of the decision, and no others
	OrderLift  OrderDo = "lift"  // take all restrictions of earlier decisions back
	OrderTell  OrderDo = "tell"  // tell who put the item there what its complaint came to
)

// OrderState is where an order stands.
type OrderState string

// States of an order. Only done is what the platform's system confirmed, or a
// member of the staff who did it by hand.
const (
	OrderPending OrderState = "pending"
	OrderDone    OrderState = "done"
	OrderFailed  OrderState = "failed" // given to a human
)

// An Order is a decision on its way to the platform's own system: decided is not
// done.
type Order struct {
	ID       string     `json:"id"` // also the webhook-id, the same at every attempt
	Item     string     `json:"item"`
	Do       OrderDo    `json:"do"`
	Decision Decision   `json:"decision"` // that it carries out
	State    OrderState `json:"state"`
	At       time.Time  `json:"at"`
	Since    time.Time  `json:"since"` // when it came to its state
	Attempts []Attempt  `json:"attempts,omitempty"`
	Number   string     `json:"number,omitempty"`  // of the complaint, to tell
	ByHand   Actor      `json:"by_hand,omitempty"` // who confirmed it, if it was no system
	Tries    int        `json:"tries,omitempty"`   // how often a human started it again
	With     *OrderRef  `json:"with,omitempty"`    // the order that does its work: the system is told that one alone
	Also     []OrderRef `json:"also,omitempty"`    // those whose work this one does
}

// Order returns an order of the intake, or nil.
func (i *Intake) Order(id string) *Order {
	for k := range i.Orders {
		if i.Orders[k].ID == id {
			return &i.Orders[k]
		}
	}
	return nil
}

// LastOrder returns the newest order that does something with an item, or nil.
func (i *Intake) LastOrder(item string) *Order {
	for k := len(i.Orders) - 1; k >= 0; k-- {
		if i.Orders[k].Item == item && i.Orders[k].Do != OrderTell {
			return &i.Orders[k]
		}
	}
	return nil
}

// counts tells whether an order was not overtaken by a newer one on its item.
func (i *Intake) counts(a *Order) bool { return a.Do == OrderTell || a == i.LastOrder(a.Item) }

// start queues the oldest pending order on an item: the platform's system gets
// them one by one, in order.
func (i *Intake) start(item string, at time.Time) {
	for k := range i.Orders {
		if a := &i.Orders[k]; a.Item == item && a.State == OrderPending {
			if a.With != nil {
				return // done when that order is
			}
			i.job(Job{Kind: JobOrder, Subject: i.ID, Key: "order:" + a.ID + ":" + itoa(a.Tries), Payload: a.ID, RunAt: at}) // queued once, as the key is
			return
		}
	}
}

// Done tells whether the decision on an item is carried out: confirmed, or of a
// kind that there is nothing to do for.
func (i *Intake) Done(item string) bool {
	a := i.LastOrder(item)
	return a == nil || a.State == OrderDone
}

// Answered returns the decisions that the notifier may be told: those that are
// carried out. One that waits for the platform's system is no removal yet.
func (i *Intake) Answered() map[string]Decision {
	out := map[string]Decision{}
	for item, d := range i.Decisions {
		if i.Done(item) {
			out[item] = d
		}
	}
	return out
}

// Settled tells whether every item is decided and every decision carried out.
func (i *Intake) Settled() bool {
	return i.State == IntakeDecided && len(i.Answered()) == len(i.Decisions)
}

// act asks the platform's system to do something, when there is one.
func (i *Intake) act(item string, do OrderDo, d Decision, at time.Time) {
	i.order(Order{Item: item, Do: do, Decision: d}, at)
}

func (i *Intake) order(a Order, at time.Time) {
	if !i.Acts {
		return
	}
	a.ID, a.State, a.At, a.Since = NewID(at), OrderPending, at, at
	i.Orders = append(i.Orders, a)
	i.event("order.asked", i.ID, ActorSystem, at, "item", a.Item, "do", string(a.Do))
	i.start(a.Item, at)
}

// OrderTried records an attempt that was not confirmed. With a next try planned
// the order stays pending; without one a human has it.
func (i *Intake) OrderTried(id string, try Attempt, at time.Time) error {
	a := i.Order(id)
	if a == nil {
		return notFound("order")
	}
	if a.State != OrderPending {
		return nil
	}
	a.Attempts = append(a.Attempts, try)
	i.UpdatedAt = at
	if !try.Next.IsZero() {
		i.event("order.attempt_failed", i.ID, ActorSystem, at, "item", a.Item, "status", itoa(try.Status))
		return nil
	}
	a.State, a.Since = OrderFailed, at
	i.event("order.failed", i.ID, ActorSystem, at, "item", a.Item, "status", itoa(try.Status))
	i.start(a.Item, at)
	return nil
}

// OrderConfirmed records that the platform's system did it. Recording it twice
// changes nothing.
func (i *Intake) OrderConfirmed(id string, try Attempt, at time.Time) error {
	a := i.Order(id)
	if a == nil {
		return notFound("order")
	}
	if a.State == OrderDone {
		return nil
	}
	a.Attempts = append(a.Attempts, try)
	i.done(a, ActorSystem, at)
	return nil
}

// OrderByHand records that a member of the staff did, by hand, what the
// platform's system could not.
func (i *Intake) OrderByHand(id string, by Actor, at time.Time) error {
	a := i.Order(id)
	if a == nil {
		return notFound("order")
	}
	if a.State != OrderFailed || !i.counts(a) {
		return conflict("order.state", "This order waits for nobody's hand.")
	}
	a.ByHand = by
	i.done(a, by, at)
	return nil
}

// RetryOrder starts an order again that had failed.
func (i *Intake) RetryOrder(id string, by Actor, at time.Time) error {
	a := i.Order(id)
	if a == nil {
		return notFound("order")
	}
	if a.State != OrderFailed || !i.counts(a) {
		return conflict("order.state", "This order waits for nobody's hand.")
	}
	a.State, a.Since = OrderPending, at
	a.Tries++
	i.UpdatedAt = at
	i.event("order.retried", i.ID, by, at, "item", a.Item)
	i.start(a.Item, at)
	return nil
}

func (i *Intake) done(a *Order, by Actor, at time.Time) {
	a.State, a.Since, i.UpdatedAt = OrderDone, at, at
	i.event("order.done", i.ID, by, at, "item", a.Item, "do", string(a.Do))
	if len(a.Also) > 0 {
		i.job(Job{Kind: JobShared, Subject: i.ID, Key: "order.shared:" + a.ID, Payload: a.ID, RunAt: at})
	}
	i.start(a.Item, at)
	i.settle(at)
}

// settle asks for the notifier to be told, once everything is decided and carried
// out, and for the statements of reasons to be sent.
func (i *Intake) settle(at time.Time) {
	i.answerComplaints(at)
	if !i.Settled() {
		return
	}
	i.job(Job{Kind: JobCallback, Subject: i.ID, Key: "decide:" + i.ID, Payload: CallbackDecided, RunAt: at})
	for _, d := range i.Decisions {
		if d.Measure != MeasureRefused { // a refusal restricts nobody: article 17 asks for no statement
			i.job(Job{Kind: JobStatements, Subject: i.ID, Key: "statements:" + i.ID, RunAt: at})
			break
		}
	}
}

// IntakeTask is what a human is asked to do about an intake.
type IntakeTask string

// Tasks of an intake, beside the decision that each one waits for.
const (
	IntakeOrder     IntakeTask = "order"     // a decision could not be carried out
	IntakeComplaint IntakeTask = "complaint" // a complaint waits for a decision
	IntakeReferral  IntakeTask = "referral"  // an authority is to be informed, or the suspicion dropped
)

// Tasks returns what a human is asked to do, each kind once, with since when.
func (i *Intake) Tasks() map[IntakeTask]time.Time {
	out := map[IntakeTask]time.Time{}
	add := func(t IntakeTask, since time.Time) {
		if was, ok := out[t]; !ok || since.Before(was) {
			out[t] = since
		}
	}
	for k := range i.Orders {
		if a := &i.Orders[k]; a.State == OrderFailed && i.counts(a) {
			add(IntakeOrder, a.Since)
		}
	}
	if r := i.Referral; r != nil && r.ClosedAt.IsZero() {
		add(IntakeReferral, r.At)
	}
	for _, c := range i.Complaints {
		if c.State == ComplaintReceived {
			add(IntakeComplaint, c.ReceivedAt)
		}
	}
	return out
}

// holds tells whether the intake has an item.
func (i *Intake) holds(item string) bool {
	return slices.ContainsFunc(i.Notice.Items, func(n NoticeItem) bool { return n.ID == item })
}
