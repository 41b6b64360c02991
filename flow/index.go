package flow

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rempart"
	"rempart/near"
	"rempart/pdq"
	"rempart/store"
	"rempart/vpdq"
)

// fresh is how old the index may be when a lookup starts: an older one is
// brought up to date first, so an entry that was committed is found 10 ms later
// at the latest, with nothing asked of the database in between.
const fresh = 10 * time.Millisecond

// An index holds every active entry in memory and follows the store's change
// table.
type index struct {
	db   *store.DB
	near *near.Index // PDQ, by the entry's number, and images of videos, by frameID

	heard atomic.Int64 // when the hub's feed was last read to its end, in nanoseconds since processStart; 0: never

	follow sync.Mutex // held while following; owns cursor
	cursor string

	mu      sync.RWMutex // guards the rest
	at      time.Time    // when the change table was last read to its end
	where   string       // cursor reached then
	entries map[uint64]store.Change
	videos  map[uint64][]vpdq.Feature        // by the entry's number: the images that are in near
	exact   map[rempart.Fingerprint][]uint64 // SHA-256 and MD5, by type and value
}

func newIndex(db *store.DB) *index {
	return &index{db: db, near: near.New(), entries: map[uint64]store.Change{}, videos: map[uint64][]vpdq.Feature{}, exact: map[rempart.Fingerprint][]uint64{}}
}

// catchUp reads the change table to its end, unless that was done within
// fresh, and returns the position reached.
func (x *index) catchUp(ctx context.Context) (string, error) {
	x.mu.RLock()
	at, where := x.at, x.where
	x.mu.RUnlock()
	if time.Since(at) < fresh {
		return where, nil
	}
	x.follow.Lock()
	defer x.follow.Unlock()
	for {
		start := time.Now()
		changes, cursor, err := x.db.Changes(ctx, x.cursor, 10_000)
		if err != nil {
			return "", err
		}
		for _, c := range changes {
			x.apply(c)
		}
		x.cursor = cursor
		if len(changes) == 0 {
			x.mu.Lock()
			x.at, x.where = start, cursor
			x.mu.Unlock()
			return cursor, nil
		}
	}
}

// apply puts an entry in, takes it out, or replaces what is known of it: a feed
// may correct a fingerprint. The near index is changed inside the lock, so that
// no lookup sees one without the other.
func (x *index) apply(c store.Change) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if old, had := x.entries[c.Num]; had {
		x.remove(c.Num, old.Entry.Fingerprint)
	}
	if c.Entry.State != rempart.EntryActive {
		return
	}
	x.entries[c.Num] = c
	if h, ok := hashOf(c.Entry.Fingerprint); ok {
		x.near.Add(near.ID(c.Num), h)
		return
	}
	if c.Entry.Fingerprint.Type == rempart.VPDQ {
		x.addVideo(c.Num, c.Entry.Fingerprint)
		return
	}
	k := exactKey(c.Entry.Fingerprint)
	x.exact[k] = append(x.exact[k], c.Num)
}

// remove takes out an entry that is there; mu is held.
func (x *index) remove(num uint64, f rempart.Fingerprint) {
	delete(x.entries, num)
	if _, ok := hashOf(f); ok {
		x.near.Remove(near.ID(num))
		return
	}
	if f.Type == rempart.VPDQ {
		x.removeVideo(num)
		return
	}
	k := exactKey(f)
	kept := slices.DeleteFunc(x.exact[k], func(n uint64) bool { return n == num })
	if x.exact[k] = kept; len(kept) == 0 {
		delete(x.exact, k)
	}
}

func hashOf(f rempart.Fingerprint) (pdq.Hash, bool) {
	if f.Type != rempart.PDQ {
		return pdq.Hash{}, false
	}
	h, err := pdq.Parse(f.Value)
	return h, err == nil
}

func exactKey(f rempart.Fingerprint) rempart.Fingerprint {
	return rempart.Fingerprint{Type: f.Type, Value: f.Value}
}

// find returns the entries within the threshold of their list of f, in the form
// named.
func (x *index) find(f rempart.Fingerprint, form string) []rempart.Match {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var out []rempart.Match
	add := func(m rempart.Match, _ rempart.List, ok bool) {
		if ok {
			out = append(out, m)
		}
	}
	if h, ok := hashOf(f); ok {
		for _, m := range x.near.Search(h, pdq.MatchDistance) {
			if num, k, ok := frameOf(m.ID); ok {
				add(x.frameMatch(num, k, m.Distance, form))
			} else {
				add(x.match(uint64(m.ID), m.Distance, form))
			}
		}
		return out
	}
	for _, num := range x.exact[exactKey(f)] {
		add(x.match(num, 0, form))
	}
	return out
}

// match returns what is said of an entry found at a distance, unless that is
// beyond its list's threshold; mu is held.
func (x *index) match(num uint64, distance int, form string) (m rempart.Match, l rempart.List, ok bool) {
	c, ok := x.entries[num]
	if !ok {
		return m, l, false
	}
	e := c.Entry
	l, ok = listByID(e.List)
	if !ok || distance > l.Threshold {
		return m, l, false
	}
	return rempart.Match{List: e.List, Type: e.Fingerprint.Type, Value: e.Fingerprint.Value, Distance: distance, Form: form, ListedForm: e.Fingerprint.Form,
		Class: l.Class, Action: l.Action, CaseRef: e.CaseRef, Since: e.Since, EntryID: e.ID, CaseID: e.CaseID, ItemID: e.ItemID, Num: num, PeerID: c.Peer}, l, true
}

// len returns how many entries are active.
func (x *index) len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.entries)
}

func listByID(id string) (rempart.List, bool) {
	for _, l := range rempart.Lists {
		if l.ID == id {
			return l, true
		}
	}
	return rempart.List{}, false
}
