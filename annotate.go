package rempart

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"
)

// A Sampled is one item of an audit campaign as annotators see it: text and
// metadata, never a picture nor an address.
type Sampled struct {
	Name      string  `json:"item_id"` // as the campaign's table names it
	Surface   string  `json:"surface,omitempty"`
	Collected string  `json:"collected_at,omitempty"`
	Hash      string  `json:"url_hash,omitempty"`
	Fields    []Field `json:"fields,omitempty"`
}

// A Field is one more column of an item.
type Field struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// A Drawing is the sealed rule by which a campaign's items are drawn: in which
// order, and which of them are labelled by two persons.
type Drawing struct {
	Seed  string
	Share float64 // of the items that two persons label, 0 to 1
}

// Draw says where an item stands in the order (the smallest first) and by how
// many persons it is labelled, 1 or 2. Both follow from the seed and the item's
// name alone, so that whoever has the protocol can draw again: SHA-256 of seed,
// zero byte and name; its first 8 bytes are the place, the next 8, as a share of
// 2^64, are held against Share.
func (d Drawing) Draw(name string) (place string, persons int) {
	h := sha256.Sum256([]byte(d.Seed + "\x00" + name))
	place, persons = hex.EncodeToString(h[:8]), 1
	if float64(binary.BigEndian.Uint64(h[8:16]))/(1<<64) < d.Share {
		persons = 2
	}
	return place, persons
}

// SampledID is what an item of a campaign is called in addresses and in the
// ledger, where its own name may say too much.
func SampledID(campaign, name string) string {
	h := sha256.Sum256([]byte(campaign + "\x00" + name))
	return hex.EncodeToString(h[:12])
}

// SampledState is how far the labelling of an item is.
type SampledState string

// States of an item that is labelled.
const (
	SampledOpen     SampledState = "open"     // fewer labels than were drawn for it
	SampledDisputed SampledState = "disputed" // two persons differ; a third decides
	SampledDone     SampledState = "done"
)

// DrawnFor is how long an item that somebody was shown waits for her: after it,
// another may be shown it in her place. Her label still counts if none was.
const DrawnFor = 30 * time.Minute

// SkipReasons are why somebody leaves an item to others. Words are not asked for.
var SkipReasons = []string{"codebook", "text", "concerned", "rather_not"}

// A Labelling is what one person said of an item.
type Labelling struct {
	StaffID string            `json:"-"`
	Alias   Actor             `json:"alias"`
	Values  map[string]string `json:"values,omitempty"` // value by label
	Skip    string            `json:"skip,omitempty"`   // one of SkipReasons, instead of values
	At      time.Time         `json:"at"`
}

// Labelled is an item with all that was said of it.
type Labelled struct {
	ID string
	Sampled
	State   SampledState
	Persons int         // who label it, as drawn
	Labels  []Labelling // of annotators, in the order of their places
	Settled *Labelling  // of the third person, only of what was disputed
}

// Disputed lists the labels on which two labellings differ, sorted.
func Disputed(a, b map[string]string) []string {
	var out []string
	for label, v := range a {
		if b[label] != v {
			out = append(out, label)
		}
	}
	for label := range b {
		if _, ok := a[label]; !ok {
			out = append(out, label)
		}
	}
	slices.Sort(out)
	return out
}

// CheckLabels holds what somebody said of an item against the codebook: a value
// for each of labels, none else. Each fault names its label as Field.
func CheckLabels(codebook map[string][]string, labels []string, values map[string]string) error {
	var out Problems
	for _, l := range labels {
		if v := values[l]; v == "" || !slices.Contains(codebook[l], v) {
			out = append(out, &Error{Kind: Invalid, Field: l, Code: "annotate.value", Public: "Choose one of the answers to %s.", Args: []any{l}})
		}
	}
	if out == nil {
		return nil
	}
	return out
}

// Progress is how far the labelling of a campaign is.
type Progress struct {
	Items, Done, Disputed  int
	Wanted, Given, Skipped int // labels of annotators; Skipped counts who passed
	Mine, Left             int // labels of one person, and items that she can still be given
	ToSettle               int // disputed items that she can settle
	EndedAt                time.Time
}
