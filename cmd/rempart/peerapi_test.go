package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPeerChannels adds a mailbox and somebody else's API, and refuses what would
// not work; no secret of a header is in the database in clear.
func TestPeerChannels(t *testing.T) {
	data := t.TempDir()
	admin := func(args ...string) (int, string) {
		var out, stderr bytes.Buffer
		exit := run(t.Context(), append([]string{"admin", "peer"}, append(args, "-data", data)...), strings.NewReader(""), &out, &stderr)
		return exit, out.String() + stderr.String()
	}
	if _, err := instanceKey(data); err != nil {
		t.Fatal(err)
	}
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.json", `{"content_type": "application/json", "body": "{\"text\": {{json .Text}}}", "headers": {"Authorization": "Bearer jeton-tres-secret"}, "taken": [201], "number": "id"}`)
	for _, x := range []struct {
		args string
		exit int
		want string
	}{
		{"add -id boite -name Boîte -kind mail -email abus@forum.exemple.test", 0, ""},
		{"add -id boite2 -name Boîte -kind mail", 1, "a mailbox has an address"},
		{"add -id boite3 -name Boîte -kind mail -email nobody", 1, "-email is not an address"},
		{"add -id boite4 -name Boîte -kind mail -email a@exemple.test -out-key K", 1, "neither keys"},
		{"add -id api -name API -kind http -url https://api.exemple.test/reports?x=1 -request " + good, 0, "not said to know repetitions"},
		{"add -id api2 -name API -kind http -url https://api.exemple.test/reports", 1, "an address and a request"},
		{"add -id api3 -name API -kind http -url https://u:p@api.exemple.test/ -request " + good, 1, "secrets go into headers"},
		{"add -id api4 -name API -kind http -url https://api.exemple.test/ -request " + file("bad.json", `{"content_type": "application/json", "body": "{{", "unknown": 1}`), 1, "unknown field"},
		{"add -id api5 -name API -kind http -url https://api.exemple.test/ -request " + file("bad2.json", `{"content_type": "application/json", "body": "{{"}`), 1, "request"},
		{"list", 0, "mailto:abus@forum.exemple.test"},
	} {
		exit, said := admin(strings.Fields(x.args)...)
		if exit != x.exit || !strings.Contains(said, x.want) || strings.Contains(said, "secret ") || strings.Contains(said, "key rk_") {
			t.Errorf("peer %s: exit %d, %q, want %d with %q", x.args, exit, said, x.exit, x.want)
		}
	}
	files, err := filepath.Glob(filepath.Join(data, "rempart.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database: %v", err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || bytes.Contains(b, []byte("jeton-tres-secret")) {
			t.Errorf("%s holds the header's value in clear, or cannot be read: %v", f, err)
		}
	}
}
