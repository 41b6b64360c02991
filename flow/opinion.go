package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"rempart"
	"rempart/exchange"
	"rempart/store"
)

// A Remark is what a partner says of an entry that matched, named by its number,
// its identifier, or its type and value.
type Remark struct {
	Num uint64 // of the entry, as a match gives it; 0: not by this
	ID  string // of an entry of ours, as the feed gives it; "": not by this
	rempart.Opinion
}

// Opine keeps what a partner says of fingerprints in lists that it may know of, and
// returns how many opinions were kept: others are passed over. One that speaks
// against a fingerprint stops its matching until somebody decides, see
// [store.DB.PutOpinions]. What is said of the entry of a hub that is followed is
// told to that hub too.
func (f *Flow) Opine(ctx context.Context, by rempart.Peer, remarks []Remark) (int, error) {
	if _, err := f.index.catchUp(ctx); err != nil {
		return 0, err
	}
	lists := by.MayRead()
	var all []store.Said
	var jobs []rempart.Job
	for k, r := range remarks {
		o, err := r.Opinion.Normal()
		if err != nil {
			return 0, within1(err, k)
		}
		o.PeerID, o.Name, o.At = by.ID, by.Name, f.Now()
		said, err := f.about(ctx, r, o, lists)
		if err != nil {
			return 0, within1(err, k)
		}
		if said == nil {
			continue
		}
		all = append(all, *said)
		tell, err := f.forward(*said)
		if err != nil {
			return 0, err
		}
		jobs = append(jobs, tell...)
	}
	if err := f.DB.PutOpinions(ctx, by, all, jobs); err != nil {
		return 0, err
	}
	f.Wake()
	return len(all), nil
}

// within1 says which of the opinions is at fault.
func within1(err error, k int) error {
	var e *rempart.Error
	if errors.As(err, &e) && e.Kind == rempart.Invalid {
		return &rempart.Error{Kind: e.Kind, Code: e.Code, Args: e.Args, Public: e.Public, Field: fmt.Sprintf("opinions[%d].%s", k, e.Field)}
	}
	return err
}

// about finds what an opinion is about; nil where it is nothing that the partner
// may know of.
func (f *Flow) about(ctx context.Context, r Remark, o rempart.Opinion, lists []string) (*store.Said, error) {
	said := &store.Said{Opinion: o}
	if r.Num > 0 || r.ID != "" {
		c, err := f.DB.EntryOf(ctx, store.EntryRef{ID: r.ID})
		if r.Num > 0 {
			c, err = f.DB.EntryByNum(ctx, r.Num)
		}
		if rempart.KindOf(err) == rempart.NotFound || err == nil && !shared(c.Entry.State) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(lists, c.Entry.List) {
			return nil, nil
		}
		said.Fingerprint = rempart.Fingerprint{Type: c.Entry.Fingerprint.Type, Value: c.Entry.Fingerprint.Value}
		said.Entries = f.alike(c)
		if said.Entries[c.Entry.List] == nil { // it does not match at present
			said.Entries = map[string][]store.EntryRef{c.Entry.List: {{Peer: c.Peer, ID: c.Entry.ID}}}
		}
	} else {
		n, err := rempart.Fingerprint{Type: o.Fingerprint.Type, Value: o.Fingerprint.Value}.Normal()
		if err != nil {
			return nil, err
		}
		said.Fingerprint, said.Entries = n, f.index.listed(n)
		if len(said.Entries) == 0 { // one of ours that does not match at present
			held, err := f.DB.SameValue(ctx, []rempart.Fingerprint{n}, lists)
			if err != nil {
				return nil, err
			}
			for _, e := range held {
				if e.Fingerprint.Type == n.Type && shared(e.State) {
					said.Entries[e.List] = append(said.Entries[e.List], store.EntryRef{ID: e.ID})
				}
			}
		}
	}
	for list := range said.Entries {
		if !slices.Contains(lists, list) {
			delete(said.Entries, list)
		}
	}
	if len(said.Entries) == 0 {
		return nil, nil
	}
	return said, nil
}

// shared tells whether an entry in this state is in a list that partners know.
func shared(s rempart.EntryState) bool {
	return s == rempart.EntryActive || s == rempart.EntryDisputed || s == rempart.EntryQuarantined
}

// jobOpinion tells a hub what one of our partners, or our own platform, says of an
// entry of its list; Subject is the hub, Payload an [exchange.Opinion].
const jobOpinion = "opinion.tell"

// forward returns the jobs that tell the hubs of the entries an opinion is about.
// Whose opinion it is they are not told: to them it is ours.
func (f *Flow) forward(o store.Said) (out []rempart.Job, err error) {
	for list, refs := range o.Entries {
		for _, e := range refs {
			if e.Peer == "" || rempart.IsSource(e.Peer) {
				continue
			}
			b, err := json.Marshal(exchange.Opinion{ID: e.ID, Opinion: o.Value, Tags: o.Tags, Seen: o.Seen})
			if err != nil {
				return nil, fmt.Errorf("flow: write opinion: %w", err)
			}
			out = append(out, rempart.Job{Kind: jobOpinion, Subject: e.Peer, Payload: string(b), RunAt: o.At,
				Key: "opinion:" + e.Peer + ":" + list + ":" + e.ID + ":" + rempart.NewID(o.At)})
		}
	}
	return out, nil
}

func (f *Flow) tellOpinion(ctx context.Context, claim store.Claim) (*exchange.Failure, error) {
	var o exchange.Opinion
	if err := json.Unmarshal([]byte(claim.Job.Payload), &o); err != nil {
		return nil, fmt.Errorf("flow: payload of job %d: %w", claim.ID, err)
	}
	p, err := f.DB.Peer(ctx, claim.Job.Subject)
	if err != nil || p.URL == "" {
		return nil, err
	}
	cred, err := f.DB.Credentials(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	var fail *exchange.Failure
	if _, err := exchange.SendOpinions(ctx, f.Client, p.URL, cred.Key, []exchange.Opinion{o}); err != nil && !errors.As(err, &fail) {
		return nil, err
	}
	return fail, ctx.Err()
}

// DecideListTask does what somebody of the staff decided about a fingerprint.
func (f *Flow) DecideListTask(ctx context.Context, id string, what rempart.TaskDecision, by rempart.Actor) error {
	k, entries, err := f.DB.ListTask(ctx, id)
	if err != nil {
		return err
	}
	silence, err := f.SeenOf(ctx, k)
	if err != nil {
		return err
	}
	if !slices.Contains(k.Decisions(len(silence) > 0), what) {
		return &rempart.Error{Kind: rempart.Invalid, Field: "decision", Code: "list_task.decision", Public: "This cannot be decided of this fingerprint."}
	}
	if what != rempart.TaskSilence {
		silence = nil
	}
	if err := f.DB.DecideListTask(ctx, id, what, by, silence); err != nil {
		return err
	}
	if what == rempart.TaskOff {
		for _, c := range entries {
			if c.Peer == "" {
				if err := f.emptied(ctx, c.Entry, by); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// SeenOf returns what partners say that they had looked up where a fingerprint
// matched and is not the same picture, as far as it may enter a list.
func (f *Flow) SeenOf(ctx context.Context, k rempart.ListTask) (out []rempart.Fingerprint, err error) {
	if k.Kind != rempart.EntryDisputed {
		return nil, nil
	}
	all, err := f.DB.Opinions(ctx, []rempart.Fingerprint{k.Fingerprint})
	for _, o := range all {
		if o.Against() && o.Seen != nil && o.Seen.Listable() && o.Seen.Type != rempart.VPDQ && o.Seen.Value != k.Fingerprint.Value {
			out = append(out, *o.Seen)
		}
	}
	return out, err
}
