package exchange

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"rempart"
)

// A stopnciiPlace is how far StopNCII's list was read. The second of a page's last
// record is where to begin again if its token is refused: tokens grow old, and one
// second may hold more than a page.
type stopnciiPlace struct {
	Start int64  `json:"start"`
	Token string `json:"token,omitempty"` // of the next page from Start
	Set   int64  `json:"set,omitempty"`   // the second of the last page
	Again bool   `json:"again,omitempty"` // a token was refused, and Set did not move since
}

// StopNCIIKept is how long after its last reading a place in StopNCII's list still
// tells of all that changed: its own client (python-threatexchange) takes it for
// stale after 30 days, and reads all again.
const StopNCIIKept = 30 * 24 * time.Hour

// stopnciiStart is the first second that StopNCII's own client asks for.
const stopnciiStart = 10

var (
	stopnciiTypes  = []string{"Unknown", "ImagePDQ", "VideoMD5", "VideoTMK", "Text", "URL"}
	stopnciiStates = []string{"Unknown", "Received", "Active", "Withdrawn", "Deleted"}
)

func (p *puller) stopncii(ctx context.Context, checkpoint string) (out SourcePage, err error) {
	at := stopnciiPlace{Start: stopnciiStart}
	if err := place(checkpoint, &at); err != nil {
		return out, err
	}
	u, err := url.JoinPath(p.s.URL, "FetchHashes")
	if err != nil {
		return out, err
	}
	q := url.Values{"startTimestamp": {strconv.FormatInt(at.Start, 10)}, "pageSize": {"800"}}
	if at.Token != "" {
		q.Set("nextPageToken", at.Token)
	}
	var page struct {
		NextPageToken    *string           `json:"nextPageToken"`
		NextSetTimestamp *int64            `json:"nextSetTimestamp"`
		HasMoreRecords   *bool             `json:"hasMoreRecords"`
		HashRecords      []json.RawMessage `json:"hashRecords"`
	}
	if err := p.read(ctx, u+"?"+q.Encode(), &page); err != nil {
		if at.Token == "" || !again(err) || at.Again {
			return out, err
		}
		out.Next, out.More = placed(stopnciiPlace{Start: max(at.Start, at.Set), Again: true}), true
		return out, nil
	}
	if page.NextSetTimestamp == nil || page.HasMoreRecords == nil {
		return out, &Failure{Status: http.StatusOK, Answer: "the answer is not as the format says: it has no nextSetTimestamp or no hasMoreRecords"}
	}
	for _, raw := range page.HashRecords {
		out.Count++
		p.stopnciiRecord(&out, raw)
	}
	next := stopnciiPlace{Start: at.Start, Set: max(at.Start, at.Set, *page.NextSetTimestamp)} // theirs never goes back, says the format
	next.Again = at.Again && next.Set == max(at.Start, at.Set)
	if out.More = *page.HasMoreRecords; out.More && page.NextPageToken != nil {
		next.Token = *page.NextPageToken
	}
	if next.Token == "" {
		next.Start, next.Set = next.Set, 0
	}
	if out.More && (next.Token == "" && next.Start == at.Start || next.Token != "" && next.Token == at.Token) {
		return out, &Failure{Status: http.StatusOK, Answer: "the source says that there is more, and not where"}
	}
	out.Next = placed(next)
	return out, nil
}

// stopnciiRecord reads one record. Whatever is not Active must not match: it may
// have been so before.
func (p *puller) stopnciiRecord(out *SourcePage, raw json.RawMessage) {
	var r struct {
		SignalType *string `json:"signalType"`
		HashValue  *string `json:"hashValue"`
		HashStatus *string `json:"hashStatus"`
	}
	if err := json.Unmarshal(raw, &r); err != nil || r.SignalType == nil || r.HashValue == nil || r.HashStatus == nil {
		out.refuse("signalType, hashValue or hashStatus is missing, or no text")
		return
	}
	kind, state := enumName(*r.SignalType), enumName(*r.HashStatus)
	if !slices.Contains(stopnciiTypes, kind) || !slices.Contains(stopnciiStates, state) {
		out.refuse("the signalType or the hashStatus is none of the format's")
		return
	}
	for t, name := range NCIITypes {
		if name == kind {
			f, _ := rempart.Fingerprint{Type: t, Value: *r.HashValue}.Normal()
			out.take(string(t)+":"+f.Value, p.s.List, f, state != NCIIActive)
			return
		}
	}
	out.Other++
}
