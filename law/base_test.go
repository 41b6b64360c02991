package law

import (
	"strings"
	"testing"

	"rempart"
)

// TestBase adds each offence to a case in which nothing is known: it must be
// whole, and never graver than any form of it.
func TestBase(t *testing.T) {
	p := France()
	if len(p.Offences()) == 0 {
		t.Fatal("no offences")
	}
	for _, o := range p.Offences() {
		q, ok := p.Base(o.ID, rempart.Facts{}, p.TextDate)
		if !ok || q.ID != o.ID || q.Article != o.Article || q.Code != o.Code || q.Label != o.Label || q.Source != o.Source || q.TextDate != o.TextDate || q.Conduct != o.Conduct || q.State != rempart.QualificationProposed {
			t.Errorf("%s: %v %+v", o.ID, ok, q)
		}
		found := false
		for _, form := range o.Forms {
			if form.To != "" && form.To <= p.TextDate {
				continue // of older acts
			}
			pen := form.penalty(0)
			if pen.PrisonYears < q.PrisonYears {
				t.Errorf("%s: %g years, more than the %g of a form", o.ID, q.PrisonYears, pen.PrisonYears)
			}
			found = found || pen.PrisonYears == q.PrisonYears && pen.FineEUR == q.FineEUR
		}
		if !found || (len(q.Because) != 0) != (o.ByHand != rempart.Text{}) {
			t.Errorf("%s: %g years, %d euros is no penalty of it, or it is in doubt: %v", o.ID, q.PrisonYears, q.FineEUR, q.Because)
		}
	}
	if _, ok := p.Base("fr-nothing", rempart.Facts{}, p.TextDate); ok {
		t.Error("an offence that is not in the pack")
	}

	old, _ := p.Base("fr-226-8-1", rempart.Facts{Date: "2020-01-01"}, p.TextDate) // created in May 2024
	if old.Verified || len(old.Because) != 1 || !strings.Contains(old.Because[0].FR, "226-8-1") {
		t.Errorf("acts older than the article: verified %v, because %v", old.Verified, old.Because)
	}
	several, _ := p.Base("fr-227-23", rempart.Facts{}, p.TextDate) // four forms, one graver than the others
	if several.Paragraph != "" || several.PrisonYears != 5 || several.FineEUR != 75000 {
		t.Errorf("of several forms: %q, %g years, %d euros", several.Paragraph, several.PrisonYears, several.FineEUR)
	}
}
