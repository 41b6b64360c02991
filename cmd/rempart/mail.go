package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	netmail "net/mail"
	"net/url"
	"os"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"rempart"
	"rempart/flow"
	"rempart/mail"
	"rempart/media"
)

// mailFlags say how notices leave by e-mail.
type mailFlags struct {
	MailServer   string `help:"Hub: mail server that takes our notices: smtps://USER@HOST:465 (TLS) or smtp://USER@HOST:587 (STARTTLS, required); default: no e-mail is sent." env:"REMPART_MAIL_SERVER"`
	MailPassword string `help:"Hub: file that holds the password for it." type:"path" env:"REMPART_MAIL_PASSWORD"`
	MailFrom     string `help:"Hub: address that notices come from; default: -email." env:"REMPART_MAIL_FROM"`
	MailPlus     bool   `help:"Hub: the mailbox also takes NAME+ANYTHING@…, so that answers name their notice." env:"REMPART_MAIL_PLUS"`
	MailDKIM     string `name:"mail-dkim-key" help:"Hub: file with a private key (PEM) to sign messages with (DKIM); default: left to the mail server." type:"path" env:"REMPART_MAIL_DKIM_KEY"`
	Inbox        string `name:"mail-inbox" help:"Hub: mailbox that answers to notices come to, by IMAP: imaps://USER@HOST:993/FOLDER (TLS) or imap://USER@HOST:143/FOLDER (STARTTLS, required); FOLDER is INBOX if it is left out. It is read and never changed; default: none is read." env:"REMPART_MAIL_INBOX"`
	InboxPass    string `name:"mail-inbox-password" help:"Hub: file that holds the password for it, open to you alone (mode 0600)." type:"path" env:"REMPART_MAIL_INBOX_PASSWORD"`
	MailSelector string `name:"mail-dkim-selector" help:"Hub: selector of that key." default:"rempart" env:"REMPART_MAIL_DKIM_SELECTOR"`
}

// sender returns what sends e-mail, nil if nothing is to.
func (c mailFlags) sender(email, name string) (flow.Mailer, error) {
	if c.MailServer == "" {
		return nil, nil
	}
	server, err := mailServer(c.MailServer, map[string]mail.TLS{"smtps": mail.Implicit, "smtp": mail.StartTLS}, map[string]int{"smtps": 465, "smtp": 587})
	if err != nil {
		return nil, hinted{fmt.Errorf("-mail-server %w", err), "give it as smtps://USER@HOST:465 or smtp://USER@HOST:587"}
	}
	s := &mail.Sender{Server: server, From: c.MailFrom, Name: name, Plus: c.MailPlus, Selector: c.MailSelector}
	if s.From == "" {
		s.From = email
	}
	if a, err := netmail.ParseAddress(s.From); err != nil || a.Address != s.From {
		return nil, hinted{errors.New("notices by e-mail have no address to come from"), "give it with -mail-from or -email"}
	}
	if server.User != "" {
		password, err := os.ReadFile(c.MailPassword)
		if err == nil && strings.TrimSpace(string(password)) == "" {
			err = errors.New("it is empty")
		}
		if err != nil {
			return nil, hinted{fmt.Errorf("password for the mail server: %w", err), "write it to a file that only you can read, and name the file with -mail-password"}
		}
		s.Server.Password = strings.TrimRight(string(password), "\r\n")
	}
	if c.MailDKIM != "" {
		if s.DKIM, err = dkimKey(c.MailDKIM); err != nil {
			return nil, hinted{fmt.Errorf("DKIM key: %w", err), "openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out FILE makes one"}
		}
	}
	return s, nil
}

// inbox returns what reads the mailbox of answers, nil if none is to be read.
func (c mailFlags) inbox() (flow.Inbox, error) {
	if c.Inbox == "" {
		return nil, nil
	}
	folder := ""
	address := c.Inbox
	if u, err := url.Parse(c.Inbox); err == nil {
		folder = strings.Trim(u.Path, "/")
		u.Path, u.RawPath = "", ""
		address = u.String()
	}
	server, err := mailServer(address, map[string]mail.TLS{"imaps": mail.Implicit, "imap": mail.StartTLS}, map[string]int{"imaps": 993, "imap": 143})
	if err == nil && server.User == "" {
		err = errors.New("names nobody who signs in")
	}
	if err != nil {
		return nil, hinted{fmt.Errorf("-mail-inbox %w", err), "give it as imaps://USER@HOST:993 or imap://USER@HOST:143/FOLDER"}
	}
	hint := "write it to a file that only you can read (chmod 600), and name the file with -mail-inbox-password"
	if openToOthers(c.InboxPass) {
		return nil, hinted{errors.New("password for the mailbox: other users of this machine can read its file"), hint}
	}
	password, err := os.ReadFile(c.InboxPass)
	if err == nil && strings.TrimSpace(string(password)) == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, hinted{fmt.Errorf("password for the mailbox: %w", err), hint}
	}
	server.Password = strings.TrimRight(string(password), "\r\n")
	return &mail.Mailbox{Server: server, Folder: folder}, nil
}

// inboxDoctor says whether the mailbox of answers lets us in. Nothing is read.
func (c mailFlags) inboxDoctor(ctx context.Context) media.Finding {
	f := media.Finding{Program: "mailbox", Found: true, Version: "off, answers by e-mail are recorded by hand (-mail-inbox)"}
	b, err := c.inbox()
	if err != nil {
		return media.Finding{Program: f.Program, Means: err.Error()}
	}
	if b == nil {
		return f
	}
	box := b.(*mail.Mailbox)
	if err := box.Check(ctx); err != nil {
		return media.Finding{Program: f.Program, Means: fmt.Sprintf("%s: %v: no answer is read", box, err)}
	}
	f.Version = fmt.Sprintf("%s lets us in over TLS; nothing was read", box)
	return f
}

func dkimKey(file string) (crypto.Signer, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return gomail.PrivKeyFromPEM(b)
}

// mailServer reads the address of a mail server: what it names secures the
// connection, and there is no word for one that is not secured.
func mailServer(address string, how map[string]mail.TLS, ports map[string]int) (mail.Server, error) {
	u, err := url.Parse(address)
	if err != nil || how[u.Scheme] == "" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return mail.Server{}, errors.New("is not the address of a mail server")
	}
	if _, set := u.User.Password(); set {
		return mail.Server{}, errors.New("holds a password, which every user of this machine can read there")
	}
	s := mail.Server{Host: u.Hostname(), Port: ports[u.Scheme], TLS: how[u.Scheme], User: u.User.Username()}
	if p := u.Port(); p != "" {
		if s.Port, err = strconv.Atoi(p); err != nil {
			return mail.Server{}, errors.New("is not the address of a mail server")
		}
	}
	return s, nil
}

// doctor says whether e-mail is set up and the server lets us in. Nothing is
// sent.
func (c mailFlags) doctor(ctx context.Context) media.Finding {
	f := media.Finding{Program: "mail", Found: true, Version: "off, notices by e-mail stay with a human (-mail-server)"}
	s, err := c.sender("nobody@localhost.invalid", "")
	if err != nil {
		return media.Finding{Program: f.Program, Means: err.Error()}
	}
	if s == nil {
		return f
	}
	sender := s.(*mail.Sender)
	if err := sender.Check(ctx); err != nil {
		return media.Finding{Program: f.Program, Means: fmt.Sprintf("%s: %v: no notice leaves by e-mail", sender.Server, err)}
	}
	f.Version = fmt.Sprintf("%s lets us in over TLS; nothing was sent", sender.Server)
	return f
}

// putMailbox saves a peer that is a mailbox: it has no key, here or there.
func (c *peerAdd) putMailbox(ctx context.Context, i *instance, s streams, p rempart.Peer, there bool) error {
	if c.Email != "" {
		if a, err := netmail.ParseAddress(c.Email); err != nil || a.Address != c.Email {
			return hinted{errors.New("-email is not an address"), "give it as abus@forum.exemple.test"}
		}
		p.URL = "mailto:" + c.Email
	}
	if p.URL == "" || c.Key != "" || c.OutKey != "" || c.Secret != "" || c.URL != "" {
		return hinted{errors.New("a mailbox has an address, and neither keys nor -url"), "rempart admin peer add -id forum -name Forum -kind mail -email abus@forum.exemple.test"}
	}
	if err := i.db.PutPeer(ctx, p, "", nil); err != nil {
		return err
	}
	kind := "peer.added"
	if there {
		kind = "peer.changed"
		fmt.Fprintf(s.err, "rempart: %s was there and is changed\n", p.ID)
	}
	return noted(ctx, i, kind, p.ID, "kind", string(p.Kind))
}
