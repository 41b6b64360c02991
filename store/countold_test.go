package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/store"
)

// TestCountOld opens a database whose complaints, dashboard and traits were not
// counted yet: once it is open they are as if they had been from the start, and
// stay so when it is opened again.
func TestCountOld(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, dsn string) {
		ctx, now := t.Context(), time.Now().UTC()
		for range 3 {
			if _, _, _, err := db.Submit(ctx, submission(t)); err != nil {
				t.Fatal(err)
			}
		}
		n := rempart.Notice{ID: "n", Lang: "fr", GoodFaith: true, Category: "3f", Explanation: "Ces pages montrent un contenu visé par la loi, sans consentement.", Grounds: []rempart.Ground{{}},
			Items: []rempart.NoticeItem{{ID: "i", Address: "https://forum.exemple.test/a"}}, Notifier: rempart.Notifier{Name: "a", Email: "a@exemple.test"}}
		i, err := rempart.Receive(n, "key", rempart.Peer{ID: "hub"}, now)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := db.CreateIntake(ctx, i); err != nil {
			t.Fatal(err)
		}
		d := rempart.Decision{Measure: rempart.MeasureRefused, Ground: "law", Facts: "Contenu vu ce jour.", Explanation: "Le contenu ne correspond pas aux faits décrits.", Redress: []string{"court"}}
		err = db.UpdateIntake(ctx, i.ID, func(i *rempart.Intake) error {
			if err := i.Decide("i", d, "Noisetier", now); err != nil {
				return err
			}
			w := rempart.Window{Within: rempart.Span{N: 6, Unit: rempart.Months}, Calendar: rempart.Calendar{Zone: time.UTC}}
			_, err := i.Complain(rempart.ByNotifier, "c", []string{"i"}, "Cette décision ne tient pas compte des faits décrits.", w, "hub", now)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		queries := []string{
			"SELECT kind || ' ' || dims, sum(n) FROM counts GROUP BY kind, dims HAVING sum(n) <> 0",
			"SELECT what || ' ' || part, sum(n) FROM day_counts GROUP BY what, part HAVING sum(n) <> 0",
			"SELECT trait || ' ' || case_id, count(*) FROM case_traits GROUP BY trait, case_id",
		}
		held := func(db *store.DB) (out [][]string) {
			t.Helper()
			for _, q := range queries {
				rows, err := store.Raw(db).Query(q)
				if err != nil {
					t.Fatal(err)
				}
				var all []string
				for rows.Next() {
					var what string
					var n int
					if err := rows.Scan(&what, &n); err != nil {
						t.Fatal(err)
					}
					all = append(all, fmt.Sprint(what, " ", n))
				}
				if err := rows.Err(); err != nil || len(all) == 0 {
					t.Fatalf("%s: %d rows, %v", q, len(all), err)
				}
				slices.Sort(all)
				out = append(out, all)
			}
			return out
		}
		want := held(db)
		if !slices.ContainsFunc(want[0], func(s string) bool { return len(s) > 9 && s[:9] == "complaint" }) {
			t.Fatalf("no complaint is counted: %v", want[0])
		}
		for _, q := range []string{
			"DELETE FROM counts WHERE kind = 'complaint'", "DELETE FROM day_counts", "DELETE FROM case_traits",
			"DELETE FROM meta WHERE name IN ('counted_complaints', 'figures', 'traits')",
		} {
			run(t, db, q)
		}
		for range 2 {
			if diff := cmp.Diff(want, held(open(t, dsn, options))); diff != "" {
				t.Errorf("as counted from the start (-), afterwards (+):\n%s", diff)
			}
		}
	})
}
