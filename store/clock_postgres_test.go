package store_test

import (
	"fmt"
	"testing"
	"time"

	"rempart"
	"rempart/internal/pgtest"
	"rempart/store"
)

// TestJobsClocksApart lets three processes whose clocks are an hour apart, and one
// whose clock jumps, share the jobs of one database. What one holds no other
// takes, what is due at once waits for nobody's hour, and what is to be tried
// again later is not tried again at once.
func TestJobsClocksApart(t *testing.T) {
	o := options
	o.Now = nil
	dsn := pgtest.Fresh(t)
	var off [3]time.Duration
	var dbs [3]*store.DB
	for k := range dbs {
		dbs[k] = open(t, dsn, o)
		store.SetClock(dbs[k], func() time.Time { return time.Now().Add(off[k]) })
	}
	off[0], off[2] = -time.Hour, time.Hour
	ctx := t.Context()
	now := func(k int) time.Time { return time.Now().Add(off[k]) }
	queue := func(k int, subject string, at time.Time) {
		t.Helper()
		if err := dbs[k].Commit(ctx, "", rempart.Consequences{Jobs: []rempart.Job{{Kind: "k", Subject: subject, Key: subject, RunAt: at}}}); err != nil {
			t.Fatal(err)
		}
	}
	claim := func(k, n int) []store.Claim {
		t.Helper()
		c, err := dbs[k].ClaimJobs(ctx, n, 10*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for k := range dbs {
		for n := range 20 {
			queue(k, fmt.Sprintf("%d.%d", k, n), time.Time{})
			queue(k, fmt.Sprintf("said %d.%d", k, n), now(k))
		}
		queue(k, fmt.Sprintf("later %d", k), now(k).Add(10*time.Minute))
	}
	taken := map[string]int{}
	var held [3][]store.Claim
	for round := range 60 {
		if round == 30 { // all jump by an hour, or two
			off[0], off[1], off[2] = time.Hour, -time.Hour, 0
		}
		k := round % 3
		for _, c := range claim(k, 5) {
			taken[c.Job.Subject]++
			held[k] = append(held[k], c)
			if d := c.Job.RunAt.Sub(now(k)).Abs(); round < 30 && d > 5*time.Minute {
				t.Errorf("%s was due %v from now by the clock of who took it", c.Job.Subject, d)
			}
		}
	}
	if len(taken) != 120 {
		t.Errorf("%d jobs were taken, want the 120 that are due", len(taken))
	}
	for subject, n := range taken {
		if n != 1 {
			t.Errorf("job %s was taken %d times", subject, n)
		}
	}
	for k := range dbs {
		if len(held[k]) < 3 {
			t.Fatalf("process %d took %d jobs", k, len(held[k]))
		}
		// Given back for later, and for now.
		if err := dbs[k].RetryJob(ctx, held[k][0].ID, now(k).Add(10*time.Minute), "later"); err != nil {
			t.Error(err)
		}
		if err := dbs[k].RetryJob(ctx, held[k][1].ID, now(k), "now"); err != nil {
			t.Error(err)
		}
		if err := dbs[k].FinishJob(ctx, held[k][2].ID); err != nil {
			t.Error(err)
		}
		other := (k + 1) % 3
		if got := claim(other, 10); len(got) != 1 || got[0].Job.Subject != held[k][1].Job.Subject || got[0].Attempt != 2 {
			t.Errorf("process %d took %d jobs, want the one that process %d gave back for now", other, len(got), k)
		}
	}
}
