package web

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"rempart"
)

// ncmecEntry is one entry as the public client reads it.
type ncmecEntry struct {
	XMLName xml.Name
	IDs     []string `xml:"id"`
	Members []struct {
		ID   int    `xml:"id,attr"`
		Name string `xml:",chardata"`
	} `xml:"member"`
	Prints []struct {
		PDQ string `xml:"pdq"`
		MD5 string `xml:"md5"`
	} `xml:"fingerprints"`
}

type ncmecResult struct {
	XMLName xml.Name `xml:"https://hashsharing.ncmec.org/hashsharing/v2 queryResult"`
	Groups  []struct {
		XMLName xml.Name
		Count   int          `xml:"count,attr"`
		Max     string       `xml:"maxTimestamp,attr"`
		Entries []ncmecEntry `xml:",any"`
	} `xml:",any"`
	Next string `xml:"paging>next"`
}

func (d *desk) basic(method, path, key string, body string) (int, http.Header, string) {
	d.t.Helper()
	return d.call(method, path, "application/xml", strings.NewReader(body), "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("user:"+key)))
}

// An ncmecClient reads as the public client does, with its parser's rules.
type ncmecClient struct {
	d     *desk
	has   map[string]string // by member and identifier
	pages int
}

// read reads one page of any address, and returns the next.
func (c *ncmecClient) read(path string) string {
	c.d.t.Helper()
	c.pages++
	status, h, text := c.d.basic("GET", path, "key-of-a-partner", "")
	if status != 200 || !strings.HasPrefix(h.Get("Content-Type"), "application/xml") {
		c.d.t.Fatalf("%s: %d %s", path, status, text)
	}
	var r ncmecResult
	if err := xml.Unmarshal([]byte(text), &r); err != nil {
		c.d.t.Fatalf("%v in %s", err, text)
	}
	for _, g := range r.Groups {
		kind := strings.TrimSuffix(g.XMLName.Local, "s")
		if kind == "paging" {
			continue
		}
		if g.Count != len(g.Entries) {
			c.d.t.Errorf("%s: count %d of %d", kind, g.Count, len(g.Entries))
		}
		if _, err := time.Parse("2006-01-02T15:04:05Z", g.Max); len(g.Entries) > 0 && err != nil {
			c.d.t.Errorf("maxTimestamp: %v", err)
		}
		for _, e := range g.Entries {
			tag := strings.ToLower(e.XMLName.Local)
			bare, deleted := strings.CutPrefix(tag, "deleted")
			if bare != kind || len(e.IDs) != 1 || len(e.Members) != 1 || e.Members[0].Name == "" || deleted == (len(e.Prints) > 0) {
				c.d.t.Errorf("in %s: %+v", kind, e)
				continue
			}
			key := fmt.Sprintf("%d-%s", e.Members[0].ID, e.IDs[0])
			if deleted {
				delete(c.has, key)
			} else {
				c.has[key] = e.Prints[0].PDQ + e.Prints[0].MD5
			}
		}
	}
	if r.Next != "" {
		q, err := url.ParseQuery(strings.TrimPrefix(r.Next, "/v2/entries?"))
		c.d.must(err)
		for _, name := range []string{"start", "size", "max"} {
			if _, err := strconv.Atoi(q.Get(name)); err != nil {
				c.d.t.Errorf("next has no %s: %s", name, r.Next)
			}
		}
	}
	return r.Next
}

func span(from, to int64) string {
	f := func(n int64) string { return time.Unix(n, 0).UTC().Format("2006-01-02T15:04:05Z") }
	return "/v2/entries?" + url.Values{"from": {f(from)}, "to": {f(to)}}.Encode()
}

// all reads a range to its end.
func (c *ncmecClient) all(from, to int64) {
	c.d.t.Helper()
	for next := span(from, to); next != ""; {
		next = c.read(next)
	}
}

func TestNCMECEntries(t *testing.T) {
	d := wired(t)
	var all []rempart.Entry
	for k := range 2500 { // a second that holds more than two pages
		all = append(all, entryOf(fmt.Sprintf("e%d", k), "7F3K-9QXM", picture(k)))
	}
	all = append(all, entryOf("m", "7F3K-9QXM", rempart.Fingerprint{Type: rempart.MD5, Value: strings.Repeat("0123abcd", 4)}))
	d.own(rempart.EntryActive, all...)
	c := &ncmecClient{d: d, has: map[string]string{}}
	start := d.now.Unix()
	c.all(0, start)
	if len(c.has) != 2501 || c.pages != 3 || c.has["1-e7"] != picture(7).Value || c.has["1-m"] != strings.Repeat("0123abcd", 4) {
		t.Errorf("%d entries in %d pages", len(c.has), c.pages)
	}
	// Changed while its pages are read; a page's address read again, as after an
	// interruption.
	c = &ncmecClient{d: d, has: map[string]string{}}
	next := c.read(span(0, start))
	d.now = d.now.Add(time.Second)
	d.own(rempart.EntryWithdrawn, all[3], all[2400])
	d.own(rempart.EntryActive, entryOf("late", "7F3K-9QXM", picture(9000)))
	for next != "" {
		c.read(next)
		next = c.read(next)
	}
	if len(c.has) != 2500 || c.has["1-late"] != "" || c.has["1-e3"] == "" {
		t.Errorf("of the first range: %d entries", len(c.has))
	}
	c.all(start, d.now.Unix())
	if len(c.has) != 2500 || c.has["1-late"] == "" || c.has["1-e3"] != "" || c.has["1-e2400"] != "" {
		t.Errorf("after the second range: %d entries", len(c.has))
	}
	pages := c.pages
	d.now = d.now.Add(time.Minute)
	c.all(d.now.Unix()-30, d.now.Unix())
	if c.pages != pages+1 || len(c.has) != 2500 {
		t.Errorf("an empty range: %d pages, %d entries", c.pages-pages, len(c.has))
	}
	// A newcomer does not learn of what was withdrawn before.
	if _, _, text := d.basic("GET", span(start+1, d.now.Unix()), "key-of-a-partner", ""); !strings.Contains(text, "<deletedImage>") {
		t.Error("who had it is not told of a withdrawal")
	}
	if _, _, text := d.basic("GET", span(0, d.now.Unix()), "key-of-a-partner", ""); strings.Contains(text, "deletedImage") || strings.Contains(text, ">e3<") {
		t.Error("a newcomer is told of a withdrawal")
	}
}

func TestNCMECStatus(t *testing.T) {
	d := wired(t)
	for path, want := range map[string]string{"/v2/status": "status", "/v2/members": "members"} {
		status, _, text := d.basic("GET", path, "key-of-a-partner", "")
		var v struct {
			XMLName xml.Name
			Members []struct {
				ID   int    `xml:"id,attr"`
				Name string `xml:",chardata"`
			} `xml:"member"`
		}
		if err := xml.Unmarshal([]byte(text), &v); err != nil || status != 200 || v.XMLName.Local != want || len(v.Members) != 1 || v.Members[0].ID != 1 || v.Members[0].Name != "Association Exemple" {
			t.Errorf("%s: %d %v %s", path, status, err, text)
		}
		for key, want := range map[string]int{"": 401, "none": 401, "key-of-a-flagger": 403} {
			if status, _, _ := d.basic("GET", path, key, ""); status != want {
				t.Errorf("%s with key %q: %d, want %d", path, key, status, want)
			}
		}
	}
	now := d.now.Unix()
	for _, path := range []string{"/v2/entries?from=x", "/v2/entries?to=x", "/v2/entries?from=&to=", span(now, now-1), span(0, now+60), span(-5, -1),
		span(0, now) + "&start=0", span(0, now) + "&size=x", span(0, now) + "&token=x"} {
		if status, h, text := d.basic("GET", path, "key-of-a-partner", ""); status != http.StatusUnprocessableEntity || h.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}
