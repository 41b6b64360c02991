package storetest

import (
	"fmt"
	"strings"
	"time"

	"rempart"
)

// peerKeys takes a key through its successor to its end.
func peerKeys(e *env) {
	p := rempart.Peer{ID: "forum", Name: "Forum", Kind: rempart.PeerPlatform, CreatedAt: e.now()}
	e.ok(e.db.PutPeer(e.ctx, p, "first", nil))
	opens := func(when string, want ...string) {
		e.Helper()
		var got []string
		for _, key := range []string{"first", "second", "third"} {
			x, err := e.db.PeerByKey(e.ctx, key)
			switch rempart.KindOf(err) {
			case rempart.Unauthorized:
				if strings.Contains(err.Error(), "ended on") {
					got = append(got, key+" ended")
				}
				continue
			}
			e.ok(err)
			if x.ID != "forum" {
				e.Errorf("%s: %s opens as %q", when, key, x.ID)
			}
			if x.KeyUntil.IsZero() {
				key += " for good"
			}
			got = append(got, key)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			e.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	opens("at first", "first for good")
	made := e.now()
	e.advance(24 * time.Hour)
	until := e.now().Add(7 * 24 * time.Hour)
	e.ok(e.db.RotateKey(e.ctx, "forum", "second", until, "admin"))
	opens("with a successor", "first", "second for good")
	all, err := e.db.PeerKeys(e.ctx, "forum")
	e.ok(err)
	day := e.now().UTC().Format(time.DateOnly)
	if len(all) != 2 || !all[0].Until.IsZero() || all[0].UsedOn != day || !all[1].Until.Equal(until.Truncate(time.Microsecond)) || !all[1].MadeAt.Equal(made) || all[1].UsedOn != day {
		e.Errorf("keys: %+v", all)
	}
	e.advance(7*24*time.Hour - time.Second)
	opens("a second before the end", "first", "second for good")
	e.advance(2 * time.Second)
	opens("after its end", "first ended", "second for good")

	e.ok(e.db.RotateKey(e.ctx, "forum", "third", e.now().Add(time.Hour), "admin"))
	opens("a third", "first ended", "second", "third for good")
	n, err := e.db.RevokeOldKeys(e.ctx, "forum", "admin")
	e.ok(err)
	if n != 1 {
		e.Errorf("%d keys were revoked, want 1", n)
	}
	opens("revoked", "first ended", "second ended", "third for good")
	p.DisabledAt = e.now()
	e.ok(e.db.PutPeer(e.ctx, p, "", nil))
	opens("disabled", "first ended", "second ended")
	p.DisabledAt = time.Time{}
	e.ok(e.db.RotateKey(e.ctx, "forum", "first of another day", e.now().Add(time.Hour), "admin"))
	e.ok(e.db.PutPeer(e.ctx, p, "given anew", nil)) // ends all the others at once
	opens("given anew")
	e.ok(e.db.PutPeer(e.ctx, rempart.Peer{ID: "keyless", Kind: rempart.PeerMail}, "", nil))
	e.kind(e.db.RotateKey(e.ctx, "keyless", "x", e.now(), "admin"), rempart.Conflict)
}

// copies holds that who reads lists by a protocol without confirmation is named, and
// never as one that confirmed.
func copies(e *env) {
	c := e.opened()
	e.update(c.ID, func(c *rempart.Case) error { return c.ConfirmFingerprint(medium(c).ID, "analyst-1", e.now()) })
	for _, id := range []string{"both", "mute", "other-list", "later"} {
		p := rempart.Peer{ID: id, Name: id, Kind: rempart.PeerPlatform, CreatedAt: e.now()}
		if id == "other-list" {
			p.Lists = []string{"model-weights"}
		}
		e.ok(e.db.PutPeer(e.ctx, p, "key-of-"+id, nil))
	}
	_, cursor := e.follow("")
	for range 2 {
		for _, id := range []string{"mute", "other-list", "both"} {
			e.ok(e.db.NoteCopy(e.ctx, id))
		}
	}
	e.ok(e.db.NoteReader(e.ctx, "both", cursor))
	e.update(c.ID, func(c *rempart.Case) error { return c.WithdrawFingerprint(medium(c).ID, "analyst-1", e.now()) })
	_, cursor = e.follow(cursor)
	e.ok(e.db.NoteCopy(e.ctx, "later"))
	e.ok(e.db.NoteReader(e.ctx, "both", cursor))
	all, err := e.db.Confirmations(e.ctx, c.ID)
	e.ok(err)
	var out []string
	for _, x := range all {
		out = append(out, fmt.Sprint(x.Peer, " ", x.Confirmed, " ", x.Mute))
	}
	if got := strings.Join(out, ", "); got != "both true false, mute false true" {
		e.Errorf("who has a copy: %s", got)
	}
}
