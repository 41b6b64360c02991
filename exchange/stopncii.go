package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"rempart"
)

// The wire format of StopNCII.org's exchange of hashes, as its public client
// reads and writes it: facebook/ThreatExchange,
// python-threatexchange/threatexchange/exchanges/clients/stopncii/api.py.
//
// A client keeps nextSetTimestamp after every page and begins there again, so it
// is the second of the page's last record; it is included in the next answer, and
// never goes back. A later record of one hash replaces an earlier one, so each
// holds all that is known of the hash. That client reads a record that was
// withdrawn as one more to match: who never had a hash is not told of its
// withdrawal.

// Words of the format.
const (
	NCIIImagePDQ  = "ImagePDQ"
	NCIIVideoMD5  = "VideoMD5"
	NCIIActive    = "Active"
	NCIIWithdrawn = "Withdrawn"
	NCIIDeleted   = "Deleted" // of one of the cases: its list keeps it no longer
)

// NCIITypes are the types of fingerprint that the format can carry, and its
// names for them. Every MD5 goes as a video's: a client looks no other up.
var NCIITypes = map[rempart.FingerprintType]string{rempart.PDQ: NCIIImagePDQ, rempart.MD5: NCIIVideoMD5}

// An NCIIPage is what FetchHashes answers.
type NCIIPage struct {
	Count            int          `json:"count"`
	NextPageToken    string       `json:"nextPageToken"`
	NextSetTimestamp int64        `json:"nextSetTimestamp"`
	HasMoreRecords   bool         `json:"hasMoreRecords"`
	HashRecords      []NCIIRecord `json:"hashRecords"`
}

// An NCIIRecord is all that is known of one hash. No field may be null: the whole
// fetch fails at one that is.
type NCIIRecord struct {
	LastModtimestamp int64             `json:"lastModtimestamp"` // Unix seconds
	SignalType       string            `json:"signalType"`
	HashValue        string            `json:"hashValue"`
	HashStatus       string            `json:"hashStatus"`
	CaseNumbers      map[string]string `json:"caseNumbers"` // the status of each case
	CSPFeedbacks     []NCIIFeedback    `json:"CSPFeedbacks"`
}

// An NCIIFeedback is what a service says of a hash that it met.
type NCIIFeedback struct {
	Source        string   `json:"source"`
	FeedbackValue string   `json:"feedbackValue"`
	Tags          []string `json:"tags"`
}

// NCIIFeedbackValues are the values of feedback, in the format's order.
var NCIIFeedbackValues = []string{"Unknown", "None", "QualityUnknown", "PendingReview", "Blocked", "NotBlocked", "Withdrawn", "Deleted"}

// NCIIValue is the format's word for what an opinion says.
func NCIIValue(opinion string) string {
	if opinion == rempart.OpinionNotSame {
		return rempart.OpinionNotBlocked
	}
	return opinion
}

// NewNCIIRecord returns the record of one hash: of all entries that have it, and
// the second of its last change. The hash is active if one of them is.
func NewNCIIRecord(second int64, f rempart.Fingerprint, entries []rempart.Entry, opinions []NCIIFeedback) NCIIRecord {
	r := NCIIRecord{LastModtimestamp: second, SignalType: NCIITypes[f.Type], HashValue: f.Value, HashStatus: NCIIWithdrawn,
		CaseNumbers: map[string]string{}, CSPFeedbacks: []NCIIFeedback{}}
	for _, e := range entries {
		if e.Fingerprint.Type != f.Type || e.Fingerprint.Value != f.Value {
			continue
		}
		status := NCIIWithdrawn
		switch e.State {
		case rempart.EntryActive:
			status = NCIIActive
			r.HashStatus = status
		case rempart.EntryDeleted, rempart.EntryExpired:
			status = NCIIDeleted
		}
		if e.CaseRef != "" && (status == NCIIActive || r.CaseNumbers[e.CaseRef] == "") {
			r.CaseNumbers[e.CaseRef] = status
		}
	}
	r.CSPFeedbacks = append(r.CSPFeedbacks, opinions...)
	return r
}

// An NCIIOpinion is one feedback that a partner sent, checked. Type is "" where
// the format did not say it.
type NCIIOpinion struct {
	Type  rempart.FingerprintType
	Value string
	NCIIFeedback
}

// Bounds of what a partner sends at once.
const (
	MaxNCIIFeedbacks = 5000
	maxNCIITags      = 20
	maxNCIITag       = 64
)

// ReadNCIIFeedback reads a body of SubmitFeedback. An error names the first
// fault, and never repeats what was sent.
func ReadNCIIFeedback(r io.Reader) ([]NCIIOpinion, error) {
	var in struct {
		Count         *int `json:"count"`
		HashFeedbacks []struct {
			HashValue     string   `json:"hashValue"`
			FeedbackValue string   `json:"feedbackValue"`
			Tags          []string `json:"tags"`
		} `json:"hashFeedbacks"`
	}
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return nil, fmt.Errorf("exchange: read feedback: %w", err)
	}
	if in.Count != nil && *in.Count != len(in.HashFeedbacks) {
		return nil, errors.New("count is not the number of hashFeedbacks")
	}
	if len(in.HashFeedbacks) == 0 || len(in.HashFeedbacks) > MaxNCIIFeedbacks {
		return nil, fmt.Errorf("hashFeedbacks holds 1 to %d", MaxNCIIFeedbacks)
	}
	var out []NCIIOpinion
	for i, x := range in.HashFeedbacks {
		o := NCIIOpinion{Value: strings.ToLower(strings.TrimSpace(x.HashValue)), NCIIFeedback: NCIIFeedback{FeedbackValue: enumName(x.FeedbackValue), Tags: x.Tags}}
		switch len(o.Value) {
		case 32:
			o.Type = rempart.MD5
		case 64:
			o.Type = rempart.PDQ
		}
		n, err := rempart.Fingerprint{Type: o.Type, Value: o.Value}.Normal()
		if err != nil {
			return nil, fmt.Errorf("hashFeedbacks[%d].hashValue: 64 hexadecimal digits of a PDQ, or 32 of an MD5", i)
		}
		o.Value = n.Value
		if !slices.Contains(NCIIFeedbackValues, o.FeedbackValue) {
			return nil, fmt.Errorf("hashFeedbacks[%d].feedbackValue: one of %s", i, strings.Join(NCIIFeedbackValues, ", "))
		}
		if len(o.Tags) > maxNCIITags || slices.ContainsFunc(o.Tags, func(s string) bool { return len(s) > maxNCIITag }) {
			return nil, fmt.Errorf("hashFeedbacks[%d].tags: at most %d, of %d bytes", i, maxNCIITags, maxNCIITag)
		}
		out = append(out, o)
	}
	return out, nil
}

// An NCIIHash is one hash that a partner submits, checked.
type NCIIHash struct {
	Fingerprint rempart.Fingerprint // quality 0 where it was not told: the format has no word for it
	Feedbacks   []NCIIFeedback
}

// ReadNCIIHashes reads a body of SubmitHashes: all of it or nothing. An error names
// the first fault, and never repeats what was sent.
func ReadNCIIHashes(r io.Reader) ([]NCIIHash, error) {
	var in struct {
		Count       *int `json:"count"`
		HashRecords []struct {
			SignalType   string         `json:"signalType"`
			HashValue    string         `json:"hashValue"`
			Quality      *int           `json:"quality"` // ours: clients of that exchange leave it out
			CSPFeedbacks []NCIIFeedback `json:"CSPFeedbacks"`
		} `json:"hashRecords"`
	}
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return nil, fmt.Errorf("exchange: read hashes: %w", err)
	}
	if in.Count != nil && *in.Count != len(in.HashRecords) {
		return nil, errors.New("count is not the number of hashRecords")
	}
	if len(in.HashRecords) == 0 || len(in.HashRecords) > MaxNCIIFeedbacks {
		return nil, fmt.Errorf("hashRecords holds 1 to %d", MaxNCIIFeedbacks)
	}
	var out []NCIIHash
	for i, x := range in.HashRecords {
		h := NCIIHash{Fingerprint: rempart.Fingerprint{Value: x.HashValue}}
		for t, name := range NCIITypes {
			if enumName(x.SignalType) == name {
				h.Fingerprint.Type = t
			}
		}
		if h.Fingerprint.Type == "" {
			return nil, fmt.Errorf("hashRecords[%d].signalType: %s or %s", i, NCIIImagePDQ, NCIIVideoMD5)
		}
		if x.Quality != nil {
			h.Fingerprint.Quality = *x.Quality
		}
		n, err := h.Fingerprint.Normal()
		if err != nil {
			return nil, fmt.Errorf("hashRecords[%d].hashValue: 64 hexadecimal digits of a PDQ, or 32 of an MD5", i)
		}
		best := n
		if x.Quality == nil {
			best.Quality = 100 // not told: what is looked at is the value
		}
		if !best.Listable() {
			return nil, fmt.Errorf("hashRecords[%d]: the picture is too flat to be told from others, or this is no PDQ of a picture", i)
		}
		h.Fingerprint = n
		for _, f := range x.CSPFeedbacks {
			f.FeedbackValue = enumName(f.FeedbackValue)
			if !slices.Contains(NCIIFeedbackValues, f.FeedbackValue) {
				return nil, fmt.Errorf("hashRecords[%d].CSPFeedbacks: a feedbackValue is one of %s", i, strings.Join(NCIIFeedbackValues, ", "))
			}
			if len(f.Tags) > maxNCIITags || slices.ContainsFunc(f.Tags, func(s string) bool { return len(s) > maxNCIITag }) {
				return nil, fmt.Errorf("hashRecords[%d].CSPFeedbacks: at most %d tags, of %d bytes", i, maxNCIITags, maxNCIITag)
			}
			h.Feedbacks = append(h.Feedbacks, f)
		}
		out = append(out, h)
	}
	return out, nil
}

// enumName returns the name in a value that Python wrote with its class, such as
// "StopNCIICSPFeedbackValue.Blocked", as the public client does.
func enumName(s string) string {
	if _, name, ok := strings.Cut(s, "."); ok {
		s = name
	}
	return strings.TrimSuffix(s, "_") // None_
}
