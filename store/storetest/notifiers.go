package storetest

import (
	"fmt"
	"time"

	"rempart"
)

// places checks what intakes are queued, found and counted by, beside themselves:
// tasks, addresses, codes, and who sent them.
func places(e *env) {
	nobody := rempart.Peer{Name: "Ada"}
	receive := func(k int, email string) *rempart.Intake {
		e.Helper()
		n := e.notice(2)
		n.Notifier.Email = email
		i, err := rempart.Receive(n, fmt.Sprint("form:", k), nobody, e.now())
		e.ok(err)
		i.GiveCode(fmt.Sprint("hash-", k))
		i, _, err = e.db.CreateIntake(e.ctx, i)
		e.ok(err)
		e.advance(time.Minute)
		return i
	}
	first, second := receive(1, "ada@exemple.test"), receive(2, " ADA@exemple.test")
	receive(3, "grace@exemple.test")
	at, err := e.db.IntakesAt(e.ctx, "https://forum.exemple.test/0", 10)
	e.ok(err)
	if len(at) != 3 || at[1].ID != second.ID || at[2].ID != first.ID {
		e.Errorf("%d intakes at an address, want three, the newest first", len(at))
	}
	if at, err = e.db.IntakesAt(e.ctx, "https://forum.exemple.test/nowhere", 10); err != nil || len(at) != 0 {
		e.Errorf("%d intakes at another address, %v", len(at), err)
	}
	found, err := e.db.IntakeByCode(e.ctx, "hash-2")
	if err != nil || found.ID != second.ID {
		e.Errorf("by its code: %v", err)
	}
	_, err = e.db.IntakeByCode(e.ctx, "hash-9")
	e.kind(err, rempart.NotFound)

	refused := rempart.Decision{Measure: rempart.MeasureRefused, Unfounded: true, Ground: "law", Facts: "une page de test", Explanation: "une explication assez longue", Redress: []string{"court"}}
	e.ok(e.db.UpdateIntake(e.ctx, first.ID, func(i *rempart.Intake) error {
		for _, n := range i.Notice.Items {
			if err := i.Decide(n.ID, refused, "moderator-1", e.now()); err != nil {
				return err
			}
		}
		return i.OpenReferral("un motif de test", "moderator-1", e.now())
	}))
	m, err := e.db.Misuse(e.ctx, "", first.Notice)
	if want := (rempart.Misuse{Notices: 2, Decided: 1, Unfounded: 1}); err != nil || m != want {
		e.Errorf("misuse %+v, %v, want %+v", m, err, want)
	}
	tasks, err := e.db.IntakeTasks(e.ctx, 10)
	if err != nil || len(tasks) != 1 || tasks[0].Kind != rempart.IntakeReferral || tasks[0].Intake.ID != first.ID || !tasks[0].Since.Equal(e.now()) {
		e.Errorf("tasks %+v, %v", tasks, err)
	}
	e.ok(e.db.UpdateIntake(e.ctx, first.ID, func(i *rempart.Intake) error { return i.CloseReferral(true, "une autorité", "moderator-1", e.now()) }))
	if n, err := e.db.CountIntakeTasks(e.ctx); err != nil || n != 0 {
		e.Errorf("%d tasks left, %v", n, err)
	}

	event := rempart.Event{Kind: "notifier.warn", Subject: first.ID, Actor: "moderator-1", At: e.now()}
	warn := func(m *rempart.NotifierMeasure) error { return m.Warn("un motif de test", "moderator-1", e.now()) }
	e.ok(e.db.ChangeMeasure(e.ctx, "", first.Notice, event, warn))
	for _, i := range []*rempart.Intake{first, second} {
		if x, err := e.db.Measure(e.ctx, "", i.Notice); err != nil || x.Warning == "" {
			e.Errorf("measure %+v, %v", x, err)
		}
	}
	if x, err := e.db.Measure(e.ctx, "hub", first.Notice); err != nil || x.Warning != "" {
		e.Errorf("a peer is taken for who wrote the same address: %+v, %v", x, err)
	}
	e.kind(e.db.ChangeMeasure(e.ctx, "", rempart.Notice{}, event, warn), rempart.Conflict)

	list := []rempart.Flagger{{ID: "b", Name: "B"}, {ID: "a", Name: "A"}}
	e.ok(e.db.PutFlaggers(e.ctx, list, event))
	e.ok(e.db.PutFlaggers(e.ctx, list[1:], event))
	if all, err := e.db.Flaggers(e.ctx); err != nil || len(all) != 1 || all[0].Name != "A" {
		e.Errorf("%+v, %v", all, err)
	}
	_, err = e.db.Flagger(e.ctx, "b")
	e.kind(err, rempart.NotFound)
}
