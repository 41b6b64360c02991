package mail

import (
	"context"
	"errors"
	"net"
	"net/textproto"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

type smtpClient = smtp.Client

// codeOf returns the SMTP code in an error, 0 if there is none.
func codeOf(err error) int {
	var e *textproto.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// networkText says in a few words what went wrong on the way, without an address.
func networkText(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer from the mail server in time"
	case errors.As(err, &dns):
		return "the name of the mail server was not found"
	case errors.As(err, &op) && op.Op == "dial":
		return "the mail server does not accept connections"
	}
	return "the connection to the mail server broke"
}

// oneLine returns the first 300 characters of s on one line.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "�")), " ")
	if r := []rune(s); len(r) > 300 {
		return string(r[:299]) + "…"
	}
	return s
}
