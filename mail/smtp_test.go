package mail_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rempart/internal/mailtest"
	"rempart/mail"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sender(s *mailtest.SMTP, how mail.TLS) *mail.Sender {
	return &mail.Sender{Server: mail.Server{Host: s.Host, Port: s.Port, TLS: how, User: mailtest.User, Password: mailtest.Password, Config: s.TLS},
		From: "notifications@association.exemple.test", Name: "Association Exemple", Patience: 20 * time.Second}
}

var at = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func message(s *mail.Sender, try int) mail.Message {
	return mail.Message{ID: s.MessageID("0abc", try), To: "abus@forum.exemple.test", Tag: "0abc", Subject: "[7F3K-9QXM] Notification d’un contenu illicite",
		Text: "Première ligne – « été ».\n\nhttps://forum.exemple.test/" + strings.Repeat("a", 200) + "?a=b&c=d#e\n", References: []string{"un@x.test", "deux@x.test"}, At: at}
}

// TestSend sends over both kinds of TLS: what arrives is what was written, with
// its thread.
func TestSend(t *testing.T) {
	for _, how := range []mail.TLS{mail.Implicit, mail.StartTLS} {
		t.Run(string(how), func(t *testing.T) {
			s := mailtest.NewSMTP(t, how == mail.Implicit, false)
			from := sender(s, how)
			from.Plus = true
			_, key, _ := ed25519.GenerateKey(nil)
			from.DKIM, from.Selector = key, "essai"
			m := message(from, 1)
			if _, err := from.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			got := s.Received()
			if len(got) != 1 {
				t.Fatalf("%d messages", len(got))
			}
			h := got[0].Header
			for name, want := range map[string]string{
				"Message-Id": "<0abc.1@association.exemple.test>", "In-Reply-To": "<deux@x.test>", "References": "<un@x.test> <deux@x.test>",
				"Reply-To": "<notifications+0abc@association.exemple.test>", "To": "<abus@forum.exemple.test>", "Content-Type": "text/plain; charset=UTF-8",
			} {
				if h.Get(name) != want {
					t.Errorf("%s: %q, want %q", name, h.Get(name), want)
				}
			}
			if sent, err := h.Date(); err != nil || !sent.Equal(at) {
				t.Errorf("date %v, %v", sent, err)
			}
			if !strings.Contains(h.Get("DKIM-Signature"), "d=association.exemple.test") || h.Get("User-Agent") != "" || h.Get("X-Mailer") != "" {
				t.Errorf("headers %v", h)
			}
			body, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(got[0].Body)))
			if err != nil || strings.ReplaceAll(string(body), "\r\n", "\n") != m.Text {
				t.Errorf("text %q, %v, want %q", body, err, m.Text)
			}
			if err := from.Check(t.Context()); err != nil || len(s.Received()) != 1 {
				t.Errorf("check: %v, %d messages", err, len(s.Received()))
			}
		})
	}
}

// TestFaults meets each fault: what is said of it is what happened, and where
// that cannot be known it says so.
func TestFaults(t *testing.T) {
	met := 0
	for fault, want := range map[mailtest.Fault]mail.Fault{
		mailtest.Fine: {}, mailtest.Slow: {}, mailtest.Huge: {},
		mailtest.Busy: {Code: 450}, mailtest.Unknown: {Code: 550, Permanent: true},
		mailtest.Later: {Code: 451}, mailtest.Spam: {Code: 554, Permanent: true},
		mailtest.CutBefore: {}, mailtest.CutTaken: {Unclear: true}, mailtest.CutLost: {Unclear: true}, mailtest.Never: {Unclear: true},
	} {
		met++
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			s := mailtest.NewSMTP(t, false, false)
			s.Will(fault)
			from := sender(s, mail.StartTLS)
			if fault == mailtest.Never {
				from.Patience = 2 * time.Second
			}
			answer, err := from.Send(t.Context(), message(from, 1))
			var f *mail.Fault
			taken := fault == mailtest.Fine || fault == mailtest.Slow
			if fault == mailtest.Huge && err != nil { // taken, if the library bears such an answer; never called refused
				if !errors.As(err, &f) || !f.Unclear || len(s.Received()) != 1 {
					t.Errorf("%v, %+v, want taken or unclear", err, f)
				}
				return
			}
			if taken != (err == nil) && fault != mailtest.Huge || len([]rune(answer)) > 300 {
				t.Fatalf("error %v, answer of %d", err, len(answer))
			}
			if err == nil {
				return
			}
			if !errors.As(err, &f) || f.Code != want.Code || f.Permanent != want.Permanent || f.Unclear != want.Unclear || f.Text == "" || strings.Contains(f.Text, "\n") {
				t.Errorf("fault %+v, want %+v", f, want)
			}
			if stored := len(s.Received()) == 1; stored && !f.Unclear {
				t.Errorf("the message was taken, and called not taken: %+v", f)
			}
		})
	}
	if met != len(mailtest.Faults) {
		t.Errorf("%d faults met of %d", met, len(mailtest.Faults))
	}
}

// TestConnection meets what goes wrong before a message: nothing goes in clear,
// nor to a server whose certificate does not hold.
func TestConnection(t *testing.T) {
	plain := mailtest.NewSMTP(t, false, true)
	implicit := mailtest.NewSMTP(t, true, false)
	gone := mailtest.NewSMTP(t, false, false)
	gone.Close()
	for name, x := range map[string]struct {
		from      func() *mail.Sender
		text      string
		permanent bool
	}{
		"no TLS":            {func() *mail.Sender { return sender(plain, mail.StartTLS) }, "no TLS", true},
		"wrong certificate": {func() *mail.Sender { s := sender(implicit, mail.Implicit); s.Server.Config = nil; return s }, "certificate", false},
		"wrong password":    {func() *mail.Sender { s := sender(implicit, mail.Implicit); s.Server.Password = "faux"; return s }, "", true},
		"gone":              {func() *mail.Sender { return sender(gone, mail.StartTLS) }, "does not accept connections", false},
	} {
		t.Run(name, func(t *testing.T) {
			from := x.from()
			_, err := from.Send(t.Context(), message(from, 1))
			var f *mail.Fault
			if !errors.As(err, &f) || !strings.Contains(f.Text, x.text) || f.Permanent != x.permanent || f.Unclear {
				t.Errorf("fault %+v of %v", f, err)
			}
			if f != nil && (strings.Contains(f.Error(), "faux") || strings.Contains(f.Text, mailtest.Password)) {
				t.Error("the fault holds a password")
			}
			if err := from.Check(t.Context()); err == nil {
				t.Error("the check finds nothing")
			}
		})
	}
	if n := len(plain.Received()) + len(implicit.Received()); n != 0 {
		t.Errorf("%d messages arrived", n)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	from := sender(implicit, mail.Implicit)
	if _, err := from.Send(ctx, message(from, 1)); err == nil {
		t.Error("sent after the end")
	}
}
