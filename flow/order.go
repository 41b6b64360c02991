package flow

import (
	"context"
	"errors"

	"rempart"
	"rempart/exchange"
	"rempart/store"
)

// System returns the platform's own system, which carries decisions out. It is a
// rempart.NotFound if none is registered, or if it is disabled.
func (f *Flow) System(ctx context.Context) (rempart.Peer, error) {
	p, err := f.DB.Peer(ctx, rempart.SystemID)
	if err == nil && (p.URL == "" || !p.DisabledAt.IsZero()) {
		err = &rempart.Error{Kind: rempart.NotFound, Code: "peer.system", Public: "No system of this platform's own is registered."}
	}
	return p, err
}

// acts tells whether decisions are carried out by the platform's own system. If
// not, the staff does it by hand, and what is decided counts as done.
func (f *Flow) acts(ctx context.Context) (bool, error) {
	_, err := f.System(ctx)
	if rempart.KindOf(err) == rempart.NotFound {
		return false, nil
	}
	return err == nil, err
}

// RedressCode returns the code with which who put an item there reads the
// statement of reasons and complains. It is made from the item and not kept: the
// platform's system hands it on.
func (f *Flow) RedressCode(intake, item string) rempart.CaseCode {
	return rempart.DeriveCaseCode(f.DB.Secret("redress code"), intake+"\x00"+item)
}

// carry has one order carried out. If we are killed after the platform's system
// did it and before we wrote that down, it is told the same again under the same
// identifier.
func (f *Flow) carry(ctx context.Context, claim store.Claim) (*exchange.Failure, error) {
	i, err := f.DB.Intake(ctx, claim.Job.Subject)
	if err != nil {
		return nil, err
	}
	a := i.Order(claim.Job.Payload)
	if a == nil {
		return nil, &rempart.Error{Kind: rempart.NotFound, Code: "order.missing", Public: "There is no such order."}
	}
	if a.State != rempart.OrderPending {
		return nil, nil // done, and recorded, before we were stopped
	}
	status, fail, err := f.order(ctx, i, a)
	if err != nil {
		return nil, err
	}
	f.at("order.delivered")
	now := f.Now()
	try := rempart.Attempt{At: now, Status: status, Answer: "done"}
	if fail != nil {
		try.Status, try.Answer = fail.Status, fail.Answer
		if !fail.Permanent && claim.Attempt <= len(backoff) {
			try.Next = now.Add(wait(claim.Attempt, fail))
		}
	}
	return fail, f.DB.UpdateIntake(ctx, i.ID, func(i *rempart.Intake) error {
		if fail != nil {
			return i.OrderTried(a.ID, try, now)
		}
		return i.OrderConfirmed(a.ID, try, now)
	})
}

// order tells the platform's system what to do.
func (f *Flow) order(ctx context.Context, i *rempart.Intake, a *rempart.Order) (status int, fail *exchange.Failure, err error) {
	p, err := f.System(ctx)
	var cred rempart.Credentials
	if err == nil {
		cred, err = f.DB.Credentials(ctx, p.ID)
	}
	if rempart.KindOf(err) == rempart.NotFound && err != nil {
		return 0, &exchange.Failure{Answer: "no system of this platform's own is registered", Permanent: true, Err: err}, nil
	}
	if err != nil {
		return 0, nil, err
	}
	o := exchange.Order{Type: exchange.OrderApply, ID: a.ID, At: a.At, Notice: i.Number, Notices: append([]string{i.Number}, a.Named()...), Measure: a.Decision.Measure, Decision: a.Decision,
		Redress: exchange.Redress{Code: f.RedressCode(i.ID, a.Item).String(), URL: f.Origin + "/redress"}}
	switch a.Do {
	case rempart.OrderLift:
		o.Type = exchange.OrderLift
	case rempart.OrderTell:
		o.Type = exchange.OrderTell
		if c := i.Complaint(a.Number); c != nil {
			told := exchange.NewComplaintState(i, c, rempart.ByAffected)
			o.Complaint = &told
		}
	}
	for _, n := range i.Notice.Items {
		if n.ID == a.Item {
			o.Item = n
		}
	}
	status, err = exchange.SendOrder(ctx, f.Client, p.URL, cred.Secret, o)
	if ctx.Err() != nil {
		return 0, nil, ctx.Err() // we are stopping: the lease ends, another try follows
	}
	if err != nil && !errors.As(err, &fail) {
		return 0, nil, err
	}
	return status, fail, nil
}

// dropOrder shows on the intake that an order ended in a fault that trying
// again cannot mend.
func (f *Flow) dropOrder(ctx context.Context, c store.Claim, cause error) {
	try := rempart.Attempt{At: f.Now(), Answer: "our own records stand against it: " + rempart.KindOf(cause).String()}
	err := f.DB.UpdateIntake(ctx, c.Job.Subject, func(i *rempart.Intake) error { return i.OrderTried(c.Job.Payload, try, try.At) })
	if err != nil {
		f.Log.ErrorContext(ctx, "an order that failed is not shown as such", "job", c.ID, "err", err)
	}
}
