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
	// Missing are the facts that nobody has said and that would change the
	// result, as questions, the most useful first.
	Missing []rempart.Question
	// NotCovered says why the acts fall outside an offence. It is never empty
	// when Qualifications is.
	NotCovered []rempart.Text
	Pack       string // version of the pack
}

// Qualify proposes the offences that f may constitute. The acts are dated by
// f.Date, or today when it is empty or no date; both are YYYY-MM-DD. The same
// arguments always give the same result.
func (p *Pack) Qualify(f rempart.Facts, today string) Result {
	v := see(f, dayOf(f, today), p.filled)
	r := Result{Pack: p.Version, Open: map[string][]rempart.Text{}}
	rank := map[string]int{}
	var near, far []asked // what would change the result, and what might
	for _, o := range p.OffenceList {
		got := p.propose(o, v)
		if got.is == no {
			if p.olderPart(o, v) {
				r.NotCovered = append(r.NotCovered, withArticle(p.Earlier.Part, o.Article))
			}
			continue
		}
		if o.InForce.absent(v.day) {
			if got.is == yes {
				r.NotCovered = append(r.NotCovered, withArticle(p.Earlier.Created, o.Article))
			}
			continue
		}
		if got.known {
			near = append(near, asked{o, got.ask})
		}
		if got.is == unknown {
			far = append(far, asked{o, got.ask})
			continue
		}
		r.Qualifications = append(r.Qualifications, got.q)
		if len(got.open) > 0 {
			r.Open[o.ID] = got.open
		}
		if !o.First {
			rank[o.ID] = 1
		}
	}
	slices.SortFunc(r.Qualifications, func(a, b rempart.Qualification) int {
		return cmp.Or(
			rank[a.ID]-rank[b.ID],
			cmp.Compare(b.PrisonYears, a.PrisonYears),
			b.FineEUR-a.FineEUR,
			strings.Compare(a.ID, b.ID),
		)
	})
	for _, n := range p.Uncovered {
		if n.holds(v, p.Words) {
			r.NotCovered = append(r.NotCovered, fillIn(n.Text, v.facts, p.Words))
		}
	}
	r.NotCovered = once(r.NotCovered)
	r.Missing = p.missing(near, v)
	if len(r.Missing) == 0 && len(r.Qualifications) == 0 && len(r.NotCovered) == 0 {
		if r.Missing = p.missing(far, v); len(r.Missing) > 1 {
			r.Missing = r.Missing[:1] // nothing is known yet: one question is enough to begin with
		}
	}
	if len(r.Qualifications) == 0 && len(r.NotCovered) == 0 {
		r.NotCovered = []rempart.Text{p.Nothing}
	}
	return r
}

// holds tells whether the reason is sure to apply.
func (n NotCovered) holds(v view, words Vocabulary) bool {
	return n.When.find(v, words).is == yes && (n.Unless == nil || n.Unless.find(v, words).is != yes)
}

// olderPart tells whether an offence is not proposed only as the acts are older
// than the part of its article that covers them.
func (p *Pack) olderPart(o Offence, v view) bool {
	later := v
	later.day = "9999-12-31"
	return !o.InForce.absent(v.day) && p.propose(o, later).is == yes
}

// An asked offence is one that hangs on facts nobody has said.
type asked struct {
	offence Offence
	facts   []string
}

// missing puts the facts in questions, in the pack's order.
func (p *Pack) missing(asks []asked, v view) []rempart.Question {
	var out []rempart.Question
	for _, q := range p.Questions {
		if v.facts.Word(q.Fact) != "" || q.When != nil && q.When.find(v, p.Words).is == no {
			continue
		}
		var decides []string
		for _, a := range asks {
			if slices.Contains(a.facts, q.Fact) && !slices.Contains(decides, a.offence.Article) {
				decides = append(decides, a.offence.Article)
			}
		}
		if len(decides) > 0 {
			out = append(out, rempart.Question{Fact: q.Fact, Ask: q.Text, Decides: decides})
		}
	}
	return out
}

// An outcome is what one offence makes of the facts.
type outcome struct {
	is    truth
	q     rempart.Qualification // when is is yes
	open  []rempart.Text
	ask   []string // facts nobody has said that would change it
	known bool     // something of it is sure, so that asking is worth it
}

// propose applies one offence, without regard to whether the article existed on
// the day.
func (p *Pack) propose(o Offence, v view) outcome {
	if o.ByHand != (rempart.Text{}) {
		return outcome{}
	}
	if o.Unless != nil && o.Unless.find(v, p.Words).is == yes {
		return outcome{}
	}
	main := o.When.find(v, p.Words)
	if main.is == no {
		return outcome{}
	}
	form, of := o.form(v, p.Words)
	r := outcome{is: min(main.is, of.is), known: main.known || o.AskWhen != nil && o.AskWhen.find(v, p.Words).is == yes}
	switch {
	case main.is == unknown:
		r.ask = main.bar
	case of.is == unknown:
		r.ask = of.bar
	case of.is == yes:
		r.ask = append(main.ask, of.ask...)
		r.apply(p, o, form, v, append(main.because, of.because...), append(main.open, of.open...))
	}
	return r
}

// apply fills in the qualification of a form: its penalty with the circumstances
// that the facts meet, and what is left open. unsaid is open as nobody has said
// it.
func (r *outcome) apply(p *Pack, o Offence, form Form, v view, because, unsaid []rempart.Text) {
	var paragraphs []string
	if form.Paragraph != "" {
		paragraphs = []string{form.Paragraph}
	}
	var met, might []Circumstance // among those that weigh: for sure, and if the facts say so
	var ask []string
	for i, c := range slices.Concat(o.Circumstances, o.Also) {
		got := c.When.find(v, p.Words)
		weighs := i < len(o.Circumstances)
		if weighs && got.is == unknown {
			might, ask = append(might, c), append(ask, got.ask...)
		}
		if got.is != yes {
			continue
		}
		because = append(because, got.because...)
		if c.Paragraph != "" {
			paragraphs = append(paragraphs, c.Paragraph)
		}
		if weighs {
			met = append(met, c)
		}
	}
	pen := form.with(met)
	if form.with(append(met, might...)).graver(pen) {
		r.ask = append(r.ask, ask...)
	}
	open := slices.Clone(unsaid)
	for _, d := range o.Doubts {
		if d.holds(v, p.Words) {
			open = append(open, fillIn(d.Text, v.facts, p.Words))
		}
	}
	older := o.InForce.after(v.day)
	switch {
	case older && o.InForce.Unverified:
		open = append(open, withArticle(p.Earlier.Doubtful, o.Article))
	case older:
		open = append(open, withArticle(p.Earlier.Amended, o.Article))
	}
	confidence := rempart.ConfidenceHigh
	switch {
	case len(unsaid) > 0 || older:
		confidence = rempart.ConfidenceLow
	case len(open) > 0:
		confidence = rempart.ConfidenceMedium
	}
	r.open = once(open)
	r.q = rempart.Qualification{
		ID: o.ID, Article: o.Article, Paragraph: strings.Join(paragraphs, ", "), Code: o.Code, Label: o.Label,
		PrisonYears: pen.PrisonYears, FineEUR: pen.FineEUR, ComplaintRequired: o.Complaint, Conduct: o.Conduct,
		Because: once(append(because, open...)), TextDate: o.TextDate, Source: o.Source,
		// The penalties of an older wording were not read.
		Verified:   o.Verified && !older,
		Confidence: confidence,
		State:      rempart.QualificationProposed,
	}
}

func (d Doubt) holds(v view, words Vocabulary) bool {
	if d.Unknown != "" {
		return v.facts.Word(d.Unknown) == ""
	}
	return d.When.find(v, words).is == yes
}

// form returns the first form that the facts meet. Where they meet none and
// might meet one, what is missing is in the finding.
func (o Offence) form(v view, words Vocabulary) (Form, finding) {
	var maybe finding
	for _, form := range o.Forms {
		if form.To != "" && v.day >= form.To {
			continue
		}
		if form.When == nil {
			return form, finding{is: yes, ask: maybe.ask}
		}
		got := form.When.find(v, words)
		switch got.is {
		case yes:
			got.ask = append(got.ask, maybe.ask...)
			return form, got
		case unknown:
			maybe.is, maybe.ask, maybe.bar = unknown, append(maybe.ask, got.ask...), append(maybe.bar, got.bar...)
		}
	}
	return Form{}, maybe
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

// with returns the penalty with these circumstances.
func (form Form) with(met []Circumstance) Penalty {
	counted, own := 0, Penalty{}
	for _, c := range met {
		switch {
		case c.Penalty == nil:
			counted++
		case c.Penalty.graver(own):
			own = *c.Penalty
		}
	}
	if pen := form.penalty(counted); !own.graver(pen) {
		return pen
	}
	return own
}

// after tells whether the article or its wording came into force after day, or
// may have: when its date is not verified, a day that begins with it counts.
func (i InForce) after(day string) bool {
	if i.From == "" {
		return false
	}
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return false
	}
	return day < i.From || i.Unverified && strings.HasPrefix(day, i.From)
}

// absent tells whether the article did not exist at all on day, or no longer.
func (i InForce) absent(day string) bool {
	if i.To != "" && day >= i.To {
		return true
	}
	return i.How == "created" && i.after(day) && !strings.HasPrefix(day, i.From)
}

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
