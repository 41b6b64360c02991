package store_test

import (
	"fmt"
	"testing"

	"rempart/store"

	"github.com/google/go-cmp/cmp"
)

// TestServicesOld opens a store whose figures of services an older version kept:
// they are the same afterwards, in one row for each day and service.
func TestServicesOld(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, dsn string) {
		const day = 20_000
		for k, old := range []struct {
			day     int
			service string
			what    string
			minutes int
			n       int
		}{
			{day, "forum", "notified", 0, 9}, {day, "forum", "removed", 90, 2}, {day, "forum", "removed", 7, 1}, {day, "forum", "refused", 12, 1},
			{day + 1, "forum", "removed", 90, 1}, {day + 1, "forum", "removed", 0, 1}, {day + 1, "miroir", "restricted", 5, 4}, {day + 2, "forum", "notified", 0, 3},
		} {
			run(t, db, fmt.Sprintf("INSERT INTO service_days (day, service, what, minutes, n) VALUES (%d, '%s', '%s', %d, %d)", old.day, old.service, old.what, old.minutes, old.n))
			if k == 4 { // the version before writes some more beside what was moved
				open(t, dsn, options)
			}
		}
		want := []store.ServiceFigures{
			{Service: "forum", Notified: 9, Removed: 5, Refused: 1, Took: store.Times{{Minutes: 0, N: 1}, {Minutes: 7, N: 1}, {Minutes: 90, N: 3}}},
			{Service: "miroir", Restricted: 4},
		}
		for range 2 {
			f, err := open(t, dsn, options).Figures(t.Context(), day, day+1)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, f.Services); d != "" {
				t.Errorf("figures of services (-want +got):\n%s", d)
			}
		}
		var rows, left int
		if err := store.Raw(db).QueryRow("SELECT (SELECT count(*) FROM service_sums), (SELECT count(*) FROM service_days)").Scan(&rows, &left); err != nil {
			t.Fatal(err)
		}
		if rows != 4 || left != 0 { // forum on three days, miroir on one
			t.Errorf("%d rows for four days of services, %d left behind", rows, left)
		}
	})
}
