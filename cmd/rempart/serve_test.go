package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWelcome checks the first words of an instance that nobody can sign in to.
func TestWelcome(t *testing.T) {
	for _, c := range []struct {
		roles []string
		mode  os.FileMode
		want  []string
	}{
		{[]string{"hub"}, 0o700, []string{"-role analyst -origin https://a.exemple.test\n"}},
		{[]string{"platform"}, 0o700, []string{"-role moderator -origin https://a.exemple.test\n"}},
		{[]string{"hub", "platform"}, 0o755, []string{"-role analyst ", "warning: ", "chmod 700 "}},
	} {
		dir := filepath.Join(t.TempDir(), "d")
		i, err := openInstance(t.Context(), instanceConfig{site: "A", data: dir, hub: c.roles[0] == "hub", platform: len(c.roles) > 1 || c.roles[0] == "platform"})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, c.mode); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		cmd := serveCmd{place: place{Data: dir}, Site: "A", Role: c.roles}
		if err := cmd.welcome(t.Context(), i, "https://a.exemple.test", streams{err: &said}); err != nil {
			t.Fatal(err)
		}
		for _, w := range c.want {
			if !strings.Contains(said.String(), w) {
				t.Errorf("%v, %v: no %q in\n%s", c.roles, c.mode, w, &said)
			}
		}
		if warned := strings.Contains(said.String(), "warning"); warned != (c.mode != 0o700) {
			t.Errorf("mode %v: warned %v", c.mode, warned)
		}
		if err := i.db.Close(); err != nil {
			t.Error(err)
		}
	}
}
