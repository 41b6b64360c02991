package exchange

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"rempart"
)

// The wire format of NCMEC's hash sharing, version 2, as its public client reads
// it: facebook/ThreatExchange,
// python-threatexchange/threatexchange/exchanges/clients/ncmec/hash_api.py.
//
// A client asks for a range of seconds and keeps its end, so no later change may
// be of a second in it. An entry is one picture or video of one member; a
// tombstone says that it is no more. No classification is given: the format's are
// NCMEC's own categories, which we do not judge by.

// NCMECNamespace is the namespace of its documents.
const NCMECNamespace = "https://hashsharing.ncmec.org/hashsharing/v2"

// ncmecTime is how it writes times; that client reads no other.
const ncmecTime = "2006-01-02T15:04:05Z"

// An NCMECMember is who is behind an entry. Its text is never empty: the client
// fails at one that is.
type NCMECMember struct {
	XMLName xml.Name `xml:"member"`
	ID      int      `xml:"id,attr"`
	Name    string   `xml:",chardata"`
}

// OurMember is this instance as a member.
func OurMember(site string) NCMECMember { return NCMECMember{ID: 1, Name: orName(site)} }

func orName(s string) string {
	if s == "" {
		return "Rempart"
	}
	return s
}

type ncmecEntry struct {
	XMLName      xml.Name
	Member       NCMECMember
	Timestamp    string             `xml:"timestamp"`
	ID           string             `xml:"id"`
	Fingerprints *ncmecFingerprints `xml:"fingerprints"`
}

type ncmecFingerprints struct {
	MD5 string `xml:"md5,omitempty"`
	PDQ string `xml:"pdq,omitempty"`
}

type ncmecEntries struct {
	Count        int    `xml:"count,attr"`
	MaxTimestamp string `xml:"maxTimestamp,attr,omitempty"`
	Entries      []ncmecEntry
}

func (x *ncmecEntries) add(e ncmecEntry) {
	x.Entries = append(x.Entries, e)
	x.Count, x.MaxTimestamp = x.Count+1, e.Timestamp // in order
}

// WriteNCMECEntries writes one page of entries, of which the seconds are given
// beside them, in order, and the address of the next page, "" for none.
func WriteNCMECEntries(w io.Writer, by NCMECMember, entries []rempart.Entry, seconds []int64, next string) error {
	var doc struct {
		XMLName xml.Name     `xml:"https://hashsharing.ncmec.org/hashsharing/v2 queryResult"`
		Images  ncmecEntries `xml:"images"`
		Videos  ncmecEntries `xml:"videos"`
		Paging  *struct {
			Next string `xml:"next"`
		} `xml:"paging"`
	}
	for i, e := range entries {
		x := ncmecEntry{XMLName: xml.Name{Local: "image"}, Member: by, ID: e.ID, Timestamp: time.Unix(seconds[i], 0).UTC().Format(ncmecTime)}
		to := &doc.Images
		x.Fingerprints = &ncmecFingerprints{PDQ: e.Fingerprint.Value}
		if e.Fingerprint.Type == rempart.MD5 { // the client looks up those of videos only
			x.XMLName.Local, to = "video", &doc.Videos
			x.Fingerprints = &ncmecFingerprints{MD5: e.Fingerprint.Value}
		}
		if e.State != rempart.EntryActive {
			x.XMLName.Local = map[string]string{"image": "deletedImage", "video": "deletedVideo"}[x.XMLName.Local]
			x.Fingerprints = nil
		}
		to.add(x)
	}
	if next != "" {
		doc.Paging = &struct {
			Next string `xml:"next"`
		}{next}
	}
	return writeXML(w, doc)
}

// WriteNCMECStatus writes who asks, and who we are. The address that the format
// has room for is left out: none is kept.
func WriteNCMECStatus(w io.Writer, username string, by NCMECMember) error {
	return writeXML(w, struct {
		XMLName  xml.Name `xml:"https://hashsharing.ncmec.org/hashsharing/v2 status"`
		Address  string   `xml:"ipAddress"`
		Username string   `xml:"username"`
		Member   NCMECMember
	}{Username: username, Member: by})
}

// WriteNCMECMembers writes the members.
func WriteNCMECMembers(w io.Writer, all []NCMECMember) error {
	return writeXML(w, struct {
		XMLName xml.Name `xml:"https://hashsharing.ncmec.org/hashsharing/v2 members"`
		Members []NCMECMember
	}{Members: all})
}

func writeXML(w io.Writer, v any) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("exchange: write XML: %w", err)
	}
	if err := xml.NewEncoder(w).Encode(v); err != nil {
		return fmt.Errorf("exchange: write XML: %w", err)
	}
	return nil
}

// ParseNCMECTime reads a time of a query, to the second; a fraction is cut off.
func ParseNCMECTime(s string) (int64, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, fmt.Errorf("exchange: time: %w", err)
	}
	return t.Unix(), nil
}

// FormatNCMECTime writes a second as the format does.
func FormatNCMECTime(second int64) string { return time.Unix(second, 0).UTC().Format(ncmecTime) }
