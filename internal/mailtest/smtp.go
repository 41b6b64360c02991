// Package mailtest has a mail server for tests: SMTP that fails in every way, and
// a mailbox by IMAP. It accuses its caller: a message that comes in clear, without
// signing in, or twice under one Message-ID fails the test.
package mailtest

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// A Fault is what the server does with one message.
type Fault string

// Faults. Stored tells which of them deliver the message all the same.
const (
	Fine      Fault = "250"
	Busy      Fault = "450 at RCPT"
	Unknown   Fault = "550 at RCPT"
	Later     Fault = "451 after the data"
	Spam      Fault = "554 after the data"
	Slow      Fault = "slowly, but 250"
	CutBefore Fault = "cut before the data"
	CutTaken  Fault = "taken, and cut before 250"
	CutLost   Fault = "not taken, and cut before 250"
	Never     Fault = "no answer after the data"
	Huge      Fault = "250 with a gigabyte of text"
)

// Faults lists all of them.
var Faults = []Fault{Fine, Busy, Unknown, Later, Spam, Slow, CutBefore, CutTaken, CutLost, Never, Huge}

// User and Password sign in.
const (
	User     = "notifications"
	Password = "mot de passe d’essai"
)

// A Received is a message that the server took.
type Received struct {
	From, To string
	Raw      string
	Header   mail.Header
	Body     string // as it was encoded
}

// An SMTP is a running server.
type SMTP struct {
	t    *testing.T
	Host string
	Port int
	TLS  *tls.Config // for its clients: it holds the server's certificate

	mu       sync.Mutex
	faults   []Fault // of the next messages; then Fine
	received []Received
	tries    int
	refuse   bool
	srv      *smtp.Server
	ln       net.Listener
	stop     chan struct{}
}

// NewSMTP starts a server. With implicit its port speaks TLS from the first byte,
// else it offers STARTTLS; plain servers offer neither.
func NewSMTP(t *testing.T, implicit, plain bool) *SMTP {
	t.Helper()
	server, client := Certificates()
	s := &SMTP{t: t, TLS: client, stop: make(chan struct{})}
	s.srv = smtp.NewServer(s)
	s.srv.Domain = "mx.exemple.test"
	s.srv.ErrorLog = quiet{}
	s.srv.ReadTimeout, s.srv.WriteTimeout = 5*time.Second, 5*time.Second
	if !plain {
		s.srv.TLSConfig = server
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(ln.Addr().String())
	s.Host = host
	s.Port, _ = strconv.Atoi(port)
	if implicit {
		ln = tls.NewListener(ln, server)
	}
	s.ln = ln
	done := make(chan struct{})
	go func() { defer close(done); s.srv.Serve(ln) }()
	t.Cleanup(func() { s.Close(); <-done })
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// Certificates returns what a server for 127.0.0.1 needs, and what its clients
// need to trust it.
func Certificates() (server, client *tls.Config) {
	h := httptest.NewUnstartedServer(nil)
	h.StartTLS()
	defer h.Close()
	roots := x509.NewCertPool()
	roots.AddCert(h.Certificate())
	return &tls.Config{Certificates: h.TLS.Certificates}, &tls.Config{RootCAs: roots}
}

// Close stops it: from then on it accepts no connection.
func (s *SMTP) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.stop:
	default:
		close(s.stop)
		s.srv.Close()
		s.ln.Close() // Serve may not have taken it yet
	}
}

// Will sets what becomes of the next messages.
func (s *SMTP) Will(f ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f...)
}

// Received returns the messages that were taken, in order.
func (s *SMTP) Received() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Received(nil), s.received...)
}

// Tries returns how many messages were begun.
func (s *SMTP) Tries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

// Refuse says whether it closes each connection at once, as a server that is
// away.
func (s *SMTP) Refuse(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = away
}

// NewSession is go-smtp's.
func (s *SMTP) NewSession(c *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse {
		c.Conn().Close()
		return nil, smtp.ErrServerClosed
	}
	return &session{s: s, c: c}, nil
}

type session struct {
	s        *SMTP
	c        *smtp.Conn
	in       bool
	from, to string
	fault    Fault
}

func (x *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (x *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if _, secured := x.c.TLSConnectionState(); !secured {
			x.s.t.Error("a password came in clear")
		}
		if user != User || password != Password {
			return smtp.ErrAuthFailed
		}
		x.in = true
		return nil
	}), nil
}

func (x *session) Mail(from string, _ *smtp.MailOptions) error {
	if _, secured := x.c.TLSConnectionState(); !secured {
		x.s.t.Error("a message came in clear")
	}
	if !x.in {
		return smtp.ErrAuthRequired
	}
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.from, x.fault = from, Fine
	x.s.tries++
	if len(x.s.faults) > 0 {
		x.fault, x.s.faults = x.s.faults[0], x.s.faults[1:]
	}
	return nil
}

func (x *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.to = to
	switch x.fault {
	case Busy:
		return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "try again later"}
	case Unknown:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	case CutBefore:
		x.c.Conn().Close()
	}
	return nil
}

func (x *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	switch x.fault {
	case Later:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "greylisted"}
	case Spam:
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "refused"}
	case CutLost:
		x.c.Conn().Close()
		return nil
	}
	x.s.take(x, string(raw))
	switch x.fault {
	case CutTaken:
		x.c.Conn().Close()
	case Slow:
		time.Sleep(300 * time.Millisecond)
	case Never:
		select {
		case <-x.s.stop:
		case <-time.After(5 * time.Second):
		}
		x.c.Conn().Close()
	case Huge:
		return &smtp.SMTPError{Code: 250, EnhancedCode: smtp.EnhancedCode{2, 0, 0}, Message: strings.Repeat("x", 1<<20)}
	}
	return nil
}

// take keeps a message.
func (s *SMTP) take(x *session, raw string) {
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		s.t.Errorf("a message that cannot be read: %v", err)
		return
	}
	body, _ := io.ReadAll(m.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	id := m.Header.Get("Message-Id")
	for _, r := range s.received {
		if r.Header.Get("Message-Id") == id || id == "" {
			s.t.Errorf("the message %s came twice", id)
		}
	}
	s.received = append(s.received, Received{From: x.from, To: x.to, Raw: raw, Header: m.Header, Body: string(body)})
}

func (x *session) Reset()        {}
func (x *session) Logout() error { return nil }
