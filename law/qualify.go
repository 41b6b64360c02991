package law

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"rempart"
)

// A Result is what a pack makes of the facts.
type Result struct {
	// Qualifications are in state proposed. Those marked first come first, then
	// the gravest: years, then fine, then identifier.
	Qualifications []rempart.Qualification
	// Open lists, by the qualification's ID, the elements that the facts leave
	// open and the analyst has to establish; they also end its Because. None:
	// the facts, if true, suffice.
	Open map[string][]rempart.Text
	// NotCovered says why the acts fall outside an offence. It is never empty
	// when Qualifications is.
	NotCovered []rempart.Text
	Pack       string // version of the pack
}

// Qualify proposes the offences that f may constitute. The acts are dated by
// f.Date, or today when it is empty or no date; both are YYYY-MM-DD. The same
// arguments always give the same result.
func (p *Pack) Qualify(f rempart.Facts, today string) Result {
	f.Fill()
	day := dayOf(f, today)
	r := Result{Pack: p.Version, Open: map[string][]rempart.Text{}}
	rank := map[string]int{}
	for _, o := range p.OffenceList {
		q, open, ok := p.propose(o, f, day)
		if !ok {
			continue
		}
		if o.InForce.absent(day) {
			r.NotCovered = append(r.NotCovered, withArticle(p.Earlier.Created, o.Article))
			continue
		}
		r.Qualifications = append(r.Qualifications, q)
		if len(open) > 0 {
			r.Open[o.ID] = open
		}
		if !o.First {
			rank[o.ID] = 1
		}
	}
	slices.SortFunc(r.Qualifications, func(a, b rempart.Qualification) int {
		return cmp.Or(
			rank[a.ID]-rank[b.ID],
			b.PrisonYears-a.PrisonYears,
			b.FineEUR-a.FineEUR,
			strings.Compare(a.ID, b.ID),
		)
	})
	for _, n := range p.Uncovered {
		if ok, _ := n.When.holds(f, p.Words); ok {
			r.NotCovered = append(r.NotCovered, n.Text)
		}
	}
	if len(r.Qualifications) == 0 && len(r.NotCovered) == 0 {
		r.NotCovered = []rempart.Text{p.Nothing}
	}
	return r
}

// propose applies one offence to f, which is filled, without regard to whether
// the article existed on day. It returns the qualification and the elements
// left open.
func (p *Pack) propose(o Offence, f rempart.Facts, day string) (rempart.Qualification, []rempart.Text, bool) {
	ok, because := o.When.holds(f, p.Words)
	if !ok {
		return rempart.Qualification{}, nil, false
	}
	form, why, ok := o.form(f, p.Words)
	if !ok {
		return rempart.Qualification{}, nil, false
	}
	because = append(because, why...)

	var paragraphs []string
	if form.Paragraph != "" {
		paragraphs = []string{form.Paragraph}
	}
	met := 0
	for i, c := range slices.Concat(o.Circumstances, o.Also) {
		ok, b := c.When.holds(f, p.Words)
		if !ok {
			continue
		}
		because = append(because, b...)
		if c.Paragraph != "" {
			paragraphs = append(paragraphs, c.Paragraph)
		}
		if i < len(o.Circumstances) {
			met++
		}
	}
	var open []rempart.Text
	for _, d := range o.Doubts {
		if ok, _ := d.When.holds(f, p.Words); ok {
			open = append(open, d.Text)
		}
	}
	older := o.InForce.after(day)
	if older {
		open = append(open, withArticle(p.Earlier.Amended, o.Article))
	}
	pen := form.penalty(met)
	return rempart.Qualification{
		ID: o.ID, Article: o.Article, Paragraph: strings.Join(paragraphs, ", "), Code: o.Code, Label: o.Label,
		PrisonYears: pen.PrisonYears, FineEUR: pen.FineEUR, ComplaintRequired: o.Complaint, Conduct: o.Conduct,
		Because: once(append(because, open...)), TextDate: o.TextDate, Source: o.Source,
		// The penalties of an older wording were not read.
		Verified: o.Verified && !older,
		State:    rempart.QualificationProposed,
	}, open, true
}

// form returns the first form that f meets.
func (o Offence) form(f rempart.Facts, v Vocabulary) (Form, []rempart.Text, bool) {
	for _, form := range o.Forms {
		if form.When == nil {
			return form, nil, true
		}
		if ok, because := form.When.holds(f, v); ok {
			return form, because, true
		}
	}
	return Form{}, nil, false
}

// penalty returns the penalty for that many circumstances.
func (form Form) penalty(met int) Penalty {
	found := form.Penalties[0]
	for _, pen := range form.Penalties {
		if pen.Circumstances <= met {
			found = pen
		}
	}
	return found
}

// after tells whether the article or its wording came into force after day.
func (i InForce) after(day string) bool {
	if i.Unverified {
		return false
	}
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return false
	}
	return day < i.From
}

// absent tells whether the article did not exist at all on day.
func (i InForce) absent(day string) bool { return i.How == "created" && i.after(day) }

// dayOf returns the date of the acts, or today when nobody gave one.
func dayOf(f rempart.Facts, today string) string {
	if checkDate(f.Date) != nil {
		return today
	}
	return f.Date
}

func withArticle(t rempart.Text, article string) rempart.Text {
	return rempart.Text{
		FR: strings.ReplaceAll(t.FR, "{article}", article),
		EN: strings.ReplaceAll(t.EN, "{article}", article),
	}
}

// once drops a sentence that was said before.
func once(texts []rempart.Text) []rempart.Text {
	var out []rempart.Text
	for _, t := range texts {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}
