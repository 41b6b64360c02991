package flow

import (
	"slices"

	"rempart"
	"rempart/media"
)

// frameQueries asks for each frame of an animation that is not flat, but the
// first, which is the picture itself unless it says otherwise.
func frameQueries(fp media.Fingerprints) []Query {
	var out []Query
	for _, fr := range fp.Frames {
		if fr.Quality >= rempart.MinQuality && fr.PDQ != fp.PDQ {
			out = append(out, Query{
				Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: fr.PDQ.String(), Quality: fr.Quality},
				Dihedral:    fr.Dihedral[:],
			})
		}
	}
	return out
}

// once returns each entry that matched once, where it is nearest: most frames of
// an animation are alike.
func once(matches []rempart.Match) []rempart.Match {
	best := map[string]int{}
	for i, m := range matches {
		if j, ok := best[m.EntryID]; !ok || m.Distance < matches[j].Distance {
			best[m.EntryID] = i
		}
	}
	i := -1
	return slices.DeleteFunc(matches, func(m rempart.Match) bool {
		i++
		return best[m.EntryID] != i
	})
}
