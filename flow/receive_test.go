package flow_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/exchange"
)

// travelling is a notice that lacks nothing.
func travelling() exchange.Notice {
	return exchange.Notice{ID: "notice-1", CaseRef: "7F3K-9QXM", Lang: "fr", GoodFaith: true,
		Explanation: "Le contenu montre une personne identifiée sans son consentement.",
		Grounds:     []rempart.Ground{{Article: "226-8-1", Code: "Code pénal", Label: "Montage à caractère sexuel"}},
		Items:       []rempart.NoticeItem{{ID: "i1", Address: "https://forum.exemple.test/p/1"}},
		Notifier:    association}
}

// platformOf returns a platform that a hub notifies.
func platformOf(t *testing.T, hub string) (*side, rempart.Peer) {
	t.Helper()
	s := newSide(t, newClock(), patience)
	return s, s.knows("hub", rempart.PeerFlagger, hub, keyAtPlatform, keyAtHub)
}

func TestReceive(t *testing.T) {
	s, hub := platformOf(t, "")
	other := s.knows("other", rempart.PeerFlagger, "", "rk_other", "")
	first, err := s.Receive(t.Context(), hub, travelling(), "notice-1")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"notice-1", ""} { // without a key, the notice's identifier is one
		s.clock.advance(time.Hour)
		again, err := s.Receive(t.Context(), hub, travelling(), key)
		if err != nil || again.ID != first.ID || again.Number != first.Number || !again.ReceivedAt.Equal(first.ReceivedAt) {
			t.Errorf("key %q: %+v, %v, want the receipt %s", key, again, err, first.Number)
		}
	}
	elsewhere, err := s.Receive(t.Context(), other, travelling(), "notice-1")
	if err != nil || elsewhere.ID == first.ID {
		t.Errorf("another peer with the same key: %v, %v, want an intake of its own", elsewhere.ID, err)
	}
	all, _, err := s.DB.Intakes(t.Context(), "", "", 0)
	if err != nil || len(all) != 2 {
		t.Errorf("%d intakes, %v, want 2", len(all), err)
	}
	if n := s.count(first.ID, "intake.received"); n != 1 || len(s.left(rempart.JobCallback)) != 2 {
		t.Errorf("%d events, %d acknowledgements to send, want 1 and one for each intake", n, len(s.left(rempart.JobCallback)))
	}
	s.check()
}

// TestReceiveLacks takes one element after the other out of a notice: the answer
// names it with its article.
func TestReceiveLacks(t *testing.T) {
	s, hub := platformOf(t, "")
	for _, x := range []struct {
		field, article string
		take           func(*exchange.Notice)
	}{
		{"explanation", "16(2)(a)", func(n *exchange.Notice) { n.Explanation = "Illicite." }},
		{"items", "16(2)(b)", func(n *exchange.Notice) { n.Items = nil }},
		{"items", "16(2)(b)", func(n *exchange.Notice) { n.Items[0].Address = "" }},
		{"notifier", "16(2)(c)", func(n *exchange.Notice) { n.Notifier = rempart.Notifier{} }},
		{"good_faith", "16(2)(d)", func(n *exchange.Notice) { n.GoodFaith = false }},
	} {
		n := travelling()
		x.take(&n)
		_, err := s.Receive(t.Context(), hub, n, "")
		var p rempart.Problems
		if !errors.As(err, &p) || len(p) != 1 || p[0].Kind != rempart.Invalid || p[0].Field != x.field || !strings.Contains(p[0].Public, x.article) {
			t.Errorf("without %s: %v, want one problem with %s", x.field, err, x.article)
		}
	}
	n := travelling()
	n.Minor, n.Notifier = true, rempart.Notifier{}
	if _, err := s.Receive(t.Context(), hub, n, ""); err != nil {
		t.Errorf("a notice about a minor without the notifier's name: %v, want it taken", err)
	}
	n.ID, n.Grounds = "notice-2", nil
	if _, err := s.Receive(t.Context(), hub, n, ""); err != nil {
		t.Errorf("a notice that names no offence: %v, want it taken, as article 16 asks for none", err)
	}
	for name, change := range map[string]func(*exchange.Notice){
		"an address that is none":      func(n *exchange.Notice) { n.Items[0].Address = "data:text/plain,x" },
		"a fingerprint that is none":   func(n *exchange.Notice) { n.Items[0].Fingerprints = []rempart.Fingerprint{{Type: "pdq", Value: "abc"}} },
		"two items with one name":      func(n *exchange.Notice) { n.Items = append(n.Items, n.Items[0]) },
		"neither identifier nor a key": func(n *exchange.Notice) { n.ID = "" },
	} {
		n := travelling()
		change(&n)
		_, err := s.Receive(t.Context(), hub, n, "")
		if err := kindIs(err, rempart.Invalid); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all, _, err := s.DB.Intakes(t.Context(), "", "", 0); err != nil || len(all) != 2 {
		t.Errorf("%d intakes, %v, want the two that were taken", len(all), err)
	}
}

// TestTell meets each fault at each message that a platform sends to its hub:
// the message stays due, or is given to a human; it is told under one
// identifier, and noted as told once and only when the hub took it.
func TestTell(t *testing.T) {
	actions := map[string]func(s *side, hub rempart.Peer) (subject, kind string){
		"acknowledgement": func(s *side, hub rempart.Peer) (string, string) {
			i, err := s.Receive(s.t.Context(), hub, travelling(), "")
			if err != nil {
				s.t.Fatal(err)
			}
			return i.ID, rempart.JobCallback
		},
		"decision": func(s *side, hub rempart.Peer) (string, string) {
			i, err := s.Receive(s.t.Context(), hub, travelling(), "")
			if err != nil {
				s.t.Fatal(err)
			}
			s.step() // the acknowledgement
			if err := s.Decide(s.t.Context(), i.ID, "i1", removal, "Noisetier"); err != nil {
				s.t.Fatal(err)
			}
			return i.ID, rempart.JobCallback
		},
		"stop": func(s *side, hub rempart.Peer) (string, string) {
			s.stopOnce(hub, "upload-1")
			return "", "stop.tell"
		},
	}
	for action, prepare := range actions {
		for _, x := range faults {
			t.Run(action+"/"+x.name, func(t *testing.T) {
				t.Parallel()
				f := newFar(t)
				s, hub := platformOf(t, f.URL)
				subject, kind := prepare(s, hub)
				before, toldBefore := s.clock.now(), len(f.told)
				noted := s.count(subject, "intake.told")
				if x.taken {
					f.will(fault{name: "fine", stores: true, answer: x.answer})
				} else {
					f.will(x)
				}
				s.step()
				s.check()
				left := s.left(kind)
				switch {
				case x.taken && len(left) != 0:
					t.Fatalf("jobs left: %+v, want none", left)
				case x.taken:
				case len(left) != 1 || left[0].Why == "":
					t.Fatalf("jobs left: %+v, want one, with a reason", left)
				case x.human && left[0].State != "dead", !x.human && !left[0].Due.Equal(before.Add(max(2*time.Second, x.after))):
					t.Fatalf("job %+v, want it given to a human: %t", left[0], x.human)
				}
				if n := s.count(subject, "intake.told") - noted; subject != "" && (n == 1) != x.taken {
					t.Errorf("%d events intake.told after %s", n, x.name)
				}
				if x.human {
					return // from here on it is the human's
				}
				s.clock.advance(time.Hour)
				s.step()
				if left := s.left(kind); len(left) != 0 {
					t.Errorf("jobs left: %+v", left)
				}
				if n := s.count(subject, "intake.told") - noted; subject != "" && n != 1 {
					t.Errorf("%d events intake.told in the end, want 1", n)
				}
				if n := len(f.told) - toldBefore; n != 1 {
					t.Errorf("the hub was told %d messages, want 1", n)
				}
			})
		}
	}
}

// TestTellTwice kills a platform between noting that it told and ending the job:
// the job is done again, the hub sees the same message, and the job ends.
func TestTellTwice(t *testing.T) {
	f := newFar(t)
	s, hub := platformOf(t, f.URL)
	i, err := s.Receive(t.Context(), hub, travelling(), "")
	if err != nil {
		t.Fatal(err)
	}
	f.will(fault{name: "taken", stores: true, answer: status(204, "")}, fine)
	reached := false
	s.Fault = func(point string) {
		if point == "callback.send.saved" {
			reached = true
			runtime.Goexit()
		}
	}
	if s.step(); !reached {
		t.Fatal("the point callback.send.saved was not reached")
	}
	s.Fault = nil
	s.clock.advance(2 * time.Minute) // its lease ends
	if n := s.step(); n != 1 {
		t.Fatalf("%d jobs done after the lease, want 1", n)
	}
	s.check()
	if left := s.left(rempart.JobCallback); len(left) != 0 {
		t.Errorf("jobs left: %+v", left)
	}
	if n := s.count(i.ID, "intake.told"); n != 1 || len(f.told) != 1 {
		t.Errorf("%d events, %d messages, want 1 and 1", n, len(f.told))
	}
}

// TestTellNobody checks that a notifier without an address is not noted as told:
// it asks by itself.
func TestTellNobody(t *testing.T) {
	s, hub := platformOf(t, "")
	i, err := s.Receive(t.Context(), hub, travelling(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.step()
	s.check()
	if n := s.count(i.ID, "intake.told"); n != 0 || len(s.left(rempart.JobCallback)) != 0 {
		t.Errorf("%d events intake.told, %d jobs left, want none", n, len(s.left(rempart.JobCallback)))
	}
}

func TestDecide(t *testing.T) {
	s, hub := platformOf(t, "")
	n := travelling()
	n.Items = append(n.Items, rempart.NoticeItem{ID: "i2", Address: "https://forum.exemple.test/p/2"})
	i, err := s.Receive(t.Context(), hub, n, "")
	if err != nil {
		t.Fatal(err)
	}
	lacking := removal
	lacking.Explanation = ""
	if err := kindIs(s.Decide(t.Context(), i.ID, "i1", lacking, "Noisetier"), rempart.Invalid); err != nil {
		t.Error(err)
	}
	if err := kindIs(s.Decide(t.Context(), i.ID, "i3", removal, "Noisetier"), rempart.NotFound); err != nil {
		t.Error(err)
	}
	for k, item := range []string{"i1", "i2"} {
		if err := s.Decide(t.Context(), i.ID, item, removal, "Noisetier"); err != nil {
			t.Fatal(err)
		}
		now, err := s.DB.Intake(t.Context(), i.ID)
		if err != nil || (now.State == rempart.IntakeDecided) != (k == 1) {
			t.Errorf("after %d of 2 decisions: %s, %v", k+1, now.State, err)
		}
	}
	if err := kindIs(s.Decide(t.Context(), i.ID, "i1", removal, "Noisetier"), rempart.Conflict); err != nil {
		t.Error(err)
	}
	for kind, want := range map[string]int{"intake.received": 1, "intake.item_decided": 2, "intake.decided": 1} {
		if got := s.count(i.ID, kind); got != want {
			t.Errorf("%d events %s, want %d", got, kind, want)
		}
	}
}
