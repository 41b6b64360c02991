package rempart

import (
	"slices"
	"strings"
	"time"
)

// IntakeState is where a notice stands on the side of the platform that
// received it.
type IntakeState string

// States of an intake.
const (
	IntakeReceived IntakeState = "received" // saved and acknowledged; waits for a moderator
	IntakeDecided  IntakeState = "decided"  // every item has a decision
)

// An Intake is a notice as the platform that received it keeps it. Change it
// only through its methods, inside the store's Update.
type Intake struct {
	changes

	ID         string               `json:"id"`
	Number     string               `json:"number"` // the identifier given with the receipt
	Version    int64                `json:"version"`
	State      IntakeState          `json:"state"`
	Priority   Priority             `json:"priority"`
	PeerID     string               `json:"peer_id"`
	From       string               `json:"from"`    // name of the peer
	Trusted    bool                 `json:"trusted"` // trusted flagger, by our own record, not by the notice's word
	Key        string               `json:"key"`     // idempotency key: a second notice with it is the same notice
	Notice     Notice               `json:"notice"`
	Decisions  map[string]Decision  `json:"decisions"`             // by item
	DecidedBy  map[string]Actor     `json:"decided_by,omitempty"`  // by item: who decided last; nil in what older versions saved
	Acts       bool                 `json:"acts,omitempty"`        // the platform's own system carries decisions out
	Entity     string               `json:"entity,omitempty"`      // in the list of trusted flaggers, by our record of its key
	NoPriority string               `json:"no_priority,omitempty"` // why the entity's notice has none: see Flagger.Covers
	Referral   *Referral            `json:"referral,omitempty"`    // DSA article 18; nil: no suspicion noted
	Codes      []string             `json:"codes,omitempty"`       // hashes of the codes that open it: of a notifier without a key, of who is affected
	Orders     []Order              `json:"orders,omitempty"`      // in the order they were asked for
	Complaints []Complaint          `json:"complaints,omitempty"`  // against its decisions, in the order they came
	Told       map[string]time.Time `json:"told,omitempty"`        // when the notifier took each kind of callback
	ReceivedAt time.Time            `json:"received_at"`
	UpdatedAt  time.Time            `json:"updated_at"`
	Reminders  []Reminded           `json:"reminders,omitempty"` // each time the notifier asked again
	Hold       *Hold                `json:"hold,omitempty"`      // set: nobody may erase it
	Lifted     []Lifted             `json:"lifted,omitempty"`    // holds that ended
}

// Receive opens the intake of a notice that a peer sent, and asks for the
// acknowledgement to be sent (art. 16(4)). The notice must lack nothing.
func Receive(n Notice, key string, from Peer, at time.Time) (*Intake, error) {
	if missing := n.MissingAtIntake(); len(missing) > 0 {
		var p Problems
		for _, m := range missing {
			p.add(m.Field, m.Code, m.Public+" (DSA, article "+m.Article+")")
		}
		return nil, p
	}
	i := &Intake{
		ID: NewID(at), Number: "N-" + NewRef(), State: IntakeReceived, Priority: PriorityNormal,
		PeerID: from.ID, From: from.Name, Trusted: from.TrustedFlagger, Entity: from.Flagger, Key: key, Notice: n,
		Decisions: map[string]Decision{}, ReceivedAt: at, UpdatedAt: at,
	}
	switch { // trusted flaggers are treated first (art. 22(1)); a minor's image before all
	case n.Minor:
		i.Priority = PriorityUrgent
	case i.Trusted:
		i.Priority = PriorityHigh
	}
	who := ActorPlatform + Actor(from.ID)
	if from.ID == "" {
		who = ActorNotifier
	}
	i.event("intake.received", i.ID, who, at, "number", i.Number, "items", itoa(len(n.Items)))
	if from.ID == "" { // by the form: acknowledged on the page that answers it
		i.NoteTold(CallbackAcknowledged, at)
		return i, nil
	}
	i.job(Job{Kind: JobCallback, Subject: i.ID, Key: "acknowledge:" + i.ID, Payload: CallbackAcknowledged, RunAt: at})
	return i, nil
}

// Callbacks, as the payload of a job and the type of the message.
const (
	CallbackAcknowledged = "notice.acknowledged"
	CallbackDecided      = "notice.decided"
	CallbackStopped      = "match.stopped"
	CallbackPublished    = "match.published"
	CallbackComplaint    = "complaint.decided" // in a payload, followed by a space and the complaint's number
)

// GiveCode has the intake opened by the code with a hash, once.
func (i *Intake) GiveCode(hash string) {
	if !slices.Contains(i.Codes, hash) {
		i.Codes = append(i.Codes, hash)
	}
}

// NoteTold records that the notifier took a callback; what names it, such as
// CallbackDecided or the payload of a complaint's. Recording it twice changes
// nothing.
func (i *Intake) NoteTold(what string, at time.Time) {
	if _, done := i.Told[what]; done {
		return
	}
	if i.Told == nil {
		i.Told = map[string]time.Time{}
	}
	i.Told[what] = at
	kind, number, _ := strings.Cut(what, " ")
	i.event("intake.told", i.ID, ActorSystem, at, "callback", kind, "number", number)
}

// Decide records a moderator's decision on one item, and asks the platform's own
// system to carry it out, if there is one. When the last item has one and all are
// carried out, the notifier is told.
func (i *Intake) Decide(itemID string, d Decision, by Actor, at time.Time) error {
	return i.DecideWith(itemID, d, nil, by, at)
}

// DecideWith is Decide on a posting of which an order of another notice imposes
// the same already: no second one is told, and the notifier is answered as soon as
// that one is done. nil asks for an order of its own.
func (i *Intake) DecideWith(itemID string, d Decision, standing *Standing, by Actor, at time.Time) error {
	if i.State == IntakeDecided {
		return conflict("intake.decided", "This notice has already been decided.")
	}
	if !i.holds(itemID) {
		return notFound("item")
	}
	if _, done := i.Decisions[itemID]; done {
		return conflict("intake.item_decided", "This item has already been decided; a decision cannot be taken back here.")
	}
	d = d.Normal()
	if missing := d.MissingAtDecision(at); len(missing) > 0 {
		var p Problems
		for _, m := range missing {
			p.add(m.Field, m.Code, m.Public)
		}
		return p
	}
	d.At = at
	i.Decisions[itemID] = d
	i.UpdatedAt = at
	i.event("intake.item_decided", i.ID, by, at, "item", itemID, "measure", string(d.Measure))
	if i.DecidedBy == nil {
		i.DecidedBy = map[string]Actor{}
	}
	i.DecidedBy[itemID] = by
	switch {
	case d.Measure == MeasureRefused:
	case standing != nil:
		i.share(itemID, d, standing, at)
	default:
		i.act(itemID, OrderApply, d, at)
	}
	if len(i.Decisions) < len(i.Notice.Items) {
		return nil
	}
	i.State = IntakeDecided
	i.event("intake.decided", i.ID, by, at, "number", i.Number)
	i.settle(at)
	return nil
}
