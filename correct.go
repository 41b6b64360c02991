package rempart

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Proposal is what a law pack makes of facts.
type Proposal struct {
	Quals      []Qualification // in state proposed, in the order to show them
	NotCovered []Text
	Missing    []Question // questions, the most useful first
	Pack       string     // version of the pack
	Category   string
	Priority   Priority
	Because    []Text // why that priority
}

// Changed names the facts in which f and g differ, by JSON name, sorted. A fact
// that is empty and one that has its word for "not known" are the same.
func (f Facts) Changed(g Facts) []string {
	f.Fill()
	g.Fill()
	var out []string
	now := g.words()
	for name, was := range f.words() {
		if *was != *now[name] && f.Word(name) != g.Word(name) {
			out = append(out, name)
		}
	}
	if f.Date != g.Date {
		out = append(out, "date")
	}
	slices.Sort(out)
	return out
}

// CorrectFacts replaces the facts of a case and all that rests on them:
// qualifications, category and priority, as propose makes them of the new
// facts; the list that its fingerprints are in; and the drafts of notices, which
// are given up, as they were written on the old facts. What was sent stays.
//
// was are the facts that the analyst saw: if they are no longer those of the
// case, somebody else corrected them, and it is a Conflict. Facts that are the
// same change nothing. The event names the facts that changed, never their
// values.
//
// An analyst's decision on an offence stands while the pack proposes it, with
// the paragraph, penalty and reasons that the new facts give. A confirmed one
// that the pack no longer proposes is kept, and says so; any other is dropped,
// with an event.
func (c *Case) CorrectFacts(was, f Facts, propose func(Facts) Proposal, by Actor, at time.Time) error {
	f.Fill()
	if err := f.check(at); err != nil {
		return err
	}
	if err := c.workable(); err != nil {
		return err
	}
	if len(c.Facts.Changed(was)) > 0 {
		return conflict("facts.changed", "Somebody corrected these facts meanwhile. Look at them again, then send yours.")
	}
	names := c.Facts.Changed(f)
	if len(names) == 0 {
		return nil
	}
	p := propose(f)
	c.Facts = f
	c.rest(p)
	c.event("facts.corrected", c.ID, by, at, "facts", strings.Join(names, ","), "proposed", itoa(len(p.Quals)), "pack", p.Pack, "priority", itoa(int(p.Priority)))
	c.requalify(p.Quals, unproposed, by, at)
	c.relist(by, at)
	if err := c.cancelDrafts(by, at); err != nil {
		return err
	}
	return c.act(at)
}

// rest records what a proposal says beside the qualifications.
func (c *Case) rest(p Proposal) {
	c.NotCover, c.Missing, c.Pack, c.Category, c.Priority, c.Because = p.NotCovered, p.Missing, p.Pack, p.Category, p.Priority, p.Because
}

// Requalify qualifies a case anew with another law pack than the one that it was
// qualified with; its facts stay. p is what that pack makes of them. was is the
// version that the analyst saw on the page: if it is no longer that of the case,
// somebody else was quicker, and it is a Conflict. The same version changes
// nothing. Decisions and drafts are kept or given up as by [Case.CorrectFacts];
// a draft is given up only where the category changes.
func (c *Case) Requalify(was string, p Proposal, by Actor, at time.Time) error {
	if err := c.workable(); err != nil {
		return err
	}
	if c.Pack != was {
		return conflict("pack.changed", "Somebody qualified this case with another law pack meanwhile. Look at it again.")
	}
	if c.Pack == p.Pack {
		return nil
	}
	before := c.Category
	c.rest(p)
	c.event("case.requalified", c.ID, by, at, "from", was, "pack", p.Pack, "proposed", itoa(len(p.Quals)), "priority", itoa(int(p.Priority)))
	c.requalify(p.Quals, unproposedByPack, by, at)
	if before != c.Category {
		if err := c.cancelDrafts(by, at); err != nil {
			return err
		}
	}
	return c.act(at)
}

// cancelDrafts gives up the drafts of notices.
func (c *Case) cancelDrafts(by Actor, at time.Time) error {
	for k := range c.Notices {
		if n := &c.Notices[k]; n.State == NoticeDraft {
			if err := c.CancelNotice(n.ID, by, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// check returns what is wrong with facts that somebody typed: a word that is
// none, or a date of the acts that is none or to come. at is now; a day more is
// let pass, as it already is tomorrow elsewhere.
func (f *Facts) check(at time.Time) error {
	if err := f.Check(); err != nil {
		return err
	}
	if f.Date == "" {
		return nil
	}
	if d, err := time.Parse(time.DateOnly, f.Date); err != nil || d.After(at.Add(24*time.Hour)) {
		return &Error{Kind: Invalid, Field: "date", Code: "facts.date", Public: "Give the date of the acts as YYYY-MM-DD, today at the latest."}
	}
	return nil
}

// workable returns why nothing of a case can change before something else does:
// it is still being qualified, or it is closed.
func (c *Case) workable() error {
	switch c.State {
	case CaseNew:
		return conflict("case.new", "This case is still being qualified; try again in a moment.")
	case CaseClosed:
		return conflict("case.closed", "This case is closed. Reopen it first.")
	}
	return nil
}

// unproposed marks a confirmed qualification that the pack does not propose for
// the facts as corrected.
var unproposed = Text{
	FR: "Les faits ont été corrigés depuis : le corpus juridique ne la propose pas pour ces faits. Elle reste confirmée, à revoir.",
	EN: "The facts have been corrected since: the law pack does not propose it for these facts. It stays confirmed, to be looked at again.",
}

// unproposedByPack marks one that the newer law pack does not propose.
var unproposedByPack = Text{
	FR: "Le corpus juridique a changé depuis\u00a0: la version actuelle ne la propose pas pour ces faits. Elle reste confirmée, à revoir.",
	EN: "The law pack has changed since: its present version does not propose it for these facts. It stays confirmed, to be looked at again.",
}

// requalify puts what is proposed now in the place of what was, and keeps the
// analyst's decisions; gone is said of one that was confirmed and is no longer
// proposed.
func (c *Case) requalify(proposed []Qualification, gone Text, by Actor, at time.Time) {
	old := c.Quals
	c.Quals = slices.Clone(proposed)
	for _, q := range old {
		if now, err := c.qualification(q.ID); err == nil {
			now.State, now.Reason, now.By, now.At = q.State, q.Reason, q.By, q.At
			continue
		}
		if q.State != QualificationConfirmed {
			c.event("qualification.lapsed", c.ID, by, at, "qualification", q.ID, "state", string(q.State))
			continue
		}
		if !slices.Contains(q.Because, gone) {
			q.Because = append(slices.Clone(q.Because), gone)
		}
		c.Quals = append(c.Quals, q)
	}
}

// relist moves the fingerprints that are filed or active to the list that the
// facts ask for. An entry is never moved between lists, as those who follow one
// would not hear of it: it ends where it is, and another begins.
func (c *Case) relist(by Actor, at time.Time) {
	list := ListFor(c.Facts).ID
	for k := range c.Items {
		i := &c.Items[k]
		if i.Kind != ItemMedium || i.List == list {
			continue
		}
		from, to := EntryRejected, EntryProvisional // a withdrawal travels, and would tell a value that never did
		switch i.State {
		case ItemFiled, ItemUnlisted, ItemFollowed:
		case ItemProtected:
			from, to = EntryWithdrawn, EntryActive
		default:
			continue
		}
		c.setEntries(i, from, at)
		i.List = list
		for n := range i.Entries {
			if n == 0 {
				i.Entries = slices.Clone(i.Entries)
			}
			i.Entries[n] = NewID(at)
		}
		c.setEntries(i, to, at)
		if len(i.Entries) > 0 {
			c.event("fingerprint.relisted", c.ID, by, at, "item", i.ID) // which list would tell the age
		}
	}
}

// outdated tells whether the facts of the case have been corrected in a way that
// the notice no longer says.
func (c *Case) outdated(n *Notice) bool {
	return n.Category != c.Category || n.Minor != (c.Facts.Minor() && c.Facts.Sexualised())
}

// AddQualification records an offence that the pack did not propose and an
// analyst finds in the facts all the same. q is the offence as the pack
// describes it; reason is hers, and stands first among its reasons.
func (c *Case) AddQualification(q Qualification, reason string, by Actor, at time.Time) error {
	reason = strings.TrimSpace(reason)
	if reason == "" {
		return &Error{Kind: Invalid, Field: "reason", Code: "qualification.add_reason", Public: "Say in a few words why this qualification applies."}
	}
	if err := c.workable(); err != nil {
		return err
	}
	if _, err := c.qualification(q.ID); err == nil {
		return conflict("qualification.there", "This qualification is in the case already: confirm it or reject it there.")
	}
	added := Text{FR: fmt.Sprintf("Ajoutée par un analyste\u00a0: %s", reason), EN: fmt.Sprintf("Added by an analyst: %s", reason)}
	q.Because = append([]Text{added}, q.Because...)
	q.State, q.Reason, q.By, q.At = QualificationConfirmed, reason, by, at
	c.Quals = append(c.Quals, q)
	c.event("qualification.added", c.ID, by, at, "qualification", q.ID)
	return c.act(at)
}
