package rempart

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A CountKind says what a count counts.
type CountKind string

// Kinds of count, with the dimensions (Dims) of each.
const (
	CountCase   CountKind = "case"   // cases, of the day they were opened: category, ai, communication, threat
	CountItem   CountKind = "item"   // items of cases, of the day these were opened: kind, state
	CountNotice CountKind = "notice" // notices that a platform received, of the day it did: service, category, outcome, trusted
	CountLost   CountKind = "lost"   // notices that could not be delivered, of the day that was clear: service, category
	CountIntake CountKind = "intake" // on a platform, notices received: category, trusted, state
	CountAction CountKind = "action" // on a platform, items notified: category, trusted, outcome, ground, means, tenths

	// CountComplaint counts complaints on a platform: category, trusted, about (see
	// [Intake.About]), outcome, tenths, and imposed, how many restrictions it led to.
	CountComplaint CountKind = "complaint"

	CountAcknowledged CountKind = "acknowledged" // acknowledgements, of the day of sending: tenths
	CountDecided      CountKind = "decided"      // decisions on whole notices, of the day of sending: tenths
	CountStop         CountKind = "stop"         // uploads stopped, of that day: list
)

// A Count is one line of the tally from which returns are made: so many things,
// begun on a day, that are in one cell. It is written in the transaction of the
// event it follows from, and stays when a case is erased: no identifier, word,
// address or person is in it. A thing that leaves a cell is counted there with
// -1, so that the sum over all lines before a moment is how things stood then.
type Count struct {
	Kind CountKind
	Of   string            // day on which what is counted began, YYYY-MM-DD, UTC
	Dims map[string]string // the cell
	N    int
}

// Key writes the cell as one text that is the same for the same cell.
func (c Count) Key() string {
	var b strings.Builder
	b.WriteString(string(c.Kind) + " " + c.Of)
	for _, k := range slices.Sorted(maps.Keys(c.Dims)) {
		if v := c.Dims[k]; v != "" {
			b.WriteString(" " + k + "=" + strconv.Quote(v))
		}
	}
	return b.String()
}

// A Tally is how many things are in each cell, by Count.Key.
type Tally map[string]Count

func (t Tally) add(kind CountKind, of time.Time, n int, dims ...string) {
	c := Count{Kind: kind, Of: of.UTC().Format(time.DateOnly), Dims: map[string]string{}, N: n}
	for i := 0; i+1 < len(dims); i += 2 {
		if dims[i+1] != "" {
			c.Dims[dims[i]] = dims[i+1]
		}
	}
	key := c.Key()
	if was, ok := t[key]; ok {
		c.N += was.N
	}
	t[key] = c
}

// Since returns what must be added to was to make t, in the order of the keys.
func (t Tally) Since(was Tally) []Count {
	var out []Count
	for _, key := range slices.Sorted(maps.Keys(t)) {
		c := t[key]
		if c.N -= was[key].N; c.N != 0 {
			out = append(out, c)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(was)) {
		if _, still := t[key]; !still {
			c := was[key]
			c.N = -c.N
			out = append(out, c)
		}
	}
	return out
}

// Outcomes of a notice or an item, as they are counted: the measure, or one of
// these.
const (
	OutcomeWaiting = "waiting" // no decision yet
	OutcomeMixed   = "mixed"   // not the same measure for each item
)

// Tally returns the cells that the case is in, as it stands.
func (c *Case) Tally() Tally {
	t := Tally{}
	t.add(CountCase, c.OpenedAt, 1, "category", c.Category, "ai", string(c.Facts.Axis()),
		"communication", string(c.Facts.Communication), "threat", string(c.Facts.Threat))
	for _, i := range c.Items {
		if i.State == ItemFollowed { // counted where it is worked on
			continue
		}
		t.add(CountItem, c.OpenedAt, 1, "kind", string(i.Kind), "state", string(i.State))
	}
	for k := range c.Notices {
		n := &c.Notices[k]
		switch n.State {
		case NoticeFailed:
			t.add(CountLost, n.Since, 1, "service", n.ServiceName, "category", n.Category)
		case NoticeSent, NoticeAcknowledged, NoticeDecided:
			t.add(CountNotice, n.SentAt(), 1, "service", n.ServiceName, "category", n.Category, "outcome", c.outcomeOf(n), "trusted", strconv.FormatBool(n.Notifier.TrustedFlagger))
		}
		if n.State == NoticeDecided {
			t.add(CountDecided, n.SentAt(), 1, "tenths", tenths(n.SentAt(), n.Since))
		}
	}
	return t
}

// SentAt returns when the platform answered with its receipt, as far as it is
// known; zero for a notice that was not sent.
func (n *Notice) SentAt() time.Time {
	switch n.State {
	case NoticeSent, NoticeAcknowledged, NoticeDecided:
		if k := len(n.Attempts); k > 0 {
			return n.Attempts[k-1].At
		}
		return n.Since
	}
	return time.Time{}
}

// outcomeOf returns what a platform did about a notice: the measure that all its
// items have.
func (c *Case) outcomeOf(n *Notice) string {
	if n.State != NoticeDecided {
		return OutcomeWaiting
	}
	out := ""
	for _, ni := range n.Items {
		i := c.Item(ni.ID)
		if i == nil || i.Decision == nil {
			continue
		}
		switch m := string(i.Decision.Measure); {
		case out == "":
			out = m
		case out != m:
			return OutcomeMixed
		}
	}
	if out == "" { // an item was taken up by a later notice before the answer to this one came
		return OutcomeMixed
	}
	return out
}

// Happened returns the counts of what happened once: they follow from events of
// the case, and no later state undoes them.
func (c *Case) Happened(events []Event) []Count {
	t := Tally{}
	for _, e := range events {
		switch e.Kind {
		case "notice.acknowledged":
			if n := c.Notice(e.Data["notice"]); n != nil {
				t.add(CountAcknowledged, n.SentAt(), 1, "tenths", tenths(n.SentAt(), e.At))
			}
		case "match.stopped":
			if i := c.Item(e.Data["item"]); i != nil {
				t.add(CountStop, e.At, 1, "list", i.List)
			}
		}
	}
	return t.Since(nil)
}

// Tally returns the cells that the intake is in, as it stands.
func (i *Intake) Tally() Tally {
	t := Tally{}
	trusted := strconv.FormatBool(i.Trusted)
	category := CategoryFor(i.Notice.Category, i.Notice.Minor)
	t.add(CountIntake, i.ReceivedAt, 1, "category", category, "trusted", trusted, "state", string(i.State))
	for _, n := range i.Notice.Items {
		d, ok := i.Decisions[n.ID]
		if !ok {
			t.add(CountAction, i.ReceivedAt, 1, "category", category, "trusted", trusted, "outcome", OutcomeWaiting)
			continue
		}
		ground := ""
		if d.Measure != MeasureRefused {
			ground = d.Ground
		}
		t.add(CountAction, i.ReceivedAt, 1, "category", category, "trusted", trusted, "outcome", string(d.Measure),
			"ground", ground, "means", string(d.Means), "tenths", tenths(i.ReceivedAt, d.At))
	}
	for k := range i.Complaints {
		c := &i.Complaints[k]
		if c.Of != "" { // counted where it was lodged
			continue
		}
		about := strings.Join(i.About(c), ",")
		if c.State != ComplaintDecided {
			t.add(CountComplaint, c.ReceivedAt, 1, "category", category, "trusted", trusted, "about", about, "outcome", OutcomeWaiting)
			continue
		}
		imposed := ""
		if n := c.imposed(i); n > 0 {
			imposed = strconv.Itoa(n)
		}
		t.add(CountComplaint, c.ReceivedAt, 1, "category", category, "trusted", trusted, "about", about, "outcome", string(c.Outcome),
			"tenths", tenths(c.ReceivedAt, c.DecidedAt), "imposed", imposed)
	}
	return t
}

// tenths writes how many tenths of an hour are between two moments, no less than
// 0: finer would help to tell a case by its times.
func tenths(from, to time.Time) string {
	return strconv.Itoa(max(0, int(to.Sub(from)/(6*time.Minute))))
}
