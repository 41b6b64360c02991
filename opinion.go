package rempart

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// An Opinion is what a partner says of a listed fingerprint that it met. A newer
// one of the same partner replaces it.
type Opinion struct {
	PeerID      string       `json:"peer_id"`
	Name        string       `json:"name"` // of the peer
	Fingerprint Fingerprint  `json:"fingerprint"`
	Value       string       `json:"value"` // one of OpinionValues
	Tags        []string     `json:"tags,omitempty"`
	Seen        *Fingerprint `json:"seen,omitempty"` // what the partner had looked up, if it says so
	At          time.Time    `json:"at"`
}

// Values of an opinion: those of StopNCII's exchange, and NotSame, which its
// format has no word for.
const (
	OpinionBlocked    = "Blocked"    // the partner met it and blocked it
	OpinionNotBlocked = "NotBlocked" // it met it and saw no reason to
	OpinionNotSame    = "NotSame"    // what it met is not the same picture
	OpinionPending    = "PendingReview"
)

// OpinionValues lists what an opinion can say.
var OpinionValues = []string{"Unknown", "None", "QualityUnknown", OpinionPending, OpinionBlocked, OpinionNotBlocked, OpinionNotSame, "Withdrawn", "Deleted"}

// Against tells whether the opinion says that the fingerprint ought not to match.
func (o Opinion) Against() bool { return o.Value == OpinionNotBlocked || o.Value == OpinionNotSame }

// DisputesADay is how many fingerprints the opinions of one partner take out of the
// matching in 24 hours. Its further ones open tasks, and stop nothing: nobody
// empties a list that way.
const DisputesADay = 25

// A ListTask is a fingerprint about which somebody of the staff has to decide.
type ListTask struct {
	ID          string      `json:"-"`
	List        string      `json:"list"`
	Fingerprint Fingerprint `json:"fingerprint"`
	Kind        EntryState  `json:"kind"`              // disputed, quarantined, received or probed
	Peer        string      `json:"peer"`              // who disputes, submits, or whose traffic it matched
	Stopped     bool        `json:"stopped"`           // it does not match meanwhile
	Lookups     int         `json:"lookups,omitempty"` // of a quarantine: of the peer in an hour
	Hits        int         `json:"hits,omitempty"`    // and how many of them it matched
	Tags        []string    `json:"tags,omitempty"`    // of what was submitted
	Opinion     string      `json:"opinion,omitempty"`
	OpenedAt    time.Time   `json:"opened_at"`

	Decision  TaskDecision `json:"decision,omitempty"`
	DecidedBy Actor        `json:"decided_by,omitempty"`
	DecidedAt time.Time    `json:"decided_at,omitzero"`
}

// TaskDecision is what was decided of a fingerprint.
type TaskDecision string

// Decisions on a [ListTask].
const (
	TaskKeep    TaskDecision = "keep"    // it matches, again or for the first time
	TaskOff     TaskDecision = "off"     // it leaves the list, or never enters it
	TaskSilence TaskDecision = "silence" // it matches, but for pictures as near to what the partner saw
)

// Decisions returns what can be decided: of what was seen, only where somebody
// said what that was.
func (t ListTask) Decisions(seen bool) []TaskDecision {
	if t.Kind == EntryProbed {
		return []TaskDecision{TaskKeep}
	}
	if t.Kind == EntryDisputed && seen {
		return []TaskDecision{TaskKeep, TaskSilence, TaskOff}
	}
	return []TaskDecision{TaskKeep, TaskOff}
}

// Key is the fingerprint's type and value in 64 digits, as that of a video is long.
func (f Fingerprint) Key() string {
	sum := sha256.Sum256([]byte(string(f.Type) + "\x00" + f.Value))
	return hex.EncodeToString(sum[:])
}

// Normal checks an opinion that a partner gave.
func (o Opinion) Normal() (Opinion, error) {
	if !slices.Contains(OpinionValues, o.Value) {
		return o, &Error{Kind: Invalid, Field: "opinion", Code: "opinion.value", Public: "An opinion is Blocked, NotBlocked, NotSame or PendingReview."}
	}
	if len(o.Tags) > 20 || slices.ContainsFunc(o.Tags, func(s string) bool { return len(s) > 64 }) {
		return o, &Error{Kind: Invalid, Field: "tags", Code: "opinion.tags", Public: "At most 20 tags, of 64 bytes each."}
	}
	if o.Seen != nil {
		seen, err := o.Seen.Normal()
		if err != nil {
			return o, err
		}
		o.Seen = &seen
	}
	return o, nil
}
