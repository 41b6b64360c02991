package storetest

import (
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/store"
)

func (e *env) commitJobs(jobs ...rempart.Job) {
	e.Helper()
	e.ok(e.db.Commit(e.ctx, "", rempart.Consequences{Jobs: jobs}))
}

func (e *env) claim(n int) []store.Claim {
	e.Helper()
	c, err := e.db.ClaimJobs(e.ctx, n, time.Minute)
	e.ok(err)
	return c
}

func (e *env) jobCounts(waiting, running, dead int) {
	e.Helper()
	got, err := e.db.JobCounts(e.ctx)
	e.ok(err)
	if d := cmp.Diff(map[string]int{"waiting": waiting, "running": running, "dead": dead}, got); d != "" {
		e.Errorf("jobs by state (-want +got):\n%s", d)
	}
}

func jobs(e *env) {
	first := rempart.Job{Kind: "kind", Subject: "subject", Key: "key-1", Payload: `{"a":1}`, RunAt: e.now()}
	e.commitJobs(first)
	e.commitJobs(first, rempart.Job{Kind: "other", Subject: "other", Key: "key-1"}) // the key is taken
	e.commitJobs(rempart.Job{Kind: "kind", Subject: "subject", Key: "key-2", RunAt: e.now().Add(time.Hour)})
	e.jobCounts(2, 0, 0)
	got := e.claim(10)
	if len(got) != 1 || got[0].Attempt != 1 {
		e.Fatalf("claimed %v, want the one job that is due", got)
	}
	if d := cmp.Diff(first, got[0].Job); d != "" {
		e.Errorf("job (-queued +claimed):\n%s", d)
	}
	e.jobCounts(1, 1, 0)
	if again := e.claim(10); len(again) != 0 {
		e.Errorf("claimed %v, which another worker holds", again)
	}

	// A worker that dies: its job is given to another one, and it can't give
	// back what that one holds.
	e.advance(time.Minute)
	second := e.claim(10)
	if len(second) != 1 || second[0].Attempt != 2 || second[0].Job.Key != "key-1" {
		e.Fatalf("after the lease: claimed %v", second)
	}
	e.kind(e.db.RetryJob(e.ctx, got[0].ID, e.now(), "late"), rempart.Conflict)
	e.kind(e.db.BuryJob(e.ctx, got[0].ID, "late"), rempart.Conflict)

	e.ok(e.db.RetryJob(e.ctx, second[0].ID, e.now().Add(10*time.Second), "answer 503"))
	e.kind(e.db.RetryJob(e.ctx, second[0].ID, e.now(), "twice"), rempart.Conflict)
	e.jobCounts(2, 0, 0)
	if c := e.claim(10); len(c) != 0 {
		e.Errorf("claimed %v before its time", c)
	}
	e.advance(10 * time.Second)
	third := e.claim(10)
	if len(third) != 1 || third[0].Attempt != 3 {
		e.Fatalf("after the retry: claimed %v", third)
	}
	rows, err := e.db.Jobs(e.ctx, "subject")
	e.ok(err)
	if len(rows) != 2 || rows[0].Why != "answer 503" || rows[0].Attempt != 3 || rows[0].State != "running" {
		e.Errorf("an operator sees %+v", rows)
	}
	e.ok(e.db.BuryJob(e.ctx, third[0].ID, "gave up"))
	e.jobCounts(1, 0, 1)
	dead, err := e.db.DeadJobs(e.ctx)
	e.ok(err)
	if len(dead) != 1 || dead[0].Job.Key != "key-1" || dead[0].Why != "gave up" {
		e.Errorf("dead jobs: %+v", dead)
	}
	e.advance(time.Hour)
	last := e.claim(10)
	if len(last) != 1 || last[0].Job.Key != "key-2" {
		e.Fatalf("an hour later: claimed %v, want the second job alone", last)
	}
	// Done is done, also for one whose lease has ended.
	e.advance(time.Hour)
	e.ok(e.db.FinishJob(e.ctx, last[0].ID))
	e.ok(e.db.FinishJob(e.ctx, last[0].ID))
	if c := e.claim(10); len(c) != 0 {
		e.Errorf("claimed %v, which is done", c)
	}
	e.jobCounts(0, 0, 1)
	e.commitJobs(rempart.Job{Kind: "kind", Subject: "subject", Key: "key-2"}) // also when it is done
	e.jobCounts(0, 0, 1)
	e.kind(e.db.FinishJob(e.ctx, 1<<40), rempart.Conflict)

	// Those that are due longest come first.
	for i := range 5 {
		e.commitJobs(rempart.Job{Kind: "k", Subject: "s", Key: fmt.Sprint("order-", i), RunAt: e.now().Add(-time.Duration(i) * time.Second)})
	}
	for i := 4; i >= 0; i-- {
		if c := e.claim(1); len(c) != 1 || c[0].Job.Key != fmt.Sprint("order-", i) {
			e.Errorf("claimed %v, want order-%d", c, i)
		}
	}
}

// jobsTogether lets four workers empty a queue while others fill it: each job is
// done by one of them, once.
func jobsTogether(e *env) {
	const total = 120
	done := make([]map[string]int, 4)
	errs := together(6, func(w int) error {
		if w >= 4 { // two that queue
			for i := range total / 2 {
				j := rempart.Job{Kind: "k", Subject: "s", Key: fmt.Sprint(w, "-", i)}
				if err := e.db.Commit(e.ctx, "", rempart.Consequences{Jobs: []rempart.Job{j}}); err != nil {
					return err
				}
			}
			return nil
		}
		done[w] = map[string]int{}
		for idle := 0; idle < 200; {
			claims, err := e.db.ClaimJobs(e.ctx, 3, time.Hour)
			if err != nil {
				return err
			}
			if len(claims) == 0 {
				idle++
				time.Sleep(time.Millisecond)
				continue
			}
			idle = 0
			for _, c := range claims {
				done[w][c.Job.Key]++
				if err := e.db.FinishJob(e.ctx, c.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, err := range errs {
		e.ok(err)
	}
	sum := map[string]int{}
	for _, m := range done {
		for key, n := range m {
			sum[key] += n
		}
	}
	if len(sum) != total {
		e.Errorf("%d of %d jobs were done", len(sum), total)
	}
	for key, n := range sum {
		if n != 1 {
			e.Errorf("job %s was done %d times", key, n)
		}
	}
	e.jobCounts(0, 0, 0)
}
