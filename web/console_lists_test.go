package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/store"
)

// opine sends what a key says of entries.
func (d *desk) opine(key, body string) (int, string) {
	d.t.Helper()
	status, _, text := d.call("POST", "/api/v1/opinions", "application/json", strings.NewReader(body), "Authorization", "Bearer "+key)
	return status, text
}

// TestOpinions takes a match through the platform's word against it, the page on
// which an analyst decides, and back.
func TestOpinions(t *testing.T) {
	d := wired(t)
	d.own(rempart.EntryActive, entryOf("a", "7F3K-9QXM", picture(1)), entryOf("b", "7F3K-9QXM", picture(1<<20-1)))
	match := func() []rempart.Match {
		t.Helper()
		time.Sleep(15 * time.Millisecond) // a lookup may rest on what was read 10 ms ago
		status, _, text := d.call("POST", "/api/v1/match", "application/json", strings.NewReader(`{"fingerprints": [{"type": "pdq", "value": "`+picture(1).Value+`"}]}`), "Authorization", "Bearer key-of-the-forum")
		var v struct {
			Results []struct{ Matches []rempart.Match }
		}
		if err := json.Unmarshal([]byte(text), &v); err != nil || status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		return v.Results[0].Matches
	}
	m := match()
	if len(m) != 2 || m[0].Num == 0 {
		t.Fatalf("matches %+v", m)
	}
	for body, want := range map[string]int{
		`{"opinions": []}`: 422, `{}`: 422, `{"opinions": [{"entry": 1, "opinion": "Wrong"}]}`: 422, `{"opinions": [{"type": "pdq", "value": "0", "opinion": "Blocked"}]}`: 422,
		`{"opinions": [{"entry": 1, "opinion": "NotSame", "seen": {"type": "pdq", "value": "zz"}}]}`: 422,
	} {
		if status, text := d.opine("key-of-the-forum", body); status != want {
			t.Errorf("%s: %d %s, want %d", body, status, text, want)
		}
	}
	for key, want := range map[string]int{"none": 401, "key-of-a-flagger": 403} {
		if status, _ := d.opine(key, `{"opinions": [{"entry": 1, "opinion": "Blocked"}]}`); status != want {
			t.Errorf("key %q: %d, want %d", key, status, want)
		}
	}
	s := d.sit(rempart.RoleAnalyst)
	s.page("/console/lists").want(t, "Aucune empreinte n’attend de décision.", "Images inoffensives")
	status, text := d.opine("key-of-the-forum", `{"opinions": [{"type": "pdq", "value": "`+picture(1).Value+`", "opinion": "NotSame", "tags": ["logo"]}, {"id": "nobody's", "opinion": "Blocked"}]}`)
	if status != 200 || !strings.Contains(text, `"taken":1`) {
		t.Fatalf("%d %s", status, text)
	}
	if m := match(); len(m) != 1 {
		t.Errorf("disputed, and %d matches, want the other entry's", len(m))
	}
	s.page("/console/").want(t, "1 empreinte à décider")
	a := s.page("/console/lists")
	a.want(t, "contestée", "ce n’est pas la même image", "logo", "7F3K-9QXM", "La laisser correspondre", "Elle ne correspond à rien en attendant.")
	if strings.Contains(a.body, "sauf à l’image rencontrée") {
		t.Error("nobody said what was met, and it can be silenced")
	}
	if r := d.sit(rempart.RoleReader).page("/console/lists"); strings.Contains(r.body, `name="decision"`) {
		t.Error("who may only read is offered a decision")
	}
	tasks, err := d.db.ListTasks(context.Background(), true, 10)
	d.must(err)
	at := "/console/lists/" + tasks[0].ID
	s.post(at, "decision", "silence").want(t, "Cela ne peut pas être décidé")
	s.changed(at, "decision", "keep")
	s.post(at, "decision", "off").want(t, "Quelqu’un a décidé entre-temps.")
	if m := match(); len(m) != 2 {
		t.Errorf("kept, and %d matches", len(m))
	}
	s.page("/console/lists").want(t, "Aucune empreinte n’attend de décision.", "Dernières décisions", "gardée")
}

// TestListClosed leaves a list of which nobody may have a copy out of all that is
// read, while lookups go on.
func TestListClosed(t *testing.T) {
	d := wired(t)
	d.own(rempart.EntryActive, entryOf("a", "7F3K-9QXM", picture(1)))
	d.must(d.db.PutListPolicy(context.Background(), "ncii-adult", rempart.Policy{LookupOnly: true}, "admin"))
	d.now = d.now.Add(time.Second)
	_, _, feed := d.call("GET", "/api/v1/feed", "", nil, "Authorization", "Bearer key-of-a-partner")
	_, _, hashes := d.call("GET", "/v1/FetchHashes", "", nil, "x-functions-key", "key-of-a-partner")
	_, _, entries := d.basic("GET", "/v2/entries", "key-of-a-partner", "")
	for name, text := range map[string]string{"feed": feed, "FetchHashes": hashes, "entries": entries} {
		if strings.Contains(text, picture(1).Value) {
			t.Errorf("%s gives a copy of a list that is for lookups", name)
		}
	}
	status, _, text := d.call("GET", "/m/lookup?signal_type=pdq&signal="+picture(1).Value, "", nil, "Authorization", "Bearer key-of-the-forum")
	if status != http.StatusOK || !strings.Contains(text, "NCII_ADULT") {
		t.Errorf("lookup: %d %s", status, text)
	}
}

// lacking has the hub's feed answer with one of what it gave, when it is read
// again whole.
func (d *desk) lacking(n int) {
	d.t.Helper()
	ctx := context.Background()
	var all []rempart.Entry
	for k := range n {
		e := entryOf(fmt.Sprintf("far-%d", k), "", picture(k<<9|3))
		e.State, e.Since = rempart.EntryActive, d.now
		all = append(all, e)
	}
	d.must(d.db.ApplyFeedPage(ctx, "forum", store.FeedPage{Cursor: "1", Entries: all, Whole: true}))
	d.must(d.db.ApplyFeedPage(ctx, "forum", store.FeedPage{From: "1", Cursor: "2", Entries: all[:1], Afresh: true, Whole: true}))
}

// TestListLacks decides of a list of others that was read again whole and lacks
// most of it.
func TestListLacks(t *testing.T) {
	d := wired(t)
	d.lacking(200)
	waits := func(want string) {
		t.Helper()
		time.Sleep(15 * time.Millisecond)
		status, h, text := d.call("GET", "/status", "", nil, "Authorization", "Bearer key-of-the-forum")
		if status != http.StatusOK || text != "I-AM-ALIVE" || h.Get("Rempart-Waiting") != want {
			t.Errorf("/status: %d %s, waiting %q, want %q", status, text, h.Get("Rempart-Waiting"), want)
		}
	}
	waits("1")
	s := d.sit(rempart.RoleAnalyst)
	s.page("/console/").want(t, "1 empreinte à décider")
	s.page("/console/lists").want(t, "ne donne plus 199 des 200 empreintes", "Retirer 199 empreintes")
	if r := d.sit(rempart.RoleReader).page("/console/lists"); strings.Contains(r.body, `name="decision"`) {
		t.Error("a reader may decide")
	}
	if r := s.post("/console/lists/lack.forum", "decision", "off", "lacking", "3"); r.status != http.StatusConflict {
		t.Errorf("with another number: %d", r.status)
	}
	s.changed("/console/lists/lack.forum", "decision", "off", "lacking", "199")
	if r := s.page("/console/lists"); strings.Contains(r.body, "199 des 200") {
		t.Error("it still waits")
	}
	d.work()
	if n, err := d.db.CountSource(t.Context(), "forum"); err != nil || n != 1 {
		t.Errorf("%d %v match, want 1", n, err)
	}
	waits("")
}

// TestListsScreens looks at the page with each kind of task on it.
func TestListsScreens(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	d := wired(t)
	ctx := context.Background()
	d.must(d.flow.Prepare(ctx))
	d.own(rempart.EntryActive, entryOf("a", "7F3K-9QXM", picture(1)), entryOf("b", "7F3K-9QXM", picture(1<<30-1)))
	time.Sleep(15 * time.Millisecond) // an answer may rest on what was read 10 ms ago
	status, text := d.opine("key-of-the-forum", `{"opinions": [{"type": "pdq", "value": "`+picture(1).Value+`", "opinion": "NotSame", "tags": ["logo", "fond"], "seen": {"type": "pdq", "value": "`+picture(255).Value+`", "quality": 80}}]}`)
	if status != 200 {
		t.Fatal(text)
	}
	d.must(d.db.Quarantine(ctx, rempart.ListTask{List: "ncii-minor", Fingerprint: picture(7), Peer: "forum", Lookups: 12000, Hits: 900}, nil))
	if _, err := d.db.SubmitPrints(ctx, rempart.Peer{ID: "partner"}, []rempart.ListTask{{List: "ncii-adult", Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: picture(9).Value}, Tags: []string{"Nude"}}}); err != nil {
		t.Fatal(err)
	}
	d.lacking(12000)
	l := d.looker(rempart.RoleAnalyst)
	l.look("lists", "/console/lists")
	l.look("queue-lists", "/console/")
}
