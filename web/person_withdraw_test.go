package web

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"rempart"
	"rempart/exchange"
)

// TestConfirmationsOnPages takes a report back whose fingerprints a platform has
// read: the page says that it has not confirmed, and that it has once it has asked
// the feed from behind the withdrawal.
func TestConfirmationsOnPages(t *testing.T) {
	d := newDesk(t, true, false)
	sub, err := d.flow.Submit(context.Background(), rempart.Report{Lang: "fr", Words: "Un texte de test.", Media: []rempart.Medium{{Fingerprints: prints()}}}, "")
	d.must(err)
	d.work()
	c := d.only()
	entry := entryOf("e1", c.Ref, picture(4))
	entry.CaseID = c.ID
	d.own(rempart.EntryActive, entry)
	read := func(after string) (cursor string, lines int) {
		t.Helper()
		status, _, text := d.call("GET", "/api/v1/feed?after="+after, "", nil)
		if status != 200 {
			t.Fatalf("feed: %d %s", status, text)
		}
		all := strings.Split(strings.TrimSpace(text), "\n")
		var end exchange.FeedLine
		d.must(json.Unmarshal([]byte(all[len(all)-1]), &end))
		return end.Cursor, len(all) - 1
	}
	cursor, n := read("")
	if n != 1 {
		t.Fatalf("%d lines", n)
	}
	read(cursor) // it has applied that
	s := d.sit("")
	s.post("/follow", "code", sub.Code.String()).lacks(t, "confirmé")
	s.post("/withdraw", "code", sub.Code.String()).want(t, "Votre signalement est effacé.", "Forum Exemple", "pas encore confirmé")
	s.post("/follow", "code", sub.Code.String()).want(t, "Votre signalement a été retiré", "Forum Exemple", "pas encore confirmé")
	next, n := read(cursor)
	if n != 1 || next == cursor {
		t.Fatalf("after the withdrawal: %d lines to %s", n, next)
	}
	s.post("/follow", "code", sub.Code.String()).want(t, "pas encore confirmé") // given, and not yet applied
	read(next)
	a := s.post("/follow", "code", sub.Code.String())
	a.want(t, "Forum Exemple", "pill success", "confirmé")
	a.lacks(t, "pas encore confirmé")
	if status, _, text := d.call("GET", "/api/v1/feed?after=rubbish", "", nil); status == 200 {
		t.Errorf("a cursor that is none: %d %s", status, text)
	}
}
