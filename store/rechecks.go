package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rempart"
)

// A planned is a row of the table of re-checks.
type planned struct {
	item, host string
	cautious   bool
	due        int64
}

// planned returns the re-checks that a case has before it.
func (t *tx) planned(c *rempart.Case) []planned {
	var out []planned
	for k := range c.Items {
		if i := &c.Items[k]; i.Rechecks != nil && !i.Rechecks.Next.IsZero() {
			out = append(out, planned{i.ID, t.db.keyed("recheck host", i.Host()), c.Cautious(), micros(i.Rechecks.Next)})
		}
	}
	return out
}

// rechecks brings the table to what the case has; before is what it had. A row
// that was taken to be asked comes back with the answer's own next time only.
func (t *tx) rechecks(c *rempart.Case, before []planned) error {
	after := t.planned(c)
	if slices.Equal(before, after) {
		return nil
	}
	for _, p := range before {
		if !slices.ContainsFunc(after, func(q planned) bool { return q.item == p.item }) {
			if _, err := t.exec("DELETE FROM rechecks WHERE item_id = $1", p.item); err != nil {
				return fmt.Errorf("store: re-check of item %s: %w", p.item, err)
			}
		}
	}
	for _, p := range after {
		if slices.Contains(before, p) {
			continue
		}
		if _, err := t.exec(`INSERT INTO rechecks (item_id, case_id, host, cautious, due_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (item_id) DO UPDATE SET host = excluded.host, cautious = excluded.cautious, due_at = excluded.due_at`,
			p.item, c.ID, p.host, number(p.cautious), p.due); err != nil {
			return fmt.Errorf("store: re-check of item %s: %w", p.item, err)
		}
	}
	return nil
}

// QueueRechecks makes a job of each of up to n re-checks that are due, and
// returns how many they were. Those of cases that may be a minor's are left where
// they are unless cautious is true. Of one host there is at most one in gap,
// whatever process asks.
func (db *DB) QueueRechecks(ctx context.Context, n int, gap time.Duration, cautious bool) (int, error) {
	where := "due_at <= $1"
	if !cautious {
		where += " AND cautious = 0"
	}
	var some bool
	if err := db.r.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM rechecks WHERE "+where+")", micros(db.now())).Scan(&some); err != nil {
		return 0, db.explain(fmt.Errorf("store: re-checks that are due: %w", err))
	}
	if !some || n <= 0 {
		return 0, nil
	}
	taken := 0
	err := db.write(ctx, func(t *tx) error {
		taken = 0
		now := micros(t.now)
		type due struct {
			planned
			caseID string
		}
		rows, err := t.Tx.QueryContext(ctx, "SELECT item_id, case_id, host, due_at FROM rechecks WHERE "+where+" ORDER BY host, due_at, item_id LIMIT $2"+t.db.skipLocked, now, n)
		all, err := collect(rows, err, func(s scanner) (d due, err error) { return d, s.Scan(&d.item, &d.caseID, &d.host, &d.due) })
		if err != nil {
			return fmt.Errorf("store: re-checks that are due: %w", err)
		}
		for _, d := range all {
			var free int64 // the host's place after this one: the update holds it for this transaction
			if err := t.row(`INSERT INTO recheck_hosts (host, next_at) VALUES ($1, $2)
				ON CONFLICT (host) DO UPDATE SET next_at = CASE WHEN recheck_hosts.next_at + $3 > excluded.next_at THEN recheck_hosts.next_at + $3 ELSE excluded.next_at END RETURNING next_at`,
				d.host, now+gap.Microseconds(), gap.Microseconds()).Scan(&free); err != nil {
				return fmt.Errorf("store: place of a host: %w", err)
			}
			if err := t.job(rempart.Job{Kind: rempart.JobRecheck, Subject: d.caseID, Payload: d.item,
				Key: "recheck:" + d.item + ":" + strconv.FormatInt(d.due, 10), RunAt: fromMicros(free - gap.Microseconds())}); err != nil {
				return err
			}
			if _, err := t.exec("DELETE FROM rechecks WHERE item_id = $1", d.item); err != nil {
				return fmt.Errorf("store: re-check of item %s: %w", d.item, err)
			}
		}
		taken = len(all)
		return nil
	})
	return taken, err
}
