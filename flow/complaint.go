package flow

import (
	"context"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // the six months are counted in the zone of the policy, on every machine

	"rempart"
	"rempart/exchange"
	"rempart/law"
)

// window is how long a notifier or who is affected may complain: the six months
// of DSA article 20(1), as the law pack has them.
func window(calls bool) (rempart.Window, error) {
	p := law.DefaultClocks()
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		return rempart.Window{}, err
	}
	return rempart.Window{Within: p.Rule("complaint").Within, Calendar: p.Calendar(zone), Calls: calls}, nil
}

// Window returns how long the notifier of an intake may complain.
func (f *Flow) Window(ctx context.Context, i *rempart.Intake) (rempart.Window, error) {
	p, err := f.DB.Peer(ctx, i.PeerID)
	if err != nil && rempart.KindOf(err) != rempart.NotFound {
		return rempart.Window{}, err
	}
	return window(p.URL != "")
}

// Complain saves the complaint of a notifier, or of who is affected, against
// decisions on an intake; see [rempart.Intake.Complain].
func (f *Flow) Complain(ctx context.Context, i *rempart.Intake, by rempart.ComplaintBy, c exchange.Complaint) (*rempart.Intake, *rempart.Complaint, error) {
	if c.ID != "" && !exchange.Identifier(c.ID) {
		return nil, nil, &rempart.Error{Kind: rempart.Invalid, Field: "id", Code: "notice.id", Public: "An identifier has 1 to 64 letters, digits, dashes or underscores."}
	}
	w, err := f.Window(ctx, i)
	if err != nil {
		return nil, nil, err
	}
	actor := rempart.ActorPlatform + rempart.Actor(i.PeerID)
	switch {
	case by == rempart.ByAffected:
		actor = rempart.ActorAffected
	case i.PeerID == "":
		actor = rempart.ActorNotifier
	}
	number := ""
	err = f.DB.UpdateIntake(ctx, i.ID, func(i *rempart.Intake) (err error) {
		number, err = i.Complain(by, c.ID, slices.Clone(c.Items), c.Reasons, w, actor, f.Now())
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	f.at("complaint.saved")
	i, err = f.DB.Intake(ctx, i.ID)
	if err != nil {
		return nil, nil, err
	}
	return i, i.Complaint(number), nil
}

// DecideComplaint records a moderator's decision on a complaint; see
// [rempart.Intake.DecideComplaint]. Who took the first decisions is read from the
// ledger where an older version did not keep it with them.
func (f *Flow) DecideComplaint(ctx context.Context, intakeID, number string, changes map[string]rempart.Decision, answer string, by rempart.Actor) error {
	acts, err := f.acts(ctx)
	if err != nil {
		return err
	}
	first, err := f.deciders(ctx, intakeID)
	if err != nil {
		return err
	}
	ids, err := f.others(ctx, intakeID, changes)
	if err != nil {
		return err
	}
	err = f.DB.UpdateIntakes(ctx, ids, func(found []*rempart.Intake) error {
		k := slices.IndexFunc(found, func(x *rempart.Intake) bool { return x.ID == intakeID })
		if k < 0 {
			return &rempart.Error{Kind: rempart.NotFound, Code: "intake.missing", Public: "There is no such notice."}
		}
		i := found[k]
		i.Acts = acts
		if i.DecidedBy == nil {
			i.DecidedBy = map[string]rempart.Actor{}
		}
		for item, who := range first {
			if i.DecidedBy[item] == "" {
				i.DecidedBy[item] = who
			}
		}
		if err := i.DecideComplaint(number, changes, answer, by, f.Now()); err != nil {
			return err
		}
		f.giveCodes(i)
		for _, x := range found {
			if x.ID != intakeID {
				follow(x, i, *i.Complaint(number))
			}
		}
		return nil
	})
	f.Wake()
	return err
}

// others returns an intake and those that have a notice about one of the postings
// whose decision changes.
func (f *Flow) others(ctx context.Context, intakeID string, changes map[string]rempart.Decision) ([]string, error) {
	ids := []string{intakeID}
	i, err := f.DB.Intake(ctx, intakeID)
	if err != nil {
		return nil, err
	}
	for _, n := range i.Notice.Items {
		if _, changed := changes[n.ID]; !changed || n.Address == "" {
			continue
		}
		same, err := f.DB.IntakesAt(ctx, n.Address, sameAtMost)
		if err != nil {
			return nil, fmt.Errorf("flow: other notices about a posting: %w", err)
		}
		for _, o := range same {
			if !slices.Contains(ids, o.ID) {
				ids = append(ids, o.ID)
			}
		}
	}
	return ids, nil
}

// follow has the decisions of another notice about the same postings follow what
// a complaint reversed.
func follow(x, lead *rempart.Intake, c rempart.Complaint) {
	for _, of := range c.Changed {
		for _, n := range lead.Notice.Items {
			if n.ID != of.Item || n.Address == "" {
				continue
			}
			for _, o := range x.Notice.Items {
				if o.Address == n.Address {
					x.FollowReversal(o.ID, lead, c, of)
				}
			}
		}
	}
}

// deciders returns who decided on each item of an intake, as the ledger says.
func (f *Flow) deciders(ctx context.Context, intakeID string) (map[string]rempart.Actor, error) {
	events, err := f.DB.Events(ctx, intakeID)
	if err != nil {
		return nil, err
	}
	out := map[string]rempart.Actor{}
	for _, e := range events {
		if e.Kind == "intake.item_decided" {
			out[e.Data["item"]] = e.Actor
		}
	}
	return out, nil
}

// complaintCallback fills in what the notifier is told of a complaint.
func complaintCallback(cb *exchange.Callback, i *rempart.Intake, number string) error {
	c := i.Complaint(number)
	if c == nil {
		return &rempart.Error{Kind: rempart.NotFound, Code: "complaint.missing", Public: "There is no such complaint."}
	}
	s := exchange.NewComplaintState(i, c, rempart.ByNotifier)
	cb.Complaint, cb.At, cb.Items = &s, c.DecidedAt, map[string]rempart.Decision{}
	for _, item := range c.Items {
		cb.Items[item] = i.Decisions[item]
	}
	return nil
}
