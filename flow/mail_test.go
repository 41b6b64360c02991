package flow_test

import (
	"io"
	"mime/quotedprintable"
	"runtime"
	"strings"
	"testing"
	"time"

	"rempart"
	"rempart/internal/mailtest"
	"rempart/mail"
)

// mailed returns a hub that knows a mailbox, and a case with a notice that waits
// to be sent there.
func mailed(t *testing.T, s *mailtest.SMTP, r rempart.Report) (*side, *rempart.Case, string) {
	t.Helper()
	h := newSide(t, newClock(), patience)
	h.Flow.Mail = &mail.Sender{Server: mail.Server{Host: s.Host, Port: s.Port, TLS: mail.StartTLS, User: mailtest.User, Password: mailtest.Password, Config: s.TLS},
		From: association.Email, Name: association.Name, Patience: 20 * time.Second}
	if err := h.DB.PutPeer(t.Context(), rempart.Peer{ID: "forum", Name: "Forum", Kind: rempart.PeerMail, URL: "mailto:abus@forum.exemple.test"}, "", nil); err != nil {
		t.Fatal(err)
	}
	h.serves("forum", "forum.exemple.test", "forum")
	c := h.submit(r)
	id := h.notify(c, "forum")
	return h, h.caseOf(c.Ref), id
}

// textOf is the text of a message that arrived.
func textOf(t *testing.T, r mailtest.Received) string {
	t.Helper()
	b, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(r.Body)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// TestMail sends a notice by e-mail: it holds every element of article 16(2), is
// sent once, and what is said of it is what the mail server said and no more.
func TestMail(t *testing.T) {
	s := mailtest.NewSMTP(t, false, false)
	h, c, id := mailed(t, s, reportOf("https://forum.exemple.test/p/1"))
	h.step()
	h.step()
	got := s.Received()
	if len(got) != 1 {
		t.Fatalf("%d messages, want 1", len(got))
	}
	n := h.caseOf(c.Ref).Notice(id)
	text := textOf(t, got[0])
	for _, want := range []string{n.Explanation[:40], n.Grounds[0].Label, "art. " + n.Grounds[0].Article, "https://forum.exemple.test/p/1", association.Name + ", " + association.Email,
		"Signaleur de confiance", association.Expertise, "de bonne foi que les informations et les allégations", "identité de l’auteur de cette notification ne soit pas communiquée", c.Ref + " / " + id} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if h := got[0].Header; h.Get("Message-Id") != "<"+id+".1@association.exemple.test>" || got[0].To != "abus@forum.exemple.test" || h.Get("In-Reply-To") != "" {
		t.Errorf("headers %v", h)
	}
	i := h.caseOf(c.Ref).Items[0]
	if n.State != rempart.NoticeSent || !n.Mailed() || i.State != rempart.ItemNotified || n.Number != "" {
		t.Errorf("notice %s, item %s", n.State, i.State)
	}
	if len(h.left(rempart.JobSend)) != 0 {
		t.Errorf("jobs left %+v", h.left(rempart.JobSend))
	}
}

// TestMailMinor leaves out who notifies: no name in the text, none beside the
// address it comes from.
func TestMailMinor(t *testing.T) {
	s := mailtest.NewSMTP(t, false, false)
	r := reportOf("https://forum.exemple.test/p/1")
	r.Age = rempart.AgeSaid15To17
	h, _, _ := mailed(t, s, r)
	h.step()
	got := s.Received()
	if len(got) != 1 || strings.Contains(textOf(t, got[0]), association.Name) || strings.Contains(got[0].Header.Get("From"), "Exemple") {
		t.Errorf("messages %+v", got)
	}
}

// TestMailUnclear never sends a second e-mail by itself when nobody knows whether
// the first was taken; a human says that it arrived, or sends again under another
// identifier.
func TestMailUnclear(t *testing.T) {
	for _, fault := range []mailtest.Fault{mailtest.CutTaken, mailtest.CutLost} {
		t.Run(string(fault), func(t *testing.T) {
			s := mailtest.NewSMTP(t, false, false)
			s.Will(fault)
			h, c, id := mailed(t, s, reportOf("https://forum.exemple.test/p/1"))
			for range 10 {
				h.step()
				h.clock.advance(24 * time.Hour)
			}
			n := h.caseOf(c.Ref).Notice(id)
			if s.Tries() != 1 || n.State != rempart.NoticeFailed || !n.Unclear() || len(n.Attempts) != 1 || h.count(c.ID, "notice.unclear") != 1 {
				t.Fatalf("%d tries, notice %s, attempts %+v", s.Tries(), n.State, n.Attempts)
			}
			if fault == mailtest.CutTaken {
				h.change(c, func(c *rempart.Case) error { return c.NoticeArrived(id, analyst, h.clock.now()) })
			} else {
				h.change(c, func(c *rempart.Case) error { return c.SendNotice(id, analyst, h.clock.now()) })
			}
			h.step()
			n = h.caseOf(c.Ref).Notice(id)
			if n.State != rempart.NoticeSent || h.caseOf(c.Ref).Items[0].State != rempart.ItemNotified || len(s.Received()) != 1 {
				t.Errorf("notice %s, %d messages", n.State, len(s.Received()))
			}
			if fault == mailtest.CutLost && (s.Received()[0].Header.Get("Message-Id") != "<"+id+".2@association.exemple.test>" || s.Received()[0].Header.Get("In-Reply-To") == "") {
				t.Errorf("the second message: %v", s.Received()[0].Header)
			}
		})
	}
}

// TestMailKilled stops before, at and after the mail server's answer: there is
// never a second message, and what is not known is a human's.
func TestMailKilled(t *testing.T) {
	for point, want := range map[string]struct {
		state    rempart.NoticeState
		received int
	}{
		"notice.send.claimed":   {rempart.NoticeSent, 1},
		"notice.mail.begun":     {rempart.NoticeFailed, 0},
		"notice.mail.delivered": {rempart.NoticeFailed, 1},
	} {
		t.Run(point, func(t *testing.T) {
			s := mailtest.NewSMTP(t, false, false)
			h, c, id := mailed(t, s, reportOf("https://forum.exemple.test/p/1"))
			died := h.dies(point)
			h.clock.advance(2 * time.Minute) // its lease ends
			h.step()
			h.step()
			n := h.caseOf(c.Ref).Notice(id)
			if !died || n.State != want.state || len(s.Received()) != want.received || n.State == rempart.NoticeFailed && !n.Unclear() {
				t.Errorf("died %v, notice %s, %d messages, attempts %+v", died, n.State, len(s.Received()), n.Attempts)
			}
		})
	}
}

// dies does a step in which a job ends at a point, as when the process is killed
// there: nothing after it happens, and nothing is given back.
func (s *side) dies(point string) bool {
	died := false
	s.Flow.Fault = func(p string) {
		if p == point && !died {
			died = true
			runtime.Goexit()
		}
	}
	defer func() { s.Flow.Fault = nil }()
	s.step()
	return died
}

// TestMailLate lets a worker whose lease ended while the mail server was slow say
// in the end that it was taken: that is the truth, and it is recorded.
func TestMailLate(t *testing.T) {
	h, c, id := mailed(t, mailtest.NewSMTP(t, false, false), reportOf("https://forum.exemple.test/p/1"))
	now := h.clock.now()
	h.change(c, func(c *rempart.Case) error { _, err := c.NoticeTrying(id, rempart.ChannelMail, "a@b", now); return err })
	h.step() // the other worker finds it begun
	if n := h.caseOf(c.Ref).Notice(id); !n.Unclear() {
		t.Fatalf("notice %+v", n)
	}
	h.change(c, func(c *rempart.Case) error {
		return c.NoticeTried(id, "a@b", "", rempart.Attempt{Status: 250, Answer: "ok"}, now)
	})
	if n := h.caseOf(c.Ref).Notice(id); n.State != rempart.NoticeSent || len(n.Attempts) != 1 {
		t.Errorf("notice %s, %+v", n.State, n.Attempts)
	}
}
