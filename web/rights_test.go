package web

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"rempart"
)

// TestListRights gives keys one list, or lookups only, and asks for everything
// by every door: nothing of another list is in any answer.
func TestListRights(t *testing.T) {
	d := wired(t)
	adult, minor := entryOf("a", "AAAA-2345", picture(1)), entryOf("b", "BBBB-2345", prints()[0])
	minor.List = "ncii-minor"
	d.own(rempart.EntryActive, adult, minor)
	d.now = d.now.Add(time.Second)
	put := func(kind rempart.PeerKind, lists []string, lookup bool) {
		d.must(d.db.PutPeer(context.Background(), rempart.Peer{ID: "one", Name: "Un", Kind: kind, Lists: lists, LookupOnly: lookup, CreatedAt: d.now}, "key-of-one", nil))
	}
	copies := []string{"/api/v1/feed", "/v1/FetchHashes", span(0, d.now.Unix())}
	ask := func(path string) (int, string) {
		headers := []string{"Authorization", "Bearer key-of-one", "x-functions-key", "key-of-one"}
		if strings.HasPrefix(path, "/v2/") {
			status, _, text := d.basic("GET", path, "key-of-one", "")
			return status, text
		}
		status, _, text := d.call("GET", path, "", nil, headers...)
		return status, text
	}
	for _, kind := range []rempart.PeerKind{rempart.PeerPlatform, rempart.PeerPartner} {
		for _, c := range []struct {
			lists        []string
			adult, minor bool
		}{{nil, true, true}, {[]string{"ncii-adult"}, true, false}, {[]string{"ncii-minor"}, false, true}} {
			put(kind, c.lists, false)
			for _, path := range copies {
				status, text := ask(path)
				if status != 200 || strings.Contains(text, adult.Fingerprint.Value) != c.adult || strings.Contains(text, minor.Fingerprint.Value) != c.minor {
					t.Errorf("%s with lists %v, %s: %d %s", kind, c.lists, path, status, text)
				}
			}
			put(kind, c.lists, true)
			for _, path := range copies {
				if status, text := ask(path); status != 403 || strings.Contains(text, "5a5a33cc") {
					t.Errorf("%s for lookups, %s: %d %s", kind, path, status, text)
				}
			}
		}
	}
	put(rempart.PeerPlatform, []string{"a-list-that-is-gone"}, false)
	for _, path := range append(copies, "/m/lookup?signal_type=pdq&signal="+adult.Fingerprint.Value) {
		if status, text := ask(path); status != 200 || strings.Contains(text, "5a5a33cc") || strings.Contains(text, "NCII") {
			t.Errorf("with a list that is gone, %s: %d %s", path, status, text)
		}
	}
	put(rempart.PeerPlatform, []string{"ncii-adult"}, true)
	for _, e := range []rempart.Entry{adult, minor} {
		want := e.List == "ncii-adult"
		for _, path := range []string{"/m/raw_lookup", "/m/lookup"} {
			if status, text := ask(path + "?signal_type=pdq&banks=NCII_ADULT,NCII_MINOR&signal=" + e.Fingerprint.Value); path == "/m/lookup" && (status != 200 || strings.Contains(text, "NCII") != want) {
				t.Errorf("%s of %s: %d %s", path, e.List, status, text)
			} else if path == "/m/raw_lookup" && (status != 200 || strings.Contains(text, "[]") == want) {
				t.Errorf("%s of %s: %d %s", path, e.List, status, text)
			}
		}
		body := fmt.Sprintf(`{"fingerprints":[{"type":"pdq","value":%q}]}`, e.Fingerprint.Value)
		if status, _, text := d.call("POST", "/api/v1/match", "application/json", strings.NewReader(body), "Authorization", "Bearer key-of-one"); status != 200 || strings.Contains(text, `"`+e.List+`"`) != want || strings.Contains(text, e.CaseRef) {
			t.Errorf("match of %s: %d %s", e.List, status, text)
		}
	}
}
