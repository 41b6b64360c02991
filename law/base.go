package law

import (
	"slices"

	"rempart"
)

// Base returns the offence called id as an analyst may add it to a case with
// facts f where no rule proposes it, and whether the pack has it. An offence that
// no fact tells comes with the circumstances that the facts meet. Of any other
// the penalty is that without circumstances; where it has several forms it names
// no paragraph and the smallest penalty, as the facts meet none of them, and
// Because only says what the date of the acts leaves in doubt. today is
// YYYY-MM-DD.
func (p *Pack) Base(id string, f rempart.Facts, today string) (rempart.Qualification, bool) {
	o, ok := p.Offence(id)
	if !ok {
		return rempart.Qualification{}, false
	}
	if o.ByHand != (rempart.Text{}) {
		return p.byHand(o, see(f, dayOf(f, today), p.filled)).q, true
	}
	day := dayOf(f, today)
	forms := slices.DeleteFunc(slices.Clone(o.Forms), func(form Form) bool { return form.To != "" && day >= form.To })
	pen, paragraph := forms[0].penalty(0), ""
	if len(forms) == 1 {
		paragraph = forms[0].Paragraph
	}
	for _, form := range forms[1:] {
		if a := form.penalty(0); pen.graver(a) {
			pen = a
		}
	}
	q := rempart.Qualification{
		ID: o.ID, Article: o.Article, Paragraph: paragraph, Code: o.Code, Label: o.Label,
		PrisonYears: pen.PrisonYears, FineEUR: pen.FineEUR, ComplaintRequired: o.Complaint, Conduct: o.Conduct,
		TextDate: o.TextDate, Source: o.Source, Verified: o.Verified, State: rempart.QualificationProposed,
	}
	switch {
	case o.InForce.absent(day):
		q.Because, q.Verified = []rempart.Text{withArticle(p.Earlier.Created, o.Article)}, false
	case o.InForce.after(day):
		q.Because, q.Verified = []rempart.Text{withArticle(p.Earlier.Amended, o.Article)}, false
	}
	return q, true
}

// byHand is an offence whose element an analyst has found.
func (p *Pack) byHand(o Offence, v view) outcome {
	form, why := o.form(v, p.Words)
	if why.is != yes {
		form = o.Forms[0]
	}
	var r outcome
	r.apply(p, o, form, v, append([]rempart.Text{o.ByHand}, why.because...), nil)
	if o.InForce.absent(v.day) {
		r.q.Because, r.q.Verified = append(r.q.Because, withArticle(p.Earlier.Created, o.Article)), false
	}
	return r
}
