package rempart

import (
	"net/url"
	"strings"
	"time"
)

// Reach is what a re-check of an address found.
type Reach string

// What a re-check can find. Only three statuses say gone; whatever else keeps us
// from knowing is unknown, never gone.
const (
	ReachThere   Reach = "there"   // it answered with a success
	ReachGone    Reach = "gone"    // it answered 404, 410 or 451
	ReachUnknown Reach = "unknown" // refused to us, too busy, no answer, led elsewhere
	ReachRefused Reach = "refused" // we do not ask such an address: it is not on the public network
)

// A Recheck is one answer to "does this address still answer?". It holds a
// status and a word of a closed list, nothing of the answer itself.
type Recheck struct {
	At     time.Time `json:"at"`
	Reach  Reach     `json:"reach"`
	Status int       `json:"status,omitempty"` // HTTP status, 0 when there was none
	Why    string    `json:"why,omitempty"`    // see package recheck
}

// Rechecks is what is known of whether the address of an item still answers.
// It proves what it says and no more: a page that says "removed" may answer 200,
// and one that is gone for us may be there for others.
type Rechecks struct {
	NoticeID string    `json:"notice_id"`
	Settled  bool      `json:"settled,omitempty"` // the platform has decided: what is watched now is that it stays so
	Sent     time.Time `json:"sent"`              // when the platform first had a notice about it
	From     time.Time `json:"from"`              // when this series of checks began
	Next     time.Time `json:"next,omitzero"`     // when it is asked next, if the operator lets it; zero: no more
	Asked    int       `json:"asked,omitempty"`
	Last     Recheck   `json:"last,omitzero"`
	There    time.Time `json:"there,omitzero"` // when it last answered
	Lost     time.Time `json:"lost,omitzero"`  // when it last answered before it was gone; zero: it never did
	Gone     time.Time `json:"gone,omitzero"`  // when it was first found gone
	Back     time.Time `json:"back,omitzero"`  // when it answered again after that
}

// Removal returns the bounds of the time from the notice until the address no
// longer answered: it was gone after least, and at most after most. ok is false
// as long as it has not been found gone, and once it is back.
func (w *Rechecks) Removal() (least, most time.Duration, ok bool) {
	if w == nil || w.Gone.IsZero() || !w.Back.IsZero() {
		return 0, 0, false
	}
	if !w.Lost.IsZero() {
		least = max(w.Lost.Sub(w.Sent), 0)
	}
	return least, max(w.Gone.Sub(w.Sent), least), true
}

// Re-checks are made this long after a notice was received, then daily, then
// weekly; and after a decision, to see that what is gone stays gone.
var (
	recheckFirst   = []time.Duration{time.Hour, 6 * time.Hour}
	recheckDaily   = 30 * day
	recheckWeekly  = 180 * day
	recheckSettled = []time.Duration{time.Hour, day, 2 * day, 4 * day}
	recheckKept    = 90 * day
)

// nextRecheck is when a series of checks that began at from has its next one
// after now; zero: it is over.
func nextRecheck(settled bool, from, now time.Time) time.Time {
	steps, daily, weekly := recheckFirst, recheckDaily, recheckWeekly
	if settled {
		steps, daily, weekly = recheckSettled, 0, recheckKept
	}
	for _, s := range steps {
		if at := from.Add(s); at.After(now) {
			return at
		}
	}
	since := now.Sub(from)
	step := 7 * day
	if since < daily {
		step = day
	}
	if next := (since/step + 1) * step; next <= weekly {
		return from.Add(next)
	}
	return time.Time{}
}

// Watch plans the re-checks that the items of a case ought to have now, from
// their states alone, as Wind does for clocks. It changes nothing by itself: only
// a case that something else changed is planned anew. Whether a planned check is
// made is the operator's to say.
func (c *Case) Watch(now time.Time) {
	if len(c.changes.c.Events) == 0 {
		return
	}
	for k := range c.Items {
		i := &c.Items[k]
		if i.Kind != ItemAddress {
			continue
		}
		settled := false
		switch i.State {
		case ItemNotified, ItemAcknowledged:
		case ItemRemoved, ItemRestricted, ItemRefused:
			settled = true
		default: // nobody has been asked to act on it, or nothing is to be done
			if i.Rechecks != nil && !i.Rechecks.Next.IsZero() {
				w := *i.Rechecks
				w.Next = time.Time{}
				i.Rechecks = &w
			}
			continue
		}
		if i.Rechecks != nil && i.Rechecks.NoticeID == i.NoticeID && i.Rechecks.Settled == settled {
			continue
		}
		w := Rechecks{Sent: i.Since}
		if i.Rechecks != nil && (i.Rechecks.NoticeID == i.NoticeID || i.Rechecks.Gone.IsZero()) {
			w = *i.Rechecks
		}
		w.NoticeID, w.Settled, w.From = i.NoticeID, settled, i.Since
		w.Next = nextRecheck(settled, w.From, w.From)
		i.Rechecks = &w
	}
}

// RecheckTarget returns the address of an item that a planned re-check asks;
// ok is false when none is planned any more. cautious tells that the case may
// be a minor's: then it is asked only if the operator's policy says so.
func (c *Case) RecheckTarget(itemID string) (address string, cautious, ok bool) {
	i := c.Item(itemID)
	if i == nil || i.Rechecks == nil || i.Rechecks.Next.IsZero() {
		return "", false, false
	}
	return i.Address, c.Cautious(), true
}

// Cautious tells whether the case is, or may be, a minor's.
func (c *Case) Cautious() bool { return ListFor(c.Facts).ID == Lists[1].ID }

// Host returns the name of the host of an item's address in lower case, "" if it
// has none.
func (i *Item) Host() string {
	u, err := url.Parse(i.Address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// Rechecked records what a re-check of an item found, and plans the next one. It
// moves no item: that something no longer answers is not a platform's decision.
// An address that was gone and answers again opens a task.
func (c *Case) Rechecked(itemID string, r Recheck) error {
	i := c.Item(itemID)
	if i == nil || i.Rechecks == nil {
		return notFound("item")
	}
	w := *i.Rechecks
	w.Asked++
	w.Last = r
	back := false
	switch r.Reach {
	case ReachThere:
		w.There = r.At
		if !w.Gone.IsZero() && w.Back.IsZero() {
			w.Back, back = r.At, true
		}
	case ReachGone:
		if w.Gone.IsZero() || !w.Back.IsZero() {
			w.Lost, w.Gone, w.Back = w.There, r.At, time.Time{}
		}
	}
	w.Next = nextRecheck(w.Settled, w.From, r.At)
	if r.Reach == ReachRefused {
		w.Next = time.Time{} // it is refused for what it is: asking again changes nothing
	}
	i.Rechecks = &w
	c.event("item.rechecked", c.ID, ActorSystem, r.At, "item", i.ID, "reach", string(r.Reach), "status", itoa(r.Status), "why", r.Why)
	if back {
		return c.Reappeared(i.ID, r.At)
	}
	return nil
}

// Reappeared records that the content of an item is, or may be, there again, and
// asks a human to look: a closed case is taken up again. The item's state stays
// until the human has looked.
func (c *Case) Reappeared(itemID string, at time.Time) error {
	i := c.Item(itemID)
	if i == nil {
		return notFound("item")
	}
	c.event("item.back", c.ID, ActorSystem, at, "item", i.ID)
	if c.State == CaseClosed {
		if err := c.Reopen(ActorSystem, at); err != nil {
			return err
		}
	}
	c.askToLook(i, at)
	return nil
}

// askToLook asks a human to look whether the content of an item is there, if
// nobody was asked yet.
func (c *Case) askToLook(i *Item, at time.Time) {
	for k := range c.Clocks {
		if x := &c.Clocks[k]; x.Await == AwaitBack && x.ItemID == i.ID && x.Live() {
			return
		}
	}
	k := Clock{ID: NewID(at), Await: AwaitBack, Basis: BasisPolicy, ItemID: i.ID, NoticeID: i.NoticeID, Since: at, Round: 1, StartedAt: at, DueAt: at,
		State: ClockMissed, StateAt: at}
	c.Clocks = append(c.Clocks, k)
	last := &c.Clocks[len(c.Clocks)-1]
	c.clockEvent("clock.started", last, ActorSystem, at, "due", at.UTC().Format(time.RFC3339))
	c.openTask(last, at)
}
