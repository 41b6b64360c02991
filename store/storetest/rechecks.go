package storetest

import (
	"time"

	"rempart"
)

// rechecks: what a case has planned is queued when it is due, once however many
// ask at the same time, one host at most once in the gap, and nothing of a case
// that may be a minor's unless that is asked for.
func rechecks(e *env) {
	sent := func(addresses []string, age rempart.Age) *rempart.Case {
		s := e.submission()
		s.Report.Addresses, s.Report.Age, s.Report.Media = addresses, age, nil
		s.Case = rempart.OpenCase(s.Report)
		_, c, _, err := e.db.Submit(e.ctx, s)
		e.ok(err)
		e.update(c.ID, func(c *rempart.Case) error { return e.propose(c, 2) })
		e.update(c.ID, func(c *rempart.Case) error { return c.ConfirmQualification(c.Quals[0].ID, "analyst-1", e.now()) })
		e.update(c.ID, func(c *rempart.Case) error {
			var ids []string
			for _, i := range c.Items {
				ids = append(ids, i.ID)
			}
			id, err := c.PrepareNotice(rempart.Service{ID: "forum", Name: "Forum", Lang: "fr"}, ids, "Ces faits sont susceptibles de constituer une infraction.",
				rempart.Notifier{Name: "Association", Email: "a@exemple.test"}, "analyst-1", e.now())
			if err != nil {
				return err
			}
			if err := c.EditNotice(id, c.Notice(id).Explanation, true, "analyst-1", e.now()); err != nil {
				return err
			}
			if err := c.SendNotice(id, "analyst-1", e.now()); err != nil {
				return err
			}
			return c.NoticeAccepted(id, "N-1", rempart.Attempt{At: e.now(), Status: 202}, e.now())
		})
		return e.load(c.ID)
	}
	adult := sent([]string{"https://forum.exemple.test/1", "https://FORUM.exemple.test/2", "https://ailleurs.exemple.test/3"}, rempart.AgeSaidAdult)
	minor := sent([]string{"https://forum.exemple.test/4"}, rempart.AgeSaidUnknown)
	queue := func(cautious bool) int {
		total := 0
		for _, n := range together(8, func(int) struct {
			n   int
			err error
		} {
			n, err := e.db.QueueRechecks(e.ctx, 10, 10*time.Second, cautious)
			return struct {
				n   int
				err error
			}{n, err}
		}) {
			e.ok(n.err)
			total += n.n
		}
		return total
	}
	if n := queue(true); n != 0 {
		e.Errorf("%d re-checks are due at once", n)
	}
	e.advance(time.Hour)
	if n := queue(false); n != 3 {
		e.Errorf("%d re-checks queued, want the adult's 3", n)
	}
	jobs, err := e.db.Jobs(e.ctx, adult.ID)
	e.ok(err)
	at := map[time.Time]int{}
	for _, j := range jobs {
		if j.Job.Kind == rempart.JobRecheck {
			at[j.Job.RunAt]++
		}
	}
	if at[e.now()] != 2 || at[e.now().Add(10*time.Second)] != 1 {
		e.Errorf("due %v, want two at once, of two hosts, and one ten seconds later", at)
	}
	if n := queue(true); n != 1 {
		e.Errorf("%d re-checks queued, want the minor's", n)
	}
	jobs, err = e.db.Jobs(e.ctx, minor.ID)
	e.ok(err)
	if last := jobs[len(jobs)-1].Job; last.Kind != rempart.JobRecheck || !last.RunAt.Equal(e.now().Add(20*time.Second)) {
		e.Errorf("the minor's: %+v, want twenty seconds later, behind the other two of that host", last)
	}
	// What was asked is planned again; what was dropped is not.
	e.update(adult.ID, func(c *rempart.Case) error {
		return c.Rechecked(adult.Items[0].ID, rempart.Recheck{At: e.now(), Reach: rempart.ReachThere, Status: 200, Why: "status"})
	})
	e.update(minor.ID, func(c *rempart.Case) error {
		if err := c.Rechecked(minor.Items[0].ID, rempart.Recheck{At: e.now(), Reach: rempart.ReachThere, Status: 200, Why: "status"}); err != nil {
			return err
		}
		return c.DropItem(minor.Items[0].ID, "doublon", "analyst-1", e.now())
	})
	e.advance(24 * time.Hour)
	if n := queue(true); n != 1 {
		e.Errorf("%d re-checks queued a day later, want 1", n)
	}
}
