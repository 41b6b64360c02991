package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rempart"
	"rempart/store"
)

// TestSoughtOrSorted reads the queue by clock both ways, page by page: the few
// cases with a trait sorted, and sought among all clocks.
func TestSoughtOrSorted(t *testing.T) {
	both(t, func(t *testing.T, db *store.DB, _ string) {
		ctx := t.Context()
		staff := []rempart.Staff{{ID: "anna", Alias: "Anna"}, {ID: "boris", Alias: "Boris"}}
		for i := range 24 {
			s := submission(t)
			s.CodeHash, s.Key = s.Report.ID, s.Report.ID
			if _, _, _, err := db.Submit(ctx, s); err != nil {
				t.Fatal(err)
			}
			if err := db.UpdateCase(ctx, s.Case.ID, "", func(c *rempart.Case) error {
				if err := c.AddClock("essai", time.Now().Add(time.Duration(1+i*7%11)*time.Hour), "lune", time.Now()); err != nil {
					return err
				}
				if i%3 == 2 {
					return nil
				}
				return c.Take(staff[i%3], time.Now())
			}); err != nil {
				t.Fatal(err)
			}
		}
		rows := 0
		for _, f := range []store.QueueFilter{{With: "anna"}, {With: "boris", States: []rempart.CaseState{rempart.CaseOpen}}, {Nobody: true}, {With: "anna", Nobody: true}, {With: "carla"}, {With: "anna", Service: "forum.exemple.test"},
			{With: "anna", States: []rempart.CaseState{rempart.CaseClosed}}, {With: "boris", Priority: rempart.PriorityNormal}} {
			f.Limit = 3
			read := func(few int) (refs []string) {
				store.SetFew(db, few)
				for f := f; ; {
					rows, next, err := db.QueueByClock(ctx, f)
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range rows {
						refs = append(refs, r.Ref)
					}
					if f.After = next; next == "" {
						return refs
					}
				}
			}
			want := read(-1)
			rows += len(want)
			for _, few := range []int{0, 7, 8, 500} {
				if got := read(few); !slices.Equal(got, want) {
					t.Errorf("%+v: at most %d sorted: %v, sought %v", f, few, got, want)
				}
			}
		}
		if rows < 20 {
			t.Errorf("%d rows", rows)
		}
	})
}

// BenchmarkOwnByClock reads the queue by clock of somebody with two hundred cases
// among many, whose clocks end last, both ways.
func BenchmarkOwnByClock(b *testing.B) {
	for _, size := range []int{1000, 20_000} {
		bothBench(b, func(b *testing.B, db *store.DB) {
			_, c, _, err := db.Submit(b.Context(), newSubmission(b, 1))
			if err == nil {
				err = store.Copies(db, c, rempart.CaseOpen, size)
			}
			if err == nil {
				err = db.UpdateCase(b.Context(), c.ID, "", func(c *rempart.Case) error { return c.Take(rempart.Staff{ID: "anna", Alias: "Anna"}, time.Now()) })
			}
			if err == nil {
				c, err = db.Case(b.Context(), c.ID)
			}
			if err == nil {
				err = store.Copies(db, c, rempart.CaseActive, 200)
			}
			for _, q := range []string{"DELETE FROM clocks", `INSERT INTO clocks (id, case_id, await, notice_id, basis, state, live, nearest, round, task, due_at, next_at)
				SELECT id, id, 'own', '', 'own', 'running', 1, 1, 1, '', CASE state WHEN 'open' THEN 1 ELSE 2 END, 0 FROM cases`, "ANALYZE"} {
				if err == nil {
					_, err = store.Raw(db).Exec(q)
				}
			}
			if err != nil {
				b.Fatal(err)
			}
			for name, few := range map[string]int{"sorted": 500, "sought": -1} {
				b.Run(fmt.Sprint(size, "/", name), func(b *testing.B) {
					store.SetFew(db, few)
					for range b.N {
						if rows, _, err := db.QueueByClock(b.Context(), store.QueueFilter{With: "anna"}); err != nil || len(rows) != 50 {
							b.Fatal(len(rows), err)
						}
					}
				})
			}
		})
	}
}
