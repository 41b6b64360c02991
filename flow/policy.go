package flow

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"rempart"
	"rempart/near"
	"rempart/store"
)

// policyFresh is how old what this node knows of the lists' policies may be.
const policyFresh = time.Second

// setPolicies puts the lists under policies.
func (x *index) setPolicies(set map[string]rempart.Policy) {
	lists := map[string]rempart.List{}
	for _, l := range append(slices.Clone(rempart.Lists), rempart.Harmless) {
		lists[l.ID] = l.Under(set[l.ID])
	}
	x.lists.Store(&lists)
}

// readPolicies reads the policies again, if that is due. Those known hold while
// the database does not answer.
func (x *index) readPolicies(ctx context.Context) {
	if time.Since(x.policed) < policyFresh {
		return
	}
	set, err := x.db.ListPolicies(ctx)
	if err != nil {
		return // the next round says that the database is away
	}
	x.policed = time.Now()
	x.setPolicies(set)
}

// list returns a list under its policy.
func (x *index) list(id string) (rempart.List, bool) {
	l, ok := (*x.lists.Load())[id]
	return l, ok
}

// List returns a list under its policy, as this node knows it.
func (f *Flow) List(id string) (rempart.List, bool) { return f.index.list(id) }

// MayCopy returns the lists of which a peer may have a copy: those that its key
// opens and that anybody may copy. It is a Forbidden where there is none.
func (f *Flow) MayCopy(ctx context.Context, p rempart.Peer) ([]string, error) {
	lists, err := p.MayCopy()
	if err != nil {
		return nil, err
	}
	set, err := f.DB.ListPolicies(ctx)
	if err != nil {
		return nil, err
	}
	closed := len(lists) > 0
	lists = slices.DeleteFunc(lists, func(id string) bool { return set[id].LookupOnly })
	if closed && len(lists) == 0 {
		return nil, &rempart.Error{Kind: rempart.Forbidden, Code: "key.lookup", Public: "This key is for lookups: it opens no copy of a list."}
	}
	return lists, nil
}

// RollOut returns the matches whose lists count for an upload named by seed.
func (f *Flow) RollOut(all []rempart.Match, seed string) []rempart.Match {
	return slices.DeleteFunc(all, func(m rempart.Match) bool {
		l, ok := f.index.list(m.List)
		return !ok || !l.Counts(seed)
	})
}

// quiet returns the distance from which on what near found is silenced by a
// harmless picture; mu is held.
func (x *index) quiet(found []near.Match) int {
	least := math.MaxInt
	for _, m := range found {
		if _, _, frame := frameOf(m.ID); frame || m.Distance >= least {
			continue
		}
		if c, ok := x.shelf.get(uint64(m.ID)); ok && c.Entry.List == rempart.ListHarmless {
			if l, _ := x.list(rempart.ListHarmless); m.Distance <= l.Threshold {
				least = m.Distance
			}
		}
	}
	return least
}

// floodWindow is over how long lookups are counted.
const floodWindow = time.Hour

// A traffic counts, in this process, what each key looked up in an hour and which
// entries that matched. Each node quarantines by what it sees itself.
type traffic struct {
	mu    sync.Mutex
	peers map[string]*hour
}

type hour struct {
	began   time.Time
	lookups int
	hits    map[uint64]*hit
}

type hit struct {
	n     int
	asked bool // the quarantine was asked for
}

// Saw counts lookups of a peer and what each of them matched, and quarantines the
// entries that matched too much of them. Only fingerprints that find changed
// copies are: that of a file's exact bytes matches nothing but the file.
func (f *Flow) Saw(ctx context.Context, peer string, lookups ...[]rempart.Match) {
	if peer == "" {
		return
	}
	for _, m := range f.traffic.count(peer, lookups, f.Now(), func(list string) float64 { l, _ := f.index.list(list); return l.Flood() }) {
		if err := f.quarantine(ctx, peer, m); err != nil {
			f.Log.ErrorContext(ctx, "a fingerprint that matches too much is not quarantined", "list", m.List, "peer", peer, "err", err)
			f.traffic.forget(peer, m.Num)
		}
	}
}

// A flood is an entry that matched too much of a key's lookups.
type flood struct {
	rempart.Match
	lookups, hits int
}

func (t *traffic) count(peer string, lookups [][]rempart.Match, now time.Time, most func(list string) float64) (out []flood) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.peers[peer]
	if h == nil || now.Sub(h.began) > floodWindow || now.Before(h.began) {
		if t.peers == nil {
			t.peers = map[string]*hour{}
		}
		h = &hour{began: now, hits: map[uint64]*hit{}}
		t.peers[peer] = h
	}
	h.lookups += len(lookups)
	for _, found := range lookups {
		for _, m := range found {
			if !m.Type.Perceptual() {
				continue
			}
			x := h.hits[m.Num]
			if x == nil {
				x = &hit{}
				h.hits[m.Num] = x
			}
			x.n++
			if share := most(m.List); share > 0 && !x.asked && h.lookups >= rempart.FloodLeast && float64(x.n) > share*float64(h.lookups) {
				x.asked = true
				out = append(out, flood{m, h.lookups, x.n})
			}
		}
	}
	return out
}

func (t *traffic) forget(peer string, num uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h := t.peers[peer]; h != nil && h.hits[num] != nil {
		h.hits[num].asked = false
	}
}

func (f *Flow) quarantine(ctx context.Context, peer string, m flood) error {
	c, err := f.DB.EntryByNum(ctx, m.Num)
	if err != nil || c.Entry.State != rempart.EntryActive {
		return err // it does not match any more
	}
	return f.DB.Quarantine(ctx, rempart.ListTask{List: c.Entry.List, Fingerprint: c.Entry.Fingerprint, Peer: peer, Lookups: m.lookups, Hits: m.hits}, f.alike(c)[c.Entry.List])
}

// alike returns the entries that match and have the fingerprint of one, by list.
func (f *Flow) alike(c store.Change) map[string][]store.EntryRef {
	if c.Entry.Fingerprint.Type == rempart.VPDQ {
		return map[string][]store.EntryRef{c.Entry.List: {{Peer: c.Peer, ID: c.Entry.ID}}}
	}
	return f.index.listed(c.Entry.Fingerprint)
}

// listed returns the entries that match and have exactly a fingerprint, by list.
func (x *index) listed(f rempart.Fingerprint) map[string][]store.EntryRef {
	refs := map[string][]store.EntryRef{}
	for _, m := range x.find(f, "") {
		if m.Type == f.Type && m.Distance == 0 && m.Value == f.Value {
			refs[m.List] = append(refs[m.List], store.EntryRef{Peer: m.PeerID, ID: m.EntryID})
		}
	}
	return refs
}

// expireAtOnce is how many entries one transaction takes off a list.
const expireAtOnce = 500

// Expire takes the entries off the lists that these keep no longer.
func (f *Flow) Expire(ctx context.Context) error {
	set, err := f.DB.ListPolicies(ctx)
	if err != nil {
		return err
	}
	for id, p := range set {
		l, ok := rempart.ListByID(id)
		before := l.Under(p).ExpiredBefore(f.Now())
		for ok && !before.IsZero() {
			gone, err := f.DB.Expire(ctx, id, before, expireAtOnce)
			if err != nil {
				return err
			}
			for _, e := range gone {
				if err := f.emptied(ctx, e, rempart.ActorSystem); err != nil {
					return err
				}
			}
			if len(gone) < expireAtOnce {
				break
			}
		}
	}
	return nil
}

// emptied withdraws the medium of a case of which an entry left its list for good,
// if none is left in it: nobody is told that copies are stopped when none is.
func (f *Flow) emptied(ctx context.Context, e rempart.Entry, by rempart.Actor) error {
	if e.CaseID == "" || e.ItemID == "" {
		return nil
	}
	c, err := f.DB.Case(ctx, e.CaseID)
	if rempart.KindOf(err) == rempart.NotFound {
		return nil // erased; what is listed stays
	}
	if err != nil {
		return err
	}
	i := c.Item(e.ItemID)
	if i == nil || i.State != rempart.ItemProtected || len(i.Entries) == 0 {
		return nil
	}
	if n, err := f.DB.Matching(ctx, i.Entries); err != nil || n > 0 {
		return err
	}
	err = f.DB.UpdateCase(ctx, e.CaseID, "", func(c *rempart.Case) error { return c.WithdrawFingerprint(e.ItemID, by, f.Now()) })
	if errors.Is(err, store.ErrAlready) || rempart.KindOf(err) == rempart.Conflict {
		return nil
	}
	return err
}
