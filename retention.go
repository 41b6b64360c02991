package rempart

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// A RetentionClass says how long a closed case is kept.
type RetentionClass string

// Classes of a case.
const (
	KeptMinor     RetentionClass = "minor"     // the person depicted is, or appears to be, under 18
	KeptAdult     RetentionClass = "adult"     // an adult, or an age that nobody knows
	KeptUnfounded RetentionClass = "unfounded" // nothing was notified and no fingerprint listed
	KeptMail      RetentionClass = "mail"      // no case: an e-mail that nobody has filed on one
)

// RetentionClasses lists every class of a case.
var RetentionClasses = []RetentionClass{KeptMinor, KeptAdult, KeptUnfounded}

// Retention is how long a closed case of each class is kept before it is
// erased. It is the operator's policy: the law names no figure.
type Retention map[RetentionClass]time.Duration

// DefaultRetention is what an operator who says nothing gets: a year, which
// covers the six months in which a decision may be complained about (DSA art.
// 20(1)), and ninety days for what led to nothing and for e-mails that nobody
// filed.
//
// A notice received is kept as long, or three months after those six if it was
// refused.
var DefaultRetention = Retention{KeptMinor: 365 * 24 * time.Hour, KeptAdult: 365 * 24 * time.Hour, KeptUnfounded: 90 * 24 * time.Hour, KeptMail: 90 * 24 * time.Hour,
	KeptNoticeMinor: 365 * 24 * time.Hour, KeptNoticeActed: 365 * 24 * time.Hour, KeptNoticeRefused: 270 * 24 * time.Hour}

// MailEraseAt returns when an e-mail that nobody has filed is erased; ok is false
// where they are kept without end.
func MailEraseAt(m Mail, r Retention) (at time.Time, ok bool) {
	if r[KeptMail] <= 0 {
		return time.Time{}, false
	}
	return m.Kept.Add(r[KeptMail]), true
}

// RetentionClass returns how long the case is to be kept once it is closed.
func (c *Case) RetentionClass() RetentionClass {
	founded := false
	for _, n := range c.Notices {
		founded = founded || n.State != NoticeDraft && n.State != NoticeCancelled
	}
	for _, i := range c.Items {
		founded = founded || i.State == ItemProtected
	}
	switch {
	case !founded:
		return KeptUnfounded
	case c.Facts.Minor():
		return KeptMinor
	}
	return KeptAdult
}

// EraseAt returns when the case is erased, if it stays as it is: some time after
// it was closed. ok is false while it is open, or under a hold, or if its class
// is kept without end, or as long as another case carries its work.
func (c *Case) EraseAt(r Retention) (at time.Time, ok bool) {
	keep, ok := r[c.RetentionClass()]
	if c.State != CaseClosed || c.Hold != nil || c.Following() || !ok || keep <= 0 {
		return time.Time{}, false
	}
	return c.Closed().Add(keep), true
}

// Closed returns when the case was closed; zero while it is open. A case that an
// older version closed did not say: it is when it last changed.
func (c *Case) Closed() time.Time {
	switch {
	case c.State != CaseClosed:
		return time.Time{}
	case c.ClosedAt.IsZero():
		return c.UpdatedAt
	}
	return c.ClosedAt
}

// A Hold keeps a case from being erased, whoever asks: because of proceedings,
// for instance.
type Hold struct {
	Reason string    `json:"reason"`
	Salt   string    `json:"salt"` // see commit
	By     Actor     `json:"by"`
	At     time.Time `json:"at"`
}

// PlaceHold puts a case under a hold. The ledger gets a digest of the reason.
func (c *Case) PlaceHold(reason string, by Actor, at time.Time) error {
	h, digest, err := placeHold(c.Hold, reason, by, at)
	if err != nil {
		return err
	}
	c.Hold = h
	c.event("hold.placed", c.ID, by, at, "reason", digest)
	c.UpdatedAt = at
	return nil
}

// LiftHold ends a hold. What was due meanwhile is erased soon after.
func (c *Case) LiftHold(reason string, by Actor, at time.Time) error {
	l, digest, err := liftHold(c.Hold, reason, by, at)
	if err != nil {
		return err
	}
	c.Lifted = append(c.Lifted, l)
	c.Hold = nil
	c.event("hold.lifted", c.ID, by, at, "reason", digest)
	c.UpdatedAt = at
	return nil
}

// placeHold makes a hold where there is none, and the digest of its reason.
func placeHold(now *Hold, reason string, by Actor, at time.Time) (*Hold, string, error) {
	reason, err := written(reason, "hold.reason", "Say in a few words why this case must be kept.")
	if err != nil {
		return nil, "", err
	}
	if now != nil {
		return nil, "", conflict("hold.placed", "This case is under a hold already.")
	}
	salt, digest := commit(reason)
	return &Hold{Reason: reason, Salt: salt, By: by, At: at}, digest, nil
}

// liftHold says how a hold ended, with the digest of the reason.
func liftHold(now *Hold, reason string, by Actor, at time.Time) (Lifted, string, error) {
	reason, err := written(reason, "hold.reason", "Say in a few words why this case need not be kept any more.")
	if err != nil {
		return Lifted{}, "", err
	}
	if now == nil {
		return Lifted{}, "", conflict("hold.none", "This case is under no hold.")
	}
	salt, digest := commit(reason)
	return Lifted{*now, Hold{Reason: reason, Salt: salt, By: by, At: at}}, digest, nil
}

// A Lifted hold is one that ended, and how.
type Lifted struct {
	Hold Hold `json:"hold"`
	End  Hold `json:"end"`
}

// An Erasure says why and by whom a case is erased.
type Erasure struct {
	Why    EraseWhy
	By     Actor
	At     time.Time
	Reason string    // for EraseOrdered: in words; the ledger gets a digest of it
	Unlist bool      // take its fingerprints out of the lists too
	Keep   Retention // for EraseDue: how long cases are kept
}

// Digest returns the digest of the reason, for the ledger; "" of none. Nothing
// keeps the salt: it can be shown that there was a reason, not which.
func (e Erasure) Digest() string {
	if e.Reason == "" {
		return ""
	}
	_, digest := commit(e.Reason)
	return digest
}

// EraseWhy is why a case is erased.
type EraseWhy string

// Reasons to erase a case.
const (
	EraseDue       EraseWhy = "retention"  // the time for which it is kept has passed
	EraseWithdrawn EraseWhy = "withdrawal" // the person withdrew the report
	EraseOrdered   EraseWhy = "order"      // an administrator
	EraseRestored  EraseWhy = "restored"   // it came back from a backup without its key, as it was erased since
)

// MayErase says whether a case may be erased now. A hold beats every way.
func (c *Case) MayErase(e Erasure) error {
	if c.Hold != nil {
		return conflict("case.held", "This case is under a legal hold and cannot be erased. Lift the hold first, with a reason.")
	}
	if e.Why == EraseOrdered {
		if _, err := written(e.Reason, "erase.reason", "Say in a few words why this case is erased."); err != nil {
			return err
		}
	}
	if e.Why == EraseDue {
		if at, ok := c.EraseAt(e.Keep); !ok || at.After(e.At) {
			return conflict("case.not_due", "It is not yet time to erase this case.")
		}
	}
	return nil
}

// Withdraw records that the person withdrew a report that must be kept because
// of a hold: its fingerprints are taken out of the lists.
func (c *Case) Withdraw(at time.Time) error {
	c.event("case.withdrawn", c.ID, ActorReporter, at)
	c.Withdrawn, c.UpdatedAt = at, at
	for k := range c.Items {
		i := &c.Items[k]
		if i.Kind != ItemMedium || i.State == ItemWithdrawn || i.State == ItemDropped {
			continue
		}
		if err := c.WithdrawFingerprint(i.ID, ActorReporter, at); err != nil {
			return err
		}
	}
	return nil
}

// written returns a reason that somebody wrote, or why it is none.
func written(reason, code, ask string) (string, error) {
	if reason = strings.TrimSpace(reason); len([]rune(reason)) < 5 {
		return "", &Error{Kind: Invalid, Field: "reason", Code: code, Public: ask}
	}
	return reason, nil
}

// commit returns a digest of a text for the ledger, and the salt to check it
// with: whoever has both text and salt can show that this was the text, and the
// digest alone tells nothing, not even to who guesses.
func commit(text string) (salt, digest string) {
	salt = rand.Text()
	h := sha256.Sum256([]byte("rempart reason v1\x00" + salt + "\x00" + text))
	return salt, hex.EncodeToString(h[:])
}
