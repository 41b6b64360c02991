// Package mail sends notices by e-mail and reads what comes back.
//
// It sends one plain text to one recipient over TLS, and says of each try whether
// the server took it, refused it, or whether that cannot be known: SMTP has no
// key that makes a second try a repetition, so what is not known is never tried
// again by a program. It reads a mailbox by IMAP without changing it: text only,
// attachments never, so much and no more.
//
// The protocols are go-mail's (SMTP), go-imap's and go-message's.
package mail

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// TLS says how a connection is secured. There is no way to send in clear.
type TLS string

// Ways to secure a connection.
const (
	Implicit TLS = "tls"      // from the first byte: ports 465 and 993
	StartTLS TLS = "starttls" // refused if the server does not offer it: ports 587 and 143
)

// A Server is a mail server and how we sign in there.
type Server struct {
	Host     string
	Port     int
	TLS      TLS
	User     string // "" for none
	Password string
	Config   *tls.Config // nil for the system's certificates; ServerName is set to Host
}

// String keeps the password out of logs and error texts.
func (s Server) String() string { return fmt.Sprintf("%s:%d", s.Host, s.Port) }

func (s Server) config() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.Config != nil {
		c = s.Config.Clone()
	}
	c.ServerName = s.Host
	return c
}

// A Sender sends from one address through one server. It is safe for concurrent
// use: each message has its own connection.
type Sender struct {
	Server   Server
	From     string // address, such as notifications@association.exemple.test
	Name     string // shown beside it, "" for none
	Plus     bool   // the mailbox takes NAME+ANYTHING@: replies then name the notice
	DKIM     crypto.Signer
	Selector string        // of the DKIM key
	Patience time.Duration // for one message, all in all; default: 40 s
}

// A Message is one e-mail to send.
type Message struct {
	ID         string // without brackets, see MessageID
	To         string
	Tag        string // what the mailbox's plus address names, "" for none
	Subject    string
	Text       string
	References []string // earlier messages of the thread, oldest first
	Anonymous  bool     // no name beside the address
	At         time.Time
}

// A Fault is a try that did not end with the server's word that it took the
// message.
type Fault struct {
	Code      int    // SMTP's, 0 when there was none
	Text      string // what the server or the network said, on one line
	Permanent bool   // trying again unchanged cannot help
	Unclear   bool   // the server may have taken it: never to be tried again by a program
	Err       error
}

// Error says what went wrong.
func (f *Fault) Error() string {
	if f.Code != 0 {
		return fmt.Sprintf("mail: answered %d: %s", f.Code, f.Text)
	}
	return "mail: " + f.Text
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Domain is the part of the sender's address behind the at sign.
func (s *Sender) Domain() string { return s.From[strings.LastIndexByte(s.From, '@')+1:] }

// Send gives a message to the server, and returns what the server said when it
// took it. Any other outcome is a *Fault.
func (s *Sender) Send(ctx context.Context, m Message) (answer string, err error) {
	msg, err := s.compose(m)
	if err != nil {
		return "", &Fault{Text: "the message cannot be written", Permanent: true, Err: err}
	}
	c, client, conn, err := s.dial(ctx)
	if conn != nil {
		defer conn.Close()
	}
	if err != nil {
		return "", dialFault(err)
	}
	err = c.SendWithSMTPClient(client, msg)
	if msg.IsDelivered() { // whatever came after: it was taken
		c.CloseWithSMTPClient(client)
		return oneLine(msg.ServerResponse()), nil
	}
	return "", sendFault(err)
}

// Check signs in and leaves again: nothing is sent.
func (s *Sender) Check(ctx context.Context) error {
	c, client, conn, err := s.dial(ctx)
	if conn != nil {
		defer conn.Close()
	}
	if err != nil {
		return dialFault(err)
	}
	c.CloseWithSMTPClient(client)
	return nil
}

// dial opens a connection, secures it and signs in. The connection is returned
// even if that failed; it is closed when the patience ends.
func (s *Sender) dial(ctx context.Context) (*gomail.Client, *smtpClient, net.Conn, error) {
	patience := s.Patience
	if patience <= 0 {
		patience = 40 * time.Second
	}
	var conn net.Conn
	dialer := &net.Dialer{Timeout: min(patience, 10*time.Second)}
	options := []gomail.Option{
		gomail.WithPort(s.Server.Port), gomail.WithTimeout(patience / 2), gomail.WithHELO(s.Domain()), gomail.WithTLSConfig(s.Server.config()),
		gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithoutRset(),
		gomail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
			raw, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			raw.SetDeadline(time.Now().Add(patience))
			conn = &bounded{raw, time.Now().Add(patience)}
			if s.Server.TLS == Implicit {
				secured := tls.Client(conn, s.Server.config())
				if err := secured.HandshakeContext(ctx); err != nil {
					return nil, err
				}
				return secured, nil
			}
			return conn, nil
		}),
	}
	if s.Server.TLS == Implicit {
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS), gomail.WithSSL())
	}
	if s.Server.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthPlain), gomail.WithUsername(s.Server.User), gomail.WithPassword(s.Server.Password))
	}
	if s.DKIM != nil {
		options = append(options, gomail.WithAlwaysDKIMSign(gomail.NewDKIMSigner(s.Domain(), s.Selector, s.DKIM)))
	}
	c, err := gomail.NewClient(s.Server.Host, options...)
	if err != nil {
		return nil, nil, nil, err
	}
	client, err := c.DialToSMTPClientWithContext(ctx)
	return c, client, conn, err
}

// bounded is a connection whose deadline never moves past an end, whatever the
// library sets: a server that trickles holds nobody up.
type bounded struct {
	net.Conn
	end time.Time
}

func (b *bounded) SetDeadline(t time.Time) error {
	if t.IsZero() || t.After(b.end) {
		t = b.end
	}
	return b.Conn.SetDeadline(t)
}

// compose writes a message: plain text, UTF-8.
func (s *Sender) compose(m Message) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	name := s.Name
	if m.Anonymous {
		name = ""
	}
	if err := errors.Join(msg.FromFormat(name, s.From), msg.To(m.To)); err != nil {
		return nil, err
	}
	if at := strings.LastIndexByte(s.From, '@'); s.Plus && m.Tag != "" {
		if err := msg.ReplyTo(s.From[:at] + "+" + m.Tag + s.From[at:]); err != nil {
			return nil, err
		}
	}
	msg.SetMessageIDWithValue(m.ID)
	msg.SetDateWithValue(m.At)
	msg.Subject(m.Subject)
	if n := len(m.References); n > 0 {
		var all []string
		for _, r := range m.References {
			all = append(all, "<"+r+">")
		}
		msg.SetGenHeader(gomail.HeaderInReplyTo, all[n-1])
		msg.SetGenHeader(gomail.HeaderReferences, strings.Join(all, " "))
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	return msg, nil
}

// dialFault reads why a connection could not be used. Nothing of the message was
// sent yet.
func dialFault(err error) error {
	f := &Fault{Text: networkText(err), Err: err}
	var cert *tls.CertificateVerificationError
	var proto interface{ Temporary() bool }
	switch {
	case errors.As(err, &cert):
		f.Text = "the mail server's certificate does not hold"
	case strings.Contains(err.Error(), "STARTTLS"):
		f.Text, f.Permanent = "the mail server offers no TLS, and nothing is sent in clear", true
	case errors.As(err, &proto):
	}
	if code := codeOf(err); code != 0 {
		f.Code, f.Text, f.Permanent = code, oneLine(err.Error()), code >= 500
	}
	return f
}

// sendFault reads why a message was not taken. The one moment of doubt is the end
// of its data: the server may have taken it although its answer did not come.
func sendFault(err error) error {
	var e *gomail.SendError
	if !errors.As(err, &e) {
		return &Fault{Text: "the mail server ended without an answer", Unclear: true, Err: err}
	}
	f := &Fault{Code: e.ErrorCode(), Text: oneLine(e.Error()), Err: err}
	switch {
	case f.Code >= 500:
		f.Permanent = true
	case f.Code >= 400:
	case e.Reason == gomail.ErrSMTPDataClose:
		f.Unclear, f.Text = true, "the connection ended before the mail server said whether it took the message"
	default:
		f.Text = networkText(err)
	}
	return f
}

// MessageID is the identifier of one try at sending a notice: no two tries have
// the same, so that each answer names the try it is about.
func (s *Sender) MessageID(notice string, try int) string {
	return fmt.Sprintf("%s.%d@%s", notice, try, s.Domain())
}
