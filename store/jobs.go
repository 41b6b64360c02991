package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"rempart"
)

// A Claim is a job that this worker holds until its lease ends.
type Claim struct {
	ID      int64 // of the claim: it names the job and the attempt
	Attempt int   // 1 for the first
	Job     rempart.Job
}

// A claim's identifier is the job's with the attempt in its last 16 bits, so
// that a worker whose lease ended can't give back what another one now holds.
const attemptBits = 16

// databaseTime is the time of the database, in microseconds. Processes on several
// machines share it: whose clock is an hour ahead would otherwise find every lease
// ended and do again what another is doing.
const databaseTime = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

// due returns the SQL, and its argument named arg, of a time of this process as
// jobs keep it: as far from the database's now as it is from ours.
func (t *tx) due(arg string, at time.Time) (sql string, value int64) {
	if !t.db.shared {
		return arg, micros(at)
	}
	return "(" + arg + "::bigint + " + databaseTime + ")", micros(at) - micros(t.now)
}

// jobTime is now, as the times of jobs are measured.
func (db *DB) jobTime(ctx context.Context, r interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}) (now int64, err error) {
	if !db.shared {
		return micros(db.now()), nil
	}
	return now, r.QueryRowContext(ctx, "SELECT "+databaseTime).Scan(&now)
}

// job queues a job, unless one with its key was queued before.
func (t *tx) job(j rempart.Job) error {
	var key any
	if j.Key != "" {
		key = j.Key
	}
	if j.RunAt.IsZero() {
		j.RunAt = t.now
	}
	due, at := t.due("$5", j.RunAt)
	if _, err := t.exec(`INSERT INTO jobs (kind, subject, key, payload, state, due_at, attempt, why, created_at, updated_at)
		VALUES ($1, $2, $3, $4, 'waiting', `+due+`, 0, '', $6, $6) ON CONFLICT (key) DO NOTHING`,
		j.Kind, j.Subject, key, j.Payload, at, micros(t.now)); err != nil {
		return fmt.Errorf("store: job %s of %s: %w", j.Kind, j.Subject, err)
	}
	return nil
}

// ClaimJobs takes up to n jobs that are due, for lease. A job whose lease ended
// is due again. Job.RunAt of a claim is when it was due. In PostgreSQL, unless
// Options.Now is given, its time is what counts, and no process's own.
func (db *DB) ClaimJobs(ctx context.Context, n int, lease time.Duration) ([]Claim, error) {
	const due = "state IN ('waiting', 'running') AND due_at <= $1"
	// Look before writing: most of the time there is nothing to do.
	var some bool
	now, err := db.jobTime(ctx, db.r)
	if err == nil {
		err = db.r.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM jobs WHERE "+due+")", now).Scan(&some)
	}
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: jobs that are due: %w", err))
	}
	if !some || n <= 0 {
		return nil, nil
	}
	var out []Claim
	err = db.write(ctx, func(t *tx) error {
		now, err := db.jobTime(ctx, t.Tx)
		if err != nil {
			return fmt.Errorf("store: claiming jobs: %w", err)
		}
		rows, err := t.Tx.QueryContext(ctx, "SELECT id, kind, subject, coalesce(key, ''), payload, due_at, attempt + 1 FROM jobs WHERE "+due+" ORDER BY due_at, id LIMIT $2"+t.db.skipLocked, now, n)
		out, err = collect(rows, err, func(s scanner) (c Claim, err error) {
			var at int64
			err = s.Scan(&c.ID, &c.Job.Kind, &c.Job.Subject, &c.Job.Key, &c.Job.Payload, &at, &c.Attempt)
			c.Job.RunAt = fromMicros(at)
			if db.shared {
				c.Job.RunAt = fromMicros(at - now + micros(t.now))
			}
			return c, err
		})
		if err != nil {
			return fmt.Errorf("store: claiming jobs: %w", err)
		}
		for k := range out {
			c := &out[k]
			if _, err := t.exec("UPDATE jobs SET state = 'running', attempt = $1, due_at = $2, updated_at = $3 WHERE id = $4",
				c.Attempt, now+lease.Microseconds(), micros(t.now), c.ID); err != nil {
				return fmt.Errorf("store: claiming job %d: %w", c.ID, err)
			}
			c.ID = c.ID<<attemptBits | int64(c.Attempt)&(1<<attemptBits-1)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// FinishJob notes that a job is done. It does not matter whether the lease ended
// meanwhile: what is done is done. The row stays for its key, with its times cut
// to the hour: a report's first job would tell the minute it came.
func (db *DB) FinishJob(ctx context.Context, id int64) error {
	return db.endJob(ctx, id, "UPDATE jobs SET state = 'done', why = '', due_at = due_at - due_at % 3600000000, created_at = created_at - created_at % 3600000000, updated_at = $1 - $1 % 3600000000 WHERE id = $2", nil)
}

// RetryJob gives a job back, to run again at t; BuryJob gives it up. why is for
// operators and holds no content. Both return a rempart.Conflict if the lease
// ended and another worker took the job.
func (db *DB) RetryJob(ctx context.Context, id int64, t time.Time, why string) error {
	due, at := (&tx{db: db, now: db.now()}).due("$3", t)
	return db.endJob(ctx, id, "UPDATE jobs SET state = 'waiting', due_at = "+due+", why = $4, updated_at = $1 WHERE id = $2 AND state = 'running' AND attempt % 65536 = $5",
		[]any{at, why, id & (1<<attemptBits - 1)})
}

// BuryJob gives a job up; see RetryJob.
func (db *DB) BuryJob(ctx context.Context, id int64, why string) error {
	return db.endJob(ctx, id, "UPDATE jobs SET state = 'dead', why = $3, updated_at = $1 WHERE id = $2 AND state = 'running' AND attempt % 65536 = $4",
		[]any{why, id & (1<<attemptBits - 1)})
}

func (db *DB) endJob(ctx context.Context, claim int64, query string, more []any) error {
	id := claim >> attemptBits
	return db.write(ctx, func(t *tx) error {
		n, err := t.exec(query, append([]any{micros(t.now), id}, more...)...)
		if err != nil {
			return fmt.Errorf("store: job %d: %w", id, err)
		}
		if n == 0 {
			return &rempart.Error{Kind: rempart.Conflict, Code: "job.lost", Public: "This job is no longer held by who asks."}
		}
		return nil
	})
}

// JobCounts returns the number of jobs by state: "waiting", "running", "dead".
func (db *DB) JobCounts(ctx context.Context) (map[string]int, error) {
	out := map[string]int{"waiting": 0, "running": 0, "dead": 0}
	rows, err := db.r.QueryContext(ctx, "SELECT state, count(*) FROM jobs WHERE state <> 'done' GROUP BY state")
	_, err = collect(rows, err, func(s scanner) (n int, err error) {
		var state string
		err = s.Scan(&state, &n)
		out[state] = n
		return n, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: counting jobs: %w", err))
	}
	return out, nil
}

// A JobRow is what an operator sees of a job.
type JobRow struct {
	Job     rempart.Job
	State   string // "waiting", "running", "done" or "dead"
	Attempt int    // tries so far
	Why     string // the last try failed
}

// Jobs returns the oldest 200 jobs about one subject, those done included.
func (db *DB) Jobs(ctx context.Context, subject string) ([]JobRow, error) {
	return db.jobs(ctx, "subject = $1", subject)
}

// DeadJobs returns the oldest 200 jobs that were given up.
func (db *DB) DeadJobs(ctx context.Context) ([]JobRow, error) {
	return db.jobs(ctx, "state = $1", "dead")
}

func (db *DB) jobs(ctx context.Context, where string, arg any) ([]JobRow, error) {
	rows, err := db.r.QueryContext(ctx, "SELECT kind, subject, coalesce(key, ''), payload, due_at, state, attempt, why FROM jobs WHERE "+where+" ORDER BY id LIMIT 200", arg)
	out, err := collect(rows, err, func(s scanner) (r JobRow, err error) {
		var at int64
		err = s.Scan(&r.Job.Kind, &r.Job.Subject, &r.Job.Key, &r.Job.Payload, &at, &r.State, &r.Attempt, &r.Why)
		r.Job.RunAt = fromMicros(at)
		return r, err
	})
	if err != nil {
		return nil, db.explain(fmt.Errorf("store: jobs: %w", err))
	}
	return out, nil
}
