package vpdq

import (
	"math"
	"math/bits"
)

// An Alignment is where one video lies in another: the delay at which most
// frames of both match at the same moment. Videos that share only a still
// picture, or the frames but not their order, have a poor one.
type Alignment struct {
	// Offset, in seconds, is added to a time of the query to get that of the
	// compared video. A clip of a list that begins 40 s into an upload has the
	// offset -40.
	Offset float64

	// Query and Compared count, of the frames of sufficient quality (equal
	// ones too), those that match a frame of the other video at the offset,
	// give or take the slack. Compared near 100 % with Query far below is a
	// listed clip inside a longer upload.
	Query, Compared Count

	// Overlap counts the frames of the query within the time that both videos
	// share, and those of them that match at the offset.
	Overlap Count
}

// align finds the best alignment. The offsets of all pairs of frames that
// match are counted in windows twice slack wide that overlap by half, a frame of
// the query once for each window.
func align(query, compared []Feature, limit int, slack float64) Alignment {
	if !(slack > 0) {
		slack = 0.5
	}
	q, c := words(query), words(compared)
	h := histogram{width: slack, windows: map[int64]*window{}}
	for i := range q {
		for j := range c {
			if within(q[i], c[j], limit) {
				h.add(compared[j].Timestamp-query[i].Timestamp, i)
			}
		}
	}
	best, ok := h.best()
	if !ok {
		return Alignment{}
	}
	return measure(query, compared, q, c, limit, best, slack)
}

// measure counts what matches at an offset, give or take slack.
func measure(query, compared []Feature, q, c [][4]uint64, limit int, offset, slack float64) Alignment {
	a := Alignment{Offset: offset, Query: Count{Kept: len(q)}, Compared: Count{Kept: len(c)}}
	first, last := math.Inf(1), math.Inf(-1)
	for _, f := range compared {
		first, last = min(first, f.Timestamp), max(last, f.Timestamp)
	}
	found := make([]bool, len(c))
	for i := range q {
		at, hit := query[i].Timestamp+offset, false
		for j := range c {
			if math.Abs(compared[j].Timestamp-at) <= slack && within(q[i], c[j], limit) {
				hit, found[j] = true, true
			}
		}
		if hit {
			a.Query.Matched++
		}
		if hit || first <= at && at <= last {
			a.Overlap.Kept++
		}
	}
	a.Overlap.Matched = a.Query.Matched
	for _, f := range found {
		if f {
			a.Compared.Matched++
		}
	}
	return a
}

// A histogram counts offsets. Window w holds those from w × width to
// (w + 2) × width.
type histogram struct {
	width   float64
	windows map[int64]*window
}

// A window counts frames of the query; last is one more than the last one.
type window struct {
	frames, last int
	sum          float64 // of the offsets
	pairs        int
}

func (h *histogram) add(offset float64, frame int) {
	at := int64(math.Floor(offset / h.width))
	for _, n := range [2]int64{at - 1, at} {
		w := h.windows[n]
		if w == nil {
			w = &window{}
			h.windows[n] = w
		}
		if w.last != frame+1 {
			w.last = frame + 1
			w.frames++
		}
		w.sum += offset
		w.pairs++
	}
}

// best returns the mean offset of the fullest window; of equal ones that
// nearest to no delay.
func (h *histogram) best() (offset float64, ok bool) {
	most := 0
	for _, w := range h.windows {
		mean := w.sum / float64(w.pairs)
		nearer := math.Abs(mean) < math.Abs(offset) || math.Abs(mean) == math.Abs(offset) && mean > offset
		if w.frames > most || w.frames == most && nearer {
			most, offset = w.frames, mean
		}
	}
	return offset, most > 0
}

func words(features []Feature) [][4]uint64 {
	out := make([][4]uint64, len(features))
	for i, f := range features {
		out[i] = f.PDQ.Words()
	}
	return out
}

// within says whether a and b differ in limit bits or fewer.
func within(a, b [4]uint64, limit int) bool {
	n := bits.OnesCount64(a[0]^b[0]) + bits.OnesCount64(a[1]^b[1])
	return n <= limit && n+bits.OnesCount64(a[2]^b[2])+bits.OnesCount64(a[3]^b[3]) <= limit
}
