package flow

import (
	"slices"

	"rempart"
	"rempart/near"
	"rempart/pdq"
	"rempart/vpdq"
)

// A VideoQuery is the images of one video, as they are and, where the video has
// uniform borders, without them; each in its eight dihedral forms, in the order
// of package pdq.
type VideoQuery struct {
	Whole, Unbordered [8][]vpdq.Feature // none where there are none
}

// ofVideo returns the query of images of which only bits are known.
func ofVideo(f rempart.Fingerprint) *VideoQuery {
	q, images := &VideoQuery{}, f.Images()
	for form := range q.Whole {
		q.Whole[form] = vpdq.Turn(images, pdq.Dihedral(form))
	}
	return q
}

// Of the IDs in the index, those of images of videos have the highest bit, then
// the entry's number and, in frameBits, the image's place.
const (
	frameMark = 1 << 63
	frameBits = 12 // rempart.MaxFrames
)

func frameID(num uint64, k int) near.ID {
	return near.ID(frameMark | num<<frameBits | uint64(k))
}

func frameOf(id near.ID) (num uint64, k int, ok bool) {
	return uint64(id) &^ frameMark >> frameBits, int(id & (1<<frameBits - 1)), id&frameMark != 0
}

// addVideo puts the images of an entry in; mu is held.
func (x *index) addVideo(num uint64, f rempart.Fingerprint) {
	images := f.Images()
	x.videos[num] = images
	for k, image := range images {
		x.near.Add(frameID(num, k), image.PDQ)
	}
}

func (x *index) removeVideo(num uint64) {
	for k := range x.videos[num] {
		x.near.Remove(frameID(num, k))
	}
	delete(x.videos, num)
}

// frameMatch returns what is said of one image of a listed video that was found;
// mu is held.
func (x *index) frameMatch(num uint64, k, distance int, form string) (rempart.Match, rempart.List, bool) {
	m, l, ok := x.match(num, pdq.Hash{}, distance, form)
	if !ok || distance > l.Video.Distance || k >= len(x.videos[num]) {
		return m, l, false
	}
	f := x.videos[num][k]
	m.Value, m.Action, m.At = f.PDQ.String(), l.Video.Frame, &f.Timestamp
	return m, l, true
}

// A tally counts, for one listed video and one form of the query, the images of
// both that matched.
type tally struct {
	nearest int
	query   int
	last    int // one more than the last image of the query that was counted
	listed  []bool
	matched int
}

// searchAtOnce bounds how many results of the index are in memory at once.
const searchAtOnce = 256

// findVideo returns, for the eight forms of a video, the listed pictures that
// are among its images and the listed videos that it is, each in its best form.
func (x *index) findVideo(forms [8][]vpdq.Feature) []rempart.Match {
	x.mu.RLock()
	defer x.mu.RUnlock()
	best := map[uint64]rempart.Match{}
	for form, images := range forms {
		name := pdq.Dihedral(form).String()
		videos := map[uint64]*tally{}
		for from := 0; from < len(images); from += searchAtOnce {
			part := images[from:min(from+searchAtOnce, len(images))]
			hashes := make([]pdq.Hash, len(part))
			for k, f := range part {
				hashes[k] = f.PDQ
			}
			for k, found := range x.near.SearchBatch(hashes, pdq.MatchDistance) {
				quiet := x.quiet(found)
				for _, hit := range found {
					if hit.Distance >= quiet {
						continue // a harmless picture is as near
					}
					if num, frame, ok := frameOf(hit.ID); ok {
						x.count(videos, num, frame, from+k, hit.Distance)
						continue
					}
					num := uint64(hit.ID)
					if old, had := best[num]; had && old.Distance <= hit.Distance {
						continue
					}
					if m, _, ok := x.match(num, hit.Hash, hit.Distance, name); ok {
						m.At = &images[from+k].Timestamp
						best[num] = m
					}
				}
			}
		}
		for num, t := range videos {
			m, ok := x.videoMatch(num, t, images, name)
			if old, had := best[num]; ok && (!had || better(m.Video, old.Video)) {
				best[num] = m
			}
		}
	}
	out := make([]rempart.Match, 0, len(best))
	for _, m := range best {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b rempart.Match) int { return a.Distance - b.Distance })
	return out
}

// count notes that an image of the query matches one of a listed video, if that
// is near enough for its list; mu is held.
func (x *index) count(videos map[uint64]*tally, num uint64, frame, image, distance int) {
	c, ok := x.shelf.get(num)
	if !ok || frame >= len(x.videos[num]) {
		return
	}
	if l, ok := x.list(c.Entry.List); !ok || distance > l.Video.Distance {
		return
	}
	t := videos[num]
	if t == nil {
		t = &tally{nearest: distance, listed: make([]bool, len(x.videos[num]))}
		videos[num] = t
	}
	t.nearest = min(t.nearest, distance)
	if t.last != image+1 {
		t.last = image + 1
		t.query++
	}
	if !t.listed[frame] {
		t.listed[frame] = true
		t.matched++
	}
}

// videoMatch returns what is said of a listed video of which some images were
// found, if that is enough for its list; mu is held.
func (x *index) videoMatch(num uint64, t *tally, images []vpdq.Feature, form string) (m rempart.Match, ok bool) {
	m, l, ok := x.match(num, pdq.Hash{}, t.nearest, form)
	if !ok {
		return m, false
	}
	// The index has counted already: most videos that share an image end here.
	if !l.Video.Possible(vpdq.Count{Kept: len(images), Matched: t.query}, vpdq.Count{Kept: len(t.listed), Matched: t.matched}) {
		return m, false
	}
	v, ok := l.Video.Compare(images, x.videos[num])
	if v.Few {
		m.Action = l.Video.Frame
	}
	m.Video = &v
	return m, ok
}

// better tells whether a says more of the same videos than b.
func better(a, b *rempart.VideoMatch) bool {
	return max(a.Query, a.Listed) > max(b.Query, b.Listed) || max(a.Query, a.Listed) == max(b.Query, b.Listed) && a.Aligned > b.Aligned
}
