package flow_test

import (
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/flow"
	"rempart/internal/mailtest"
)

// silentBox returns a hub whose notice went by e-mail and is not answered, at the
// moment when the first reminder is due.
func silentBox(t *testing.T, s *mailtest.SMTP) (h *side, c *rempart.Case, id string) {
	t.Helper()
	h, c, id = mailed(t, s, reportOf("https://forum.exemple.test/p/1"))
	if err := h.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.step()
	h.clock.set(h.caseOf(c.Ref).Notice(id).Since.Add(48 * time.Hour))
	return h, h.caseOf(c.Ref), id
}

// TestRemindMail reminds by e-mail once, in the thread of the notice, whatever the
// mail server does or wherever we are killed: what may have arrived is a human's.
func TestRemindMail(t *testing.T) {
	for _, x := range []struct {
		fault mailtest.Fault
		kill  string
		state rempart.RungState
		sent  int // reminders that arrived in the end, with no human
	}{
		{fault: mailtest.Fine, state: rempart.RungSent, sent: 1},
		{fault: mailtest.Slow, state: rempart.RungSent, sent: 1},
		{fault: mailtest.Busy, state: rempart.RungSent, sent: 1},
		{fault: mailtest.Later, state: rempart.RungSent, sent: 1},
		{fault: mailtest.Unknown, state: rempart.RungAsked},
		{fault: mailtest.Spam, state: rempart.RungAsked},
		{fault: mailtest.CutTaken, state: rempart.RungAsked, sent: 1},
		{fault: mailtest.CutLost, state: rempart.RungAsked},
		{fault: mailtest.Fine, kill: "rung.send.claimed", state: rempart.RungSent, sent: 1},
		{fault: mailtest.Fine, kill: "rung.mail.begun", state: rempart.RungAsked},
		{fault: mailtest.Fine, kill: "rung.mail.delivered", state: rempart.RungAsked, sent: 1},
		{fault: mailtest.Fine, kill: "rung.send.saved", state: rempart.RungSent, sent: 1},
	} {
		t.Run(string(x.fault)+" "+x.kill, func(t *testing.T) {
			s := mailtest.NewSMTP(t, false, false)
			h, c, id := silentBox(t, s)
			s.Will(x.fault)
			h.step() // the clock runs down
			if x.kill != "" && !h.dies(x.kill) {
				t.Fatal("it did not die")
			}
			for range 3 {
				h.step()
				h.clock.advance(10 * time.Minute) // a lease, or the wait after a refusal
			}
			r := h.rungsOf(c.Ref, id)
			if len(r) != 1 || r[0].State != x.state {
				t.Fatalf("rungs %+v", r)
			}
			got := s.Received()
			if len(got) != 1+x.sent {
				t.Fatalf("%d messages, want the notice and %d reminders", len(got), x.sent)
			}
			if x.sent > 0 {
				m := got[1]
				if m.Header.Get("In-Reply-To") != "<"+id+".1@association.exemple.test>" || !strings.HasPrefix(m.Header.Get("Message-Id"), "<"+id+"."+r[0].ID+".") {
					t.Errorf("headers %v", m.Header)
				}
				if text := textOf(t, m); !strings.Contains(text, "Nous n’avons pas reçu l’accusé de réception") || !strings.Contains(text, c.Ref+" / "+id) || !strings.Contains(text, "https://forum.exemple.test/p/1") {
					t.Errorf("text:\n%s", text)
				}
			}
			if x.state != rempart.RungAsked {
				return
			}
			if k := taskOf(h.caseOf(c.Ref), rempart.AwaitAcknowledgement); k != rempart.TaskRemind {
				t.Errorf("a human is asked %q", k)
			}
			h.change(c, func(c *rempart.Case) error {
				return c.SendRung(r[0].ID, flow.RungText(rempart.DefaultTemplates(), c, c.Notice(id), &r[0]), analyst, h.clock.now())
			})
			h.step()
			if r = h.rungsOf(c.Ref, id); r[0].State != rempart.RungSent || len(s.Received()) != 2+x.sent {
				t.Errorf("sent again by hand: %s, %d messages", r[0].State, len(s.Received()))
			}
		})
	}
}

// TestRemindUnread presses nobody who may have answered: while an e-mail about the
// notice waits to be read, the reminder is a human's.
func TestRemindUnread(t *testing.T) {
	s := mailtest.NewSMTP(t, false, false)
	h, c, id := silentBox(t, s)
	h.change(c, func(c *rempart.Case) error {
		return c.TakeMail(id, rempart.Mail{ID: "m", Kind: rempart.MailReply, Text: "Nous regardons."}, h.clock.now())
	})
	h.settle()
	if r := h.rungsOf(c.Ref, id); len(r) != 1 || r[0].State != rempart.RungAsked || len(s.Received()) != 1 {
		t.Errorf("rungs %+v, %d messages", r, len(s.Received()))
	}
}

// TestComplainMail lodges a complaint by e-mail, as somebody wrote it, in the
// thread of the notice it is about.
func TestComplainMail(t *testing.T) {
	s := mailtest.NewSMTP(t, false, false)
	h, c, id := mailed(t, s, reportOf("https://forum.exemple.test/p/1"))
	if err := h.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.step()
	d := removal
	d.Measure = rempart.MeasureRefused
	h.change(c, func(c *rempart.Case) error { return c.DecideByHand(id, c.Items[0].ID, d, analyst, h.clock.now()) })
	for range 40 {
		h.clock.advance(24 * time.Hour)
		h.settle()
		if r := h.rungsOf(c.Ref, id); len(r) > 0 {
			break
		}
	}
	r := h.rungsOf(c.Ref, id)
	if len(r) != 1 || r[0].Kind != rempart.RungComplaint || len(s.Received()) != 1 {
		t.Fatalf("rungs %+v", r)
	}
	text := "Nous déposons une réclamation : la personne n’a jamais donné son accord."
	h.change(c, func(c *rempart.Case) error { return c.SendRung(r[0].ID, text, analyst, h.clock.now()) })
	h.step()
	got := s.Received()
	if len(got) != 2 || !strings.Contains(textOf(t, got[1]), text) || got[1].Header.Get("In-Reply-To") == "" {
		t.Fatalf("%d messages", len(got))
	}
	if r = h.rungsOf(c.Ref, id); r[0].State != rempart.RungSent {
		t.Errorf("the complaint is %s", r[0].State)
	}
}
