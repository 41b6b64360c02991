package flow

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/store"
)

// jobPublished tells a hub that an upload which matched one of its entries is
// online; Subject is the peer, Payload the callback, sealed for the job's key, as
// it holds an address.
const jobPublished = "publication.tell"

// published tells, once for each upload and item that matched, whatever action was
// recommended, that a copy is online: a case of ours is changed at once, another
// hub is told by a job. What came from elsewhere, without a case, has nobody to
// tell.
func (f *Flow) published(ctx context.Context, results []Result, up Upload) error {
	now := f.Now()
	upload := up.Key
	if upload == "" {
		upload = rempart.NewID(now)
	}
	for k, m := range nearestOf(results, func(m rempart.Match) bool { return m.CaseRef != "" && m.Class != rempart.ClassModelWeights }) {
		mac := hmac.New(sha256.New, f.DB.Secret("stop"))
		fmt.Fprintf(mac, "published %q %q %q", up.Peer, upload, k)
		key := "published:" + hex.EncodeToString(mac.Sum(nil))
		stop := &exchange.Stop{CaseRef: m.CaseRef, Item: m.ItemID, List: m.List, Type: m.Type, Distance: m.Distance, Address: up.Published}
		if m.CaseID != "" {
			if err := f.takeUp(ctx, m.CaseID, up.Peer, key, stop, now, now); err != nil {
				return err
			}
			continue
		}
		if m.PeerID == "" || rempart.IsSource(m.PeerID) {
			continue
		}
		payload, err := json.Marshal(exchange.Callback{Type: rempart.CallbackPublished, At: now, Stop: stop})
		if err != nil {
			return fmt.Errorf("flow: write what is published: %w", err)
		}
		sealed, err := f.DB.SealText(string(payload), key)
		if err != nil {
			return err
		}
		err = f.DB.Commit(ctx, key, rempart.Consequences{
			Jobs: []rempart.Job{{Kind: jobPublished, Subject: m.PeerID, Key: key, Payload: sealed, RunAt: now}},
			Events: []rempart.Event{{Kind: "upload.published", Subject: m.EntryID, Actor: rempart.ActorPlatform + rempart.Actor(up.Peer), At: now,
				Data: map[string]string{"list": m.List, "distance": fmt.Sprint(m.Distance), "form": m.Form}}},
		})
		if err != nil && !errors.Is(err, store.ErrAlready) {
			return err
		}
	}
	f.Wake()
	return nil
}

func (f *Flow) tellPublished(ctx context.Context, claim store.Claim) (*exchange.Failure, error) {
	payload, err := f.DB.OpenText(claim.Job.Payload, claim.Job.Key)
	if err != nil {
		return nil, err
	}
	var cb exchange.Callback
	if err := json.Unmarshal([]byte(payload), &cb); err != nil {
		return nil, fmt.Errorf("flow: payload of job %d: %w", claim.ID, err)
	}
	p, err := f.DB.Peer(ctx, claim.Job.Subject)
	if err != nil || p.URL == "" {
		return nil, err
	}
	return f.callback(ctx, p, claim.Job.Key, cb)
}

// heardPublished acts on a platform's word that a copy is online.
func (f *Flow) heardPublished(ctx context.Context, from rempart.Peer, id string, cb exchange.Callback, now time.Time) error {
	if cb.Stop == nil || cb.Stop.Address == "" {
		return &rempart.Error{Kind: rempart.Invalid, Field: "stop", Code: "callback.address", Public: "A match.published message says in stop.address at which exact address the copy is."}
	}
	// First, so that what is answered about somebody else's address is the same for
	// a reference that is none.
	if err := f.ownAddress(ctx, cb.Stop.Address, from.ID); err != nil {
		return err
	}
	c, err := f.DB.CaseByRef(ctx, cb.Stop.CaseRef)
	if rempart.KindOf(err) == rempart.NotFound || err == nil && cb.Stop.Item == "" { // a reference alone opens no case
		return &rempart.Error{Kind: rempart.NotFound, Code: "stop.missing", Public: "No listed picture of ours fits this message."}
	}
	if err != nil {
		return err
	}
	seen := cb.At
	if seen.IsZero() || seen.After(now) {
		seen = now
	}
	err = f.takeUp(ctx, c.ID, from.ID, "callback:"+from.ID+":"+id, cb.Stop, seen, now)
	if err == nil {
		f.at("answer.saved")
		f.Wake()
	}
	return err
}

// ownAddress refuses the address of a service that is not the platform's, however
// it is written.
func (f *Flow) ownAddress(ctx context.Context, address, peer string) error {
	clean, err := rempart.CleanAddress(address)
	if err != nil {
		return &rempart.Error{Kind: rempart.Invalid, Field: "address", Code: "callback.address", Err: err, Public: "A match.published message says in stop.address at which exact address the copy is."}
	}
	s, err := f.serving(ctx, clean)
	if err != nil {
		return err
	}
	if s.ID != "" && s.PeerID != peer {
		return &rempart.Error{Kind: rempart.Invalid, Field: "address", Code: "callback.elsewhere", Public: "This address belongs to a service of somebody else. Tell of the copies on your own."}
	}
	return nil
}

// takeUp takes a copy that is online into the case of the item that it matched, or
// the one that carries its work, once for each key. A platform speaks for its own
// services alone: the address of another's is refused.
func (f *Flow) takeUp(ctx context.Context, caseID, peer, key string, stop *exchange.Stop, seen, now time.Time) error {
	if err := f.ownAddress(ctx, stop.Address, peer); err != nil {
		return err
	}
	item := stop.Item
	for range maxHops {
		c, err := f.DB.Case(ctx, caseID)
		if err != nil {
			return err
		}
		i := c.Item(item)
		switch {
		case i != nil && i.State == rempart.ItemFollowed:
			caseID, item = i.Follows.CaseID, i.Follows.ItemID
			continue
		case c.Merged != nil && (item == "" || i != nil && i.State == rempart.ItemProtected):
			caseID, item = c.Merged.CaseID, ""
			continue
		}
		break
	}
	err := f.DB.UpdateCase(ctx, caseID, key, func(c *rempart.Case) error {
		return c.Published(item, stop.Address, peer, stop.Distance, seen, now)
	})
	if errors.Is(err, store.ErrAlready) {
		return nil
	}
	return err
}
