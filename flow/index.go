package flow

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"rempart"
	"rempart/near"
	"rempart/pdq"
	"rempart/store"
	"rempart/vpdq"
)

// An index holds every active entry and follows the store's change table: the
// values in near, what else is known of them on a shelf, both in memory or both
// in files of this node.
type index struct {
	db   *store.DB
	log  *slog.Logger
	near *near.Index // PDQ, by the entry's number, and images of videos, by frameID
	disk *diskShelf  // the shelf, where it is on disk; else nil

	heard atomic.Int64 // when the hub's feed was last read to its end, in nanoseconds since processStart; 0: never

	closing atomic.Bool  // nothing is read any more
	read    atomic.Int64 // changes, since it was opened

	follows atomic.Int32 // one of the words in lookup.go

	lists   atomic.Pointer[map[string]rempart.List] // each under its policy, the harmless one too
	policed time.Time                               // when they were read; the round under way owns it
	page    int                                     // changes that are asked for next; the round under way owns it

	following sync.Mutex // guards the next two
	round     *round     // under way, or nil
	failed    bool       // the last one did

	saves   sync.Mutex // held while the local copy is written
	unsaved bool       // it could not be, the last time

	mu     sync.RWMutex // guards the rest
	at     time.Time    // when the change table was last read to its end
	where  string       // cursor reached then
	cursor string       // up to which everything is in; the round under way alone moves it
	shelf  shelf
	videos map[uint64][]vpdq.Feature // by the entry's number: the images that are in near
}

func newIndex(db *store.DB) *index {
	x := &index{db: db, log: slog.New(slog.DiscardHandler), near: near.New(), shelf: newMemoryShelf(), videos: map[uint64][]vpdq.Feature{}, page: mostRead}
	x.setPolicies(nil)
	return x
}

// apply puts an entry in, takes it out, or replaces what is known of it: a feed
// may correct a fingerprint. The near index is changed inside the lock, so that
// no lookup sees one without the other.
func (x *index) apply(c store.Change) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remove(c.Num)
	if c.Entry.State != rempart.EntryActive {
		return
	}
	x.shelf.put(c)
	if h, ok := hashOf(c.Entry.Fingerprint); ok {
		x.near.Add(near.ID(c.Num), h)
	} else if c.Entry.Fingerprint.Type == rempart.VPDQ {
		x.addVideo(c.Num, c.Entry.Fingerprint)
	}
}

// remove takes an entry out, if it is there; mu is held. What may be in near
// without the shelf, after a crash, goes too.
func (x *index) remove(num uint64) {
	_, had := x.shelf.get(num)
	if had {
		x.shelf.remove(num)
	}
	if had || x.disk != nil {
		x.near.Remove(near.ID(num))
		x.removeVideo(num)
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
func (x *index) find(f rempart.Fingerprint, form string) (out []rempart.Match) {
	h, ok := hashOf(f)
	if !ok {
		return x.findExact(f)
	}
	x.findAll([]pdq.Hash{h}, func(int) string { return form }, func(_ int, m []rempart.Match) { out = m })
	return out
}

// findExact is find of a type that is of bytes.
func (x *index) findExact(f rempart.Fingerprint) (out []rempart.Match) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, num := range x.shelf.exact(f) {
		if m, l, ok := x.match(num, pdq.Hash{}, 0, pdq.Original.String()); ok {
			if l.Class == rempart.ClassHarmless {
				return nil
			}
			out = append(out, m)
		}
	}
	return out
}

// findAll is find of many values, each in the form that form names by its place;
// found is called for those of which there is something.
func (x *index) findAll(values []pdq.Hash, form func(k int) string, found func(k int, m []rempart.Match)) {
	if len(values) == 0 {
		return
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if len(values) == 1 {
		if m := x.near.Search(values[0], pdq.MatchDistance); len(m) > 0 {
			found(0, x.said(m, form(0)))
		}
		return
	}
	for from := 0; from < len(values); from += searchAtOnce {
		for k, m := range x.near.SearchBatch(values[from:min(from+searchAtOnce, len(values))], pdq.MatchDistance) {
			if len(m) > 0 {
				found(from+k, x.said(m, form(from+k)))
			}
		}
	}
}

// said returns what is said of what near found, which is nothing where a harmless
// picture is as near; mu is held.
func (x *index) said(found []near.Match, form string) (out []rempart.Match) {
	quiet := x.quiet(found)
	for _, m := range found {
		if m.Distance >= quiet {
			continue
		}
		var said rempart.Match
		var ok bool
		if num, k, frame := frameOf(m.ID); frame {
			said, _, ok = x.frameMatch(num, k, m.Distance, form)
		} else {
			said, _, ok = x.match(uint64(m.ID), m.Hash, m.Distance, form)
		}
		if ok {
			out = append(out, said)
		}
	}
	return out
}

// match returns what is said of an entry found at a distance by its value h, if it
// is a PDQ, unless that is beyond its list's threshold; mu is held.
func (x *index) match(num uint64, h pdq.Hash, distance int, form string) (m rempart.Match, l rempart.List, ok bool) {
	c, ok := x.shelf.get(num)
	if !ok {
		return m, l, false
	}
	e := c.Entry
	if e.Fingerprint.Type == rempart.PDQ && e.Fingerprint.Value == "" {
		e.Fingerprint.Value = h.String()
	}
	l, ok = x.list(e.List)
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
	return x.shelf.len()
}
