package near

import "slices"

// growth is how much larger than all that is merged a segment must be to be
// left alone: there are about log₄ n segments, and a value is copied about as
// often.
const growth = 4

// startMerge begins to merge in the background if there is reason to. The
// caller holds mu.
func (x *Index) startMerge() {
	if x.merging || !x.reason() {
		return
	}
	x.merging = true
	go x.mergeAll(false)
}

// reason reports whether there is something to merge: a full tail, or a
// segment of which a quarter is dead.
func (x *Index) reason() bool {
	return x.tail.len() >= x.tuning.fullTail || slices.ContainsFunc(x.segments, (*segment).decayed)
}

func (s *segment) decayed() bool { return s.deaths > s.n/4 && s.deaths > 1024 }

// mergeAll merges until there is no reason to; everything into one segment if
// so asked.
func (x *Index) mergeAll(whole bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for first := whole; first || x.reason(); first = false {
		x.mergeOnce(first)
	}
	x.merging = false
	x.calm.Broadcast()
}

// mergeOnce makes a segment of the tail and of the segments that are not much
// larger. The caller holds mu, which is let go while the segment is made: what
// is removed meanwhile is noted, and removed from the new one as well.
func (x *Index) mergeOnce(whole bool) {
	x.full, x.tail = x.tail, newTail()
	x.removed = nil
	full, dead := x.full, slices.Clone(x.full.dead)
	inputs, sources := x.inputs(whole)
	x.mu.Unlock()
	sources = append(sources, tailSource(full.ids, full.rows, dead))
	n := 0
	for _, s := range sources {
		n += s.live()
	}
	made := build(sources, x.tuning.widths(n))
	x.tuning.ready(made)
	x.mu.Lock()
	x.install(inputs, made)
}

// inputs chooses the segments to merge with full, the smallest first, and
// returns them with their rows as they are now.
func (x *Index) inputs(whole bool) (map[*segment]bool, []*source) {
	var sources []*source
	total := len(x.full.at)
	inputs := make(map[*segment]bool)
	for _, s := range slices.Backward(x.segments) {
		live := s.n - s.deaths
		if total+live > maxRows || !whole && s.n > growth*total && !s.decayed() {
			continue
		}
		inputs[s] = true
		total += live
		sources = append(sources, &source{ids: s.ids, seg: s, dead: slices.Clone(s.dead)})
	}
	return inputs, sources
}

// install puts made in the place of inputs and full. The caller holds mu.
func (x *Index) install(inputs map[*segment]bool, made *segment) {
	for _, id := range x.removed {
		if row, ok := made.find(id); ok {
			made.kill(row)
		}
	}
	segments := []*segment{}
	for _, s := range x.segments {
		if !inputs[s] {
			segments = append(segments, s)
		}
	}
	if made.n > 0 {
		segments = append(segments, made)
	}
	slices.SortStableFunc(segments, func(a, b *segment) int { return b.n - a.n })
	x.segments, x.full, x.removed = segments, nil, nil
	x.calm.Broadcast()
}

// Compact makes one segment of everything and returns when it is in place:
// searches are then as fast as they can be. Indexes of more than 2^24 values
// keep several. It need not be called.
func (x *Index) Compact() {
	x.mu.Lock()
	for x.merging {
		x.calm.Wait()
	}
	x.merging = true
	x.mu.Unlock()
	x.mergeAll(true)
}
