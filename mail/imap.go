package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"rempart"
)

// Bounds of one reading of a mailbox.
const (
	maxAtOnce  = 100      // messages
	maxHead    = 64 << 10 // bytes of a message's header
	maxPart    = 128 << 10
	maxParts   = 6        // parts with text that are fetched of one message
	maxSession = 64 << 20 // bytes that the server may send in all
)

// A Mailbox is where answers to notices come in. It is read and never changed: no
// message is marked, moved or deleted, and no attachment is fetched.
type Mailbox struct {
	Server   Server
	Folder   string        // default: INBOX
	Patience time.Duration // for one reading, all in all; default: 2 min
}

// Name tells one mailbox from another.
func (b *Mailbox) Name() string {
	return b.Server.User + "@" + b.Server.String() + "/" + b.folder()
}

func (b *Mailbox) folder() string {
	if b.Folder == "" {
		return "INBOX"
	}
	return b.Folder
}

// Check signs in, opens the folder and leaves again.
func (b *Mailbox) Check(ctx context.Context) error {
	c, end, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer end()
	if _, err := c.Select(b.folder(), &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		return imapFault("opening the folder", err)
	}
	return nil
}

// Read hands the messages that came after a place to take, oldest first, each with
// the place behind it, and returns how far the mailbox was read. A mailbox that was
// never read begins with what comes from now on. Where its identifiers do not hold
// any more, what came since it was first read comes again: take knows what it has
// by [rempart.Mail.Key]. An error of take ends the reading.
func (b *Mailbox) Read(ctx context.Context, from rempart.MailPlace, now time.Time, take func(rempart.MailPlace, rempart.Mail) error) (rempart.MailPlace, error) {
	c, end, err := b.open(ctx)
	if err != nil {
		return from, err
	}
	defer end()
	box, err := c.Select(b.folder(), &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return from, imapFault("opening the folder", err)
	}
	ask := &imap.SearchCriteria{}
	switch {
	case from.Since.IsZero():
		return rempart.MailPlace{Validity: box.UIDValidity, UID: uint32(max(box.UIDNext, 1) - 1), Since: now}, nil
	case from.Validity != box.UIDValidity:
		from.Validity, from.UID = box.UIDValidity, 0
		ask.Since = from.Since.AddDate(0, 0, -1) // days are the server's
	}
	ask.UID = []imap.UIDSet{{imap.UIDRange{Start: imap.UID(from.UID + 1), Stop: 0}}}
	found, err := c.UIDSearch(ask, nil).Wait()
	if err != nil {
		return from, imapFault("looking for messages", err)
	}
	uids := slices.DeleteFunc(found.AllUIDs(), func(u imap.UID) bool { return uint32(u) <= from.UID }) // N:* names the last one even if it is before N
	slices.Sort(uids)
	for k, u := range uids {
		if k == maxAtOnce {
			break
		}
		m, whole, err := fetch(c, u)
		if err != nil {
			return from, err
		}
		next := from
		next.UID = uint32(u)
		if m != nil {
			if err := take(next, *m); err != nil {
				return from, err
			}
		}
		from = next
		if !whole { // the connection is of no use any more; the next reading goes on behind it
			break
		}
	}
	return from, nil
}

// open connects, secures the connection and signs in.
func (b *Mailbox) open(ctx context.Context) (*imapclient.Client, func(), error) {
	patience := b.Patience
	if patience <= 0 {
		patience = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	d := &net.Dialer{Timeout: 10 * time.Second}
	raw, err := d.DialContext(ctx, "tcp", net.JoinHostPort(b.Server.Host, strconv.Itoa(b.Server.Port)))
	if err != nil {
		cancel()
		return nil, nil, dialFault(err)
	}
	until := time.Now().Add(patience)
	raw.SetDeadline(until)
	var conn net.Conn = &counted{bounded: bounded{raw, until}, left: maxSession}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	end := func() { stop(); raw.Close(); cancel() }
	options := &imapclient.Options{TLSConfig: b.Server.config(), WordDecoder: words}
	var c *imapclient.Client
	if b.Server.TLS == Implicit {
		secured := tls.Client(conn, b.Server.config())
		if err := secured.HandshakeContext(ctx); err != nil {
			end()
			return nil, nil, dialFault(err)
		}
		c = imapclient.New(secured, options)
		err = c.WaitGreeting()
	} else {
		c, err = imapclient.NewStartTLS(conn, options)
	}
	if err != nil {
		end()
		var refused *imap.Error
		if errors.As(err, &refused) && b.Server.TLS == StartTLS {
			return nil, nil, &Fault{Text: "the mail server offers no TLS, and nothing is read in clear", Permanent: true, Err: err}
		}
		return nil, nil, imapFault("greeting", err)
	}
	if err := c.Login(b.Server.User, b.Server.Password).Wait(); err != nil {
		c.Close()
		end()
		return nil, nil, imapFault("signing in", err)
	}
	return c, func() { c.Close(); end() }, nil
}

// counted is a connection that sends so much and no more.
type counted struct {
	bounded
	left int64
}

var errTooMuch = errors.New("mail: the server sends without end")

func (c *counted) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooMuch
	}
	n, err := c.bounded.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// The library sets deadlines of its own, and none.
func (b *bounded) SetReadDeadline(t time.Time) error {
	if t.IsZero() || t.After(b.end) {
		t = b.end
	}
	return b.Conn.SetReadDeadline(t)
}

func (b *bounded) SetWriteDeadline(t time.Time) error {
	if t.IsZero() || t.After(b.end) {
		t = b.end
	}
	return b.Conn.SetWriteDeadline(t)
}

// imapFault says what could not be done, without what the server said of whom.
func imapFault(doing string, err error) error {
	var cert *tls.CertificateVerificationError
	var refused *imap.Error
	switch {
	case errors.As(err, &cert):
		return &Fault{Text: "the mail server's certificate does not hold", Err: err}
	case errors.As(err, &refused):
		return &Fault{Text: doing + ": the mail server refused", Permanent: true, Err: err}
	}
	return &Fault{Text: doing + ": " + networkText(err), Err: err}
}

// fetch reads a message: its header, then of which parts it is made, then those
// that are text. whole is false when the connection broke on it: a message that no
// program can read must not hold up those behind it. nil is one that is gone.
func fetch(c *imapclient.Client, u imap.UID) (m *rempart.Mail, whole bool, err error) {
	set := imap.UIDSetNum(u)
	head := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, Peek: true, Partial: &imap.SectionPartial{Size: maxHead}}
	got, err := c.Fetch(set, &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{head}}).Collect()
	if err != nil {
		return nil, false, imapFault("reading a message", err)
	}
	if len(got) == 0 {
		return nil, true, nil
	}
	out := readHead(got[0].FindBodySection(head))
	out.At, out.Size = got[0].InternalDate, got[0].RFC822Size
	got, err = c.Fetch(set, &imap.FetchOptions{UID: true, BodyStructure: &imap.FetchItemBodyStructure{Extended: true}}).Collect()
	if err != nil || len(got) == 0 || got[0].BodyStructure == nil {
		out.Unread = true
		return &out, err == nil, nil
	}
	p := sortParts(got[0].BodyStructure)
	out.Files, out.More = p.files, p.more
	var ask []*imap.FetchItemBodySection
	for _, x := range p.wanted() {
		ask = append(ask, &imap.FetchItemBodySection{Part: x.path, Peek: true, Partial: &imap.SectionPartial{Size: maxPart}})
	}
	if len(ask) == 0 {
		return &out, true, nil
	}
	got, err = c.Fetch(set, &imap.FetchOptions{UID: true, BodySection: ask}).Collect()
	if err != nil || len(got) == 0 {
		out.Unread = true
		return &out, err == nil, nil
	}
	for k, x := range p.wanted() {
		b := got[0].FindBodySection(ask[k])
		x.take(&out, b, int64(x.Size) > maxPart)
	}
	p.report(&out)
	return &out, true, nil
}

// String names what the mailbox is, without who signs in.
func (b *Mailbox) String() string {
	return fmt.Sprintf("%s (%s)", b.Server, strings.ToValidUTF8(b.folder(), "?"))
}
