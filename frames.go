package rempart

import (
	"fmt"
	"math"

	"rempart/pdq"
	"rempart/vpdq"
)

// MaxFrames is the most images that the fingerprint of one video holds.
const MaxFrames = 4096

// ListedFrames is the most images that we put in a fingerprint that is to be
// listed, and ListedRate how many of a second: two minutes' worth.
const (
	ListedFrames = 240
	ListedRate   = 2.0
)

// NewVPDQ returns the fingerprint of a video: of its images that can be told from
// others each value once, at most `most` of them, spread evenly; or the best one
// if there are none. features is not empty.
func NewVPDQ(features []vpdq.Feature, most int) Fingerprint {
	kept := CountedImages(features)
	if len(kept) == 0 {
		best := features[0]
		for _, f := range features {
			if f.Quality > best.Quality {
				best = f
			}
		}
		kept = []vpdq.Feature{best}
	}
	if n := len(kept); n > most {
		for k := range most {
			kept[k] = kept[k*n/most]
		}
		kept = kept[:most]
	}
	return videoOf(kept)
}

// AtRate returns the first of features, which are in order, in each 1/rate of a
// second.
func AtRate(features []vpdq.Feature, rate float64) []vpdq.Feature {
	var out []vpdq.Feature
	next := math.Inf(-1)
	for _, f := range features {
		if at := math.Floor(f.Timestamp*rate + 1e-6); at >= next {
			out, next = append(out, f), at+1
		}
	}
	return out
}

func videoOf(features []vpdq.Feature) Fingerprint {
	f := Fingerprint{Type: VPDQ, Value: string(vpdq.FormatSignal(features))}
	for _, x := range features {
		f.Quality = max(f.Quality, x.Quality)
	}
	return f
}

// normalVideo is Normal for a vpdq: the same text for the same images, and the
// quality of the best of them.
func (f Fingerprint) normalVideo() (Fingerprint, error) {
	bad := &Error{Kind: Invalid, Field: "value", Code: "fingerprint.video", Args: []any{MaxFrames},
		Public: fmt.Sprintf("The value of a vpdq is the text of a JSON array of 1 to %d strings, one an image: 64 hexadecimal digits, its quality and its second, such as \"f8f8…,87,12.5\".", MaxFrames)}
	if len(f.Value) > 128*MaxFrames {
		return f, bad
	}
	features, err := vpdq.ParseSignal([]byte(f.Value))
	if err != nil || len(features) == 0 || len(features) > MaxFrames {
		bad.Err = err
		return f, bad
	}
	n := videoOf(features)
	n.Form = f.Form
	return n, nil
}

// Frames returns the images that a vpdq holds; none of another type.
func (f Fingerprint) Frames() []vpdq.Feature {
	if f.Type != VPDQ {
		return nil
	}
	features, err := vpdq.ParseSignal([]byte(f.Value))
	if err != nil {
		return nil
	}
	return features
}

// Images returns those of [Fingerprint.Frames] that can be told from others, each
// value once: what is looked up, and what enters a list.
func (f Fingerprint) Images() []vpdq.Feature { return CountedImages(f.Frames()) }

// CountedImages returns those of features that can be told from others, each value
// once.
func CountedImages(features []vpdq.Feature) []vpdq.Feature {
	var kept []vpdq.Feature
	for _, f := range vpdq.Dense(features) {
		if listable(f.PDQ, f.Quality) {
			kept = append(kept, f)
		}
	}
	return kept
}

// A VideoPolicy says when an upload is a listed video. Distances and qualities
// are those of PDQ; percentages, 0 to 100, are of images that count.
type VideoPolicy struct {
	Distance int     `json:"distance"` // largest distance of two images that are the same
	Quality  int     `json:"quality"`  // least quality of an image that counts
	Query    float64 `json:"query"`    // enough of the upload is in the listed video: it is cut out of it
	Listed   float64 `json:"listed"`   // enough of the listed video is in the upload, which may be longer
	Aligned  float64 `json:"aligned"`  // enough of what the listed video has in the time that both share: a part of one is a part of the other

	// Images is how many different images, none a copy of another, both must
	// share, or as many as the listed video has: an end card or a title that
	// videos have in common is one, and makes no match.
	Images int `json:"images"`

	// Frame is what is recommended where the upload is one image of a listed
	// video, or a few, and nothing else: that image may be an end card.
	Frame Action `json:"frame"`
}

// UsualVideo is the policy of a hub's lists. The percentage of the query is the
// default of Meta's Python tools (pytx), and any of the three is enough: the
// first alone lets a listed video escape inside a longer one, the second a part
// cut out of it. That of the listed video is lower than the vPDQ README's example,
// 80, as lists hold two images a second: of a scene that moves fast, a copy of
// ten images a second has 50 to 80 % of them. Videos that share nothing have none.
var UsualVideo = VideoPolicy{Distance: pdq.MatchDistance, Quality: MinQuality, Query: 80, Listed: 50, Aligned: 50, Images: 3, Frame: ActionReview}

// A VideoMatch says how much of an upload and a listed video is the same. Frame
// order counts for Aligned alone.
type VideoMatch struct {
	Query   float64 `json:"query_percent" doc:"of the images of the query, those that the listed video has"`
	Listed  float64 `json:"listed_percent" doc:"of the images of the listed video, those that the query has"`
	Aligned float64 `json:"aligned_percent" doc:"once the two are aligned, of the images of the listed video in the time that both share, those that the query has at the same moment; low where the order differs"`
	Offset  float64 `json:"offset" doc:"seconds to add to a moment of the query to get that of the listed video"`
	Images  int     `json:"images" doc:"different images that both share, counted up to the number that the list asks for"`
	Few     bool    `json:"few,omitempty" doc:"the query shows nothing but one or a few images of the listed video: recommended is to look"`
}

// Compare compares the images of an upload with those of a listed video; ok
// tells whether there is a match.
func (p VideoPolicy) Compare(query, listed []vpdq.Feature) (m VideoMatch, ok bool) {
	// The other way round, as the overlap is wanted of the listed video.
	r := vpdq.Match(listed, query, vpdq.Options{Distance: p.Distance, Quality: p.Quality, Unique: vpdq.UniqueSecond})
	overlap := r.Alignment.Overlap
	m = VideoMatch{
		Query: tenth(r.Compared.Percent()), Listed: tenth(r.Query.Percent()),
		Aligned: tenth(overlap.Percent()), Offset: math.Round(-r.Alignment.Offset*100) / 100,
	}
	cut := r.Compared.Matched > 0 && r.Compared.Percent() >= p.Query
	inside := r.Query.Matched > 0 && r.Query.Percent() >= p.Listed
	part := overlap.Matched >= p.Images && overlap.Percent() >= p.Aligned
	if !cut && !inside && !part {
		return m, false
	}
	has := p.different(vpdq.Filter(listed, p.Quality), nil)
	m.Images = len(p.different(vpdq.Filter(listed, p.Quality), vpdq.Filter(query, p.Quality)))
	m.Few = m.Images < len(has)
	return m, cut || !m.Few
}

// Possible tells whether [VideoPolicy.Compare] may find a match where so many
// images of the two have one.
func (p VideoPolicy) Possible(query, listed vpdq.Count) bool {
	return query.Matched > 0 && (query.Percent() >= p.Query || listed.Percent() >= p.Listed || listed.Matched >= p.Images)
}

// different returns up to p.Images of the features, none of them a copy of
// another, that have a copy among those of other, if that is not nil.
func (p VideoPolicy) different(features, other []vpdq.Feature) []vpdq.Feature {
	var out []vpdq.Feature
	in := func(all []vpdq.Feature, f vpdq.Feature) bool {
		for _, x := range all {
			if x.PDQ.Distance(f.PDQ) <= p.Distance {
				return true
			}
		}
		return false
	}
	for _, f := range features {
		if len(out) == max(p.Images, 1) {
			break
		}
		if !in(out, f) && (other == nil || in(other, f)) {
			out = append(out, f)
		}
	}
	return out
}

func tenth(percent float64) float64 { return math.Round(percent*10) / 10 }

// maxNoticeVideos is how many bytes of vpdq one notice holds. What does not fit
// is left out: the platform has the video's other fingerprints in the notice,
// and all of them in the list.
const maxNoticeVideos = 64 << 10

// tooLong tells whether the vpdq among prints are too much for a notice of n
// items that each carry them.
func tooLong(prints []Fingerprint, n int) bool {
	bytes := 0
	for _, f := range prints {
		if f.Type == VPDQ {
			bytes += n * len(f.Value)
		}
	}
	return bytes > maxNoticeVideos
}

func withoutVideos(prints []Fingerprint) []Fingerprint {
	var out []Fingerprint
	for _, f := range prints {
		if f.Type != VPDQ {
			out = append(out, f)
		}
	}
	return out
}
