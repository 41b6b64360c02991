package keyring_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tink-crypto/tink-go/v2/core/registry"
	"github.com/tink-crypto/tink-go/v2/testing/fakekms"

	"rempart/keyring"
)

func ring(t testing.TB) *keyring.Ring {
	t.Helper()
	r, err := keyring.New()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestBox seals and opens, and checks that a box opens as what it is alone.
func TestBox(t *testing.T) {
	r := ring(t)
	k, w, err := r.NewKey("case", "A")
	if err != nil {
		t.Fatal(err)
	}
	const text = `{"words":"a sentence nobody else may read"}`
	box, err := k.Seal([]byte(text), "report", "R")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(box, []byte("sentence")) || !keyring.Sealed(box) || keyring.Sealed([]byte(text)) {
		t.Fatalf("the box reads %q", box)
	}
	again, err := r.Unwrap(w, "case", "A")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(box, "report", "R"); err != nil || string(got) != text {
		t.Errorf("%q, %v", got, err)
	}
	if b, _ := k.Seal([]byte(text), "report", "R"); bytes.Equal(b, box) {
		t.Error("the same text is sealed twice to the same box")
	}
	altered := bytes.Clone(box)
	altered[len(altered)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"altered":       func() ([]byte, error) { return k.Open(altered, "report", "R") },
		"another row":   func() ([]byte, error) { return k.Open(box, "report", "S") },
		"another table": func() ([]byte, error) { return k.Open(box, "case", "R") },
		"in clear":      func() ([]byte, error) { return k.Open([]byte(text), "report", "R") },
		"nothing":       func() ([]byte, error) { return k.Open(nil, "report", "R") },
	} {
		if got, err := open(); err == nil || got != nil {
			t.Errorf("%s: opened, %q", name, got)
		} else if strings.Contains(err.Error(), "sentence") {
			t.Errorf("%s: the error tells the text: %v", name, err)
		}
	}
	for name, unwrap := range map[string]func() (keyring.Key, error){
		"another owner": func() (keyring.Key, error) { return r.Unwrap(w, "case", "B") },
		"another box":   func() (keyring.Key, error) { return r.Unwrap(w, "identity", "A") },
		"another ring":  func() (keyring.Key, error) { return ring(t).Unwrap(w, "case", "A") },
		"nothing":       func() (keyring.Key, error) { return r.Unwrap(nil, "case", "A") },
	} {
		if _, err := unwrap(); !errors.Is(err, keyring.ErrWrongKey) {
			t.Errorf("%s: %v, want ErrWrongKey", name, err)
		}
	}
}

// TestIndex checks that an index is one for a value and a domain, and another in
// another ring.
func TestIndex(t *testing.T) {
	r := ring(t)
	index := func(r *keyring.Ring, domain, value string) string {
		t.Helper()
		s, err := r.Index(domain, value)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a := index(r, "address", "https://exemple.test/a")
	if a != index(r, "address", "https://exemple.test/a") || len(a) != 64 {
		t.Errorf("two indexes of one value, or a strange one: %s", a)
	}
	for name, b := range map[string]string{
		"another value":  index(r, "address", "https://exemple.test/b"),
		"another domain": index(r, "number", "https://exemple.test/a"),
		"another ring":   index(ring(t), "address", "https://exemple.test/a"),
	} {
		if a == b {
			t.Errorf("%s has the same index", name)
		}
	}
}

// TestFile makes, reads and rotates a file, and checks what it refuses.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.json")
	if _, err := keyring.Open(path, ""); !errors.Is(err, keyring.ErrMissing) {
		t.Fatalf("no file: %v, want ErrMissing", err)
	}
	r, err := keyring.Create(path, "")
	if err != nil {
		t.Fatal(err)
	}
	_, w, err := r.NewKey("case", "A")
	if err != nil {
		t.Fatal(err)
	}
	// Create over a file reads it.
	other, err := keyring.Create(path, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Unwrap(w, "case", "A"); err != nil {
		t.Errorf("the ring that was made second does not open what the first wrapped: %v", err)
	}

	old := r.Primary()
	if w.RingKey() != old {
		t.Errorf("wrapped under %q, the ring says %q", w.RingKey(), old)
	}
	if err := r.Turn(); err != nil {
		t.Fatal(err)
	}
	if r.Primary() == old || len(r.Keys()) != 2 {
		t.Errorf("after a turn: %s of %v, was %s", r.Primary(), r.Keys(), old)
	}
	w2, err := r.Rewrap(w, "case", "A")
	if err != nil || w2.RingKey() != r.Primary() {
		t.Fatalf("wrapped again under %q, want %q: %v", w2.RingKey(), r.Primary(), err)
	}
	if _, err := other.Unwrap(w2, "case", "A"); !errors.Is(err, keyring.ErrWrongKey) {
		t.Errorf("a ring from before the turn: %v", err)
	}
	if err := other.Turn(); !errors.Is(err, keyring.ErrChanged) {
		t.Errorf("a ring from before the turn is turned itself: %v, want ErrChanged", err)
	}
	if err := other.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Unwrap(w2, "case", "A"); err != nil {
		t.Errorf("after reading the file again: %v", err)
	}
	if err := r.Drop(); err != nil {
		t.Fatal(err)
	}
	fresh, err := keyring.Open(path, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.Unwrap(w, "case", "A"); !errors.Is(err, keyring.ErrWrongKey) {
		t.Errorf("what a dropped key wrapped: %v, want ErrWrongKey", err)
	}
	if _, err := fresh.Unwrap(w2, "case", "A"); err != nil {
		t.Errorf("what was wrapped again: %v", err)
	}
	a, _ := r.Check()
	b, _ := fresh.Check()
	if a == "" || a != b {
		t.Errorf("the ring is told by %q, then by %q", a, b)
	}

	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Open(path, ""); !errors.Is(err, keyring.ErrOpen) {
		t.Errorf("a file that others can read: %v, want ErrOpen", err)
	}
	for _, text := range []string{"", "{}", `{"format":"rempart keyring 1","keys":{"key":[{"keyData":{"value":"c2VjcmV0"}}]}}`} {
		bad := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.Open(bad, ""); !errors.Is(err, keyring.ErrFormat) || strings.Contains(err.Error(), "c2VjcmV0") {
			t.Errorf("%q: %v, want ErrFormat", text, err)
		}
	}
	if _, err := keyring.Create(filepath.Join(t.TempDir(), "none", "keyring.json"), ""); err == nil {
		t.Error("made in a folder that is not there")
	}
}

// TestRace makes one file from many sides at once: all get the same ring.
func TestRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.json")
	checks := make([]string, 8)
	var all sync.WaitGroup
	for i := range checks {
		all.Go(func() {
			r, err := keyring.Create(path, "")
			if err != nil {
				t.Error(err)
				return
			}
			if checks[i], err = r.Check(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, c := range checks {
		if c == "" || c != checks[0] {
			t.Fatalf("rings %q", checks)
		}
	}
}

// TestKMS keeps the file under a key of a key management service: Tink's fake
// one, behind the interface of the real ones.
func TestKMS(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring.json")
	uri, err := fakekms.NewKeyURI()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Create(path, uri); !errors.Is(err, keyring.ErrKMS) {
		t.Fatalf("without a client: %v, want ErrKMS", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Fatalf("a file was made: %v", err)
	}
	client, err := fakekms.NewClient("fake-kms://")
	if err != nil {
		t.Fatal(err)
	}
	registry.RegisterKMSClient(client)
	defer registry.ClearKMSClients()
	r, err := keyring.Create(path, uri)
	if err != nil {
		t.Fatal(err)
	}
	_, w, err := r.NewKey("case", "A")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Turn(); err != nil {
		t.Fatal(err)
	}
	again, err := keyring.Open(path, uri)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Unwrap(w, "case", "A"); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte("encryptedKeyset")) || bytes.Contains(b, []byte("keyData")) {
		t.Errorf("the file is not encrypted: %s", b)
	}
	other, err := fakekms.NewKeyURI()
	if err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{"", other} {
		if _, err := keyring.Open(path, uri); !errors.Is(err, keyring.ErrKMS) {
			t.Errorf("with the key %q: %v, want ErrKMS", uri, err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	r := ring(b)
	k, w, err := r.NewKey("case", "A")
	if err != nil {
		b.Fatal(err)
	}
	box, err := k.Seal(make([]byte, 4096), "case", "A")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		k, err := r.Unwrap(w, "case", "A")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := k.Open(box, "case", "A"); err != nil {
			b.Fatal(err)
		}
	}
}
