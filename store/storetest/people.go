package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"rempart"
)

func peers(e *env) {
	p := rempart.Peer{ID: "forum", Name: "Forum Exemple", Kind: rempart.PeerPlatform, URL: "https://forum.exemple.test", CreatedAt: e.now()}
	out := rempart.Credentials{Key: "the key we go out with", Secret: "whsec_secret"}
	e.ok(e.db.PutPeer(e.ctx, p, "the key it comes in with", &out))
	for name, get := range map[string]func() (rempart.Peer, error){
		"id":  func() (rempart.Peer, error) { return e.db.Peer(e.ctx, "forum") },
		"key": func() (rempart.Peer, error) { return e.db.PeerByKey(e.ctx, "the key it comes in with") },
	} {
		got, err := get()
		e.ok(err)
		if d := cmp.Diff(p, got); d != "" {
			e.Errorf("peer by %s (-put +got):\n%s", name, d)
		}
	}
	if c, err := e.db.Credentials(e.ctx, "forum"); err != nil || !cmp.Equal(c, out) {
		e.Errorf("credentials were not given back (%v)", err)
	}
	// What is not given is kept.
	p.Name = "Forum Exemple, renamed"
	e.ok(e.db.PutPeer(e.ctx, p, "", nil))
	if got, err := e.db.PeerByKey(e.ctx, "the key it comes in with"); err != nil || got.Name != p.Name {
		e.Errorf("after a change without a key: %+v, %v", got, err)
	}
	if c, err := e.db.Credentials(e.ctx, "forum"); err != nil || !cmp.Equal(c, out) {
		e.Errorf("credentials were not kept (%v)", err)
	}
	// A new key replaces the old one.
	e.ok(e.db.PutPeer(e.ctx, p, "a newer key", nil))
	_, err := e.db.PeerByKey(e.ctx, "the key it comes in with")
	e.kind(err, rempart.Unauthorized)
	_, err = e.db.PeerByKey(e.ctx, "")
	e.kind(err, rempart.Unauthorized)
	e.ok(e.db.PutPeer(e.ctx, rempart.Peer{ID: "quiet", Kind: rempart.PeerPartner}, "", nil))
	_, err = e.db.PeerByKey(e.ctx, "")
	e.kind(err, rempart.Unauthorized)
	_, err = e.db.Credentials(e.ctx, "quiet")
	e.kind(err, rempart.NotFound)
	_, err = e.db.Peer(e.ctx, "nobody")
	e.kind(err, rempart.NotFound)
	p.DisabledAt = e.now()
	e.ok(e.db.PutPeer(e.ctx, p, "", nil))
	_, err = e.db.PeerByKey(e.ctx, "a newer key")
	e.kind(err, rempart.Unauthorized)
	if every, err := e.db.Peers(e.ctx); err != nil || len(every) != 2 || every[0].ID != "forum" {
		e.Errorf("peers: %v, %v", every, err)
	}
}

func services(e *env) {
	s := rempart.Service{ID: "forum", Name: "Forum Exemple", Hosts: []string{"forum.exemple.test"}, PeerID: "forum", Lang: "fr", CheckedAt: "2026-03-14"}
	e.ok(e.db.PutService(e.ctx, s))
	s.Lang = "en"
	e.ok(e.db.PutService(e.ctx, s))
	got, err := e.db.Service(e.ctx, "forum")
	e.ok(err)
	if d := cmp.Diff(s, got); d != "" {
		e.Errorf("service (-put +got):\n%s", d)
	}
	_, err = e.db.Service(e.ctx, "nobody")
	e.kind(err, rempart.NotFound)
	if every, err := e.db.Services(e.ctx); err != nil || len(every) != 1 {
		e.Errorf("services: %v, %v", every, err)
	}
	e.ok(e.db.RemoveService(e.ctx, "forum"))
	e.kind(e.db.RemoveService(e.ctx, "forum"), rempart.NotFound)
	if every, err := e.db.Services(e.ctx); err != nil || len(every) != 0 {
		e.Errorf("services after the only one was removed: %v, %v", every, err)
	}
}

var someone = rempart.Staff{ID: "staff-1", Login: "Ada@exemple.test", Alias: "analyst-1", Role: rempart.RoleAnalyst}

func staff(e *env) {
	e.ok(e.db.PutStaff(e.ctx, someone, "correct horse"))
	got, err := e.db.CheckPassword(e.ctx, " ada@EXEMPLE.test ", "correct horse")
	e.ok(err)
	if d := cmp.Diff(someone, got); d != "" {
		e.Errorf("staff (-put +got):\n%s", d)
	}
	for _, c := range [][2]string{{"ada@exemple.test", "correct horsf"}, {"ada@exemple.test", ""}, {"nobody@exemple.test", "correct horse"}} {
		_, err := e.db.CheckPassword(e.ctx, c[0], c[1])
		e.kind(err, rempart.Unauthorized)
	}
	// "" keeps the password; for somebody new it forbids to sign in by one.
	e.ok(e.db.PutStaff(e.ctx, someone, ""))
	_, err = e.db.CheckPassword(e.ctx, someone.Login, "correct horse")
	e.ok(err)
	e.ok(e.db.PutStaff(e.ctx, rempart.Staff{ID: "staff-2", Login: "grace"}, ""))
	_, err = e.db.CheckPassword(e.ctx, "grace", "")
	e.kind(err, rempart.Unauthorized)
	e.kind(e.db.PutStaff(e.ctx, rempart.Staff{ID: "staff-3", Login: "GRACE"}, ""), rempart.Conflict)
	// A new password ends the sessions; a disabled account neither signs in nor
	// has a session.
	token, err := e.db.StartSession(e.ctx, someone.ID)
	e.ok(err)
	e.ok(e.db.PutStaff(e.ctx, someone, "battery staple"))
	_, err = e.db.Session(e.ctx, token)
	e.kind(err, rempart.Unauthorized)
	_, err = e.db.CheckPassword(e.ctx, someone.Login, "correct horse")
	e.kind(err, rempart.Unauthorized)
	token, err = e.db.StartSession(e.ctx, someone.ID)
	e.ok(err)
	link, err := e.db.NewLink(e.ctx, someone.ID, time.Hour)
	e.ok(err)
	gone := someone
	gone.DisabledAt = e.now()
	e.ok(e.db.PutStaff(e.ctx, gone, ""))
	_, err = e.db.CheckPassword(e.ctx, someone.Login, "battery staple")
	e.kind(err, rempart.Unauthorized)
	_, err = e.db.Session(e.ctx, token)
	e.kind(err, rempart.Unauthorized)
	_, err = e.db.UseLink(e.ctx, link)
	e.kind(err, rempart.Unauthorized)
	_, err = e.db.StartSession(e.ctx, someone.ID)
	e.kind(err, rempart.Forbidden)
	_, err = e.db.NewLink(e.ctx, "nobody", time.Hour)
	e.kind(err, rempart.NotFound)
	if every, err := e.db.AllStaff(e.ctx); err != nil || len(every) != 2 {
		e.Errorf("staff: %v, %v", every, err)
	}
}

func wrongPasswords(e *env) {
	e.ok(e.db.PutStaff(e.ctx, someone, "correct horse"))
	for _, login := range []string{someone.Login, "nobody@exemple.test"} { // both alike
		for range 5 {
			_, err := e.db.CheckPassword(e.ctx, login, "wrong")
			e.kind(err, rempart.Unauthorized)
		}
		for _, password := range []string{"wrong", "correct horse"} {
			_, err := e.db.CheckPassword(e.ctx, login, password)
			e.kind(err, rempart.Unavailable)
			if err == nil || !strings.Contains(err.Error(), "wait") {
				e.Errorf("too many tries: %v", err)
			}
		}
	}
	// Waiting helps, and what was refused meanwhile did not count.
	e.advance(time.Second)
	_, err := e.db.CheckPassword(e.ctx, someone.Login, "wrong")
	e.kind(err, rempart.Unauthorized)
	e.advance(time.Second)
	_, err = e.db.CheckPassword(e.ctx, someone.Login, "correct horse")
	e.kind(err, rempart.Unavailable)
	e.advance(time.Second)
	_, err = e.db.CheckPassword(e.ctx, someone.Login, "correct horse")
	e.ok(err)
	// The right password forgets the wrong ones.
	_, err = e.db.CheckPassword(e.ctx, someone.Login, "wrong")
	e.kind(err, rempart.Unauthorized)
	_, err = e.db.CheckPassword(e.ctx, someone.Login, "correct horse")
	e.ok(err)
	// Many at once get no more tries than one after the other, and the wait is
	// never longer than five minutes.
	refused := 0
	for _, err := range together(12, func(int) error {
		_, err := e.db.CheckPassword(e.ctx, someone.Login, "wrong")
		return err
	}) {
		if rempart.KindOf(err) == rempart.Unavailable {
			refused++
		}
	}
	if refused != 7 {
		e.Errorf("%d of 12 tries at once were refused, want 7", refused)
	}
	for range 12 {
		e.advance(5 * time.Minute)
		_, err := e.db.CheckPassword(e.ctx, someone.Login, "wrong")
		e.kind(err, rempart.Unauthorized)
	}
	e.advance(5 * time.Minute)
	_, err = e.db.CheckPassword(e.ctx, someone.Login, "correct horse")
	e.ok(err)
}

func links(e *env) {
	e.ok(e.db.PutStaff(e.ctx, someone, ""))
	token, err := e.db.NewLink(e.ctx, someone.ID, time.Hour)
	e.ok(err)
	used := 0
	for _, err := range together(8, func(int) error {
		s, err := e.db.UseLink(e.ctx, token)
		if err == nil && s.ID != someone.ID {
			return fmt.Errorf("the link signs in %q", s.ID)
		}
		return err
	}) {
		if err == nil {
			used++
			continue
		}
		e.kind(err, rempart.Unauthorized)
	}
	if used != 1 {
		e.Errorf("one link was used %d times", used)
	}
	old, err := e.db.NewLink(e.ctx, someone.ID, time.Hour)
	e.ok(err)
	e.advance(time.Hour)
	_, err = e.db.UseLink(e.ctx, old)
	e.kind(err, rempart.Unauthorized)
	_, err = e.db.UseLink(e.ctx, "")
	e.kind(err, rempart.Unauthorized)
}

func sessions(e *env) {
	e.ok(e.db.PutStaff(e.ctx, someone, ""))
	start := func() string {
		e.Helper()
		token, err := e.db.StartSession(e.ctx, someone.ID)
		e.ok(err)
		return token
	}
	token := start()
	s, err := e.db.Session(e.ctx, token)
	e.ok(err)
	if d := cmp.Diff(someone, s.Staff); d != "" {
		e.Errorf("holder of the session (-want +got):\n%s", d)
	}
	// Used now and then, it lives to its greatest age and no longer.
	idle := rempart.SessionIdle - time.Second
	lived := time.Duration(0)
	for ; lived+idle < rempart.SessionMax; lived += idle {
		e.advance(idle)
		if _, err := e.db.Session(e.ctx, token); err != nil {
			e.Fatalf("after %v of use: %v", lived+idle, err)
		}
	}
	e.advance(rempart.SessionMax - lived)
	_, err = e.db.Session(e.ctx, token)
	e.kind(err, rempart.Unauthorized)
	// Unused, it ends.
	token = start()
	e.advance(rempart.SessionIdle)
	_, err = e.db.Session(e.ctx, token)
	e.kind(err, rempart.Unauthorized)
	// Ended, it stays so.
	token = start()
	e.ok(e.db.EndSession(e.ctx, token))
	e.ok(e.db.EndSession(e.ctx, token))
	_, err = e.db.Session(e.ctx, token)
	e.kind(err, rempart.Unauthorized)
	_, err = e.db.Session(e.ctx, "")
	e.kind(err, rempart.Unauthorized)
	// Many requests at once are no trouble.
	token = start()
	e.advance(time.Minute)
	for _, err := range together(8, func(int) error { _, err := e.db.Session(e.ctx, token); return err }) {
		e.ok(err)
	}
}
