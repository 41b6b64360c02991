package rempart

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Service is an entry of the register: who is behind an address, and how to
// notify them.
type Service struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Hosts      []string `json:"hosts"`   // the names it serves; "exemple.test" covers "www.exemple.test"
	PeerID     string   `json:"peer_id"` // how notices reach it; empty: by hand only
	Lang       string   `json:"lang"`    // language that notices are written in
	Provenance string   `json:"provenance"`
	CheckedAt  string   `json:"checked_at"` // YYYY-MM-DD
	Small      bool     `json:"small"`      // a micro or small enterprise: owes no handling of complaints (DSA art. 19)

	Kind    ServiceKind `json:"kind,omitempty"`
	Profile Profile     `json:"profile,omitzero"`
	Contact Contact     `json:"contact,omitzero"`
}

// Serves tells whether an address is on the service.
func (s Service) Serves(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	for _, h := range s.Hosts {
		if host == h || strings.HasSuffix(host, "."+h) {
			return true
		}
	}
	return false
}

// A Peer is another instance or system that we speak with. Keys are never in
// it: the store keeps the hash of the key it comes in with, and seals the
// credentials we go out with.
type Peer struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	Kind           PeerKind  `json:"kind"`
	URL            string    `json:"url"` // base of the other side, empty if it only calls us
	TrustedFlagger bool      `json:"trusted_flagger"`
	Expertise      string    `json:"expertise,omitempty"`
	Flagger        string    `json:"flagger,omitempty"`     // its entry in the list of trusted flaggers, which then says whether it is one
	Lists          []string  `json:"lists,omitempty"`       // the lists its key opens; empty: all
	LookupOnly     bool      `json:"lookup_only,omitempty"` // it may ask for matches, and have no copy of a list
	Rates          Rates     `json:"rates,omitzero"`        // what its key may ask of one node; zero: the usual
	Stops          bool      `json:"stops,omitempty"`       // it said that it refuses each file that it checks and that is to be stopped
	Request        *Request  `json:"request,omitempty"`     // of PeerHTTP: how a notice is put into a request
	CreatedAt      time.Time `json:"created_at"`
	DisabledAt     time.Time `json:"disabled_at,omitzero"`

	KeyUntil time.Time `json:"-"` // when the key that it came in with ends, as it has a successor; zero: never
}

// MayRead returns the lists that the peer's key opens, by identifier. It is never
// nil, which elsewhere stands for all.
func (p Peer) MayRead() []string {
	out := []string{}
	for _, l := range Lists {
		if len(p.Lists) == 0 || slices.Contains(p.Lists, l.ID) {
			out = append(out, l.ID)
		}
	}
	return out
}

// Reads tells whether the peer may have a copy of a list.
func (p Peer) Reads(list string) bool {
	return !p.LookupOnly && slices.Contains(p.MayRead(), list)
}

// MayCopy returns the lists of which it may have a copy; for one that may only
// look up it is a Forbidden.
func (p Peer) MayCopy() ([]string, error) {
	if p.LookupOnly {
		return nil, &Error{Kind: Forbidden, Code: "key.lookup", Public: "This key is for lookups: it opens no copy of a list."}
	}
	return p.MayRead(), nil
}

// Mailbox is the address of a peer that is a mailbox.
func (p Peer) Mailbox() string { return strings.TrimPrefix(p.URL, "mailto:") }

// PeerKind says what a peer is to us, and so what its key opens.
type PeerKind string

// Kinds of peer.
const (
	PeerPlatform PeerKind = "platform" // receives notices, reads lists, asks for matches
	PeerFlagger  PeerKind = "flagger"  // sends us notices, answers at its hub
	PeerPartner  PeerKind = "partner"  // shares lists
	PeerMail     PeerKind = "mail"     // a mailbox that takes notices; its URL is mailto:ADDRESS, and it has no key here
	PeerHTTP     PeerKind = "http"     // somebody else's API that takes notices; its URL is the whole address, and it has no key here
	PeerSystem   PeerKind = "system"   // a platform's own system, which carries decisions out; it has no key here
)

// SystemID is the identifier of the platform's own system among the peers. Its
// URL is the whole address of its webhook.
const SystemID = "own-system"

// A Request says how a notice is put into a request of somebody else's API.
// Values of headers are secrets, and in Credentials.
type Request struct {
	ContentType string   `json:"content_type"`         // application/json or application/x-www-form-urlencoded
	Body        string   `json:"body"`                 // a template; package exchange says what it can name
	FollowUp    string   `json:"follow_up,omitempty"`  // a template for reminders and complaints; empty: it takes none, and a human does them
	Headers     []string `json:"headers,omitempty"`    // names of headers that are set, such as Authorization
	Taken       []int    `json:"taken,omitempty"`      // statuses that mean "we have it"; empty: every 2xx
	Number      string   `json:"number,omitempty"`     // where in the answer's JSON its number is, such as data.id; empty: it gives none
	Repeatable  bool     `json:"repeatable,omitempty"` // it knows the Idempotency-Key, or a number of ours in the body: the same notice twice is one
}

// Credentials are the secrets shared with a peer. They never leave the store
// but to be used.
type Credentials struct {
	Key     string            `json:"key"`               // what we present to it
	Headers map[string]string `json:"headers,omitempty"` // of a Request, by name
	Secret  string            `json:"secret"`            // what callbacks between us are signed with, "whsec_…"
}

// String keeps credentials out of logs and error texts.
func (Credentials) String() string { return "[credentials]" }
