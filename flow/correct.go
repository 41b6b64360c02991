package flow

import (
	"context"
	"time"

	"rempart"
	"rempart/law"
)

// Correct replaces the facts of a case, which an analyst saw as was, and
// qualifies it anew: see [rempart.Case.CorrectFacts].
func (f *Flow) Correct(ctx context.Context, caseID string, was, facts rempart.Facts, by rempart.Actor) error {
	now := f.Now()
	return f.DB.UpdateCase(ctx, caseID, "", func(c *rempart.Case) error {
		propose := func(facts rempart.Facts) rempart.Proposal { return f.propose(facts, c.OpenedAt, now) }
		return c.CorrectFacts(was, facts, propose, by, now)
	})
}

// Requalify qualifies a case anew with the law pack of this program, where it was
// qualified with the version was: see [rempart.Case.Requalify].
func (f *Flow) Requalify(ctx context.Context, caseID, was string, by rempart.Actor) error {
	now := f.Now()
	return f.DB.UpdateCase(ctx, caseID, "", func(c *rempart.Case) error {
		return c.Requalify(was, f.propose(c.Facts, c.OpenedAt, now), by, now)
	})
}

// propose is what the law pack makes of facts in a case that has waited since
// opened.
func (f *Flow) propose(facts rempart.Facts, opened, now time.Time) rempart.Proposal {
	r := f.Law.Qualify(facts, now.Format(time.DateOnly))
	p, because := law.Priority(facts, opened, now)
	return rempart.Proposal{Quals: r.Qualifications, NotCovered: r.NotCovered, Missing: r.Missing, Pack: r.Pack,
		Category: law.CategoryOf(facts).Code, Priority: p, Because: because}
}

// AddQualification adds to a case an offence of the law pack that it did not
// propose, for an analyst's reason.
func (f *Flow) AddQualification(ctx context.Context, caseID, offence, reason string, by rempart.Actor) error {
	now := f.Now()
	return f.DB.UpdateCase(ctx, caseID, "", func(c *rempart.Case) error {
		q, ok := f.Law.Base(offence, c.Facts, now.Format(time.DateOnly))
		if !ok {
			return &rempart.Error{Kind: rempart.Invalid, Field: "offence", Code: "qualification.offence", Public: "Choose one of the offences of the law pack."}
		}
		return c.AddQualification(q, reason, by, now)
	})
}
