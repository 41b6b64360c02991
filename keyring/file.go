package keyring

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/core/registry"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"rempart/internal/durable"
)

// The file is one JSON object. Both keysets are in Tink's own JSON form, in
// clear if kms is "", otherwise as EncryptedKeyset under the key that kms names.
//
//	{"format": "rempart keyring 1", "kms": "", "keys": {…}, "index": {…}}
type document struct {
	Format string          `json:"format"`
	KMS    string          `json:"kms"`
	Keys   json.RawMessage `json:"keys"`  // AES-256-GCM: wrap the keys of cases
	Index  json.RawMessage `json:"index"` // HMAC-SHA-256: blind indexes; never rotated
}

const format = "rempart keyring 1"

// source is where a ring is kept.
type source struct {
	path string
	kms  string // address of the key that encrypts the file, "" for none
}

// Errors of a ring's file that an operator can mend.
var (
	ErrMissing = errors.New("there is no keyring here")
	ErrOpen    = errors.New("other users of this machine can read it")
	ErrKMS     = errors.New("its keys can't be had from the key management service")
	ErrFormat  = errors.New("it is no keyring, or one of another version")
)

// Open reads the ring in a file. kms is the address of a key in a key
// management service, such as "aws-kms://…", if the file is encrypted under it;
// who builds the program links a client for it, which registers itself with
// Tink's registry. The errors above tell what is wrong.
func Open(path, kms string) (*Ring, error) {
	r := &Ring{source: source{path, kms}}
	return r, r.Reload()
}

// Create makes a ring and its file, which must not exist yet: of two processes
// that do it at once, one gets the other's.
func Create(path, kms string) (*Ring, error) {
	r, err := New()
	if err != nil {
		return nil, err
	}
	r.source = source{path, kms}
	b, err := r.document()
	if err != nil {
		return nil, err
	}
	err = writeNew(path, b)
	if errors.Is(err, fs.ErrExist) {
		return Open(path, kms)
	}
	if err != nil {
		return nil, fmt.Errorf("keyring: making %s: %w", path, err)
	}
	return r, nil
}

// writeNew writes a file whole or not at all, and never over another: a link
// from a file with another name fails if the name is taken.
func writeNew(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".keyring")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}

// Path is the file that the ring is kept in, "" if it is in memory only.
func (r *Ring) Path() string { return r.source.path }

// Reload reads the ring's file again, after another process changed it. The
// ring is as before if that fails.
func (r *Ring) Reload() error {
	s := r.source
	if s.path == "" {
		return nil
	}
	wrong := func(err error) error { return fmt.Errorf("keyring %s: %w", s.path, err) }
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return wrong(ErrMissing)
	case err != nil:
		return wrong(err)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return wrong(ErrOpen)
	}
	b, err := os.ReadFile(s.path)
	if err != nil {
		return wrong(err)
	}
	var d document
	if err := json.Unmarshal(b, &d); err != nil || d.Format != format {
		return wrong(ErrFormat)
	}
	if d.KMS != s.kms {
		return wrong(fmt.Errorf("%w: the file names the key %q, the configuration %q", ErrKMS, d.KMS, s.kms))
	}
	master, err := s.master()
	if err != nil {
		return wrong(err)
	}
	keys, err := readKeyset(d.Keys, master, "keys")
	if err != nil {
		return wrong(err)
	}
	index, err := readKeyset(d.Index, master, "index")
	if err != nil {
		return wrong(err)
	}
	return r.set(keys, index)
}

// master returns what encrypts the keysets, nil for nothing.
func (s source) master() (tink.AEAD, error) {
	if s.kms == "" {
		return nil, nil
	}
	c, err := registry.GetKMSClient(s.kms)
	if err != nil {
		return nil, fmt.Errorf("%w: this program was built without a client for %s", ErrKMS, s.kms)
	}
	a, err := c.GetAEAD(s.kms)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKMS, err)
	}
	return a, nil
}

// readKeyset reads a keyset. Errors don't repeat what they read.
func readKeyset(b []byte, master tink.AEAD, what string) (*keyset.Handle, error) {
	r := keyset.NewJSONReader(bytes.NewReader(b))
	if master == nil {
		h, err := insecurecleartextkeyset.Read(r)
		if err != nil {
			return nil, fmt.Errorf("%w: its %s can't be read", ErrFormat, what)
		}
		return h, nil
	}
	h, err := keyset.ReadWithAssociatedData(r, master, about("keyring", what))
	if err != nil {
		return nil, fmt.Errorf("%w: its %s can't be decrypted", ErrKMS, what)
	}
	return h, nil
}

// document returns what the ring's file holds.
func (r *Ring) document() ([]byte, error) {
	r.mu.RLock()
	keys, index := r.keys, r.index
	r.mu.RUnlock()
	master, err := r.source.master()
	if err != nil {
		return nil, err
	}
	d := document{Format: format, KMS: r.source.kms}
	for _, k := range []struct {
		what string
		h    *keyset.Handle
		to   *json.RawMessage
	}{{"keys", keys, &d.Keys}, {"index", index, &d.Index}} {
		var b bytes.Buffer
		w := keyset.NewJSONWriter(&b)
		if master == nil {
			err = insecurecleartextkeyset.Write(k.h, w)
		} else {
			err = k.h.WriteWithAssociatedData(w, master, about("keyring", k.what))
		}
		if err != nil {
			return nil, fmt.Errorf("keyring: writing its %s: %w", k.what, err)
		}
		*k.to = b.Bytes()
	}
	out, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	return append(out, '\n'), nil
}

// Turn begins a rotation: it adds a key, which wraps from now on, and saves the
// ring. What is wrapped under the older keys still opens. After a crash the file
// is as before or as after.
func (r *Ring) Turn() error {
	return r.change(func(m *keyset.Manager) error {
		id, err := m.Add(aead.AES256GCMKeyTemplate())
		if err != nil {
			return err
		}
		return m.SetPrimary(id)
	})
}

// Drop ends a rotation: it drops every key but the one that wraps now, and saves
// the ring. What is still wrapped under one of them never opens again.
func (r *Ring) Drop() error {
	return r.change(func(m *keyset.Manager) error {
		info := r.keys.KeysetInfo()
		for _, k := range info.GetKeyInfo() {
			if k.GetKeyId() == info.GetPrimaryKeyId() {
				continue
			}
			if err := m.Delete(k.GetKeyId()); err != nil {
				return err
			}
		}
		return nil
	})
}

// ErrChanged says that the file is no longer what this ring was read from:
// writing it would lose keys.
var ErrChanged = errors.New("another process changed it meanwhile")

// change changes the keys and saves the ring; the ring is as before if that
// fails. It refuses to write over a file that another process changed.
func (r *Ring) change(f func(*keyset.Manager) error) error {
	if r.source.path != "" {
		now, err := Open(r.source.path, r.source.kms)
		if err != nil {
			return err
		}
		if now.Primary() != r.Primary() || !slices.Equal(now.Keys(), r.Keys()) {
			return fmt.Errorf("keyring %s: %w", r.source.path, ErrChanged)
		}
	}
	m := keyset.NewManagerFromHandle(r.keys)
	if err := f(m); err != nil {
		return fmt.Errorf("keyring: changing: %w", err)
	}
	keys, err := m.Handle()
	if err != nil {
		return fmt.Errorf("keyring: changing: %w", err)
	}
	next := &Ring{source: r.source}
	if err := next.set(keys, r.index); err != nil {
		return err
	}
	if r.source.path != "" {
		b, err := next.document()
		if err != nil {
			return err
		}
		if err := durable.WriteFile(r.source.path, b); err != nil {
			return fmt.Errorf("keyring: %w", err)
		}
	}
	return r.set(keys, r.index)
}
