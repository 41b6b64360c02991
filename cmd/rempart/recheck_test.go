package main

import (
	"bytes"
	"net"
	"strings"
	"testing"
)

// TestDoctorRechecks: off unless it is said, on with what it means, and a proxy
// that is not there is a fault.
func TestDoctorRechecks(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for args, want := range map[string]string{
		"":                 "ok       re-checks: off",
		"-rechecks adults": "ok       re-checks: on, for cases of adults\n",
		"-rechecks all":    "by HEAD alone\n",
		"-rechecks adults -recheck-proxy http://" + ln.Addr().String():   "through a proxy, which resolves names",
		"-rechecks adults -recheck-proxy http://" + gone.Addr().String(): "missing  re-checks: the proxy 127.0.0.1:",
		"-rechecks adults -recheck-proxy nonsense":                       "missing  re-checks: -recheck-proxy is not the address of a proxy",
	} {
		var out, stderr bytes.Buffer
		run(t.Context(), append([]string{"doctor"}, strings.Fields(args)...), strings.NewReader(""), &out, &stderr)
		if !strings.Contains(out.String(), want) {
			t.Errorf("doctor %s: %q %q, want %q", args, out.String(), stderr.String(), want)
		}
	}
	var out, stderr bytes.Buffer
	if exit := run(t.Context(), []string{"serve", "-rechecks", "some"}, strings.NewReader(""), &out, &stderr); exit == 0 || !strings.Contains(stderr.String(), "rechecks") {
		t.Errorf("serve -rechecks some: exit %d, %q", exit, stderr.String())
	}
}
