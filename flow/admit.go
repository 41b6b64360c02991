package flow

import (
	"context"
	"time"

	"rempart"
)

// admit says whether notices of a sender are taken (DSA article 23(2)), and
// returns the sender as the list of trusted flaggers has it today. A notice about
// a minor is taken from anybody.
func (f *Flow) admit(ctx context.Context, from rempart.Peer, n rempart.Notice) (rempart.Peer, error) {
	if !n.Minor {
		m, err := f.DB.Measure(ctx, from.ID, n)
		if err != nil {
			return from, err
		}
		if m.IsSuspended(f.Now()) && from.ID == "" { // by the form: anybody may type somebody else's e-mail address
			return from, &rempart.Error{Kind: rempart.Forbidden, Code: "misuse.suspended_form", Args: []any{m.Until.UTC().Format(time.DateOnly)},
				Public: "Notices under this e-mail address are suspended until " + m.Until.UTC().Format(time.DateOnly) + ", but for those about minors. The codes of earlier notices show the reason."}
		}
		if m.IsSuspended(f.Now()) {
			return from, &rempart.Error{Kind: rempart.Forbidden, Code: "misuse.suspended", Args: []any{m.Until.UTC().Format(time.DateOnly), m.Reason},
				Public: "Your notices are suspended until " + m.Until.UTC().Format(time.DateOnly) + ": " + m.Reason}
		}
	}
	if from.Flagger == "" {
		return from, nil
	}
	why, err := f.covers(ctx, from, n)
	from.TrustedFlagger = why == rempart.FlaggerCovers
	return from, err
}

// covers says why a notice of an entity of the list has no priority, "" if it has.
func (f *Flow) covers(ctx context.Context, from rempart.Peer, n rempart.Notice) (string, error) {
	if from.Flagger == "" {
		return "", nil
	}
	e, err := f.DB.Flagger(ctx, from.Flagger)
	if rempart.KindOf(err) == rempart.NotFound && err != nil { // no longer in the list
		return rempart.FlaggerStopped, nil
	}
	if err != nil {
		return "", err
	}
	return e.Covers(n, f.Now()), nil
}
