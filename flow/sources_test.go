package flow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/pdq"
)

// A stopnciiServer answers FetchHashes as protocols of the field have it, in
// small pages, and is as unkind as a test says.
type stopnciiServer struct {
	mu      sync.Mutex
	records []map[string]any // by lastModtimestamp
	page    int
	asked   []string
	busy    int  // answers 429 so many times
	old     bool // refuses every token once
	breaks  bool // breaks off in the middle of an answer
}

func (x *stopnciiServer) put(second int, f, status string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.records = slices.DeleteFunc(x.records, func(r map[string]any) bool { return r["hashValue"] == f })
	x.records = append(x.records, map[string]any{"lastModtimestamp": second, "signalType": "ImagePDQ", "hashValue": f, "hashStatus": status, "caseNumbers": map[string]string{}, "hashRegions": []int{}})
}

func (x *stopnciiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asked = append(x.asked, r.URL.RawQuery)
	if r.Header.Get("x-functions-key") != "function" || r.Header.Get("Ocp-Apim-Subscription-Key") != "subscription" || r.URL.Path != "/v1/FetchHashes" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if x.busy > 0 {
		x.busy--
		w.Header().Set("Retry-After", "1800")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	q := r.URL.Query()
	start, _ := strconv.Atoi(q.Get("startTimestamp"))
	from, _ := strconv.Atoi(q.Get("nextPageToken"))
	if from > 0 && x.old {
		x.old = false
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var all []map[string]any
	for _, rec := range x.records {
		if n, ok := rec["lastModtimestamp"].(int); !ok || n >= start {
			all = append(all, rec)
		}
	}
	page := all[min(from, len(all)):min(from+x.page, len(all))]
	out := map[string]any{"count": len(page), "hasMoreRecords": from+x.page < len(all), "nextSetTimestamp": start, "nextPageToken": nil, "hashRecords": page}
	if len(page) > 0 {
		out["nextSetTimestamp"] = page[len(page)-1]["lastModtimestamp"]
	}
	if from+x.page < len(all) {
		out["nextPageToken"] = strconv.Itoa(from + x.page)
	}
	b, _ := json.Marshal(out)
	if x.breaks {
		w.Header().Set("Content-Length", strconv.Itoa(len(b)))
		b = b[:len(b)/2]
	}
	w.Write(b)
}

// reads makes a side know a source at an address, and start to read it.
func (s *side) reads(kind rempart.SourceKind, url string, cred rempart.Credentials) {
	s.t.Helper()
	src := rempart.Source{Name: "partner", Kind: kind, URL: url, List: "ncii-adult", Quality: 50, Type: rempart.PDQ, Every: time.Minute}
	if kind == rempart.SourceFeed {
		src.List = ""
	}
	if err := src.Check(); err != nil {
		s.t.Fatal(err)
	}
	if err := s.DB.PutSource(s.t.Context(), src, &cred, false); err != nil {
		s.t.Fatal(err)
	}
}

var stopnciiKeys = rempart.Credentials{Key: "function", Secret: "subscription"}

func (s *side) read() rempart.SourceStatus {
	s.t.Helper()
	n, err := s.ReadSource(s.t.Context(), "partner", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// found returns which of some values are found.
func (s *side) found(all []pdq.Hash) (out []int) {
	for k, h := range all {
		if slices.Contains(s.finds(h), "source:partner") {
			out = append(out, k)
		}
	}
	return out
}

func wantFound(t *testing.T, s *side, all []pdq.Hash, want ...int) {
	t.Helper()
	if got := s.found(all); !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// TestStopNCIISource reads a list through everything that can happen to it.
func TestStopNCIISource(t *testing.T) {
	all := valuesOf(31, 8)
	x := &stopnciiServer{page: 2}
	srv := httptest.NewServer(x)
	defer srv.Close()
	s := newSide(t, newClock(), time.Second)
	s.reads(rempart.SourceStopNCII, srv.URL+"/v1", stopnciiKeys)
	for k, h := range all[:6] {
		x.put(100+k/5, h.String(), "Active") // five in one second, more than a page
	}
	x.records = append(x.records,
		map[string]any{"lastModtimestamp": 101, "signalType": "ImagePDQ", "hashValue": strings.Repeat("0", 64), "hashStatus": "Active"},
		map[string]any{"lastModtimestamp": 101, "signalType": "ImagePDQ", "hashValue": "f8f8", "hashStatus": "Active"},
		map[string]any{"lastModtimestamp": 101, "signalType": "ImagePDQ", "hashValue": nil, "hashStatus": "Active"},
		map[string]any{"lastModtimestamp": 101, "signalType": "Song", "hashValue": all[6].String(), "hashStatus": "Active"},
		map[string]any{"lastModtimestamp": 101, "signalType": "VideoTMK", "hashValue": "x", "hashStatus": "Active"},
		map[string]any{"lastModtimestamp": 101, "signalType": "StopNCIISignalType.VideoMD5", "hashValue": strings.Repeat("Ab", 16), "hashStatus": "Active"})

	d, err := s.TrySource(t.Context(), "partner", t.TempDir(), nil)
	if err != nil || d.Added != 7 || d.Same != 0 || d.Status.Refused != 3 || d.Status.Flat != 1 || d.Status.Other != 1 {
		t.Fatalf("a trial says %+v, %v", d, err)
	}
	wantFound(t, s, all)
	n := s.read()
	if n.Added != 7 || n.Refused != 3 || n.Flat != 1 || n.Other != 1 || n.Read != 12 || len(n.Named) != 3 || n.Named[0].Place != 8 {
		t.Errorf("read: %+v", n)
	}
	wantFound(t, s, all, 0, 1, 2, 3, 4, 5)

	// A withdrawal is honoured, a deletion too, and what is shared again comes back.
	x.put(200, all[1].String(), "Withdrawn")
	x.put(200, all[2].String(), "Deleted")
	x.put(201, all[6].String(), "Active")
	d, err = s.TrySource(t.Context(), "partner", t.TempDir(), nil)
	if err != nil || d.Added != 1 || d.Removed != 2 || d.Same != 5 || d.Changed != 0 || d.Unsaid != 0 {
		t.Errorf("a trial says %+v, %v", d, err)
	}
	s.read()
	wantFound(t, s, all, 0, 3, 4, 5, 6)
	x.put(300, all[1].String(), "Active")
	s.read()
	wantFound(t, s, all, 0, 1, 3, 4, 5, 6)
	if n := s.read(); n.Added+n.Removed != 0 {
		t.Errorf("nothing changed, and reading says %+v", n)
	}

	// An answer that breaks off changes nothing.
	x.put(400, all[7].String(), "Active")
	x.breaks = true
	if _, err := s.ReadSource(t.Context(), "partner", nil); err == nil {
		t.Error("an answer that broke off was taken")
	}
	x.breaks = false
	wantFound(t, s, all, 0, 1, 3, 4, 5, 6)
	s.read()
	wantFound(t, s, all, 0, 1, 3, 4, 5, 6, 7)

	// Entries leave by no door.
	changes, _, err := s.DB.Changes(t.Context(), "", 0)
	if err != nil || len(changes) == 0 {
		t.Fatal(err)
	}
	for _, c := range changes {
		if c.Peer != "source:partner" {
			t.Errorf("an entry of %q", c.Peer)
		}
	}
}

// TestSourceKilled is killed after each page, before it is saved and after, and
// goes on there; a token that was refused meanwhile is begun without.
func TestSourceKilled(t *testing.T) {
	all := valuesOf(32, 9)
	for _, old := range []bool{false, true} {
		for _, point := range []string{"source.read", "source.saved"} {
			for page := 1; page <= 5; page++ {
				t.Run(fmt.Sprint(point, page, old), func(t *testing.T) {
					x := &stopnciiServer{page: 2}
					for k, h := range all {
						x.put(100+k/6, h.String(), "Active")
					}
					srv := httptest.NewServer(x)
					defer srv.Close()
					s := newSide(t, newClock(), time.Second)
					s.reads(rempart.SourceStopNCII, srv.URL+"/v1", stopnciiKeys)
					ctx, kill := context.WithCancel(t.Context())
					seen := 0
					s.Fault = func(at string) {
						if at == point {
							if seen++; seen == page {
								kill()
							}
						}
					}
					if _, err := s.ReadSource(ctx, "partner", nil); err == nil && page < 5 {
						t.Fatal("was not killed")
					}
					kill()
					s.Fault = nil
					before := len(x.asked)
					x.old = old
					s.clock.advance(2 * time.Minute)
					s.read()
					wantFound(t, s, all, 0, 1, 2, 3, 4, 5, 6, 7, 8)
					if asked := len(x.asked) - before; !old && asked > 6-page+1 {
						t.Errorf("asked %d times after it was killed at page %d: it began anew", asked, page)
					}
				})
			}
		}
	}
}

// TestSourceWaits is told to wait, and does not ask before; a key that is refused
// is not tried again at once; two processes never read one source.
func TestSourceWaits(t *testing.T) {
	x := &stopnciiServer{page: 10, busy: 1}
	srv := httptest.NewServer(x)
	defer srv.Close()
	s := newSide(t, newClock(), time.Second)
	s.reads(rempart.SourceStopNCII, srv.URL+"/v1", stopnciiKeys)
	if err := s.DB.RunSource(t.Context(), "partner", true); err != nil {
		t.Fatal(err)
	}
	due := func() (time.Duration, string) {
		r, err := s.DB.Source(t.Context(), "partner")
		if err != nil {
			t.Fatal(err)
		}
		return r.DueAt.Sub(s.clock.now()), r.Status.Why
	}
	if _, err := s.ReadSource(t.Context(), "partner", nil); err == nil {
		t.Fatal("429 was taken as an answer")
	}
	if d, why := due(); d != 30*time.Minute || why != "answered 429" {
		t.Errorf("due in %v: %q", d, why)
	}
	if _, ok, err := s.DB.ClaimSource(t.Context(), "", time.Minute); ok || err != nil {
		t.Errorf("claimed before it is due: %v", err)
	}
	s.clock.advance(30 * time.Minute)
	c, ok, err := s.DB.ClaimSource(t.Context(), "", time.Minute)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := s.ReadSource(t.Context(), "partner", nil); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("read by two: %v", err)
	}
	s.clock.advance(2 * time.Minute) // the process was killed
	s.read()
	if err := s.DB.EndSource(t.Context(), c, c.Status, s.clock.now()); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("who lost a source ends it: %v", err)
	}
	if _, err := s.DB.ApplySource(t.Context(), c, nil, "old", false, c.Status, time.Minute); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("who lost a source saves: %v", err)
	}
	bad := rempart.Credentials{Key: "function", Secret: "another"}
	s.reads(rempart.SourceStopNCII, srv.URL+"/v1", bad)
	if _, err := s.ReadSource(t.Context(), "partner", nil); err == nil {
		t.Fatal("a wrong key opened")
	}
	if d, why := due(); d != time.Hour || why != "answered 401" {
		t.Errorf("due in %v: %q", d, why)
	}
}

// TestSourceElsewhere asks nothing that is not on the public network, follows no
// redirect, and sends nothing in clear.
func TestSourceElsewhere(t *testing.T) {
	s := newSide(t, newClock(), time.Second)
	for _, u := range []string{"http://partner.exemple.test", "ftp://partner.exemple.test", "https://a:b@partner.exemple.test", "partner.exemple.test"} {
		src := rempart.Source{Name: "p", Kind: rempart.SourceFeed, URL: u, Every: time.Minute}
		if src.Check() == nil {
			t.Errorf("%s is taken", u)
		}
	}
	for _, host := range []string{"10.1.2.3", "169.254.169.254", "192.168.1.1", "100.64.0.1", "[fd00::1]", "0.0.0.0"} {
		src := rempart.Source{Name: "partner", Kind: rempart.SourceFeed, URL: "https://" + host + ":9", Every: time.Minute}
		if err := s.DB.PutSource(t.Context(), src, &rempart.Credentials{Key: "k"}, true); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ReadSource(t.Context(), "partner", nil); err == nil || !strings.Contains(err.Error(), "not on the public network") {
			t.Errorf("%s: %v", host, err)
		}
	}
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	srv := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer srv.Close()
	s.reads(rempart.SourceFeed, srv.URL, rempart.Credentials{Key: "k"})
	if _, err := s.ReadSource(t.Context(), "partner", nil); err == nil || asked {
		t.Errorf("a redirect was followed (%v): %v", asked, err)
	}
}

// TestFeedSource reads another instance over real HTTP: all of it, then what is
// withdrawn there.
func TestFeedSource(t *testing.T) {
	hub := newSide(t, newClock(), 5*time.Second)
	hub.knows("reader", rempart.PeerPlatform, "", keyAtHub, "")
	url := hub.serve(true, false)
	s := newSide(t, newClock(), time.Second)
	s.reads(rempart.SourceFeed, url, rempart.Credentials{Key: keyAtHub})
	all := valuesOf(33, 40)
	hub.imported(csvOf(all), flow.ImportOptions{})
	if n := s.read(); n.Added != 40 || n.Refused != 0 {
		t.Errorf("read: %+v", n)
	}
	if got := s.found(all); len(got) != 40 {
		t.Errorf("found %d", len(got))
	}
	hub.imported(csvOf(slices.Delete(slices.Clone(all), 3, 4)), flow.ImportOptions{Whole: true})
	if n := s.read(); n.Removed != 1 {
		t.Errorf("read: %+v", n)
	}
	if got := s.found(all); len(got) != 39 || slices.Contains(got, 3) {
		t.Errorf("found %d", len(got))
	}
}

// TestFileSource reads a file that is the whole list.
func TestFileSource(t *testing.T) {
	all := valuesOf(34, 300)
	var mu sync.Mutex
	body, version := csvOf(all).String()+"not a fingerprint\n", "1"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("If-None-Match") == `"`+version+`"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"`+version+`"`)
		w.Write([]byte(body))
	}))
	defer srv.Close()
	set := func(b, v string) {
		mu.Lock()
		defer mu.Unlock()
		body, version = b, v
	}
	s := newSide(t, newClock(), time.Second)
	s.reads(rempart.SourceFile, srv.URL+"/list.csv", rempart.Credentials{})
	if d, err := s.TrySource(t.Context(), "partner", t.TempDir(), nil); err != nil || d.Added != 300 || d.Status.Refused != 1 {
		t.Errorf("a trial says %+v, %v", d, err)
	}
	if n := s.read(); n.Added != 300 || n.Refused != 1 || n.Named[0].Place != 301 {
		t.Errorf("read: %+v", n)
	}
	set(csvOf(all[10:]).String(), "2")
	s.clock.advance(time.Minute)
	if n := s.read(); n.Added != 0 || n.Removed != 10 || n.Same != 290 {
		t.Errorf("read: %+v", n)
	}
	for _, b := range []string{"", "<html>error</html>\n", csvOf(all[:20]).String()} {
		set(b, "3"+b[:min(len(b), 1)])
		s.clock.advance(time.Minute)
		if n, err := s.ReadSource(t.Context(), "partner", nil); err == nil || !strings.Contains(n.Why, "nothing was changed") {
			t.Errorf("a file that lacks nearly all was taken: %+v, %v", n, err)
		}
	}
	if got := s.found(all); len(got) != 290 {
		t.Errorf("found %d", len(got))
	}
	set("unasked", "2")
	s.clock.advance(time.Minute)
	s.read() // not changed, says the server
}

// TestSourcesByThemselves are read by a process that follows them.
func TestSourcesByThemselves(t *testing.T) {
	all := valuesOf(35, 3)
	x := &stopnciiServer{page: 2}
	for _, h := range all {
		x.put(100, h.String(), "Active")
	}
	srv := httptest.NewServer(x)
	defer srv.Close()
	s := newSide(t, newClock(), time.Second)
	s.reads(rempart.SourceStopNCII, srv.URL+"/v1", stopnciiKeys)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.FollowSources(ctx) }()
	if err := s.DB.RunSource(ctx, "partner", true); err != nil {
		t.Fatal(err)
	}
	for len(s.found(all)) < 3 {
		if t.Context().Err() != nil {
			t.Fatal("the test was ended")
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
