package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"rempart"
)

// copying are the doors that give a copy of a list: a key that may only look up, or
// of another list alone, opens none of them.
var copying = []string{"GET /api/v1/feed", "GET /v1/FetchHashes", "GET /v2/entries"}

// opened says whose keys open each door of the API that asks for one. A door that is
// not here fails the test.
func opened() map[string][]rempart.PeerKind {
	flaggers := []rempart.PeerKind{rempart.PeerFlagger, rempart.PeerPartner}
	out := map[string][]rempart.PeerKind{
		"GET /api/v1/feed": readers, "POST /api/v1/match": onlyPlatform, "POST /api/v1/callbacks": onlyPlatform, "POST /api/v1/opinions": readers,
		"POST /api/v1/notices": flaggers, "GET /api/v1/notices/{id}": flaggers, "POST /api/v1/notices/{id}/complaints": flaggers, "GET /api/v1/notices/{id}/complaints/{number}": flaggers, "POST /api/v1/notices/{id}/reminders": flaggers,
	}
	for _, table := range [][]shapeRoute{hmaRoutes, stopnciiRoutes, ncmecRoutes} {
		for _, rt := range table {
			out[rt.method+" "+rt.path] = rt.kinds
		}
	}
	return out
}

// TestScopes asks every door that the API's document says needs a key with keys of
// each kind, and with none.
func TestScopes(t *testing.T) {
	d := newDesk(t, true, true)
	kinds := []rempart.PeerKind{rempart.PeerPlatform, rempart.PeerFlagger, rempart.PeerPartner, rempart.PeerMail, rempart.PeerHTTP, rempart.PeerSystem}
	for _, k := range kinds {
		for _, only := range []bool{false, true} {
			id := string(k)
			if only {
				id += "-only"
			}
			d.must(d.db.PutPeer(context.Background(), rempart.Peer{ID: id, Name: id, Kind: k, LookupOnly: only, CreatedAt: d.now}, "key-of-"+id, nil))
		}
	}
	_, _, text := d.call("GET", "/api/openapi.json", "", nil)
	var doc struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string
		}
	}
	d.must(json.Unmarshal([]byte(text), &doc))
	want := opened()
	ask := func(door, key string) (int, string) {
		method, path, _ := strings.Cut(door, " ")
		path = strings.NewReplacer("{id}", "x", "{number}", "x", "{member}", "1", "{entry}", "x", "{type}", "pdq").Replace(path)
		r, err := http.NewRequest(method, d.url+path, strings.NewReader("{}"))
		d.must(err)
		r.Header.Set("Content-Type", "application/json")
		if key != "" {
			r.Header.Set("Authorization", "Bearer "+key)
			r.Header.Set("X-Functions-Key", key)
		}
		if strings.HasPrefix(path, "/v2/") && key != "" {
			r.SetBasicAuth("any", key)
		}
		a, err := http.DefaultClient.Do(r)
		d.must(err)
		defer a.Body.Close()
		var said struct{ Code, Message string }
		json.NewDecoder(a.Body).Decode(&said)
		return a.StatusCode, said.Code
	}
	n := 0
	for path, operations := range doc.Paths {
		for method, op := range operations {
			if len(op.Security) == 0 {
				continue
			}
			n++
			door := strings.ToUpper(method) + " " + path
			if want[door] == nil {
				t.Errorf("%s asks for a key, and nobody said whose", door)
				continue
			}
			for _, key := range []string{"", "key-of-nobody"} {
				if status, _ := ask(door, key); status != http.StatusUnauthorized {
					t.Errorf("%s with the key %q: %d, want 401", door, key, status)
				}
			}
			for _, k := range kinds {
				status, code := ask(door, "key-of-"+string(k))
				if may := slices.Contains(want[door], k); may == (status == http.StatusForbidden) || status == http.StatusUnauthorized && code != "callback.secret" || status >= 500 {
					t.Errorf("%s with a key of kind %s: %d %s, want to be let in: %v", door, k, status, code, may)
				}
				status, code = ask(door, "key-of-"+string(k)+"-only")
				if may := slices.Contains(want[door], k) && !slices.Contains(copying, door); may == (status == http.StatusForbidden) || status == http.StatusUnauthorized && code != "callback.secret" || status >= 500 {
					t.Errorf("%s with a key of kind %s that may only look up: %d %s, want to be let in: %v", door, k, status, code, may)
				}
			}
		}
	}
	if n < len(want) {
		t.Errorf("%d doors of %d in the document", n, len(want))
	}
}
