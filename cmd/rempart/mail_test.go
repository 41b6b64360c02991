package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rempart/internal/mailtest"
)

// TestDoctorMail: off unless it is set up; then it signs in over TLS and sends
// nothing; what keeps it from that is said, and a password is never on the
// command line.
func TestDoctorMail(t *testing.T) {
	s := mailtest.NewSMTP(t, false, false)
	plain := mailtest.NewSMTP(t, false, true)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	server, _ := mailtest.Certificates()
	roots := write("roots.pem", certificates(t, server))
	t.Setenv("SSL_CERT_FILE", roots) // read once by a process: the first test that needs it decides
	right, wrong, empty := write("right", mailtest.Password+"\n"), write("wrong", "faux"), write("empty", "\n")
	open := write("open", mailtest.Password)
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	box := mailtest.NewIMAP(t, true, false)
	in := func(s *mailtest.IMAP) string { return fmt.Sprintf("imaps://%s@127.0.0.1:%d", mailtest.User, s.Port) }
	at := func(s *mailtest.SMTP) string { return fmt.Sprintf("smtp://%s@127.0.0.1:%d", mailtest.User, s.Port) }
	for _, x := range []struct{ args, want string }{
		{"", "ok       mail: off"},
		{"-mail-server " + at(s) + " -mail-from a@exemple.test -mail-password " + right, "ok       mail: 127.0.0.1:"},
		{"-mail-server " + at(s) + " -mail-from a@exemple.test -mail-password " + wrong, "missing  mail: 127.0.0.1:"},
		{"-mail-server " + at(plain) + " -mail-from a@exemple.test -mail-password " + right, "offers no TLS"},
		{"-mail-server " + at(s) + " -mail-from a@exemple.test -mail-password " + empty, "missing  mail: password for the mail server: it is empty"},
		{"-mail-server " + at(s) + " -mail-from a@exemple.test", "missing  mail: password for the mail server: "},
		{"-mail-server smtp://u:secret@127.0.0.1:25 -mail-from a@exemple.test", "holds a password"},
		{"-mail-server http://127.0.0.1 -mail-from a@exemple.test", "is not the address of a mail server"},
		{"-mail-server " + at(s) + " -mail-from nobody -mail-password " + right, "no address to come from"},
		{"-mail-server " + at(s) + " -mail-from a@exemple.test -mail-password " + right + " -mail-dkim-key " + empty, "missing  mail: DKIM key"},
		{"", "ok       mailbox: off"},
		{"-mail-inbox " + in(box) + " -mail-inbox-password " + right, "ok       mailbox: 127.0.0.1:"},
		{"-mail-inbox " + in(box) + "/Archives -mail-inbox-password " + right, "opening the folder: the mail server refused"},
		{"-mail-inbox " + in(box) + " -mail-inbox-password " + wrong, "missing  mailbox: 127.0.0.1:"},
		{"-mail-inbox " + in(box) + " -mail-inbox-password " + empty, "password for the mailbox: it is empty"},
		{"-mail-inbox " + in(box) + " -mail-inbox-password " + open, "other users of this machine can read its file"},
		{"-mail-inbox imaps://u:secret@127.0.0.1 -mail-inbox-password " + right, "holds a password"},
		{"-mail-inbox imaps://127.0.0.1 -mail-inbox-password " + right, "names nobody who signs in"},
		{"-mail-inbox pop3://u@127.0.0.1 -mail-inbox-password " + right, "is not the address of a mail server"},
	} {
		var out, stderr bytes.Buffer
		run(t.Context(), append([]string{"doctor"}, strings.Fields(x.args)...), strings.NewReader(""), &out, &stderr)
		if !strings.Contains(out.String(), x.want) {
			t.Errorf("doctor %s: %q, want %q", x.args, out.String(), x.want)
		}
		if strings.Contains(out.String()+stderr.String(), "faux") || strings.Contains(out.String()+stderr.String(), mailtest.Password) {
			t.Errorf("doctor %s shows a password", x.args)
		}
	}
	if s.Tries() != 0 {
		t.Errorf("%d messages were begun", s.Tries())
	}
}

// certificates are those of a server, as a file of trusted ones.
func certificates(t *testing.T, c *tls.Config) string {
	t.Helper()
	x, err := x509.ParseCertificate(c.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x.Raw}))
}
