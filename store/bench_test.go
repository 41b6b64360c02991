package store_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"rempart"
	"rempart/internal/pgtest"
	"rempart/store"
)

// bothBench runs f on a fresh store of each database. PostgreSQL does not sync
// here (see pgtest), SQLite does.
func bothBench(b *testing.B, f func(b *testing.B, db *store.DB)) {
	for name, fresh := range map[string]func() string{
		"SQLite":     func() string { return filepath.Join(b.TempDir(), "rempart.db") },
		"PostgreSQL": func() string { return pgtest.Fresh(b) },
	} {
		b.Run(name, func(b *testing.B) {
			db, err := store.Open(b.Context(), fresh(), options)
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			f(b, db)
		})
	}
}

func newSubmission(b *testing.B, n int64) store.Submission {
	now := time.Now()
	r, err := rempart.Report{ID: rempart.NewID(now), CaseID: rempart.NewID(now), Words: "Un texte de test.", Addresses: []string{"https://forum.exemple.test/a"},
		Media: []rempart.Medium{{Fingerprints: []rempart.Fingerprint{{Type: rempart.SHA256, Value: fmt.Sprintf("%064x", n)}}}}}.Normal(now)
	if err != nil {
		b.Fatal(err)
	}
	return store.Submission{Report: r, Case: rempart.OpenCase(r), CodeHash: r.ID, Key: r.ID, Body: "body"}
}

func BenchmarkOpen(b *testing.B) {
	b.Run("fresh", func(b *testing.B) {
		dir := b.TempDir()
		for i := range b.N {
			db, err := store.Open(b.Context(), filepath.Join(dir, fmt.Sprint(i)), options)
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			db.Close()
			b.StartTimer()
		}
	})
	b.Run("existing", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "rempart.db")
		for range b.N {
			db, err := store.Open(b.Context(), path, options)
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			db.Close()
			b.StartTimer()
		}
	})
}

func BenchmarkSubmit(b *testing.B) {
	bothBench(b, func(b *testing.B, db *store.DB) {
		var n atomic.Int64
		b.ResetTimer()
		b.SetParallelism(4)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				if _, _, _, err := db.Submit(b.Context(), newSubmission(b, n.Add(1))); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkUpdateCase(b *testing.B) {
	bothBench(b, func(b *testing.B, db *store.DB) {
		var ids []string
		for i := range 64 {
			_, c, _, err := db.Submit(b.Context(), newSubmission(b, int64(i)))
			if err != nil {
				b.Fatal(err)
			}
			ids = append(ids, c.ID)
		}
		var n atomic.Int64
		b.ResetTimer()
		b.SetParallelism(4)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				if err := db.UpdateCase(b.Context(), ids[n.Add(1)%64], "", func(c *rempart.Case) error {
					return c.Stopped(c.Items[1].ID, "peer", 3, time.Now())
				}); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkLedger seals and then verifies records, counted one by one.
func BenchmarkLedger(b *testing.B) {
	bothBench(b, func(b *testing.B, db *store.DB) {
		var c rempart.Consequences
		for range 1000 {
			c.Events = append(c.Events, rempart.Event{Kind: "notice.sent", Subject: "06eenas9ikah2nkiqu86j0tj88", Actor: "rempart", At: time.Now(), Data: map[string]string{"notice": "06eenas9ikah2nkiqu86j0tj88", "number": "N-7F3K-9QXM"}})
		}
		var sealing, verifying time.Duration
		var records int64
		for range b.N {
			if err := db.Commit(b.Context(), "", c); err != nil {
				b.Fatal(err)
			}
			start := time.Now()
			n, err := db.Seal(b.Context())
			sealing += time.Since(start)
			if err != nil || n != 1000 {
				b.Fatalf("sealed %d, %v", n, err)
			}
			records += int64(n)
		}
		start := time.Now()
		if rep, err := db.VerifyLedger(b.Context(), nil); err != nil || !rep.Whole || rep.Sealed != records {
			b.Fatalf("%+v, %v", rep, err)
		}
		verifying = time.Since(start)
		b.ReportMetric(float64(records)/sealing.Seconds(), "sealed/s")
		b.ReportMetric(float64(records)/verifying.Seconds(), "verified/s")
	})
}

// BenchmarkQueue reads the first page of the queue, and the counts, among many
// closed cases.
func BenchmarkQueue(b *testing.B) {
	for _, size := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			bothBench(b, func(b *testing.B, db *store.DB) {
				_, c, _, err := db.Submit(b.Context(), newSubmission(b, 1))
				if err != nil {
					b.Fatal(err)
				}
				if err := db.UpdateCase(b.Context(), c.ID, "", func(c *rempart.Case) error {
					return c.Propose(rempart.Proposal{Pack: "p", Category: "3f", Priority: rempart.PriorityHigh}, time.Now())
				}); err != nil {
					b.Fatal(err)
				}
				for _, set := range []struct {
					state rempart.CaseState
					n     int
				}{{rempart.CaseClosed, size * 9 / 10}, {rempart.CaseOpen, size / 10}} {
					if err := store.Copies(db, c, set.state, set.n); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := store.Raw(db).Exec("ANALYZE"); err != nil {
					b.Fatal(err)
				}
				b.ResetTimer()
				for range b.N {
					if rows, _, err := db.Queue(b.Context(), store.QueueFilter{States: []rempart.CaseState{rempart.CaseOpen, rempart.CaseActive}}); err != nil || len(rows) != 50 {
						b.Fatal(len(rows), err)
					}
					if _, err := db.CaseCounts(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
