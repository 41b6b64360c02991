package rempart

import (
	"slices"
	"time"
)

// A ClockRule is the terms of one kind of clock.
type ClockRule struct {
	ID            string `json:"id"`
	Within        Span   `json:"within"`
	WarnBefore    Span   `json:"warn_before,omitzero"`
	EscalateAfter Span   `json:"escalate_after,omitzero"`
	Off           bool   `json:"off,omitempty"`    // no such clock is started
	Basis         Basis  `json:"basis"`            // BasisLaw: Within is the law's and cannot be changed
	Source        string `json:"source,omitempty"` // the text behind it, or that gives no number
}

// A ClockPolicy is the terms of all clocks and the calendar they are counted in:
// the defaults of the law pack, as an administrator changed them. A change makes
// a new version.
type ClockPolicy struct {
	Version  int         `json:"version"`
	Pack     string      `json:"pack"` // version of the defaults it was made from
	By       Actor       `json:"by"`
	At       time.Time   `json:"at"`
	Zone     string      `json:"zone"` // such as "Europe/Paris"
	Holidays []Holiday   `json:"holidays"`
	DaysFrom string      `json:"days_from"`       // the texts that name them, and the date of those that were read
	Local    bool        `json:"local,omitempty"` // the holidays of Alsace and Moselle count
	Rules    []ClockRule `json:"rules"`

	Ladder []LadderStep `json:"ladder,omitempty"` // the steps after a notice that is not answered as asked
}

// ClockRules are the identifiers of all rules, in the order to show them. A
// policy has each once.
var ClockRules = []string{"look-1", "look-2", "look-3", "reply", "draft", "failed",
	"acknowledgement-minor", "acknowledgement-sexual", "acknowledgement-other",
	"decision-minor", "decision-sexual", "decision-other", "complaint"}

// Calendar returns the policy's calendar in its zone, which the caller loads.
func (p *ClockPolicy) Calendar(zone *time.Location) Calendar {
	return Calendar{Zone: zone, Holidays: p.Holidays, Local: p.Local}
}

// Rule returns the rule with an identifier, or nil.
func (p *ClockPolicy) Rule(id string) *ClockRule {
	for i := range p.Rules {
		if p.Rules[i].ID == id {
			return &p.Rules[i]
		}
	}
	return nil
}

// Check returns what is wrong with a policy, a problem for each field, named
// after its rule.
func (p *ClockPolicy) Check() error {
	var out Problems
	for _, id := range ClockRules {
		r := p.Rule(id)
		if r == nil || r.Within.IsZero() {
			out.add(id, "policy.within", "Give how long this may take.")
			continue
		}
		if !r.WarnBefore.IsZero() && rough(r.WarnBefore) >= rough(r.Within) {
			out.add(id, "policy.warn", "The warning must come after the start: make it shorter than the delay itself.")
		}
	}
	p.checkLadder(&out)
	if len(p.Rules) != len(ClockRules) {
		out.add("rules", "policy.rules", "The policy has a rule that does not exist, or one twice.")
	}
	return out.err()
}

// rough is about how long a span is, to compare two of different units.
func rough(s Span) time.Duration {
	return time.Duration(s.N) * map[Unit]time.Duration{Hours: time.Hour, Days: day, BusinessDays: day, Months: 30 * day}[s.Unit]
}

// A waiting is a clock that a case ought to have.
type waiting struct {
	await  Await
	notice string
	rule   string
	since  time.Time
	exempt bool // the service handles no complaints
}

// ruleOf returns the terms of a clock, or nil when there are none. The wait for
// the next step against a decision has those of the ladder.
func (p *ClockPolicy) ruleOf(w waiting) *ClockRule {
	if w.await != AwaitRedress {
		return p.Rule(w.rule)
	}
	steps := Steps(p.Ladder, w.await, w.exempt)
	if len(steps) == 0 {
		return nil
	}
	r := &ClockRule{ID: w.rule, Within: steps[0].After, Basis: BasisPolicy}
	if r.Within.IsZero() {
		r.Within = Span{1, Hours}
	}
	return r
}

// Wind makes the clocks of a case those that it ought to have now: it starts
// what is missing, ends what has come or has no object any more, and gives new
// terms to those whose rule is another one since the facts were corrected. The
// store calls it with every change, so that no change forgets a clock. What has
// been started once for the same reason is never started again.
func (c *Case) Wind(p *ClockPolicy, cal Calendar, by Actor, now time.Time) {
	c.afterSecond(cal, by, now)
	ought := c.waits()
	for i := range c.Clocks {
		k := &c.Clocks[i]
		if !k.Live() {
			continue
		}
		at := slices.IndexFunc(ought, func(w waiting) bool {
			return w.await == k.Await && w.notice == k.NoticeID && w.since.Equal(k.Since)
		})
		if at < 0 {
			if s := c.outcome(k); s != "" {
				c.endClock(k, s, by, now)
			}
			continue
		}
		w := ought[at]
		if r := p.ruleOf(w); w.rule != k.Rule && r != nil && !r.Off && !k.Late() {
			k.terms(r, p.Version)
			k.set(cal)
			c.clockEvent("clock.changed", k, by, now, "rule", k.Rule, "due", k.DueAt.UTC().Format(time.RFC3339))
		}
	}
	for _, w := range ought {
		r := p.ruleOf(w)
		if r == nil || r.Off || slices.ContainsFunc(c.Clocks, func(k Clock) bool {
			return w.await == k.Await && w.notice == k.NoticeID && w.since.Equal(k.Since)
		}) {
			continue
		}
		k := Clock{ID: NewID(w.since), Await: w.await, NoticeID: w.notice, Since: w.since, StartedAt: w.since,
			Round: 1, State: ClockRunning, StateAt: w.since}
		k.terms(r, p.Version)
		switch w.await {
		case AwaitAcknowledgement, AwaitDecision, AwaitRedress:
			k.Ladder = Steps(p.Ladder, w.await, w.exempt)
		}
		k.set(cal)
		c.Clocks = append(slices.Clip(c.Clocks), k)
		// Its start is when what it waits for began: a report's minute must not show.
		c.clockEvent("clock.started", &k, ActorSystem, w.since, "rule", k.Rule, "policy", itoa(k.Policy), "due", k.DueAt.UTC().Format(time.RFC3339))
	}
}

// terms gives a clock those of a rule.
func (k *Clock) terms(r *ClockRule, version int) {
	k.Rule, k.Policy, k.Basis = r.ID, version, r.Basis
	k.Within, k.WarnBefore, k.EscalateAfter = r.Within, r.WarnBefore, r.EscalateAfter
}

// waits returns the clocks that a case ought to have, from its state alone.
func (c *Case) waits() []waiting {
	var out []waiting
	if c.State == CaseOpen {
		out = append(out, waiting{AwaitLook, "", "look-" + itoa(min(max(int(c.Priority), 1), 3)), c.OpenedAt, false})
	}
	if open := c.Unanswered(); len(open) > 0 {
		out = append(out, waiting{AwaitReply, "", "reply", open[0].At, false})
	}
	class := "-other"
	if c.Facts.Sexualised() {
		class = "-sexual"
		if c.Facts.Minor() {
			class = "-minor"
		}
	}
	for k := range c.Notices {
		n := &c.Notices[k]
		if n.State == NoticeDecided {
			if c.holds(n, ItemRefused, ItemRestricted) {
				out = append(out, waiting{AwaitComplaint, n.ID, "complaint", n.Since, n.Exempt})
				if c.State != CaseClosed && c.Withdrawn.IsZero() {
					out = append(out, waiting{AwaitRedress, n.ID, "redress", n.Since, n.Exempt})
				}
			}
			continue
		}
		if c.State == CaseClosed || !c.Withdrawn.IsZero() && n.State != NoticeDraft { // nobody is pressed for what the person took back
			continue
		}
		switch {
		case n.State == NoticeDraft:
			out = append(out, waiting{AwaitSending, n.ID, "draft", n.Since, n.Exempt})
		case n.State == NoticeFailed:
			out = append(out, waiting{AwaitRepair, n.ID, "failed", n.Since, n.Exempt})
		case n.State == NoticeSent && c.holds(n, ItemNotified):
			out = append(out, waiting{AwaitAcknowledgement, n.ID, "acknowledgement" + class, n.Since, n.Exempt})
		case n.State == NoticeAcknowledged && c.holds(n, ItemAcknowledged):
			out = append(out, waiting{AwaitDecision, n.ID, "decision" + class, n.Since, n.Exempt})
		}
	}
	return out
}

// holds tells whether an item of the notice is in one of the states and waits
// for that notice.
func (c *Case) holds(n *Notice, states ...ItemState) bool {
	for _, ni := range n.Items {
		if i := c.Item(ni.ID); i != nil && i.NoticeID == n.ID && slices.Contains(states, i.State) {
			return true
		}
	}
	return false
}

// outcome says how a live clock ends that the case has no more reason for; "" if
// it runs on all the same.
func (c *Case) outcome(k *Clock) ClockState {
	n := c.Notice(k.NoticeID)
	met := func(states ...NoticeState) ClockState {
		if n != nil && slices.Contains(states, n.State) {
			return ClockMet
		}
		return ClockCancelled
	}
	switch k.Await {
	case AwaitLook, AwaitReply:
		return ClockMet
	case AwaitSending:
		return met(NoticeQueued, NoticeFailed, NoticeSent, NoticeAcknowledged, NoticeDecided)
	case AwaitRepair:
		return met(NoticeQueued, NoticeFailed, NoticeSent, NoticeAcknowledged, NoticeDecided)
	case AwaitAcknowledgement:
		return met(NoticeAcknowledged, NoticeDecided)
	case AwaitDecision:
		return met(NoticeDecided)
	case AwaitRedress:
		if n == nil || c.holds(n, ItemReported, ItemQueued, ItemFailed, ItemNotified, ItemAcknowledged, ItemRefused, ItemRestricted, ItemDropped) {
			return ClockCancelled // the case is closed, or the matter is given up
		}
		return ClockMet
	case AwaitComplaint:
		// A second notice, or an analyst who goes no further, takes nobody's right
		// to complain away: only removal leaves nothing to complain about.
		for _, ni := range n.Items {
			if i := c.Item(ni.ID); i != nil && i.State != ItemRemoved {
				return ""
			}
		}
		return ClockMet
	}
	if c.State == CaseClosed {
		return ClockCancelled
	}
	return ""
}
