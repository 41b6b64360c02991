package rempart

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// ComplaintBy says who complains: both may (DSA article 20(1)).
type ComplaintBy string

// Who complains.
const (
	ByNotifier ComplaintBy = "notifier" // who sent the notice, against what was refused or only restricted
	ByAffected ComplaintBy = "affected" // who put the item there, against what was done to it
)

// ComplaintState is where a complaint stands.
type ComplaintState string

// States of a complaint.
const (
	ComplaintReceived ComplaintState = "received"
	ComplaintDecided  ComplaintState = "decided"
)

// Outcome is what a complaint came to, in the words of the harmonised templates.
type Outcome string

// Outcomes.
const (
	OutcomeKept     Outcome = "upheld"             // the first decision stands
	OutcomePartly   Outcome = "partially_reversed" // on some items, or in part
	OutcomeReversed Outcome = "reversed"
)

// Longest and shortest text of a complaint, in characters.
const (
	MinComplaint = 20
	MaxComplaint = 5000
)

// A Complaint is a complaint against decisions on a notice, as the platform keeps
// it (DSA article 20).
type Complaint struct {
	ID         string         `json:"id"`     // the complainant's identifier, or ours if it gave none
	Number     string         `json:"number"` // for people to quote
	By         ComplaintBy    `json:"by"`
	Items      []string       `json:"items"`
	Reasons    string         `json:"reasons"`
	State      ComplaintState `json:"state"`
	ReceivedAt time.Time      `json:"received_at"`

	Outcome   Outcome          `json:"outcome,omitempty"`
	Answer    string           `json:"answer,omitempty"` // why (article 20(5))
	Changed   []DecisionChange `json:"changed,omitempty"`
	DecidedBy Actor            `json:"decided_by,omitempty"`
	DecidedAt time.Time        `json:"decided_at,omitzero"`
	Asked     bool             `json:"asked,omitempty"` // the answer is on its way
	Of        string           `json:"of,omitempty"`    // the number of the notice that it was lodged on, when the decision here followed: nobody complained here
}

// A DecisionChange is a decision that a complaint reversed.
type DecisionChange struct {
	Item string   `json:"item"`
	Was  Decision `json:"was"`
	By   Actor    `json:"by"` // who had decided
}

// Complaint returns the complaint with a number, or nil.
func (i *Intake) Complaint(number string) *Complaint {
	for k := range i.Complaints {
		if i.Complaints[k].Number == number {
			return &i.Complaints[k]
		}
	}
	return nil
}

// InformedAt returns when a party was told of the decision on an item, and so when
// its time to complain began; zero if it was not told yet. A notifier without an
// address asks by itself: its time begins when there is something to ask for.
func (i *Intake) InformedAt(item string, by ComplaintBy, calls bool) time.Time {
	d, ok := i.Decisions[item]
	if !ok || !i.Done(item) {
		return time.Time{}
	}
	at := d.At
	if o := i.LastOrder(item); o != nil && o.Since.After(at) {
		at = o.Since
	}
	if by == ByNotifier && calls {
		told := i.Told[CallbackDecided]
		if told.IsZero() {
			return time.Time{}
		}
		if told.After(at) {
			at = told
		}
	}
	return at
}

// A Window is how long a complaint is open after a decision was told.
type Window struct {
	Within   Span
	Calendar Calendar
	Calls    bool // we tell the notifier; it need not ask
}

// ComplainUntil returns until when a party may complain about an item: zero if it
// was not told yet, which leaves it open.
func (i *Intake) ComplainUntil(item string, by ComplaintBy, w Window) time.Time {
	at := i.InformedAt(item, by, w.Calls)
	if at.IsZero() {
		return at
	}
	return w.Calendar.Add(at, w.Within)
}

// Complainable returns the items that a party may complain about, in the order of
// the notice: those that are decided and carried out, and went against it.
func (i *Intake) Complainable(by ComplaintBy) []string {
	var out []string
	for _, n := range i.Notice.Items {
		d, ok := i.Decisions[n.ID]
		if ok && i.Done(n.ID) && (by == ByNotifier) == (d.Measure == MeasureRefused) || ok && i.Done(n.ID) && by == ByNotifier && d.Measure == MeasureRestricted {
			out = append(out, n.ID)
		}
	}
	return out
}

// Complain opens a complaint against the decisions on items; none are all that
// the party may complain about. id is the complainant's own identifier: the same
// one with the same text returns the complaint there is. It returns the
// complaint's number.
func (i *Intake) Complain(by ComplaintBy, id string, items []string, reasons string, w Window, actor Actor, at time.Time) (string, error) {
	reasons = strings.TrimSpace(reasons)
	if len(items) == 0 {
		items = i.Complainable(by)
	}
	slices.Sort(items)
	items = slices.Compact(items)
	for _, c := range i.Complaints {
		if id == "" || c.ID != id || c.By != by {
			continue
		}
		if c.Reasons != reasons {
			return "", conflict("complaint.key_reused", "Another complaint was already sent under this identifier.")
		}
		return c.Number, nil
	}
	if n := len([]rune(reasons)); n < MinComplaint || n > MaxComplaint {
		return "", &Error{Kind: Invalid, Field: "reasons", Code: "complaint.reasons", Args: []any{MinComplaint, MaxComplaint},
			Public: "Say why the decision is wrong, in " + itoa(MinComplaint) + " to " + itoa(MaxComplaint) + " characters."}
	}
	if CarriesFile(reasons) {
		return "", carried("reasons")
	}
	if len(items) == 0 {
		return "", conflict("complaint.nothing", "There is no decision yet that you can complain about.")
	}
	for _, item := range items {
		if !i.holds(item) {
			return "", notFound("item")
		}
		if !slices.Contains(i.Complainable(by), item) {
			return "", &Error{Kind: Conflict, Field: "items", Code: "complaint.item", Public: "One of these items has no decision yet, or none that went against you."}
		}
		if until := i.ComplainUntil(item, by, w); !until.IsZero() && at.After(until) {
			return "", &Error{Kind: Conflict, Field: "items", Code: "complaint.late", Public: "The six months in which this decision can be complained about are over. An out-of-court body or a court may still be open to you."}
		}
		for _, c := range i.Complaints {
			if c.By != by || !slices.Contains(c.Items, item) {
				continue
			}
			if c.State == ComplaintReceived {
				return "", conflict("complaint.open", "A complaint about this decision is already being looked at.")
			}
			if !slices.ContainsFunc(c.Changed, func(x DecisionChange) bool { return x.Item == item }) && !i.changedSince(item, c.DecidedAt) {
				return "", conflict("complaint.decided", "A complaint about this decision was already decided. An out-of-court body or a court may still be open to you.")
			}
		}
	}
	c := Complaint{ID: id, Number: "C-" + NewRef(), By: by, Items: items, Reasons: reasons, State: ComplaintReceived, ReceivedAt: at}
	if c.ID == "" {
		c.ID = NewID(at)
	}
	i.Complaints = append(i.Complaints, c)
	i.UpdatedAt = at
	i.event("complaint.received", i.ID, actor, at, "number", c.Number, "by", string(by), "items", itoa(len(items)))
	return c.Number, nil
}

// changedSince tells whether the decision on an item is newer than a time.
func (i *Intake) changedSince(item string, at time.Time) bool { return i.Decisions[item].At.After(at) }

// MayDecide says whether a member may decide on a complaint: not who took one of
// the decisions that it is about (DSA article 20(4) and (6) ask for a fair review
// by qualified staff; that it is another person is our reading).
func (i *Intake) MayDecide(c *Complaint, by Actor) error {
	same := conflict("complaint.same_person", "You took this decision; a complaint about it is decided by somebody else.")
	for _, item := range c.Items {
		if i.DecidedBy[item] == by || i.DecidedBy[item] == "" {
			return same
		}
		for _, old := range i.Complaints {
			if slices.ContainsFunc(old.Changed, func(x DecisionChange) bool { return x.Item == item && x.By == by }) {
				return same
			}
		}
	}
	return nil
}

// DecideComplaint decides on a complaint. changes holds the new decision on each
// item whose decision is reversed; the others stand. answer says why. What is
// reversed is carried out; then the complainant is told, and so is the notifier
// of what changed.
func (i *Intake) DecideComplaint(number string, changes map[string]Decision, answer string, by Actor, at time.Time) error {
	c := i.Complaint(number)
	if c == nil {
		return notFound("complaint")
	}
	if c.State == ComplaintDecided {
		return conflict("complaint.state", "This complaint has already been decided.")
	}
	if err := i.MayDecide(c, by); err != nil {
		return err
	}
	var p Problems
	answer = strings.TrimSpace(answer)
	if n := len([]rune(answer)); n < MinComplaint || n > MaxComplaint {
		p.add("answer", "complaint.answer", "Explain the outcome in "+itoa(MinComplaint)+" to "+itoa(MaxComplaint)+" characters (article 20(5)).", MinComplaint, MaxComplaint)
	}
	clean := map[string]Decision{}
	for _, item := range slices.Sorted(maps.Keys(changes)) {
		if !slices.Contains(c.Items, item) {
			return notFound("item")
		}
		d := changes[item].Normal()
		for _, m := range d.MissingAtDecision(at) {
			p.add(m.Field, m.Code, m.Public)
		}
		switch was := i.Decisions[item]; {
		case d.Means == MeansFully:
			p.add("means", "complaint.automated", "A complaint is not decided by automated means alone (article 20(6)).")
		case sameRestriction(d, was):
			p.add("measure", "complaint.same", "This is the decision there was: change it, or let it stand.")
		}
		clean[item] = d
	}
	if err := p.err(); err != nil {
		return err
	}
	for _, item := range c.Items {
		d, ok := clean[item]
		if !ok {
			continue
		}
		d.At = at
		was := i.Decisions[item]
		c.Changed = append(c.Changed, DecisionChange{item, was, i.DecidedBy[item]})
		i.Decisions[item], i.DecidedBy[item] = d, by
		i.event("complaint.item_reversed", i.ID, by, at, "item", item, "measure", string(d.Measure))
		switch {
		case d.Measure != MeasureRefused:
			i.act(item, OrderApply, d, at)
		case was.Measure != MeasureRefused:
			i.act(item, OrderLift, d, at)
		}
	}
	c.State, c.Answer, c.DecidedBy, c.DecidedAt, i.UpdatedAt = ComplaintDecided, answer, by, at, at
	switch len(c.Changed) {
	case 0:
		c.Outcome = OutcomeKept
	case len(c.Items):
		c.Outcome = OutcomeReversed
		if slices.ContainsFunc(c.Changed, func(x DecisionChange) bool {
			now := i.Decisions[x.Item].Measure
			return now == MeasureRestricted || now == x.Was.Measure
		}) {
			c.Outcome = OutcomePartly
		}
	default:
		c.Outcome = OutcomePartly
	}
	i.event("complaint.decided", i.ID, by, at, "number", c.Number, "outcome", string(c.Outcome))
	i.settle(at)
	return nil
}

// answerComplaints asks for the answer to each complaint that is decided and
// carried out: by callback to the notifier, by an order to the platform's own
// system, which hands it on, to who is affected.
func (i *Intake) answerComplaints(at time.Time) {
	for k := range i.Complaints {
		c := &i.Complaints[k]
		if c.State != ComplaintDecided || c.Asked || slices.ContainsFunc(c.Items, func(item string) bool { return !i.Done(item) }) {
			continue
		}
		c.Asked = true
		if c.By == ByAffected && c.Of == "" {
			i.order(Order{Item: c.Items[0], Do: OrderTell, Decision: i.Decisions[c.Items[0]], Number: c.Number}, at)
		}
		if c.By == ByNotifier || len(c.Changed) > 0 {
			i.job(Job{Kind: JobCallback, Subject: i.ID, Key: "complaint:" + i.ID + ":" + c.Number, Payload: CallbackComplaint + " " + c.Number, RunAt: at})
		}
		if c.Of == "" && slices.ContainsFunc(c.Changed, func(x DecisionChange) bool { return i.Decisions[x.Item].Measure != MeasureRefused }) {
			i.job(Job{Kind: JobStatements, Subject: i.ID, Key: "statements:" + i.ID + ":" + c.Number, RunAt: at})
		}
	}
}

// Reversed returns how often the decision on an item was reversed: each statement
// of reasons has an identifier of its own.
func (i *Intake) Reversed(item string) int {
	n := 0
	for _, c := range i.Complaints {
		for _, x := range c.Changed {
			if x.Item == item {
				n++
			}
		}
	}
	return n
}

// sameRestriction tells whether two decisions do the same to an item.
func sameRestriction(a, b Decision) bool {
	return a.Measure == b.Measure && slices.Equal(a.Restrictions, b.Restrictions) && a.Until == b.Until && a.Scope == b.Scope
}
