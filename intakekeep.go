package rempart

import "time"

// Classes of a notice that a platform received; its decisions and complaints are
// kept and erased with it.
const (
	KeptNoticeMinor   RetentionClass = "notice-minor"   // somebody under 18 is shown, or may be
	KeptNoticeActed   RetentionClass = "notice-acted"   // a decision restricted something
	KeptNoticeRefused RetentionClass = "notice-refused" // none did
)

// NoticeClasses lists every class of a notice received.
var NoticeClasses = []RetentionClass{KeptNoticeMinor, KeptNoticeActed, KeptNoticeRefused}

// MinNoticeRetention is the shortest time for which a notice received is kept
// after its last decision was told: the six months in which that may be complained
// about (DSA art. 20(1)), and some days for the post.
const MinNoticeRetention = 190 * 24 * time.Hour

// RetentionClass returns how long the intake is to be kept once nothing of it
// waits any more.
func (i *Intake) RetentionClass() RetentionClass {
	if i.Notice.Minor {
		return KeptNoticeMinor
	}
	for _, d := range i.Decisions {
		if d.Measure != MeasureRefused {
			return KeptNoticeActed
		}
	}
	return KeptNoticeRefused
}

// Ended returns when the last thing happened to an intake of which nothing waits
// any more: every item decided, each decision carried out, each complaint
// answered, no task open. Zero while something waits.
func (i *Intake) Ended() time.Time {
	if !i.Settled() || len(i.Tasks()) > 0 {
		return time.Time{}
	}
	at := i.ReceivedAt
	later := func(t time.Time) {
		if t.After(at) {
			at = t
		}
	}
	for _, d := range i.Decisions {
		later(d.At)
	}
	for k := range i.Orders {
		if i.Orders[k].State == OrderPending {
			return time.Time{}
		}
		later(i.Orders[k].Since)
	}
	for _, c := range i.Complaints {
		later(c.DecidedAt)
	}
	for _, t := range i.Told {
		later(t)
	}
	if i.Referral != nil {
		later(i.Referral.ClosedAt)
	}
	return at
}

// EraseAt returns when the intake is erased, if it stays as it is; see
// [Case.EraseAt]. A policy shorter than MinNoticeRetention counts as that.
func (i *Intake) EraseAt(r Retention) (at time.Time, ok bool) {
	keep, ended := r[i.RetentionClass()], i.Ended()
	if ended.IsZero() || i.Hold != nil || keep <= 0 {
		return time.Time{}, false
	}
	return ended.Add(max(keep, MinNoticeRetention)), true
}

// MayErase says whether an intake may be erased now. A hold beats every way.
func (i *Intake) MayErase(e Erasure) error {
	if i.Hold != nil {
		return conflict("intake.held", "This notice is under a legal hold and cannot be erased. Lift the hold first, with a reason.")
	}
	if e.Why == EraseRestored {
		return nil
	}
	if at, ok := i.EraseAt(e.Keep); e.Why != EraseDue || !ok || at.After(e.At) {
		return conflict("intake.not_due", "It is not yet time to erase this notice.")
	}
	return nil
}

// PlaceHold puts an intake under a hold, as [Case.PlaceHold] does a case.
func (i *Intake) PlaceHold(reason string, by Actor, at time.Time) error {
	h, digest, err := placeHold(i.Hold, reason, by, at)
	if err != nil {
		return err
	}
	i.Hold = h
	i.event("hold.placed", i.ID, by, at, "reason", digest)
	i.UpdatedAt = at
	return nil
}

// LiftHold ends a hold. What was due meanwhile is erased soon after.
func (i *Intake) LiftHold(reason string, by Actor, at time.Time) error {
	l, digest, err := liftHold(i.Hold, reason, by, at)
	if err != nil {
		return err
	}
	i.Hold, i.Lifted = nil, append(i.Lifted, l)
	i.event("hold.lifted", i.ID, by, at, "reason", digest)
	i.UpdatedAt = at
	return nil
}
