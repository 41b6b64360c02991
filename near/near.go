// Package near finds, among many 256-bit values, all that differ from a given
// one in at most so many bits: exactly, with nothing missed and nothing
// guessed.
//
// An [Index] made by [New] lives in memory: whoever starts again adds
// everything again. One made by [Open] also lives in a folder, where no crash
// takes what was synced. Either way what was added last is in a tail, which every
// search reads whole, and the rest in a few segments, which never change: a
// full tail is merged in the background with the segments that are not much
// larger than it, and what was removed is marked until then. [Index.Tidy] makes
// one segment of the few that this leaves.
//
// # How it searches
//
// Multi-index hashing with a ring. A value is cut into m chunks, and for each
// there is a table from its contents to the values that have it. For a radius
// R each chunk i is given a number t(i) ≥ -1 such that the t(i) + 1 add up to
// R + 1; for 16 chunks and R = 31 every t(i) is 1. Let d(i) be the bits in
// which a value differs from the query in chunk i, at most R together.
//
//	For some chunk i:  d(i) ≤ t(i)  and  d(i) + d(i+1) ≤ t(i) + t(i+1) + 1,
//	the chunk after the last being the first.
//
// For let e(i) = d(i) - t(i) - 1. Their sum is at most R - (R+1) = -1. Put the
// chunks on a ring, add up the e(i) one after another from chunk 0, and let i
// be the chunk after the last place where the sum is greatest. Going on
// from there, once round, every sum is lower than at that place: up to the end
// because it was the last such place, and after the end because a whole round
// takes away at least 1. So e(i) ≤ -1 and e(i) + e(i+1) ≤ -1, which are the
// two conditions. This holds whatever the widths of the chunks.
//
// So it is enough to look, in each chunk, at the places whose content differs
// from the query's in at most t(i) bits: 17 in each of 16 chunks, 272 in all, at
// distance 31. Of each value found there the table holds the 16 bits that follow
// the chunk, the tag; where more of these differ than the second condition
// allows, the value is passed over unseen. (The sums above stay below 0 however
// far one goes on: a tag over the next k chunks may differ, together with its
// own, in as many bits as their t(i) add up to, and k.) That leaves one in five
// hundred, whose bits are counted. The more values, the wider the chunks
// (widthsFor in plan.go): 32 of 8 bits with t = 0 for a few thousand; two of 22
// bits with t = 2 and thirteen of 16 or 17 with t = 1 from four million on,
// 3 + 3 + 13 × 2 = 32 = R + 1.
//
// Values may be so alike that a query finds hundreds of rows near. Such a query
// goes again, by itself, with a note of the rows it has seen: a thousand copies,
// which every chunk proposes, are then fetched once. And where tables would cost
// more than reading every value, every value is read: in a small segment, at a
// great radius, when the places looked at hold far more than among random values
// (a twelfth of all more), or when the rows fetched come to a 128th of all. What was spent until then is a part
// of what reading all takes, so that the worst case is a linear scan, several
// values at once where the processor can (vector_amd64.s).
package near

import (
	"cmp"
	"runtime"
	"slices"
	"sync"

	"rempart/pdq"
)

// An ID is the caller's name for a value.
type ID uint64

// A Match is a value that a search found, and in how many bits it differs.
type Match struct {
	ID       ID
	Hash     pdq.Hash
	Distance int
}

// An Index holds values, each under an ID. It is safe for concurrent use: any
// number of searches run side by side, and a change waits for those under way
// and holds up those that come after, for a microsecond or two. A change is
// seen by every search that starts after it returned. The zero Index is not
// usable: see [New] and [Open].
type Index struct {
	mu       sync.RWMutex // guards all below, and dead and deaths of the segments
	segments []*segment   // the largest first
	full     *tail        // on its way into a segment, nil if none
	tail     *tail        // what was added last
	live     int

	merging bool       // a goroutine is at it; only it may replace segments and full
	tidying bool       // it is to make one segment of all at last
	loading bool       // the merger takes values in that are not yet found
	removed []ID       // while merging: what was removed of what is being merged
	calm    *sync.Cond // of mu: merging has ended, or full is gone

	tuning tuning
	disk   *disk // nil in memory
	held   *held
}

// held is what an index in memory has of the system's memory, to give back when
// the index is collected.
type held struct{ segments []*segment }

func (h *held) set(segments []*segment) { h.segments = segments }

func (h *held) release() {
	for _, s := range h.segments {
		_ = s.release() // unmapping what was mapped does not fail
	}
}

// A tuning is what tests make smaller.
type tuning struct {
	fullTail int                 // values from which a tail becomes a segment
	maxTail  int                 // values at which a change waits for the merger
	maxRows  int                 // of a segment, maxRows at most
	widths   func(n int) []uint8 // how a segment is cut
	ready    func(*segment)
}

var usual = tuning{fullTail: 4096, maxTail: 1 << 20, maxRows: maxRows, widths: widthsFor, ready: (*segment).ready}

// New returns an empty index in memory.
func New() *Index { return newIndex(usual) }

func newIndex(t tuning) *Index {
	x := &Index{tail: newTail(), tuning: t, held: new(held)}
	runtime.AddCleanup(x, (*held).release, x.held)
	x.calm = sync.NewCond(&x.mu)
	return x
}

// Add files h under id, in place of what was under it. The same value may be
// filed under any number of IDs.
func (x *Index) Add(id ID, h pdq.Hash) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for x.merging && x.tail.len() >= x.tuning.maxTail {
		x.calm.Wait()
	}
	x.add(id, h)
	x.startMerge()
}

// add is Add under mu.
func (x *Index) add(id ID, h pdq.Hash) {
	x.remove(id)
	x.tail.add(id, h.Words())
	x.live++
	if x.disk != nil {
		x.disk.note(opAdd, id, h)
	}
	if x.loading {
		x.removed = append(x.removed, id) // from what is loaded
	}
}

// Remove forgets what is filed under id, and reports whether there was
// anything.
func (x *Index) Remove(id ID) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.remove(id) {
		return false
	}
	if x.disk != nil {
		x.disk.note(opRemove, id, pdq.Hash{})
	}
	x.startMerge()
	return true
}

func (x *Index) remove(id ID) bool {
	gone := x.tail.remove(id)
	if !gone && x.full != nil && x.full.remove(id) {
		x.removed = append(x.removed, id)
		gone = true
	}
	for i := 0; !gone && i < len(x.segments); i++ {
		s := x.segments[i]
		if row, ok := s.find(id); ok && s.kill(row) {
			gone = true
			if x.merging {
				x.removed = append(x.removed, id)
			}
		}
	}
	if gone {
		x.live--
	}
	return gone
}

// Len returns the number of IDs.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.live
}

// Search returns all that differs from h in at most radius bits, 0 to 256, the
// nearest first, and by ID where the distance is the same. It returns nil if
// there is none.
func (x *Index) Search(h pdq.Hash, radius int) []Match {
	sc := rooms.Get().(*scratch)
	defer rooms.Put(sc)
	sc.queries[0].words = h.Words()
	x.search(sc, 1, radius)
	return sc.take(0)
}

// SearchBatch is Search for each of hs; the result has
// their order. Each group of 64 is answered at one moment.
func (x *Index) SearchBatch(hs []pdq.Hash, radius int) [][]Match {
	sc := rooms.Get().(*scratch)
	defer rooms.Put(sc)
	out := make([][]Match, len(hs))
	for from := 0; from < len(hs); from += group {
		n := min(group, len(hs)-from)
		for i := range n {
			sc.queries[i].words = hs[from+i].Words()
		}
		x.search(sc, n, radius)
		for i := range n {
			out[from+i] = sc.take(i)
		}
	}
	return out
}

// search runs the first n queries of sc.
func (x *Index) search(sc *scratch, n, radius int) {
	if radius < 0 {
		return
	}
	queries := sc.queries[:n]
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, s := range x.segments {
		s.probe(sc, queries, radius)
	}
	if x.full != nil {
		x.full.scan(queries, radius)
	}
	x.tail.scan(queries, radius)
}

// take returns what query i found, in order, and lets go of it.
func (sc *scratch) take(i int) []Match {
	found := sc.queries[i].found
	sc.queries[i].found = nil
	return inOrder(found)
}

// inOrder sorts matches. Many come in order from a segment that was read whole,
// or in the order of their IDs from copies: so if they are not in order they are
// laid out by distance, and each distance is sorted if it is not.
func inOrder(found []Match) []Match {
	order := func(a, b Match) int {
		if a.Distance != b.Distance {
			return a.Distance - b.Distance
		}
		return cmp.Compare(a.ID, b.ID)
	}
	if slices.IsSortedFunc(found, order) {
		return found
	}
	if len(found) < 64 {
		slices.SortFunc(found, order)
		return found
	}
	var starts [valueBits + 2]int
	for i := range found {
		starts[found[i].Distance+1]++
	}
	for d := range valueBits + 1 {
		starts[d+1] += starts[d]
	}
	out, at := make([]Match, len(found)), starts
	for i := range found {
		m := &found[i]
		out[at[m.Distance]] = *m
		at[m.Distance]++
	}
	for d := range valueBits + 1 {
		if part := out[starts[d]:starts[d+1]]; !slices.IsSortedFunc(part, order) {
			slices.SortFunc(part, order)
		}
	}
	return out
}
