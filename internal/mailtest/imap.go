package mailtest

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// An IMAP is a running server with one mailbox, INBOX. It accuses a client that
// signs in in clear, changes anything, or fetches a part that it was told never to
// give.
type IMAP struct {
	t    *testing.T
	Host string
	Port int
	TLS  *tls.Config // for its clients

	mu      sync.Mutex
	mem     *imapmemserver.Server
	user    *imapmemserver.User
	refuse  bool
	renewed int
	sent    bytes.Buffer // what it told its clients
	secrets []string
	ln      net.Listener
	srv     *imapserver.Server
}

// NewIMAP starts a server. With implicit its port speaks TLS from the first byte,
// else it offers STARTTLS; plain servers offer neither.
func NewIMAP(t *testing.T, implicit, plain bool) *IMAP {
	t.Helper()
	server, client := Certificates()
	s := &IMAP{t: t, TLS: client}
	s.Renew()
	options := &imapserver.Options{
		NewSession: func(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.refuse {
				c.NetConn().Close()
				return nil, nil, net.ErrClosed
			}
			return &readOnly{s.mem.NewSession().(full), s}, nil, nil
		},
		Logger: log.New(io.Discard, "", 0), DebugWriter: (*told)(s), InsecureAuth: false,
	}
	if !plain {
		options.TLSConfig = server
	}
	s.srv = imapserver.New(options)
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
	t.Cleanup(func() { s.srv.Close(); s.ln.Close(); <-done; s.check() })
	return s
}

// full is what a session of the library's server in memory can do.
type full interface {
	imapserver.Session
	imapserver.SessionNamespace
	imapserver.SessionMove
}

// readOnly is a session that accuses whoever changes the mailbox.
type readOnly struct {
	full
	s *IMAP
}

func (x *readOnly) Store(*imapserver.FetchWriter, imap.NumSet, *imap.StoreFlags, *imap.StoreOptions) error {
	x.s.t.Error("a flag was set")
	return nil
}

func (x *readOnly) Expunge(*imapserver.ExpungeWriter, *imap.UIDSet) error {
	x.s.t.Error("messages were expunged")
	return nil
}

func (x *readOnly) Select(name string, o *imap.SelectOptions) (*imap.SelectData, error) {
	if o == nil || !o.ReadOnly {
		x.s.t.Error("the mailbox was not opened for reading only")
	}
	return x.full.Select(name, o)
}

func (x *readOnly) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	for _, b := range o.BodySection {
		if !b.Peek {
			x.s.t.Error("a message was marked as seen")
		}
	}
	return x.full.Fetch(w, set, o)
}

// Renew empties the mailbox, whose identifiers hold no more: it has another
// validity.
func (s *IMAP) Renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mem = imapmemserver.New()
	s.user = imapmemserver.NewUser(User, Password)
	for range s.renewed { // the library counts the validity of a user's folders from 1
		s.user.Create("INBOX", nil)
		s.user.Delete("INBOX")
	}
	s.user.Create("INBOX", nil)
	s.renewed++
	s.mem.AddUser(s.user)
}

// Refuse says whether it closes each connection at once.
func (s *IMAP) Refuse(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = away
}

// Keep names a text that the server must never be made to give away, such as the
// content of an attachment.
func (s *IMAP) Keep(secret string) { s.secrets = append(s.secrets, secret) }

func (s *IMAP) check() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.secrets {
		if bytes.Contains(s.sent.Bytes(), []byte(x)) {
			s.t.Errorf("what was attached was fetched: %q", x)
		}
	}
}

// told is where what the server says is kept.
type told IMAP

func (s *told) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent.Len() < 16<<20 {
		s.sent.Write(p)
	}
	return len(p), nil
}

// Deliver puts a message, with line ends as \n, into the mailbox.
func (s *IMAP) Deliver(raw string) {
	s.t.Helper()
	s.mu.Lock()
	user := s.user
	s.mu.Unlock()
	raw = strings.ReplaceAll(raw, "\n", "\r\n")
	if _, err := user.Append("INBOX", literal{strings.NewReader(raw)}, &imap.AppendOptions{Time: time.Now()}); err != nil {
		s.t.Fatal(err)
	}
}

type literal struct{ *strings.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }
