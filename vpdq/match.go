package vpdq

import (
	"rempart/pdq"
)

// A Unique says when frames of equal PDQ are counted once.
type Unique int

// The reference's three ways. They differ when two frames of one PDQ lie on
// either side of the least quality: UniqueFirst may keep the worse one, and
// then drop it.
const (
	UniqueNever  Unique = iota // C++
	UniqueFirst                // pytx, one against one: deduplicates, then drops low quality
	UniqueSecond               // pytx, in its index: drops low quality, then deduplicates
)

// Options say how two videos are compared. The zero value compares as pytx
// does one against one, but for deduplication, with the thresholds 0 and 0;
// see [Pytx] and [Reference].
type Options struct {
	Distance int    // greatest distance of two frames that match; 0 is pdq.MatchDistance
	Strict   bool   // whether two frames must be nearer than Distance (C++), not as near
	Quality  int    // least quality of frames that count; 0 is pdq.MinQuality
	Unique   Unique // when equal frames are counted once

	// Match asks for at least these percentages of matched frames, 0 to 100.
	// With Query above 0, a clip hidden in a long upload escapes; Compared
	// above 0 finds it.
	Query, Compared float64

	// Slack is how far, in seconds, two frames of one moment may lie apart
	// once the videos are aligned; 0 is half a second.
	Slack float64
}

// Pytx is how Meta's Python tools compare one video to one other.
var Pytx = Options{Unique: UniqueFirst, Query: 80}

// Reference is how Meta's C++ tools compare, with the thresholds of pytx.
var Reference = Options{Strict: true, Query: 80}

// A Result says how much of two videos is the same.
type Result struct {
	Query, Compared Count     // each video's frames
	Alignment       Alignment // the best one; its zero value if no frame matched
	Match           bool      // whether both percentages reach those of Options
}

// A Count counts the frames of one of the two videos.
type Count struct {
	Kept    int // frames that count
	Matched int // of these, the ones that match some frame of the other video
}

// Percent returns the matched frames in per cent of those that count, 0 if
// there are none.
func (c Count) Percent() float64 {
	if c.Kept == 0 {
		return 0
	}
	return 100 * float64(c.Matched) / float64(c.Kept)
}

// limit returns the greatest distance at which two frames match.
func (o Options) limit() int {
	d := o.Distance
	if d == 0 {
		d = pdq.MatchDistance
	}
	if o.Strict {
		d--
	}
	return d
}

// keep returns the features that count.
func (o Options) keep(features []Feature) []Feature {
	if o.Unique == UniqueFirst {
		features = Dedupe(features)
	}
	features = o.good(features)
	if o.Unique == UniqueSecond {
		features = Dedupe(features)
	}
	return features
}

func (o Options) good(features []Feature) []Feature {
	least := o.Quality
	if least == 0 {
		least = pdq.MinQuality
	}
	return Filter(features, least)
}

// Match compares the video that is looked up with one of a list. The order of
// frames does not count, except for Alignment, which leaves out no frame for
// being equal to another.
//
// Nothing matches a video of which no frame counts, whatever the thresholds.
// It reads every frame of the one against every frame of the other: 600
// against 600 take about 4 ms, and the memory is that of the two lists.
func Match(query, compared []Feature, opt Options) Result {
	limit := opt.limit()
	q, c := words(opt.keep(query)), words(opt.keep(compared))
	result := Result{
		Query:    Count{Kept: len(q)},
		Compared: Count{Kept: len(c)},
	}
	found := make([]bool, len(c))
	for _, a := range q {
		hit := false
		for j, b := range c {
			if within(a, b, limit) {
				hit, found[j] = true, true
			}
		}
		if hit {
			result.Query.Matched++
		}
	}
	for _, f := range found {
		if f {
			result.Compared.Matched++
		}
	}
	if result.Query.Matched > 0 {
		result.Alignment = align(opt.good(query), opt.good(compared), limit, opt.Slack)
	}
	result.Match = result.Query.Kept > 0 && result.Compared.Kept > 0 &&
		result.Query.Percent() >= opt.Query && result.Compared.Percent() >= opt.Compared
	return result
}
