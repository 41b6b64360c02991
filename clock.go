package rempart

import (
	"slices"
	"strings"
	"time"
)

// ClockState is where a clock stands.
type ClockState string

// States of a clock.
const (
	ClockRunning   ClockState = "running"
	ClockPaused    ClockState = "paused"    // time does not count until it is resumed, on PausedUntil at the latest
	ClockWarned    ClockState = "warned"    // its end is near
	ClockMissed    ClockState = "missed"    // its end has passed: what it waits for is late, or its window is closed
	ClockEscalated ClockState = "escalated" // still late some time after: a lead has it
	ClockMet       ClockState = "met"       // what it waited for came, in time or late
	ClockCancelled ClockState = "cancelled" // it has no object any more, or somebody stopped it with a reason
)

// Basis says on what a clock's delay rests.
type Basis string

// Bases.
const (
	BasisLaw    Basis = "law"    // a text gives the delay: nobody pauses it
	BasisPolicy Basis = "policy" // the association chose it: the law gives no number
	BasisOwn    Basis = "own"    // a member of the staff set this one by hand
)

// Await is what a clock waits for.
type Await string

// What clocks wait for.
const (
	AwaitLook            Await = "look"            // an analyst to act on a new case
	AwaitSending         Await = "draft"           // a drafted notice to be sent
	AwaitRepair          Await = "failed"          // somebody to mend a delivery that gave up
	AwaitAcknowledgement Await = "acknowledgement" // a platform to confirm reception (DSA art. 16(4))
	AwaitDecision        Await = "decision"        // a platform to decide (art. 16(5))
	AwaitComplaint       Await = "complaint"       // the end of the window for a complaint (art. 20)
	AwaitReply           Await = "reply"           // an answer to a message of the person
	AwaitRedress         Await = "redress"         // the next step against a decision
	AwaitOwn             Await = "own"             // a date that somebody set by hand
	AwaitBack            Await = "back"            // somebody to look at an address that answers again
	AwaitMail            Await = "mail"            // somebody to read an e-mail that came back about a notice
)

// A TaskKind is what a human is asked to do when a clock has run down. An event
// "task.opened" with the kind goes to the ledger at that moment: what may one
// day be done without a human hangs there.
type TaskKind string

// Kinds of task.
const (
	TaskLook     TaskKind = "look"          // act on the case
	TaskSend     TaskKind = "send"          // send the draft, or cancel it
	TaskRepair   TaskKind = "repair"        // send again what could not be delivered, or give it up
	TaskRemind   TaskKind = "remind"        // remind a silent platform
	TaskInsist   TaskKind = "second_notice" // notify it a second time
	TaskEscalate TaskKind = "escalate"      // go above it: coordinator, authority
	TaskComplain TaskKind = "complain"      // decide whether to complain, while the window is open
	TaskReply    TaskKind = "reply"         // answer the person's message
	TaskBody     TaskKind = "out_of_court"  // take the decision to a body for settling disputes out of court
	TaskOwn      TaskKind = "own"           // what the member wrote
	TaskBack     TaskKind = "back"          // look whether the content is back, and notify again
	TaskRead     TaskKind = "read"          // read the answer that came by e-mail

	TaskExhausted TaskKind = "exhausted" // every step was taken: decide how to go on
)

// A Clock is one deadline of a case or of one of its notices. Its terms are
// those of the policy when it started; a later policy leaves it alone.
type Clock struct {
	ID       string    `json:"id"`
	Await    Await     `json:"await"`
	Rule     string    `json:"rule,omitempty"`   // of the policy, such as "acknowledgement-minor"
	Policy   int       `json:"policy,omitempty"` // version of the policy whose terms it has
	Basis    Basis     `json:"basis"`
	NoticeID string    `json:"notice_id,omitempty"`
	ItemID   string    `json:"item_id,omitempty"` // for AwaitBack
	Label    string    `json:"label,omitempty"`   // what somebody wrote, for AwaitOwn
	Since    time.Time `json:"since"`             // when what it waits for began: with Await and NoticeID, its identity
	Round    int       `json:"round"`             // 1, and one more after each reminder

	StartedAt     time.Time `json:"started_at"` // of this round
	Within        Span      `json:"within,omitzero"`
	WarnBefore    Span      `json:"warn_before,omitzero"`
	EscalateAfter Span      `json:"escalate_after,omitzero"`
	DueAt         time.Time `json:"due_at"`               // it is late from this instant on
	WarnAt        time.Time `json:"warn_at,omitzero"`     // zero: no warning before
	EscalateAt    time.Time `json:"escalate_at,omitzero"` // zero: never
	Pauses        []Pause   `json:"pauses,omitempty"`

	Ladder []LadderStep `json:"ladder,omitempty"` // the steps that fit, as the policy had them when it started

	State    ClockState `json:"state"`
	StateAt  time.Time  `json:"state_at"`
	WarnedAt time.Time  `json:"warned_at,omitzero"` // in this round: it is warned of once
	EndedFor string     `json:"ended_for,omitempty"`
	Task     TaskKind   `json:"task,omitempty"` // open, "" for none
	TaskAt   time.Time  `json:"task_at,omitzero"`
}

// A Pause is time that does not count.
type Pause struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to,omitzero"` // zero while it lasts
	Until  time.Time `json:"until"`       // when it ends by itself
	Reason string    `json:"reason"`
	By     Actor     `json:"by"`
}

// Live tells whether the clock still has something to wait for.
func (k *Clock) Live() bool {
	switch k.State {
	case ClockMet, ClockCancelled:
		return false
	case ClockMissed:
		return !k.window()
	}
	return true
}

// AtRisk tells whether the clock is live and its end near or past.
func (k *Clock) AtRisk() bool {
	return k.Live() && (k.State == ClockWarned || k.State == ClockMissed || k.State == ClockEscalated)
}

// Late tells whether the clock is live and its end past.
func (k *Clock) Late() bool {
	return k.Live() && (k.State == ClockMissed || k.State == ClockEscalated)
}

// window tells whether the clock is the end of a right and not of somebody's
// duty: once past, there is nothing left to wait for.
func (k *Clock) window() bool { return k.Await == AwaitComplaint }

// Pausable tells whether a member of the staff may stop the time: not a law's,
// and not once it is late.
func (k *Clock) Pausable() bool {
	return k.Basis != BasisLaw && (k.State == ClockRunning || k.State == ClockWarned)
}

// Stoppable tells whether a member of the staff may end the clock by hand. The
// others end with what they wait for, so that nothing is forgotten.
func (k *Clock) Stoppable() bool {
	return k.Live() && (k.Await == AwaitOwn || k.Await == AwaitComplaint)
}

// Doable tells whether the clock's task is done by saying so. The others are
// done by acting on the case.
func (k *Clock) Doable() bool {
	switch k.Task {
	case TaskRemind, TaskInsist, TaskEscalate, TaskComplain:
		return k.Live() && len(k.Ladder) == 0 // else by the rung that asks for it
	case TaskOwn, TaskExhausted, TaskBack, TaskRead:
		return k.Live()
	}
	return false
}

// Next returns when the clock next does something by itself; zero: never.
func (k *Clock) Next() time.Time {
	switch {
	case k.State == ClockPaused:
		return k.Pauses[len(k.Pauses)-1].Until
	case k.State == ClockRunning && !k.WarnAt.IsZero():
		return k.WarnAt
	case k.State == ClockRunning || k.State == ClockWarned:
		return k.DueAt
	case k.State == ClockMissed && !k.window():
		return k.EscalateAt
	}
	return time.Time{}
}

// set computes the instants of a round from its start, its terms and its pauses.
func (k *Clock) set(cal Calendar) {
	if k.Await == AwaitOwn {
		return
	}
	var paused time.Duration
	for _, p := range k.Pauses {
		paused += cal.Elapsed(p.From, p.To, k.Within.Unit)
	}
	k.DueAt = cal.add(k.StartedAt, k.Within, paused)
	k.WarnAt, k.EscalateAt = time.Time{}, time.Time{}
	if !k.WarnBefore.IsZero() {
		if w := cal.Before(k.DueAt, k.WarnBefore); w.After(k.StartedAt) {
			k.WarnAt = w
		}
	}
	if !k.EscalateAfter.IsZero() {
		k.EscalateAt = cal.Add(k.DueAt, k.EscalateAfter)
	}
}

// Remaining returns how much time is left at an instant, in the time of the
// clock's unit: 0 when it is late. During a pause it stands still.
func (k *Clock) Remaining(cal Calendar, at time.Time) time.Duration {
	if n := len(k.Pauses); k.State == ClockPaused && at.After(k.Pauses[n-1].From) {
		at = k.Pauses[n-1].From
	}
	u := k.Within.Unit
	if u == "" || u == Months {
		u = Days
	}
	return cal.Elapsed(at, k.DueAt, u)
}

// task is what a human is asked when the clock has run down.
func (k *Clock) task() TaskKind {
	switch k.Await {
	case AwaitLook:
		return TaskLook
	case AwaitSending:
		return TaskSend
	case AwaitRepair:
		return TaskRepair
	case AwaitComplaint:
		return TaskComplain
	case AwaitReply:
		return TaskReply
	case AwaitOwn:
		return TaskOwn
	case AwaitBack:
		return TaskBack
	case AwaitMail:
		return TaskRead
	}
	switch k.Round {
	case 1:
		return TaskRemind
	case 2:
		return TaskInsist
	}
	return TaskEscalate
}

// Tick lets the clocks of a case do what was to happen by now: end a pause, warn,
// be missed, escalate. Each of these happens once, whatever the time of the
// machine does between two calls, as the state says that it has happened. It
// returns how many things happened.
func (c *Case) Tick(cal Calendar, now time.Time) (n int) {
	for i := range c.Clocks {
		k := &c.Clocks[i]
		for {
			next := k.Next()
			if next.IsZero() || now.Before(next) {
				break
			}
			n++
			switch {
			case k.State == ClockPaused:
				c.resume(k, cal, ActorSystem, next, now)
			case k.State == ClockRunning && !k.WarnAt.IsZero():
				k.State, k.StateAt, k.WarnedAt = ClockWarned, now, now
				c.clockEvent("clock.warned", k, ActorSystem, now)
				if k.window() && !c.complained(k.NoticeID) {
					c.openTask(k, now)
				}
			case k.State == ClockMissed:
				k.State, k.StateAt = ClockEscalated, now
				c.clockEvent("clock.escalated", k, ActorSystem, now)
			default:
				k.State, k.StateAt = ClockMissed, now
				c.clockEvent("clock.missed", k, ActorSystem, now)
				if k.window() {
					k.Task = ""
					c.tooLate(k, cal, now)
				} else {
					c.climb(k, now)
				}
			}
		}
	}
	return n
}

func (c *Case) openTask(k *Clock, at time.Time) {
	if k.Task == "" {
		k.Task, k.TaskAt = k.task(), at
		c.clockEvent("task.opened", k, ActorSystem, at, "task", string(k.Task), "round", itoa(k.Round))
	}
}

// PauseClock stops a clock's time for a reason, until it is resumed or until
// comes.
func (c *Case) PauseClock(id, reason string, until time.Time, by Actor, at time.Time) error {
	k := c.clock(id)
	if k == nil {
		return notFound("clock")
	}
	reason = strings.TrimSpace(reason)
	switch {
	case !k.Pausable() || !at.Before(k.DueAt):
		return conflict("clock.no_pause", "This clock cannot be paused: a law's runs on, and one that is late, paused or over has nothing to pause.")
	case reason == "":
		return &Error{Kind: Invalid, Field: "reason", Code: "clock.reason", Public: "Say in a few words why this clock is paused."}
	case !until.After(at) || until.After(at.AddDate(0, 3, 1)):
		return &Error{Kind: Invalid, Field: "until", Code: "clock.until", Public: "Say until which day the clock is paused: after today, and within three months."}
	}
	k.Pauses = append(slices.Clone(k.Pauses), Pause{From: at, Until: until, Reason: reason, By: by})
	k.State, k.StateAt = ClockPaused, at
	c.clockEvent("clock.paused", k, by, at, "until", until.UTC().Format(time.RFC3339))
	return nil
}

// ResumeClock lets the time of a paused clock go on.
func (c *Case) ResumeClock(id string, cal Calendar, by Actor, at time.Time) error {
	k := c.clock(id)
	if k == nil {
		return notFound("clock")
	}
	if k.State != ClockPaused {
		return conflict("clock.not_paused", "This clock is not paused.")
	}
	c.resume(k, cal, by, at, at)
	return nil
}

// resume ends the pause of a clock at to. If the machine's time went back behind
// the start of the pause, the pause was none.
func (c *Case) resume(k *Clock, cal Calendar, by Actor, to, at time.Time) {
	k.Pauses = slices.Clone(k.Pauses)
	p := &k.Pauses[len(k.Pauses)-1]
	p.To = to
	if to.Before(p.From) {
		p.To = p.From
	}
	if k.Await == AwaitOwn {
		k.DueAt = k.DueAt.Add(p.To.Sub(p.From))
	}
	k.set(cal)
	k.State, k.StateAt = ClockRunning, at
	if !k.WarnedAt.IsZero() {
		k.State = ClockWarned
	}
	c.clockEvent("clock.resumed", k, by, at, "due", k.DueAt.UTC().Format(time.RFC3339))
}

// AddClock sets a clock by hand, for a date and with the words that say why.
func (c *Case) AddClock(label string, due time.Time, by Actor, at time.Time) error {
	label = strings.Join(strings.Fields(label), " ")
	switch {
	case c.State == CaseClosed:
		return conflict("case.closed", "This case is closed. Reopen it first.")
	case label == "" || len([]rune(label)) > 200:
		return &Error{Kind: Invalid, Field: "label", Code: "clock.label", Public: "Say in a few words, at most 200 characters, what is to be done then."}
	case !due.After(at) || due.After(at.AddDate(2, 0, 0)):
		return &Error{Kind: Invalid, Field: "due", Code: "clock.due", Public: "Choose a day after today, within two years."}
	}
	k := Clock{ID: NewID(at), Await: AwaitOwn, Basis: BasisOwn, Label: label, Since: at, Round: 1, StartedAt: at, DueAt: due, State: ClockRunning, StateAt: at}
	c.Clocks = append(c.Clocks, k)
	c.clockEvent("clock.started", &k, by, at, "due", due.UTC().Format(time.RFC3339))
	return nil
}

// StopClock ends a clock by hand, for a reason.
func (c *Case) StopClock(id, reason string, by Actor, at time.Time) error {
	k := c.clock(id)
	if k == nil {
		return notFound("clock")
	}
	reason = strings.TrimSpace(reason)
	switch {
	case !k.Stoppable():
		return conflict("clock.no_stop", "This clock ends with what it waits for: act on that instead.")
	case reason == "":
		return &Error{Kind: Invalid, Field: "reason", Code: "clock.stop_reason", Public: "Say in a few words why this clock is stopped."}
	}
	k.EndedFor = reason
	c.endClock(k, ClockCancelled, by, at)
	return nil
}

// DoTask records that a human did what a clock that ran down asked. A platform
// that was reminded has the same delay once more; the next task is another one.
func (c *Case) DoTask(id string, cal Calendar, by Actor, at time.Time) error {
	k := c.clock(id)
	if k == nil {
		return notFound("clock")
	}
	if !k.Doable() {
		return conflict("task.none", "There is no such task to record: it was done meanwhile, or it is done by acting on the case.")
	}
	c.clockEvent("task.done", k, by, at, "task", string(k.Task), "round", itoa(k.Round))
	k.Task, k.TaskAt = "", time.Time{}
	if k.Await == AwaitOwn || k.Await == AwaitComplaint || k.Await == AwaitBack || k.Await == AwaitMail {
		c.endClock(k, ClockMet, by, at)
		return nil
	}
	c.again(k, cal, by, at)
	return nil
}

// again gives a platform one more delay.
func (c *Case) again(k *Clock, cal Calendar, by Actor, at time.Time) {
	k.Round++
	k.StartedAt, k.Pauses, k.WarnedAt = at, nil, time.Time{}
	k.State, k.StateAt = ClockRunning, at
	k.set(cal)
	c.clockEvent("clock.started", k, by, at, "due", k.DueAt.UTC().Format(time.RFC3339), "round", itoa(k.Round))
}

// tooLate goes on to what follows a complaint that nobody made in time.
func (c *Case) tooLate(window *Clock, cal Calendar, now time.Time) {
	n := c.Notice(window.NoticeID)
	if n == nil {
		return
	}
	for j := range n.Rungs {
		if r := &n.Rungs[j]; r.Kind == RungComplaint && r.Open() && c.moveRung(n, r, RungCancelled, ActorSystem, now) == nil {
			c.climbed(r, cal, ActorSystem, now)
		}
	}
}

// complained tells whether somebody complained against the decision on a notice,
// or decided not to.
func (c *Case) complained(noticeID string) bool {
	n := c.Notice(noticeID)
	return n != nil && slices.ContainsFunc(n.Rungs, func(r Rung) bool {
		return r.Kind == RungComplaint && r.State != RungAsked && r.State != RungCancelled
	})
}

// endClock ends a clock, and its task with it. A pause that lasts ends too.
func (c *Case) endClock(k *Clock, s ClockState, by Actor, at time.Time) {
	if k.Task != "" {
		c.clockEvent("task.closed", k, by, at, "task", string(k.Task))
		k.Task, k.TaskAt = "", time.Time{}
	}
	if k.State == ClockPaused {
		k.Pauses = slices.Clone(k.Pauses)
		if p := &k.Pauses[len(k.Pauses)-1]; at.Before(p.From) {
			p.To = p.From
		} else {
			p.To = at
		}
	}
	c.dropRungs(k, by, at)
	k.State, k.StateAt = s, at
	if s == ClockMet {
		c.clockEvent("clock.met", k, by, at)
	} else {
		c.clockEvent("clock.cancelled", k, by, at)
	}
}

func (c *Case) clock(id string) *Clock {
	for i := range c.Clocks {
		if c.Clocks[i].ID == id {
			return &c.Clocks[i]
		}
	}
	return nil
}

// clockEvent notes an event of a clock: what it waits for and of which notice,
// never what somebody wrote.
func (c *Case) clockEvent(kind string, k *Clock, by Actor, at time.Time, data ...string) {
	c.event(kind, c.ID, by, at, append([]string{"clock", k.ID, "await", string(k.Await), "notice", k.NoticeID}, data...)...)
}
