package rempart

import (
	"slices"
	"time"

	"rempart/pdq"
)

// CaseState is where a case stands.
type CaseState string

// States of a case.
const (
	CaseNew    CaseState = "new"    // saved; the law pack has yet to propose qualifications
	CaseOpen   CaseState = "open"   // in the queue, no analyst has acted
	CaseActive CaseState = "active" // an analyst is on it
	CaseClosed CaseState = "closed"
)

// CaseStates lists every state of a case.
var CaseStates = []CaseState{CaseNew, CaseOpen, CaseActive, CaseClosed}

// caseNext lists, for each state, the states that may follow it.
var caseNext = map[CaseState][]CaseState{
	CaseNew:    {CaseOpen},
	CaseOpen:   {CaseActive, CaseClosed},
	CaseActive: {CaseClosed},
	CaseClosed: {CaseActive},
}

// A Case is the work on one or more reports about the same facts. Change it
// only through its methods, inside the store's Update.
type Case struct {
	changes

	ID        string          `json:"id"`
	Ref       string          `json:"ref"`     // for people, see NewRef
	Version   int64           `json:"version"` // of the saved case; the store's
	State     CaseState       `json:"state"`
	Priority  Priority        `json:"priority"`
	Because   []Text          `json:"priority_because"`
	Lang      string          `json:"lang"` // of the person
	OpenedAt  time.Time       `json:"opened_at"`
	UpdatedAt time.Time       `json:"updated_at"`
	Facts     Facts           `json:"facts"`
	Words     string          `json:"words"` // what the person wrote
	Pack      string          `json:"pack"`  // version of the law pack it was qualified with
	Category  string          `json:"category"`
	NotCover  []Text          `json:"not_covered,omitempty"`
	Missing   []Question      `json:"missing,omitempty"` // what the law pack would ask, the most useful first
	Quals     []Qualification `json:"qualifications"`
	Items     []Item          `json:"items"`
	Notices   []Notice        `json:"notices"`
	Clocks    []Clock         `json:"clocks,omitempty"`     // see Wind and Tick
	Messages  []Message       `json:"messages,omitempty"`   // with the person, the oldest first
	Assigned  *Assignment     `json:"assigned,omitempty"`   // who works on it; nil: nobody
	Planned   *Planned        `json:"planned,omitempty"`    // what a bulk act is about to do; nil: nothing
	ClosedFor string          `json:"closed_for,omitempty"` // the reason it was closed
	ClosedAt  time.Time       `json:"closed_at,omitzero"`

	Hold       *Hold     `json:"hold,omitempty"`       // set: nobody may erase the case
	Lifted     []Lifted  `json:"lifted,omitempty"`     // holds that ended
	Withdrawn  time.Time `json:"withdrawn,omitzero"`   // the person withdrew it, and a hold kept it
	Identified bool      `json:"identified,omitempty"` // an identity is kept, in a box of its own
	Openings   []Opening `json:"openings,omitempty"`   // each time that box was opened

	Merged   *Merge     `json:"merged,omitempty"`   // set: it follows another case, which carries the work
	Unmerged []Unmerged `json:"unmerged,omitempty"` // merges that ended
	Joined   []Joined   `json:"joined,omitempty"`   // cases that follow this one, or did
	PartOf   *Part      `json:"part_of,omitempty"`  // set: it was split off that case
	Parts    []Part     `json:"parts,omitempty"`    // cases that were split off this one
}

// OpenCase opens the case of a report: its items, their entries (provisional),
// and the job that qualifies it. The report must be in its normal form. Every
// time and identifier in it is made from the report's hour: the minute would
// help to find who reported.
func OpenCase(r Report) *Case {
	at := r.At
	c := &Case{
		ID: r.CaseID, Ref: NewRef(), State: CaseNew, Priority: PriorityNormal, Lang: r.Lang,
		OpenedAt: at, UpdatedAt: at, Facts: r.Facts(), Words: r.Words,
	}
	list := ListFor(c.Facts)
	for _, a := range r.Addresses {
		c.Items = append(c.Items, Item{ID: NewID(at), Kind: ItemAddress, State: ItemReported, Since: at, Address: a})
	}
	for _, m := range r.Media {
		i := Item{ID: NewID(at), Kind: ItemMedium, State: ItemUnlisted, Since: at, List: list.ID, Fingerprints: m.Fingerprints, Provenance: m.Provenance}
		for _, f := range m.Fingerprints {
			if f.Listable() && f.Type.Perceptual() {
				i.State = ItemFiled
			}
		}
		c.fileEntries(&i, at)
		c.Items = append(c.Items, i)
	}
	c.event("report.received", c.ID, ActorReporter, at, "report", r.ID)
	c.event("case.opened", c.ID, ActorSystem, at, "items", itoa(len(c.Items)))
	c.job(Job{Kind: JobQualify, Subject: c.ID, Key: "qualify:" + c.ID, RunAt: at})
	return c
}

// Kinds of job, each done by one step of the flow.
const (
	JobQualify  = "qualify"       // propose qualifications for the case Subject
	JobSend     = "notice.send"   // deliver the notice whose identifier is Payload
	JobCallback = "callback.send" // deliver the callback in Payload to the peer Subject

	JobRecheck    = "item.recheck"    // ask whether the address of the item Payload still answers
	JobStatements = "statements.send" // statements of reasons of the intake Subject, to the EU's transparency database
)

// Propose records what the law pack proposes and puts the case in the queue. A
// case that already is there is left alone.
func (c *Case) Propose(p Proposal, at time.Time) error {
	if c.State != CaseNew {
		return nil
	}
	c.Quals = p.Quals
	c.rest(p)
	c.event("case.qualified", c.ID, ActorSystem, at, "pack", p.Pack, "proposed", itoa(len(p.Quals)), "priority", itoa(int(p.Priority)))
	return c.to(CaseOpen, at)
}

// ConfirmQualification records that an analyst agrees with a proposal.
func (c *Case) ConfirmQualification(id string, by Actor, at time.Time) error {
	q, err := c.qualification(id)
	if err != nil {
		return err
	}
	if q.State == QualificationConfirmed {
		return nil
	}
	q.State, q.Reason, q.By, q.At = QualificationConfirmed, "", by, at
	c.event("qualification.confirmed", c.ID, by, at, "qualification", id)
	return c.act(at)
}

// RejectQualification records that an analyst disagrees, and why.
func (c *Case) RejectQualification(id, reason string, by Actor, at time.Time) error {
	q, err := c.qualification(id)
	if err != nil {
		return err
	}
	if reason == "" {
		return &Error{Kind: Invalid, Field: "reason", Code: "qualification.reason", Public: "Say in a few words why this qualification does not apply."}
	}
	q.State, q.Reason, q.By, q.At = QualificationRejected, reason, by, at
	c.event("qualification.rejected", c.ID, by, at, "qualification", id)
	return c.act(at)
}

// ConfirmFingerprint makes the entries of a medium active: from now on they
// travel to platforms and match. It asks for a confirmed qualification, so that
// no ordinary picture is listed by one click.
func (c *Case) ConfirmFingerprint(itemID string, by Actor, at time.Time) error {
	i, err := c.medium(itemID)
	if err != nil {
		return err
	}
	if i.State == ItemProtected {
		return nil
	}
	if len(c.Confirmed()) == 0 {
		return conflict("fingerprint.unqualified", "Confirm a qualification first: a fingerprint only enters the list if the facts may constitute an offence.")
	}
	if len(i.Entries) == 0 {
		return conflict("item.nothing_listable", "None of these fingerprints can enter a list: the picture is too flat to be told from others.")
	}
	if err := i.move(ItemProtected, at); err != nil {
		return err
	}
	c.setEntries(i, EntryActive, at)
	c.event("fingerprint.confirmed", c.ID, by, at, "item", i.ID)
	return c.act(at)
}

// RejectFingerprint records that the fingerprints of a medium must not enter a
// list, and why.
func (c *Case) RejectFingerprint(itemID, reason string, by Actor, at time.Time) error {
	i, err := c.medium(itemID)
	if err != nil {
		return err
	}
	if reason == "" {
		return &Error{Kind: Invalid, Field: "reason", Code: "fingerprint.reason", Public: "Say in a few words why this fingerprint must not be listed."}
	}
	if err := i.move(ItemDropped, at); err != nil {
		return err
	}
	i.Reason = reason
	c.setEntries(i, EntryRejected, at)
	c.event("fingerprint.rejected", c.ID, by, at, "item", i.ID)
	return c.act(at)
}

// WithdrawFingerprint takes the fingerprints of a medium back: they stop
// matching, here at once and at each platform when it next follows the list.
func (c *Case) WithdrawFingerprint(itemID string, by Actor, at time.Time) error {
	i, err := c.medium(itemID)
	if err != nil {
		return err
	}
	if i.State == ItemWithdrawn {
		return nil
	}
	to := EntryWithdrawn
	if i.State != ItemProtected {
		to = EntryRejected // never confirmed: a withdrawal travels to platforms, and would tell them the value
	}
	if err := i.move(ItemWithdrawn, at); err != nil {
		return err
	}
	c.setEntries(i, to, at)
	c.event("fingerprint.withdrawn", c.ID, by, at, "item", i.ID)
	return nil
}

func (c *Case) setEntries(i *Item, s EntryState, at time.Time) {
	n := 0
	for _, f := range i.Fingerprints {
		if f.Listable() && n < len(i.Entries) {
			c.entry(Entry{ID: i.Entries[n], List: i.List, Fingerprint: f, State: s, CaseID: c.ID, CaseRef: c.Ref, ItemID: i.ID, Since: at})
			n++
		}
	}
}

// Stopped records that a platform says that it stopped an upload of the medium.
// Only a listed picture can have been recognised.
func (c *Case) Stopped(itemID, peer string, distance int, at time.Time) error {
	i := c.Item(itemID)
	if i == nil || i.State != ItemProtected || distance < 0 || distance > pdq.MatchDistance {
		return &Error{Kind: NotFound, Code: "stop.missing", Public: "No listed picture of ours fits this message."}
	}
	i.Stops++
	i.LastStop = at
	c.event("match.stopped", c.ID, ActorPlatform+Actor(peer), at, "item", i.ID, "distance", itoa(distance))
	return nil
}

// Close closes the case. It refuses while an item waits for somebody or a notice
// to be sent, so that nothing is forgotten in silence. An analyst who no longer
// waits for a silent platform drops the item, with a reason.
func (c *Case) Close(reason string, by Actor, at time.Time) error {
	if reason == "" {
		return &Error{Kind: Invalid, Field: "reason", Code: "case.reason", Public: "Say in a few words why the case is closed."}
	}
	for _, i := range c.Items {
		if !i.State.Settled() {
			return conflict("case.unsettled", "An item of this case still waits for an action or an answer; settle it or drop it first.")
		}
	}
	for _, n := range c.Notices {
		if n.State == NoticeDraft || n.State == NoticeQueued || n.State == NoticeFailed {
			return conflict("case.unsettled", "A notice of this case still waits to be sent; send it or cancel it first.")
		}
	}
	if len(c.Unanswered()) > 0 {
		return conflict("case.unanswered", "A message of the person waits for an answer; answer it, or say that it needs none.")
	}
	c.ClosedFor, c.ClosedAt = reason, at
	c.event("case.closed", c.ID, by, at)
	return c.to(CaseClosed, at)
}

// Reopen takes up a closed case again.
func (c *Case) Reopen(by Actor, at time.Time) error {
	c.event("case.reopened", c.ID, by, at)
	c.ClosedFor, c.ClosedAt = "", time.Time{}
	return c.to(CaseActive, at)
}

// DropItem records that nothing will be done about an address, and why.
func (c *Case) DropItem(itemID, reason string, by Actor, at time.Time) error {
	i := c.Item(itemID)
	if i == nil {
		return notFound("item")
	}
	if reason == "" {
		return &Error{Kind: Invalid, Field: "reason", Code: "item.reason", Public: "Say in a few words why nothing is done about this item."}
	}
	if err := i.move(ItemDropped, at); err != nil {
		return err
	}
	i.Reason = reason
	if i.Kind == ItemMedium {
		c.setEntries(i, EntryRejected, at)
	}
	c.event("item.dropped", c.ID, by, at, "item", i.ID)
	return c.act(at)
}

// act notes that an analyst has acted.
func (c *Case) act(at time.Time) error {
	c.UpdatedAt = at
	switch c.State {
	case CaseActive:
		return nil
	case CaseNew:
		return conflict("case.new", "This case is still being qualified; try again in a moment.")
	}
	return c.to(CaseActive, at)
}

func (c *Case) to(s CaseState, at time.Time) error {
	if !slices.Contains(caseNext[c.State], s) {
		return &Error{Kind: Conflict, Code: "case.state", Args: []any{string(c.State), string(s)},
			Public: "This case is " + string(c.State) + "; it cannot become " + string(s) + "."}
	}
	c.State, c.UpdatedAt = s, at
	return nil
}

// Item returns the item with the identifier, or nil.
func (c *Case) Item(id string) *Item {
	for k := range c.Items {
		if c.Items[k].ID == id {
			return &c.Items[k]
		}
	}
	return nil
}

// Notice returns the notice with the identifier, or nil.
func (c *Case) Notice(id string) *Notice {
	for k := range c.Notices {
		if c.Notices[k].ID == id {
			return &c.Notices[k]
		}
	}
	return nil
}

// Confirmed returns the qualifications that an analyst confirmed.
func (c *Case) Confirmed() []Qualification {
	var out []Qualification
	for _, q := range c.Quals {
		if q.State == QualificationConfirmed {
			out = append(out, q)
		}
	}
	return out
}

func (c *Case) medium(id string) (*Item, error) {
	i := c.Item(id)
	if i == nil || i.Kind != ItemMedium {
		return nil, notFound("item")
	}
	return i, nil
}

func (c *Case) qualification(id string) (*Qualification, error) {
	for k := range c.Quals {
		if c.Quals[k].ID == id {
			return &c.Quals[k], nil
		}
	}
	return nil, notFound("qualification")
}

func notFound(what string) error {
	return &Error{Kind: NotFound, Code: what + ".missing", Public: "There is no such " + what + "."}
}
