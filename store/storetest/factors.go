package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/store"
)

// factors gives, uses and takes back what somebody proves who she is with.
func factors(e *env) {
	e.ok(e.db.PutStaff(e.ctx, someone, ""))
	said := func(kind string) rempart.Event {
		return rempart.Event{Kind: kind, Subject: someone.ID, Actor: someone.Alias, At: e.now()}
	}
	f := rempart.Factor{ID: "f1", StaffID: someone.ID, Kind: rempart.FactorTOTP, Name: "telephone", CreatedAt: e.now()}
	e.ok(e.db.AddFactor(e.ctx, f, []byte("a shared key"), said("staff.factor_added")))
	e.kind(e.db.AddFactor(e.ctx, f, []byte("another"), said("staff.factor_added")), rempart.Conflict)
	other := f
	other.ID, other.StaffID = "f2", "nobody"
	e.kind(e.db.AddFactor(e.ctx, other, []byte("x"), said("staff.factor_added")), rempart.NotFound)

	got, err := e.db.Factors(e.ctx, someone.ID)
	e.ok(err)
	if d := cmp.Diff([]store.FactorSecret{{Factor: f, Secret: []byte("a shared key")}}, got); d != "" {
		e.Errorf("factors (-want +got):\n%s", d)
	}
	// A code counts once, and none before it any more.
	e.ok(e.db.UseFactor(e.ctx, f, 7, nil))
	for _, step := range []int64{7, 6, 0} {
		e.kind(e.db.UseFactor(e.ctx, f, step, nil), rempart.Unauthorized)
	}
	n := 0
	for _, err := range together(8, func(int) error { return e.db.UseFactor(e.ctx, f, 8, nil) }) {
		if err == nil {
			n++
		}
	}
	if n != 1 {
		e.Errorf("one code was taken %d times", n)
	}
	// Passkeys without a counter say 0 each time; what is kept of them changes.
	key := rempart.Factor{ID: "f3", StaffID: someone.ID, Kind: rempart.FactorPasskey, CreatedAt: e.now().Add(time.Second)}
	e.ok(e.db.AddFactor(e.ctx, key, []byte("credential"), said("staff.factor_added")))
	e.ok(e.db.UseFactor(e.ctx, key, 0, []byte("credential, newer")))
	e.ok(e.db.UseFactor(e.ctx, key, 0, nil))
	if got, err := e.db.Factors(e.ctx, someone.ID); err != nil || len(got) != 2 || string(got[1].Secret) != "credential, newer" || got[1].UsedAt.IsZero() {
		e.Errorf("factors %+v, %v", got, err)
	}
	for k := range rempart.MaxFactors - 2 {
		f.ID = fmt.Sprint("more", k)
		e.ok(e.db.AddFactor(e.ctx, f, []byte("x"), said("staff.factor_added")))
	}
	f.ID = "one too many"
	e.kind(e.db.AddFactor(e.ctx, f, []byte("x"), said("staff.factor_added")), rempart.Conflict)

	if n, err := e.db.RemoveFactors(e.ctx, someone.ID, "f3", said("staff.factor_removed")); n != 1 || err != nil {
		e.Errorf("%d removed, %v", n, err)
	}
	if n, err := e.db.RemoveFactors(e.ctx, someone.ID, "", said("staff.factor_removed")); n != rempart.MaxFactors-1 || err != nil {
		e.Errorf("%d removed, %v", n, err)
	}
	if n, err := e.db.RemoveFactors(e.ctx, someone.ID, "", said("staff.factor_removed")); n != 0 || err != nil {
		e.Errorf("%d removed, %v", n, err)
	}
	events, err := e.db.Events(e.ctx, someone.ID)
	if err != nil || len(events) != rempart.MaxFactors+2 {
		e.Errorf("%d events, want one for each addition and each removal: %v", len(events), err)
	}

	// A proof counts for its session alone.
	one, err := e.db.StartSession(e.ctx, someone.ID)
	e.ok(err)
	two, err := e.db.StartSession(e.ctx, someone.ID)
	e.ok(err)
	e.ok(e.db.ProveSession(e.ctx, one))
	for token, want := range map[string]time.Time{one: e.now(), two: {}} {
		if s, err := e.db.Session(e.ctx, token); err != nil || !s.Proved.Equal(want) {
			e.Errorf("proved at %v, want %v: %v", s.Proved, want, err)
		}
	}
	if n, err := e.db.EndOtherSessions(e.ctx, someone.ID, one); n != 1 || err != nil {
		e.Errorf("%d other sessions ended, %v", n, err)
	}
	_, err = e.db.Session(e.ctx, two)
	e.kind(err, rempart.Unauthorized)

	for range 30 {
		if err = e.db.CountTry(e.ctx, "second factor"); err != nil {
			break
		}
	}
	e.kind(err, rempart.Unavailable)
	e.ok(e.db.CountTry(e.ctx, "another"))
	e.ok(e.db.ForgetTries(e.ctx, "second factor"))
	e.ok(e.db.CountTry(e.ctx, "second factor"))

	e.ok(e.db.Spend(e.ctx, "challenge"))
	if err := e.db.Spend(e.ctx, "challenge"); !errors.Is(err, store.ErrAlready) {
		e.Errorf("spent twice: %v", err)
	}
}
