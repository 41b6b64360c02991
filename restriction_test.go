package rempart

import (
	"strings"
	"testing"
	"time"
)

// TestMissingAtDecision takes a decision that lacks nothing and makes one thing
// wrong at a time.
func TestMissingAtDecision(t *testing.T) {
	at := time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC)
	for name, x := range map[string]struct {
		change func(*Decision)
		want   string
	}{
		"removed": {func(d *Decision) {}, ""},
		"removed, with all": {func(d *Decision) {
			d.Restrictions = []Restriction{Disabled, "account.suspended", "monetary.suspension"}
			d.Until = "2026-11-22"
		}, ""},
		"refused":                  {func(d *Decision) { d.Measure, d.Reference = MeasureRefused, "" }, ""},
		"restricted to what":       {func(d *Decision) { d.Measure = MeasureRestricted }, "decision.restrictions"},
		"restricted":               {func(d *Decision) { d.Measure, d.Restrictions = MeasureRestricted, []Restriction{"visibility.demoted"} }, ""},
		"unknown":                  {func(d *Decision) { d.Restrictions = []Restriction{Removed, "visibility.hidden"} }, "decision.restrictions"},
		"refused and yet":          {func(d *Decision) { d.Measure, d.Restrictions = MeasureRefused, []Restriction{"visibility.demoted"} }, "decision.restrictions_refused"},
		"removed and yet there":    {func(d *Decision) { d.Restrictions = []Restriction{"visibility.demoted"} }, "decision.restrictions_removed"},
		"restricted and yet gone":  {func(d *Decision) { d.Measure, d.Restrictions = MeasureRestricted, []Restriction{Removed} }, "decision.restrictions_restricted"},
		"suspended and terminated": {func(d *Decision) { d.Restrictions = []Restriction{Removed, "account.suspended", "account.terminated"} }, "decision.restrictions_once"},
		"other, without its name":  {func(d *Decision) { d.Restrictions = []Restriction{Removed, "monetary.other"} }, "decision.other"},
		"other, long": {func(d *Decision) {
			d.Restrictions, d.Other = []Restriction{Removed, "monetary.other"}, strings.Repeat("é", 501)
		}, "decision.other"},
		"ended yesterday":       {func(d *Decision) { d.Until = "2026-11-21" }, "decision.until"},
		"ends on no day":        {func(d *Decision) { d.Until = "2027-02-29" }, "decision.until"},
		"ends too late":         {func(d *Decision) { d.Until = "2038-01-02" }, "decision.until"},
		"put online today":      {func(d *Decision) { d.PostedOn = "2026-11-23" }, ""}, // it is tomorrow already further east
		"put online later":      {func(d *Decision) { d.PostedOn = "2026-11-24" }, "decision.posted_on"},
		"put online 01/11/2026": {func(d *Decision) { d.PostedOn = "01/11/2026" }, "decision.posted_on"},
		"content unknown":       {func(d *Decision) { d.ContentTypes = []string{"gif"} }, "decision.content_types"},
		"means unknown":         {func(d *Decision) { d.Means = "perhaps" }, "decision.means"},
		"long":                  {func(d *Decision) { d.Explanation = strings.Repeat("é", 2001) }, "decision.length"},
	} {
		d := Decision{Measure: MeasureRemoved, Ground: "law", Reference: "Code pénal, art. 226-8-1", Facts: "une page de test", Explanation: "une explication assez longue", Redress: []string{"court"}}
		x.change(&d)
		m := d.Normal().MissingAtDecision(at)
		switch {
		case x.want == "" && len(m) > 0:
			t.Errorf("%s: lacks %+v", name, m)
		case x.want != "" && (len(m) != 1 || m[0].Code != x.want || m[0].Article == ""):
			t.Errorf("%s: %+v, want %s", name, m, x.want)
		}
	}
}

func TestDecisionNormal(t *testing.T) {
	for _, x := range []struct{ in, want Decision }{
		{Decision{Automated: true}, Decision{Automated: true, Means: MeansPartially}},
		{Decision{Detected: true}, Decision{Automated: true, Detected: true, Means: MeansNone}},
		{Decision{Automated: true, Detected: true}, Decision{Automated: true, Detected: true, Means: MeansNone}},
		{Decision{Means: MeansFully}, Decision{Automated: true, Means: MeansFully}},
		{Decision{}, Decision{Means: MeansNone}},
	} {
		got := x.in.Normal()
		if got.Automated != x.want.Automated || got.Detected != x.want.Detected || got.Means != x.want.Means {
			t.Errorf("%+v becomes %+v, want %+v", x.in, got, x.want)
		}
	}
	if got := (Decision{Measure: MeasureRemoved}).Normal().Restrictions; len(got) != 1 || got[0] != Removed {
		t.Errorf("an item that was removed has the restrictions %v", got)
	}
}
