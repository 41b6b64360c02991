package flow

import (
	"context"
	"strings"

	"rempart"
	"rempart/exchange"
)

// A Received is a notice that somebody sent by the platform's form.
type Received struct {
	Intake *rempart.Intake
	Code   rempart.CaseCode // opens its state, its decisions and a complaint
}

// ReceiveForm saves a notice that came by the form, from somebody without a key
// (DSA article 16(2)), and returns its number and code. The same key, which the
// form carries, gives the same number and code again.
func (f *Flow) ReceiveForm(ctx context.Context, n exchange.Notice, key string) (Received, error) {
	n.ID, n.CaseRef, n.Grounds = "", "", nil
	n.Notifier.TrustedFlagger, n.Notifier.Expertise = false, ""
	notice, err := n.Domain()
	if err != nil {
		return Received{}, err
	}
	from, err := f.admit(ctx, rempart.Peer{Name: strings.TrimSpace(n.Notifier.Name)}, notice)
	if err != nil {
		return Received{}, err
	}
	i, err := rempart.Receive(notice, "form:"+key, from, f.Now())
	if err != nil {
		return Received{}, err
	}
	code := rempart.DeriveCaseCode(f.DB.Secret("notifier code"), key)
	i.Codes = []string{code.Hash(f.DB.Secret("intake code"))}
	i, _, err = f.DB.CreateIntake(ctx, i)
	if err != nil {
		return Received{}, err
	}
	f.at("intake.saved")
	f.Wake()
	return Received{i, code}, nil
}

// A Holder is whom a code was given to, and the intake that it opens.
type Holder struct {
	Intake *rempart.Intake
	By     rempart.ComplaintBy
	Item   string // of who is affected: the one item that is theirs
}

// IntakeByCode returns what a code of a notifier, or of who is affected by a
// decision, opens. What opens nothing is a rempart.NotFound with field code.
func (f *Flow) IntakeByCode(ctx context.Context, typed string) (Holder, error) {
	code, err := rempart.ParseCaseCode(typed)
	if err != nil {
		return Holder{}, err
	}
	hash := code.Hash(f.DB.Secret("intake code"))
	i, err := f.DB.IntakeByCode(ctx, hash)
	if rempart.KindOf(err) == rempart.NotFound {
		return Holder{}, &rempart.Error{Kind: rempart.NotFound, Field: "code", Code: "code.intake", Public: "This code opens no notice and no decision here. Please look at it again."}
	}
	if err != nil {
		return Holder{}, err
	}
	for _, n := range i.Notice.Items {
		if f.RedressCode(i.ID, n.ID) == code {
			return Holder{i, rempart.ByAffected, n.ID}, nil
		}
	}
	return Holder{Intake: i, By: rempart.ByNotifier}, nil
}

// giveCodes has an intake found by the codes of who is affected by its decisions.
func (f *Flow) giveCodes(i *rempart.Intake) {
	for _, n := range i.Notice.Items {
		if d, ok := i.Decisions[n.ID]; ok && d.Measure != rempart.MeasureRefused {
			i.GiveCode(f.RedressCode(i.ID, n.ID).Hash(f.DB.Secret("intake code")))
		}
	}
}
