package rempart

import (
	"time"

	"rempart/pdq"
)

// MaxTold is how many addresses platforms may add to a case by telling of copies,
// so that room is left for those of the person.
const MaxTold = 100

// Published takes up a copy that a platform let through and told of: its address
// becomes an item, or is taken up again if it was removed, a closed case is
// reopened, a human is asked to look, and the next notice is drafted by itself,
// never sent. itemID is the medium that it matched where it is the case's own; it
// may be "" for a case that carries the work of another. seen is when the platform
// saw it: what was removed after that is not there again, and changes nothing; nor
// does a withdrawn case, an address that is worked on, or one that an analyst
// dropped. itemID without a listed medium is NotFound.
func (c *Case) Published(itemID, address, peer string, distance int, seen, at time.Time) error {
	if i := c.Item(itemID); itemID != "" && (i == nil || i.State != ItemProtected) || distance < 0 || distance > pdq.MatchDistance {
		return &Error{Kind: NotFound, Code: "stop.missing", Public: "No listed picture of ours fits this message."}
	}
	if !c.Withdrawn.IsZero() {
		return nil
	}
	clean, err := CleanAddress(address)
	if err != nil {
		return &Error{Kind: Invalid, Field: "address", Code: "callback.address", Err: err, Public: "A match.published message says in stop.address at which exact address the copy is."}
	}
	told := 0
	for k := range c.Items {
		x := &c.Items[k]
		if x.Kind != ItemAddress {
			continue
		}
		if x.Address == clean && x.From == "" && (x.State != ItemRemoved || x.Since.After(seen)) {
			return nil
		}
		if x.ToldBy != "" && x.Address != clean {
			told++
		}
	}
	if told >= MaxTold {
		return conflict("told.many", "Platforms have told of as many copies as this case takes; send the others to its analysts.")
	}
	by := ActorPlatform + Actor(peer)
	id, err := c.AddAddress(clean, by, at)
	if err != nil {
		return err
	}
	c.Item(id).ToldBy = peer
	c.event("match.published", c.ID, by, at, "item", id, "distance", itoa(distance))
	return nil
}
