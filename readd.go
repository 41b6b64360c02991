package rempart

import (
	"strings"
	"time"
)

// MaxCaseAddresses is how many addresses a case holds at most, those that were
// added to it counted.
const MaxCaseAddresses = 200

// AddAddress takes another address of the same content into the case: seen
// elsewhere, or there again. It returns the identifier of its item, and drafts the
// next notice by itself where the case has a confirmed qualification and the
// register a service for it. A closed case is taken up again. One that was removed
// or dropped before is taken up again under its item; one that the case has and
// works on is a Conflict. From the person or a platform, a human is asked to look;
// the minute would help to find her, so that hers is the hour.
func (c *Case) AddAddress(address string, by Actor, at time.Time) (itemID string, err error) {
	if !c.Withdrawn.IsZero() {
		return "", &Error{Kind: Conflict, Field: "address", Code: "address.withdrawn", Public: "This report was withdrawn: nothing is added to it any more. You can send a new one."}
	}
	clean, err := CleanAddress(address)
	if err != nil {
		return "", &Error{Kind: Invalid, Field: "address", Code: "report.address", Args: []any{shorten(address)}, Err: err,
			Public: "\"" + shorten(address) + "\" is not the address of a page; it should look like https://site.example/page."}
	}
	staff := by != ActorReporter && !strings.HasPrefix(string(by), string(ActorPlatform))
	if by == ActorReporter {
		at = at.UTC().Truncate(time.Hour)
	} else if c.State == CaseNew {
		return "", conflict("case.new", "This case is still being qualified; try again in a moment.")
	}
	n := 0
	var i *Item
	for k := range c.Items {
		x := &c.Items[k]
		if x.Kind != ItemAddress {
			continue
		}
		n++
		if x.Address == clean && x.From == "" {
			i = x
		}
	}
	switch {
	case i != nil && i.State != ItemRemoved && i.State != ItemDropped:
		return "", &Error{Kind: Conflict, Field: "address", Code: "address.known", Public: "This address is in this case already, and is being worked on."}
	case i == nil && n >= MaxCaseAddresses:
		return "", &Error{Kind: Conflict, Field: "address", Code: "address.many", Args: []any{MaxCaseAddresses},
			Public: "This case holds " + itoa(MaxCaseAddresses) + " addresses already; put the others in another report."}
	}
	if c.State == CaseClosed {
		if err := c.Reopen(by, at); err != nil {
			return "", err
		}
	}
	if i == nil {
		c.Items = append(c.Items, Item{ID: NewID(at), Kind: ItemAddress, State: ItemReported, Since: at, Address: clean})
		i = &c.Items[len(c.Items)-1]
		c.event("item.added", c.ID, by, at, "item", i.ID)
	} else {
		if err := i.move(ItemReported, at); err != nil {
			return "", err
		}
		i.keepDecision(at)
		i.Reason = ""
		c.event("item.reappeared", c.ID, by, at, "item", i.ID)
	}
	if staff {
		c.looked(i, by, at)
	} else {
		c.askToLook(i, at)
	}
	if c.UpdatedAt.Before(at) {
		c.UpdatedAt = at
	}
	c.job(Job{Kind: JobAgain, Subject: c.ID, Key: "again:" + i.ID + ":" + NewID(at), Payload: i.ID, RunAt: at})
	if !staff {
		return i.ID, nil
	}
	return i.ID, c.act(at)
}
