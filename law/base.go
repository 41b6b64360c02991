package law

import "rempart"

// Base returns the offence called id as an analyst may add it to a case with
// facts f where no rule proposes it, and whether the pack has it. Its penalty is
// that without circumstances; of an offence with several forms it names no
// paragraph and the smallest penalty, as the facts meet none of them. Because
// only says what the date of the acts leaves in doubt. today is YYYY-MM-DD.
func (p *Pack) Base(id string, f rempart.Facts, today string) (rempart.Qualification, bool) {
	o, ok := p.Offence(id)
	if !ok {
		return rempart.Qualification{}, false
	}
	pen, paragraph := o.Forms[0].penalty(0), ""
	if len(o.Forms) == 1 {
		paragraph = o.Forms[0].Paragraph
	}
	for _, form := range o.Forms[1:] {
		if a := form.penalty(0); a.PrisonYears < pen.PrisonYears || a.PrisonYears == pen.PrisonYears && a.FineEUR < pen.FineEUR {
			pen = a
		}
	}
	q := rempart.Qualification{
		ID: o.ID, Article: o.Article, Paragraph: paragraph, Code: o.Code, Label: o.Label,
		PrisonYears: pen.PrisonYears, FineEUR: pen.FineEUR, ComplaintRequired: o.Complaint, Conduct: o.Conduct,
		TextDate: o.TextDate, Source: o.Source, Verified: o.Verified, State: rempart.QualificationProposed,
	}
	switch day := dayOf(f, today); {
	case o.InForce.absent(day):
		q.Because, q.Verified = []rempart.Text{withArticle(p.Earlier.Created, o.Article)}, false
	case o.InForce.after(day):
		q.Because, q.Verified = []rempart.Text{withArticle(p.Earlier.Amended, o.Article)}, false
	}
	return q, true
}
