package law

import (
	"fmt"

	"rempart"
)

// A Rule is one entry of a pack, as a list of them shows it.
type Rule struct {
	Kind     string `json:"kind"` // "offence", "not covered", "information", "clock", "category", "question"
	ID       string `json:"id"`
	TextDate string `json:"text_date"`
	InForce  string `json:"in_force"` // "in force 2024-05-23", or that its date is not verified
	Source   string `json:"source"`
	Verified bool   `json:"verified"`
	Examples int    `json:"examples"`       // that were worked when the pack was loaded
	Note     string `json:"note,omitempty"` // what else a reader of the list should know
}

// Rules lists every entry of the pack that has a source, in its order.
func (p *Pack) Rules() []Rule {
	var out []Rule
	for _, o := range p.OffenceList {
		r := Rule{Kind: "offence", ID: o.ID, TextDate: o.TextDate, InForce: o.InForce.String(), Source: o.Source, Verified: o.Verified, Examples: len(o.Examples)}
		if o.ByHand != (rempart.Text{}) {
			r.Note = "added by an analyst only"
		}
		out = append(out, r)
	}
	for _, n := range p.Uncovered {
		out = append(out, Rule{Kind: "not covered", ID: n.ID, TextDate: p.TextDate, InForce: "reason", Source: n.Source, Verified: true, Examples: 1})
	}
	for _, i := range p.Information {
		r := Rule{Kind: "information", ID: i.ID, TextDate: i.TextDate, InForce: "in force", Source: i.Source, Verified: i.Verified, Examples: len(i.Examples), Note: "never proposed"}
		switch {
		case i.Never:
			r.InForce = "not in force"
		case i.To != "":
			r.InForce = "until " + i.To
		case i.From != "":
			r.InForce = "in force " + i.From
		}
		out = append(out, r)
	}
	for _, c := range p.ClockList {
		r := Rule{Kind: "clock", ID: c.ID, TextDate: c.TextDate, InForce: c.Within, Source: c.Source, Verified: c.Verified, Examples: len(c.Examples)}
		if c.Months > 0 {
			r.InForce = fmt.Sprintf("%d months", c.Months)
		}
		if c.Policy {
			r.Note = "our default: the law gives no number"
		}
		if c.Only != "" {
			r.Note = "started by " + c.Only + " only"
		}
		out = append(out, r)
	}
	for _, c := range p.CategoryList {
		out = append(out, Rule{Kind: "category", ID: c.Code + " " + c.Name, TextDate: c.TextDate, InForce: c.Statement, Source: c.Source, Verified: true, Examples: len(c.Examples)})
	}
	return out
}

// String says since when, in the words of a list.
func (i InForce) String() string {
	switch {
	case i.From == "":
		return "in force since before, date not read"
	case i.Unverified:
		return fmt.Sprintf("%s %s, date UNVERIFIED", i.How, i.From)
	}
	return fmt.Sprintf("%s %s", i.How, i.From)
}
