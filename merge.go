package rempart

import (
	"slices"
	"time"
)

// Two cases about the same matter stay two cases, each under its own key, with
// its own words, messages, identity and code. One carries the work, the other
// follows it: what both have is worked on once, what only the one that follows
// had is carried too, and its person is told of what becomes of her items and of
// nothing else. What travels from one case to the other is the item itself, its
// address or fingerprints, and never what somebody wrote.

// A Place is an item of another case.
type Place struct {
	CaseID string `json:"case_id"`
	Ref    string `json:"ref"`
	ItemID string `json:"item_id"`
}

// A Merge says that a case follows another, which carries the work.
type Merge struct {
	CaseID string    `json:"case_id"`
	Ref    string    `json:"ref"`
	Reason string    `json:"reason"`
	Salt   string    `json:"salt"` // see commit
	By     Actor     `json:"by"`
	At     time.Time `json:"at"`
}

// An Unmerged says how a merge was undone.
type Unmerged struct {
	Merge Merge `json:"merge"`
	End   Hold  `json:"end"`
}

// A Joined is a case that follows this one, or did: what it had that was worked on
// meanwhile still does. Why is in the other case, under its key.
type Joined struct {
	CaseID string    `json:"case_id"`
	Ref    string    `json:"ref"`
	By     Actor     `json:"by"`
	At     time.Time `json:"at"`
	Ended  time.Time `json:"ended,omitzero"`
}

// Follows tells whether the case follows another, or an item of it does.
func (c *Case) Follows(id string) bool {
	return c.Merged != nil && c.Merged.CaseID == id ||
		slices.ContainsFunc(c.Items, func(i Item) bool { return i.State == ItemFollowed && i.Follows.CaseID == id })
}

// A MergePlan is what merging one case into another would do, as identifiers of
// items of the one that would follow.
type MergePlan struct {
	Same   []string // the other case has them too
	Taken  []string // the other case gets them
	Stay   []string // in a notice, or settled: they end where they are
	Closes bool     // nothing is left to do in the case that follows
}

// Following tells whether an item of the case is worked on in another.
func (c *Case) Following() bool {
	return slices.ContainsFunc(c.Items, func(i Item) bool { return i.State == ItemFollowed })
}

// PlanMerge says what merging the case into another would do, or why it can't be
// done. It refuses what would have a service told twice of one address, or a
// minor's item carried in a case that is not known to be a minor's.
func (c *Case) PlanMerge(into *Case) (MergePlan, error) {
	var p MergePlan
	switch {
	case c.ID == into.ID:
		return p, &Error{Kind: Invalid, Field: "into", Code: "merge.same", Public: "A case cannot be merged into itself. Give the number of another one."}
	case c.State == CaseNew || into.State == CaseNew:
		return p, conflict("case.new", "This case is still being qualified; try again in a moment.")
	case c.Merged != nil:
		return p, &Error{Kind: Conflict, Code: "merge.already", Args: []any{c.Merged.Ref}, Public: "This case follows " + c.Merged.Ref + " already."}
	case into.Merged != nil:
		return p, &Error{Kind: Conflict, Field: "into", Code: "merge.follower", Args: []any{into.Merged.Ref}, Public: "That case follows " + into.Merged.Ref + ": merge this one into " + into.Merged.Ref + "."}
	case slices.ContainsFunc(c.Joined, func(j Joined) bool { return j.Ended.IsZero() }):
		return p, conflict("merge.carries", "Another case follows this one. Merge the other way round, or undo that merge first.")
	case c.State == CaseClosed || into.State == CaseClosed:
		return p, conflict("merge.closed", "One of the two cases is closed. Reopen it first.")
	case !c.Withdrawn.IsZero() || !into.Withdrawn.IsZero():
		return p, conflict("merge.withdrawn", "The report of one of the two cases was withdrawn: nothing more is done with it.")
	case c.Facts.Minor() != into.Facts.Minor() || ListFor(c.Facts).ID != ListFor(into.Facts).ID:
		return p, conflict("merge.age", "The two cases do not say the same of the age of who is shown. Correct the facts first, so that nobody under 18 is treated as an adult.")
	}
	for k := range c.Notices {
		if s := c.Notices[k].State; s == NoticeDraft || s == NoticeQueued || s == NoticeFailed {
			return p, conflict("merge.notice", "A notice of this case waits to be sent. Send it or cancel it first, or merge the other way round.")
		}
	}
	p.Closes = len(c.Unanswered()) == 0
	for k := range c.Items {
		i := &c.Items[k]
		there := into.counterpart(i)
		switch {
		case !c.untouched(i):
			if there != nil && (i.State == ItemNotified || i.State == ItemAcknowledged) && !told(there) {
				return p, conflict("merge.twice", "This case has a notice under way on an address that the other case has yet to notify: it would be told twice. Merge the other case into this one.")
			}
			p.Stay = append(p.Stay, i.ID)
			p.Closes = p.Closes && i.State.Settled()
		case there != nil && there.State == ItemFollowed && there.Follows.ItemID != i.ID:
			return p, &Error{Kind: Conflict, Field: "into", Code: "merge.moved", Args: []any{there.Follows.Ref}, Public: "What both cases have is worked on in " + there.Follows.Ref + ": merge this case into that one."}
		case there != nil:
			p.Same = append(p.Same, i.ID)
		default:
			p.Taken = append(p.Taken, i.ID)
		}
	}
	return p, nil
}

// told tells whether a service has been told of an address.
func told(i *Item) bool {
	switch i.State {
	case ItemReported, ItemQueued, ItemFailed:
		return false
	}
	return true
}

// MergeInto has the case follow another, which carries its work from now on. Both
// change, and are saved together. The reason stays in this case; the ledger gets
// a digest of it.
func (c *Case) MergeInto(into *Case, reason string, by Actor, at time.Time) error {
	reason, err := written(reason, "merge.reason", "Say in a few words why the two cases are about the same matter.")
	if err != nil {
		return err
	}
	p, err := c.PlanMerge(into)
	if err != nil {
		return err
	}
	for _, id := range p.Same {
		i := c.Item(id)
		there := into.counterpart(i)
		if there.State == ItemFollowed { // it was split off: its own item takes the work back
			there.comeBack(at)
		}
		i.follow(into, there, at)
	}
	for _, id := range p.Taken {
		i := c.Item(id)
		into.adopt(c, i, at)
		i.follow(into, &into.Items[len(into.Items)-1], at)
	}
	salt, digest := commit(reason)
	c.Merged = &Merge{CaseID: into.ID, Ref: into.Ref, Reason: reason, Salt: salt, By: by, At: at}
	into.Joined = append(slices.Clip(into.Joined), Joined{CaseID: c.ID, Ref: c.Ref, By: by, At: at})
	c.event("case.merged", c.ID, by, at, "case", into.Ref, "items", itoa(len(p.Same)+len(p.Taken)), "reason", digest)
	into.event("case.joined", into.ID, by, at, "case", c.Ref, "items", itoa(len(p.Taken)))
	if err := into.act(at); err != nil {
		return err
	}
	if err := c.act(at); err != nil {
		return err
	}
	if p.Closes {
		c.ClosedFor, c.ClosedAt = "→ "+into.Ref, at
		c.event("case.closed", c.ID, by, at)
		return c.to(CaseClosed, at)
	}
	return nil
}

// UnmergeFrom undoes a merge: what nobody has worked on comes back, the rest is
// carried to its end where it is, and the person goes on being told of it.
func (c *Case) UnmergeFrom(into *Case, reason string, by Actor, at time.Time) error {
	reason, err := written(reason, "unmerge.reason", "Say in a few words why the two cases are not about the same matter.")
	if err != nil {
		return err
	}
	if c.Merged == nil || c.Merged.CaseID != into.ID {
		return conflict("unmerge.none", "This case follows no other.")
	}
	back := 0
	for k := range c.Items {
		i := &c.Items[k]
		if i.State != ItemFollowed || i.Follows.CaseID != into.ID {
			continue
		}
		if there := into.Item(i.Follows.ItemID); there != nil && !into.untouched(there) {
			continue
		}
		i.comeBack(at)
		back++
	}
	into.letGo(c.ID, false, by, at)
	salt, digest := commit(reason)
	c.Unmerged = append(slices.Clip(c.Unmerged), Unmerged{*c.Merged, Hold{Reason: reason, Salt: salt, By: by, At: at}})
	c.Merged = nil
	c.event("case.unmerged", c.ID, by, at, "case", into.Ref, "items", itoa(back), "reason", digest)
	into.event("case.left", into.ID, by, at, "case", c.Ref)
	into.UpdatedAt = at
	return c.takeUp(by, at)
}

// Released ends what the case left to another that is being erased. What became of
// each item there is kept; what was still under way comes back to be worked on.
func (c *Case) Released(gone *Case, by Actor, at time.Time) error {
	n := 0
	for k := range c.Items {
		i := &c.Items[k]
		if i.State != ItemFollowed || i.Follows.CaseID != gone.ID {
			continue
		}
		n++
		there := gone.Item(i.Follows.ItemID)
		switch {
		case there == nil || !there.State.Settled() || there.State == ItemUnlisted:
			i.comeBack(at)
		case there.State == ItemFollowed:
			i.Follows = there.Follows
		case i.Kind == ItemMedium:
			c.setEntries(i, EntryRejected, at) // listed there, or taken back: not from here
			i.State, i.Since = ItemDropped, there.Since
		default:
			i.State, i.Since, i.Decision = there.State, there.Since, there.Decision
		}
	}
	if c.Merged != nil && c.Merged.CaseID == gone.ID {
		c.Unmerged = append(slices.Clip(c.Unmerged), Unmerged{*c.Merged, Hold{By: by, At: at}})
		c.Merged = nil
	} else if n == 0 {
		return nil
	}
	c.event("case.released", c.ID, by, at, "case", gone.Ref, "items", itoa(n))
	return c.takeUp(by, at)
}

// Forgets ends what the case carries for another that is being erased. Withdrawn
// tells that its person took the report back: her fingerprints leave the lists.
func (c *Case) Forgets(id string, withdrawn bool, by Actor, at time.Time) {
	ref := ""
	for _, j := range c.Joined {
		if j.CaseID == id {
			ref = j.Ref
		}
	}
	if c.letGo(id, withdrawn, by, at) {
		c.event("case.left", c.ID, by, at, "case", ref)
		c.UpdatedAt = at
	}
}

// letGo removes what the case had from another and nobody has worked on, and
// tells whether there was something to end.
func (c *Case) letGo(id string, withdrawn bool, by Actor, at time.Time) (changed bool) {
	were := len(c.Items)
	c.Items = slices.Clone(c.Items)
	for k := range c.Items {
		i := &c.Items[k]
		if i.From == id && c.untouched(i) && i.Kind == ItemMedium {
			c.setEntries(i, EntryRejected, at)
		}
		if i.From == id && withdrawn && i.State == ItemProtected {
			c.setEntries(i, EntryWithdrawn, at)
			i.State, i.Since = ItemWithdrawn, at
			c.event("fingerprint.withdrawn", c.ID, by, at, "item", i.ID)
			changed = true
		}
	}
	c.Items = slices.DeleteFunc(c.Items, func(i Item) bool { return i.From == id && c.untouched(&i) })
	c.Joined = slices.Clone(c.Joined)
	for k := range c.Joined {
		if c.Joined[k].CaseID == id && c.Joined[k].Ended.IsZero() {
			c.Joined[k].Ended = at
			changed = true
		}
	}
	return changed || len(c.Items) < were
}

// takeUp opens a closed case again in which something waits to be done.
func (c *Case) takeUp(by Actor, at time.Time) error {
	c.UpdatedAt = at
	if c.State == CaseClosed && slices.ContainsFunc(c.Items, func(i Item) bool { return !i.State.Settled() }) {
		return c.Reopen(by, at)
	}
	return nil
}

// untouched tells whether nobody has acted on an item: it can be carried elsewhere.
func (c *Case) untouched(i *Item) bool {
	switch i.State {
	case ItemReported, ItemFiled, ItemUnlisted:
	default:
		return false
	}
	if i.NoticeID != "" {
		return false
	}
	for k := range c.Notices {
		if n := &c.Notices[k]; (n.State != NoticeCancelled || len(n.Attempts) > 0) && slices.ContainsFunc(n.Items, func(ni NoticeItem) bool { return ni.ID == i.ID }) {
			return false
		}
	}
	return true
}

// counterpart returns the item of the case that is the same as one of another:
// its address, or a fingerprint of it. One that was dropped or taken back is none.
func (c *Case) counterpart(o *Item) *Item {
	for k := range c.Items {
		i := &c.Items[k]
		if i.Kind != o.Kind || i.State == ItemDropped || i.State == ItemWithdrawn {
			continue
		}
		if o.Kind == ItemAddress && i.Address == o.Address {
			return i
		}
		for _, f := range o.Fingerprints {
			if slices.ContainsFunc(i.Fingerprints, func(g Fingerprint) bool { return f.Type == g.Type && f.Value == g.Value }) {
				return i
			}
		}
	}
	return nil
}

// follow leaves the work on an item to one of another case.
func (i *Item) follow(c *Case, there *Item, at time.Time) {
	i.Was, i.WasSince = i.State, i.Since
	i.State, i.Since, i.Follows = ItemFollowed, at, &Place{CaseID: c.ID, Ref: c.Ref, ItemID: there.ID}
}

// comeBack undoes follow.
func (i *Item) comeBack(at time.Time) {
	i.State, i.Since = i.Was, at
	i.Follows, i.Was, i.WasSince = nil, "", time.Time{}
}

// adopt adds an item of another case to the case, with entries of its own.
func (c *Case) adopt(from *Case, o *Item, at time.Time) {
	i := Item{ID: NewID(at), Kind: o.Kind, State: o.State, Since: at, Address: o.Address, Fingerprints: o.Fingerprints, Provenance: o.Provenance, From: from.ID}
	if i.Kind == ItemMedium {
		i.List = ListFor(c.Facts).ID
		c.fileEntries(&i, at)
	}
	c.Items = append(slices.Clip(c.Items), i)
}

// fileEntries makes a provisional entry of each fingerprint of a new item that can
// be listed.
func (c *Case) fileEntries(i *Item, at time.Time) {
	for _, f := range i.Fingerprints {
		if f.Listable() {
			e := Entry{ID: NewID(at), List: i.List, Fingerprint: f, State: EntryProvisional, CaseID: c.ID, CaseRef: c.Ref, ItemID: i.ID, Since: at}
			i.Entries = append(i.Entries, e.ID)
			c.entry(e)
		}
	}
}
