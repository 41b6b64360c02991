package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/store"
)

// exchange gives two rows each other's values of a column.
func exchange(t *testing.T, db *store.DB, table, column, key, where, a, b string) {
	t.Helper()
	var of [2][]byte
	for k, id := range []string{a, b} {
		if err := store.Raw(db).QueryRow("SELECT "+column+" FROM "+table+" WHERE "+key+" = $1"+where, id).Scan(&of[k]); err != nil {
			t.Fatalf("%s.%s of %s: %v", table, column, id, err)
		}
	}
	for k, id := range []string{b, a} {
		run(t, db, "UPDATE "+table+" SET "+column+" = $1 WHERE "+key+" = $2"+where, of[k], id)
	}
}

// TestBoxesSwapped gives two owners each other's boxes, of each kind: neither
// opens, with its own keys nor with theirs exchanged too; and where all is put
// back, both do. A box opens in no other column of its own row either.
func TestBoxesSwapped(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, _ string) {
		ctx, now := t.Context(), time.Now()
		a, b := closed(t, db, now), closed(t, db, now)
		cases := [2]string{a.ID, b.ID}
		var reports, intakes, mails [2]string
		for k, id := range cases {
			if err := store.Raw(db).QueryRow("SELECT id FROM reports WHERE case_id = $1", id).Scan(&reports[k]); err != nil {
				t.Fatal(err)
			}
			n := rempart.Notice{Explanation: "une explication " + strings.Repeat("x", 60), Grounds: []rempart.Ground{{}}, GoodFaith: true,
				Items: []rempart.NoticeItem{{ID: "i", Address: "https://exemple.test/a"}}, Notifier: rempart.Notifier{Name: "a", Email: "b"}}
			i, err := rempart.Receive(n, "", rempart.Peer{ID: "hub"}, now)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := db.CreateIntake(ctx, i); err != nil {
				t.Fatal(err)
			}
			intakes[k], mails[k] = i.ID, rempart.NewID(now)
			if err := db.KeepMail(ctx, rempart.Mail{ID: mails[k], Subject: "réponse"}, fmt.Sprint("mail ", k), now); err != nil {
				t.Fatal(err)
			}
		}
		again := func(id string) error { // the report, as it is answered again under its key
			s := submission(t)
			s.Key, s.Body = "key of "+id, "body"
			_, _, created, err := db.Submit(ctx, s)
			if created {
				t.Errorf("the report of %s was taken anew", id)
			}
			return err
		}
		for _, box := range []struct {
			name, table, column, key, box string
			of, owners                    [2]string
			read                          func(k int) error
		}{
			{"case", "cases", "doc", "id", "case", cases, cases, func(k int) error { _, err := db.Case(ctx, cases[k]); return err }},
			{"summary", "cases", "summary", "id", "case", cases, cases, func(int) error {
				_, _, err := db.Queue(ctx, store.QueueFilter{States: []rempart.CaseState{rempart.CaseClosed}})
				return err
			}},
			{"report", "reports", "doc", "id", "case", reports, cases, func(k int) error { return again(cases[k]) }},
			{"identity", "identities", "doc", "case_id", "identity", cases, cases, func(k int) error {
				_, err := db.OpenIdentity(ctx, cases[k], "to call her back", "Saule")
				return err
			}},
			{"intake", "intakes", "doc", "id", "intake", intakes, intakes, func(k int) error { _, err := db.Intake(ctx, intakes[k]); return err }},
			{"mail", "mails", "doc", "id", "mail", mails, mails, func(int) error { _, err := db.Mails(ctx, 10); return err }},
		} {
			opens := func(when string, want bool) {
				t.Helper()
				for k := range 2 {
					if err := box.read(k); (err == nil) != want {
						t.Errorf("%s, %s: %v, want it to open: %v", box.name, when, err, want)
					}
				}
			}
			boxes := func() { t.Helper(); exchange(t, db, box.table, box.column, box.key, "", box.of[0], box.of[1]) }
			keys := func() {
				t.Helper()
				exchange(t, db, "sealed_keys", "wrapped", "owner", " AND box = '"+box.box+"'", box.owners[0], box.owners[1])
			}
			opens("as it was", true)
			boxes()
			opens("boxes exchanged", false)
			keys()
			opens("boxes and keys exchanged", false)
			boxes()
			opens("keys exchanged", false)
			keys()
			opens("put back", true)
		}
		// Under one key, a box stays in its column: what the queue shows is no case,
		// and a report is none either.
		var doc []byte
		if err := store.Raw(db).QueryRow("SELECT doc FROM cases WHERE id = $1", a.ID).Scan(&doc); err != nil {
			t.Fatal(err)
		}
		for _, from := range []string{"SELECT summary FROM cases WHERE id = $1", "SELECT doc FROM reports WHERE case_id = $1", "SELECT doc FROM identities WHERE case_id = $1"} {
			var other []byte
			if err := store.Raw(db).QueryRow(from, a.ID).Scan(&other); err != nil {
				t.Fatal(err)
			}
			run(t, db, "UPDATE cases SET doc = $1 WHERE id = $2", other, a.ID)
			if c, err := db.Case(ctx, a.ID); err == nil {
				t.Errorf("%s: read as a case: %+v", from, c)
			}
		}
		run(t, db, "UPDATE cases SET doc = $1 WHERE id = $2", doc, a.ID)
		if c, err := db.Case(ctx, a.ID); err != nil || c.Words != a.Words {
			t.Errorf("put back: %v", err)
		}
	})
}
