package rempart

import (
	"strings"
	"time"
	"unicode/utf8"
)

// An Identity is who a case is about, when somebody must know: to lodge a
// complaint with her, or to call her back. Nobody is asked for it in a report.
// It is kept apart from the case, in a box of its own that is opened for a
// written reason only.
type Identity struct {
	Name    string `json:"name"`
	Contact string `json:"contact"` // a telephone number, an e-mail address, a safe time to call
	Note    string `json:"note,omitempty"`
}

// String keeps an identity out of logs and error texts.
func (Identity) String() string { return "[identity]" }

// GoString keeps an identity out of what %#v prints.
func (Identity) GoString() string { return "[identity]" }

// maxIdentity is how many characters a part of an identity may have.
const maxIdentity = 500

// Normal returns the identity without space around its parts, or what is wrong.
func (i Identity) Normal() (Identity, error) {
	var p Problems
	for _, f := range []struct {
		field string
		text  *string
	}{{"name", &i.Name}, {"contact", &i.Contact}, {"note", &i.Note}} {
		*f.text = strings.TrimSpace(strings.ToValidUTF8(*f.text, "�"))
		if n := utf8.RuneCountInString(*f.text); n > maxIdentity {
			p.add(f.field, "identity.long", "This text has "+itoa(n)+" characters; at most "+itoa(maxIdentity)+" can be kept.", n, maxIdentity)
		}
	}
	if len(p) == 0 && i.Name == "" && i.Contact == "" {
		p.add("name", "identity.empty", "Give a name or a way to reach the person.")
	}
	return i, p.err()
}

// An Opening is one time that somebody opened the identity of a case.
type Opening struct {
	Reason string    `json:"reason"`
	Salt   string    `json:"salt"` // see commit
	By     Actor     `json:"by"`
	At     time.Time `json:"at"`
}

// NoteIdentity records that an identity was given for a case, or replaced.
func (c *Case) NoteIdentity(by Actor, at time.Time) {
	c.Identified = true
	c.UpdatedAt = at
	c.event("identity.kept", c.ID, by, at)
}

// OpenIdentity records that somebody opens the identity of a case, and why. The
// ledger gets a digest of the reason.
func (c *Case) OpenIdentity(reason string, by Actor, at time.Time) error {
	reason, err := written(reason, "identity.reason", "Say in a few words why you need to know who this is.")
	if err != nil {
		return err
	}
	if !c.Identified {
		return conflict("identity.none", "No identity is kept for this case.")
	}
	salt, digest := commit(reason)
	c.Openings = append(c.Openings, Opening{Reason: reason, Salt: salt, By: by, At: at})
	c.event("identity.opened", c.ID, by, at, "reason", digest)
	return nil
}

// ForgetIdentity records that the identity of a case was destroyed.
func (c *Case) ForgetIdentity(by Actor, at time.Time) error {
	if !c.Identified {
		return conflict("identity.none", "No identity is kept for this case.")
	}
	c.Identified = false
	c.UpdatedAt = at
	c.event("identity.erased", c.ID, by, at)
	return nil
}
