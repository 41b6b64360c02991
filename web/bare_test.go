package web

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"rempart"
)

// TestBareAnswers asks every lookup with a key that may only look up, for a value
// close to a listed one, and looks for what would tell where that is.
func TestBareAnswers(t *testing.T) {
	d := newDesk(t, true, true)
	listed := picture(1)
	d.own(rempart.EntryActive, entryOf("a", "AAAA-2345", listed))
	near := "f" + listed.Value[1:]
	if near == listed.Value {
		near = "0" + listed.Value[1:]
	}
	body := func(v string) string { return `{"fingerprints":[{"type":"pdq","value":"` + v + `"}]}` }
	put := func(only bool, lists ...string) {
		d.must(d.db.PutPeer(context.Background(), rempart.Peer{ID: forum, Name: "Forum", Kind: rempart.PeerPlatform, CreatedAt: d.now, LookupOnly: only, Lists: lists}, "", nil))
	}
	match := func() string {
		status, _, text := d.call("POST", "/api/v1/match", "application/json", strings.NewReader(body(near)))
		if status != 200 {
			t.Fatalf("match: %d %s", status, text)
		}
		return text
	}
	if full := match(); !strings.Contains(full, listed.Value) || !strings.Contains(full, "distance") || !strings.Contains(full, "AAAA-2345") {
		t.Fatalf("a full key is not told all: %s", full)
	}
	put(true)
	text := match()
	var said struct {
		Results []struct{ Matches []map[string]any }
	}
	if err := json.Unmarshal([]byte(text), &said); err != nil || len(said.Results) != 1 || len(said.Results[0].Matches) != 1 || said.Results[0].Matches[0]["list"] == "" || said.Results[0].Matches[0]["action"] == nil {
		t.Errorf("no match is told: %v %s", err, text)
	}
	for _, secret := range []string{listed.Value, "distance", "AAAA-2345", "case_ref", "since", "form"} {
		if strings.Contains(text, secret) {
			t.Errorf("the answer has %q: %s", secret, text)
		}
	}
	for _, path := range []string{"/m/raw_lookup?include_distance=true&", "/m/lookup?"} {
		answer := func(v string) string {
			status, text := d.ask(path+url.Values{"signal_type": {"pdq"}, "signal": {v}}.Encode(), nil)
			if status != 200 || !strings.Contains(text, "bank_content_id") {
				t.Errorf("%s: %d %s", path, status, text)
			}
			return text
		}
		if at, by := answer(listed.Value), answer(near); at != by {
			t.Errorf("%s tells the listed value from one beside it: %s %s", path, at, by)
		}
	}
	put(true, "model-weights")
	if text := match(); strings.Contains(text, "ncii") {
		t.Errorf("a key of another list: %s", text)
	}
}
