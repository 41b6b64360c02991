package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/pdq"
)

// wired is a desk with a partner, whose clock moves.
func wired(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t, true, false)
	d.must(d.db.PutPeer(context.Background(), rempart.Peer{ID: "partner", Name: "Partenaire Exemple", Kind: rempart.PeerPartner, CreatedAt: d.now}, "key-of-a-partner", nil))
	d.must(d.db.PutPeer(context.Background(), rempart.Peer{ID: "hub", Name: "Pôle", Kind: rempart.PeerFlagger, CreatedAt: d.now}, "key-of-a-flagger", nil))
	return d
}

// picture returns a PDQ that a picture may have, another for each seed.
func picture(seed int) rempart.Fingerprint {
	var h pdq.Hash
	for i := range h {
		h[i] = 0x5a
	}
	for i := range 4 {
		h[i] = byte(seed >> (8 * i))
	}
	return rempart.Fingerprint{Type: rempart.PDQ, Value: h.String(), Quality: 90}
}

// own saves entries of ours in a state.
func (d *desk) own(s rempart.EntryState, all ...rempart.Entry) {
	d.t.Helper()
	var c rempart.Consequences
	for _, e := range all {
		e.State, e.Since = s, d.now
		c.Entries = append(c.Entries, rempart.EntryChange{Entry: e})
	}
	d.must(d.db.Commit(context.Background(), "", c))
}

func entryOf(id, ref string, f rempart.Fingerprint) rempart.Entry {
	return rempart.Entry{ID: id, List: "ncii-adult", Fingerprint: f, CaseID: "c", CaseRef: ref, ItemID: "i"}
}

// A nciiClient reads as the public client of StopNCII does: it fails where that
// one fails (dacite's rules), keeps nextSetTimestamp after every page and drops
// the token when it is interrupted. It honours withdrawals, as that one ought to.
type nciiClient struct {
	d    *desk
	from int64
	has  map[string]map[string]any
	at   int64 // nextSetTimestamp of the last page
}

// page reads one page.
func (c *nciiClient) page(token string, size int) (next string, more bool) {
	c.d.t.Helper()
	path := fmt.Sprintf("/v1/FetchHashes?startTimestamp=%d&pageSize=%d", c.from, size)
	if token != "" {
		path += "&nextPageToken=" + token
	}
	status, _, text := c.d.call("GET", path, "", nil, "x-functions-key", "key-of-a-partner", "Ocp-Apim-Subscription-Key", "any", "Authorization", "")
	if status != 200 {
		c.d.t.Fatalf("%s: %d %s", path, status, text)
	}
	j := json.NewDecoder(strings.NewReader(text))
	j.UseNumber()
	var v map[string]any
	c.d.must(j.Decode(&v))
	whole := func(x any) int64 {
		n, err := x.(json.Number).Int64()
		c.d.must(err)
		return n
	}
	records := v["hashRecords"].([]any)
	if whole(v["count"]) != int64(len(records)) || len(records) > size {
		c.d.t.Errorf("count %v of %d records, page size %d", v["count"], len(records), size)
	}
	last, reached := c.from, whole(v["nextSetTimestamp"])
	for _, x := range records {
		r := x.(map[string]any)
		at := whole(r["lastModtimestamp"])
		if at < last {
			c.d.t.Errorf("%d after %d", at, last)
		}
		last = at
		for _, name := range []string{"signalType", "hashValue", "hashStatus"} {
			if _, ok := r[name].(string); !ok {
				c.d.t.Errorf("%s is %v", name, r[name])
			}
		}
		if _, ok := r["caseNumbers"].(map[string]any); !ok {
			c.d.t.Errorf("caseNumbers is %v", r["caseNumbers"])
		}
		for _, f := range r["CSPFeedbacks"].([]any) {
			if f := f.(map[string]any); f["tags"].([]any) == nil || f["source"].(string) == "" {
				c.d.t.Errorf("feedback %v", f)
			}
		}
		if !regexp.MustCompile("^([0-9a-f]{64}|[0-9a-f]{32})$").MatchString(r["hashValue"].(string)) {
			c.d.t.Errorf("hash value %v", r["hashValue"])
		}
		key := r["signalType"].(string) + " " + r["hashValue"].(string)
		if r["hashStatus"] == "Active" {
			c.has[key] = r
		} else {
			delete(c.has, key)
		}
	}
	if reached < last || len(records) > 0 && reached != last || c.kept() > reached {
		c.d.t.Errorf("nextSetTimestamp %d, last record %d, kept %d", reached, last, c.kept())
	}
	c.at = reached
	return v["nextPageToken"].(string), v["hasMoreRecords"].(bool)
}

func (c *nciiClient) kept() int64 { return max(c.at, c.from) }

// fetch reads to the end.
func (c *nciiClient) fetch() {
	c.d.t.Helper()
	token, more := "", true
	for n := 0; more; n++ {
		if n > 50 {
			c.d.t.Fatal("no end")
		}
		token, more = c.page(token, 4)
	}
	c.from = c.kept()
}

func TestFetchHashes(t *testing.T) {
	d := wired(t)
	md5 := rempart.Fingerprint{Type: rempart.MD5, Value: strings.Repeat("0123abcd", 4)}
	var all []rempart.Entry
	for k := range 10 {
		all = append(all, entryOf(fmt.Sprintf("e%d", k), "7F3K-9QXM", picture(k)))
	}
	all = append(all, entryOf("m", "7F3K-9QXM", md5), entryOf("s", "7F3K-9QXM", rempart.Fingerprint{Type: rempart.SHA256, Value: strings.Repeat("0123abcd", 8)}))
	d.own(rempart.EntryProvisional, all...)
	c := &nciiClient{d: d, from: 10, has: map[string]map[string]any{}}
	c.fetch()
	if len(c.has) != 0 || c.from != 10 {
		t.Errorf("before anything is active: %d records, next time from %d", len(c.has), c.from)
	}
	d.now = d.now.Add(time.Second)
	d.own(rempart.EntryActive, all...)
	c.fetch()
	if len(c.has) != 11 || c.has["VideoMD5 "+md5.Value] == nil || c.from != d.now.Unix() {
		t.Errorf("%d records until %d", len(c.has), c.from)
	}

	// Withdrawn: whoever had it is told, a newcomer is not; another case with the
	// same picture keeps it active, and both are told.
	second := entryOf("other", "ABCD-2345", picture(1))
	d.own(rempart.EntryActive, second)
	d.own(rempart.EntryWithdrawn, all[0], all[1])
	d.now = d.now.Add(time.Second)
	c.fetch()
	two := c.has["ImagePDQ "+picture(1).Value]
	if len(c.has) != 10 || two == nil || fmt.Sprint(two["caseNumbers"]) != "map[7F3K-9QXM:Withdrawn ABCD-2345:Active]" {
		t.Errorf("%d records, and of the one in two cases %v", len(c.has), two)
	}
	_, _, text := d.call("GET", "/v1/FetchHashes", "", nil, "x-functions-key", "key-of-a-partner", "Authorization", "")
	if strings.Contains(text, picture(0).Value) || !strings.Contains(text, picture(1).Value) {
		t.Error("a newcomer was told of what was withdrawn, or not of the rest")
	}

	// Interrupted after any page, and begun again without the token.
	for pages := 1; pages < 4; pages++ {
		n := &nciiClient{d: d, from: 10, has: map[string]map[string]any{}}
		token, more := "", true
		for range pages {
			if more {
				token, more = n.page(token, 4)
			}
		}
		n.from = n.kept()
		n.fetch()
		if len(n.has) != 10 {
			t.Errorf("interrupted after %d pages: %d records, want 10", pages, len(n.has))
		}
	}

	// A page that comes out empty, as all behind it moved on: the checkpoint stays.
	n := &nciiClient{d: d, from: 10, has: map[string]map[string]any{}}
	token, _ := n.page("", 4)
	for _, e := range all[2:] {
		d.own(rempart.EntryWithdrawn, e)
	}
	d.own(rempart.EntryWithdrawn, second)
	if token, more := n.page(token, 4); token != "" || more {
		t.Errorf("an empty page with token %q", token)
	}
	n.from = n.kept()
	d.now = d.now.Add(time.Second)
	n.fetch()
	if len(n.has) != 0 {
		t.Errorf("%d records are left of none", len(n.has))
	}
}

func TestFetchHashesRefused(t *testing.T) {
	d := wired(t)
	d.own(rempart.EntryActive, entryOf("a", "7F3K-9QXM", picture(1)))
	for _, query := range []string{"startTimestamp=x", "startTimestamp=-1", "startTimestamp=1.5", "startTimestamp=99999999999999999999", "pageSize=0", "pageSize=-1", "pageSize=x", "nextPageToken=x", "nextPageToken=1-2", "nextPageToken=1-2-3.x"} {
		status, h, text := d.call("GET", "/v1/FetchHashes?"+query, "", nil, "x-functions-key", "key-of-a-partner", "Authorization", "")
		if status != http.StatusUnprocessableEntity || h.Get("Content-Type") != "application/problem+json" || strings.Contains(text, "5a5a") {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
	for key, want := range map[string]int{"": 401, "none": 401, "key-of-a-flagger": 403, "key-of-the-forum": 200, "key-of-a-partner": 200} {
		if status, _, text := d.call("GET", "/v1/FetchHashes", "", nil, "x-functions-key", key, "Authorization", ""); status != want {
			t.Errorf("key %q: %d %s, want %d", key, status, text, want)
		}
	}
	if status, _, _ := d.call("GET", "/v1/FetchHashes", "", nil); status != 401 {
		t.Errorf("with a bearer key: %d; it was not given as this interface asks", status)
	}
}

// TestSubmitFeedback sends feedback as the public client does, Python's names of
// its values included.
func TestSubmitFeedback(t *testing.T) {
	d := wired(t)
	d.own(rempart.EntryActive, entryOf("a", "7F3K-9QXM", picture(1)))
	d.now = d.now.Add(time.Second)
	send := func(body string) (int, string) {
		status, _, text := d.call("POST", "/v1/SubmitFeedback", "application/json", strings.NewReader(body), "x-functions-key", "key-of-a-partner", "Authorization", "")
		return status, text
	}
	said := func() []exchange.NCIIFeedback {
		_, _, text := d.call("GET", "/v1/FetchHashes", "", nil, "x-functions-key", "key-of-the-forum", "Authorization", "")
		var p exchange.NCIIPage
		d.must(json.Unmarshal([]byte(text), &p))
		if len(p.HashRecords) != 1 {
			t.Fatalf("%d records", len(p.HashRecords))
		}
		return p.HashRecords[0].CSPFeedbacks
	}
	good := fmt.Sprintf(`{"count":2,"hashFeedbacks":[{"tags":["t"],"feedbackValue":"StopNCIICSPFeedbackValue.Blocked","hashValue":%q},{"tags":[],"feedbackValue":"NotBlocked","hashValue":%q}]}`, strings.ToUpper(picture(1).Value), picture(2).Value)
	if status, text := send(good); status != 200 || strings.TrimSpace(text) != `{"count":2}` {
		t.Errorf("%d %s", status, text)
	}
	if got := said(); len(got) != 1 || got[0].FeedbackValue != "Blocked" || got[0].Source != "Partenaire Exemple" || len(got[0].Tags) != 1 {
		t.Errorf("feedback: %+v", got)
	}
	if status, _ := send(strings.Replace(good, "StopNCIICSPFeedbackValue.Blocked", "StopNCIICSPFeedbackValue.None_", 1)); status != 200 {
		t.Errorf("a newer opinion: %d", status)
	}
	if got := said(); len(got) != 1 || got[0].FeedbackValue != "None" {
		t.Errorf("the newer opinion: %+v", got)
	}
	if o, err := d.db.Opinions(context.Background(), []rempart.Fingerprint{picture(2)}); err != nil || len(o) != 0 {
		t.Errorf("an opinion of what is not listed was kept: %v %v", o, err)
	}
	secret := "n0t-to-be-repeated"
	for _, body := range []string{"", "{", "[]", `{"count":1,"hashFeedbacks":[]}`, strings.Replace(good, `"count":2`, `"count":3`, 1), strings.Replace(good, "NotBlocked", secret, 1),
		strings.Replace(good, picture(2).Value, secret, 1), strings.Replace(good, `["t"]`, `"`+secret+`"`, 1), strings.Replace(good, `"t"`, `"`+strings.Repeat("t", 65)+`"`, 1)} {
		if status, text := send(body); status != http.StatusUnprocessableEntity || strings.Contains(text, secret) {
			t.Errorf("%.40q: %d %s", body, status, text)
		}
	}
}
