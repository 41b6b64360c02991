package rempart

import (
	"slices"
	"time"
)

// PrepareSecond drafts the second notice that a rung asks for, while the first
// still waits for its answer: the same items, which go on waiting for the first,
// and either answer counts. Drafting it twice changes nothing.
func (c *Case) PrepareSecond(rungID string, s Service, explanation string, from Notifier, by Actor, at time.Time) error {
	n, r := c.RungOf(rungID)
	if r == nil {
		return notFound("rung")
	}
	if r.Kind != RungSecond || r.State != RungAsked || r.Draft != "" {
		return nil
	}
	d := c.newNotice(s, explanation, from, at)
	d.Cites = n.ID
	for _, ni := range n.Items {
		if i := c.Item(ni.ID); i != nil && i.NoticeID == n.ID && (i.State == ItemNotified || i.State == ItemAcknowledged) {
			d.Items = append(d.Items, NoticeItem{ID: i.ID, Address: i.Address})
		}
	}
	if len(d.Items) == 0 {
		return nil
	}
	c.addPrints(&d)
	r.Draft = d.ID
	c.Notices = append(c.Notices, d)
	c.event("notice.prepared", c.ID, by, at, "notice", d.ID, "service", s.ID, "items", itoa(len(d.Items)))
	c.UpdatedAt = at
	return nil
}

// newNotice returns a draft to a service, without items.
func (c *Case) newNotice(s Service, explanation string, from Notifier, at time.Time) Notice {
	n := Notice{
		ID: NewID(at), CaseRef: c.Ref, ServiceID: s.ID, ServiceName: s.Name, State: NoticeDraft, Since: at,
		Lang: s.Lang, Explanation: explanation, Category: c.Category, Minor: c.Facts.Minor() && c.Facts.Sexualised(),
		Notifier: from, DoNotTell: true, Exempt: s.Small,
	}
	if n.Minor { // 16(2)(c): identity is not asked for, and left out by default
		n.Notifier.Name, n.Notifier.Email = "", ""
	}
	for _, q := range c.Confirmed() {
		if q.Conduct { // a threat or harassment is no ground against a page
			continue
		}
		n.Grounds = append(n.Grounds, Ground{Article: q.Article, Paragraph: q.Paragraph, Code: q.Code,
			Label: q.Label.In(s.Lang), TextDate: q.TextDate, Source: q.Source})
	}
	return n
}

// addPrints gives each item of a draft the fingerprints of the case that are
// active.
func (c *Case) addPrints(n *Notice) {
	var prints []Fingerprint
	for _, i := range c.Items {
		if i.Kind == ItemMedium && i.State == ItemProtected {
			prints = append(prints, i.Fingerprints...)
		}
	}
	if tooLong(prints, len(n.Items)) {
		prints = withoutVideos(prints)
	}
	for k := range n.Items {
		n.Items[k].Fingerprints = prints
	}
}

// beside tells whether an item waits for the notice that n cites: n then insists
// on it, and moves it only forward.
func (i *Item) beside(n *Notice) bool { return n.Cites != "" && i.NoticeID == n.Cites }

// insisted notes on the rung of the first notice what became of the second.
func (c *Case) insisted(second *Notice, at time.Time) {
	for k := range c.Notices {
		n := &c.Notices[k]
		for j := range n.Rungs {
			r := &n.Rungs[j]
			if r.Draft != second.ID {
				continue
			}
			switch {
			case second.State == NoticeSent && !r.Done() && slices.Contains(rungNext[r.State], RungSent):
				r.Number = second.Number
				c.moveRung(n, r, RungSent, ActorSystem, at) // allowed, as just looked
			case second.State == NoticeCancelled && r.State == RungAsked:
				r.Draft = "" // the step stays to be done, or to be skipped with a reason
			}
		}
	}
}

// afterSecond starts the wait for what follows a second notice that was received:
// its receipt comes by another way, which knows no calendar.
func (c *Case) afterSecond(cal Calendar, by Actor, now time.Time) {
	for k := range c.Notices {
		for j := range c.Notices[k].Rungs {
			r := &c.Notices[k].Rungs[j]
			if r.Kind != RungSecond || !r.Done() {
				continue
			}
			if k := c.clock(r.Clock); k != nil && k.Live() && k.Task == TaskInsist {
				c.climbed(r, cal, by, now)
			}
		}
	}
}
