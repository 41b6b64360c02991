package rempart

import (
	"slices"
	"strings"
	"time"
)

// A Restriction is one kind of thing that a platform does to an item or to who
// put it there (DSA article 17(1)(a) to (d)), named as the EU's transparency
// database names it: the part before the dot is the field, the part after it the
// value.
type Restriction string

// Restrictions, in the order they are offered.
var Restrictions = []Restriction{
	"visibility.removed", "visibility.disabled", "visibility.demoted", "visibility.age_restricted", "visibility.interaction_restricted",
	"visibility.labelled", "visibility.other",
	"monetary.suspension", "monetary.termination", "monetary.other",
	"provision.partial_suspension", "provision.total_suspension", "provision.partial_termination", "provision.total_termination",
	"account.suspended", "account.terminated",
}

// Restrictions that take an item away.
const (
	Removed  Restriction = "visibility.removed"
	Disabled Restriction = "visibility.disabled"
)

// ContentTypes are the kinds of content of the EU's transparency database.
var ContentTypes = []string{"image", "video", "synthetic_media", "text", "audio", "app", "product", "other"}

// Means says how far a decision was taken by automated means.
type Means string

// Degrees of automation, as the EU's transparency database has them.
const (
	MeansNone      Means = "not_automated"
	MeansPartially Means = "partially"
	MeansFully     Means = "fully"
)

// AllMeans are the degrees of automation in the order they are offered.
var AllMeans = []Means{MeansNone, MeansPartially, MeansFully}

// Longest texts of a decision, in characters, as the EU's transparency database
// takes them.
const (
	MaxReference   = 500
	MaxExplanation = 2000
	MaxFacts       = 5000
)

// lastDay is the last day that the EU's transparency database takes.
const lastDay = "2038-01-01"

// Normal returns the decision with what follows from the rest filled in: an item
// that was removed has the restriction that says so, and automated means are
// declared whichever way they were used.
func (d Decision) Normal() Decision {
	if d.Measure == MeasureRemoved && len(d.Restrictions) == 0 {
		d.Restrictions = []Restriction{Removed}
	}
	if d.Means == "" {
		d.Means = MeansNone
		if d.Automated && !d.Detected {
			d.Means = MeansPartially
		}
	}
	d.Automated = d.Automated || d.Detected || d.Means != MeansNone
	d.Unfounded = d.Unfounded && d.Measure == MeasureRefused
	return d
}

// MissingAtDecision names what a decision of our own lacks when a moderator
// takes it: all that Missing asks for and, as article 17(3)(a) asks for the
// restriction, its territory and its duration, which restrictions and until
// when. It is asked of a decision after Normal.
func (d Decision) MissingAtDecision(at time.Time) []Missing {
	m := d.Missing()
	add := func(field, article, code, public string) { m = append(m, Missing{field, article, code, public}) }
	takes := slices.Contains(d.Restrictions, Removed) || slices.Contains(d.Restrictions, Disabled)
	unknown := slices.ContainsFunc(d.Restrictions, func(r Restriction) bool { return !slices.Contains(Restrictions, r) })
	switch {
	case unknown, d.Measure == MeasureRestricted && len(d.Restrictions) == 0:
		add("restrictions", "17(3)(a)", "decision.restrictions", "Say which restrictions are imposed.")
	case d.Measure == MeasureRefused && len(d.Restrictions) > 0:
		add("restrictions", "17(3)(a)", "decision.restrictions_refused", "A refusal imposes no restriction: choose another measure, or none of the restrictions.")
	case d.Measure == MeasureRemoved && !takes:
		add("restrictions", "17(3)(a)", "decision.restrictions_removed", "What is removed is removed or made inaccessible: choose one of the two.")
	case d.Measure == MeasureRestricted && takes:
		add("restrictions", "17(3)(a)", "decision.restrictions_restricted", "To remove the item or make it inaccessible, choose the measure removed.")
	case d.once("monetary.") || d.once("provision.") || d.once("account."):
		add("restrictions", "17(3)(a)", "decision.restrictions_once", "Of payments, of the service and of the account choose at most one restriction each.")
	}
	other := slices.ContainsFunc(d.Restrictions, func(r Restriction) bool { return strings.HasSuffix(string(r), ".other") })
	if other && strings.TrimSpace(d.Other) == "" || len([]rune(d.Other)) > MaxReference {
		add("other", "17(3)(a)", "decision.other", "Say in at most 500 characters what the other restriction is.")
	}
	if d.Until != "" && (!isDay(d.Until) || d.Until < at.UTC().Format(time.DateOnly) || d.Until > lastDay) {
		add("until", "17(3)(a)", "decision.until", "The end of the restriction is a day from today on; leave it empty if it has no end.")
	}
	if d.PostedOn != "" && (!isDay(d.PostedOn) || d.PostedOn > at.UTC().AddDate(0, 0, 1).Format(time.DateOnly) || d.PostedOn < "2000-01-01") {
		add("posted_on", "17(3)(b)", "decision.posted_on", "The day the content was put online is today at the latest.")
	}
	if slices.ContainsFunc(d.ContentTypes, func(t string) bool { return !slices.Contains(ContentTypes, t) }) {
		add("content_types", "17(3)(b)", "decision.content_types", "Choose the kinds of content from the list.")
	}
	if !slices.Contains(AllMeans, d.Means) {
		add("means", "17(3)(c)", "decision.means", "Say whether the decision was taken by automated means.")
	}
	if len([]rune(d.Reference)) > MaxReference || len([]rune(d.Explanation)) > MaxExplanation || len([]rune(d.Facts)) > MaxFacts {
		add("explanation", "17(3)(d)", "decision.length", "The reference has at most 500 characters, the explanation 2,000, the facts 5,000.")
	}
	for field, text := range map[string]string{"reference": d.Reference, "explanation": d.Explanation, "facts": d.Facts} {
		if CarriesFile(text) {
			add(field, "17(3)(b)", "text.file", carried("").Public)
		}
	}
	return m
}

// once tells whether more than one restriction has the prefix.
func (d Decision) once(prefix string) bool {
	n := 0
	for _, r := range d.Restrictions {
		if strings.HasPrefix(string(r), prefix) {
			n++
		}
	}
	return n > 1
}

// isDay tells whether s is a day written YYYY-MM-DD.
func isDay(s string) bool {
	d, err := time.Parse(time.DateOnly, s)
	return err == nil && d.Format(time.DateOnly) == s
}
