package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/store"
)

// lease is how long a worker holds a job when Flow.Lease does not say. It is
// longer than a delivery can take, so that a live worker never loses one.
const lease = time.Minute

// atOnce is how many jobs a worker does at the same time, so that a platform
// that does not answer holds up nobody else's notice.
const atOnce = 8

// poll is how often the worker looks for work that nobody announced.
const poll = 200 * time.Millisecond

// backoff is the wait after each failed delivery, from seconds to days; when the
// try after the last fails, seven days after the first (166 h), the job is given
// to a human.
var backoff = []time.Duration{
	2 * time.Second, 10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour,
	3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour,
}

// Work takes jobs from the store and does them until ctx ends; it then returns
// nil, with no job under way.
func (f *Flow) Work(ctx context.Context) error {
	seal := time.NewTicker(time.Second)
	defer seal.Stop()
	retain := time.NewTicker(retainEvery)
	defer retain.Stop()
	for ctx.Err() == nil {
		n, err := f.Step(ctx)
		if err != nil && ctx.Err() == nil {
			f.Log.ErrorContext(ctx, "work", "err", err)
		}
		if n > 0 && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-f.wake:
		case <-time.After(poll):
		case <-retain.C:
			if _, err := f.Retain(ctx); err != nil && ctx.Err() == nil {
				f.Log.ErrorContext(ctx, "erase the cases that are due", "err", err)
			}
			if err := f.Expire(ctx); err != nil && ctx.Err() == nil {
				f.Log.ErrorContext(ctx, "take expired entries off their lists", "err", err)
			}
		case <-seal.C:
			if _, err := f.DB.Seal(ctx); err != nil && ctx.Err() == nil {
				f.Log.ErrorContext(ctx, "seal the ledger", "err", err)
			}
		}
	}
	return nil
}

// Step claims the jobs that are due, does them side by side, lets the clocks run
// down that are due, and returns how many jobs and cases they were when all have
// ended.
func (f *Flow) Step(ctx context.Context) (int, error) {
	if err := f.planRechecks(ctx); err != nil {
		return 0, err
	}
	claims, err := f.DB.ClaimJobs(ctx, atOnce, f.Lease)
	if err != nil {
		return 0, err
	}
	faults := make([]error, len(claims))
	var all sync.WaitGroup
	for k, c := range claims {
		all.Go(func() {
			f.at(c.Job.Kind + ".claimed")
			if err := f.do(ctx, c); err != nil {
				faults[k] = fmt.Errorf("flow: job %d (%s): %w", c.ID, c.Job.Kind, err)
			}
		})
	}
	all.Wait()
	ticked, err := f.tick(ctx)
	return len(claims) + ticked, errors.Join(append(faults, err)...)
}

// do does one job and says so to the store. An error of ours (the database is
// away) leaves the job claimed: its lease ends and it is done again.
func (f *Flow) do(ctx context.Context, c store.Claim) error {
	var fail *exchange.Failure
	var err error
	switch c.Job.Kind {
	case rempart.JobQualify:
		err = f.qualify(ctx, c.Job.Subject)
	case rempart.JobSend:
		fail, err = f.sendOnward(ctx, c)
	case rempart.JobBulk:
		err = f.bulk(ctx, c)
	case rempart.JobCallback:
		fail, err = f.tell(ctx, c)
	case rempart.JobRecheck:
		fail, err = f.recheck(ctx, c)
	case rempart.JobStatements:
		fail, err = f.submit(ctx, c)
	case rempart.JobOrder:
		fail, err = f.carry(ctx, c)
	case rempart.JobShared:
		err = f.shared(ctx, c)
	case rempart.JobSweep:
		_, err = f.DB.CarrySweep(ctx, c.Job.Subject)
	case rempart.JobRung:
		fail, err = f.rung(ctx, c)
	case rempart.JobAgain:
		err = f.again(ctx, c)
	case rempart.JobDraft:
		err = f.second(ctx, c)
	case jobStop:
		fail, err = f.tellStop(ctx, c)
	case jobPublished:
		fail, err = f.tellPublished(ctx, c)
	case jobOpinion:
		fail, err = f.tellOpinion(ctx, c)
	default:
		return f.DB.BuryJob(ctx, c.ID, "no step does this kind of job")
	}
	switch {
	case err != nil:
		switch rempart.KindOf(err) {
		case rempart.Internal, rempart.Unavailable, rempart.Unknown: // each step looks first, so Unknown may be done again
			if e := f.DB.RetryJob(ctx, c.ID, f.Now().Add(wait(c.Attempt, nil)), "our own fault: see the log"); e != nil {
				return errors.Join(err, e)
			}
			return err
		}
		f.Log.ErrorContext(ctx, "job given to a human", "job", c.ID, "kind", c.Job.Kind, "err", err)
		switch c.Job.Kind {
		case rempart.JobSend:
			f.giveUp(ctx, c, err)
		case rempart.JobOrder:
			f.dropOrder(ctx, c, err)
		}
		if c.Job.Kind == rempart.JobRung {
			f.rungGivenUp(ctx, c, err)
		}
		return f.DB.BuryJob(ctx, c.ID, rempart.KindOf(err).String())
	case fail == nil:
		f.at(c.Job.Kind + ".saved")
		return f.DB.FinishJob(ctx, c.ID)
	case fail.Turn:
		return f.DB.RetryJob(ctx, c.ID, f.Now().Add(fail.RetryAfter), why(fail))
	case fail.Permanent || c.Attempt > len(backoff):
		return f.DB.BuryJob(ctx, c.ID, why(fail))
	}
	return f.DB.RetryJob(ctx, c.ID, f.Now().Add(wait(c.Attempt, fail)), why(fail))
}

// why is what a job may keep of a failure: jobs are not sealed, and an answer
// may repeat what it was sent. The case keeps the answer.
func why(fail *exchange.Failure) string {
	if fail.Status != 0 {
		return fmt.Sprintf("answered %d", fail.Status)
	}
	return fail.Answer
}

// giveUp shows on the case that the delivery of a notice ended in a fault that
// trying again cannot mend, so that it does not wait in silence.
func (f *Flow) giveUp(ctx context.Context, c store.Claim, cause error) {
	a := rempart.Attempt{At: f.Now(), Answer: "our own records stand against it: " + rempart.KindOf(cause).String()}
	err := f.DB.UpdateCase(ctx, c.Job.Subject, "", func(k *rempart.Case) error { return k.NoticeAttemptFailed(c.Job.Payload, a, a.At) })
	if err != nil {
		f.Log.ErrorContext(ctx, "a notice that failed is not shown as such", "job", c.ID, "err", err)
	}
}

// wait is how long to wait after the given attempt (1 is the first).
func wait(attempt int, fail *exchange.Failure) time.Duration {
	d := backoff[min(max(attempt, 1), len(backoff))-1]
	if fail != nil && fail.RetryAfter > d {
		d = fail.RetryAfter
	}
	return d
}

// qualify lets the law pack propose qualifications. It follows the report at
// once, so its time too is only told to the hour.
func (f *Flow) qualify(ctx context.Context, caseID string) error {
	now := f.Now().UTC().Truncate(time.Hour)
	return f.DB.UpdateCase(ctx, caseID, "", func(c *rempart.Case) error {
		p := f.propose(c.Facts, c.OpenedAt, now)
		return c.Propose(p, now)
	})
}

// send delivers a notice. Its identifier is the idempotency key: if we are
// killed after the platform took it and before we wrote that down, the next try
// gets the same receipt.
func (f *Flow) send(ctx context.Context, claim store.Claim) (*exchange.Failure, error) {
	c, err := f.DB.Case(ctx, claim.Job.Subject)
	if err != nil {
		return nil, err
	}
	n := c.Notice(claim.Job.Payload)
	if n == nil {
		return nil, &rempart.Error{Kind: rempart.NotFound, Code: "notice.missing", Public: "There is no such notice."}
	}
	if n.State != rempart.NoticeQueued {
		return nil, nil // sent, and recorded, before we were stopped
	}
	if d := c.GoesAfter(n.ID, f.Now()); d > 0 {
		return &exchange.Failure{Answer: "an earlier notice to this service goes first", Turn: true, RetryAfter: d}, nil
	}
	if !n.LeavesAt.IsZero() { // from here on nobody calls it back
		ok := false
		if err := f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error {
			ok = c.NoticeLeaves(n.ID, claim.Job.Key, f.Now())
			return nil
		}); err != nil || !ok {
			return nil, err
		}
		f.at("notice.send.leaves")
	}
	var number string
	var status int
	var answer string
	cred, peer, fail, err := f.credentials(ctx, n)
	if err != nil {
		return nil, err
	}
	if fail == nil && peer.Kind == rempart.PeerMail {
		return f.sendMail(ctx, claim, c, n, peer)
	}
	if fail == nil && peer.Kind == rempart.PeerHTTP && (peer.Request == nil || !peer.Request.Repeatable) {
		if peer.Request == nil {
			peer.Request = new(rempart.Request) // which cannot be written, and says so
		}
		return f.sendRequest(ctx, claim, c, n, cred, peer)
	}
	if fail == nil {
		var r exchange.Receipt
		if peer.Kind == rempart.PeerHTTP {
			r.Number, status, answer, err = exchange.SendRequest(ctx, f.Client, peer.URL, *peer.Request, cred.Headers, n.ID, *n)
		} else {
			r, status, answer, err = exchange.SendNotice(ctx, f.Client, peer.URL, cred.Key, exchange.FromNotice(*n))
		}
		if err != nil && !errors.As(err, &fail) {
			return nil, err
		}
		number = r.Number
	}
	if ctx.Err() != nil {
		return nil, ctx.Err() // we are stopping: the lease ends, another try follows
	}
	f.at("notice.send.delivered")
	now := f.Now()
	a := rempart.Attempt{At: now, Status: status, Answer: answer}
	if peer.Kind == rempart.PeerHTTP { // what it answers later reaches us by people only
		a.Channel = rempart.ChannelHTTP
	}
	if fail != nil {
		a.Status, a.Answer, a.Failed = fail.Status, fail.Answer, fail.NotTaken()
		if !fail.Permanent && claim.Attempt <= len(backoff) {
			a.Next = now.Add(wait(claim.Attempt, fail))
		}
	}
	return fail, f.DB.UpdateCase(ctx, c.ID, "", func(c *rempart.Case) error {
		if fail != nil {
			return c.NoticeAttemptFailed(n.ID, a, now)
		}
		return c.NoticeAccepted(n.ID, number, a, now)
	})
}

// tell sends the acknowledgement or decision of an intake to its notifier, and
// notes that the notifier took it. A notifier without an address is not told: it
// asks with GET /api/v1/notices/{id}.
func (f *Flow) tell(ctx context.Context, claim store.Claim) (*exchange.Failure, error) {
	i, err := f.DB.Intake(ctx, claim.Job.Subject)
	if err != nil {
		return nil, err
	}
	if i.PeerID == "" { // by the form: whoever has its code asks
		return nil, nil
	}
	kind, number, _ := strings.Cut(claim.Job.Payload, " ")
	cb := exchange.Callback{Type: kind, NoticeID: i.Notice.ID, Number: i.Number, At: i.ReceivedAt}
	switch kind {
	case rempart.CallbackDecided:
		if !i.Settled() { // reversed and not carried out yet: what confirms it tells
			return nil, nil
		}
		cb.Items, cb.At = i.Decisions, i.UpdatedAt
	case rempart.CallbackComplaint:
		if err := complaintCallback(&cb, i, number); err != nil {
			return nil, err
		}
	}
	p, err := f.DB.Peer(ctx, i.PeerID)
	if err != nil || p.URL == "" {
		return nil, err
	}
	if _, told := i.Told[claim.Job.Payload]; told { // told, and noted, before we were stopped
		return nil, nil
	}
	fail, err := f.callback(ctx, p, claim.Job.Key, cb)
	if fail != nil || err != nil {
		return fail, err
	}
	return nil, f.DB.UpdateIntake(ctx, i.ID, func(i *rempart.Intake) error {
		i.NoteTold(claim.Job.Payload, f.Now())
		return nil
	})
}

// callback sends a message to a peer. id is the same at every attempt.
func (f *Flow) callback(ctx context.Context, p rempart.Peer, id string, cb exchange.Callback) (*exchange.Failure, error) {
	cred, err := f.DB.Credentials(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	var fail *exchange.Failure
	if _, _, err := exchange.SendCallback(ctx, f.Client, p.URL, cred, id, cb); err != nil && !errors.As(err, &fail) {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	f.at("callback.delivered")
	return fail, nil
}

// jobStop tells a hub that an upload matched one of its entries; Subject is the
// peer, Payload the callback.
const jobStop = "stop.tell"

func (f *Flow) tellStop(ctx context.Context, claim store.Claim) (*exchange.Failure, error) {
	var cb exchange.Callback
	if err := json.Unmarshal([]byte(claim.Job.Payload), &cb); err != nil {
		return nil, fmt.Errorf("flow: payload of job %d: %w", claim.ID, err)
	}
	p, err := f.DB.Peer(ctx, claim.Job.Subject)
	if err != nil || p.URL == "" {
		return nil, err
	}
	return f.callback(ctx, p, claim.Job.Key, cb)
}
