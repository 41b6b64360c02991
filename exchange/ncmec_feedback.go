package exchange

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"rempart"
)

// Feedback in the shape of NCMEC's hash sharing, version 2, as its public client
// reads and writes it: facebook/ThreatExchange,
// python-threatexchange/threatexchange/exchanges/clients/ncmec/hash_api.py. Its
// reasons are of its own making and known by guid; ours are these two.

// ncmecReasons are why an entry is said to be wrong, by guid. They never change.
var ncmecReasons = []struct{ guid, name, opinion string }{
	{"6f0c8a0e-6d0b-4c0c-9f0b-0c6a1a9b6a01", "Not the same picture", rempart.OpinionNotSame},
	{"6f0c8a0e-6d0b-4c0c-9f0b-0c6a1a9b6a02", "No reason to act on it", rempart.OpinionNotBlocked},
}

// NCMECPrint is our type of a fingerprint for the format's word, "" for those that
// are not given here.
func NCMECPrint(word string) rempart.FingerprintType {
	return map[string]rempart.FingerprintType{"PDQ": rempart.PDQ, "MD5": rempart.MD5}[word]
}

// ReadNCMECFeedback reads a body of feedback and returns what it says as an
// opinion.
func ReadNCMECFeedback(r io.Reader) (opinion string, err error) {
	var in struct {
		XMLName     xml.Name  `xml:"feedbackSubmission"`
		Affirmative *struct{} `xml:"affirmative"`
		Negative    *struct {
			Reasons []string `xml:"reasonIds>guid"`
		} `xml:"negative"`
	}
	if err := xml.NewDecoder(r).Decode(&in); err != nil {
		return "", fmt.Errorf("exchange: read feedback: %w", err)
	}
	switch {
	case (in.Affirmative == nil) == (in.Negative == nil):
		return "", errors.New("exchange: feedback is affirmative or negative")
	case in.Affirmative != nil:
		return rempart.OpinionBlocked, nil
	}
	for _, guid := range in.Negative.Reasons {
		for _, known := range ncmecReasons {
			if known.guid == guid {
				return known.opinion, nil
			}
		}
	}
	return "", errors.New("exchange: negative feedback has the guid of a reason")
}

// WriteNCMECReasons writes the reasons, inside a root element, as the public
// client reads them.
func WriteNCMECReasons(w io.Writer, word string) error {
	type reason struct {
		GUID string `xml:"guid,attr"`
		Name string `xml:"name,attr"`
		Type string `xml:"type,attr"`
	}
	var doc struct {
		XMLName xml.Name `xml:"https://hashsharing.ncmec.org/hashsharing/v2 queryResult"`
		Reasons []reason `xml:"availableFeedbackReasons>reason"`
	}
	for _, r := range ncmecReasons {
		doc.Reasons = append(doc.Reasons, reason{r.guid, r.name, word})
	}
	return writeXML(w, doc)
}
