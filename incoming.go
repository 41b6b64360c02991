package rempart

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode"
)

// Limits on an e-mail as it is kept. What is over them stays in the mailbox, which
// is never changed.
const (
	MaxMailText  = 20_000 // runes of its text
	MaxMailFiles = 50     // attachments that are named
	MaxMails     = 100    // of one notice; more are kept beside the cases
)

// MailKind says what an e-mail is that came back.
type MailKind string

// Kinds of e-mail. Anybody can write one, and From proves nothing.
const (
	MailReply  MailKind = "reply"  // somebody wrote
	MailAuto   MailKind = "auto"   // a program answered by itself (RFC 3834), or says that delivery takes longer
	MailBounce MailKind = "bounce" // a report that one of our messages was not delivered (RFC 3464)
)

// A Mail is an e-mail that came to the mailbox where answers to notices come in:
// its text, and of what is attached the names. Nothing that was attached is kept,
// opened or fetched.
type Mail struct {
	ID        string     `json:"id"`
	At        time.Time  `json:"at"`               // when the mailbox took it
	Kept      time.Time  `json:"-"`                // of one that nobody has filed: since when it is kept
	Kind      MailKind   `json:"kind"`             //
	MessageID string     `json:"message_id"`       // without brackets, "" if it has none
	From      string     `json:"from"`             // as it says
	Subject   string     `json:"subject"`          //
	Text      string     `json:"text"`             // plain; what came as HTML was reduced to it
	Cut       bool       `json:"cut,omitempty"`    // there was more text
	Unread    bool       `json:"unread,omitempty"` // its parts could not be read: only what stands at its head is here
	Files     []MailFile `json:"files,omitempty"`  // what is attached
	More      int        `json:"more,omitempty"`   // attachments beyond MaxMailFiles
	Size      int64      `json:"size"`             // of the whole, in bytes

	Status    string `json:"status,omitempty"`    // of a bounce: RFC 3463, such as "5.1.1"
	Recipient string `json:"recipient,omitempty"` // whom it did not reach
	Answer    string `json:"answer,omitempty"`    // what that server said

	About []string `json:"about,omitempty"` // Message-IDs that it answers, the nearest first; of a bounce the one that bounced
	Tags  []string `json:"tags,omitempty"`  // what stands behind a plus in the addresses it was sent to
}

// A MailFile is an attachment, of which nothing is here but this.
type MailFile struct {
	Name string `json:"name"`
	Type string `json:"type"` // as the message says, such as "application/pdf"
	Size int64  `json:"size"` // in bytes, as it was encoded
}

// A MailPlace is how far a mailbox was read. The identifiers of its messages hold
// as long as its validity does (RFC 9051, 2.3.1.1).
type MailPlace struct {
	Validity uint32
	UID      uint32    // of the last message read
	Since    time.Time // when it was first read; zero: never
}

// Key is the same whenever the same message is read, and of no other.
func (m Mail) Key() string {
	h := sha256.New()
	for _, s := range []string{m.MessageID, m.From, m.Subject, m.Text, strings.Join(m.About, " "), string(m.Kind)} {
		h.Write([]byte(itoa(len(s)) + ":" + s))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Normal returns the e-mail as it is kept: bounded, and without characters that
// change what stands around them.
func (m Mail) Normal() Mail {
	m.Text = strings.TrimSpace(plainRunes(m.Text))
	if CarriesFile(m.Text) {
		m.Text, m.Cut = withoutFiles(m.Text), true
	}
	if r := []rune(m.Text); len(r) > MaxMailText {
		m.Text, m.Cut = string(r[:MaxMailText]), true
	}
	m.From, m.Subject = mailLine(m.From, 300), mailLine(m.Subject, 300)
	m.MessageID, m.Recipient = mailLine(m.MessageID, 300), mailLine(m.Recipient, 300)
	m.Status, m.Answer = mailLine(m.Status, 20), mailLine(m.Answer, 500)
	for k := range m.Files {
		f := &m.Files[k]
		f.Name, f.Type = mailLine(f.Name, 120), mailLine(f.Type, 80)
	}
	if n := len(m.Files); n > MaxMailFiles {
		m.Files, m.More = m.Files[:MaxMailFiles], m.More+n-MaxMailFiles
	}
	return m
}

// plainRunes is s with line ends as \n, without control characters and those that
// turn the direction of the text around them.
func plainRunes(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return -1
		}
		return r
	}, s)
}

func mailLine(s string, n int) string {
	s = oneLine(plainRunes(strings.ReplaceAll(s, "\r", " ")))
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// TakeMail records an e-mail on the notice that it answers. What it says moves
// nothing: a member of the staff reads it, which a task asks for, and decides. A
// program's answer is recorded without a task. A bounce is the end of the try that
// it names: that one did not arrive, and the notice is a human's again.
func (c *Case) TakeMail(noticeID string, m Mail, at time.Time) error {
	n := c.Notice(noticeID)
	if n == nil {
		return notFound("notice")
	}
	if len(n.Mails) >= MaxMails {
		return conflict("mail.many", "This notice has as many e-mails as it can hold.")
	}
	m = m.Normal()
	n.Mails = append(n.Mails, m)
	if c.UpdatedAt.Before(at) {
		c.UpdatedAt = at
	}
	c.event("notice.mail", c.ID, ActorSystem, at, "notice", noticeID, "mail", string(m.Kind), "status", m.Status)
	if m.Kind == MailBounce {
		if err := c.bounced(n, m, at); err != nil {
			return err
		}
	}
	if m.Kind == MailAuto || !c.Withdrawn.IsZero() {
		return nil
	}
	if c.State == CaseClosed {
		if err := c.Reopen(ActorSystem, at); err != nil {
			return err
		}
	}
	for k := range c.Clocks {
		if x := &c.Clocks[k]; x.Await == AwaitMail && x.NoticeID == n.ID && x.Live() {
			return nil // one task for all that was not read
		}
	}
	c.Clocks = append(c.Clocks, Clock{ID: NewID(at), Await: AwaitMail, Basis: BasisPolicy, NoticeID: n.ID, Since: at, Round: 1, StartedAt: at, DueAt: at,
		State: ClockMissed, StateAt: at})
	k := &c.Clocks[len(c.Clocks)-1]
	c.clockEvent("clock.started", k, ActorSystem, at, "due", at.UTC().Format(time.RFC3339))
	c.openTask(k, at)
	return nil
}

// bounced ends the try that a bounce names. An answer of the service itself is
// stronger than what a mail server says of one try, and so is a later try.
func (c *Case) bounced(n *Notice, m Mail, at time.Time) error {
	k := len(n.Attempts) - 1
	for k >= 0 && (n.Attempts[k].Channel != ChannelMail || !names(m.About, n.Attempts[k].MessageID)) {
		k--
	}
	if k < 0 {
		n.rungBounced(m)
	}
	if k < 0 || n.Attempts[k].Begun || n.Attempts[k].Failed {
		return nil
	}
	a := &n.Attempts[k]
	a.Failed, a.Unclear, a.Next = true, false, time.Time{}
	a.Bounced = m.Status
	if a.Bounced == "" {
		a.Bounced = "5"
	}
	if m.Answer != "" {
		a.Answer = m.Answer
	}
	if k < len(n.Attempts)-1 || n.State != NoticeSent {
		return nil
	}
	if err := n.move(NoticeFailed, at); err != nil {
		return err
	}
	c.event("notice.bounced", c.ID, ActorSystem, at, "notice", n.ID, "status", m.Status)
	return c.moveItems(n, ItemFailed, at)
}

// rungBounced notes on the try of a step that it came back: who reads the bounce
// sees to it.
func (n *Notice) rungBounced(m Mail) {
	for j := range n.Rungs {
		for k := range n.Rungs[j].Attempts {
			if a := &n.Rungs[j].Attempts[k]; a.Channel == ChannelMail && names(m.About, a.MessageID) && !a.Begun {
				a.Failed, a.Unclear, a.Bounced = true, false, m.Status
			}
		}
	}
}

func names(all []string, s string) bool {
	for _, x := range all {
		if x == s && s != "" {
			return true
		}
	}
	return false
}
