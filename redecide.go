package rempart

import (
	"strings"
	"time"
)

// A PastDecision is a decision that another one took the place of.
type PastDecision struct {
	Decision
	Until  time.Time `json:"until"`            // when another one took its place
	Reason string    `json:"reason,omitempty"` // why, as a member of the staff wrote it
	By     Actor     `json:"by,omitempty"`     // who corrected it; "" when the platform decided anew
}

// keepDecision puts the decision of an item with those before.
func (i *Item) keepDecision(at time.Time) {
	if i.Decision != nil {
		i.Past = append(i.Past[:len(i.Past):len(i.Past)], PastDecision{Decision: *i.Decision, Until: at})
		i.Decision = nil
	}
}

// redecide puts a decision in the place of another one: any may follow any.
func (c *Case) redecide(n *Notice, i *Item, d Decision, reason string, by Actor, at time.Time) {
	fresh := !c.holds(n, ItemRefused, ItemRestricted)
	i.keepDecision(at)
	last := &i.Past[len(i.Past)-1]
	last.Reason, last.By = reason, by
	i.Decision, i.State, i.Since = &d, d.itemState(), at
	if fresh && i.State != ItemRemoved {
		n.Since = at // nothing was refused before: the time to complain runs from now
	}
	c.UpdatedAt = at
}

// CorrectDecision records that the decision on an item is another one than was
// recorded, with the reason. The decision before is kept.
func (c *Case) CorrectDecision(itemID string, d Decision, reason string, by Actor, at time.Time) error {
	i := c.Item(itemID)
	if i == nil || i.Kind != ItemAddress {
		return notFound("item")
	}
	n := c.Notice(i.NoticeID)
	if i.Decision == nil || n == nil || !decided(i.State) {
		return conflict("decision.none", "There is no decision on this item to correct.")
	}
	if err := c.workable(); err != nil {
		return err
	}
	if reason = strings.TrimSpace(reason); reason == "" {
		return &Error{Kind: Invalid, Field: "reason", Code: "decision.reason", Public: "Say in a few words why the decision is corrected."}
	}
	if err := d.problems(); err != nil {
		return err
	}
	d.At = at
	c.redecide(n, i, d, reason, by, at)
	c.event("item.redecided", c.ID, by, at, "notice", n.ID, "item", i.ID, "measure", string(d.Measure), "why", "corrected")
	return c.act(at)
}

// ComplaintAnswered records what a platform decided on a complaint, by the item's
// identifier: the decisions that it keeps as well as those that it reverses.
// Items that it does not name keep their decision. rungID "" is the complaint
// that was sent last for the notice, and so is one that is not ours, as when it
// was lodged by hand. Recording it twice changes nothing.
func (c *Case) ComplaintAnswered(noticeID, rungID string, decisions map[string]Decision, by Actor, at time.Time) error {
	n := c.Notice(noticeID)
	if n == nil {
		return notFound("notice")
	}
	var r *Rung
	for j := range n.Rungs {
		if x := &n.Rungs[j]; x.Kind == RungComplaint && (r == nil || r.ID != rungID) {
			r = x
		}
	}
	if r == nil {
		return notFound("rung")
	}
	if r.State == RungAnswered {
		return nil
	}
	if r.State == RungQueued { // the answer overtook our record of the receipt
		if err := c.moveRung(n, r, RungSent, ActorSystem, at); err != nil {
			return err
		}
	}
	if err := c.anewFits(n, decisions); err != nil {
		return err
	}
	if err := c.moveRung(n, r, RungAnswered, by, at); err != nil {
		return err
	}
	c.anew(n, decisions, by, at)
	return nil
}

// DecidedAnew records that a platform decided anew on items of a notice without a
// complaint of ours, such as upon one of who put the content there.
func (c *Case) DecidedAnew(noticeID string, decisions map[string]Decision, by Actor, at time.Time) error {
	n := c.Notice(noticeID)
	if n == nil {
		return notFound("notice")
	}
	if err := c.anewFits(n, decisions); err != nil {
		return err
	}
	c.anew(n, decisions, by, at)
	return nil
}

// anewFits returns why decisions cannot take the place of those on the items of a
// notice.
func (c *Case) anewFits(n *Notice, decisions map[string]Decision) error {
	if len(decisions) == 0 {
		return &Error{Kind: Invalid, Field: "items", Code: "decision.items", Public: "The decision must cover every item of the notice."}
	}
	for id, d := range decisions {
		if c.Item(id) == nil {
			return notFound("item")
		}
		if err := d.problems(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Case) anew(n *Notice, decisions map[string]Decision, by Actor, at time.Time) {
	for _, ni := range n.Items {
		d, ok := decisions[ni.ID]
		if !ok {
			continue
		}
		i := c.Item(ni.ID)
		if i.NoticeID != n.ID || i.Decision == nil { // it has gone on to another notice
			continue
		}
		if i.Decision.Measure == d.Measure && i.Decision.Explanation == d.Explanation {
			continue
		}
		c.redecide(n, i, d, "", "", at)
		c.event("item.redecided", c.ID, by, at, "notice", n.ID, "item", i.ID, "measure", string(d.Measure), "why", "complaint")
	}
}

// decided tells whether a platform has decided on an item in this state.
func decided(s ItemState) bool {
	return s == ItemRemoved || s == ItemRestricted || s == ItemRefused
}

// problems returns what the decision lacks, a problem for each element.
func (d Decision) problems() error {
	var p Problems
	for _, m := range d.Missing() {
		p.add(m.Field, m.Code, m.Public)
	}
	return p.err()
}

// Pointer returns the decision, for templates.
func (p PastDecision) Pointer() *Decision { return &p.Decision }
