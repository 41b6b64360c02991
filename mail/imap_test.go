package mail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rempart"
	"rempart/internal/mailtest"
	"rempart/mail"
)

func mailbox(s *mailtest.IMAP, how mail.TLS) *mail.Mailbox {
	return &mail.Mailbox{Server: mail.Server{Host: s.Host, Port: s.Port, TLS: how, User: mailtest.User, Password: mailtest.Password, Config: s.TLS}, Patience: 20 * time.Second}
}

// read reads all that is new behind a place.
func read(t *testing.T, b *mail.Mailbox, from rempart.MailPlace) ([]rempart.Mail, rempart.MailPlace) {
	t.Helper()
	var out []rempart.Mail
	at, err := b.Read(t.Context(), from, time.Now(), func(_ rempart.MailPlace, m rempart.Mail) error {
		out = append(out, m)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, at
}

// Messages as services send them; the reports are those of RFC 3464, appendix E.1,
// and of Postfix, with names of ours.
const (
	reply = `From: =?UTF-8?Q?Mod=C3=A9ration?= <abus@forum.exemple.test>
To: notifications+n42@association.exemple.test
Subject: =?ISO-8859-1?Q?R=E9ponse?=
Message-ID: <r1@forum.exemple.test>
In-Reply-To: <n42.1@association.exemple.test>
References: <n41.1@association.exemple.test> <n42.1@association.exemple.test>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=AAA

--AAA
Content-Type: multipart/alternative; boundary=BBB

--BBB
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Le contenu a =E9t=E9 retir=E9.

--BBB
Content-Type: text/html; charset=utf-8

<p>Le contenu a été retiré.</p><img src="https://pixel.exemple.test/x">

--BBB--
--AAA
Content-Type: application/pdf; name="decision.pdf"
Content-Disposition: attachment; filename="=?UTF-8?Q?d=C3=A9cision.pdf?="
Content-Transfer-Encoding: base64

UElFQ0UtSk9JTlRFLVNFQ1JFVEU=

--AAA
Content-Type: image/png; name="logo.png"
Content-Disposition: inline; filename="logo.png"
Content-Transfer-Encoding: base64

SU1BR0UtU0VDUkVURS1JTUFHRQ==

--AAA--
`
	page = `From: abus@forum.exemple.test
To: notifications@association.exemple.test
Subject: HTML
Message-ID: <r2@forum.exemple.test>
Auto-Submitted: auto-replied
Content-Type: text/html; charset=utf-8

<html><head><title>x</title><style>p{color:red}</style></head><body><h1>Bonjour</h1><p>Votre demande  est&nbsp;reçue.<br>Suivi&nbsp;: <a href="https://forum.exemple.test/t/1">ici</a></p><script>alert(1)</script></body></html>
`
	bounce = `From: MAILER-DAEMON@mx.exemple.test
To: notifications@association.exemple.test
Subject: Undelivered Mail Returned to Sender
Message-ID: <b1@mx.exemple.test>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="CCC"

--CCC
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--CCC
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.exemple.test
Arrival-Date: Fri, 20 Nov 2026 10:00:00 +0000 (UTC)

Final-Recipient: rfc822; abus@forum.exemple.test
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such mailbox

--CCC
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: notifications@association.exemple.test
To: abus@forum.exemple.test
Subject: [7F3K-9QXM] Notification
Message-ID: <n42.1@association.exemple.test>

Texte-de-la-notification-renvoyee
--CCC--
`
	late = `From: MAILER-DAEMON@mx.exemple.test
To: notifications@association.exemple.test
Subject: Delayed Mail
Message-ID: <b2@mx.exemple.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="CCC"

--CCC
Content-Type: text/plain

It takes longer.

--CCC
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.exemple.test

Final-Recipient: rfc822; abus@forum.exemple.test
Action: delayed
Status: 4.4.1

--CCC
Content-Type: text/rfc822-headers

Message-ID: <n42.1@association.exemple.test>

--CCC--
`
)

// TestMailbox reads messages as they come: their text, never what is attached.
func TestMailbox(t *testing.T) {
	for _, how := range []mail.TLS{mail.Implicit, mail.StartTLS} {
		t.Run(string(how), func(t *testing.T) {
			s := mailtest.NewIMAP(t, how == mail.Implicit, false)
			for _, x := range []string{"UElFQ0UtSk9JTlRFLVNFQ1JFVEU", "SU1BR0UtU0VDUkVURS1JTUFHRQ", "Texte-de-la-notification-renvoyee"} {
				s.Keep(x)
			}
			b := mailbox(s, how)
			s.Deliver("Subject: what was there before\nMessage-ID: <old@x.exemple.test>\n\nx\n")
			none, place := read(t, b, rempart.MailPlace{})
			if len(none) != 0 || place.UID != 1 || place.Since.IsZero() {
				t.Fatalf("first reading: %+v, %+v", none, place)
			}
			for _, m := range []string{reply, page, bounce, late} {
				s.Deliver(m)
			}
			got, place := read(t, b, place)
			if len(got) != 4 || place.UID != 5 {
				t.Fatalf("%d messages, %+v", len(got), place)
			}
			for k := range got {
				if got[k].Size == 0 || got[k].At.IsZero() || got[k].Unread {
					t.Errorf("message %d: %+v", k, got[k])
				}
				got[k].Size, got[k].At = 0, time.Time{}
				got[k] = got[k].Normal()
			}
			want := []rempart.Mail{
				{Kind: rempart.MailReply, MessageID: "r1@forum.exemple.test", From: "Modération <abus@forum.exemple.test>", Subject: "Réponse", Text: "Le contenu a été retiré.",
					Files: []rempart.MailFile{{Name: "décision.pdf", Type: "application/pdf", Size: 30}, {Name: "logo.png", Type: "image/png", Size: 30}},
					About: []string{"n42.1@association.exemple.test", "n41.1@association.exemple.test"}, Tags: []string{"n42"}},
				{Kind: rempart.MailAuto, MessageID: "r2@forum.exemple.test", From: "abus@forum.exemple.test", Subject: "HTML",
					Text: "Bonjour\n\nVotre demande est\u00a0reçue.\nSuivi\u00a0: ici <https://forum.exemple.test/t/1>"},
				{Kind: rempart.MailBounce, MessageID: "b1@mx.exemple.test", From: "MAILER-DAEMON@mx.exemple.test", Subject: "Undelivered Mail Returned to Sender",
					Text:   "I'm sorry to have to inform you that your message could not be delivered.",
					Status: "5.1.1", Recipient: "abus@forum.exemple.test", Answer: "550 5.1.1 no such mailbox", About: []string{"n42.1@association.exemple.test"}},
				{Kind: rempart.MailAuto, MessageID: "b2@mx.exemple.test", From: "MAILER-DAEMON@mx.exemple.test", Subject: "Delayed Mail", Text: "It takes longer.",
					Status: "4.4.1", Recipient: "abus@forum.exemple.test", About: []string{"n42.1@association.exemple.test"}},
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			if again, _ := read(t, b, place); len(again) != 0 {
				t.Errorf("again: %+v", again)
			}
			s.Renew()
			s.Deliver(reply)
			if again, at := read(t, b, place); len(again) != 1 || again[0].Normal().Key() != got[0].Key() || at.Validity == place.Validity {
				t.Errorf("after the identifiers changed: %+v, %+v", again, at)
			}
		})
	}
}

// TestMailboxHostile reads what no program wrote to be read: nothing that comes
// behind it is held up, and each stays within its bounds.
func TestMailboxHostile(t *testing.T) {
	s := mailtest.NewIMAP(t, true, false)
	b := mailbox(s, mail.Implicit)
	_, place := read(t, b, rempart.MailPlace{})
	deep := "Subject: deep\nContent-Type: multipart/mixed; boundary=b0\n\n"
	for k := range 40 {
		deep += "--b" + strings.Repeat("x", k) + "0\nContent-Type: multipart/mixed; boundary=b" + strings.Repeat("x", k+1) + "0\n\n"
	}
	hostile := []string{
		"Subject: long\nContent-Type: text/plain\n\n" + strings.Repeat("mot ", 200_000) + "\n",
		"Subject: no type\nContent-Type: text/plain; charset=x-unknown\nContent-Transfer-Encoding: base64\n\n!!!!\n",
		"Subject: \x01 \u202eevil\nFrom: (((\nMessage-ID: none\nContent-Type: multipart/mixed\n\nx\n",
		deep,
		"Subject: many\nContent-Type: multipart/mixed; boundary=m\n\n" + strings.Repeat("--m\nContent-Type: image/png; name=a.png\n\nx\n", 900) + "--m--\n",
		"Subject: report\nContent-Type: multipart/report; report-type=delivery-status; boundary=m\n\n--m\nContent-Type: message/delivery-status\n\nAction failed\n\nStatus: 5\n--m--\n",
		"\n\n",
		"Subject: last\nContent-Type: text/plain\n\nLe dernier.\n",
	}
	for _, m := range hostile {
		s.Deliver(m)
	}
	var got []rempart.Mail
	for range len(hostile) + 1 { // one that breaks the connection ends a reading
		var more []rempart.Mail
		more, place = read(t, b, place)
		got = append(got, more...)
	}
	if len(got) != len(hostile) || got[len(got)-1].Text != "Le dernier.\r\n" {
		t.Fatalf("%d of %d messages: %+v", len(got), len(hostile), got[len(got)-1])
	}
	for _, m := range got {
		m = m.Normal()
		if n := len([]rune(m.Text)); n > rempart.MaxMailText || len(m.Files) > rempart.MaxMailFiles || strings.ContainsAny(m.Subject, "\x01\u202e") {
			t.Errorf("%q: %d characters, %d files", m.Subject, n, len(m.Files))
		}
		if m.Kind == rempart.MailBounce {
			t.Errorf("%q is no report of a failure", m.Subject)
		}
	}
	if !got[0].Cut && len([]rune(got[0].Text)) <= rempart.MaxMailText {
		t.Error("the long one is not said to be cut")
	}
}

// TestMailboxRefused says in a few words why nothing is read, and never speaks in
// clear.
func TestMailboxRefused(t *testing.T) {
	s, plain := mailtest.NewIMAP(t, true, false), mailtest.NewIMAP(t, false, true)
	wrong, folder, clear, away, unknown := mailbox(s, mail.Implicit), mailbox(s, mail.Implicit), mailbox(plain, mail.StartTLS), mailbox(s, mail.Implicit), mailbox(s, mail.Implicit)
	wrong.Server.Password, folder.Folder, away.Server.Port, unknown.Server.Config = "faux", "Archives", 1, nil
	for name, c := range map[string]struct {
		b    *mail.Mailbox
		want string
	}{
		"fine":        {mailbox(s, mail.Implicit), ""},
		"password":    {wrong, "signing in: the mail server refused"},
		"folder":      {folder, "opening the folder: the mail server refused"},
		"no TLS":      {clear, "offers no TLS"},
		"away":        {away, "does not accept connections"},
		"certificate": {unknown, "certificate does not hold"},
	} {
		err := c.b.Check(t.Context())
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
