package near

import (
	"runtime"
	"slices"

	"rempart/internal/durable"
)

// growth is how much larger than all that is merged a segment must be to be
// left alone: there are about log₄ n segments, and a value is copied about as
// often.
const growth = 4

// mostWorkers is how many tables of a segment are made at a time, where somebody
// waits for it: each takes 8 bytes a value of memory. In the background it is one:
// the other processors are for searches.
const mostWorkers = 4

// startMerge begins to merge in the background if there is reason to. The
// caller holds mu.
func (x *Index) startMerge() {
	if x.merging || !x.reason() || x.disk != nil && x.disk.failed() != nil {
		return
	}
	x.merging = true
	go x.mergeAll(false, nil, 1)
}

// untidy is what part of the values, one in so many, may be outside of the largest
// segment before [Index.Tidy] makes one of all: so about that many are written
// anew for each that came, which is the most that tidying costs.
const untidy = 64

// Tidy begins in the background to make one segment of everything, as
// [Index.Compact] does, if more than a 64th of it is outside of the largest; where
// a merge is under way that is looked at when it ends. It reports whether there
// is something to wait for. Merges leave a few segments of different sizes, each
// of which is searched apart: among a million values that came one by one a
// search takes half as long again. It is for whoever knows that the changes came
// to an end, and may be called at any time, at the cost of a look.
func (x *Index) Tidy() bool {
	x.mu.RLock()
	due := x.merging || x.scattered()
	x.mu.RUnlock()
	if !due {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.merging:
		x.tidying = true
	case x.scattered():
		x.merging = true
		go x.mergeAll(true, nil, 1)
	default:
		return false
	}
	return true
}

// scattered reports whether Tidy has something to do. The caller holds mu.
func (x *Index) scattered() bool {
	if len(x.segments) < 2 || x.disk != nil && x.disk.failed() != nil {
		return false
	}
	total, largest, n := len(x.tail.at), 0, 0
	for _, s := range slices.Backward(x.segments) { // as inputs chooses
		if live := s.n - s.deaths; total+live <= x.tuning.maxRows {
			total, largest = total+live, max(largest, live)
			n++
		}
	}
	return n > 1 && untidy*(total-largest) > total
}

// reason reports whether there is something to merge: a full tail, a segment of
// which a quarter is dead, or many logs.
func (x *Index) reason() bool {
	if x.disk != nil && x.disk.crowded() {
		return true
	}
	return x.tail.len() >= x.tuning.fullTail || slices.ContainsFunc(x.segments, (*segment).decayed)
}

func (s *segment) decayed() bool { return s.deaths > s.n/4 && s.deaths > 1024 }

// mergeAll merges until there is no reason to; everything into one segment if
// so asked, with load if that is not nil, so many of its tables at a time.
func (x *Index) mergeAll(whole bool, load *source, workers int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for whole || x.reason() || x.tidying {
		var err error
		if !whole && !x.reason() {
			x.tidying, whole = false, x.scattered()
			continue
		}
		if load != nil && x.tail.len() > x.tuning.maxRows-x.tuning.loadRows() {
			err = x.mergeOnce(false, nil, 1) // a segment has no room for both
		} else {
			err = x.mergeOnce(whole, load, workers)
			whole, load, workers = false, nil, 1
		}
		if err != nil {
			x.disk.mu.Lock()
			x.disk.fail(err)
			x.disk.mu.Unlock()
			break
		}
	}
	x.merging, x.tidying = false, false
	x.calm.Broadcast()
}

// mergeOnce makes a segment of the tail, of load if it is not nil, and of the
// segments that are not much larger. The caller holds mu, which is let go while
// the segment is made: what is removed meanwhile is noted, and removed from the
// new one as well.
//
// On disk: the new log is begun; the segment is written; the manifest that
// names both is written; the old log and segments are deleted. A crash before
// the manifest is in its place leaves all that the old one names, one after it
// all that the new one names. An error stops all merging, as it may be unknown
// which of the two is there, and nothing of either is deleted: what is in
// memory stays right, and changes still go to the log.
func (x *Index) mergeOnce(whole bool, load *source, workers int) error {
	var firstLog uint64
	if x.disk != nil {
		var err error
		if firstLog, err = x.disk.rotate(); err != nil {
			return err
		}
	}
	x.full, x.tail = x.tail, newTail()
	x.removed, x.loading = nil, load != nil
	full, dead := x.full, slices.Clone(x.full.dead)
	inputs, sources := x.inputs(whole, load)
	kept := slices.DeleteFunc(slices.Clone(x.segments), func(s *segment) bool { return inputs[s] })
	x.mu.Unlock()
	sources = append(sources, tailSource(full, dead))
	replaced := make(map[*segment][]uint32)
	if load != nil {
		for _, s := range sources {
			s.dead = withRows(s.dead, len(s.ids), shared(s.ids, load.ids))
		}
		for _, s := range kept {
			replaced[s] = shared(s.ids, load.ids)
		}
		sources = append(sources, load)
	}
	n := 0
	for _, s := range sources {
		n += s.live()
	}
	var made *segment
	var err error
	if b := newBuilder(sources, x.tuning.widths(n)); x.disk != nil {
		made, err = x.record(kept, replaced, b, workers, firstLog)
	} else {
		made, err = b.finish(workers, func([]byte) error { return nil })
	}
	if err != nil {
		x.mu.Lock()
		x.loading = false
		return err
	}
	x.tuning.ready(made)
	x.mu.Lock()
	x.install(kept, replaced, made)
	if x.disk == nil {
		x.held.set(x.segments)
		for s := range inputs {
			_ = s.release() // unmapping what was mapped does not fail
		}
		return nil
	}
	x.mu.Unlock()
	err = x.disk.drop(firstLog, inputs)
	x.mu.Lock()
	return err
}

// record finishes a segment in its file, writes the manifest in which it stands
// beside the segments kept, less the rows that are replaced, and returns it as it
// is in the file.
func (x *Index) record(kept []*segment, replaced map[*segment][]uint32, b *builder, workers int, firstLog uint64) (*segment, error) {
	made := &segment{}
	if b.n > 0 {
		var err error
		if made, err = x.disk.save(b, workers); err != nil {
			return nil, err
		}
	}
	x.mu.RLock()
	m := &manifest{firstLog: firstLog}
	x.bury(made)
	for _, s := range append(slices.Clone(kept), made) {
		if s.n > 0 {
			dead := withRows(slices.Clone(s.dead), s.n, replaced[s])
			m.segments = append(m.segments, listed{s.number, uint32(s.n), s.sum(), dead})
		}
	}
	x.mu.RUnlock()
	// The rows that are dead above may be so because of changes in the log,
	// as when a value takes the place of one that was under its ID: if the
	// manifest lasted and the log did not, both would be gone.
	if err := x.disk.sync(); err != nil {
		return nil, err
	}
	return made, durable.WriteFile(x.disk.manifest(), m.encode())
}

// bury marks dead in made what was removed while it was made, which is not yet
// searched. The caller holds mu.
func (x *Index) bury(made *segment) {
	for _, id := range x.removed {
		if row, ok := made.find(id); ok {
			made.kill(row)
		}
	}
}

// inputs chooses the segments to merge with full and load, the smallest first,
// and returns them with their rows as they are now.
func (x *Index) inputs(whole bool, load *source) (map[*segment]bool, []*source) {
	var sources []*source
	total := len(x.full.at)
	if load != nil {
		total += len(load.ids)
	}
	inputs := make(map[*segment]bool)
	for _, s := range slices.Backward(x.segments) {
		live := s.n - s.deaths
		if total+live > x.tuning.maxRows || !whole && s.n > growth*total && !s.decayed() {
			continue
		}
		inputs[s] = true
		total += live
		sources = append(sources, &source{ids: s.ids, seg: s, dead: slices.Clone(s.dead)})
	}
	return inputs, sources
}

// install puts made in the place of all but the segments kept, of which the rows
// replaced die. The caller holds mu.
func (x *Index) install(kept []*segment, replaced map[*segment][]uint32, made *segment) {
	x.bury(made)
	x.live = len(x.tail.at)
	segments := slices.Clone(kept)
	for _, s := range kept {
		for _, row := range replaced[s] {
			s.kill(int(row))
		}
	}
	if made.n > 0 {
		segments = append(segments, made)
	}
	for _, s := range segments {
		x.live += s.n - s.deaths
	}
	slices.SortStableFunc(segments, func(a, b *segment) int { return b.n - a.n })
	x.segments, x.full, x.loading, x.removed = segments, nil, false, nil
	x.calm.Broadcast()
}

// Compact makes one segment of everything and returns when it is in place:
// searches are then as fast as they can be. Indexes of more than 2^24 values
// keep several. It need not be called. An error is as for Sync.
func (x *Index) Compact() error { return x.compact(nil) }

// compact is Compact, with load if that is not nil.
func (x *Index) compact(load *source) error {
	x.mu.Lock()
	for x.merging {
		x.calm.Wait()
	}
	if x.disk != nil {
		if err := x.disk.failed(); err != nil {
			x.mu.Unlock()
			return err
		}
	}
	x.merging = true
	x.mu.Unlock()
	x.mergeAll(true, load, min(runtime.GOMAXPROCS(0), mostWorkers))
	if x.disk == nil {
		return nil
	}
	return x.disk.failed()
}
