package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart"
	"rempart/internal/pgtest"
	"rempart/store"
	"rempart/store/storetest"
)

var options = store.Options{Key: storetest.Key, Keyring: storetest.Keyring, Name: "hub.exemple.test"}

// both runs f on a fresh store of each database; dsn opens it again.
func both(t *testing.T, f func(t *testing.T, db *store.DB, dsn string)) {
	t.Run("SQLite", func(t *testing.T) {
		dsn := filepath.Join(t.TempDir(), "a folder", "rempart?.db")
		if err := os.Mkdir(filepath.Dir(dsn), 0o700); err != nil {
			t.Fatal(err)
		}
		f(t, open(t, dsn, options), dsn)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		dsn := pgtest.Fresh(t)
		f(t, open(t, dsn, options), dsn)
	})
}

// run executes a statement behind the store's back.
func run(t *testing.T, db *store.DB, query string, args ...any) {
	t.Helper()
	r, err := store.Raw(db).Exec(query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if n, err := r.RowsAffected(); strings.HasPrefix(query, "UPDATE") && (n == 0 || err != nil) {
		t.Fatalf("%s: changed %d rows, %v", query, n, err)
	}
}

func submission(t *testing.T) store.Submission {
	t.Helper()
	now := time.Now()
	r, err := rempart.Report{ID: rempart.NewID(now), CaseID: rempart.NewID(now), Words: "Un texte de test.", Addresses: []string{"https://forum.exemple.test/a"},
		Media: []rempart.Medium{{Fingerprints: []rempart.Fingerprint{{Type: rempart.SHA256, Value: strings.Repeat("0a", 32)}}}}}.Normal(now)
	if err != nil {
		t.Fatal(err)
	}
	return store.Submission{Report: r, Case: rempart.OpenCase(r)}
}

func TestWrongKey(t *testing.T) {
	both(t, func(t *testing.T, _ *store.DB, dsn string) {
		other := options
		other.Key = bytes.Repeat([]byte{1}, 32)
		if _, err := store.Open(t.Context(), dsn, other); !errors.Is(err, store.ErrKey) {
			t.Errorf("opened with another key: %v, want ErrKey", err)
		}
		other.Key = []byte("short")
		if _, err := store.Open(t.Context(), dsn, other); err == nil {
			t.Error("opened with a key of 5 bytes")
		}
		other = options
		other.Name = "a name with spaces"
		if _, err := store.Open(t.Context(), dsn, other); err == nil {
			t.Error("opened under a name that cannot sign")
		}
		open(t, dsn, options)
	})
	if _, err := store.Open(t.Context(), "postgres://user:hunter2@exemple.test:port/x", options); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error of a bad address is %v; it must hold no password", err)
	}
}

func TestOtherVersion(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, dsn string) {
		run(t, db, "INSERT INTO migrations (name, hash) VALUES ('migrations/9999_later.sql', '00')")
		if _, err := store.Open(t.Context(), dsn, options); err == nil || !strings.Contains(err.Error(), "newer version") {
			t.Errorf("opened what a newer version changed: %v", err)
		}
		run(t, db, "DELETE FROM migrations WHERE name = 'migrations/9999_later.sql'")
		run(t, db, "UPDATE migrations SET hash = '00'")
		if _, err := store.Open(t.Context(), dsn, options); err == nil {
			t.Error("opened what another first migration made")
		}
	})
}

// TestOpenTogether opens one fresh database eight times at once.
func TestOpenTogether(t *testing.T) {
	for name, fresh := range map[string]func(t *testing.T) string{
		"SQLite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "rempart.db") },
		"PostgreSQL": func(t *testing.T) string { return pgtest.Fresh(t) },
	} {
		t.Run(name, func(t *testing.T) {
			dsn := fresh(t)
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					db, err := store.Open(t.Context(), dsn, options)
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := db.Seal(t.Context()); err != nil {
						t.Error(err)
					}
					if err := db.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rempart.db")
	db := open(t, path, options)
	if _, _, _, err := db.Submit(t.Context(), submission(t)); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(path + "*")
	if err != nil || len(names) < 2 {
		t.Fatalf("files %v, %v", names, err)
	}
	for _, name := range names {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want it readable by its owner alone", filepath.Base(name), info.Mode(), err)
		}
	}
}

// TestFaultInTheMiddle makes each table refuse, in turn, what a report and a
// change of a case write there.
func TestFaultInTheMiddle(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, _ string) {
		_, c, _, err := db.Submit(t.Context(), submission(t))
		if err != nil {
			t.Fatal(err)
		}
		size := func() (n [6]int) {
			for i, table := range []string{"cases", "reports", "entries", "jobs", "records", "spent"} {
				if err := store.Raw(db).QueryRow("SELECT count(*) FROM " + table).Scan(&n[i]); err != nil {
					t.Fatal(err)
				}
			}
			return n
		}
		confirm := func(c *rempart.Case) error {
			if err := c.Propose(rempart.Proposal{Quals: []rempart.Qualification{{ID: "q", State: rempart.QualificationConfirmed}}, Pack: "p", Category: "3f", Priority: rempart.PriorityHigh}, time.Now()); err != nil {
				return err
			}
			for k := range c.Items {
				if c.Items[k].Kind == rempart.ItemMedium {
					return c.ConfirmFingerprint(c.Items[k].ID, "analyst-1", time.Now())
				}
			}
			return errors.New("no medium")
		}
		before := size()
		for _, table := range []string{"cases", "reports", "entries", "jobs", "records"} {
			if store.IsPostgres(db) {
				run(t, db, "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$ LANGUAGE plpgsql")
				run(t, db, "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON "+table+" FOR EACH ROW EXECUTE FUNCTION refuse()")
			} else {
				run(t, db, "CREATE TRIGGER refuse BEFORE INSERT ON "+table+" BEGIN SELECT raise(FAIL, 'refused by the test'); END")
				run(t, db, "CREATE TRIGGER refuse_update BEFORE UPDATE ON "+table+" BEGIN SELECT raise(FAIL, 'refused by the test'); END")
			}
			s := submission(t)
			s.Key = "key " + table
			if _, _, _, err := db.Submit(t.Context(), s); err == nil || !strings.Contains(err.Error(), "refused by the test") {
				t.Errorf("a report that %s refuses: %v", table, err)
			}
			wrote := table != "reports" && table != "jobs" // a confirmation writes none of these
			err := db.UpdateCase(t.Context(), c.ID, "once "+table, func(c *rempart.Case) error {
				if !wrote {
					return errors.New("refused by the test")
				}
				return confirm(c)
			})
			if err == nil || !strings.Contains(err.Error(), "refused by the test") {
				t.Errorf("a change that %s refuses: %v", table, err)
			}
			if after := size(); after != before {
				t.Errorf("%s refused, and what is left is %v, was %v", table, after, before)
			}
			if store.IsPostgres(db) {
				run(t, db, "DROP TRIGGER refuse ON "+table)
			} else {
				run(t, db, "DROP TRIGGER refuse")
				run(t, db, "DROP TRIGGER refuse_update")
			}
		}
		if err := db.UpdateCase(t.Context(), c.ID, "once cases", confirm); err != nil {
			t.Errorf("when nothing refuses any more: %v", err)
		}
	})
}

// TestUnreadable checks that a row which can't be read is an error, alone and in
// the middle of a list.
func TestUnreadable(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, _ string) {
		ctx := t.Context()
		var ids []string
		for range 3 {
			_, c, _, err := db.Submit(ctx, submission(t))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, c.ID)
		}
		for _, s := range []string{"a", "b", "c"} {
			if err := db.PutService(ctx, rempart.Service{ID: s}); err != nil {
				t.Fatal(err)
			}
		}
		reseal := func(column, what string, change func(doc []byte) []byte) {
			t.Helper()
			if err := store.Reseal(db, column, what, ids[1], change); err != nil {
				t.Fatal(err)
			}
		}
		reseal("doc", "case", func(doc []byte) []byte { return append([]byte(`{"of_a_newer_version":1,`), doc[1:]...) })
		if _, err := db.Case(ctx, ids[1]); err != nil {
			t.Errorf("a case with a field of a newer version can't be looked at: %v", err)
		}
		if err := db.UpdateCase(ctx, ids[1], "", func(c *rempart.Case) error { return nil }); err == nil {
			t.Error("a case with a field of a newer version was taken up to change it, and would lose it")
		}
		reseal("doc", "case", func([]byte) []byte { return []byte(`{"id":`) })
		if _, err := db.Case(ctx, ids[1]); err == nil || !strings.Contains(err.Error(), ids[1]) {
			t.Errorf("a case that can't be read: %v, want an error that names it", err)
		}
		reseal("summary", "summary", func([]byte) []byte { return []byte("x") })
		if rows, _, err := db.Queue(ctx, store.QueueFilter{}); err == nil {
			t.Errorf("a queue with a row that can't be read has %d rows and no error", len(rows))
		}
		run(t, db, "UPDATE services SET doc = $1 WHERE id = 'b'", []byte("x"))
		if rows, err := db.Services(ctx); err == nil {
			t.Errorf("a register with an entry that can't be read has %d entries and no error", len(rows))
		}
		run(t, db, "UPDATE records SET data = 'x' WHERE subject = $1", ids[0])
		if rows, err := db.Events(ctx, ids[0]); err == nil {
			t.Errorf("%d events and no error, and one can't be read", len(rows))
		}
	})
}

// TestNothingInClear writes every secret there is, then looks for each in all
// that the database keeps.
func TestNothingInClear(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, dsn string) {
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		const planted = "forum" // the name of a peer
		s := submission(t)
		s.Report.Words = "words-of-a-person-in-clear"
		s.Case.Words = s.Report.Words
		code := rempart.NewCaseCode()
		s.CodeHash, s.Key, s.Body = code.Hash(db.Secret("case code")), "idempotency-key-in-clear", "digest"
		_, _, _, err := db.Submit(ctx, s)
		must(err)
		must(db.PutPeer(ctx, rempart.Peer{ID: "forum"}, "incoming-key-in-clear", &rempart.Credentials{Key: "outgoing-key-in-clear", Secret: "whsec_secret-in-clear"}))
		must(db.PutStaff(ctx, rempart.Staff{ID: "staff", Login: "ada"}, "password-in-clear"))
		link, err := db.NewLink(ctx, "staff", time.Hour)
		must(err)
		session, err := db.StartSession(ctx, "staff")
		must(err)
		_, err = db.CheckPassword(ctx, "my-password-as-login", "wrong")
		if rempart.KindOf(err) != rempart.Unauthorized {
			t.Fatal(err)
		}
		n := rempart.Notice{Explanation: strings.Repeat("x", 40), Grounds: []rempart.Ground{{}}, GoodFaith: true, Items: []rempart.NoticeItem{{ID: "i", Address: "https://exemple.test/"}}, Notifier: rempart.Notifier{Name: "a", Email: "b"}}
		i, err := rempart.Receive(n, "intake-key-in-clear", rempart.Peer{ID: "hub"}, time.Now())
		must(err)
		_, _, err = db.CreateIntake(ctx, i)
		must(err)
		must(db.Commit(ctx, "once-key-in-clear", rempart.Consequences{}))
		event := rempart.Event{Kind: "campaign.items", Subject: "audit", Actor: "admin", At: time.Now()}
		must(db.SaveCampaign(ctx, "audit", "a protocol", true, event))
		_, err = db.AddSampled(ctx, "audit", rempart.Drawing{}, []rempart.Sampled{{Name: "item-name-in-clear", Fields: []rempart.Field{{Name: "text", Text: "item-text-in-clear"}}}}, event)
		must(err)
		item, _, err := db.DrawSampled(ctx, "audit", "staff")
		must(err)
		must(db.LabelSampled(ctx, "audit", item, rempart.Labelling{StaffID: "staff", Alias: "Saule", Values: map[string]string{"offer": "label-in-clear"}, At: time.Now()}))
		_, err = db.Seal(ctx)
		must(err)

		all := dump(t, db, dsn)
		if !bytes.Contains(all, []byte(planted)) {
			t.Fatal("the dump does not hold what is kept in clear: it is no dump")
		}
		for name, secret := range map[string]string{
			"case code": string(code), "case code in groups": code.String(), "idempotency key": s.Key, "incoming key": "incoming-key-in-clear",
			"outgoing key": "outgoing-key-in-clear", "webhook secret": "secret-in-clear", "password": "password-in-clear", "link": link, "session": session,
			"login that is a password": "my-password-as-login", "intake's key": "intake-key-in-clear", "once key": "once-key-in-clear",
			"instance key": string(storetest.Key), "words": s.Report.Words,
			"name of a campaign's item": "item-name-in-clear", "text of a campaign's item": "item-text-in-clear", "label": "label-in-clear",
		} {
			if bytes.Contains(all, []byte(secret)) {
				t.Errorf("the database holds the %s in clear", name)
			}
		}
		for _, use := range []string{"credentials", "ledger", "idempotency", "case code"} {
			if bytes.Contains(all, db.Secret(use)) || bytes.Contains(all, fmt.Appendf(nil, "%x", db.Secret(use))) {
				t.Errorf("the database holds the secret of %q", use)
			}
		}
		// Credentials moved to another peer do not open.
		must(db.PutPeer(ctx, rempart.Peer{ID: "thief"}, "", nil))
		run(t, db, "UPDATE peers SET credentials = (SELECT credentials FROM peers WHERE id = 'forum') WHERE id = 'thief'")
		if _, err := db.Credentials(ctx, "thief"); err == nil {
			t.Error("credentials opened for a peer they are not of")
		}
	})
}

// TestMinuteOfReport checks that no row tells the minute in which a report came,
// once its first job is done and its records are sealed.
func TestMinuteOfReport(t *testing.T) {
	both(t, func(t *testing.T, _ *store.DB, dsn string) {
		at := time.Date(2026, 3, 14, 9, 26, 53, 589793000, time.UTC)
		o := options
		o.Now = func() time.Time { return at }
		db := open(t, dsn, o)
		s := submission(t)
		r, err := s.Report.Normal(at)
		if err != nil {
			t.Fatal(err)
		}
		r.ID, r.CaseID = rempart.NewID(r.At), rempart.NewID(r.At)
		s.Report, s.Case, s.CodeHash, s.Key = r, rempart.OpenCase(r), "code", "key"
		if _, _, _, err := db.Submit(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		jobs, err := db.ClaimJobs(t.Context(), 10, time.Minute)
		if err != nil || len(jobs) == 0 {
			t.Fatal(jobs, err)
		}
		for _, j := range jobs {
			if err := db.FinishJob(t.Context(), j.ID); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := db.Seal(t.Context()); n == 0 || err != nil {
			t.Fatal(n, err)
		}
		times := 0
		for _, c := range []string{"cases.opened_at", "cases.updated_at", "entries.since", "jobs.due_at", "jobs.created_at", "jobs.updated_at", "records.at", "checkpoints.at"} {
			table, col, _ := strings.Cut(c, ".")
			for _, v := range column[int64](t, db, "SELECT "+col+" FROM "+table) {
				if times++; v%time.Hour.Microseconds() != 0 {
					t.Errorf("%s is %v", c, time.UnixMicro(v).UTC())
				}
			}
		}
		if times < 8 {
			t.Errorf("only %d times looked at", times)
		}
	})
}

// dump returns every byte of a store: the files of SQLite, or each row of each
// table of PostgreSQL as text, and bytes as they are.
func dump(t *testing.T, db *store.DB, dsn string) []byte {
	t.Helper()
	var all []byte
	if !store.IsPostgres(db) {
		names, err := filepath.Glob(strings.ReplaceAll(dsn, "?", "[?]") + "*")
		if err != nil || len(names) == 0 {
			t.Fatalf("files %v, %v", names, err)
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
	tables := column[string](t, db, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
	if len(tables) < 15 {
		t.Fatalf("only the tables %v", tables)
	}
	for _, table := range tables {
		for _, row := range column[string](t, db, "SELECT x::text FROM "+table+" x") {
			all = append(append(all, row...), '\n')
		}
	}
	for _, c := range []string{"cases.doc", "reports.doc", "intakes.doc", "peers.doc", "peers.credentials", "staff.doc", "leaves.hashes"} {
		table, col, _ := strings.Cut(c, ".")
		for _, b := range column[[]byte](t, db, "SELECT "+col+" FROM "+table) {
			all = append(append(all, b...), '\n')
		}
	}
	return all
}

func column[T any](t *testing.T, db *store.DB, query string) (out []T) {
	t.Helper()
	rows, err := store.Raw(db).Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCancelledRead checks that a reader who goes away leaves the store working.
func TestCancelledRead(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, _ string) {
		for range 20 {
			if _, _, _, err := db.Submit(t.Context(), submission(t)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 50 {
			end := time.Now().Add(time.Duration(i*20) * time.Microsecond)
			ctx, cancel := context.WithDeadline(t.Context(), end)
			if _, _, err := db.Queue(ctx, store.QueueFilter{}); err != nil && time.Now().Before(end) {
				t.Errorf("a queue read in time: %v", err)
			}
			if err := db.Commit(ctx, "", rempart.Consequences{Events: []rempart.Event{{Kind: "k", Subject: "s", Actor: "a", At: time.Now()}}}); err != nil && time.Now().Before(end) {
				t.Errorf("a commit in time: %v", err)
			}
			cancel()
		}
		rows, _, err := db.Queue(t.Context(), store.QueueFilter{})
		if err != nil || len(rows) != 20 {
			t.Errorf("%d rows, %v", len(rows), err)
		}
	})
}
