package flow_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/flow"
	"rempart/internal/pgtest"
)

// planted are texts that go the whole way of a report, by where they enter.
var planted = map[string]string{
	"words": "zq-words-of-the-person", "host": "zq-host.exemple.test", "path": "zq-path-of-the-page",
	"reason": "zq-reason-of-the-analyst", "explanation": "zq-explanation-of-the-notice", "answer": "zq-answer-of-the-platform",
	"facts": "zq-facts-of-the-decision", "grounds": "zq-reference-of-the-decision", "why": "zq-explanation-of-the-decision",
	"copy":     "zq-address-of-a-copy",
	"notifier": "zq-notifier@association.exemple.test", "key": "zq-idempotency-key",
	"asked": "zq-question-of-the-person", "told": "zq-answer-to-the-person",
	"warned": "zq-warning-to-a-notifier",
	"mail":   "zq-text-of-an-e-mail", "box": "zq-name-of-the-mailbox",
}

// TestNothingPlanted sends texts through the whole way, on a hub and a platform,
// then looks for each in all that lies in both databases and in the logs. The
// identity of a peer, which is not sealed, shows that the search finds what is
// there.
func TestNothingPlanted(t *testing.T) {
	for name, fresh := range map[string]func() string{
		"SQLite":     func() string { return filepath.Join(t.TempDir(), "rempart.db") },
		"PostgreSQL": func() string { return pgtest.Fresh(t) },
	} {
		t.Run(name, func(t *testing.T) {
			hubAt, platformAt := fresh(), fresh()
			log := wholeWay(t, hubAt, platformAt)
			places := map[string][]byte{"the logs": log.Bytes()}
			for side, dsn := range map[string]string{"the hub": hubAt, "the platform": platformAt} {
				places[side] = stored(t, dsn)
				if found := find(places[side], "zq-name-of-a-peer"); !found {
					t.Fatalf("%s: what is in clear is not found in %d bytes: the search is worth nothing", side, len(places[side]))
				}
			}
			for what, text := range planted {
				for place, b := range places {
					if find(b, text) {
						t.Errorf("%s of %s: %q is there in clear", what, place, text)
					}
				}
			}
		})
	}
}

// wholeWay goes the way of a report and returns what was logged.
func wholeWay(t *testing.T, hubAt, platformAt string) *bytes.Buffer {
	t.Helper()
	ctx, clock, log := t.Context(), newClock(), new(bytes.Buffer)
	hub, platform := sideAt(t, clock, patience, hubAt), sideAt(t, clock, patience, platformAt)
	hub.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	platform.Log = hub.Log
	hub.Flow.Notifier.Email = planted["notifier"]
	hubURL, platformURL := hub.serve(true, false), platform.serve(false, true)
	broken := newFar(t)
	broken.will(fault{answer: func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(planted["answer"] + " https://" + planted["host"]))
	}})

	hub.knows("zq-name-of-a-peer", rempart.PeerPlatform, platformURL, keyAtHub, keyAtPlatform)
	hub.knows("broken", rempart.PeerPlatform, broken.URL, "rk_broken", keyAtPlatform)
	hub.serves("forum", "forum.exemple.test", "zq-name-of-a-peer")
	hub.serves("broken", "album.exemple.test", "broken")
	from := platform.knows("zq-name-of-a-peer", rempart.PeerFlagger, hubURL, keyAtPlatform, keyAtHub)

	r := reportOf("https://forum.exemple.test/"+planted["path"], medium(hash(3)))
	r.Addresses = append(r.Addresses, "https://album.exemple.test/"+planted["path"], "https://"+planted["host"]+"/"+planted["path"])
	r.Words = "Elle écrit : " + planted["words"]
	sub, err := hub.Submit(ctx, r, planted["key"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Submit(ctx, r, planted["key"]); err != nil { // the same again
		t.Fatal(err)
	}
	hub.step()
	if _, err := hub.Hear(ctx, sub.Code.String(), "", "Une question : "+planted["asked"]); err != nil {
		t.Fatal(err)
	}
	c := hub.caseOf(sub.Ref)
	hub.confirm(c)
	hub.change(c, func(c *rempart.Case) error { return c.Tell("Notre réponse : "+planted["told"], analyst, clock.now()) })
	hub.change(c, func(c *rempart.Case) error {
		if err := c.DropItem(itemAt(c, planted["host"]), planted["reason"], analyst, clock.now()); err != nil {
			return err
		}
		if len(c.Quals) > 1 {
			return c.RejectQualification(c.Quals[1].ID, planted["reason"], analyst, clock.now())
		}
		return nil
	})
	for service, host := range map[string]string{"forum": "forum.exemple.test", "broken": "album.exemple.test"} {
		id, err := hub.Draft(ctx, c.ID, service, []string{itemAt(c, host)}, analyst)
		if err != nil {
			t.Fatal(err)
		}
		hub.change(c, func(c *rempart.Case) error {
			if err := c.EditNotice(id, strings.Repeat("Une phrase. ", 5)+planted["explanation"], true, analyst, clock.now()); err != nil {
				return err
			}
			return c.SendNotice(id, analyst, clock.now())
		})
	}
	hub.step()
	platform.step() // the acknowledgement
	notice := hub.caseOf(c.Ref).Notices[0].ID
	hub.Inbox = letters{
		{Kind: rempart.MailReply, From: planted["mail"], Text: planted["mail"], Subject: planted["mail"], Tags: []string{notice}},
		{Kind: rempart.MailReply, From: planted["mail"], Text: planted["mail"], Subject: planted["mail"], MessageID: planted["mail"] + "@b"},
	}
	if n, err := hub.ReadMail(ctx); n != 2 || err != nil {
		t.Fatalf("%d e-mails, %v", n, err)
	}
	if n, err := hub.DB.CountMails(ctx); n != 1 || err != nil || len(hub.caseOf(c.Ref).Notice(notice).Mails) != 1 {
		t.Fatalf("%d e-mails wait, %v", n, err)
	}
	received, _, err := platform.DB.Intakes(ctx, "", "", 0)
	if err != nil || len(received) != 1 || received[0].PeerID != from.ID || received[0].Notice.Notifier.Email != planted["notifier"] {
		t.Fatalf("the platform has %+v, %v", received, err)
	}
	d := removal
	d.Facts, d.Reference, d.Explanation = planted["facts"], planted["grounds"], planted["why"]
	for _, i := range received[0].Notice.Items {
		if err := platform.Decide(ctx, received[0].ID, i.ID, d, "Moderation"); err != nil {
			t.Fatal(err)
		}
	}
	platform.step()
	if err := hub.Answer(ctx, rempart.Peer{ID: "zq-name-of-a-peer"}, planted["key"], exchange.Callback{Type: rempart.CallbackStopped,
		Stop: &exchange.Stop{CaseRef: c.Ref, Item: itemAt(c, ""), List: "ncii-adult", Type: rempart.PDQ, Distance: 3}}); err != nil {
		t.Fatal(err)
	}
	platform.catchUp()
	time.Sleep(15 * time.Millisecond) // a lookup may rest on what was read 10 ms ago
	if _, _, err := platform.Match(ctx, []flow.Query{pdqQuery(hash(3))}, flow.Upload{Peer: "uploads", Key: planted["key"], Published: "https://forum.exemple.test/" + planted["copy"]}); err != nil {
		t.Fatal(err)
	}
	platform.step()
	hub.step()
	if c := hub.caseOf(c.Ref); itemAt(c, planted["copy"]) == "" {
		t.Fatal("the hub was not told of the copy")
	}
	for _, s := range []*side{hub, platform} {
		if _, err := s.DB.Seal(ctx); err != nil {
			t.Fatal(err)
		}
	}

	if !strings.HasPrefix(hubAt, "postgres") { // stored finds the backup beside it
		if err := hub.DB.Backup(ctx, hubAt+"-backup"); err != nil {
			t.Fatal(err)
		}
	}

	formed := rempart.Notice{Notifier: rempart.Notifier{Email: planted["notifier"]}}
	if err := platform.DB.ChangeMeasure(ctx, "", formed, rempart.Event{Kind: "notifier.warn", Subject: received[0].ID, Actor: analyst, At: clock.now()},
		func(m *rempart.NotifierMeasure) error { return m.Warn(planted["warned"], analyst, clock.now()) }); err != nil {
		t.Fatal(err)
	}

	// All of it went the whole way, and can be read with the keyring.
	c = hub.caseOf(c.Ref)
	var whole bytes.Buffer
	for _, n := range c.Notices {
		whole.WriteString(n.Explanation + n.Notifier.Email)
		for _, a := range n.Attempts {
			whole.WriteString(a.Answer)
		}
	}
	for _, i := range c.Items {
		whole.WriteString(i.Address + i.Reason)
		if i.Decision != nil {
			whole.WriteString(i.Decision.Facts + i.Decision.Reference + i.Decision.Explanation)
		}
	}
	for _, m := range c.Messages {
		whole.WriteString(m.Text)
	}
	for _, m := range c.Notices[0].Mails {
		whole.WriteString(m.Text + hub.Inbox.Name())
	}
	whole.WriteString(c.Words)
	m, err := platform.DB.Measure(ctx, "", formed)
	if err != nil {
		t.Fatal(err)
	}
	whole.WriteString(m.Warning)
	for what, text := range planted {
		if what != "key" && !bytes.Contains(whole.Bytes(), []byte(text)) {
			t.Errorf("%s did not go the whole way: the test does not test it", what)
		}
	}
	refs, err := hub.DB.FindCases(ctx, "address", "https://forum.exemple.test/"+planted["path"])
	if err != nil || !slices.Equal(refs, []string{c.Ref}) {
		t.Errorf("found by its address: %v, %v", refs, err)
	}
	return log
}

// itemAt returns the item whose address holds a text; "" is the medium.
func itemAt(c *rempart.Case, text string) string {
	for _, i := range c.Items {
		if text == "" && i.Kind == rempart.ItemMedium || text != "" && strings.Contains(i.Address, text) {
			return i.ID
		}
	}
	return ""
}

// find looks for a text as it is, as hexadecimal and as base64, in any case.
func find(b []byte, text string) bool {
	b = bytes.ToLower(b)
	forms := []string{text, hex.EncodeToString([]byte(text))}
	for shift := range 3 {
		s := base64.StdEncoding.EncodeToString(append(make([]byte, shift), text...))
		forms = append(forms, s[4:len(s)-4])
	}
	for _, f := range forms {
		if bytes.Contains(b, []byte(strings.ToLower(f))) {
			return true
		}
	}
	return false
}

// stored returns all that lies in a database: the files of SQLite with their
// log, every row of PostgreSQL.
func stored(t *testing.T, dsn string) []byte {
	t.Helper()
	var all []byte
	if !strings.HasPrefix(dsn, "postgres") {
		names, err := filepath.Glob(dsn + "*")
		if err != nil || len(names) < 2 { // -wal, -shm
			t.Fatalf("files %v, %v: want the database and its log", names, err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
		return all
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	texts := func(query string) (out []string) {
		rows, err := db.Query(query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return out
	}
	tables := texts("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
	if len(tables) < 20 {
		t.Fatalf("only the tables %v", tables)
	}
	for _, table := range tables {
		for _, row := range texts("SELECT x::text FROM " + table + " x") { // what COPY writes; bytes are hexadecimal
			all = append(append(all, row...), '\n')
		}
	}
	return all
}

// letters are what a mailbox holds.
type letters []rempart.Mail

func (l letters) Name() string { return planted["box"] }

func (l letters) Read(_ context.Context, from rempart.MailPlace, _ time.Time, take func(rempart.MailPlace, rempart.Mail) error) (rempart.MailPlace, error) {
	for _, m := range l {
		from.UID++
		if err := take(from, m); err != nil {
			return from, err
		}
	}
	return from, nil
}
