package main

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rempart"
)

// TestDoctorKeys: a keyring that is whole is said so, with how much it opens; one
// that others can read, that is gone, or that does not open a key is a fault.
func TestDoctorKeys(t *testing.T) {
	dir := t.TempDir()
	doctor := func() (line string) {
		t.Helper()
		var out, stderr bytes.Buffer
		run(t.Context(), []string{"doctor", "-data", dir}, strings.NewReader(""), &out, &stderr)
		for l := range strings.Lines(out.String()) {
			if strings.Contains(l, " keyring: ") {
				line += l
			}
		}
		return line
	}
	expect := func(want string) {
		t.Helper()
		if got := doctor(); !strings.Contains(got, want) {
			t.Errorf("doctor says %q, want %q", got, want)
		}
	}
	expect("ok       keyring: not checked: no instance in " + dir)
	if _, err := os.Stat(filepath.Join(dir, "instance.key")); err == nil {
		t.Error("doctor made an instance")
	}
	i, err := openInstance(t.Context(), instanceConfig{site: "A", data: dir, hub: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := i.flow.Submit(t.Context(), rempart.Report{Lang: "fr", Depicted: rempart.DepictedSelf, Age: rempart.AgeSaidAdult, Made: rempart.MadeFakeSexual, Seen: rempart.SeenPublic,
			Addresses: []string{"https://forum.exemple.test/page/1"}}, ""); err != nil {
			t.Fatal(err)
		}
	}
	primary := i.ring.Primary()
	if err := i.db.Close(); err != nil {
		t.Fatal(err)
	}
	expect("ok       keyring: key " + primary + " is current; all 2 keys")

	ring := filepath.Join(dir, "keyring.json")
	if err := os.Chmod(ring, 0o644); err != nil {
		t.Fatal(err)
	}
	expect("missing  keyring: ")
	expect("other users of this machine can read it (chmod 600 ")
	if err := os.Rename(ring, ring+".kept"); err != nil {
		t.Fatal(err)
	}
	expect("there is no keyring here (put the file back")
	if err := os.Rename(ring+".kept", ring); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(ring, 0o600); err != nil {
		t.Fatal(err)
	}
	behind := func(query string) {
		t.Helper()
		db, err := sql.Open("sqlite", filepath.Join(dir, "rempart.db"))
		if err == nil {
			_, err = db.Exec(query)
		}
		if err == nil {
			err = db.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	behind("UPDATE sealed_keys SET wrapped = zeroblob(80) WHERE owner = (SELECT min(owner) FROM sealed_keys)")
	expect("missing  keyring: 1 of 2 keys open with no key of this ring")
	behind("DELETE FROM sealed_keys WHERE owner = (SELECT min(owner) FROM sealed_keys)")
	expect("missing  keyring: 1 cases or notices received have no key")
}
