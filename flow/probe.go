package flow

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"

	"rempart"
	"rempart/pdq"
)

// Whoever may ask whether values match, and no more, can still walk to a listed
// value: from one that matches just so, a bit that is flipped either keeps the match
// or ends it, and 256 such answers are the value. So what a key that may only look
// up has been told to match is remembered, with how many different values close to
// it were asked for since. Beyond the list's budget each further one is answered as
// the first was, and a human is told. Copies of a picture are answered no worse for
// it: they matched.
//
// The first value is the key's own, and all that matches the same entry lies within
// probeReach of it, as both are within the threshold of the entry; so neither where
// a neighbourhood lies nor where it ends tells anything of what is listed.
//
// It is kept in the memory of one process: another node, or a restart, begins anew.
const (
	probeReach   = 2 * pdq.MatchDistance
	probeCentres = 4096 // that are remembered of a key
	probeKeys    = 1000 // that are remembered at all
)

type probes struct {
	mu   sync.Mutex
	keys map[string]*probed
	seed maphash.Seed
}

// probed is what one key has been told to match.
type probed struct {
	mu      sync.Mutex // guards all below
	centres []centre
	oldest  int // of centres, once all places are taken
}

// A centre is a value that matched, and what was asked for close to it.
type centre struct {
	value  pdq.Hash
	first  []rempart.Match
	told   []uint64 // keyed digests of what was answered for itself, at most budget
	budget int
	over   bool
}

func (p *probes) of(peer string) *probed {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.keys) >= probeKeys && p.keys[peer] == nil {
		clear(p.keys)
	}
	if p.keys[peer] == nil {
		p.keys[peer] = &probed{}
	}
	return p.keys[peer]
}

// near returns the centre that h is close to, nil if there is none; mu is held.
func (k *probed) near(h pdq.Hash) *centre {
	for i := range k.centres {
		if k.centres[i].value.Distance(h) <= probeReach {
			return &k.centres[i]
		}
	}
	return nil
}

// spent returns the centre whose budget is spent and that one of the values is close
// to, unless asked was answered for itself before; mu is held.
func (k *probed) spent(values []pdq.Hash, asked uint64) *centre {
	for _, h := range values {
		if c := k.near(h); c != nil && len(c.told) >= c.budget && !slices.Contains(c.told, asked) {
			return c
		}
	}
	return nil
}

// tell counts that asked is answered for itself, and remembers the values that
// matched; mu is held, and spent has said that nothing is spent.
func (k *probed) tell(values []pdq.Hash, asked uint64, found []rempart.Match, hit func(pdq.Hash) bool, budget int) {
	for _, h := range values {
		c := k.near(h)
		if c == nil && len(found) > 0 && hit(h) {
			c = k.place()
			*c = centre{value: h, first: slices.Clone(found), budget: budget}
		}
		if c != nil && !slices.Contains(c.told, asked) {
			c.told = append(c.told, asked)
		}
	}
}

// place returns where a new centre goes: in the place of the oldest whose budget is
// not spent, where there is no other; mu is held.
func (k *probed) place() *centre {
	if len(k.centres) < probeCentres {
		k.centres = append(k.centres, centre{})
		return &k.centres[len(k.centres)-1]
	}
	for range probeCentres {
		c := &k.centres[k.oldest]
		if k.oldest = (k.oldest + 1) % probeCentres; !c.over {
			return c
		}
	}
	return &k.centres[k.oldest]
}

// valuesOf returns the values of a query that matches are near to, and which of them
// a match is of; of a video that is not said, so that each may be it.
func valuesOf(q Query) (values []pdq.Hash, hit func([]rempart.Match) func(pdq.Hash) bool) {
	switch q.Fingerprint.Type {
	case rempart.PDQ:
		h, ok := hashOf(q.Fingerprint)
		if !ok {
			return nil, nil
		}
		values = append([]pdq.Hash{h}, q.Dihedral...)
		return values, func(found []rempart.Match) func(pdq.Hash) bool {
			of := map[pdq.Hash]bool{}
			for _, m := range found {
				for form := range q.Dihedral {
					if pdq.Dihedral(form).String() == m.Form && pdq.Dihedral(form) != pdq.Original {
						of[q.Dihedral[form]] = true
					}
				}
				if m.Form == pdq.Original.String() {
					of[h] = true
				}
			}
			return func(h pdq.Hash) bool { return of[h] }
		}
	case rempart.VPDQ:
		v := q.Video
		if v == nil {
			v = ofVideo(q.Fingerprint)
		}
		for _, x := range append(slices.Clone(v.Whole[0]), v.Unbordered[0]...) {
			values = append(values, x.PDQ)
		}
		return values, func([]rempart.Match) func(pdq.Hash) bool { return func(pdq.Hash) bool { return true } }
	}
	return nil, nil
}

// guarded answers queries of a key that may only look up: look answers those
// that are given to it.
func (f *Flow) guarded(ctx context.Context, queries []Query, up Upload, look func([]Query) []Result) []Result {
	k := f.probes.of(up.Peer)
	asked := make([]uint64, len(queries))
	values := make([][]pdq.Hash, len(queries))
	hits := make([]func([]rempart.Match) func(pdq.Hash) bool, len(queries))
	out := make([]Result, len(queries))
	var open []Query
	var at []int
	var tell []*rempart.ListTask
	beyond := func(i int, c *centre) {
		if !c.over {
			c.over = true
			tell = append(tell, &rempart.ListTask{List: c.first[0].List, Fingerprint: rempart.Fingerprint{Type: c.first[0].Type, Value: c.first[0].Value}, Peer: up.Peer, Hits: len(c.told)})
		}
		out[i] = Result{Query: queries[i], Matches: f.index.still(c.first)}
	}
	k.mu.Lock()
	for i, q := range queries {
		values[i], hits[i] = valuesOf(q)
		name := q.Fingerprint.Value
		for _, h := range q.Dihedral {
			name += h.String()
		}
		if up.file != "" {
			name = up.file
		}
		asked[i] = maphash.String(f.probes.seed, name)
		if c := k.spent(values[i], asked[i]); c != nil {
			beyond(i, c)
			continue
		}
		open, at = append(open, q), append(at, i)
	}
	k.mu.Unlock()
	found := look(open)
	k.mu.Lock()
	for j, i := range at {
		if c := k.spent(values[i], asked[i]); c != nil { // by those before it, of this request or another
			beyond(i, c)
			continue
		}
		out[i] = found[j]
		if hits[i] != nil {
			k.tell(values[i], asked[i], found[j].Matches, hits[i](found[j].Matches), f.index.budget(found[j].Matches))
		}
	}
	k.mu.Unlock()
	for _, t := range tell {
		if err := f.DB.Probed(ctx, *t); err != nil {
			f.Log.ErrorContext(ctx, "nobody is told of a key that looks up many values close to one that matched", "peer", up.Peer, "err", err)
		}
	}
	return out
}

// still returns those of matches whose entries are listed, as they were told.
func (x *index) still(told []rempart.Match) (out []rempart.Match) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, m := range told {
		c, ok := x.shelf.get(m.Num)
		if l, known := x.list(m.List); ok && known && c.Entry.ID == m.EntryID && c.Peer == m.PeerID && m.Distance <= l.Threshold {
			m.Action = l.Action
			out = append(out, m)
		}
	}
	return out
}

// budget returns how many different values close to matches are answered for
// themselves: the least of their lists.
func (x *index) budget(found []rempart.Match) int {
	n := rempart.MostProbes
	for _, m := range found {
		if l, ok := x.list(m.List); ok {
			n = min(n, l.Probes())
		}
	}
	return n
}
