package rempart

import (
	"slices"
	"time"
)

// A Part is a case that was split off another. It has no reporter of its own: who
// reported follows her items, and is written to, in the case she holds the code of.
type Part struct {
	CaseID string    `json:"case_id"`
	Ref    string    `json:"ref"`
	Reason string    `json:"reason,omitempty"` // in the case that was split; "" in the part
	Salt   string    `json:"salt,omitempty"`   // see commit
	By     Actor     `json:"by"`
	At     time.Time `json:"at"`
}

// Splittable returns the items that can be moved to a case of their own: those
// that no notice holds and nobody has decided on.
func (c *Case) Splittable() (ids []string) {
	for k := range c.Items {
		if c.untouched(&c.Items[k]) {
			ids = append(ids, c.Items[k].ID)
		}
	}
	return ids
}

// PlanSplit says why the items can't be moved to a case of their own; nil if they
// can.
func (c *Case) PlanSplit(items []string) error {
	switch {
	case c.State == CaseNew:
		return conflict("case.new", "This case is still being qualified; try again in a moment.")
	case c.State == CaseClosed:
		return conflict("case.closed", "This case is closed. Reopen it first.")
	case c.Merged != nil:
		return &Error{Kind: Conflict, Code: "split.merged", Args: []any{c.Merged.Ref}, Public: "This case follows " + c.Merged.Ref + ": split that one, or undo the merge first."}
	case !c.Withdrawn.IsZero():
		return conflict("split.withdrawn", "This report was withdrawn: nothing more is done with it.")
	case len(items) == 0:
		return &Error{Kind: Invalid, Field: "item", Code: "split.none", Public: "Choose at least one item to move."}
	}
	movable := c.Splittable()
	for _, id := range items {
		if c.Item(id) == nil {
			return notFound("item")
		}
		if !slices.Contains(movable, id) {
			return conflict("split.item", "One of these items is in a notice, or was decided on: it stays in this case.")
		}
	}
	if len(slices.Compact(slices.Sorted(slices.Values(items)))) == len(c.Items) {
		return &Error{Kind: Invalid, Field: "item", Code: "split.all", Public: "Leave at least one item in this case."}
	}
	return nil
}

// Split moves items to a new case with the same facts, which is qualified anew;
// its clocks begin now. Both are saved together. What the person wrote, her
// messages and her identity stay where they are.
func (c *Case) Split(items []string, reason string, by Actor, at time.Time) (*Case, error) {
	reason, err := written(reason, "split.reason", "Say in a few words why these items are another matter.")
	if err != nil {
		return nil, err
	}
	if err := c.PlanSplit(items); err != nil {
		return nil, err
	}
	part := &Case{
		ID: NewID(at), Ref: NewRef(), State: CaseNew, Priority: c.Priority, Lang: c.Lang, OpenedAt: at, UpdatedAt: at,
		Facts: c.Facts, PartOf: &Part{CaseID: c.ID, Ref: c.Ref, By: by, At: at},
	}
	for k := range c.Items {
		i := &c.Items[k]
		if slices.Contains(items, i.ID) {
			part.adopt(c, i, at)
			i.follow(part, &part.Items[len(part.Items)-1], at)
		}
	}
	salt, digest := commit(reason)
	c.Parts = append(slices.Clip(c.Parts), Part{CaseID: part.ID, Ref: part.Ref, Reason: reason, Salt: salt, By: by, At: at})
	c.event("case.split", c.ID, by, at, "case", part.Ref, "items", itoa(len(part.Items)), "reason", digest)
	part.event("case.opened", part.ID, by, at, "items", itoa(len(part.Items)))
	part.event("case.split_from", part.ID, by, at, "case", c.Ref)
	part.job(Job{Kind: JobQualify, Subject: part.ID, Key: "qualify:" + part.ID, RunAt: at})
	return part, c.act(at)
}
