package flow_test

import (
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rempart"
	"rempart/exchange"
	"rempart/flow"
)

// reminder takes a reminder as any other thing that is told: once, under one key
// and never after the notice was decided or withdrawn.
func (f *far) reminder(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var m exchange.Reminder
	if err := json.Unmarshal(body, &m); err != nil || m.NoticeID == "" || m.SentAt.IsZero() || m.Awaits == "" || len(m.Text) < 40 {
		f.t.Errorf("reminder %q: %v", body, err)
	}
	f.mu.Lock()
	if n := f.told[m.NoticeID]; n == nil || n.number != r.PathValue("number") {
		f.t.Errorf("a reminder of %s, which was never told under number %s", m.NoticeID, r.PathValue("number"))
	}
	if f.closed[m.NoticeID] {
		f.t.Errorf("%s was reminded of after it was decided or withdrawn", m.NoticeID)
	}
	f.mu.Unlock()
	key := r.Header.Get("Idempotency-Key")
	f.take(w, r, key, key, string(body))
}

// reminders is how many reminders the far side has.
func (f *far) reminders(notice string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.told) - 1
}

// silent returns a hub whose notice a far platform has and does not answer, at
// the moment when the first reminder is due.
func silent(t *testing.T, f *far) (s *side, c *rempart.Case, notice string) {
	t.Helper()
	s = newSide(t, newClock(), patience)
	c, notice = s.silent(f)
	return s, c, notice
}

// silent is the function silent on an instance that is there.
func (s *side) silent(f *far) (c *rempart.Case, notice string) {
	t := s.t
	t.Helper()
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.knows("forum", rempart.PeerPlatform, f.URL, keyAtHub, keyAtPlatform)
	s.serves("forum", "forum.exemple.test", "forum")
	c = s.submit(reportOf("https://forum.exemple.test/p/1"))
	notice = s.notify(c, "forum")
	s.step()
	c = s.caseOf(c.Ref)
	if c.Notice(notice).State != rempart.NoticeSent {
		t.Fatalf("the notice is %s", c.Notice(notice).State)
	}
	s.clock.set(c.Notice(notice).Since.Add(48 * time.Hour))
	return c, notice
}

func (s *side) settle() {
	s.t.Helper()
	for s.step() > 0 {
	}
}

func (s *side) rungsOf(ref, notice string) []rempart.Rung {
	s.t.Helper()
	return s.caseOf(ref).Notice(notice).Rungs
}

// TestRemind meets each fault at the first delivery of a reminder: the platform
// is reminded once in the end, under one key, or a human is asked.
func TestRemind(t *testing.T) {
	for _, x := range faults {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			f := newFar(t)
			s, c, id := silent(t, f)
			s.Client.CloseIdleConnections() // a request on a kept connection that is cut is sent again by net/http itself
			f.will(x)
			s.step() // the clock runs down
			s.step()
			s.check()
			r := s.rungsOf(c.Ref, id)
			if len(r) != 1 || r[0].Kind != rempart.RungReminder || len(r[0].Attempts) != 1 {
				t.Fatalf("rungs %+v", r)
			}
			if x.human {
				if r[0].State != rempart.RungAsked {
					t.Fatalf("the reminder is %s, want a human asked", r[0].State)
				}
				s.change(c, func(c *rempart.Case) error {
					return c.SendRung(r[0].ID, flow.RungText(rempart.DefaultTemplates(), c, c.Notice(id), &r[0]), analyst, s.clock.now())
				})
			} else {
				if r[0].State != rempart.RungQueued {
					t.Fatalf("the reminder is %s, want queued", r[0].State)
				}
				s.clock.advance(max(2*time.Second, x.after))
			}
			s.step()
			s.check()
			if r = s.rungsOf(c.Ref, id); r[0].State != rempart.RungSent || r[0].Number != "N-2" {
				t.Errorf("the reminder is %s with number %q", r[0].State, r[0].Number)
			}
			if n := f.reminders(id); n != 1 {
				t.Errorf("the platform has %d reminders, want 1", n)
			}
		})
	}
}

// TestRemindKilled is stopped at each step of a reminder, and goes on when the
// lease has ended: one reminder, one event.
func TestRemindKilled(t *testing.T) {
	for _, at := range []string{"clock.due", "rung.send.claimed", "rung.send.leaves", "rung.send.delivered", "rung.send.saved"} {
		t.Run(at, func(t *testing.T) {
			f := newFar(t)
			f.will(fine)
			s, c, id := silent(t, f)
			// The receipt is lost with the process: the far side has what it was told all the same.
			f.mu.Lock()
			if at == "rung.send.delivered" {
				f.answers = []fault{{name: "lost with us", stores: true, answer: fine.answer}}
			}
			f.mu.Unlock()
			var killed atomic.Bool
			s.Fault = func(point string) {
				if point == at && killed.CompareAndSwap(false, true) {
					if point == "clock.due" {
						return // in this goroutine; the transaction after it is one
					}
					runtime.Goexit()
				}
			}
			s.step()
			s.step()
			s.check()
			if !killed.Load() {
				t.Fatalf("%s was never reached", at)
			}
			s.clock.advance(2 * time.Minute)
			s.settle()
			s.check()
			r := s.rungsOf(c.Ref, id)
			if len(r) != 1 || r[0].State != rempart.RungSent || s.sentRungs(c.ID) != 1 || f.reminders(id) != 1 {
				t.Errorf("%d rungs, %d events, %d reminders: %+v", len(r), s.sentRungs(c.ID), f.reminders(id), r)
			}
		})
	}
}

// TestRemindNoMore: nothing goes out once the platform has decided, the person
// has withdrawn, or the case is closed.
func TestRemindNoMore(t *testing.T) {
	ends := map[string]func(s *side, c *rempart.Case, id string){
		"decided": func(s *side, c *rempart.Case, id string) {
			s.change(c, func(c *rempart.Case) error {
				return c.NoticeDecided(id, "N-1", "forum", map[string]rempart.Decision{c.Items[0].ID: decisionOf(rempart.MeasureRemoved)}, s.clock.now())
			})
		},
		"withdrawn": func(s *side, c *rempart.Case, id string) {
			if err := s.DB.EraseCase(s.t.Context(), c.ID, rempart.Erasure{Why: rempart.EraseWithdrawn, By: rempart.ActorReporter, At: s.clock.now(), Unlist: true}); err != nil {
				s.t.Fatal(err)
			}
		},
		"withdrawn under a hold": func(s *side, c *rempart.Case, id string) {
			s.change(c, func(c *rempart.Case) error { return c.Withdraw(s.clock.now()) })
		},
		"dropped and closed": func(s *side, c *rempart.Case, id string) {
			s.change(c, func(c *rempart.Case) error { return c.DropItem(c.Items[0].ID, "essai", analyst, s.clock.now()) })
			s.change(c, func(c *rempart.Case) error { return c.Close("essai", analyst, s.clock.now()) })
		},
	}
	for name, end := range ends {
		for _, when := range []string{"before the clock", "after it", "between two tries"} {
			t.Run(name+", "+when, func(t *testing.T) {
				f := newFar(t)
				s, c, id := silent(t, f)
				if when != "before the clock" {
					if n, err := s.Step(t.Context()); err != nil || n == 0 {
						t.Fatalf("%d steps, %v", n, err)
					}
				}
				if when == "between two tries" {
					f.will(fault{answer: status(500, "our database is away")})
					s.step()
				}
				end(s, c, id)
				f.decided(id)
				for range 60 {
					s.clock.advance(12 * time.Hour)
					s.settle()
				}
				if n := f.reminders(id); n != 0 {
					t.Errorf("the platform has %d reminders", n)
				}
				for _, j := range s.left(rempart.JobRung) {
					t.Errorf("a job is left: %+v", j)
				}
			})
		}
	}
}

func decisionOf(m rempart.Measure) rempart.Decision {
	return rempart.Decision{Measure: m, Ground: "law", Reference: "art. 226-8-1", Facts: "Faits de l’essai.", Explanation: "Une explication assez longue.", Redress: []string{"complaint"}}
}

// TestSecondByItself drafts the second notice once, citing the first, and leaves
// its sending to a human.
func TestSecondByItself(t *testing.T) {
	f := newFar(t)
	s, c, id := silent(t, f)
	for range 30 {
		s.settle()
		s.clock.advance(6 * time.Hour)
	}
	c = s.caseOf(c.Ref)
	if n := f.reminders(id); n != 2 {
		t.Errorf("%d reminders, want 2", n)
	}
	if len(c.Notices) != 2 {
		t.Fatalf("%d notices, want the draft of a second", len(c.Notices))
	}
	d := c.Notices[1]
	if d.State != rempart.NoticeDraft || d.Cites != id || d.GoodFaith || len(d.Items) != 1 || !strings.Contains(d.Explanation, "N-1") {
		t.Errorf("second notice: %s, cites %q, good faith %v, %d items\n%s", d.State, d.Cites, d.GoodFaith, len(d.Items), d.Explanation)
	}
	if r := c.Notices[0].Rungs[len(c.Notices[0].Rungs)-1]; r.Draft != d.ID || r.State != rempart.RungAsked {
		t.Errorf("rung %+v", r)
	}
}

// TestReminded is the platform's end: one reminder for each key, what was lost is
// told again, and a reminder from somebody else finds nothing.
func TestReminded(t *testing.T) {
	f := newFar(t)
	s := newSide(t, newClock(), patience)
	p := s.knows("association", rempart.PeerFlagger, f.URL, keyAtHub, keyAtPlatform)
	i, err := s.Receive(t.Context(), p, exchange.Notice{ID: "n1", Explanation: "Un texte assez long.", GoodFaith: true, Lang: "fr",
		Notifier: rempart.Notifier{Name: "Association", Email: "a@association.exemple.test"}, Items: []rempart.NoticeItem{{ID: "i1", Address: "https://forum.exemple.test/1"}}}, "n1")
	if err != nil {
		t.Fatal(err)
	}
	f.will(fault{answer: status(400, "not now")}) // delivery is given up
	s.settle()
	m := exchange.Reminder{NoticeID: "n1", SentAt: start, Awaits: "acknowledgement", Text: "Un rappel."}
	for range 2 {
		if _, err := s.Remind(t.Context(), p, i.Number, "r1", m); err != nil {
			t.Fatal(err)
		}
	}
	s.settle()
	if n := s.count(i.ID, "intake.reminded"); n != 1 {
		t.Errorf("%d reminders noted for one key", n)
	}
	if len(f.told) != 1 || len(f.keys) != 2 {
		t.Errorf("the hub was told %d things under %d keys, want the acknowledgement that was given up, under another key", len(f.told), len(f.keys))
	}
	other := s.knows("autre", rempart.PeerFlagger, "", "rk_of-another-flagger-key", "")
	if _, err := s.Remind(t.Context(), other, i.Number, "r2", m); rempart.KindOf(err) != rempart.NotFound {
		t.Errorf("somebody else’s reminder: %v", err)
	}
}

// sentRungs is how many events say that a step was done.
func (s *side) sentRungs(subject string) int {
	s.t.Helper()
	events, err := s.DB.Events(s.t.Context(), subject)
	if err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for _, e := range events {
		if e.Kind == "rung.moved" && e.Data["state"] == string(rempart.RungSent) {
			n++
		}
	}
	return n
}

// TestComplaintOverHTTP is refused, complaint, reversed between two instances that
// speak the real protocol; and a complaint that the platform upholds goes on to
// the next step.
func TestComplaintOverHTTP(t *testing.T) {
	for _, reversed := range []bool{true, false} {
		clock := newClock()
		hub, platform := newSide(t, clock, time.Second), newSide(t, clock, time.Second)
		if err := hub.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		hub.knows("forum", rempart.PeerPlatform, platform.serve(false, true), keyAtHub, keyAtPlatform)
		hub.serves("forum", "forum.exemple.test", "forum")
		platform.knows("association", rempart.PeerFlagger, hub.serve(true, false), keyAtPlatform, keyAtHub)
		c := hub.submit(reportOf("https://forum.exemple.test/p/1"))
		id := hub.notify(c, "forum")
		both := func() {
			for range 3 {
				hub.settle()
				platform.settle()
			}
		}
		both()
		refused := decisionOf(rempart.MeasureRefused)
		i, err := platform.DB.IntakeByNumber(t.Context(), hub.caseOf(c.Ref).Notice(id).Number)
		if err != nil {
			t.Fatal(err)
		}
		if err := platform.Decide(t.Context(), i.ID, c.Items[0].ID, refused, "Noisetier"); err != nil {
			t.Fatal(err)
		}
		both()
		clock.advance(5 * 24 * time.Hour)
		both()
		c = hub.caseOf(c.Ref)
		n := c.Notice(id)
		if len(n.Rungs) != 1 || n.Rungs[0].State != rempart.RungAsked || n.Rungs[0].Kind != rempart.RungComplaint {
			t.Fatalf("rungs %+v", n.Rungs)
		}
		hub.change(c, func(c *rempart.Case) error {
			return c.SendRung(n.Rungs[0].ID, flow.RungText(rempart.DefaultTemplates(), c, c.Notice(id), &n.Rungs[0]), analyst, clock.now())
		})
		both()
		if r := hub.rungsOf(c.Ref, id)[0]; r.State != rempart.RungSent || r.Number == "" {
			t.Fatalf("the complaint is %s with number %q: %+v", r.State, r.Number, r.Attempts)
		}
		if i, err = platform.DB.Intake(t.Context(), i.ID); err != nil || len(i.Complaints) != 1 {
			t.Fatalf("the platform has %d complaints, %v", len(i.Complaints), err)
		}
		changes, want := map[string]rempart.Decision{}, rempart.ItemRefused
		if reversed {
			changes[c.Items[0].ID], want = decisionOf(rempart.MeasureRemoved), rempart.ItemRemoved
		}
		if err := platform.DecideComplaint(t.Context(), i.ID, i.Complaints[0].Number, changes, "Nous avons relu la notification et la décision.", "Tilleul"); err != nil {
			t.Fatal(err)
		}
		both()
		c = hub.caseOf(c.Ref)
		if r := hub.rungsOf(c.Ref, id)[0]; r.State != rempart.RungAnswered || c.Items[0].State != want {
			t.Errorf("reversed %v: the complaint is %s, the item %s", reversed, r.State, c.Items[0].State)
		}
		clock.advance(20 * 24 * time.Hour)
		both()
		next := len(hub.rungsOf(c.Ref, id)) > 1
		if next == reversed {
			t.Errorf("reversed %v, and a next step: %v", reversed, next)
		}
	}
}

// TestBackAgain: what was removed is there again in a closed case; the case and
// the item are taken up, and one notice that cites the first is drafted.
func TestBackAgain(t *testing.T) {
	f := newFar(t)
	s, c, id := silent(t, f)
	s.change(c, func(c *rempart.Case) error {
		return c.NoticeDecided(id, "N-1", "forum", map[string]rempart.Decision{c.Items[0].ID: decisionOf(rempart.MeasureRemoved)}, s.clock.now())
	})
	s.change(c, func(c *rempart.Case) error { return c.Close("retiré", analyst, s.clock.now()) })
	s.clock.advance(24 * time.Hour)
	s.change(c, func(c *rempart.Case) error { return c.BackAgain(c.Items[0].ID, analyst, s.clock.now()) })
	s.settle()
	got := s.caseOf(c.Ref)
	if got.State != rempart.CaseActive || got.Items[0].State != rempart.ItemReported || len(got.Notices) != 2 {
		t.Fatalf("case %s, item %s, %d notices", got.State, got.Items[0].State, len(got.Notices))
	}
	if n := got.Notices[1]; n.State != rempart.NoticeDraft || n.Cites != id || !strings.Contains(n.Explanation, "N-1") {
		t.Errorf("notice %s cites %q\n%s", n.State, n.Cites, n.Explanation)
	}
	if err := s.DB.UpdateCase(t.Context(), c.ID, "", func(c *rempart.Case) error { return c.BackAgain(c.Items[0].ID, analyst, s.clock.now()) }); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("again: %v", err)
	}
}

// TestRemindByHand gives reminders to a human where the service has a mailbox and
// we no mail server, or an API of its own: what takes notices takes no reminder.
func TestRemindByHand(t *testing.T) {
	for kind, path := range map[rempart.PeerKind]string{rempart.PeerMail: "mailto:abus@forum.exemple.test", rempart.PeerHTTP: "/api/of/their/own"} {
		f := newFar(t)
		s, c, id := silent(t, f)
		if kind == rempart.PeerHTTP {
			path = f.URL + path
		}
		p := rempart.Peer{ID: "forum", Name: "forum", Kind: kind, URL: path, CreatedAt: s.clock.now()}
		if kind == rempart.PeerHTTP {
			p.Request = &rempart.Request{ContentType: "application/json", Body: `{"text": {{json .Text}}}`}
		}
		if err := s.DB.PutPeer(t.Context(), p, "", &rempart.Credentials{Key: keyAtPlatform, Secret: secret}); err != nil {
			t.Fatal(err)
		}
		s.settle()
		rungs := s.rungsOf(c.Ref, id)
		if len(rungs) != 1 || rungs[0].Kind != rempart.RungReminder || rungs[0].State != rempart.RungAsked {
			t.Errorf("%s: %+v", kind, rungs)
		}
		if n := f.reminders(id); n != 0 {
			t.Errorf("%s: the service has %d reminders", kind, n)
		}
		if reached, err := s.Reaches(t.Context(), &rempart.Notice{ServiceID: "forum"}); err != nil || reached {
			t.Errorf("%s: reached %v, %v", kind, reached, err)
		}
	}
}
