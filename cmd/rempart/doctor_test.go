package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"rempart/media"
)

// TestDoctor: what is missing is said, with what it means, and fails the
// command.
func TestDoctor(t *testing.T) {
	doctor := func(args ...string) (int, string, string) {
		var out, stderr bytes.Buffer
		exit := run(t.Context(), append([]string{"doctor"}, args...), strings.NewReader(""), &out, &stderr)
		return exit, out.String(), stderr.String()
	}
	exit, out, stderr := doctor("-json")
	findings, missing := 0, 0
	for line := range strings.Lines(out) {
		var f media.Finding
		if err := json.Unmarshal([]byte(line), &f); err != nil || f.Program == "" {
			t.Errorf("%q: %v", line, err)
		}
		findings++
		if !f.Found {
			missing++
		}
		if _, err := exec.LookPath(f.Program); !strings.Contains("confinement re-checks mailbox sign-in keyring", f.Program) && f.Found != (err == nil) {
			t.Errorf("%s: found %v, in PATH %v", f.Program, f.Found, err == nil)
		}
	}
	if findings < 5 || (exit == 0) != (missing == 0) || exit > 1 {
		t.Errorf("exit %d, %d findings, %d missing, stderr %q", exit, findings, missing, stderr)
	}
	t.Setenv("PATH", t.TempDir())
	exit, out, stderr = doctor()
	if exit != 1 || !strings.Contains(out, "missing  ffmpeg: videos are not read") || !strings.Contains(stderr, "rempart: hint: ") {
		t.Errorf("without any: exit %d, stdout %q, stderr %q", exit, out, stderr)
	}
}
