package flow_test

import (
	"runtime"
	"testing"
	"time"

	"rempart"
	"rempart/internal/mailtest"
	"rempart/mail"
)

// booked returns a hub whose contact book has the forum's API first, then an
// e-mail address, then a form, and a case with a notice that waits to be sent.
func booked(t *testing.T, f *far, m *mailtest.SMTP, onward bool, channels ...rempart.Channel) (*side, *rempart.Case, string) {
	t.Helper()
	s := newSide(t, newClock(), patience)
	s.Flow.Mail = &mail.Sender{Server: mail.Server{Host: m.Host, Port: m.Port, TLS: mail.StartTLS, User: mailtest.User, Password: mailtest.Password, Config: m.TLS},
		From: association.Email, Name: association.Name, Patience: 20 * time.Second}
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.knows("forum", rempart.PeerPlatform, f.URL, keyAtHub, keyAtPlatform)
	if err := s.DB.PutService(t.Context(), rempart.Service{ID: "forum", Name: "forum", Hosts: []string{"forum.exemple.test"}, PeerID: "forum", Lang: "fr", Provenance: "test", CheckedAt: "2026-03-02",
		Contact: rempart.Contact{Channels: channels, Onward: onward}}); err != nil {
		t.Fatal(err)
	}
	c := s.submit(reportOf("https://forum.exemple.test/p/1"))
	return s, s.caseOf(c.Ref), s.notify(c, "forum")
}

var (
	byAPI  = rempart.Channel{Kind: rempart.ChannelAPI}
	byMail = rempart.Channel{Kind: rempart.ChannelEmail, To: "abus@forum.exemple.test"}
	byForm = rempart.Channel{Kind: rempart.ChannelForm, To: "https://forum.exemple.test/signaler"}
)

// TestOnward: where the first channel of the book refuses a notice, the next one
// is used by itself only if the book says so and the first cannot have it; else
// it is proposed to somebody. The service is told once, never by both.
func TestOnward(t *testing.T) {
	refused := fault{answer: status(403, "not like this")}
	kept := fault{stores: true, answer: status(500, "our database is away")} // it has the notice, and does not say so
	for name, x := range map[string]struct {
		onward   bool
		answers  fault
		channels []rempart.Channel
		mails    int // that leave by themselves
		told     bool
		state    rempart.NoticeState
		left     []rempart.Channel
	}{
		"refused, by itself":          {true, refused, []rempart.Channel{byAPI, byMail, byForm}, 1, false, rempart.NoticeSent, []rempart.Channel{byForm}},
		"refused, proposed":           {false, refused, []rempart.Channel{byAPI, byMail, byForm}, 0, false, rempart.NoticeFailed, []rempart.Channel{byMail, byForm}},
		"refused, a form comes next":  {true, refused, []rempart.Channel{byAPI, byForm, byMail}, 0, false, rempart.NoticeFailed, []rempart.Channel{byForm, byMail}},
		"it may have it":              {true, kept, []rempart.Channel{byAPI, byMail}, 0, true, rempart.NoticeFailed, []rempart.Channel{byMail}},
		"e-mail is preferred":         {false, fine, []rempart.Channel{byMail, byAPI}, 1, false, rempart.NoticeSent, []rempart.Channel{byAPI}},
		"a form is preferred":         {false, fine, []rempart.Channel{byForm, byAPI}, 0, false, rempart.NoticeFailed, []rempart.Channel{byAPI}},
		"the book does not know ours": {false, fine, []rempart.Channel{byMail}, 0, true, rempart.NoticeSent, []rempart.Channel{byMail}},
		"the book has no channel":     {true, refused, nil, 0, false, rempart.NoticeFailed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f, m := newFar(t), mailtest.NewSMTP(t, false, false)
			var all []fault
			for range 60 {
				all = append(all, x.answers)
			}
			f.will(all...)
			s, c, id := booked(t, f, m, x.onward, x.channels...)
			for range 40 { // until delivery is given up
				s.settle()
				s.clock.advance(24 * time.Hour)
				if s.caseOf(c.Ref).Notice(id).State != rempart.NoticeQueued {
					break
				}
			}
			s.settle()
			n := s.caseOf(c.Ref).Notice(id)
			if n.State != x.state || len(m.Received()) != x.mails || f.wasTold() != x.told {
				t.Errorf("the notice is %s, %d e-mails, by API %v: want %s, %d, %v; attempts %+v", n.State, len(m.Received()), f.wasTold(), x.state, x.mails, x.told, n.Attempts)
			}
			left, byItself, err := s.Onward(t.Context(), n)
			if err != nil || len(left) != len(x.left) {
				t.Fatalf("left %v, %v; want %v", left, err, x.left)
			}
			for k := range left {
				if left[k] != x.left[k] {
					t.Errorf("left %v, want %v", left, x.left)
				}
			}
			if n.State == rempart.NoticeFailed && byItself {
				t.Error("a human has it, and it would go on by itself")
			}
		})
	}
}

// TestOnwardByHand: somebody sends by the next channel; what follows the notice
// takes it too, and the first channel is told nothing more.
func TestOnwardByHand(t *testing.T) {
	f, m := newFar(t), mailtest.NewSMTP(t, false, false)
	f.will(fault{answer: status(403, "not like this")})
	s, c, id := booked(t, f, m, false, byAPI, byMail)
	s.settle()
	if err := s.DB.UpdateCase(t.Context(), c.ID, "", func(c *rempart.Case) error {
		return c.SendNoticeBy(id, byForm, 0, analyst, s.clock.now())
	}); rempart.KindOf(err) != rempart.Invalid {
		t.Errorf("sent by a form: %v", err)
	}
	s.change(c, func(c *rempart.Case) error { return c.SendNoticeBy(id, byMail, time.Minute, analyst, s.clock.now()) })
	s.settle()
	if len(m.Received()) != 0 {
		t.Fatal("it left before its time")
	}
	s.clock.advance(time.Minute)
	s.settle()
	n := s.caseOf(c.Ref).Notice(id)
	if n.State != rempart.NoticeSent || len(m.Received()) != 1 || m.Received()[0].To != byMail.To || s.count(c.ID, "notice.channel") != 1 {
		t.Fatalf("the notice is %s, %d e-mails", n.State, len(m.Received()))
	}
	if err := s.DB.UpdateCase(t.Context(), c.ID, "", func(c *rempart.Case) error { return c.SendNoticeBy(id, byAPI, 0, analyst, s.clock.now()) }); rempart.KindOf(err) != rempart.Conflict {
		t.Errorf("sent again by another channel: %v", err)
	}
	s.clock.set(n.Since.Add(48 * time.Hour))
	s.settle()
	if got := m.Received(); len(got) != 2 || got[1].Header.Get("In-Reply-To") == "" || f.wasTold() {
		t.Errorf("%d e-mails, by API %v", len(got), f.wasTold())
	}
}

// TestOnwardKilled is stopped between the refusal and the next channel: a human
// has the notice, and nothing leaves by itself.
func TestOnwardKilled(t *testing.T) {
	f, m := newFar(t), mailtest.NewSMTP(t, false, false)
	f.will(fault{answer: status(403, "not like this")})
	s, c, id := booked(t, f, m, true, byAPI, byMail)
	killed := false
	s.Fault = func(point string) {
		if point == "notice.send.failed" && !killed {
			killed = true
			runtime.Goexit()
		}
	}
	s.step()
	s.clock.advance(10 * time.Minute)
	s.settle()
	if n := s.caseOf(c.Ref).Notice(id); !killed || n.State != rempart.NoticeFailed || len(m.Received()) != 0 {
		t.Errorf("killed %v: %s, %d e-mails", killed, n.State, len(m.Received()))
	}
}
