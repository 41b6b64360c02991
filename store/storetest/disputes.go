package storetest

import (
	"fmt"
	"strings"
	"time"

	"rempart"
	"rempart/store"
)

// states returns the state of each of our entries, as readers of changes see it.
func (e *env) states() map[string]rempart.EntryState {
	e.Helper()
	all, _ := e.follow("")
	out := map[string]rempart.EntryState{}
	for _, c := range all {
		out[c.Entry.ID] = c.Entry.State
	}
	return out
}

func said(x rempart.Entry, value string) store.Said {
	return store.Said{Opinion: rempart.Opinion{Fingerprint: rempart.Fingerprint{Type: x.Fingerprint.Type, Value: x.Fingerprint.Value}, Value: value},
		Entries: map[string][]store.EntryRef{x.List: {{ID: x.ID}}}}
}

// disputes takes fingerprints through what partners say of them and what is
// decided.
func disputes(e *env) {
	forum, other := rempart.Peer{ID: "forum", Name: "Forum"}, rempart.Peer{ID: "other", Name: "Other"}
	all := e.own(2, rempart.EntryActive)
	a, b := all[0], all[1]
	_, place := e.follow("")
	e.ok(e.db.PutOpinions(e.ctx, forum, []store.Said{said(a, rempart.OpinionBlocked), said(b, rempart.OpinionNotBlocked)}, nil))
	if got := e.states(); got[a.ID] != rempart.EntryActive || got[b.ID] != rempart.EntryDisputed {
		e.Errorf("after one opinion for and one against: %v", got)
	}
	for _, x := range []struct {
		of   []string
		want bool
	}{{[]string{a.ID}, false}, {[]string{b.ID}, true}, {[]string{a.ID, b.ID}, false}, {nil, false}} {
		if got, err := e.db.Checked(e.ctx, x.of); err != nil || got != x.want {
			e.Errorf("the item of %v is being checked: %v %v, want %v", x.of, got, err, x.want)
		}
	}
	if moved, _ := e.follow(place); len(moved) != 1 || moved[0].Entry.ID != b.ID {
		e.Errorf("readers are told of %+v, want the disputed one", moved)
	}
	// Neither its case nor a second opinion changes that; and one task is enough.
	e.become(rempart.EntryActive, b)
	e.ok(e.db.PutOpinions(e.ctx, other, []store.Said{said(b, rempart.OpinionNotSame)}, nil))
	tasks, err := e.db.ListTasks(e.ctx, true, 10)
	e.ok(err)
	if got := e.states(); got[b.ID] != rempart.EntryDisputed || len(tasks) != 1 || tasks[0].Peer != "forum" || !tasks[0].Stopped || tasks[0].Kind != rempart.EntryDisputed {
		e.Errorf("%v with the tasks %+v", got, tasks)
	}
	// Another case with the same picture does not bring it back by the side.
	twin := b
	twin.ID = rempart.NewID(e.now())
	e.become(rempart.EntryActive, twin)
	if got := e.states(); got[twin.ID] != rempart.EntryDisputed {
		e.Errorf("the same fingerprint of another case is %q", got[twin.ID])
	}
	e.advance(time.Hour)
	e.ok(e.db.DecideListTask(e.ctx, tasks[0].ID, rempart.TaskKeep, "ana", nil))
	e.kind(e.db.DecideListTask(e.ctx, tasks[0].ID, rempart.TaskOff, "bea", nil), rempart.Conflict)
	after, _ := e.follow("")
	for _, c := range after {
		if c.Entry.State != rempart.EntryActive {
			e.Errorf("kept, and %s is %q", c.Entry.ID, c.Entry.State)
		}
		if c.Entry.ID == b.ID && !c.Entry.Since.Equal(e.now()) {
			e.Errorf("it matches again since %v; whoever follows would take that for old news", c.Entry.Since)
		}
	}
	// What was decided stands against the one who was heard, not against others.
	e.ok(e.db.PutOpinions(e.ctx, forum, []store.Said{said(b, rempart.OpinionNotSame)}, nil))
	if got := e.states(); got[b.ID] != rempart.EntryActive {
		e.Error("the same partner disputes again what was decided")
	}
	e.ok(e.db.PutOpinions(e.ctx, other, []store.Said{said(b, rempart.OpinionNotBlocked)}, nil))
	tasks, err = e.db.ListTasks(e.ctx, true, 10)
	e.ok(err)
	if got := e.states(); got[b.ID] != rempart.EntryDisputed || len(tasks) != 1 {
		e.Fatalf("another partner's opinion: %v, %d tasks", got, len(tasks))
	}
	e.ok(e.db.DecideListTask(e.ctx, tasks[0].ID, rempart.TaskOff, "bea", []rempart.Fingerprint{a.Fingerprint}))
	got := e.states()
	if got[b.ID] != rempart.EntryDeleted || got[twin.ID] != rempart.EntryDeleted || got[a.ID] != rempart.EntryActive {
		e.Errorf("taken off: %v", got)
	}
	if got["harmless."+a.Fingerprint.Key()] != rempart.EntryActive {
		e.Error("what was to silence matches is in no list")
	}
	// A withdrawal is the last word all the same.
	e.become(rempart.EntryWithdrawn, b)
	if got := e.states(); got[b.ID] != rempart.EntryWithdrawn {
		e.Errorf("withdrawn after it was taken off: %q", got[b.ID])
	}
	opinions, err := e.db.Opinions(e.ctx, []rempart.Fingerprint{b.Fingerprint})
	e.ok(err)
	if len(opinions) != 2 {
		e.Errorf("%d opinions of two partners", len(opinions))
	}
	e.check()
}

// probes opens one task about a key, whose decision moves nothing that is listed.
func probes(e *env) {
	a := e.own(1, rempart.EntryActive)[0]
	k := rempart.ListTask{List: a.List, Fingerprint: a.Fingerprint, Peer: "forum", Hits: 32}
	for range 2 {
		e.ok(e.db.Probed(e.ctx, k))
	}
	e.ok(e.db.PutOpinions(e.ctx, rempart.Peer{ID: "other", Name: "Other"}, []store.Said{said(a, rempart.OpinionNotSame)}, nil))
	tasks, err := e.db.ListTasks(e.ctx, true, 10)
	e.ok(err)
	n := 0
	for _, x := range tasks {
		if x.Kind == rempart.EntryProbed && x.Peer == "forum" && x.Hits == 32 && !x.Stopped {
			n++
			e.ok(e.db.DecideListTask(e.ctx, x.ID, rempart.TaskKeep, "ana", nil))
		}
	}
	if n != 1 || len(tasks) != 2 || e.states()[a.ID] != rempart.EntryDisputed {
		e.Errorf("%d of %d tasks are about the key, and the entry is %s", n, len(tasks), e.states()[a.ID])
	}
}

// disputesADay holds that one partner empties no list.
func disputesADay(e *env) {
	forum := rempart.Peer{ID: "forum", Name: "Forum"}
	var against []store.Said
	for _, x := range e.own(rempart.DisputesADay+3, rempart.EntryActive) {
		against = append(against, said(x, rempart.OpinionNotBlocked))
	}
	e.ok(e.db.PutOpinions(e.ctx, forum, against, nil))
	n := map[rempart.EntryState]int{}
	for _, s := range e.states() {
		n[s]++
	}
	open, err := e.db.OpenListTasks(e.ctx)
	e.ok(err)
	if n[rempart.EntryDisputed] != rempart.DisputesADay || n[rempart.EntryActive] != 3 || open != rempart.DisputesADay+3 {
		e.Errorf("%v with %d tasks, want %d that stopped and 3 that did not", n, open, rempart.DisputesADay)
	}
}

// quarantines and what is submitted.
func listTasks(e *env) {
	forum := rempart.Peer{ID: "forum", Name: "Forum"}
	x := e.own(1, rempart.EntryActive)[0]
	task := rempart.ListTask{List: x.List, Fingerprint: x.Fingerprint, Peer: "forum", Lookups: 1000, Hits: 90}
	for range 2 {
		e.ok(e.db.Quarantine(e.ctx, task, []store.EntryRef{{ID: x.ID}}))
	}
	tasks, err := e.db.ListTasks(e.ctx, true, 10)
	e.ok(err)
	if got := e.states(); got[x.ID] != rempart.EntryQuarantined || len(tasks) != 1 || tasks[0].Hits != 90 {
		e.Fatalf("%v, tasks %+v", got, tasks)
	}
	e.ok(e.db.DecideListTask(e.ctx, tasks[0].ID, rempart.TaskKeep, "ana", nil))
	e.ok(e.db.Quarantine(e.ctx, task, []store.EntryRef{{ID: x.ID}}))
	if got := e.states(); got[x.ID] != rempart.EntryActive {
		e.Errorf("what was decided this week is %q again", got[x.ID])
	}

	sent := rempart.ListTask{List: x.List, Fingerprint: e.pdq(), Tags: []string{"t"}}
	mine := rempart.ListTask{List: x.List, Fingerprint: x.Fingerprint}
	for k, want := range []int{1, 0} {
		if n, err := e.db.SubmitPrints(e.ctx, forum, []rempart.ListTask{sent, mine}); err != nil || n != want {
			e.Errorf("submitted, time %d: %d new, %v, want %d", k+1, n, err, want)
		}
	}
	if got := e.states(); len(got) != 1 {
		e.Errorf("what was submitted is in the list before anybody looked: %v", got)
	}
	tasks, err = e.db.ListTasks(e.ctx, true, 10)
	e.ok(err)
	if len(tasks) != 1 || tasks[0].Kind != rempart.EntryReceived || len(tasks[0].Tags) != 1 {
		e.Fatalf("tasks %+v", tasks)
	}
	e.ok(e.db.DecideListTask(e.ctx, tasks[0].ID, rempart.TaskKeep, "ana", nil))
	if got := e.states(); len(got) != 2 || got["received."+tasks[0].ID] != rempart.EntryActive {
		e.Errorf("accepted: %v", got)
	}
	done, err := e.db.ListTasks(e.ctx, false, 10)
	e.ok(err)
	if len(done) != 2 || done[0].DecidedBy != "ana" || done[0].Decision != rempart.TaskKeep {
		e.Errorf("decided: %+v", done)
	}

	// Entries that are too old for their list leave it.
	e.advance(48 * time.Hour)
	young := e.own(1, rempart.EntryActive)[0]
	gone, err := e.db.Expire(e.ctx, "ncii-adult", e.now().Add(-24*time.Hour), 10)
	e.ok(err)
	if got := e.states(); len(gone) < 2 || got[x.ID] != rempart.EntryExpired || got[young.ID] != rempart.EntryActive {
		e.Errorf("%d expired: %v", len(gone), got)
	}
}

func listPolicies(e *env) {
	if got, err := e.db.ListPolicies(e.ctx); err != nil || len(got) != 0 {
		e.Errorf("at first: %v, %v", got, err)
	}
	n, share := 20, 0.25
	p := rempart.Policy{Threshold: &n, Action: rempart.ActionReview, Share: &share, ExpiryDays: 90, LookupOnly: true}
	e.ok(e.db.PutListPolicy(e.ctx, "ncii-adult", p, "ana"))
	got, err := e.db.ListPolicies(e.ctx)
	e.ok(err)
	if x := got["ncii-adult"]; len(got) != 1 || *x.Threshold != 20 || *x.Share != 0.25 || x.ExpiryDays != 90 || !x.LookupOnly || x.Action != rempart.ActionReview {
		e.Errorf("policy %+v", x)
	}
	far, much := 32, 1.5
	for _, p := range []rempart.Policy{{Threshold: &far}, {Share: &much}, {Flood: &much}, {Action: "remove"}, {ExpiryDays: -1}} {
		e.kind(e.db.PutListPolicy(e.ctx, "ncii-adult", p, "ana"), rempart.Invalid)
	}
	e.kind(e.db.PutListPolicy(e.ctx, "none", rempart.Policy{}, "ana"), rempart.Invalid)
	if events, err := e.db.Events(e.ctx, "ncii-adult"); err != nil || len(events) != 1 || strings.Contains(fmt.Sprint(events), "90") {
		e.Errorf("events %+v, %v", events, err)
	}
}
