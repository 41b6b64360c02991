package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rempart"
	"rempart/store"
)

// sameCase compares cases but for what they carry to be saved.
var sameCase = cmp.Options{cmpopts.IgnoreUnexported(rempart.Case{}), cmpopts.EquateEmpty()}

func submit(e *env) {
	s := e.submission()
	r, c, created, err := e.db.Submit(e.ctx, s)
	e.ok(err)
	if !created {
		e.Error("a first report was not created")
	}
	if d := cmp.Diff(s.Report, r, cmpopts.EquateEmpty()); d != "" {
		e.Errorf("report saved differs (-sent +saved):\n%s", d)
	}
	for name, get := range map[string]func() (*rempart.Case, error){
		"id":   func() (*rempart.Case, error) { return e.db.Case(e.ctx, c.ID) },
		"ref":  func() (*rempart.Case, error) { return e.db.CaseByRef(e.ctx, c.Ref) },
		"code": func() (*rempart.Case, error) { return e.db.CaseByCode(e.ctx, s.CodeHash) },
	} {
		got, err := get()
		e.ok(err)
		if d := cmp.Diff(c, got, sameCase); d != "" {
			e.Errorf("case by %s differs (-saved +read):\n%s", name, d)
		}
	}
	if c.Version != 1 {
		e.Errorf("version %d of a new case, want 1", c.Version)
	}
	_, err = e.db.Case(e.ctx, "nobody")
	e.kind(err, rempart.NotFound)
	_, err = e.db.CaseByCode(e.ctx, "")
	e.kind(err, rempart.NotFound)
	_, err = e.db.CaseByNotice(e.ctx, "none")
	e.kind(err, rempart.NotFound)
	e.check()
	// Without a key nothing is the same report.
	s = e.submission()
	s.Key, s.Body, s.CodeHash = "", "", ""
	_, _, created, err = e.db.Submit(e.ctx, s)
	e.ok(err)
	s = e.submission()
	s.Key, s.Body, s.CodeHash = "", "", ""
	_, _, again, err := e.db.Submit(e.ctx, s)
	e.ok(err)
	if !created || !again {
		e.Error("a report without a key was taken for another")
	}
	e.check()
}

func submitKey(e *env) {
	first := e.submission()
	_, saved, _, err := e.db.Submit(e.ctx, first)
	e.ok(err)
	before := e.everything(saved.ID)
	second := e.submission()
	second.Key, second.Body, second.CodeHash = first.Key, first.Body, first.CodeHash
	r, c, created, err := e.db.Submit(e.ctx, second)
	e.ok(err)
	if created || r.ID != first.Report.ID || c.ID != saved.ID {
		e.Errorf("the same report again: created=%v, report %s, case %s, want those of the first, %s, %s", created, r.ID, c.ID, first.Report.ID, saved.ID)
	}
	third := e.submission()
	third.Key = first.Key
	_, _, _, err = e.db.Submit(e.ctx, third)
	e.kind(err, rempart.Conflict)
	var re *rempart.Error
	if !errors.As(err, &re) || re.Code != "report.key_reused" {
		e.Errorf("another report under the same key: %v, want code report.key_reused", err)
	}
	if d := cmp.Diff(before, e.everything(saved.ID), sameCase); d != "" {
		e.Errorf("repeating a report changed the case:\n%s", d)
	}
	if n := len(e.rows()); n != 1 {
		e.Errorf("%d cases, want 1", n)
	}
	e.check()
}

func submitTogether(e *env) {
	type answer struct {
		report, id string
		created    bool
		err        error
	}
	subs := make([]store.Submission, 8)
	for i := range subs {
		subs[i] = e.submission()
		subs[i].Key, subs[i].Body, subs[i].CodeHash = "one key", "one body", "one code"
	}
	created := 0
	answers := together(len(subs), func(i int) answer {
		r, c, created, err := e.db.Submit(e.ctx, subs[i])
		if err != nil {
			return answer{err: err}
		}
		return answer{r.ID, c.ID, created, nil}
	})
	for _, a := range answers {
		e.ok(a.err)
		if a.id != answers[0].id || a.report != answers[0].report {
			e.Errorf("two answers: case %s and case %s", a.id, answers[0].id)
		}
		if a.created {
			created++
		}
	}
	if created != 1 || len(e.rows()) != 1 {
		e.Errorf("%d of 8 say they created the case, and there are %d; want 1", created, len(e.rows()))
	}
	e.check()
}

// submitWhole lets a report fail after its case was written: a fingerprint of a
// type that no list takes.
func submitWhole(e *env) {
	good := e.submission()
	r := good.Report
	r.Media = append(r.Media, rempart.Medium{Fingerprints: []rempart.Fingerprint{{Type: "unheard-of", Value: "00"}}})
	bad := store.Submission{Report: r, Case: rempart.OpenCase(r), CodeHash: good.CodeHash, Key: good.Key, Body: good.Body}
	if _, _, _, err := e.db.Submit(e.ctx, bad); err == nil {
		e.Fatal("a report that can't be saved was saved")
	}
	_, err := e.db.Case(e.ctx, bad.Case.ID)
	e.kind(err, rempart.NotFound)
	_, err = e.db.CaseByCode(e.ctx, bad.CodeHash)
	e.kind(err, rempart.NotFound)
	if c, _ := e.follow(""); len(c) != 0 || len(e.rows()) != 0 {
		e.Errorf("a report that failed left %d entries and %d cases", len(c), len(e.rows()))
	}
	if j, err := e.db.Jobs(e.ctx, bad.Case.ID); err != nil || len(j) != 0 {
		e.Errorf("a report that failed left the jobs %v (%v)", j, err)
	}
	if ev, err := e.db.Events(e.ctx, bad.Case.ID); err != nil || len(ev) != 0 {
		e.Errorf("a report that failed left the events %v (%v)", ev, err)
	}
	// Its key, code and identifiers are free again.
	_, _, created, err := e.db.Submit(e.ctx, good)
	e.ok(err)
	if !created {
		e.Error("the report could not be sent again after it failed")
	}
	canceled, cancel := context.WithCancel(e.ctx)
	cancel()
	if _, _, _, err := e.db.Submit(canceled, e.submission()); !errors.Is(err, context.Canceled) {
		e.Errorf("a report sent in a context that is over: %v", err)
	}
	if n := len(e.rows()); n != 1 {
		e.Errorf("%d cases, want 1", n)
	}
	e.check()
}

func update(e *env) {
	c := e.opened()
	if c.Version != 2 || c.State != rempart.CaseOpen {
		e.Errorf("after one change: version %d, state %s", c.Version, c.State)
	}
	e.update(c.ID, func(c *rempart.Case) error {
		return c.ConfirmFingerprint(medium(c).ID, "analyst-1", e.now())
	})
	e.check()
	before := e.everything(c.ID)
	if before.Case.Version != 3 {
		e.Errorf("after two changes: version %d, want 3", before.Case.Version)
	}
	// What is already so changes nothing, and is no change.
	e.update(c.ID, func(c *rempart.Case) error {
		return c.ConfirmFingerprint(medium(c).ID, "analyst-2", e.now())
	})
	if d := cmp.Diff(before, e.everything(c.ID), sameCase); d != "" {
		e.Errorf("confirming twice changed something:\n%s", d)
	}
	err := e.db.UpdateCase(e.ctx, "nobody", "", func(*rempart.Case) error { e.Error("called for no case"); return nil })
	e.kind(err, rempart.NotFound)
}

func updateRefused(e *env) {
	c := e.opened()
	before := e.everything(c.ID)
	for name, f := range map[string]func(*rempart.Case) error{
		"without an event": func(c *rempart.Case) error { c.Words = "other words"; return nil },
		"of its identifier": func(c *rempart.Case) error {
			c.ID = rempart.NewID(e.now())
			return c.ConfirmQualification("rule-of-the-tests", "analyst-1", e.now())
		},
		"of its version": func(c *rempart.Case) error {
			c.Version = 77
			return c.ConfirmQualification("rule-of-the-tests", "analyst-1", e.now())
		},
	} {
		if err := e.db.UpdateCase(e.ctx, c.ID, "", f); err == nil {
			e.Errorf("a change %s was saved", name)
		}
	}
	if d := cmp.Diff(before, e.everything(c.ID), sameCase); d != "" {
		e.Errorf("a refused change left something:\n%s", d)
	}
}

// updateWhole lets changes fail in every way they can, at the beginning, in the
// middle and at the end.
func updateWhole(e *env) {
	c := e.opened()
	before := e.everything(c.ID)
	mine := errors.New("mine")
	confirm := func(c *rempart.Case) error {
		return c.ConfirmFingerprint(medium(c).ID, "analyst-1", e.now())
	}
	same := func(what string) {
		e.Helper()
		if d := cmp.Diff(before, e.everything(c.ID), sameCase); d != "" {
			e.Errorf("%s left something:\n%s", what, d)
		}
	}
	err := e.db.UpdateCase(e.ctx, c.ID, "once", func(c *rempart.Case) error { return errors.Join(confirm(c), mine) })
	if !errors.Is(err, mine) {
		e.Errorf("the error of f became %v", err)
	}
	same("an error")
	func() {
		defer func() {
			if r := recover(); r != mine {
				e.Errorf("the panic of f became %v", r)
			}
		}()
		e.db.UpdateCase(e.ctx, c.ID, "once", func(c *rempart.Case) error {
			e.ok(confirm(c))
			panic(mine)
		})
	}()
	same("a panic")
	err = e.db.UpdateCase(e.ctx, c.ID, "once", func(c *rempart.Case) error {
		medium(c).List = "no-such-list"
		return confirm(c)
	})
	if err == nil {
		e.Error("an entry entered a list that there is not")
	}
	same("an entry that can't be saved")
	ctx, cancel := context.WithCancel(e.ctx)
	err = e.db.UpdateCase(ctx, c.ID, "once", func(c *rempart.Case) error {
		cancel()
		return confirm(c)
	})
	if !errors.Is(err, context.Canceled) {
		e.Errorf("a change whose context ended: %v", err)
	}
	same("a context that ended")
	// Nothing of that spent the key, nor keeps the case locked.
	e.ok(e.db.UpdateCase(e.ctx, c.ID, "once", confirm))
	if got := e.load(c.ID); medium(got).State != rempart.ItemProtected {
		e.Errorf("the change that worked left the medium %s", medium(got).State)
	}
	e.check()
}

// updateTogether lets eight change one case at once: no change is lost, and of
// changes that exclude each other one wins.
func updateTogether(e *env) {
	c := e.opened()
	e.update(c.ID, func(c *rempart.Case) error {
		return c.ConfirmFingerprint(medium(c).ID, "analyst-1", e.now())
	})
	start := e.load(c.ID).Version
	for _, err := range together(8, func(i int) error {
		for range 5 {
			if err := e.db.UpdateCase(e.ctx, c.ID, "", func(c *rempart.Case) error {
				return c.Stopped(medium(c).ID, fmt.Sprint("peer-", i), i, e.now())
			}); err != nil {
				return err
			}
		}
		return nil
	}) {
		e.ok(err)
	}
	got := e.load(c.ID)
	if medium(got).Stops != 40 || got.Version != start+40 {
		e.Errorf("40 changes at once: %d stops, version %d, want 40 and %d", medium(got).Stops, got.Version, start+40)
	}
	won := 0
	address := got.Items[0].ID
	for _, err := range together(8, func(i int) error {
		return e.db.UpdateCase(e.ctx, c.ID, "", func(c *rempart.Case) error {
			return c.DropItem(address, "a reason", rempart.Actor(fmt.Sprint("analyst-", i)), e.now())
		})
	}) {
		if err == nil {
			won++
			continue
		}
		e.kind(err, rempart.Conflict)
	}
	events, err := e.db.Events(e.ctx, c.ID)
	e.ok(err)
	told := 0
	for _, v := range events {
		if v.Kind == "item.dropped" {
			told++
		}
	}
	if won != 1 || told != 1 {
		e.Errorf("%d of 8 dropped the item and %d events tell of it, want 1 and 1", won, told)
	}
	e.check()
}

func once(e *env) {
	c := e.opened()
	e.update(c.ID, func(c *rempart.Case) error { return c.ConfirmFingerprint(medium(c).ID, "analyst-1", e.now()) })
	var ran atomic.Int64
	done := 0
	for _, err := range together(8, func(i int) error {
		return e.db.UpdateCase(e.ctx, c.ID, "callback 1", func(c *rempart.Case) error {
			ran.Add(1)
			return c.Stopped(medium(c).ID, "peer-1", i, e.now())
		})
	}) {
		switch {
		case err == nil:
			done++
		case !errors.Is(err, store.ErrAlready):
			e.Errorf("a key spent before: %v, want ErrAlready", err)
		}
	}
	if got := medium(e.load(c.ID)).Stops; done != 1 || got != 1 || ran.Load() != 1 {
		e.Errorf("%d of 8 spent the key, f ran %d times, %d stops; want 1, 1 and 1", done, ran.Load(), got)
	}
	told := rempart.Consequences{Events: []rempart.Event{{Kind: "test.done", Subject: "subject", Actor: rempart.ActorSystem, At: e.now()}}}
	done = 0
	for _, err := range together(8, func(int) error { return e.db.Commit(e.ctx, "callback 2", told) }) {
		if err == nil {
			done++
		} else if !errors.Is(err, store.ErrAlready) {
			e.Errorf("a key spent before: %v, want ErrAlready", err)
		}
	}
	events, err := e.db.Events(e.ctx, "subject")
	e.ok(err)
	if done != 1 || len(events) != 1 {
		e.Errorf("%d of 8 committed and %d events are there, want 1 and 1", done, len(events))
	}
	if err := e.db.Commit(e.ctx, "callback 1", told); !errors.Is(err, store.ErrAlready) {
		e.Errorf("a key spent by a change of a case, then by Commit: %v, want ErrAlready", err)
	}
	e.ok(e.db.Commit(e.ctx, "", told))
	e.ok(e.db.Commit(e.ctx, "", told))
	e.check()
}

// wholeWay takes a case from the report to the last stop, and checks after each
// step that what belongs together was saved together.
func wholeWay(e *env) {
	c := e.submitted()
	e.check()
	var notice string
	at := func() time.Time { e.advance(time.Minute); return e.now() }
	d := rempart.Decision{Measure: rempart.MeasureRemoved, Ground: "law", Reference: "226-8-1", Facts: "une page de test", Explanation: "une explication assez longue", Redress: []string{"court"}}
	for _, step := range []struct {
		name string
		f    func(c *rempart.Case) error
	}{
		{"propose", func(c *rempart.Case) error { return e.propose(c, rempart.PriorityHigh) }},
		{"confirm qualification", func(c *rempart.Case) error {
			return c.ConfirmQualification("rule-of-the-tests", "analyst-1", at())
		}},
		{"confirm fingerprint", func(c *rempart.Case) error { return c.ConfirmFingerprint(medium(c).ID, "analyst-1", at()) }},
		{"prepare", func(c *rempart.Case) (err error) {
			notice, err = c.PrepareNotice(rempart.Service{ID: "forum", Name: "Forum Exemple", Lang: "fr"}, []string{c.Items[0].ID},
				"Une explication de plus de quarante caractères, pour un test.", rempart.Notifier{Name: "Association Exemple", Email: "contact@exemple.test"}, "analyst-1", at())
			return err
		}},
		{"edit", func(c *rempart.Case) error {
			return c.EditNotice(notice, "Une explication de plus de quarante caractères, relue.", true, "analyst-1", at())
		}},
		{"send", func(c *rempart.Case) error { return c.SendNotice(notice, "analyst-1", at()) }},
		{"failed try", func(c *rempart.Case) error {
			return c.NoticeAttemptFailed(notice, rempart.Attempt{At: at(), Status: 503, Next: at()}, at())
		}},
		{"accepted", func(c *rempart.Case) error {
			return c.NoticeAccepted(notice, "N-1", rempart.Attempt{At: at(), Status: 201}, at())
		}},
		{"accepted again", func(c *rempart.Case) error {
			return c.NoticeAccepted(notice, "N-1", rempart.Attempt{At: at(), Status: 201}, at())
		}},
		{"acknowledged", func(c *rempart.Case) error { return c.NoticeAcknowledged(notice, "N-1", "forum", at()) }},
		{"decided", func(c *rempart.Case) error {
			return c.NoticeDecided(notice, "N-1", "forum", map[string]rempart.Decision{c.Items[0].ID: d}, at())
		}},
		{"stopped", func(c *rempart.Case) error { return c.Stopped(medium(c).ID, "forum", 12, at()) }},
		{"withdrawn", func(c *rempart.Case) error { return c.WithdrawFingerprint(medium(c).ID, "analyst-1", at()) }},
		{"closed", func(c *rempart.Case) error { return c.Close("removed", "analyst-1", at()) }},
	} {
		if err := e.db.UpdateCase(e.ctx, c.ID, "", step.f); err != nil {
			e.Fatalf("%s: %v", step.name, err)
		}
		e.check()
		if e.Failed() {
			e.Fatalf("the above after the step %q", step.name)
		}
	}
	got, err := e.db.CaseByNotice(e.ctx, notice)
	e.ok(err)
	if got.ID != c.ID || got.State != rempart.CaseClosed || got.Items[0].State != rempart.ItemRemoved {
		e.Errorf("at the end the case is %s, its address %s", got.State, got.Items[0].State)
	}
	row := e.everything(c.ID).Row
	want := store.CaseRow{ID: c.ID, Ref: c.Ref, State: rempart.CaseClosed, Priority: rempart.PriorityHigh, Themes: c.Facts.Themes(), Items: 2, Stops: 1,
		Services: []string{"Forum Exemple"}, Articles: []string{"226-8-1"}, OpenedAt: c.OpenedAt, UpdatedAt: e.now()}
	if d := cmp.Diff(want, row); d != "" {
		e.Errorf("row of the queue (-want +got):\n%s", d)
	}
	_, err = e.db.Seal(e.ctx)
	e.ok(err)
	rep, err := e.db.VerifyLedger(e.ctx, nil)
	e.ok(err)
	if !rep.Whole || rep.Records == 0 {
		e.Errorf("the ledger after all that: %+v", rep)
	}
}
