package returns

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rempart"
)

// complaints is what is counted of complaints about one kind of decision.
type complaints struct {
	all, waiting, upheld, partly, reversed, imposed int
	hours                                           []int // in tenths, of those decided
}

// add counts one line of the tally.
func (c *complaints) add(n rempart.Count) {
	c.all += n.N
	switch rempart.Outcome(n.Dims["outcome"]) {
	case rempart.OutcomeKept:
		c.upheld += n.N
	case rempart.OutcomePartly:
		c.partly += n.N
	case rempart.OutcomeReversed:
		c.reversed += n.N
	default:
		c.waiting += n.N
	}
	if k, err := strconv.Atoi(n.Dims["imposed"]); err == nil {
		c.imposed += k * n.N
	}
	if h, err := strconv.Atoi(n.Dims["tenths"]); err == nil {
		c.hours = repeat(c.hours, h, n.N)
	}
}

// trustedNoAction is the line of complaints about a trusted flagger's notice on
// which nothing was done; they are in that of all notices too.
const trustedNoAction = "trusted"

// complained sums the complaints by what they are about; "" is all of them. One
// about several kinds of decision is in each, and once in all.
func complained(lines func(func(rempart.Count))) map[string]*complaints {
	out := map[string]*complaints{"": {}}
	lines(func(n rempart.Count) {
		if n.Kind != rempart.CountComplaint {
			return
		}
		about := append(strings.Split(n.Dims["about"], ","), "")
		if slices.Contains(about, rempart.AboutNoAction) && n.Dims["trusted"] == "true" {
			about = append(about, trustedNoAction)
		}
		slices.Sort(about)
		for _, k := range slices.Compact(about) {
			if out[k] == nil {
				out[k] = &complaints{}
			}
			out[k].add(n)
		}
	})
	return out
}

// cells are the figures of the sheet's scopes, in their order, each with what must
// be said of it.
func (c *complaints) cells() (values, remarks []string) {
	if c == nil {
		c = &complaints{}
	}
	for _, n := range []int{c.all, c.upheld, c.partly, c.reversed} {
		values = append(values, strconv.Itoa(n))
	}
	median, how := "", "No complaint was decided"
	if len(c.hours) > 0 {
		median = strconv.FormatFloat(Median(slices.Sorted(slices.Values(c.hours))), 'f', -1, 64)
		how = "In hours, from the receipt of the complaint to the decision"
	}
	first := "Complaints received in Rempart"
	if c.waiting > 0 {
		first += fmt.Sprintf("; %d had no decision at the end of the period", c.waiting)
	}
	return append(values, median), []string{first, "", "", "", how}
}

// appeals is the sheet of complaints (DSA article 20), disputes and suspensions.
// What is about several kinds of decision is counted with each.
func (e Edition) appeals(period string, all map[string]*complaints) sheet {
	s := sheet{"7_appeals_and_recidivism", [][]string{{"Applicability", "Service", "Reporting period", "Section", "Indicator", "Scope", "Value", "Contextual Information"}}}
	add := func(section, indicator, scope, value, why string) {
		if value == "" && why == "" || e.Format < 2 {
			value, why = "", unknown
		}
		s.rows = append(s.rows, []string{online, e.Site, period, section, indicator, scope, value, why})
	}
	const internal, bodies = "Internal complaints mechanism", "Out-of-court dispute settlement bodies"
	outcome := []string{"Total number", "Decisions upheld", "Decisions partially reversed", "Decisions reversed", "Median time"}
	counted := func(indicator, about string) {
		values, remarks := all[about].cells()
		for i, scope := range outcome {
			add(internal, indicator, scope, values[i], remarks[i])
		}
	}
	const submitted = "Number of complaints submitted to the internal-complaints mechanism"
	counted(submitted, "")
	add(internal, submitted, "Decision omitted", "", "")
	add(internal, "Number of restrictions newly imposed as a result of an internal complaint", "Total number", strconv.Itoa(all[""].imposed), "Items that nothing had been done about")
	for _, x := range [][2]string{
		{"to remove or disable access to or restrict visibility of information", "visibility"}, {"to suspend or terminate the provision of the service", "provision"},
		{"to suspend or terminate an account", "account"}, {"to restrict the ability to monetise information", "monetary"},
		{"not to take action on a notice submitted in accordance with Article 16", rempart.AboutNoAction},
		{"not to take action on a notice submitted by a Trusted Flagger in accordance with Article 16", trustedNoAction},
	} {
		counted("Complaint regarding a decision "+x[0], x[1])
	}
	for _, scope := range append(slices.Clone(outcome), "Decision omitted", "Percentage of outcomes implemented") {
		add(bodies, "Number of disputes submitted to out-of-court dispute settlement bodies", scope, "", "")
	}
	for _, what := range []string{"the provision of manifestly illegal content", "the provision of manifestly unfounded notices", "the provision of manifestly unfounded complaints"} {
		add("Suspensions imposed on repeated offenders", "Number of suspensions enacted for "+what, "Total number", "", "")
	}
	return s
}
