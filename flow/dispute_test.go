package flow_test

import (
	"fmt"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/pdq"
)

// listTasks returns the tasks about fingerprints that are open.
func (s *side) listTasks() []rempart.ListTask {
	s.t.Helper()
	all, err := s.DB.ListTasks(s.t.Context(), true, 100)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func (s *side) opine(by rempart.Peer, remarks ...flow.Remark) int {
	s.t.Helper()
	n, err := s.Opine(s.t.Context(), by, remarks)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *side) decide(k rempart.ListTask, what rempart.TaskDecision) {
	s.t.Helper()
	if err := s.DecideListTask(s.t.Context(), k.ID, what, "ana"); err != nil {
		s.t.Fatal(err)
	}
}

var forum = rempart.Peer{ID: "forum", Name: "Forum", Kind: rempart.PeerPlatform}

// TestDispute has a platform say that what matched is not the same picture.
func TestDispute(t *testing.T) {
	s := newSide(t, newClock(), patience)
	h := hash(1)
	c := s.submit(reportOf("", medium(h)))
	s.confirm(c)
	wrong := flip(h, 20) // a picture of somebody else's, near by chance
	m := s.matches(pdqQuery(wrong), flow.Upload{Peer: forum.ID})
	if len(m) != 1 || m[0].Num == 0 {
		t.Fatalf("matches %+v", m)
	}
	notSame := flow.Remark{Num: m[0].Num, Opinion: rempart.Opinion{Value: rempart.OpinionNotSame, Seen: &rempart.Fingerprint{Type: rempart.PDQ, Value: wrong.String(), Quality: 90}}}
	if n := s.opine(rempart.Peer{ID: "other", Lists: []string{"ncii-minor"}}, notSame); n != 0 || len(s.listTasks()) != 0 {
		t.Errorf("a key of another list spoke of it: %d kept, %d tasks", n, len(s.listTasks()))
	}
	if n := s.opine(forum, notSame, flow.Remark{Num: 999, Opinion: rempart.Opinion{Value: rempart.OpinionNotSame}}); n != 1 {
		t.Errorf("%d opinions kept, want the one about an entry", n)
	}
	if m := s.matches(pdqQuery(h), flow.Upload{}); len(m) != 0 {
		t.Errorf("a disputed fingerprint matches: %+v", m)
	}
	if m := s.matches(flow.Query{Fingerprint: rempart.Fingerprint{Type: rempart.SHA256, Value: h.String()}}, flow.Upload{}); len(m) != 1 {
		t.Error("the file's exact fingerprint, which nobody disputed, does not match")
	}
	tasks := s.listTasks()
	if len(tasks) != 1 {
		t.Fatalf("%d tasks", len(tasks))
	}
	s.decide(tasks[0], rempart.TaskSilence)
	if m := s.matches(pdqQuery(h), flow.Upload{}); len(m) != 1 {
		t.Errorf("kept, and %d matches", len(m))
	}
	if m := s.matches(pdqQuery(wrong), flow.Upload{}); len(m) != 0 {
		t.Errorf("the harmless picture still matches: %+v", m)
	}
	if m := s.matches(pdqQuery(flip(h, 3)), flow.Upload{}); len(m) != 1 {
		t.Error("a copy of the listed picture, nearer to it than to the harmless one, is silenced")
	}
	if i := s.item(c); i.State != rempart.ItemProtected {
		t.Errorf("the medium is %s", i.State)
	}
	// Taken off the list, with all that there was of it, the case says so.
	other := rempart.Peer{ID: "other", Name: "Other"}
	s.opine(other, flow.Remark{Opinion: rempart.Opinion{Fingerprint: rempart.Fingerprint{Type: rempart.PDQ, Value: h.String()}, Value: rempart.OpinionNotBlocked}},
		flow.Remark{Opinion: rempart.Opinion{Fingerprint: rempart.Fingerprint{Type: rempart.SHA256, Value: h.String()}, Value: rempart.OpinionNotBlocked}})
	for k, task := range s.listTasks() {
		if i := s.item(c); i.State != rempart.ItemProtected {
			t.Errorf("after %d decisions the medium is %s", k, i.State)
		}
		s.decide(task, rempart.TaskOff)
	}
	if i := s.item(c); i.State != rempart.ItemWithdrawn {
		t.Errorf("nothing of the medium is listed, and it is %s", i.State)
	}
}

// TestDisputeTravels has a platform's own opinion reach the hub, and what the hub
// makes of it reach the platform.
func TestDisputeTravels(t *testing.T) {
	hub, platform := pair(t)
	c := hub.submit(reportOf("", medium(hash(1))))
	hub.confirm(c)
	platform.catchUp()
	match := func() int { return len(platform.matches(pdqQuery(hash(1)), flow.Upload{})) }
	if match() != 1 {
		t.Fatal("no match on the platform")
	}
	m := platform.matches(pdqQuery(hash(1)), flow.Upload{})[0]
	platform.opine(rempart.Peer{ID: "uploads", Name: "Our uploads"}, flow.Remark{Num: m.Num, Opinion: rempart.Opinion{Value: rempart.OpinionNotSame}})
	if match() != 0 {
		t.Error("it matches where it was disputed")
	}
	if _, err := platform.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	tasks := hub.listTasks()
	if len(tasks) != 1 || tasks[0].Peer != "forum" {
		t.Fatalf("at the hub: %+v", tasks)
	}
	platform.catchUp()
	if e := platform.entries(); e[rempart.EntryRejected] != 1 {
		t.Errorf("the platform has %v", e)
	}
	hub.clock.advance(time.Minute)
	hub.decide(tasks[0], rempart.TaskKeep)
	platform.decide(platform.listTasks()[0], rempart.TaskKeep)
	platform.catchUp()
	if match() != 1 {
		t.Error("the hub kept it, and it does not match on the platform")
	}
}

// TestListPolicy sets thresholds, shares and expiry, and sees lookups follow.
func TestListPolicy(t *testing.T) {
	s := newSide(t, newClock(), patience)
	h := hash(1)
	s.confirm(s.submit(reportOf("", medium(h))))
	set := func(p rempart.Policy) {
		t.Helper()
		if err := s.DB.PutListPolicy(t.Context(), "ncii-adult", p, "ana"); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) { // a node may be a second behind
			s.matches(pdqQuery(h), flow.Upload{})
			if l, _ := s.List("ncii-adult"); fmt.Sprint(l.Policy) == fmt.Sprint(p) || samePolicy(l.Policy, p) {
				return
			}
			if time.Now().After(end) {
				t.Fatal("the policy is not known")
			}
		}
	}
	count := func(n int, up flow.Upload) int { return len(s.matches(pdqQuery(flip(h, n)), up)) }
	if count(25, flow.Upload{}) != 1 {
		t.Fatal("no match at 25")
	}
	least, none, half := 24, 0.0, 0.5
	set(rempart.Policy{Threshold: &least, Action: rempart.ActionReview})
	if count(25, flow.Upload{}) != 0 || count(24, flow.Upload{}) != 1 {
		t.Error("the threshold of the list does not count")
	}
	if m := s.matches(pdqQuery(h), flow.Upload{}); m[0].Action != rempart.ActionReview {
		t.Errorf("the action is %s", m[0].Action)
	}
	if found, _, err := s.LookUp(t.Context(), pdqQuery(flip(h, 25)).Fingerprint, flow.Upload{}); err != nil || len(found) != 0 {
		t.Errorf("in the shape of HMA: %v, %v", found, err)
	}
	set(rempart.Policy{Share: &none})
	if count(0, flow.Upload{}) != 0 {
		t.Error("a list that counts for nothing matches")
	}
	set(rempart.Policy{Share: &half})
	n := 0
	for k := range 200 {
		up := flow.Upload{Seed: fmt.Sprint("upload ", k)}
		a, _, err := s.Match(t.Context(), []flow.Query{pdqQuery(h)}, up)
		if err != nil {
			t.Fatal(err)
		}
		b, _, _ := s.Match(t.Context(), []flow.Query{pdqQuery(h)}, up)
		if len(a[0].Matches) != len(b[0].Matches) {
			t.Fatal("one seed has two answers")
		}
		n += len(a[0].Matches)
	}
	if n < 60 || n > 140 {
		t.Errorf("%d of 200 uploads matched, want about half", n)
	}
	set(rempart.Policy{ExpiryDays: 30})
	if err := s.Expire(t.Context()); err != nil || count(0, flow.Upload{}) != 1 {
		t.Errorf("young entries expired, %v", err)
	}
	s.clock.advance(31 * 24 * time.Hour)
	if err := s.Expire(t.Context()); err != nil || count(0, flow.Upload{}) != 0 {
		t.Errorf("old entries did not expire, %v", err)
	}
}

func samePolicy(a, b rempart.Policy) bool {
	same := func(x, y *float64) bool { return (x == nil) == (y == nil) && (x == nil || *x == *y) }
	return (a.Threshold == nil) == (b.Threshold == nil) && (a.Threshold == nil || *a.Threshold == *b.Threshold) && same(a.Share, b.Share) && a.ExpiryDays == b.ExpiryDays && a.Action == b.Action
}

// TestQuarantine floods a platform with what matches one entry.
func TestQuarantine(t *testing.T) {
	s := newSide(t, newClock(), patience)
	s.confirm(s.submit(reportOf("", medium(hash(1)))))
	s.confirm(s.submit(reportOf("", medium(hash(2)))))
	look := func(peer string, h pdq.Hash, n int) {
		t.Helper()
		for n > 0 {
			q := make([]flow.Query, min(n, 500))
			for k := range q {
				q[k] = pdqQuery(h)
			}
			if _, _, err := s.Match(t.Context(), q, flow.Upload{Peer: peer}); err != nil {
				t.Fatal(err)
			}
			n -= len(q)
		}
	}
	look("forum", hash(1), rempart.FloodLeast-1)
	if len(s.listTasks()) != 0 {
		t.Error("quarantined on too few lookups")
	}
	look("forum", hash(1), 1)
	look("forum", hash(2), 40) // below its share
	tasks := s.listTasks()
	if len(tasks) != 1 || tasks[0].Kind != rempart.EntryQuarantined || tasks[0].Peer != "forum" || tasks[0].Hits != rempart.FloodLeast {
		t.Fatalf("tasks %+v", tasks)
	}
	if m := s.matches(pdqQuery(hash(1)), flow.Upload{}); len(m) != 0 {
		t.Errorf("it matches in quarantine: %+v", m)
	}
	if m := s.matches(pdqQuery(hash(2)), flow.Upload{}); len(m) != 1 {
		t.Error("what is below its share was quarantined too")
	}
	s.decide(tasks[0], rempart.TaskKeep)
	if m := s.matches(pdqQuery(hash(1)), flow.Upload{}); len(m) != 1 {
		t.Error("kept, and no match")
	}
}
