package exchange

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rempart"
)

// An ncmecPlace is how far NCMEC's list was read: up to From, of which no second
// is asked for again. A range that is more than a page is given up for a shorter
// one, down to a second: within a range its pages move when an entry changes.
type ncmecPlace struct {
	From  int64  `json:"from"`            // seconds since 1970
	To    int64  `json:"to,omitempty"`    // of the range whose pages are read
	Next  string `json:"next,omitempty"`  // its next page
	Step  int64  `json:"step,omitempty"`  // seconds of the next range; 0: up to now
	Again bool   `json:"again,omitempty"` // the address of a page was refused
}

// ncmecLate is how long ago the end of a range is: what is written meanwhile may
// come with an older second.
const ncmecLate = 5

func (p *puller) ncmec(ctx context.Context, checkpoint string, now time.Time) (out SourcePage, err error) {
	var at ncmecPlace
	if err := place(checkpoint, &at); err != nil {
		return out, err
	}
	end := now.Unix() - ncmecLate
	path := at.Next
	if path == "" {
		if at.To = end; at.Step > 0 {
			at.To = min(at.From+at.Step, end)
		}
		if at.To <= at.From {
			out.Next = placed(ncmecPlace{From: at.From, Step: at.Step})
			return out, nil
		}
		path = "/v2/entries?" + url.Values{"from": {FormatNCMECTime(at.From)}, "to": {FormatNCMECTime(at.To)}}.Encode()
	}
	resp, err := p.get(ctx, strings.TrimSuffix(p.s.URL, "/")+path)
	if err != nil {
		if at.Next == "" || !again(err) || at.Again {
			return out, err
		}
		at.Next, at.Step, at.Again = "", at.To-at.From, true
		out.Next, out.More = placed(at), true
		return out, nil
	}
	defer resp.Body.Close()
	next, err := p.ncmecEntries(&out, resp.Body)
	if err != nil {
		return out, unreadable(err)
	}
	if next != "" && (!strings.HasPrefix(next, "/v2/entries?") || next == at.Next) {
		return out, &Failure{Status: http.StatusOK, Answer: "the address of the next page is not one of the list"}
	}
	switch {
	case next != "" && at.Next == "" && at.To-at.From > 1 && !at.Again:
		out = SourcePage{More: true, Next: placed(ncmecPlace{From: at.From, Step: max(1, (at.To-at.From)/4)})}
		return out, nil
	case next != "":
		out.Next, out.More = placed(ncmecPlace{From: at.From, To: at.To, Next: next, Step: at.Step, Again: at.Again}), true
		return out, nil
	}
	reached := at.To
	if theirs, err := http.ParseTime(resp.Header.Get("Date")); err == nil { // our clock may be ahead of theirs
		reached = max(at.From, min(reached, theirs.Unix()-ncmecLate))
	}
	out.Next = placed(ncmecPlace{From: reached, Step: at.Step * 2})
	out.More = reached == at.To && reached < end
	return out, nil
}

// ncmecIDs are the ends of the identifiers of what one entry of NCMEC may hold.
var ncmecIDs = []rempart.FingerprintType{rempart.PDQ, rempart.MD5}

// ncmecEntries reads an answer, and returns the address of the next page.
func (p *puller) ncmecEntries(out *SourcePage, r io.Reader) (next string, err error) {
	d := xml.NewDecoder(io.LimitReader(r, maxPull))
	root := false
	for {
		t, err := d.Token()
		if err == io.EOF && root {
			return next, nil
		}
		if err != nil {
			return "", err
		}
		e, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch name := strings.ToLower(e.Name.Local); name {
		case "queryresult":
			root = true
		case "image", "video", "deletedimage", "deletedvideo":
			out.Count++
			if err := p.ncmecEntry(out, d, e, strings.HasPrefix(name, "deleted")); err != nil {
				return "", err
			}
		case "paging":
			var x struct {
				Next string `xml:"next"`
			}
			if err := d.DecodeElement(&x, &e); err != nil {
				return "", err
			}
			next = strings.TrimSpace(x.Next)
		default:
			if !root {
				return "", errors.New("no queryResult")
			}
		}
	}
}

// ncmecEntry reads one entry. What it held before and holds no more is gone.
func (p *puller) ncmecEntry(out *SourcePage, d *xml.Decoder, e xml.StartElement, gone bool) error {
	var x struct {
		Members []struct {
			ID string `xml:"id,attr"`
		} `xml:"member"`
		IDs []string `xml:"id"`
		PDQ string   `xml:"fingerprints>pdq"`
		MD5 string   `xml:"fingerprints>md5"`
	}
	if err := d.DecodeElement(&x, &e); err != nil {
		return err
	}
	if len(x.Members) != 1 || len(x.IDs) != 1 || strings.TrimSpace(x.IDs[0]) == "" || len(x.IDs[0]) > 200 {
		out.refuse("the entry has not one member and one id")
		return nil
	}
	values := map[rempart.FingerprintType]string{rempart.PDQ: strings.TrimSpace(x.PDQ), rempart.MD5: strings.TrimSpace(x.MD5)}
	if !gone && values[rempart.PDQ]+values[rempart.MD5] == "" {
		out.Other++ // of types that are not looked up here
	}
	for _, t := range ncmecIDs {
		id := x.Members[0].ID + "-" + strings.TrimSpace(x.IDs[0]) + ":" + string(t)
		if v := values[t]; v != "" && !gone {
			before := len(out.Records)
			if out.take(id, p.s.List, rempart.Fingerprint{Type: t, Value: v}, false); len(out.Records) > before {
				continue
			}
		}
		out.Records = append(out.Records, rempart.SourceRecord{ID: id, Gone: true})
	}
	return nil
}
