package flow_test

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rempart"
	"rempart/internal/mailtest"
	"rempart/mail"
)

// answered returns a hub whose notice went by e-mail and that reads its mailbox.
func answered(t *testing.T) (h *side, c *rempart.Case, id string, box *mailtest.IMAP) {
	t.Helper()
	h, c, id = mailed(t, mailtest.NewSMTP(t, false, false), reportOf("https://forum.exemple.test/p/1"))
	h.step()
	box = mailtest.NewIMAP(t, true, false)
	h.Inbox = &mail.Mailbox{Server: mail.Server{Host: box.Host, Port: box.Port, TLS: mail.Implicit, User: mailtest.User, Password: mailtest.Password, Config: box.TLS}, Patience: 20 * time.Second}
	h.readMail() // from now on
	return h, h.caseOf(c.Ref), id, box
}

// readMail reads the mailbox once it is due again.
func (s *side) readMail() int {
	s.t.Helper()
	s.clock.advance(10 * time.Minute)
	n, err := s.ReadMail(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func letter(id, header, text string) string {
	return "From: abus@forum.exemple.test\nTo: contact@association.exemple.test\nSubject: Re: notification\nMessage-ID: <" + id + "@forum.exemple.test>\n" + header + "Content-Type: text/plain; charset=utf-8\n\n" + text + "\n"
}

func returned(id, status, about string) string {
	return "From: MAILER-DAEMON@mx.exemple.test\nTo: contact@association.exemple.test\nSubject: Undelivered\nMessage-ID: <" + id + "@mx.exemple.test>\nAuto-Submitted: auto-replied\nContent-Type: multipart/report; report-type=delivery-status; boundary=B\n\n--B\nContent-Type: text/plain\n\nNot delivered.\n\n--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.exemple.test\n\nFinal-Recipient: rfc822; abus@forum.exemple.test\nAction: failed\nStatus: " + status + "\nDiagnostic-Code: smtp; 550 " + status + " no such mailbox\n\n--B\nContent-Type: text/rfc822-headers\n\nMessage-ID: <" + about + ">\n\n--B--\n"
}

// task returns what a human is asked for a notice, "" for nothing.
func taskOf(c *rempart.Case, await rempart.Await) rempart.TaskKind {
	for _, k := range c.Clocks {
		if k.Await == await && k.Live() {
			return k.Task
		}
	}
	return ""
}

// TestReply puts an answer on the notice that it answers, by its thread or by its
// address, and moves nothing: a human reads it.
func TestReply(t *testing.T) {
	h, c, id, box := answered(t)
	box.Deliver(letter("r1", "In-Reply-To: <"+id+".1@association.exemple.test>\n", "Nous avons retiré ce contenu."))
	box.Deliver(strings.Replace(letter("r2", "", "Par l’adresse."), "contact@", "contact+"+id+"@", 1))
	box.Deliver(letter("r3", "References: <"+id+".1@association.exemple.test>\nAuto-Submitted: auto-replied\n", "Bien reçu."))
	if n := h.readMail(); n != 3 {
		t.Fatalf("%d messages taken", n)
	}
	c = h.caseOf(c.Ref)
	n := c.Notice(id)
	if len(n.Mails) != 3 || n.Mails[0].Text != "Nous avons retiré ce contenu." || n.Mails[1].Text != "Par l’adresse." || n.Mails[2].Kind != rempart.MailAuto {
		t.Fatalf("mails %+v", n.Mails)
	}
	if n.State != rempart.NoticeSent || c.Items[0].State != rempart.ItemNotified {
		t.Errorf("an e-mail moved the notice to %s, the item to %s", n.State, c.Items[0].State)
	}
	if taskOf(c, rempart.AwaitMail) != rempart.TaskRead || h.count(c.ID, "notice.mail") != 3 {
		t.Errorf("task %q", taskOf(c, rempart.AwaitMail))
	}
	_, cal, err := h.DB.ClockPolicy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range c.Clocks {
		if k.Await == rempart.AwaitMail {
			h.change(c, func(c *rempart.Case) error { return c.DoTask(k.ID, cal, analyst, h.clock.now()) })
		}
	}
	box.Deliver(letter("r4", "In-Reply-To: <"+id+".1@association.exemple.test>\nAuto-Submitted: auto-generated\n", "Encore une machine."))
	h.readMail()
	if c = h.caseOf(c.Ref); taskOf(c, rempart.AwaitMail) != "" || len(c.Notice(id).Mails) != 4 {
		t.Errorf("a program's answer asks for %q", taskOf(c, rempart.AwaitMail))
	}
	box.Renew() // the same messages under other identifiers
	box.Deliver(letter("r1", "In-Reply-To: <"+id+".1@association.exemple.test>\n", "Nous avons retiré ce contenu."))
	box.Deliver(letter("r5", "In-Reply-To: <"+id+".1@association.exemple.test>\n", "Une autre."))
	h.readMail()
	if c = h.caseOf(c.Ref); len(c.Notice(id).Mails) != 5 {
		t.Errorf("%d e-mails after the identifiers changed", len(c.Notice(id).Mails))
	}
}

// TestReplyClosed takes a closed case up again, so that somebody reads it.
func TestReplyClosed(t *testing.T) {
	h, c, id, box := answered(t)
	h.change(c, func(c *rempart.Case) error {
		if err := c.DropItem(c.Items[0].ID, "plus rien à attendre", analyst, h.clock.now()); err != nil {
			return err
		}
		return c.Close("sans réponse", analyst, h.clock.now())
	})
	box.Deliver(letter("r0", "In-Reply-To: <"+id+".1@association.exemple.test>\nAuto-Submitted: auto-replied\n", "Absent."))
	h.readMail()
	if c = h.caseOf(c.Ref); c.State != rempart.CaseClosed || len(c.Notice(id).Mails) != 1 {
		t.Fatalf("a program's answer: case %s", c.State)
	}
	box.Deliver(letter("r1", "In-Reply-To: <"+id+".1@association.exemple.test>\n", "Retiré."))
	h.readMail()
	if c = h.caseOf(c.Ref); c.State != rempart.CaseActive || taskOf(c, rempart.AwaitMail) != rempart.TaskRead {
		t.Errorf("case %s, task %q", c.State, taskOf(c, rempart.AwaitMail))
	}
}

// TestBounce says that a notice that came back did not arrive, and gives it to a
// human; one that names no try of ours moves nothing.
func TestBounce(t *testing.T) {
	h, c, id, box := answered(t)
	box.Deliver(returned("b0", "5.1.1", id+".9@association.exemple.test"))
	h.readMail()
	if n := h.caseOf(c.Ref).Notice(id); n.State != rempart.NoticeSent || len(n.Mails) != 1 {
		t.Fatalf("a report about no try of ours: notice %s", n.State)
	}
	box.Deliver(returned("b1", "5.1.1", id+".1@association.exemple.test"))
	h.readMail()
	c = h.caseOf(c.Ref)
	n := c.Notice(id)
	if n.State != rempart.NoticeFailed || c.Items[0].State != rempart.ItemFailed || n.Attempts[0].Bounced != "5.1.1" || !n.Attempts[0].Failed || n.Attempts[0].Answer != "550 5.1.1 no such mailbox" {
		t.Fatalf("notice %s, item %s, attempt %+v", n.State, c.Items[0].State, n.Attempts[0])
	}
	if taskOf(c, rempart.AwaitMail) != rempart.TaskRead || h.count(c.ID, "notice.bounced") != 1 {
		t.Errorf("task %q", taskOf(c, rempart.AwaitMail))
	}
	h.change(c, func(c *rempart.Case) error { return c.SendNotice(id, analyst, h.clock.now()) })
	h.step()
	box.Deliver(returned("b2", "5.1.1", id+".1@association.exemple.test")) // the first try's, again
	h.readMail()
	if n = h.caseOf(c.Ref).Notice(id); n.State != rempart.NoticeSent || len(n.Attempts) != 2 {
		t.Errorf("an old report moved the notice to %s", n.State)
	}
}

// TestUnmatched keeps what is about nothing known until somebody says what it is
// about, sealed, and forgets it then.
func TestUnmatched(t *testing.T) {
	h, c, id, box := answered(t)
	box.Deliver(letter("u1", "In-Reply-To: <unknown.1@association.exemple.test>\n", "Un mot caché-dans-la-boîte."))
	box.Deliver(letter("u2", "", "Publicité."))
	h.readMail()
	all, err := h.DB.Mails(t.Context(), 10)
	slices.SortFunc(all, func(a, b rempart.Mail) int { return strings.Compare(a.MessageID, b.MessageID) }) // both came at the same time
	if err != nil || len(all) != 2 || all[0].Text != "Un mot caché-dans-la-boîte." {
		t.Fatalf("%+v, %v", all, err)
	}
	now := h.clock.now()
	take := func(c *rempart.Case, m rempart.Mail) error { return c.TakeMail(id, m, now) }
	if err := h.DB.FileMail(t.Context(), all[0].ID, c.ID, analyst, now, take); err != nil {
		t.Fatal(err)
	}
	if err := h.DB.FileMail(t.Context(), all[0].ID, c.ID, analyst, now, take); rempart.KindOf(err) != rempart.NotFound {
		t.Errorf("filed twice: %v", err)
	}
	if err := h.DB.DropMail(t.Context(), all[1].ID, analyst, now); err != nil {
		t.Fatal(err)
	}
	if n, err := h.DB.CountMails(t.Context()); n != 0 || err != nil {
		t.Errorf("%d left, %v", n, err)
	}
	if got := h.caseOf(c.Ref).Notice(id).Mails; len(got) != 1 || got[0].MessageID != "u1@forum.exemple.test" {
		t.Errorf("%+v", got)
	}
	box.Renew()
	box.Deliver(letter("u2", "", "Publicité.")) // dropped, and not kept again
	h.readMail()
	if n, _ := h.DB.CountMails(t.Context()); n != 0 {
		t.Error("what was dropped came back")
	}
}

// TestInboxKilled stops between any two steps: each message is taken once.
func TestInboxKilled(t *testing.T) {
	for _, point := range []string{"mail.claimed", "mail.read", "mail.taken", "mail.noted"} {
		t.Run(point, func(t *testing.T) {
			h, c, id, box := answered(t)
			for _, r := range []string{"r1", "r2"} {
				box.Deliver(letter(r, "In-Reply-To: <"+id+".1@association.exemple.test>\n", "Réponse "+r))
			}
			box.Deliver(letter("u1", "", "Autre chose."))
			for range 4 { // at each of them
				h.clock.advance(10 * time.Minute)
				died := false
				h.Flow.Fault = func(p string) {
					if p == point && !died {
						died = true
						runtime.Goexit()
					}
				}
				done := make(chan struct{})
				go func() { defer close(done); h.ReadMail(t.Context()) }()
				<-done
				h.Flow.Fault = nil
				if !died && point == "mail.claimed" {
					t.Fatal("it did not die")
				}
			}
			h.readMail()
			left, err := h.DB.CountMails(t.Context())
			if n := h.caseOf(c.Ref).Notice(id); len(n.Mails) != 2 || left != 1 || err != nil || h.count(c.ID, "notice.mail") != 2 {
				t.Errorf("%d on the notice, %d beside, %v", len(n.Mails), left, err)
			}
		})
	}
}

// TestInboxTwice reads one mailbox from two processes on one database at once,
// again and again: each message is taken by one of them.
func TestInboxTwice(t *testing.T) {
	h, c, id, box := answered(t)
	other := sideAt(t, h.clock, patience, h.path)
	other.Inbox = h.Inbox
	const letters = 20
	for k := range letters {
		box.Deliver(letter("r"+string(rune('a'+k)), "In-Reply-To: <"+id+".1@association.exemple.test>\n", "Réponse "+string(rune('a'+k))))
	}
	for range 3 {
		h.clock.advance(10 * time.Minute)
		var both sync.WaitGroup
		for _, s := range []*side{h, other} {
			both.Go(func() {
				for range 5 {
					s.clock.advance(6 * time.Minute) // so that the other's hold on it ends half-way
					if _, err := s.ReadMail(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		both.Wait()
	}
	if got := h.caseOf(c.Ref).Notice(id).Mails; len(got) != letters || h.count(c.ID, "notice.mail") != letters {
		t.Errorf("%d e-mails, want %d", len(got), letters)
	}
}
