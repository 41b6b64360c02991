package axe

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// TestSource checks that the script is the one README.md vouches for, so that
// an update of one without the other is seen.
func TestSource(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(Source))
	if got := hex.EncodeToString(sum[:]); !strings.Contains(string(readme), got) {
		t.Errorf("axe.min.js has SHA-256 %s, which README.md does not state", got)
	}
	// The version stands in the banner: "/*! axe v4.14.1".
	_, banner, _ := strings.Cut(Source, "axe v")
	version, _, _ := strings.Cut(banner, "\n")
	if version == "" || !strings.Contains(string(readme), "Version: "+version+"\n") {
		t.Errorf("axe.min.js says version %q, README.md does not", version)
	}
}
