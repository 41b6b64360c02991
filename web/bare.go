package web

import (
	"cmp"
	"slices"

	"rempart"
	"rempart/provenance"
)

// bareAnswer is what POST /api/v1/match answers to a key that may only look up: of a
// match, which list has it and what that recommends. What is listed, how near it is
// and whose it is would let such a key learn the list by asking.
type bareAnswer struct {
	Results    []bareResult       `json:"results"`
	Position   string             `json:"position"`
	Provenance *[]provenance.Mark `json:"provenance,omitempty"`
}

type bareResult struct {
	Type    rempart.FingerprintType `json:"type"`
	Value   string                  `json:"value"`
	Quality int                     `json:"quality,omitempty"`
	Note    string                  `json:"note,omitempty"`
	Matches []bareMatch             `json:"matches"`
}

type bareMatch struct {
	List   string                  `json:"list"`
	Type   rempart.FingerprintType `json:"type"`
	Class  rempart.Class           `json:"class"`
	Action rempart.Action          `json:"action"`
	Num    uint64                  `json:"entry"`
}

// bareAnswer leaves out of an answer what a key that may only look up is not told.
func (s *Server) bareAnswer(a *matchAnswer) *bareAnswer {
	out := &bareAnswer{Position: a.Position, Provenance: a.Provenance}
	for _, r := range a.Results {
		b := bareResult{r.Type, r.Value, r.Quality, r.Note, []bareMatch{}}
		for _, m := range s.bare(r.Matches) {
			b.Matches = append(b.Matches, bareMatch{m.List, m.Type, m.Class, m.Action, m.Num})
		}
		out.Results = append(out.Results, b)
	}
	return out
}

// bare returns one match for each list, its oldest entry's, with the largest
// distance that the list takes for a match in the place of its own.
func (s *Server) bare(found []rempart.Match) []rempart.Match {
	all := slices.Clone(found)
	slices.SortFunc(all, func(a, b rempart.Match) int { return cmp.Or(cmp.Compare(a.List, b.List), cmp.Compare(a.Num, b.Num)) })
	all = slices.CompactFunc(all, func(a, b rempart.Match) bool { return a.List == b.List })
	for i, m := range all {
		l, _ := s.Flow.List(m.List)
		all[i] = rempart.Match{List: m.List, Type: m.Type, Class: m.Class, Action: m.Action, Num: m.Num}
		if m.Type.Perceptual() {
			all[i].Distance = l.Threshold
		}
	}
	return all
}
