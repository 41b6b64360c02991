package store_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rempart"
	"rempart/internal/pgtest"
	"rempart/store"
)

// fedPage makes entries of a feed: n of them, of ids below most.
func fedPage(r *rand.Rand, n, most int) (out []rempart.Entry) {
	states := []rempart.EntryState{rempart.EntryActive, rempart.EntryActive, rempart.EntryRejected, rempart.EntryWithdrawn}
	for range n {
		f := rempart.Fingerprint{Type: rempart.SHA256, Value: fmt.Sprintf("%064x", r.IntN(50)), Quality: 100}
		out = append(out, rempart.Entry{ID: fmt.Sprintf("f%07d", r.IntN(most)), List: "ncii-adult", Fingerprint: f, State: states[r.IntN(len(states))], CaseRef: fmt.Sprint(r.IntN(3)), Since: time.UnixMicro(int64(1e15) + int64(r.IntN(100)))})
	}
	return out
}

// TestFeedAtOnce holds pages saved many rows at once to the same saved one by one:
// pages in which an identifier comes twice, old news, withdrawals and what was so
// already, on both databases. The changes come to the same, in the same order.
func TestFeedAtOnce(t *testing.T) {
	for name, fresh := range map[string]func() string{
		"SQLite":     func() string { return filepath.Join(t.TempDir(), "rempart.db") },
		"PostgreSQL": func() string { return pgtest.Fresh(t) },
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, fresh(), options)
			r := rand.New(rand.NewPCG(5, 6))
			for k := range 12 {
				page := fedPage(r, []int{1, 3, 40, 600}[k%4], []int{1000, 1 << 30}[k/4%2])
				if err := db.ApplyFeed(t.Context(), "many", page, fmt.Sprint(k)); err != nil {
					t.Fatal(err)
				}
				if err := store.ApplyOneByOne(db, "one", page); err != nil {
					t.Fatal(err)
				}
			}
			all, _, err := db.Changes(t.Context(), "", 0)
			if err != nil {
				t.Fatal(err)
			}
			of := map[string][]rempart.Entry{}
			for _, c := range all {
				of[c.Peer] = append(of[c.Peer], c.Entry)
			}
			if len(of["one"]) < 500 {
				t.Fatalf("%d entries only", len(of["one"]))
			}
			if d := cmp.Diff(of["one"], of["many"], cmpopts.EquateEmpty()); d != "" {
				t.Errorf("one by one -, at once +:\n%.3000s", d)
			}
		})
	}
}

func BenchmarkFeed(b *testing.B) {
	for name, apply := range map[string]func(db *store.DB, page []rempart.Entry) error{
		"at once":    func(db *store.DB, page []rempart.Entry) error { return db.ApplyFeed(b.Context(), "hub", page, "c") },
		"one by one": func(db *store.DB, page []rempart.Entry) error { return store.ApplyOneByOne(db, "hub", page) },
	} {
		b.Run(name, func(b *testing.B) {
			bothBench(b, func(b *testing.B, db *store.DB) {
				r := rand.New(rand.NewPCG(1, 2))
				for range b.N {
					b.StopTimer()
					page := fedPage(r, 1000, 1<<60)
					b.StartTimer()
					if err := apply(db, page); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "rows/s")
			})
		})
	}
}
