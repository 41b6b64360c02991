package exchange_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/exchange"
)

// An ncmecServer answers /v2/entries as NCMEC's does: `from` is not in the range
// and `to` is, and a page is counted off the range as it is at that moment.
type ncmecServer struct {
	t       *testing.T
	page    int
	ahead   time.Duration // of its clock
	entries []ncmecEntry
	asked   int
	gone    bool // refuses the next address of a page
	during  func(n int)
}

type ncmecEntry struct {
	id     string
	second int64
	xml    string // of its content
	gone   bool
}

func (x *ncmecServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if u, p, ok := r.BasicAuth(); !ok || u != "user" || p != "password" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	x.asked++
	if x.during != nil {
		x.during(x.asked)
	}
	q := r.URL.Query()
	from, err1 := exchange.ParseNCMECTime(q.Get("from"))
	to, err2 := exchange.ParseNCMECTime(q.Get("to"))
	if err1 != nil || err2 != nil || r.URL.Path != "/v2/entries" || !strings.HasSuffix(q.Get("to"), "Z") {
		x.t.Errorf("asked for %s", r.URL)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	start, _ := strconv.Atoi(q.Get("start"))
	if start > 0 && x.gone {
		x.gone = false
		w.WriteHeader(http.StatusGone)
		return
	}
	var in []ncmecEntry
	for _, e := range x.entries {
		if e.second > from && e.second <= to {
			in = append(in, e)
		}
	}
	slices.SortStableFunc(in, func(a, b ncmecEntry) int { return strings.Compare(b.id, a.id) }) // out of time order
	page := in[min(start, len(in)):min(start+x.page, len(in))]
	w.Header().Set("Date", time.Now().Add(x.ahead).UTC().Format(http.TimeFormat))
	fmt.Fprintf(w, `<?xml version="1.0"?><queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2"><images count="%d" maxTimestamp="2017-10-24T15:10:00Z">`, len(page))
	for _, e := range page {
		name, content := "image", `<classification>A1</classification><fingerprints>`+e.xml+`</fingerprints><feedback lastUpdateTimestamp="x"><affirmativeFeedback type="Pdq"><members><member id="42">Name</member></members></affirmativeFeedback></feedback>`
		if e.gone {
			name, content = "deletedImage", ""
		}
		fmt.Fprintf(w, `<%s><member id="42">Name</member><timestamp>%s</timestamp><id>%s</id>%s</%s>`, name, exchange.FormatNCMECTime(e.second), e.id, content, name)
	}
	fmt.Fprint(w, `</images><videos count="0"/>`)
	if start+x.page < len(in) {
		next := r.URL.Query()
		next.Set("start", strconv.Itoa(start+x.page))
		next.Set("size", strconv.Itoa(x.page))
		next.Set("max", strconv.Itoa(len(in)))
		fmt.Fprint(w, `<paging><next>`)
		xml.EscapeText(w, []byte("/v2/entries?"+next.Encode()))
		fmt.Fprint(w, `</next></paging>`)
	}
	fmt.Fprint(w, `</queryResult>`)
}

// A follower keeps what a source says, as a list would.
type follower struct {
	t       *testing.T
	src     rempart.Source
	cred    rempart.Credentials
	place   string
	has     map[string]rempart.SourceRecord
	refused []rempart.RefusedRecord
	other   int
}

// read reads to the end, at most so many pages, and returns how many they were.
func (f *follower) read(most int) int {
	f.t.Helper()
	c, err := exchange.PullClient(f.src)
	if err != nil {
		f.t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	for n := 1; ; n++ {
		p, err := exchange.PullSource(f.t.Context(), c, f.src, f.cred, f.place, time.Now())
		if err != nil {
			f.t.Fatalf("page %d: %v", n, err)
		}
		for _, r := range p.Records {
			if delete(f.has, r.ID); !r.Gone {
				f.has[r.ID] = r
			}
		}
		f.place, f.refused, f.other = p.Next, append(f.refused, p.Refused...), f.other+p.Other
		if !p.More || n == most {
			return n
		}
	}
}

func newNCMEC(t *testing.T, page, n int, second func(k int) int64) (*ncmecServer, *follower) {
	x := &ncmecServer{t: t, page: page}
	for k := range n {
		x.entries = append(x.entries, ncmecEntry{id: fmt.Sprintf("image%d", k), second: second(k), xml: fmt.Sprintf("<md5>%032x</md5><sha1>00</sha1><pdna>AA</pdna><pdq>%064x</pdq>", k, k)})
	}
	srv := httptest.NewServer(x)
	t.Cleanup(srv.Close)
	return x, &follower{t: t, src: rempart.Source{Name: "ncmec", Kind: rempart.SourceNCMEC, URL: srv.URL, List: "ncii-minor", Every: time.Minute},
		cred: rempart.Credentials{Key: "user", Secret: "password"}, has: map[string]rempart.SourceRecord{}}
}

func (f *follower) wantIDs(want int) {
	f.t.Helper()
	if len(f.has) != want {
		f.t.Errorf("has %d fingerprints, want %d", len(f.has), want)
	}
}

// TestNCMECPages reads 2500 entries over 300 days, and 2500 of one second, whole
// and a page at a time, with the address of a page refused on the way.
func TestNCMECPages(t *testing.T) {
	now := time.Now().Unix()
	for name, second := range map[string]func(int) int64{
		"over 300 days": func(k int) int64 { return now - 300*86400 + int64(k)*10000 },
		"in one second": func(int) int64 { return now - 86400 },
	} {
		for _, gone := range []bool{false, true} {
			t.Run(fmt.Sprint(name, gone), func(t *testing.T) {
				x, f := newNCMEC(t, 1000, 2500, second)
				x.gone = gone
				for f.read(1) == 1 && len(f.has) < 5000 && x.asked < 500 {
				}
				f.wantIDs(5000)
				if x.asked > 150 {
					t.Errorf("asked %d times", x.asked)
				}
				asked := x.asked
				f.read(0)
				f.wantIDs(5000)
				if x.asked-asked > 40 {
					t.Errorf("asked %d times for nothing new", x.asked-asked)
				}
			})
		}
	}
}

// TestNCMECChanges meets entries that change while pages are read, tombstones,
// corrections, corrupt entries, and a clock that goes before theirs.
func TestNCMECChanges(t *testing.T) {
	now := time.Now().Unix()
	x, f := newNCMEC(t, 10, 100, func(k int) int64 { return now - 100_000 + int64(k)*100 })
	x.during = func(n int) { // each time one of those that come first moves to the end
		if n < 60 {
			x.entries[99-n%40].second = now - 10
		}
	}
	f.read(0)
	f.read(0)
	f.wantIDs(200)
	x.during = nil
	now -= 9 // after what was read
	x.entries[0].gone, x.entries[0].second = true, now
	x.entries[1].xml, x.entries[1].second = fmt.Sprintf("<pdq>%064X</pdq>", 0xabcdef), now // its md5 is gone
	x.entries[2].xml, x.entries[2].second = "<md5></md5><pdq>0123</pdq>", now              // corrupt
	x.entries[3].xml, x.entries[3].second = "<pdna>AAAA</pdna>", now                       // of a type that is not looked up
	x.entries = append(x.entries, ncmecEntry{id: "", second: now, xml: "<pdq>00</pdq>"})   // of no identifier
	for k := range x.entries {
		x.entries[k].second = max(x.entries[k].second, 1)
	}
	f.place = strings.ReplaceAll(f.place, `"from":`, `"from":0,"was":`)
	f.read(0)
	f.wantIDs(200 - 2 - 1 - 2 - 2)
	if got := f.has["42-image1:pdq"].Fingerprint.Value; got != fmt.Sprintf("%064x", 0xabcdef) {
		t.Errorf("a correction was not taken: %s", got)
	}
	if len(f.refused) < 2 || f.other < 1 {
		t.Errorf("refused %v, other %d", f.refused, f.other)
	}

	// Their clock is a minute behind ours: what they write then is of a second that
	// we might have asked for already.
	y, g := newNCMEC(t, 10, 3, func(k int) int64 { return now - 1000 })
	y.ahead = -time.Minute
	g.read(0)
	g.wantIDs(6)
	y.entries = append(y.entries, ncmecEntry{id: "late", second: time.Now().Unix() - 60, xml: "<md5>" + strings.Repeat("a", 32) + "</md5>"})
	y.ahead = time.Hour
	g.read(0)
	g.wantIDs(7)
}

// TestPullRefused holds that a page's address leads nowhere else, and that an
// answer that is cut or none of the format is a failure that changes nothing.
func TestPullRefused(t *testing.T) {
	const head = `<queryResult xmlns="x"><images count="1" maxTimestamp="2017-10-24T15:10:00Z"><image><member id="42">N</member><id>a</id><fingerprints><pdq>` + "0123" + `</pdq></fingerprints></image></images>`
	for kind, bodies := range map[rempart.SourceKind][]string{
		rempart.SourceNCMEC: {head, head + `<paging><next>https://exemple.test/v2/entries?start=1</next></paging></queryResult>`, head + `<paging><next>/v2/../admin</next></paging></queryResult>`,
			"", "<html></html>", `{"a":1}`},
		rempart.SourceStopNCII: {"", "<html></html>", `{}`, `{"count":0,"nextSetTimestamp":null,"hasMoreRecords":false}`, `{"count":0,"nextSetTimestamp":10,"hasMoreRecords":true,"hashRecords":[]}`,
			`{"count":0,"nextSetTimestamp":10,"hasMoreRecords":false,"hashRecords":[`},
		rempart.SourceFeed: {"", "<html></html>\n", `{"id":"a","list":"ncii-adult","type":"md5","value":"` + strings.Repeat("a", 32) + `","state":"active"}` + "\n"},
	} {
		for _, b := range bodies {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, b) }))
			src := rempart.Source{Name: "p", Kind: kind, URL: srv.URL, List: "ncii-adult", Every: time.Minute}
			c, err := exchange.PullClient(src)
			if err != nil {
				t.Fatal(err)
			}
			p, err := exchange.PullSource(t.Context(), c, src, rempart.Credentials{Key: "k", Secret: "s"}, "", time.Now())
			var f *exchange.Failure
			if err == nil && !(kind == rempart.SourceNCMEC && p.More && len(p.Records) == 0) {
				t.Errorf("%s %q: %+v", kind, b, p)
			} else if err != nil && !asFailure(err, &f) {
				t.Errorf("%s %q: %v, no failure", kind, b, err)
			}
			c.CloseIdleConnections()
			srv.Close()
		}
	}
}

// TestFeedRefused refuses lines of a feed one by one.
func TestFeedRefused(t *testing.T) {
	good := `{"id":"%d","list":"%s","type":"md5","value":"%032x","state":"%s"}` + "\n"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("after") == "c" {
			fmt.Fprintln(w, `{"end":true,"cursor":"c"}`)
			return
		}
		fmt.Fprintf(w, good, 1, "ncii-adult", 1, "active")
		fmt.Fprintln(w, `{"id":"2","list":"ncii-adult","type":"md5","value":"12","state":"active"}`)
		fmt.Fprintln(w, `{"id":`)
		fmt.Fprintln(w, `{"list":"ncii-adult","type":"md5","value":"`+strings.Repeat("a", 32)+`","state":"active"}`)
		fmt.Fprintf(w, good, 3, "another-list", 3, "active")
		fmt.Fprintf(w, good, 4, "ncii-adult", 4, "withdrawn")
		fmt.Fprintf(w, good, 5, "ncii-minor", 5, "active")
		fmt.Fprintln(w, `{"end":true,"cursor":"c"}`)
	}))
	defer srv.Close()
	f := &follower{t: t, src: rempart.Source{Name: "hub", Kind: rempart.SourceFeed, URL: srv.URL, Every: time.Minute}, cred: rempart.Credentials{Key: "k"}, has: map[string]rempart.SourceRecord{}}
	f.read(0)
	f.wantIDs(2)
	if len(f.refused) != 3 || f.refused[0].Place != 2 || f.refused[2].Place != 4 || f.other != 1 || f.place != "c" {
		t.Errorf("refused %+v, other %d, at %q", f.refused, f.other, f.place)
	}
}

func asFailure(err error, f **exchange.Failure) bool { return errors.As(err, f) }
