package rempart

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"
)

// Classes and lists beside those of cases.
const (
	ClassHarmless Class = "harmless" // pictures that everybody has: they silence matches, and are none

	ListHarmless = "harmless"
)

// Harmless is the negative list of an instance: a match at least as far from the
// upload as a harmless picture is, is none. Each instance has its own and none
// travels, as whoever takes a list in would take it for one more to match.
var Harmless = List{ID: ListHarmless, Name: Text{"Images inoffensives", "Harmless pictures"}, Class: ClassHarmless, Threshold: 31}

// ListByID returns a list, the harmless one too, under the policy it begins with.
func ListByID(id string) (List, bool) {
	if id == ListHarmless {
		return Harmless, true
	}
	k := slices.IndexFunc(Lists, func(l List) bool { return l.ID == id })
	if k < 0 {
		return List{}, false
	}
	return Lists[k], true
}

// States of an entry that are of its list and not of its case. None of them
// matches; to whoever reads the list they are withdrawals that may end.
const (
	EntryDisputed    EntryState = "disputed"    // a partner says that it is wrong: waits for an analyst
	EntryQuarantined EntryState = "quarantined" // it matched more of a platform's traffic than one picture can: waits for an analyst
	EntryDeleted     EntryState = "deleted"     // somebody of the staff took it off the list
	EntryExpired     EntryState = "expired"     // older than its list keeps entries
	EntryProbed      EntryState = "probed"      // of a task alone: one key looked up many values close to it
	EntryReceived    EntryState = "received"    // a partner submitted it; it is in no list before an analyst accepted it
)

// A Policy is what an administrator sets for one list in place of what it begins
// with. The zero Policy changes nothing.
type Policy struct {
	Threshold  *int     `json:"threshold,omitempty"`   // largest PDQ distance that is a match, 0 to 31
	Action     Action   `json:"action,omitempty"`      // that a match recommends
	Share      *float64 `json:"share,omitempty"`       // of uploads for which the list counts, 0 to 1; default 1
	ExpiryDays int      `json:"expiry_days,omitempty"` // after which an entry leaves the list; 0: never
	LookupOnly bool     `json:"lookup_only,omitempty"` // nobody has a copy of it
	Probes     int      `json:"probes,omitempty"`      // different values close to one that matched which a key that may only look up is answered for themselves; 0: DefaultProbes
	Flood      *float64 `json:"flood,omitempty"`       // share of one key's lookups above which an entry is quarantined, 0 to 1; 0: never. Default DefaultFlood
}

// DefaultFlood is the share of one platform's lookups that one entry may match: no
// picture of a person is one in twenty of what people upload; one that is is a
// picture that everybody has, or a flood that somebody must look at.
const DefaultFlood = 0.05

// DefaultProbes is how many different values close to one that matched a key that may
// only look up is answered for themselves: each answer is a bit of the 256 that it
// must not learn. MostProbes is the most that can be set.
const (
	DefaultProbes = 32
	MostProbes    = 1000
)

// Probes is how many different values close to one that matched are answered for
// themselves to a key that may only look up.
func (l List) Probes() int {
	if l.Policy.Probes == 0 {
		return DefaultProbes
	}
	return l.Policy.Probes
}

// FloodLeast is how many lookups one key makes before a share of them says
// anything.
const FloodLeast = 1000

// Check says what is wrong with a policy.
func (p Policy) Check() error {
	bad := func(field, code, public string) error {
		return &Error{Kind: Invalid, Field: field, Code: code, Public: public}
	}
	switch {
	case p.Threshold != nil && (*p.Threshold < 0 || *p.Threshold > 31):
		return bad("threshold", "policy.threshold", "A threshold is a distance from 0 to 31.")
	case p.Action != "" && p.Action != ActionBlock && p.Action != ActionReview:
		return bad("action", "policy.action", "An action is block or review.")
	case p.Share != nil && (*p.Share < 0 || *p.Share > 1):
		return bad("share", "policy.share", "A share is a number from 0 to 1, such as 0.25.")
	case p.Flood != nil && (*p.Flood < 0 || *p.Flood > 1):
		return bad("flood", "policy.share", "A share is a number from 0 to 1, such as 0.25.")
	case p.Probes < 0 || p.Probes > MostProbes:
		return bad("probes", "policy.probes", "A budget is a number from 1 to 1000; 0 is the usual one.")
	case p.ExpiryDays < 0 || p.ExpiryDays > 36500:
		return bad("expiry", "policy.expiry", "An expiry is a number of days; 0 is never.")
	}
	return nil
}

// Under returns the list under a policy.
func (l List) Under(p Policy) List {
	if p.Threshold != nil {
		l.Threshold = *p.Threshold
		l.Video.Distance = min(l.Video.Distance, *p.Threshold)
	}
	if p.Action != "" {
		l.Action = p.Action
	}
	l.Policy = p
	return l
}

// Counts tells whether the list counts for an upload named by seed: the same seed
// has the same answer on every node, and a list whose share grows keeps those for
// which it counted.
func (l List) Counts(seed string) bool {
	if l.Policy.Share == nil || *l.Policy.Share >= 1 {
		return true
	}
	sum := sha256.Sum256([]byte(l.ID + "\x00" + seed))
	return float64(binary.BigEndian.Uint64(sum[:])>>11)/(1<<53) < *l.Policy.Share
}

// Flood is the share of one key's lookups above which an entry of the list is
// quarantined; 0 is never.
func (l List) Flood() float64 {
	if l.Policy.Flood == nil {
		return DefaultFlood
	}
	return *l.Policy.Flood
}

// ExpiredBefore returns the time before which entries of the list have expired,
// the zero time if none do.
func (l List) ExpiredBefore(now time.Time) time.Time {
	if l.Policy.ExpiryDays == 0 {
		return time.Time{}
	}
	return now.AddDate(0, 0, -l.Policy.ExpiryDays)
}
