package flow

import (
	"context"
	"fmt"

	"rempart"
	"rempart/store"
)

// sameAtMost is how many notices about one posting are looked through for an
// order, the newest first. Each that was answered without an order of its own says
// so, so that one that is missed needs as many that wait.
const sameAtMost = 200

// A Ruling is a decision on an item of an intake.
type Ruling struct {
	Intake, Item string
	Decision     rempart.Decision
}

// Decide records a moderator's decision on one item of an intake.
func (f *Flow) Decide(ctx context.Context, intakeID, item string, d rempart.Decision, by rempart.Actor) error {
	return f.DecideTogether(ctx, []Ruling{{intakeID, item, d}}, false, by)
}

// DecideTogether records decisions on notices about one posting, all or none: what
// imposes the same is one order to the platform's own system, and each notifier is
// answered. Where an order stands that imposes it already there is no second one,
// unless the posting is back. Of the others than the first, one that somebody
// decided meanwhile is passed over.
func (f *Flow) DecideTogether(ctx context.Context, all []Ruling, back bool, by rempart.Actor) error {
	acts, err := f.acts(ctx)
	if err != nil {
		return err
	}
	ids, err := f.concerned(ctx, all, acts)
	if err != nil {
		return err
	}
	err = f.DB.UpdateIntakes(ctx, ids, func(found []*rempart.Intake) error {
		asked := map[string]bool{} // orders of this moment
		for k, r := range all {
			err := f.rule(found, r, acts, back && k == 0, asked, by)
			if k > 0 && err != nil && (rempart.KindOf(err) == rempart.Conflict || rempart.KindOf(err) == rempart.NotFound) {
				continue
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		f.at("decision.saved")
	}
	f.Wake()
	return err
}

// concerned returns the intakes that a decision reads or changes. All at the
// posting's address are held, so that two moderators who decide on two of them at
// the same moment ask for one order.
func (f *Flow) concerned(ctx context.Context, all []Ruling, acts bool) ([]string, error) {
	var ids []string
	for _, r := range all {
		ids = append(ids, r.Intake)
	}
	if !acts {
		return ids, nil
	}
	i, err := f.DB.Intake(ctx, all[0].Intake)
	if err != nil {
		return nil, err
	}
	for _, n := range i.Notice.Items {
		if n.ID != all[0].Item || n.Address == "" {
			continue
		}
		same, err := f.DB.IntakesAt(ctx, n.Address, sameAtMost)
		if err != nil {
			return nil, fmt.Errorf("flow: other notices about a posting: %w", err)
		}
		for _, o := range same {
			ids = append(ids, o.ID)
			for k := range o.Orders {
				if w := o.Orders[k].With; w != nil {
					ids = append(ids, w.Intake)
				}
			}
		}
	}
	return ids, nil
}

// rule records one decision.
func (f *Flow) rule(found []*rempart.Intake, r Ruling, acts, back bool, asked map[string]bool, by rempart.Actor) error {
	var i *rempart.Intake
	for _, x := range found {
		if x.ID == r.Intake {
			i = x
		}
	}
	if i == nil {
		return &rempart.Error{Kind: rempart.NotFound, Code: "intake.missing", Public: "There is no such notice."}
	}
	before, acted := len(i.Orders), i.Acts
	i.Acts = acts
	var standing *rempart.Standing
	now := f.Now()
	for _, n := range i.Notice.Items {
		if n.ID == r.Item && acts && !back {
			standing = rempart.StandingAt(found, n.Address, r.Decision, now)
		}
	}
	if standing != nil {
		standing.Named = asked[standing.Order]
	}
	if err := i.DecideWith(r.Item, r.Decision, standing, by, now); err != nil {
		i.Acts = acted // it stays as it was, whatever becomes of the others
		return err
	}
	for _, a := range i.Orders[before:] {
		if a.With == nil {
			asked[a.ID] = true
		}
	}
	f.giveCodes(i)
	return nil
}

// shared tells the orders whose work another one does that it is done: each
// notifier is answered. If we are killed in between, the next try tells the others.
func (f *Flow) shared(ctx context.Context, claim store.Claim) error {
	i, err := f.DB.Intake(ctx, claim.Job.Subject)
	if err != nil {
		return err
	}
	lead := i.Order(claim.Job.Payload)
	if lead == nil {
		return &rempart.Error{Kind: rempart.NotFound, Code: "order.missing", Public: "There is no such order."}
	}
	for _, r := range lead.Also {
		err := f.DB.UpdateIntake(ctx, r.Intake, func(i *rempart.Intake) error { return i.OrderShared(r.Order, *lead, f.Now()) })
		if err != nil && rempart.KindOf(err) != rempart.NotFound { // else it was erased meanwhile
			return err
		}
		f.at("order.shared.told")
	}
	return nil
}
