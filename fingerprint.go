package rempart

import (
	"encoding/hex"
	"strings"
	"time"

	"rempart/pdq"
)

// FingerprintType says how a fingerprint was computed.
type FingerprintType string

// Types of fingerprint that this version understands.
const (
	SHA256 FingerprintType = "sha256" // of the file's bytes: finds exact copies only
	MD5    FingerprintType = "md5"    // of the file's bytes, for partners that share nothing better
	PDQ    FingerprintType = "pdq"    // of the picture: finds resized and recompressed copies
	VPDQ   FingerprintType = "vpdq"   // of a video: the PDQ of its images, see frames.go
)

// Perceptual tells whether fingerprints of this type find changed copies too.
func (t FingerprintType) Perceptual() bool { return t == PDQ || t == VPDQ }

// digits is the length of a type's value in hexadecimal digits, for those that
// are one number.
var digits = map[FingerprintType]int{SHA256: 64, MD5: 32, PDQ: 64}

// MinQuality is the PDQ quality, 0 to 100, below which a picture is too flat to
// be told from others: its PDQ never enters a list. Source: the PDQ README of
// facebook/ThreatExchange, "discard quality <= 49".
const MinQuality = pdq.MinQuality

// A Fingerprint is a typed value computed from a file on the device of whoever
// holds it. Fingerprints are sensitive: a PDQ tells the coarse outline of the
// picture.
type Fingerprint struct {
	Type    FingerprintType `json:"type" enum:"sha256,md5,pdq,vpdq"`
	Value   string          `json:"value"`                            // lower-case hexadecimal; of a vpdq a JSON array, as text, of "pdq,quality,timestamp"
	Quality int             `json:"quality,omitempty"`                // 0 to 100, of a PDQ; of a vpdq that of its best image
	Form    FingerprintForm `json:"form,omitempty" enum:"unbordered"` // what of the medium was fingerprinted, "" if all
}

// FingerprintForm says of which form of a medium a PDQ or vPDQ is.
type FingerprintForm string

// Unbordered is the form of a picture, or of each image of a video, without the
// uniform borders around it, as pdq.Inside finds them. It stands beside that of
// the whole, so that a copy is found that was padded, or cut out of its bars.
const Unbordered FingerprintForm = "unbordered"

// Normal returns the fingerprint with its value in lower case, or a problem that names
// what is wrong with it.
func (f Fingerprint) Normal() (Fingerprint, error) {
	if f.Form != "" && (f.Form != Unbordered || !f.Type.Perceptual()) {
		return f, &Error{Kind: Invalid, Field: "form", Code: "fingerprint.form", Public: "The form of a fingerprint is left out, or unbordered for a pdq or vpdq."}
	}
	if f.Type == VPDQ {
		return f.normalVideo()
	}
	n, known := digits[f.Type]
	if !known {
		return f, &Error{Kind: Invalid, Field: "type", Code: "fingerprint.type", Public: "The type of a fingerprint is sha256, md5, pdq or vpdq."}
	}
	f.Value = strings.ToLower(strings.TrimSpace(f.Value))
	if b, err := hex.DecodeString(f.Value); err != nil || len(b)*2 != n {
		return f, &Error{Kind: Invalid, Field: "value", Code: "fingerprint.value", Args: []any{n},
			Public: "The value of this fingerprint must have 64 hexadecimal digits (32 for md5)."}
	}
	if f.Quality < 0 || f.Quality > 100 {
		return f, &Error{Kind: Invalid, Field: "quality", Code: "fingerprint.quality", Public: "The quality of a PDQ is between 0 and 100."}
	}
	return f, nil
}

// Listable tells whether f may enter a list: anything but a PDQ of low quality
// or of a value that flat pictures give, or a video of which every image is so.
func (f Fingerprint) Listable() bool {
	switch f.Type {
	case PDQ:
		h, err := pdq.Parse(f.Value)
		return err == nil && listable(h, f.Quality)
	case VPDQ:
		return len(f.Images()) > 0
	}
	return true
}

// listable tells whether a picture can be told from others by h. In a PDQ about
// half of the bits are set, by construction; a value far from that was not
// computed from a picture.
func listable(h pdq.Hash, quality int) bool {
	set := h.Distance(pdq.Hash{})
	return quality >= MinQuality && set >= 96 && set <= 160
}

// Class says what a list is for. It decides who may read it and what a match
// recommends.
type Class string

// Classes of list.
const (
	ClassNCIIAdult Class = "ncii_adult" // intimate images of adults without consent, real or made
	ClassNCIIMinor Class = "ncii_minor" // images of minors reported by themselves or their parents

	ClassModelWeights Class = "model_weights" // weights files of models in the register of services: exact copies only
)

// Action is what a list recommends to a platform on a match. The platform
// decides; nothing is ever removed on a list's word alone.
type Action string

// Recommended actions.
const (
	ActionBlock  Action = "block"  // refuse the upload and let a person check
	ActionReview Action = "review" // let a person look at the match before anything
)

// A List is fingerprints under one policy.
type List struct {
	ID        string `json:"id"` // such as "ncii-adult"
	Name      Text   `json:"name"`
	Class     Class  `json:"class"`
	Threshold int    `json:"threshold"` // largest PDQ distance that is a match, 0 to 31
	Action    Action `json:"action"`

	Video VideoPolicy `json:"video"` // when a video is a match

	Policy Policy `json:"-"` // that was set in place of what it begins with
}

// Lists are the lists of a hub from its first start.
var Lists = []List{
	{ID: "ncii-adult", Name: Text{"Images intimes d’adultes sans consentement", "Intimate images of adults without consent"}, Class: ClassNCIIAdult, Threshold: pdq.MatchDistance, Action: ActionBlock, Video: UsualVideo},
	{ID: "ncii-minor", Name: Text{"Images de mineurs", "Images of minors"}, Class: ClassNCIIMinor, Threshold: pdq.MatchDistance, Action: ActionBlock, Video: UsualVideo},
	{ID: ListModelWeights, Name: Text{"Fichiers de poids de modèles", "Weights files of models"}, Class: ClassModelWeights, Action: ActionBlock},
}

// ListFor returns the list that the fingerprints of a case with these facts go
// to: the one of minors whenever the person may be one.
func ListFor(f Facts) List {
	if f.Minor() || f.AgeClass == AgeUnknown || f.AgeClass == "" {
		return Lists[1]
	}
	return Lists[0]
}

// EntryState is where a fingerprint stands in its list.
type EntryState string

// States of an entry. Only active ones travel and match.
const (
	EntryProvisional EntryState = "provisional" // filed with the report, not yet seen by an analyst
	EntryActive      EntryState = "active"      // confirmed by an analyst
	EntryRejected    EntryState = "rejected"    // an analyst said no
	EntryWithdrawn   EntryState = "withdrawn"   // the person or an analyst took it back
)

// An Entry is one fingerprint in one list, for one item of a case.
type Entry struct {
	ID          string      `json:"id"`
	List        string      `json:"list"`
	Fingerprint Fingerprint `json:"fingerprint"`
	State       EntryState  `json:"state"`
	CaseID      string      `json:"case_id,omitempty"` // empty on a platform, which only knows CaseRef
	CaseRef     string      `json:"case_ref"`
	ItemID      string      `json:"item_id,omitempty"`
	Since       time.Time   `json:"since"` // of its present state
}

// An EntryChange asks the store to create the entry or to move it to its state;
// the store appends it to the change table that indexes and partners follow.
type EntryChange struct {
	Entry Entry
}

// A Match is a lookup that found a listed fingerprint.
type Match struct {
	List     string          `json:"list" doc:"identifier of the list, such as ncii-adult"`
	Type     FingerprintType `json:"type"`
	Value    string          `json:"value" doc:"the listed fingerprint; where one image of a listed video was found, the PDQ of that image"`
	Distance int             `json:"distance"`                                                                  // bits that differ, 0 for exact types; of a video, in its nearest image
	Form     string          `json:"form" enum:"original,rot90,rot180,rot270,flipX,flipY,flipPlus1,flipMinus1"` // "original", or how the query was turned or mirrored
	Class    Class           `json:"class" enum:"ncii_adult,ncii_minor,model_weights" doc:"what the list is for"`
	Action   Action          `json:"action" enum:"block,review" doc:"recommended; the platform decides"`
	CaseRef  string          `json:"case_ref"`
	Since    time.Time       `json:"since"`

	ListedForm FingerprintForm `json:"listed_form,omitempty" enum:"unbordered" doc:"which form of the listed picture or video matched, left out if all of it"`
	Unbordered bool            `json:"unbordered,omitempty" doc:"the query matched without the uniform borders around it"`
	At         *float64        `json:"at,omitempty" doc:"where one image of a video matched: seconds from its beginning"`
	Video      *VideoMatch     `json:"video,omitempty" doc:"of two videos: how much of them is the same"`

	EntryID, CaseID, ItemID string `json:"-"`                                                                           // CaseID is empty when the case is another hub's
	Num                     uint64 `json:"entry" doc:"number of the entry on this instance, for POST /api/v1/opinions"` // stable, from 1
	PeerID                  string `json:"-"`                                                                           // the hub whose feed the entry came from, "" for our own
}
