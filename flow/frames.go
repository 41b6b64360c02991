package flow

import (
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
