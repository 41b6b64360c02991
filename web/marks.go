package web

import (
	"rempart"
	"rempart/provenance"
)

// marksView is what a file says of how it was made, a sentence for each mark,
// between a title and a caution.
type marksView struct {
	Title, Caution string
	Says           []string
}

// marksOf puts marks in words: what the file says, according to what, and where
// that stands in it; nil if there are none.
func marksOf(p page, marks []provenance.Mark) *marksView {
	if len(marks) == 0 {
		return nil
	}
	out := &marksView{Title: p.T("marks.title"), Caution: p.T("marks.caution")}
	for _, m := range marks {
		sentence := p.T("mark.says", claimOf(p, m), p.T("mark.by."+groundOf(m), m.Key), m.Part)
		if m.Signature != "" {
			sentence += " " + p.T("mark.signature."+m.Signature)
		}
		out.Says = append(out.Says, sentence)
	}
	return out
}

// claimOf is what a mark says of the file.
func claimOf(p page, m provenance.Mark) string {
	switch {
	case m.Source != "" && m.Generator != "":
		return p.T("mark.claim.with", p.T("mark.source."+m.Source), m.Generator)
	case m.Source != "":
		return p.T("mark.source." + m.Source)
	case m.Generator != "" && m.Editor():
		return p.T("mark.claim.edited", m.Generator)
	case m.Generator != "":
		return p.T("mark.claim.made", m.Generator)
	case m.Kind == "aigc":
		return p.T("mark.claim.aigc")
	case m.Key == "AISystemUsed":
		return p.T("mark.claim.system")
	case m.Kind == "text":
		return p.T("mark.claim.prompt")
	case m.Key == "remote":
		return p.T("mark.claim.remote")
	}
	return p.T("mark.claim.silent")
}

// groundOf is the end of the key of what a mark stands in.
func groundOf(m provenance.Mark) string {
	if m.Kind == "c2pa" {
		return m.Key
	}
	return m.Kind
}

// hints are sentences for an analyst: of each medium that says it comes from AI,
// while the facts say something else or nothing. The facts stay as they are.
func hints(p page, f rempart.Facts, media []itemView) []string {
	if f.Origin == rempart.OriginAIGenerated || f.Origin == rempart.OriginAIManipulated {
		return nil
	}
	origin := f.Origin
	if origin == "" {
		origin = rempart.OriginUnknown
	}
	var out []string
	for _, i := range media {
		if i.SaysAI() {
			out = append(out, p.T("marks.hint", i.Label, p.T("fact.origin."+string(origin))))
		}
	}
	return out
}
