package storetest

import (
	"slices"

	"rempart"
)

// check looks at every case and fails the test if what was saved together does
// not fit together: the document, the columns beside it, the events, the jobs
// and the entries.
func (e *env) check() {
	e.Helper()
	rows := e.rows()
	entries := map[string]rempart.EntryState{}
	changes, _ := e.follow("")
	for _, c := range changes {
		if _, ok := entries[c.Entry.ID]; ok && c.Peer == "" {
			e.Errorf("entry %s is twice in the change table", c.Entry.ID)
		}
		entries[c.Entry.ID] = c.Entry.State
	}
	counts, err := e.db.CaseCounts(e.ctx)
	e.ok(err)
	for _, r := range rows {
		counts[r.State]--
		e.checkCase(r.ID, entries)
	}
	for state, n := range counts {
		if n != 0 {
			e.Errorf("CaseCounts says %d more cases in state %s than the queue has", n, state)
		}
	}
}

func (e *env) checkCase(id string, entries map[string]rempart.EntryState) {
	e.Helper()
	x := e.everything(id)
	c := x.Case
	if x.Row.State != c.State || x.Row.Priority != c.Priority || x.Row.Items != len(c.Items) || x.Row.Ref != c.Ref || !x.Row.UpdatedAt.Equal(c.UpdatedAt) {
		e.Errorf("case %s: the queue shows %+v, the case is %s, priority %d, %d items", id, x.Row, c.State, c.Priority, len(c.Items))
	}
	// count counts events by kind and by one fact.
	count := func(kind, fact, value string) (n int) {
		for _, v := range x.Events {
			if v.Kind == kind && (fact == "" || v.Data[fact] == value) {
				n++
			}
		}
		return n
	}
	exactly := func(kind, fact, value string, want int) {
		e.Helper()
		if got := count(kind, fact, value); got != want {
			e.Errorf("case %s: %d events %s with %s=%s, want %d", id, got, kind, fact, value, want)
		}
	}
	has := func(key string, want bool) {
		e.Helper()
		n := 0
		for _, j := range x.Jobs {
			if j.Job.Key == key {
				n++
			}
		}
		if want && n != 1 || !want && n != 0 {
			e.Errorf("case %s: %d jobs %s, want it: %v", id, n, key, want)
		}
	}
	exactly("report.received", "", "", 1)
	exactly("case.opened", "", "", 1)
	has("qualify:"+id, true)
	if c.State == rempart.CaseNew {
		exactly("case.qualified", "", "", 0)
	} else {
		exactly("case.qualified", "", "", 1)
	}
	for _, q := range c.Quals {
		if q.ID == alreadyConfirmed {
			continue
		}
		if q.State == rempart.QualificationConfirmed && count("qualification.confirmed", "qualification", q.ID) == 0 {
			e.Errorf("case %s: qualification %s was confirmed without an event", id, q.ID)
		}
	}
	for _, n := range c.Notices {
		exactly("notice.prepared", "notice", n.ID, 1)
		sent := slices.Contains([]rempart.NoticeState{rempart.NoticeSent, rempart.NoticeAcknowledged, rempart.NoticeDecided}, n.State)
		has("send:"+n.ID+":0", n.State != rempart.NoticeDraft && n.State != rempart.NoticeCancelled)
		one := map[bool]int{true: 1}
		exactly("notice.sent", "notice", n.ID, one[sent])
		exactly("notice.acknowledged", "notice", n.ID, one[sent && n.State != rempart.NoticeSent])
		for _, i := range n.Items {
			if n.State == rempart.NoticeDecided {
				exactly("item.decided", "item", i.ID, 1)
			}
		}
	}
	want := map[rempart.ItemState]rempart.EntryState{
		rempart.ItemFiled: rempart.EntryProvisional, rempart.ItemUnlisted: rempart.EntryProvisional, rempart.ItemProtected: rempart.EntryActive,
		rempart.ItemWithdrawn: rempart.EntryWithdrawn, rempart.ItemDropped: rempart.EntryRejected,
		rempart.ItemFollowed: rempart.EntryProvisional,
	}
	stops := 0
	for _, i := range c.Items {
		stops += i.Stops
		exactly("match.stopped", "item", i.ID, i.Stops)
		for _, id := range i.Entries {
			if entries[id] != want[i.State] {
				e.Errorf("case %s: item %s is %s, its entry %s is %q, want %q", c.ID, i.ID, i.State, id, entries[id], want[i.State])
			}
		}
	}
	if x.Row.Stops != stops {
		e.Errorf("case %s: the queue says %d stops, the items %d", id, x.Row.Stops, stops)
	}
}
