package rempart

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Entries that were taken in from elsewhere stand in the lists under a source: who
// they are from. They match as others do, are never shared further, and stopping
// an upload by one tells nobody but the ledger.
const sourcePrefix = "source:"

// SourceID returns what stands for a source where else the identifier of a peer
// does. A name has 1 to 40 characters of a-z, 0-9 and -.
func SourceID(name string) (string, error) {
	ok := name != "" && len(name) <= 40 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
	if !ok {
		return "", &Error{Kind: Invalid, Field: "source", Code: "source.name", Public: "The name of a source has 1 to 40 characters of a-z, 0-9 and -, such as partner-exemple."}
	}
	return sourcePrefix + name, nil
}

// IsSource tells whether an identifier is that of a source, and not of a peer.
func IsSource(id string) bool { return strings.HasPrefix(id, sourcePrefix) }

// SourceKind says what a source speaks.
type SourceKind string

// What sources speak.
const (
	SourceStopNCII SourceKind = "stopncii" // FetchHashes of StopNCII.org
	SourceNCMEC    SourceKind = "ncmec"    // /v2/entries of NCMEC's hash sharing
	SourceFeed     SourceKind = "rempart"  // GET /api/v1/feed of another instance
	SourceFile     SourceKind = "file"     // a file, CSV or plain text, that is the whole list
)

// SourceKinds lists them.
var SourceKinds = []SourceKind{SourceStopNCII, SourceNCMEC, SourceFeed, SourceFile}

// A Source is whose list this instance reads, again and again, over HTTP.
type Source struct {
	Name    string          `json:"name"` // as SourceID takes it
	Kind    SourceKind      `json:"kind"`
	URL     string          `json:"url"`                // what the paths of its kind come behind; of a file its whole address
	List    string          `json:"list"`               // that its fingerprints enter; "" of an instance: each that which it names
	Quality int             `json:"quality,omitempty"`  // of a PDQ for which it says none; 0 refuses these
	Type    FingerprintType `json:"type,omitempty"`     // of 64 digits for which a file says none
	Every   time.Duration   `json:"every"`              // between two readings
	Private bool            `json:"private,omitempty"`  // it may be on a network that is not public
	MayLack float64         `json:"may_lack,omitempty"` // share, 0 to 1, of what is held of it that it may lack when it was read again whole; 0: [MayLack]
}

// MayLack is the share of what is held of a list that it may lack, when it was
// read again whole, without somebody being asked; and fewLacking how many it may
// lack whatever their share.
const (
	MayLack    = 0.5
	fewLacking = 100
)

// Lacks is the share that the source may lack.
func (s Source) Lacks() float64 {
	if s.MayLack == 0 {
		return MayLack
	}
	return s.MayLack
}

// LacksMuch tells whether a list that was read again whole lacks so much of what
// is held of it that this is more likely a fault of theirs than a change of heart.
// Of a share of 1 or more nothing is too much.
func LacksMuch(lacking, had int, mayLack float64) bool {
	return mayLack < 1 && lacking > fewLacking && float64(lacking) > mayLack*float64(had)
}

// JobSweep withdraws what the list Subject lacks, where somebody decided that.
const JobSweep = "list.sweep"

// A SourceLack is a list that was read again whole and waits for somebody, as it
// lacks most of what is held of it. All that is held goes on matching.
type SourceLack struct {
	Of      string    `json:"of"` // the peer whose feed it is, or what stands for a source
	Had     int       `json:"had"`
	Lacking int       `json:"lacking"`
	Since   time.Time `json:"since"`
}

// ID stands for the source where else the identifier of a peer does.
func (s Source) ID() string { return sourcePrefix + s.Name }

// MinSourceEvery is the shortest time between two readings of a source.
const MinSourceEvery = time.Second

// Check names what is wrong with a source, or returns nil. Fingerprints travel
// under TLS, but on one machine.
func (s Source) Check() error {
	if _, err := SourceID(s.Name); err != nil {
		return err
	}
	if !slices.Contains(SourceKinds, s.Kind) {
		return &Error{Kind: Invalid, Field: "kind", Code: "source.kind", Public: "A source is of the kind stopncii, ncmec, rempart or file."}
	}
	u, err := url.Parse(s.URL)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Fragment != "" || u.RawQuery != "" && s.Kind != SourceFile {
		return &Error{Kind: Invalid, Field: "url", Code: "source.url", Public: "The address of a source is one such as https://partenaire.exemple.test, without a name or password in it."}
	}
	if u.Scheme == "http" && !Loopback(u.Hostname()) {
		return &Error{Kind: Invalid, Field: "url", Code: "source.tls", Public: "Fingerprints travel under TLS: the address of a source begins with https://, unless it is on this machine."}
	}
	if (s.List != "" || s.Kind != SourceFeed) && !slices.ContainsFunc(Lists, func(l List) bool { return l.ID == s.List }) {
		return &Error{Kind: Invalid, Field: "list", Code: "list.unknown", Public: "There is no list of this name."}
	}
	if s.Quality != 0 && (s.Quality < MinQuality || s.Quality > 100) {
		return &Error{Kind: Invalid, Field: "quality", Code: "source.quality", Public: "Fingerprints of such a quality enter no list: it is 50 to 100."}
	}
	if !(s.MayLack >= 0 && s.MayLack <= 1) {
		return &Error{Kind: Invalid, Field: "may_lack", Code: "source.may_lack", Public: "The share that a source may lack is 0 to 1, such as 0.5."}
	}
	if s.Every < MinSourceEvery {
		return &Error{Kind: Invalid, Field: "every", Code: "source.every", Public: "A source is read once a second at most."}
	}
	return nil
}

// Loopback tells whether a host, as an address names it, is this machine.
func Loopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// A SourceRecord is what a source says of one fingerprint.
type SourceRecord struct {
	ID          string // stable; the source's own, or made of the value
	List        string
	Fingerprint Fingerprint
	Gone        bool // it must stop matching; then only ID counts
}

// A RefusedRecord is one that gives no fingerprint. It does not repeat it.
type RefusedRecord struct {
	Place int    `json:"place"` // in the reading, from 1; of a file its line
	Why   string `json:"why"`
}

// RefusedNamed is how many refused records are named; the others are counted.
const RefusedNamed = 20

// SourceStatus is how far a source has been read. Counts are of the reading under
// way, or of the last one.
type SourceStatus struct {
	Began    time.Time       `json:"began,omitzero"`
	Ended    time.Time       `json:"ended,omitzero"`  // when it was last read to its end
	Failed   time.Time       `json:"failed,omitzero"` // when it could not be read; zero once it could
	Why      string          `json:"why,omitempty"`   // of that, in a few words
	Failures int             `json:"failures,omitempty"`
	Version  string          `json:"version,omitempty"` // of a file, as its server calls it
	Read     int             `json:"read"`              // records
	Added    int             `json:"added"`             // that entered, or changed
	Removed  int             `json:"removed"`           // that were withdrawn
	Same     int             `json:"same"`              // that were so already
	Refused  int             `json:"refused"`           // that give no fingerprint
	Flat     int             `json:"flat"`              // PDQ of a quality below 50 or unknown, or of a value that no picture gives
	Other    int             `json:"other"`             // of types or lists that are not taken here
	Named    []RefusedRecord `json:"named,omitempty"`
}

// Refuse counts a refused record, and names the first few.
func (s *SourceStatus) Refuse(r RefusedRecord) {
	s.Refused++
	if len(s.Named) < RefusedNamed {
		s.Named = append(s.Named, r)
	}
}

// Anew begins a reading.
func (s SourceStatus) Anew(now time.Time) SourceStatus {
	return SourceStatus{Began: now, Ended: s.Ended, Failed: s.Failed, Why: s.Why, Failures: s.Failures, Version: s.Version}
}
