package rempart

import (
	"slices"
	"time"

	"rempart/provenance"
)

// ItemKind says what an item is.
type ItemKind string

// Kinds of item.
const (
	ItemAddress ItemKind = "address" // one address where the content is
	ItemMedium  ItemKind = "medium"  // one picture, known by its fingerprints only
)

// ItemState is where an item stands. Each is a state that the person can be
// told of in one sentence.
type ItemState string

// States of an item. An address goes through the first group, a medium through
// the second.
const (
	ItemReported     ItemState = "reported"     // nobody has acted on it yet
	ItemQueued       ItemState = "queued"       // a notice with it waits to be delivered
	ItemFailed       ItemState = "failed"       // the notice could not be delivered; a human has it
	ItemNotified     ItemState = "notified"     // the platform has the notice, and we its receipt
	ItemAcknowledged ItemState = "acknowledged" // the platform confirmed that it received it
	ItemRemoved      ItemState = "removed"      // the platform says that it removed it
	ItemRestricted   ItemState = "restricted"   // the platform limited who sees it
	ItemRefused      ItemState = "refused"      // the platform decided not to act
	ItemDropped      ItemState = "dropped"      // an analyst decided not to act, with a reason

	ItemFiled     ItemState = "filed"     // fingerprints filed, an analyst has yet to confirm
	ItemUnlisted  ItemState = "unlisted"  // too flat to be recognised: only exact copies can be found
	ItemProtected ItemState = "protected" // fingerprints active: copies are stopped
	ItemWithdrawn ItemState = "withdrawn" // fingerprints taken back

	ItemFollowed ItemState = "followed" // worked on in another case, see [Place]; of either group
)

// itemNext lists, for each state, the states that may follow it. What is not
// here is refused.
var itemNext = map[ItemState][]ItemState{
	ItemReported:     {ItemQueued, ItemDropped, ItemFollowed},
	ItemQueued:       {ItemNotified, ItemFailed},
	ItemFailed:       {ItemQueued, ItemNotified, ItemDropped},
	ItemNotified:     {ItemAcknowledged, ItemFailed, ItemDropped}, // failed: the e-mail came back
	ItemAcknowledged: {ItemRemoved, ItemRestricted, ItemRefused, ItemDropped},
	ItemRemoved:      {ItemReported},
	ItemRestricted:   {ItemQueued, ItemRemoved, ItemReported, ItemDropped},
	ItemRefused:      {ItemQueued, ItemRemoved, ItemRestricted, ItemDropped},
	ItemDropped:      {ItemReported, ItemRemoved, ItemRestricted, ItemRefused}, // a platform may answer late

	ItemFiled:     {ItemProtected, ItemDropped, ItemWithdrawn, ItemFollowed},
	ItemUnlisted:  {ItemProtected, ItemDropped, ItemWithdrawn, ItemFollowed},
	ItemProtected: {ItemWithdrawn},
	ItemWithdrawn: {},

	ItemFollowed: {ItemWithdrawn}, // and back to what it was, see Case.UnmergeFrom and Case.Released
}

// ItemStates returns every state of an item, so that a test can check that each
// has a sentence in each language.
func ItemStates() []ItemState {
	var out []ItemState
	for s := range itemNext {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// Settled tells whether nothing more is expected of the item.
func (s ItemState) Settled() bool {
	switch s {
	case ItemRemoved, ItemRestricted, ItemRefused, ItemDropped, ItemProtected, ItemWithdrawn, ItemUnlisted, ItemFollowed:
		return true
	}
	return false
}

// Notifiable tells whether an address in this state may go into a new notice.
func (s ItemState) Notifiable() bool {
	switch s {
	case ItemReported, ItemFailed, ItemRefused, ItemRestricted:
		return true
	}
	return false
}

// An Item is one address, or one medium known by its fingerprints, in a case.
type Item struct {
	ID           string            `json:"id"`
	Kind         ItemKind          `json:"kind"`
	State        ItemState         `json:"state"`
	Since        time.Time         `json:"since"` // of its present state
	Address      string            `json:"address,omitempty"`
	Fingerprints []Fingerprint     `json:"fingerprints,omitempty"`
	Provenance   []provenance.Mark `json:"provenance,omitempty"` // what the medium's file says of how it was made: proves nothing
	List         string            `json:"list,omitempty"`       // the list its fingerprints are in
	Entries      []string          `json:"entries,omitempty"`    // identifiers of its entries, in the order of Fingerprints that are listed
	NoticeID     string            `json:"notice_id,omitempty"`
	Decision     *Decision         `json:"decision,omitempty"`
	Past         []PastDecision    `json:"past,omitempty"`   // the decisions before, oldest first
	Reason       string            `json:"reason,omitempty"` // why an analyst dropped it; never shown to the person
	Stops        int               `json:"stops,omitempty"`  // uploads of it that platforms stopped
	LastStop     time.Time         `json:"last_stop,omitzero"`
	ToldBy       string            `json:"told_by,omitempty"`  // the platform that told, of its own, that a copy is there
	Rechecks     *Rechecks         `json:"rechecks,omitempty"` // whether the address still answers; nil: never planned

	Follows  *Place    `json:"follows,omitempty"` // the item of another case that is worked on in its place
	Was      ItemState `json:"was,omitempty"`     // its state before it followed
	WasSince time.Time `json:"was_since,omitzero"`
	From     string    `json:"from,omitempty"` // identifier of the case it was reported in, "" for this one; its person alone is told of it
}

// SaysAI tells whether a mark of the medium says that AI made or changed it. It
// is a hint for an analyst: no fact follows from it.
func (i *Item) SaysAI() bool { return slices.ContainsFunc(i.Provenance, provenance.Mark.AI) }

// move changes the state of an item, or says why it can't.
func (i *Item) move(to ItemState, at time.Time) error {
	if !slices.Contains(itemNext[i.State], to) {
		return &Error{Kind: Conflict, Code: "item.state", Args: []any{string(i.State), string(to)},
			Public: "This item is " + string(i.State) + "; it cannot become " + string(to) + "."}
	}
	i.State, i.Since = to, at
	return nil
}

// Priority orders the queue: 1 is looked at first.
type Priority int

// Priorities.
const (
	PriorityUrgent Priority = 1 // a minor's image is public, or somebody threatens now
	PriorityHigh   Priority = 2 // a minor, or a sexual picture that is public
	PriorityNormal Priority = 3
	PriorityLow    Priority = 4
)
