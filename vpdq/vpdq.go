// Package vpdq knows videos by the PDQ of their frames (vPDQ, of Meta's
// ThreatExchange): what a frame's fingerprint holds, the two texts in which it
// travels, and how much of one video is found in another.
//
// A video is a list of [Feature], one for each frame that was hashed. Start
// with [Match], which gives the reference's two percentages and, beyond the
// reference, where one video lies in the other ([Alignment]).
//
// # Dense and sparse
//
// List many frames of a video, look up few. Two cuts of one scene that begin a
// fraction of a second apart share almost no frame when both are sampled once
// a second (chair-19 and chair-20 of the fixtures: 10.5 % and 4.8 %), and
// nearly all of them when one side holds every frame. [Dense] prepares what is
// listed, [Sample] what is looked up.
//
// It neither decodes nor hashes videos: see media.Video.
package vpdq

import (
	"math"

	"rempart/pdq"
)

// A Feature is the fingerprint of one frame.
type Feature struct {
	PDQ       pdq.Hash
	Quality   int     // 0 to 100; below pdq.MinQuality PDQ means nothing
	Frame     int     // number of the frame in the order it is shown, from 0
	Timestamp float64 // seconds: Frame divided by the mean frames a second
}

// Filter returns the features whose quality is least or more, in their order.
func Filter(features []Feature, least int) []Feature {
	kept := make([]Feature, 0, len(features))
	for _, f := range features {
		if f.Quality >= least {
			kept = append(kept, f)
		}
	}
	return kept
}

// Dedupe returns the first feature of each value of PDQ, in their order.
func Dedupe(features []Feature) []Feature {
	seen := make(map[pdq.Hash]bool, len(features))
	kept := make([]Feature, 0, len(features))
	for _, f := range features {
		if !seen[f.PDQ] {
			seen[f.PDQ] = true
			kept = append(kept, f)
		}
	}
	return kept
}

// Dense returns what a list needs of a video of which every frame was hashed:
// the features that mean something, each value once.
func Dense(features []Feature) []Feature {
	return Dedupe(Filter(features, pdq.MinQuality))
}

// Sample returns the features whose frame number is a multiple of mod, as the
// reference samples. A mod below 1 counts as 1. See [Mod].
func Sample(features []Feature, mod int) []Feature {
	mod = max(mod, 1)
	kept := make([]Feature, 0, len(features)/mod+1)
	for _, f := range features {
		if f.Frame%mod == 0 {
			kept = append(kept, f)
		}
	}
	return kept
}

// Mod returns the reference's distance in frames between two hashes that are
// to lie seconds apart, in a video of rate frames a second: their product cut
// to a whole number, and at least 1.
func Mod(seconds, rate float64) int {
	n := seconds * rate
	if !(n >= 1) { // NaN too
		return 1
	}
	return int(min(n, math.MaxInt32))
}
