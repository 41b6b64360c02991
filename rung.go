package rempart

import (
	"slices"
	"strings"
	"time"
)

// RungState is where a rung stands.
type RungState string

// States of a rung.
const (
	RungQueued    RungState = "queued"    // it goes out by itself
	RungAsked     RungState = "asked"     // a human is asked to do it
	RungSent      RungState = "sent"      // done, with proof: a receipt, or what somebody recorded
	RungAnswered  RungState = "answered"  // and whom it was sent to has answered
	RungSkipped   RungState = "skipped"   // somebody decided not to do it, with a reason
	RungCancelled RungState = "cancelled" // its object was gone before it was done
)

// rungNext lists, for each state, the states that may follow it.
var rungNext = map[RungState][]RungState{
	RungQueued:    {RungSent, RungAsked, RungCancelled},
	RungAsked:     {RungQueued, RungSent, RungSkipped, RungCancelled},
	RungSent:      {RungAnswered},
	RungAnswered:  {},
	RungSkipped:   {},
	RungCancelled: {RungSent}, // it went out as its object went: the receipt is recorded all the same
}

// A Rung is one step of the ladder as it was taken for a notice.
type Rung struct {
	ID       string    `json:"id"` // also the idempotency key of what goes out
	Step     string    `json:"step"`
	Kind     RungKind  `json:"kind"`
	Clock    string    `json:"clock"` // that ran down
	State    RungState `json:"state"`
	Since    time.Time `json:"since"` // of its present state
	OpenedAt time.Time `json:"opened_at"`
	Text     string    `json:"text,omitempty"`   // what was sent
	Reason   string    `json:"reason,omitempty"` // why it was skipped
	Number   string    `json:"number,omitempty"` // the other side's, from its receipt
	Draft    string    `json:"draft,omitempty"`  // of a second notice: the notice
	Proof    *Proof    `json:"proof,omitempty"`  // nil when it went out by itself
	Attempts []Attempt `json:"attempts,omitempty"`
	Undoing
}

// Done tells whether there is proof that the rung was done.
func (r *Rung) Done() bool { return r.State == RungSent || r.State == RungAnswered }

// Open tells whether the rung is still to be done.
func (r *Rung) Open() bool { return r.State == RungQueued || r.State == RungAsked }

// A Proof is what a member of the staff recorded of something that was done
// outside this program.
type Proof struct {
	Day       string    `json:"day"`       // when it was done, YYYY-MM-DD
	Channel   string    `json:"channel"`   // see ProofChannels
	Reference string    `json:"reference"` // the other side's number, or where the copy is kept
	By        Actor     `json:"by"`
	At        time.Time `json:"at"` // when it was recorded
}

// ProofChannels are the ways in which something can have been sent by hand.
var ProofChannels = []string{"form", "email", "post", "phone", "other"}

// MaxProofReference is the longest reference of a proof, in runes.
const MaxProofReference = 200

// normal returns the proof as it is kept, or a problem for each field. Nothing
// was done before since, and nothing is done tomorrow.
func (p Proof) normal(since time.Time, by Actor, at time.Time) (Proof, error) {
	p.Reference = strings.Join(strings.Fields(p.Reference), " ")
	p.By, p.At = by, at
	var out Problems
	d, err := time.Parse(time.DateOnly, p.Day)
	if err != nil || d.After(at.Add(14*time.Hour)) || d.Before(since.Add(-36*time.Hour)) {
		out.add("day", "proof.day", "Give the day on which it was done: today at the latest, and not before the step was due.")
	}
	if !slices.Contains(ProofChannels, p.Channel) {
		out.add("channel", "proof.channel", "Say how it was sent.")
	}
	if n := len([]rune(p.Reference)); n == 0 || n > MaxProofReference {
		out.add("reference", "proof.reference", "Give the number that the other side answered, or where the copy of what was sent is kept; at most 200 characters.")
	}
	return p, out.err()
}

// Jobs of the ladder; Subject is the case, Payload the notice and the rung.
const (
	JobRung  = "rung.send"  // deliver a reminder or a complaint
	JobDraft = "rung.draft" // draft the second notice
)

// RungOf returns the notice and the rung with its identifier; nil if there is
// none.
func (c *Case) RungOf(id string) (*Notice, *Rung) {
	for k := range c.Notices {
		for j := range c.Notices[k].Rungs {
			if c.Notices[k].Rungs[j].ID == id {
				return &c.Notices[k], &c.Notices[k].Rungs[j]
			}
		}
	}
	return nil, nil
}

func (c *Case) moveRung(n *Notice, r *Rung, to RungState, by Actor, at time.Time) error {
	if !slices.Contains(rungNext[r.State], to) {
		return conflict("rung.state", "This step was done, given up or taken over meanwhile. Look at the case again.")
	}
	r.State, r.Since = to, at
	c.UpdatedAt = at
	c.rungEvent(n, r, by, at)
	return nil
}

func (c *Case) rungEvent(n *Notice, r *Rung, by Actor, at time.Time) {
	c.event("rung.moved", c.ID, by, at, "notice", n.ID, "rung", r.ID, "step", string(r.Kind), "state", string(r.State))
}

// climb takes the next step of the ladder of a clock that has run down. A clock
// without a ladder, as older versions started them, asks a human as they did.
func (c *Case) climb(k *Clock, at time.Time) {
	n := c.Notice(k.NoticeID)
	if len(k.Ladder) == 0 || n == nil {
		c.openTask(k, at)
		return
	}
	s := c.step(k, n)
	if s == nil {
		k.Task, k.TaskAt = TaskExhausted, at
		c.clockEvent("task.opened", k, ActorSystem, at, "task", string(k.Task), "round", itoa(k.Round))
		return
	}
	r := Rung{ID: NewID(at), Step: s.ID, Kind: s.Kind, Clock: k.ID, Since: at, OpenedAt: at, State: RungAsked}
	if s.Kind == RungReminder {
		r.State = RungQueued
		c.job(Job{Kind: JobRung, Subject: c.ID, Key: "rung:" + r.ID, Payload: r.ID, RunAt: at})
	}
	n.Rungs = append(slices.Clip(n.Rungs), r)
	c.rungEvent(n, &r, ActorSystem, at)
	if r.State == RungQueued {
		return
	}
	k.Task, k.TaskAt = s.Kind.Task(), at
	c.clockEvent("task.opened", k, ActorSystem, at, "task", string(k.Task), "round", itoa(k.Round))
	if s.Kind == RungSecond {
		c.job(Job{Kind: JobDraft, Subject: c.ID, Key: "draft:" + r.ID, Payload: r.ID, RunAt: at})
	}
}

// step returns the step that a clock takes when it runs down, or nil when all
// have been taken. A second notice and what follows it are taken once for a
// notice, whichever of its clocks comes to them.
func (c *Case) step(k *Clock, n *Notice) *LadderStep {
	for i := range k.Ladder {
		s := &k.Ladder[i]
		if slices.ContainsFunc(n.Rungs, func(r Rung) bool {
			return r.Step == s.ID && (r.Clock == k.ID || s.Kind != RungReminder && r.State != RungCancelled)
		}) {
			continue
		}
		return s
	}
	return nil
}

// Upcoming returns the steps that a live clock has still to take, the next one
// first; none while one is open.
func (c *Case) Upcoming(k *Clock) []LadderStep {
	n := c.Notice(k.NoticeID)
	if n == nil || !k.Live() {
		return nil
	}
	var out []LadderStep
	for i := range k.Ladder {
		s := k.Ladder[i]
		if !slices.ContainsFunc(n.Rungs, func(r Rung) bool {
			return r.Step == s.ID && (r.Clock == k.ID || s.Kind != RungReminder && r.State != RungCancelled)
		}) {
			out = append(out, s)
		}
	}
	return out
}

// climbed starts the wait for the next step, once one was done or skipped. A
// complaint that was made ends the window for it.
func (c *Case) climbed(r *Rung, cal Calendar, by Actor, at time.Time) {
	if r.Kind == RungComplaint && r.Done() {
		n, _ := c.RungOf(r.ID)
		for i := range c.Clocks {
			if w := &c.Clocks[i]; w.window() && w.NoticeID == n.ID && w.Live() {
				c.endClock(w, ClockMet, by, at)
			}
		}
	}
	k := c.clock(r.Clock)
	if k == nil || !k.Live() {
		return
	}
	if k.Task != "" {
		c.clockEvent("task.done", k, by, at, "task", string(k.Task), "round", itoa(k.Round))
		k.Task, k.TaskAt = "", time.Time{}
	}
	if s := c.step(k, c.Notice(k.NoticeID)); s != nil && !s.After.IsZero() {
		k.Within = s.After
		if rough(k.WarnBefore) >= rough(k.Within) {
			k.WarnBefore = Span{}
		}
	}
	c.again(k, cal, by, at)
}

// RungDelivered records the receipt of what went out by itself. Recording it
// twice changes nothing.
func (c *Case) RungDelivered(id, number string, a Attempt, cal Calendar, at time.Time) error {
	n, r := c.RungOf(id)
	if r == nil {
		return notFound("rung")
	}
	if r.Done() {
		return nil
	}
	r.Attempts = append(slices.Clip(r.Attempts), a)
	r.Number = number
	if err := c.moveRung(n, r, RungSent, ActorSystem, at); err != nil {
		return err
	}
	c.climbed(r, cal, ActorSystem, at)
	return nil
}

// RungAttemptFailed records a try that failed. Without a next one planned the
// step is given to a human.
func (c *Case) RungAttemptFailed(id string, a Attempt, at time.Time) error {
	n, r := c.RungOf(id)
	if r == nil {
		return notFound("rung")
	}
	if r.State != RungQueued {
		return nil
	}
	r.Attempts = append(slices.Clip(r.Attempts), a)
	c.UpdatedAt = at
	if !a.Next.IsZero() {
		c.event("rung.attempt_failed", c.ID, ActorSystem, at, "notice", n.ID, "rung", r.ID, "step", string(r.Kind), "status", itoa(a.Status))
		return nil
	}
	if err := c.moveRung(n, r, RungAsked, ActorSystem, at); err != nil {
		return err
	}
	c.askRung(r, at)
	return nil
}

// MinRungText is the fewest characters that what is sent for a rung has.
const MinRungText = 40

// RecordRung records that a member of the staff did a step outside this program,
// with the text that was sent and the proof.
func (c *Case) RecordRung(id, text string, p Proof, cal Calendar, by Actor, at time.Time) error {
	n, r := c.RungOf(id)
	if r == nil {
		return notFound("rung")
	}
	if r.State != RungAsked {
		return conflict("rung.state", "This step was done, given up or taken over meanwhile. Look at the case again.")
	}
	p, err := p.normal(r.OpenedAt, by, at)
	if err != nil {
		return err
	}
	r.Text, r.Proof = strings.TrimSpace(text), &p
	if err := c.moveRung(n, r, RungSent, by, at); err != nil {
		return err
	}
	c.climbed(r, cal, by, at)
	return c.act(at)
}

// SendRung asks for the delivery of a step through the platform's own channel,
// with the text that a member of the staff has read.
func (c *Case) SendRung(id, text string, by Actor, at time.Time) error {
	return c.SendRungIn(id, text, 0, by, at)
}

// sendRung is SendRung; nothing leaves before the instant leaves, zero for at
// once.
func (c *Case) sendRung(id, text string, leaves time.Time, by Actor, at time.Time) error {
	n, r := c.RungOf(id)
	if r == nil {
		return notFound("rung")
	}
	text = strings.TrimSpace(text)
	switch {
	case r.Kind != RungComplaint && r.Kind != RungReminder:
		return conflict("rung.channel", "This step is not sent from here: send it yourself, then record it.")
	case CarriesFile(text):
		return carried("text")
	case len([]rune(text)) < MinRungText:
		return &Error{Kind: Invalid, Field: "text", Code: "rung.text", Args: []any{MinRungText}, Public: "Say in at least 40 characters what is asked and why."}
	case len([]rune(text)) > MaxComplaint:
		return &Error{Kind: Invalid, Field: "text", Code: "rung.long", Args: []any{MaxComplaint}, Public: "Through this channel a text has at most 5000 characters: shorten it, or send it by hand."}
	}
	r.Text = text
	if err := c.moveRung(n, r, RungQueued, by, at); err != nil {
		return err
	}
	if k := c.clock(r.Clock); k != nil {
		k.Task, k.TaskAt = "", time.Time{}
	}
	key, run := "rung:"+r.ID+":"+itoa(len(r.Attempts)), at
	if r.Recalls > 0 { // the job that was called back has spent the key
		key += ":" + itoa(r.Recalls)
	}
	r.LeavesAt, r.Left, r.Job = leaves, time.Time{}, ""
	if !leaves.IsZero() {
		run, r.Job = leaves, key
		r.Recalls++
	}
	c.job(Job{Kind: JobRung, Subject: c.ID, Key: key, Payload: r.ID, RunAt: run})
	return c.act(at)
}

// SkipRung records that a member of the staff decided not to do a step.
func (c *Case) SkipRung(id, reason string, cal Calendar, by Actor, at time.Time) error {
	n, r := c.RungOf(id)
	if r == nil {
		return notFound("rung")
	}
	if reason = strings.TrimSpace(reason); reason == "" {
		return &Error{Kind: Invalid, Field: "reason", Code: "rung.reason", Public: "Say in a few words why this step is not taken."}
	}
	if err := c.moveRung(n, r, RungSkipped, by, at); err != nil {
		return err
	}
	r.Reason = reason
	c.climbed(r, cal, by, at)
	return c.act(at)
}

// dropRungs ends the rungs of a clock that has ended: nobody is reminded of what
// it has answered, nor after the case has closed.
func (c *Case) dropRungs(k *Clock, by Actor, at time.Time) {
	n := c.Notice(k.NoticeID)
	if n == nil {
		return
	}
	for j := range n.Rungs {
		if r := &n.Rungs[j]; r.Clock == k.ID && r.Open() {
			r.State, r.Since = RungCancelled, at
			if d := c.Notice(r.Draft); d != nil && slices.Contains(noticeNext[d.State], NoticeCancelled) {
				d.State, d.Since = NoticeCancelled, at
				c.event("notice.cancelled", c.ID, by, at, "notice", d.ID)
			}
			c.rungEvent(n, r, by, at)
		}
	}
}
